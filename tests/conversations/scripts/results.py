"""What comes back, and what can be done with it."""

from tests.conversations.conversation import conversation
from tests.conversations.talk import Talk


@conversation()
async def four_pictures(talk: Talk) -> None:
    """Four pictures at once.

    They come as an album; one that did not come out is said.
    """
    ada, bot = talk.ada, talk.bot
    await ada.sends("in autumn /count 4")
    await bot.shows(4, "result")
    await bot.says("result-next")
    await talk.restart()
    await talk.hidream_ends(1, 3)
    await ada.sends("in winter /count 2")
    await bot.shows(1, "partly", "missing-failed")


@conversation()
async def refused(talk: Talk) -> None:
    """HiDream refuses.

    Then the bot says why as far as it is known, that nothing was spent, and what can be done: here, other words.
    """
    ada, bot = talk.ada, talk.bot
    await ada.sends("a bloody sunset /ratio 4:3")
    reason = await bot.says("content-refused")
    await talk.restart()
    await ada.presses(reason, "button-words")
    question = await bot.says("ask-other-words")
    await ada.says("a crimson sunset", to=question)
    await bot.shows(1, "result")


@conversation()
async def status(talk: Talk) -> None:
    """How it goes.

    /status lists what is one's own, and shows one in full, with its pictures.
    """
    ada, bot = talk.ada, talk.bot
    await ada.says("/status")
    await bot.says("status-none-group" if talk.scene.group else "status-none")
    await ada.sends("make it snow")
    picture = await bot.shows(1, "result")
    await talk.restart()
    await ada.says("/status")
    await bot.says("status-line", "status-more")
    await ada.says(f"/status {talk.number(picture)}")
    await bot.says("status-full", "status-took")
    await bot.shows(1)


@conversation()
async def leads_on(talk: Talk) -> None:
    """Going on from a result.

    The buttons under a result make it again in another shape, or make it the photo for what comes next.
    """
    ada, bot = talk.ada, talk.bot
    await ada.sends("make it snow")
    picture = await bot.shows(1, "result")
    await ada.presses(picture, "button-ratio")
    shapes = await bot.changes(picture, "result")
    await talk.restart()
    await ada.presses(shapes, "button-shape", ratio="16:9")
    await bot.changes(shapes, "result")
    wide = await bot.shows(1, "result", "result-from")
    await ada.presses(wide, "button-use")
    question = await bot.says("ask-use")
    await ada.says("at night", to=question)
    await bot.shows(1, "result", "result-from")


@conversation()
async def file_and_end(talk: Talk) -> None:
    """The original file, and the end of it all.

    The file comes as HiDream made it. What is deleted is gone from the chat, and the bot says what stays.
    """
    ada, bot = talk.ada, talk.bot
    await ada.sends("make it snow")
    picture = await bot.shows(1, "result")
    await ada.presses(picture, "button-file")
    file = await bot.shows(1, "original")
    await ada.presses(picture, "button-delete")
    sure = await bot.changes(picture, "result")
    await talk.restart()
    await ada.presses(sure, "button-delete-yes")
    await bot.deletes(picture)
    await bot.deletes(file)
    await bot.says("deleted-all", "deleted-stays")


@conversation()
async def more_of_it(talk: Talk) -> None:
    """More of it.

    The same once more, the same four times, or the same photo with other words.
    """
    ada, bot = talk.ada, talk.bot
    await ada.sends("make it snow /ratio 16:9")
    picture = await bot.shows(1, "result")
    await talk.hidream_ends("never")
    await ada.presses(picture, "button-repeat")
    await bot.reports("progress-percent")
    await ada.presses(picture, "button-repeat")
    await talk.restart()
    await talk.release()
    await bot.shows(1, "result")
    await ada.presses(picture, "button-count", count=4)
    await bot.shows(4, "result")
    await bot.says("result-next")
    await ada.presses(picture, "button-words")
    question = await bot.says("ask-other-words")
    await ada.says("make it rain", to=question)
    await bot.shows(1, "result")


@conversation()
async def once_more(talk: Talk) -> None:
    """Once more.

    A reason offers to try again, and says what came of it.
    """
    ada, bot = talk.ada, talk.bot
    await talk.hidream_ends(4)
    await ada.sends("make it snow")
    reason = await bot.says("review-refused")
    await talk.restart()
    await ada.presses(reason, "button-again")
    await bot.changes(reason, "review-refused", "made-again")
    await bot.shows(1, "result", "result-from")
