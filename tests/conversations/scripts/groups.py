"""In groups and channels."""

from tests.conversations.conversation import conversation
from tests.conversations.notes import CHANNEL, GROUP, GROUPS, TOPICS
from tests.conversations.talk import Talk


@conversation(scenes=GROUPS)
async def someone_elses_photo(talk: Talk) -> None:
    """Someone else's photo.

    `/edit` with words, in reply to any photo; alone, it asks for them.
    """
    ada, bob, bot = talk.ada, talk.bob, talk.bot
    theirs = await bob.sends("look at this", address=False)
    await ada.says("/edit as a mosaic", to=theirs)
    picture = await bot.shows(1, "result")
    await talk.restart()
    await bob.says("in black and white", to=picture)
    await bot.shows(1, "result", "result-from")
    await ada.says("/edit", to=theirs)
    question = await bot.says("ask-words")
    await ada.says("as a stamp", to=question)
    await bot.shows(1, "result")
    await ada.says("/edit")
    await bot.says("edit-alone")


@conversation(scenes=GROUPS, hears_all=True)
async def not_meant_for_it(talk: Talk) -> None:
    """What is not meant for the bot.

    It hears all of it here, and stays out of it. Its name, `/edit` and a reply are what call it.
    """
    ada, bob, bot = talk.ada, talk.bob, talk.bot
    await ada.says("hello everybody", address=False)
    photo = await bob.sends("look, the lake --ratio 16:9", address=False)
    await ada.says("I want it to snow there", to=photo, address=False)
    await ada.says("/weather@other_bot", address=False)
    await talk.restart()
    await bob.says("hello @sandbox_bot", address=False)
    await ada.says("@sandbox_bot make it snow", to=photo, address=False)
    await bot.shows(1, "result")
    await bob.sends("@sandbox_bot, as an oil painting", address=False)
    await bot.shows(1, "result")


@conversation(scenes=GROUPS)
async def whose_buttons(talk: Talk) -> None:
    """Whose buttons these are.

    Only the person who asked can press them.
    """
    ada, bob, bot = talk.ada, talk.bob, talk.bot
    await ada.sends()
    question = await bot.says("ask-words")
    await bob.presses(question, "idea-snow")
    await talk.restart()
    await ada.presses(question, "idea-night")
    picture = await bot.shows(1, "result")
    await bob.presses(picture, "button-repeat")


@conversation(scenes=(GROUP,))
async def becomes_a_supergroup(talk: Talk) -> None:
    """A group that becomes a supergroup.

    What is under way arrives in the new one, and what is known is known there.
    """
    ada, bot = talk.ada, talk.bot
    await talk.hidream_ends("never")
    await ada.sends("make it snow")
    await bot.reports("progress-percent")
    await talk.upgrade()
    await talk.restart()
    await talk.release()
    picture = await bot.shows(1, "result")
    await talk.is_delivered(picture)
    await ada.says("/status")
    await bot.says("status-line")


@conversation(scenes=(TOPICS,))
async def anonymous_admin(talk: Talk) -> None:
    """An anonymous admin.

    The group stands for them, and any of its admins may press.
    """
    ada, bob, bot = talk.ada.anonymous("Ada, as the group"), talk.bob, talk.bot
    await ada.sends()
    question = await bot.says("ask-words")
    await bob.presses(question, "idea-snow")
    await talk.restart()
    await talk.ada.presses(question, "idea-snow")
    await bot.shows(1, "result")


@conversation(scenes=(CHANNEL,))
async def channel(talk: Talk) -> None:
    """A channel.

    Posts are posts; with `/edit`, or its name, the bot is called. The channel stands for whoever writes.
    """
    ada, bot = talk.ada, talk.bot
    post = await ada.sends("our new house", address=False)
    await ada.says("as a pencil sketch", to=post)
    picture = await bot.shows(1, "result")
    await talk.restart()
    await ada.says("in winter", to=picture)
    await bot.shows(1, "result", "result-from")
    await ada.says("good night", address=False)
