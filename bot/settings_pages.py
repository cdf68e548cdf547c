"""What /settings shows: all that can be chosen, and the choices for one of it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.actions import Action, press
from bot.messages import Button, Keyboard
from bot.preferences import IN_TELEGRAM, PREFERENCES, Effective, Preference, Scope, Source
from bot.texts import Say, shorten

DEFAULT: Final = "default"
"""The choice is taken back."""
WORDS: Final = "words"
"""The choice is to be written."""

_ACTIONS: Final = {"user": Action.SET, "chat": Action.SET_CHAT}
_ABOVE: Final = {"user": "preferences-own", "chat": "preferences-chat"}
_TO: Final = {"user": "button-settings-own", "chat": "button-settings-chat"}
_LINES: Final[dict[Source, str]] = {
    "user": "preference-line-user",
    "chat": "preference-line-chat",
    "installation": "preference-line-installation",
}
_SHOWN: Final = 100
"""UTF-16 units of what somebody has written."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """What the message says now."""

    lines: Sequence[Say]
    buttons: Keyboard


def overview(view_id: int, scope: Scope, holds: Effective, *, group: bool) -> Page:
    """Show each setting, its value and where that comes from; in a group, with a way to the group's own."""
    buttons = [
        Button(label=Say(row.label), data=_data(view_id, scope, row.name)) for row in PREFERENCES
    ]
    rows = _rows(buttons, 2)
    if group:
        other: Scope = "chat" if scope == "user" else "user"
        rows += ((Button(label=Say(_TO[other]), data=_data(view_id, other)),),)
    return Page(
        lines=(
            Say(_ABOVE[scope]),
            *(_line(row, holds) for row in PREFERENCES),
        ),
        buttons=rows,
    )


def choices(view_id: int, scope: Scope, holds: Effective, row: Preference) -> Page:
    """Show what a setting can be, with a mark at what it is."""
    now = row.show(holds.defaults)
    offered = [
        Button(
            label=Say(
                "button-chosen" if value == now else "button-value", {"value": row.in_short(value)}
            ),
            data=_data(view_id, scope, row.name, value),
        )
        for value in row.values
    ]
    if row.in_words:
        label = Say("button-settings-words")
        offered.append(Button(label=label, data=_data(view_id, scope, row.name, WORDS)))
    back = (
        Button(label=Say(row.default), data=_data(view_id, scope, row.name, DEFAULT)),
        Button(label=Say("button-settings-back"), data=_data(view_id, scope)),
    )
    lines = [Say(row.about), _line(row, holds)]
    if scope == "chat" and row.in_chat is not None:
        lines.append(Say(row.in_chat))
    return Page(lines=lines, buttons=(*_rows(offered, row.across), back))


def _line(row: Preference, holds: Effective) -> Say:
    value = row.show(holds.defaults)
    called = row.in_short(value)
    data = {
        "name": Say(row.label),
        "value": shorten(called, _SHOWN) if isinstance(called, str) else called,
    }
    # that it is as Telegram says tells where it comes from
    return Say("preference-line" if value == IN_TELEGRAM else _LINES[holds.sources[row.name]], data)


def _rows(buttons: Sequence[Button], across: int) -> Keyboard:
    return tuple(tuple(buttons[first : first + across]) for first in range(0, len(buttons), across))


def _data(view_id: int, scope: Scope, *more: str) -> str:
    return press(_ACTIONS[scope], view_id, *more)
