"""What holds for all of somebody's pictures."""

from tests.conversations.conversation import conversation
from tests.conversations.notes import GROUPS, PRIVATE
from tests.conversations.talk import Talk


@conversation()
async def settings(talk: Talk) -> None:
    """Settings.

    They hold wherever a caption says nothing else; where each comes from stands beside it.
    """
    ada, bot = talk.ada, talk.bot
    await ada.says("/settings")
    shown = await bot.says("preferences-own")
    await ada.presses(shown, "preference-ratio")
    choices = await bot.changes(shown, "preference-ratio-about")
    await ada.presses(choices, "button-value", value="16:9")
    shown = await bot.changes(choices, "preferences-own")
    await talk.restart()
    await ada.presses(shown, "preference-file")
    choices = await bot.changes(shown, "preference-file-about")
    await ada.presses(choices, "preference-yes")
    await bot.changes(choices, "preferences-own")
    await ada.sends("make it snow")
    await bot.shows(1, "result")
    await ada.sends("make it rain /ratio 1:1")
    await bot.shows(1, "result")


@conversation()
async def keep_out(talk: Talk) -> None:
    """What must never be in a picture.

    That is written, as a reply.
    """
    ada, bot = talk.ada, talk.bot
    await ada.says("/settings")
    shown = await bot.says("preferences-own")
    await ada.presses(shown, "preference-negative")
    choices = await bot.changes(shown, "preference-negative-about")
    await ada.presses(choices, "button-settings-words")
    question = await bot.says("ask-negative")
    await talk.restart()
    await ada.says("text, people", to=question)
    await bot.says("preferences-own")
    await ada.sends("make it snow")
    await bot.shows(1, "result")


@conversation(scenes=GROUPS)
async def settings_of_a_group(talk: Talk) -> None:
    """Settings of a group.

    Its admins choose what holds for everybody who has not chosen otherwise. Ada is one, Bob is not.
    """
    ada, bob, bot = talk.ada, talk.bob, talk.bot
    await bob.says("/settings")
    his = await bot.says("preferences-own")
    await bob.presses(his, "button-settings-chat")
    await ada.says("/settings")
    hers = await bot.says("preferences-own")
    await bob.presses(hers, "preference-count")
    await ada.presses(hers, "button-settings-chat")
    shown = await bot.changes(hers, "preferences-chat")
    await talk.restart()
    await ada.presses(shown, "preference-count")
    choices = await bot.changes(shown, "preference-count-about")
    await ada.presses(choices, "button-value", value=2)
    await bot.changes(choices, "preferences-chat")
    await bob.sends("make it snow")
    await bot.shows(2, "result")
    await bot.says("result-next")


@conversation(scenes=(PRIVATE,))
async def silent(talk: Talk) -> None:
    """Without a sound.

    Results can arrive silently, at night for example.
    """
    ada, bot = talk.ada, talk.bot
    await ada.says("/settings")
    shown = await bot.says("preferences-own")
    await ada.presses(shown, "preference-silent")
    choices = await bot.changes(shown, "preference-silent-about")
    await ada.presses(choices, "preference-yes")
    await bot.changes(choices, "preferences-own")
    await talk.restart()
    await ada.sends("make it snow")
    picture = await bot.shows(1, "result")
    assert picture["silent"]
