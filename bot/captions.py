"""Captions: the options in a caption's text, and the prompt that is the rest of it.

How a caption is read: word by word, from the left, once. A word is an option if it begins like one
(`/name`, `--name`, or `name=` as the table allows) and has a known name; its value is what is
attached to it by `=` or `:`, or else the next word of the line (for some: the rest of the line, up
to the next option). Some scripts write no spaces, so a full-width `／` with a letter after it begins
a word wherever it stands. Options and values are cut out. What is left keeps every character, except that
the prompt's outer white space goes, and where something was cut out one space remains, or the line
breaks that were there.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot.errors import CaptionError
from bot.options import INVISIBLE, OPTIONS, STOPS, Extent, Form, Option
from bot.pictures import PictureRequest

_BY_FORM: dict[Form, dict[str, Option]] = {
    Form.SLASH: {name: option for option in OPTIONS for name in option.slash},
    Form.DASH: {name: option for option in OPTIONS for name in option.dash},
    Form.EQUALS: {name: option for option in OPTIONS for name in option.equals},
}
_MOST_EDITS = 2
_LONGEST = max(len(name) for names in _BY_FORM.values() for name in names) + _MOST_EDITS

_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"

# Possessive quantifiers and disjoint neighbours: nothing here can backtrack, so time is linear.
_ITEM = re.compile(rf"(?P<breaks>[{_BREAKS}])|(?:／(?=[^\W\d_]))?+(?:[^\s／]|／(?![^\W\d_]))++")
_HEAD = re.compile(
    rf"""
    [{INVISIBLE}]*+
    (?: (?P<slash>[/／]) | (?P<dash>(?![-－]\w)[-—–―－]{{1,3}}+) )?+   # phones make — or – of --
    (?P<name>[^\W\d_][\w-]*+)
    (?: @(?P<bot>\w++) )?+
    (?: (?P<sign>[=＝]) | [:：] | [{re.escape(STOPS)}]*+\Z )      # else a path, or another word
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class _Head:
    """The beginning of an option in a caption: `caption[start:end]`, and how it is written."""

    option: Option
    form: Form
    written: str
    start: int
    end: int


def parse(
    caption: str, *, defaults: PictureRequest, bot_username: str | None = None
) -> PictureRequest:
    """Read a caption: its options over `defaults`, and the rest as the prompt.

    A caption of options alone gives the prompt "". Of an option said twice the last counts. Options
    addressed to another bot (`/ratio@other_bot`) stay in the prompt, as any address does if
    `bot_username` is unknown. Takes time linear in the caption's length.

    Raises:
        CaptionError: `<name>-wrong`, `<name>-missing` or `option-unknown`, with all others there are.
    """
    request = replace(defaults, prompt="")
    wrong: list[CaptionError] = []

    def take(head: _Head, value: str, request: PictureRequest) -> PictureRequest:
        try:
            return _take(head, value, request)
        except CaptionError as exc:
            wrong.append(exc)
            return request

    rest: list[str] = []
    kept_from = 0
    head: _Head | None = None
    value_end = 0
    for item in _items(caption, bot_username, wrong):
        if isinstance(item, _Head):
            if head is not None:
                request = take(head, caption[head.end : value_end], request)
                kept_from = value_end
            rest.append(caption[kept_from : item.start])
            head, value_end = item, item.end
            continue
        if head is None:
            continue
        if item["breaks"] is None:
            value_end = item.end()
        if item["breaks"] is not None or head.option.extent is Extent.WORD:
            request = take(head, caption[head.end : value_end], request)
            head, kept_from = None, value_end
    if head is not None:
        request = take(head, caption[head.end : value_end], request)
        kept_from = value_end
    rest.append(caption[kept_from:])
    if wrong:
        wrong[0].others = tuple(wrong[1:])
        raise wrong[0]
    return replace(request, prompt=_join(rest))


