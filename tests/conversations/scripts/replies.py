"""Going on from what is there: replies."""

from tests.conversations.conversation import conversation
from tests.conversations.talk import Talk


@conversation()
async def step_by_step(talk: Talk) -> None:
    """Step by step.

    Words in reply to a photo, or to a result, mean "make this of it". Where a picture came from stays visible.
    """
    ada, bot = talk.ada, talk.bot
    photo = await ada.sends("make it snow /ratio 16:9")
    first = await bot.shows(1, "result")
    await ada.says("now at night", to=first)
    second = await bot.shows(1, "result", "result-from")
    await talk.restart()
    await ada.says("with northern lights /count 2", to=second)
    third = await bot.shows(2, "result", "result-from")
    await bot.says("result-next")
    await ada.says("as a mosaic", to=photo)
    await bot.shows(1, "result")
    await ada.says(f"/status {talk.number(third)}")
    await bot.says("status-full", "status-lineage")
    await bot.shows(2)
