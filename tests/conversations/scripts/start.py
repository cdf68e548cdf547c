"""Meeting the bot."""

from tests.conversations.conversation import conversation
from tests.conversations.talk import Talk


@conversation()
async def hello(talk: Talk) -> None:
    """Hello.

    What it does, and everything that can be said.
    """
    ada, bot = talk.ada, talk.bot
    await ada.says("/start")
    await bot.says("start-group" if talk.scene.group else "start")
    await talk.restart()
    await ada.says("/help")
    way = "help-group" if talk.scene.group else "help"
    await bot.says(way, "help-replies", "help-options", "help-commands")
