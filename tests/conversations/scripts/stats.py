"""What the bot's admins are shown."""

from tests.conversations.conversation import conversation
from tests.conversations.notes import PRIVATE
from tests.conversations.talk import Talk


@conversation(scenes=(PRIVATE,), alone=True)
async def stats(talk: Talk) -> None:
    """How the bot has been doing.

    That is for its admins alone; to anybody else there is no such command.
    """
    ada, bot = talk.ada, talk.bot
    await ada.says("/stats")
    await bot.says("unknown-command", command="/stats")
    await talk.is_run_by(ada)
    await ada.sends("make it snow")
    await talk.is_delivered(await bot.shows(1, "result"))
    await ada.says("/stats a week")
    await bot.says("stats-wrong", value="a week")
    await talk.restart()
    await ada.says("/stats 7")
    await bot.shows_figures(
        *("stats-heading", "stats-tasks", "stats-whole", "stats-waiting", "stats-making"),
        *("stats-slots", "stats-now", "stats-ever"),
    )
