"""Captions that do the same as a task did, to be copied and sent with another photo. Pure."""

from dataclasses import replace
from typing import Final

from bot.captions import write
from bot.pictures import COUNT_MAX, COUNT_MIN, AspectRatio, PictureRequest
from bot.texts import shorten, units
from bot.variants import escaped
from storage.tasks import Settings, Task

UNDER_A_PICTURE: Final = 800
"""UTF-16 units of such a caption under a picture, which may have 1024 in all (Bot API: sendPhoto)."""


def whole(task: Task, *, standing: str = "") -> str:
    """Write the caption that does the same as a task did, with the settings that were really used.

    Shape and number are always named, so that it does the same for everybody, whatever their
    settings are. Negative words are where there are some, or where others would stand in.
    """
    # braces in it stand for themselves: what they stood for has been chosen
    return _written(task, escaped(task.settings.prompt), standing)


def _written(task: Task, prompt: str, standing: str) -> str:
    chosen: Settings = task.settings
    ratio, negative = task.ratio_used or chosen.ratio, chosen.negative
    request = PictureRequest(
        prompt=prompt,
        negative=negative,
        ratio=AspectRatio(ratio) if ratio else None,
        count=chosen.count,
    )
    other = COUNT_MAX if chosen.count == COUNT_MIN else COUNT_MIN
    unsaid = PictureRequest(prompt="", negative="" if negative else standing, count=other)
    return write(request, defaults=unsaid)


def within(task: Task, limit: int = UNDER_A_PICTURE, *, standing: str = "") -> tuple[str, bool]:
    """Give the copyable caption in so many UTF-16 units, and whether it is whole, or else cut."""
    caption = whole(task, standing=standing)
    if units(caption) <= limit:
        return caption, True
    # what is cut is the words, not the settings
    settings = replace(task.settings, negative=shorten(task.settings.negative, limit // 4))
    short = replace(task, settings=settings)
    rest = units(_written(short, "", standing)) + 1
    # as they are: what is cut is not to be copied, and backslashes would make it longer again
    return _written(short, shorten(settings.prompt, limit - rest), standing), False


def settings(task: Task) -> str:
    """Write a task's settings as a caption without words; all are named, so no others stand in."""
    chosen = task.settings
    request = PictureRequest(
        prompt="",
        negative=chosen.negative,
        ratio=AspectRatio(chosen.ratio) if chosen.ratio else None,
        count=chosen.count,
    )
    other = PictureRequest(
        prompt="",
        negative="" if chosen.negative else "…",
        ratio=AspectRatio.R16_9 if chosen.ratio == AspectRatio.R1_1 else AspectRatio.R1_1,
        count=COUNT_MIN if chosen.count == COUNT_MAX else COUNT_MAX,
    )
    return write(request, defaults=other)
