"""What a conversation is: a script, its title, and where it is played."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import ModuleType

from tests.conversations.notes import SCENES, Scene
from tests.conversations.talk import Talk

Script = Callable[[Talk], Awaitable[None]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Conversation:
    """A script, and where it is played."""

    title: str
    about: str
    script: Script
    scenes: tuple[Scene, ...]
    alone: bool
    """Whether it has the bot and HiDream to itself: it changes how they behave, or counts places in line."""
    hears_all: bool
    """Whether the bot hears all that is said in a group: privacy mode is off."""
    language: str
    """The people's, as Telegram has it."""


def conversation(
    *,
    scenes: tuple[Scene, ...] = SCENES,
    alone: bool = False,
    hears_all: bool = False,
    language: str = "en",
) -> Callable[[Script], Conversation]:
    """Make a conversation of a script; its docstring's first line is the title, the rest what it shows."""

    def made(script: Script) -> Conversation:
        title, _, about = inspect.cleandoc(script.__doc__ or "").partition("\n\n")
        return Conversation(
            title=title.rstrip("."),
            about=" ".join(about.split()),
            script=script,
            scenes=scenes,
            alone=alone,
            hears_all=hears_all,
            language=language,
        )

    return made


def conversations_of(*modules: ModuleType) -> tuple[Conversation, ...]:
    """Give the conversations of these modules, in their order."""
    found = (value for module in modules for value in vars(module).values())
    return tuple(value for value in found if isinstance(value, Conversation))
