"""Ways to hand in a photo."""

from functools import partial
from typing import Final

from sandbox.sample import draw_sample
from tests.conversations.conversation import conversation
from tests.conversations.notes import PRIVATE
from tests.conversations.talk import Talk

_LAKE: Final = draw_sample(300, 200)


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

    A photo without words is asked about. What answers it are words, or one of the ideas.
    """
    ada, bot = talk.ada, talk.bot
    await ada.sends()
    question = await bot.says("ask-words")
    await talk.restart()
    await ada.says("as a pencil sketch", to=question)
    await bot.shows(1, "result")
    await ada.sends()
    question = await bot.says("ask-words")
    await ada.presses(question, "idea-painting")
    await bot.shows(1, "result")


@conversation()
async def words_first(talk: Talk) -> None:
    """The words first, the photo later.

    Words are kept for a quarter of an hour for the next photo.
    """
    ada, bot = talk.ada, talk.bot
    await ada.says("make it snow")
    kept = await bot.says("words-kept-group" if talk.scene.group else "words-kept")
    await talk.restart()
    await ada.sends(to=kept if talk.scene.group else None)
    await bot.shows(1, "result")


@conversation()
async def two_photos(talk: Talk) -> None:
    """Two photos first.

    Both wait; a reply to one of them says which is meant.
    """
    ada, bot = talk.ada, talk.bot
    first = await ada.sends()
    await bot.says("ask-words")
    await ada.sends()
    second = await bot.says("ask-words", "ask-words-two")
    await talk.restart()
    await ada.says("in red", to=first)
    await bot.shows(1, "result")
    await ada.says("in blue", to=second)
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


@conversation()
async def changed_words(talk: Talk) -> None:
    """A caption is changed afterwards.

    What is made already is offered anew, with the new words; what changes nothing is not answered.
    """
    ada, bot = talk.ada, talk.bot
    photo = await ada.sends("make it snow")
    await bot.shows(1, "result")
    await talk.restart()
    await ada.edits(photo, "make it rain")
    offer = await bot.says("edited-late")
    await ada.presses(offer, "button-new-words")
    await bot.shows(1, "result")


@conversation()
async def changed_while_waiting(talk: Talk) -> None:
    """A caption is changed while its photo waits for words.

    Then it is asked no more: these are the words.
    """
    ada, bot = talk.ada, talk.bot
    photo = await ada.sends()
    await bot.says("ask-words")
    await talk.restart()
    await ada.edits(photo, "make it rain")
    await bot.shows(1, "result")


@conversation()
async def variants(talk: Talk) -> None:
    """Variants.

    Braces stand for a picture each, after a tap: it is said before how many that makes. At most 8 at once.
    """
    ada, bot = talk.ada, talk.bot
    await ada.sends("a {red, blue} car")
    offer = await bot.says("offer-variants", "offer-variant")
    await talk.restart()
    await ada.presses(offer, "button-go")
    await bot.shows_each(2, "result")
    await ada.sends("a {red, blue, green} car in {spring, autumn, winter}")
    question = await bot.says("variants-too-many", "try-caption")
    await ada.says("a red car in spring", to=question)
    await bot.shows(1, "result")


@conversation()
async def link(talk: Talk) -> None:
    """A link to a picture.

    HiDream is given the link as it is. The picture is square, unless one says otherwise.
    """
    ada, bot = talk.ada, talk.bot
    await ada.says("https://example.org/cat.jpg make it snow")
    await bot.shows(1, "result")
    await ada.says("https://example.org/dog.jpg")
    question = await bot.says("ask-words")
    await talk.restart()
    await ada.says("at the beach /ratio 16:9", to=question)
    await bot.shows(1, "result")


@conversation()
async def image_file(talk: Talk) -> None:
    """A file, a sticker, a forwarded photo.

    An image file keeps its full quality; a sticker that does not move is a picture like any other. What has no
    words of its own is asked about, and in a group answered with them.
    """
    ada, bob, bot = talk.ada, talk.bob, talk.bot
    elsewhere = await talk.world.group(ada.person, bob.person)
    theirs = await bob.person.photo(chat=elsewhere)
    file = partial(ada.person.file, _LAKE, "lake.png", "image/png")
    await ada.sends_as("file: lake.png", file, "make it snow")
    await bot.shows(1, "result")
    wordless = await ada.sends_as("sticker", ada.person.sticker)
    if not talk.scene.group:
        wordless = await bot.says("ask-words")
    await talk.restart()
    await ada.says("as a statue", to=wordless)
    await bot.shows(1, "result")
    wordless = await ada.sends_as(
        "forwarded photo", partial(ada.person.forward, theirs, source=elsewhere)
    )
    if not talk.scene.group:
        wordless = await bot.says("ask-words")
    await ada.says("as a stained glass window", to=wordless)
    await bot.shows(1, "result")


@conversation(scenes=(PRIVATE,))
async def not_a_photo(talk: Talk) -> None:
    """What moves.

    A video or an animated sticker is a clear no, and what would do instead is said.
    """
    ada, bot = talk.ada, talk.bot
    await ada.sends_as("video", partial(ada.person.medium, "video"), "make it snow")
    await bot.says("is-a-video")
    await ada.sends_as("GIF", partial(ada.person.medium, "animation"))
    await bot.says("image-animated")
    await talk.restart()
    await ada.sends_as("sticker that moves", partial(ada.person.sticker, form="animated"))
    await bot.says("sticker-animated")
    await ada.sends_as("voice message", partial(ada.person.medium, "voice"))
    await bot.says("not-a-photo")
    text = partial(ada.person.file, b"Dear", "letter.txt", "text/plain", caption=None)
    await ada.sends_as("file: letter.txt", text)
    await bot.says("not-an-image-file")


@conversation()
async def spoiler(talk: Talk) -> None:
    """A covered photo.

    A spoiler stays a spoiler.
    """
    ada, bot = talk.ada, talk.bot
    await ada.sends("make it snow", spoiler=True)
    picture = await bot.shows(1, "result")
    assert picture["spoiler"]
    await talk.restart()
    await ada.says("at night", to=picture)
    picture = await bot.shows(1, "result")
    assert picture["spoiler"]
