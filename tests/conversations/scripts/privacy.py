"""What is kept of people."""

from tests.conversations.conversation import conversation
from tests.conversations.notes import GROUPS, PRIVATE
from tests.conversations.talk import Talk


@conversation(scenes=(PRIVATE,))
async def privacy(talk: Talk) -> None:
    """What is kept.

    It is told, and handed out as a file.
    """
    ada, bot = talk.ada, talk.bot
    await ada.says("/mydata")
    await bot.says("mydata-nothing")
    await ada.says("/privacy")
    await bot.says("privacy", "privacy-hidream", "privacy-commands")
    await ada.sends("make it snow")
    await bot.shows(1, "result")
    await talk.restart()
    await ada.says("/mydata")
    await bot.shows(1, "mydata-file")


@conversation(scenes=GROUPS)
async def privacy_in_a_group(talk: Talk) -> None:
    """What is kept, asked in a group.

    There it is told in short; the file is for oneself alone.
    """
    ada, bot = talk.ada, talk.bot
    await ada.says("/privacy")
    await bot.says("privacy-group")
    await talk.restart()
    await ada.says("/mydata")
    await bot.says("mydata-private")


@conversation()
async def forgotten(talk: Talk) -> None:
    """To be forgotten.

    After a tap all of it goes; what stays is said. The pictures in the chat can be deleted there.
    """
    ada, bot = talk.ada, talk.bot
    await ada.sends("make it snow")
    picture = await bot.shows(1, "result")
    await talk.is_delivered(picture)
    await talk.hidream_ends("never")
    await ada.sends("make it rain")
    going = await bot.reports("progress-percent")
    await ada.says("/forget")
    question = await bot.says("forget-ask", "forget-what")
    await talk.restart()
    await ada.presses(question, "button-forget")
    await bot.deletes(going)
    await bot.changes(question, "forget-done", "forget-stopped", "forget-stays")
    await ada.presses(picture, "button-repeat")
    await ada.says("/forget")
    await bot.says("forget-nothing")
