"""Knowing where one stands."""

from tests.conversations.conversation import conversation
from tests.conversations.notes import PRIVATE
from tests.conversations.talk import Talk


@conversation()
async def how_long(talk: Talk) -> None:
    """How long it takes.

    How far it is is HiDream's own word, and how long it usually takes is what such pictures took here before.
    """
    ada, bot = talk.ada, talk.bot
    await talk.hidream_ends("never")
    await ada.sends("make it snow /ratio 9:16 /count 4")
    await bot.reports("progress-percent-usual", span="49–54 sec")
    await talk.restart()
    await talk.release()
    await bot.shows(4, "result")
    await bot.says("result-next")


@conversation(alone=True)
async def paused(talk: Talk) -> None:
    """HiDream takes nothing right now.

    That is said; meanwhile the words can still be changed, and it goes on by itself.
    """
    ada, bot = talk.ada, talk.bot
    await talk.hidream_is("HiDream is down", down=True)
    photo = await ada.sends("make it snow")
    await bot.reports("progress-paused")
    await ada.edits(photo, "make it rain")
    await bot.says("edited-changed")
    await talk.restart()
    await talk.hidream_is("HiDream is up again", down=False)
    await bot.shows(1, "result")


@conversation()
async def stopping(talk: Talk) -> None:
    """Stopping.

    By the button, or by /cancel; of several it is asked which. What HiDream has begun may still count there.
    """
    ada, bot = talk.ada, talk.bot
    await ada.says("/cancel")
    await bot.says("cancel-none")
    await talk.hidream_ends("never")
    await ada.sends("make it snow")
    going = await bot.reports("progress-percent")
    await ada.presses(going, "button-cancel")
    await bot.changes(going, "progress-stopped")
    for words in ("make it rain", "make it blow"):
        await talk.hidream_ends("never")
        await ada.sends(words)
        await bot.reports("progress-percent")
    await talk.restart()
    await ada.says("/cancel")
    which = await bot.says("cancel-which")
    first = min(one["text"] for row in which["buttons"] for one in row if "#" in one["text"])
    await ada.presses(which, "button-stop", task=first.partition("#")[2])
    await bot.changes(which, "cancelled-running")
    await ada.says("/cancel")
    await bot.says("cancelled-running")


@conversation(alone=True)
async def stopped_in_line(talk: Talk) -> None:
    """Stopping what is still in line.

    That costs nothing.
    """
    ada, bot = talk.ada, talk.bot
    await talk.hidream_is("HiDream is down", down=True)
    await ada.sends("make it snow")
    going = await bot.reports("progress-paused")
    await ada.presses(going, "button-cancel")
    await bot.changes(going, "progress-cancelled")
    await talk.restart()
    await talk.hidream_is("HiDream is up again", down=False)
    await ada.sends("make it rain")
    await bot.shows(1, "result")


@conversation(scenes=(PRIVATE,), alone=True)
async def blocked(talk: Talk) -> None:
    """A person blocks the bot.

    What is in line for them is dropped, and nothing is spent.
    """
    ada, bot = talk.ada, talk.bot
    await talk.hidream_is("HiDream is down", down=True)
    await ada.sends("make it snow")
    going = await bot.reports("progress-paused")
    await talk.blocks(ada)
    await talk.restart()
    await talk.hidream_is("HiDream is up again", down=False)
    await talk.unblocks(ada)
    await ada.says("/status")
    await bot.says("status-line", "state-cancelled")
    await bot.changes(going, "progress-cancelled")


@conversation()
async def pages(talk: Talk) -> None:
    """Pages.

    /status lists five at a time. A number shows one in full; a reply with /status is about that picture.
    """
    ada, bot = talk.ada, talk.bot
    with talk.in_short("Ada has had pictures of six cars"):
        for colour in ("red", "blue", "green", "white", "black", "brown"):
            await ada.sends(f"a {colour} car")
            picture = await bot.shows(1, "result")
            await talk.is_delivered(picture)
    await ada.says("/status")
    listed = await bot.says("status-line", "status-others")
    await talk.restart()
    await ada.presses(listed, "button-older")
    listed = await bot.changes(listed, "status-line")
    await ada.presses(listed, "button-newer")
    await bot.changes(listed, "status-line", "status-others")
    await ada.says("/status", to=picture)
    await bot.says("status-full")
    await bot.shows(1)


@conversation()
async def history(talk: Talk) -> None:
    """All that was made.

    /history is one message that turns over the pictures; with words it finds those that were made with them.
    """
    ada, bot = talk.ada, talk.bot
    await ada.says("/history")
    await bot.says("status-none-group" if talk.scene.group else "history-none")
    for words in ("make it snow", "make it rain"):
        await ada.sends(words)
        await talk.is_delivered(await bot.shows(1, "result"))
    await ada.says("/history")
    shown = await bot.shows(1, "history-picture")
    await talk.restart()
    await ada.presses(shown, "button-older")
    await bot.changes(shown, "history-picture")
    await ada.says("/history snow")
    await bot.shows(1, "history-picture")
    await ada.says("/history dragon")
    await bot.says("history-nothing-found")
