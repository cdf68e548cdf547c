"""What a person sees, as text: messages, buttons, pictures, and the sentences in them. Pure.

What differs from one time to the next is left out by rule: lengths of time, percentages and ids become
…, and a conversation's tasks are numbered from 1.
"""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bot.catalogues import catalogue
from bot.languages import SOURCE, resolve
from bot.pictures import AspectRatio
from bot.sentences import SENTENCES, Plural
from tests.e2e.world import JSON, buttons_of, picture_of, text_of

FIRST_TASK: Final = 7001
"""The number of the first task of a world: so a task's number cannot be taken for another."""
_TASK: Final = re.compile(r"(?<!\d)7\d{3}(?!\d)")
_COUNTED: Final = 121
"""Up to here each plural form of each language is met."""
_DIRECTION: Final = re.compile("[\u200e\u200f\u061c\u2066-\u2069\u202a-\u202e]")
_TAG: Final = re.compile(r"<[^>]+>")
_PLACE: Final = re.compile(r"\\\{(\w+)\\\}")
CHANGED: Final = "(changed)"
_MARKS: Final = {"spoiler": "covered", "silent": "without a sound"}
_VARYING: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "…"),  # HiDream's ids
    (re.compile(r"(?<!\d)-?\d{9,}(?!\d)"), "…"),  # Telegram's
    (re.compile(r"\b\d+ (?:minutes?|min\.?) ago\b"), "just now"),  # of a slow machine
    (re.compile(r"\b\d{1,2} \w{3} \d{4}, \d\d?:\d\d(?=\D)"), "…"),
    (re.compile(r"(?<!\d)\d+ min (?=\d+ s(?:ec)?\b)"), ""),
    (re.compile(r"(?<![\d#])\d+(?:[–.]\d+)?(?= (?:s|sec|min)\b)"), "…"),
    (re.compile(r"(?<![\d#])\d+(?= ?(?:Sek|Min|ث|د|秒|分))"), "…"),
    (re.compile(r"(?<!\d)\d+(?= ?%)"), "…"),
)


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that somebody said or did; `who` is empty for what nobody did."""

    who: str
    lines: tuple[str, ...]
    to: str | None = None
    """The beginning of the message that it replies to; empty for the one just before."""

    @property
    def quoted(self) -> str:
        """How it is named where another one replies to it."""
        lines = [line for line in self.lines if line != CHANGED]
        picture = lines[0].startswith("[")
        return f"{self.who}: {' '.join(lines[: 2 if picture else 1])}"


def forms_of(id: str, language: str = SOURCE) -> list[str]:  # noqa: A002 - a sentence's
    """Give all forms of a sentence in a language, without its tags."""
    sentence, known = SENTENCES[id], catalogue(resolve(language))
    if isinstance(sentence, Plural):
        one, other = sentence.one, sentence.other
        forms = [known.npgettext(id, one, other, count) for count in range(_COUNTED)]
    else:
        forms = [known.pgettext(id, sentence)]
    return [html.unescape(_TAG.sub("", form)).strip() for form in dict.fromkeys(forms)]


def visible(text: str) -> str:
    """Give a text without the marks that only say in which direction it runs."""
    return _DIRECTION.sub("", text)


def pattern_of(
    id: str,  # noqa: A002 - a sentence's
    data: Mapping[str, object] | None = None,
    language: str = SOURCE,
) -> re.Pattern[str]:
    """Give what a sentence looks like as it is shown, with these data, or any where none are given."""
    known = data or {}

    def filled(found: re.Match[str]) -> str:
        name = found.group(1)
        return re.escape(str(known[name])) if name in known else ".+?"

    shown = [re.escape(form) for form in forms_of(id, language)]
    return re.compile("|".join(_PLACE.sub(filled, form) for form in shown), re.DOTALL)


def form_of(id: str, data: Mapping[str, object], language: str = SOURCE) -> str:  # noqa: A002
    """Give a sentence as it is shown, with … for the data that are not named."""
    form = forms_of(id, language)[-1]
    return re.sub(r"\{(\w+)\}", lambda place: str(data.get(place.group(1), "…")), form)


def normal(text: str) -> str:
    """Give a text as the document has it, but for the numbers of tasks."""
    text = visible(text)
    for pattern, shown in _VARYING:
        text = pattern.sub(shown, text)
    return text


def numbered(records: Sequence[Record]) -> tuple[Record, ...]:
    """Number the tasks of a conversation from 1, in their order."""
    texts = [text for record in records for text in (*record.lines, record.to or "")]
    found = sorted({number for text in texts for number in _TASK.findall(text)})

    def anew(text: str) -> str:
        return _TASK.sub(lambda one: str(found.index(one.group()) + 1), text)

    return tuple(
        Record(one.who, tuple(map(anew, one.lines)), one.to if one.to is None else anew(one.to))
        for one in records
    )


def number_in(message: JSON) -> str:
    """Give the number of the task that a message names."""
    found = _TASK.search(text_of(message))
    assert found, f"no task is named in {text_of(message)!r}"
    return found.group()


def lines_of(messages: Sequence[JSON]) -> list[str]:
    """Say what a message, or an album, shows."""
    first = messages[0]
    lines = [_media(messages)] if picture_of(first) else []
    text = next((text for message in messages if (text := text_of(message))), "")
    lines += [*normal(text).splitlines(), *button_lines(first)]
    if first["force_reply"]:
        lines.append(f"[your reply: {normal(first.get('placeholder') or '…')}]")
    return lines


def button_lines(message: JSON) -> list[str]:
    """Give the rows of a message's buttons."""
    rows = [buttons_of({"buttons": [row]}) for row in message["buttons"]]
    return [normal(" ".join(f"[{label}]" for label in row)) for row in rows]


def _media(messages: Sequence[JSON]) -> str:
    first = messages[0]
    noun = "picture" if "photo" in first else "file"
    shapes = dict.fromkeys(filter(None, (_shape(message) for message in messages)))
    what = f"{len(messages)} {noun}s" if len(messages) > 1 else noun
    marks = [about for mark, about in _MARKS.items() if first.get(mark)]
    return f"[{', '.join([what, *shapes, *marks])}]"


def _shape(message: JSON) -> str | None:
    shown: Any = picture_of(message) or {}
    width, height = shown.get("width"), shown.get("height")
    if not width or not height:
        return None
    ratio = min(AspectRatio, key=lambda one: abs(one.width / one.height - width / height))
    close = abs(ratio.width / ratio.height - width / height) < 0.03
    return ratio.value if close else f"{width}×{height}"
