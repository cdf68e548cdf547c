"""Ways to hand in a photo."""

from tests.conversations.conversation import conversation
from tests.conversations.talk import Talk


@conversation()
async def photo_with_words(talk: Talk) -> None:
    """A photo with words.

    The words say what to make of it; options may stand anywhere between them.
    """
    ada, bot = talk.ada, talk.bot
    await talk.hidream_ends("never")
    await ada.sends("make it snow /ratio 16:9 /no people")
    await bot.reports("progress-percent")
    await talk.restart()
    await talk.release()
    await bot.shows(1, "result")


@conversation()
async def photo_first(talk: Talk) -> None:
    """The photo first, the words later.

    A photo without words is asked about.
    """
    ada, bot = talk.ada, talk.bot
    await ada.sends()
    question = await bot.says("ask-words")
    await talk.restart()
    await ada.says("as a pencil sketch", to=question)
    await bot.shows(1, "result")


@conversation()
async def wrong_option(talk: Talk) -> None:
    """An option that there is not.

    What was wrong, what would be right; nothing is started, and the photo need not be sent again.
    """
    ada, bot = talk.ada, talk.bot
    await ada.sends("make it snow /ratio 16:10")
    question = await bot.says("ratio-wrong", "try-caption")
    await talk.restart()
    await ada.says("make it snow /ratoi 16:9", to=question)
    question = await bot.says("option-unknown", "try-caption")
    await ada.says("make it snow /ratio 16:9", to=question)
    await bot.shows(1, "result")
