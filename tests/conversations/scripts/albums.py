"""Albums: several photos that were sent together."""

from tests.conversations.conversation import conversation
from tests.conversations.talk import Talk


@conversation(hears_all=True)
async def album(talk: Talk) -> None:
    """An album.

    It becomes one picture, made of all its photos. The words may be under any of them; without any, there is one
    question for all of them.
    """
    ada, bot = talk.ada, talk.bot
    await ada.sends("all of us at the beach", photos=3, captioned=1)
    await bot.shows(1, "result")
    await ada.sends(photos=2)
    question = await bot.says("ask-words-album")
    await talk.restart()
    await ada.says("as one poster", to=question)
    await bot.shows(1, "result")


@conversation(hears_all=True)
async def large_album(talk: Talk) -> None:
    """An album that is too large.

    The bot takes so many photos into one picture as it is allowed to, and asks what to do with more.
    """
    ada, bot = talk.ada, talk.bot
    await ada.sends("as a pencil sketch", photos=5)
    offer = await bot.says("offer-album")
    await talk.restart()
    await ada.presses(offer, "button-first")
    await bot.shows(1, "result")


@conversation(hears_all=True)
async def one_each(talk: Talk) -> None:
    """One picture of each.

    So many photos that are meant one by one can be sent together, with words for all of them.
    """
    ada, bot = talk.ada, talk.bot
    await ada.sends("in autumn", photos=5)
    offer = await bot.says("offer-album")
    await talk.restart()
    await ada.presses(offer, "button-each")
    await bot.shows_each(5, "result")


@conversation(hears_all=True)
async def late_part(talk: Talk) -> None:
    """A photo that comes after the others of its album.

    Their picture is not made anew for it: it is taken as one of its own.
    """
    ada, bot = talk.ada, talk.bot
    album = await ada.sends("all of us at the beach", photos=2)
    await bot.shows(1, "result")
    await talk.restart()
    await ada.adds(album)
    question = await bot.says("album-late", "ask-words")
    await ada.says("at night", to=question)
    await bot.shows(1, "result")