def write(request: PictureRequest, *, defaults: PictureRequest) -> str:
    """Write a request as a caption, which `parse` with the same defaults reads as the same request.

    That holds for every request that came from `parse`; a prompt from elsewhere that contains
    options would have them read. What equals the defaults is left out.
    """
    options = (
        f"/{option.slash[0]} {option.show(request)}"
        for option in sorted(OPTIONS, key=lambda option: option.extent is Extent.LINE)
        if option.show(request) != option.show(defaults)
    )
    return " ".join(part for part in (request.prompt, *options) if part)


def mentions_option(caption: str, bot_username: str | None) -> bool:
    """Whether a caption has one of our options in slash form, so that a group's bot is addressed."""
    words = (match for match in _ITEM.finditer(caption) if match["breaks"] is None)
    heads = (_recognise(caption, word.start(), word.end(), bot_username)[0] for word in words)
    return any(head is not None and head.form is Form.SLASH for head in heads)


def _items(
    caption: str, bot_username: str | None, wrong: list[CaptionError]
) -> Iterator[_Head | re.Match[str]]:
    """The caption's options' beginnings, other words, and line breaks, in order.

    What only nearly is an option is a word, and `wrong` then says so.
    """
    position = 0
    # What is attached to an option (`/ratio=16:9`) is an item of its own: go on from its head's end.
    while (item := _ITEM.search(caption, position)) is not None:
        position = item.end()
        if item["breaks"] is not None:
            yield item
            continue
        head, meant = _recognise(caption, item.start(), item.end(), bot_username)
        if meant is not None:
            wrong.append(meant)
        if head is not None:
            position = head.end
        yield head or item


def _recognise(
    caption: str, start: int, end: int, bot_username: str | None
) -> tuple[_Head | None, CaptionError | None]:
    """The option that the word at `start` is, or the error if it only nearly is one, or neither."""
    found = _HEAD.match(caption, start, end)
    if found is None or len(found["name"]) > _LONGEST:
        return None, None
    if found["slash"] is not None:
        form = Form.SLASH
    elif found["dash"] is not None:
        form = Form.DASH
    elif found["sign"] is not None:
        form = Form.EQUALS
    else:
        return None, None
    if found["bot"] is not None:
        ours = (bot_username or "").removeprefix("@").casefold()
        if form is not Form.SLASH or found["bot"].casefold() != ours:
            return None, None
    name = unicodedata.normalize("NFKC", found["name"]).casefold()
    known = _BY_FORM[form]
    written = form.value.format(name)
    if name in known:
        return _Head(known[name], form, written, start, found.end()), None
    near = min(known, key=lambda other: _edits(name, other))
    # Two edits turn anything into a name of two letters: a name must stay mostly itself.
    if _edits(name, near) > min(_MOST_EDITS, (len(near) - 1) // 2):
        return None, None
    meant = form.value.format(near)
    return None, CaptionError("option-unknown", word=written, meant=meant)


def _take(head: _Head, value: str, request: PictureRequest) -> PictureRequest:
    option, value = head.option, value.strip()
    if not value:
        raise CaptionError(
            f"{option.name}-missing",
            option=head.written,
            example=option.usage(),
            allowed=option.values,
        )
    taken = option.take(request, value)
    if taken is None:
        shown = value if len(value) <= 40 else f"{value[:39]}…"
        raise CaptionError(
            f"{option.name}-wrong", option=head.written, value=shown, allowed=option.values
        )
    return taken


def _join(pieces: list[str]) -> str:
    """What is left of a caption; a seam is one space, or the more line breaks of its two sides."""
    joined: list[str] = []
    seam = ""
    for piece in pieces:
        body = piece.strip()
        lead, tail = _breaks(piece[: len(piece) - len(piece.lstrip())]), ""
        seam = max(seam, lead, key=len)
        if not body:
            continue
        tail = _breaks(piece[len(piece.rstrip()) :])
        joined += [seam or " ", body]
        seam = tail
    return "".join(joined[1:])


def _breaks(space: str) -> str:
    return "".join(sign for sign in space if sign in _BREAKS)


def _edits(one: str, other: str) -> int:
    """How many letters must be put in, taken out or replaced to make one word of the other."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        above, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (a != b))
    return row[-1]
