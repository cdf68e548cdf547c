"""In other languages: Telegram says which one somebody's is."""

from tests.conversations.conversation import conversation
from tests.conversations.notes import PRIVATE
from tests.conversations.talk import Talk


async def _asks_and_answers(talk: Talk, words: str) -> None:
    ada, bot = talk.ada, talk.bot
    await ada.says("/start")
    await bot.says("start")
    await ada.sends()
    question = await bot.says("ask-words")
    await ada.presses(question, "idea-snow")
    picture = await bot.shows(1, "result")
    await talk.is_delivered(picture)
    await ada.says("/status")
    await bot.says("status-line")
    await talk.restart()
    await ada.sends(f"{words} /ratio 16:10")
    question = await bot.says("ratio-wrong", "try-caption")
    await ada.says(f"{words} /ratio 16:9 /count 2", to=question)
    await bot.shows(2, "result")
    await bot.says("result-next")


@conversation(scenes=(PRIVATE,), language="de")
async def german(talk: Talk) -> None:
    """In German.

    Telegram says which language somebody has, and the bot speaks it.
    """
    await _asks_and_answers(talk, "lass es schneien")


@conversation(scenes=(PRIVATE,), language="ar")
async def arabic(talk: Talk) -> None:
    """In Arabic.

    What is to be copied stays as it is, whichever way the rest runs.
    """
    await _asks_and_answers(talk, "اجعلها تثلج")


@conversation(scenes=(PRIVATE,), language="zh-hans")
async def chinese(talk: Talk) -> None:
    """In Chinese.

    Options are the same in all languages.
    """
    await _asks_and_answers(talk, "让它下雪")


@conversation(scenes=(PRIVATE,))
async def another_language(talk: Talk) -> None:
    """Another language than Telegram's.

    It can be chosen; from then on all is said in it.
    """
    ada, bot = talk.ada, talk.bot
    await ada.says("/settings")
    shown = await bot.says("preferences-own")
    await ada.presses(shown, "preference-language")
    choices = await bot.changes(shown, "preference-language-about")
    await ada.presses(choices, "button-value", value="Deutsch")
    talk.language = "de"
    await bot.changes(choices, "preferences-own")
    await talk.restart()
    await ada.sends()
    await bot.says("ask-words")
