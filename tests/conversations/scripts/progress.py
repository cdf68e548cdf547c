"""Knowing where one stands."""

from tests.conversations.conversation import conversation
from tests.conversations.talk import Talk


@conversation()
async def how_long(talk: Talk) -> None:
    """How long it takes.

    How far it is is HiDream's own word, and how long it usually takes is what such pictures took here before.
    """
    ada, bot = talk.ada, talk.bot
    await talk.hidream_ends("never")
    await ada.sends("make it snow /ratio 9:16 /count 4")
    await bot.reports("progress-percent-usual", span="17–19 sec")
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
