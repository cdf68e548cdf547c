"""Draws a conversation as a chat app shows it: one SVG that needs nothing from outside. Pure.

What is drawn changes only with what is said, so that a picture taken anew differs by little.
"""

import base64
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement, tostring

from PIL import Image, ImageOps

from sandbox.lettering import Line, Run, lay, length, shortened
from sandbox.palette import SIZE, SMALL, style

CARD: Final = 404
"""The width of a card, in pixels; so are all measures here."""
_GAP: Final = 28
_EDGE: Final = 2
_HEADER: Final = 64
_MARGIN: Final = 16
_BETWEEN: Final = 10
_WIDEST: Final = 300
"""A picture."""
_WIDEST_TEXT: Final = 336
_TALLEST: Final = 228
"""A picture."""
_NARROWEST: Final = 190
"""Words, or a quotation."""
_PAD: Final = 13
_LINE: Final = 20.5
_QUOTE: Final = 40
_BUTTON: Final = 36
_LABEL: Final = 9
"""Beside a button's label."""
_GUTTER: Final = 4
"""Between buttons."""
_CORNER: Final = 22.0
_ROUND: Final = 17.0
_TIGHT: Final = 5.0
_DENSITY: Final = 1.7
"""Pixels of an embedded picture for each that it takes here: for dense screens."""
_NOT_XML: Final = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
"""What XML 1.0 can't hold."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bubble:
    """One message as the chat shows it."""

    mine: bool
    text: str = ""
    entities: Sequence[Mapping[str, Any]] = ()
    """The text's formatting (Bot API: MessageEntity)."""
    pictures: Sequence[bytes] = ()
    buttons: Sequence[Sequence[str]] = ()
    """Labels, row by row."""
    quotes: "Bubble | None" = None
    """The message that this one replies to, where that is worth showing."""
    passing: bool = False
    """Whether it was shown for a while only."""


def draw(cards: Sequence[Sequence[Bubble]], *, name: str, about: str, quality: int = 80) -> str:
    """Draw a conversation on cards side by side, as SVG.

    Args:
        cards: the messages of each, from above.
        name: the bot's.
        about: what stands under it.
        quality: of the embedded pictures (JPEG, 1 to 95).
    """
    width = len(cards) * CARD + (len(cards) - 1) * _GAP
    svg = Element("svg", xmlns="http://www.w3.org/2000/svg", role="img")
    SubElement(svg, "title").text = f"A conversation with {name}"
    SubElement(svg, "desc").text = _told(cards)
    SubElement(svg, "style").text = style()
    face = _add(SubElement(svg, "defs"), "linearGradient", id="face", x1=0, y1=0, x2=1, y2=1)
    _add(face, "stop", stop_color="#5cc4f0")
    _add(face, "stop", offset=1, stop_color="#7a6ff0")
    columns = []
    clips = count(1)
    for n, bubbles in enumerate(cards):
        card = _add(svg, "g", transform=f"translate({n * (CARD + _GAP)} 0)")
        ground = _add(card, "rect", class_="card", width=CARD, rx=_CORNER)
        _header(card, name, about)
        column = _Column(on=card, quality=quality, clips=clips)
        for bubble in bubbles:
            column.add(bubble)
        columns.append((ground, column))
    height = max(column.y for _, column in columns) + _MARGIN
    for ground, _ in columns:
        ground.set("height", _n(height))
    svg.set("width", _n(width + 2 * _EDGE))
    svg.set("height", _n(height + 2 * _EDGE))
    svg.set("viewBox", f"{-_EDGE} {-_EDGE} {width + 2 * _EDGE} {_n(height + 2 * _EDGE)}")
    return _lined(tostring(svg, encoding="unicode"))


@dataclass(kw_only=True, slots=True)
class _Column:
    """Bubbles, one below the other, on a card."""

    on: Element
    quality: int
    clips: Iterator[int]
    y: float = _HEADER + _MARGIN
    """Where the last one ends."""
    before: Bubble | None = None

    def add(self, bubble: Bubble) -> None:
        """Draw one more."""
        if self.before is not None:
            self.y += _BETWEEN if self.before.mine == bubble.mine else 1.4 * _BETWEEN
        self.before = bubble
        sizes = [_fitted(content) for content in bubble.pictures]
        # a narrow picture makes room for its words
        room = max([width for width, _ in sizes] or [_WIDEST_TEXT]) - 2 * _PAD
        room = max(room, _NARROWEST) if bubble.text else room
        lines = lay(bubble.text, bubble.entities, width=room, size=SIZE) if bubble.text else []
        inner = [length(line, SIZE) for line in lines] + [_NARROWEST] * (bubble.quotes is not None)
        inner += [_needed(row) - 2 * _PAD for row in bubble.buttons]
        width = round(max([w for w, _ in sizes] + [w + 2 * _PAD for w in inner] + [2 * _ROUND]))
        sizes = [(width, round(h * width / w)) for w, h in sizes]

        quote = _QUOTE + 16 if bubble.quotes else 0
        pictures = sum(h for _, h in sizes) + 2 * max(0, len(sizes) - 1)
        words = len(lines) * _LINE + 2 * _PAD - 5 if lines else 0
        height = quote + pictures + words
        x, y = (CARD - _MARGIN - width if bubble.mine else _MARGIN), self.y

        outline = _outline(x, y, width, height, mine=bubble.mine)
        kind = "you" if bubble.mine else "passing" if bubble.passing else "bot"
        _add(self.on, "path", class_=kind, d=outline)
        if bubble.quotes is not None:
            self._quote(bubble.quotes, x + 9, y + 9, width - 18)
        if sizes:
            self._pictures(bubble.pictures, sizes, x, y + quote, outline)
        baseline = y + quote + pictures + _PAD + 12
        for n, line in enumerate(lines):
            kind = "t m" if bubble.passing else "t"
            _write(self.on, line, x + _PAD, baseline + n * _LINE, kind)
        self.y += height
        for row in bubble.buttons:
            self._buttons(row, x, self.y + 6, width)
            self.y += _BUTTON + 6

    def _pictures(
        self,
        pictures: Sequence[bytes],
        sizes: Sequence[tuple[int, int]],
        x: float,
        y: float,
        outline: str,
    ) -> None:
        clip = f"clip{next(self.clips)}"
        _add(_add(self.on, "clipPath", id=clip), "path", d=outline)
        within = _add(self.on, "g", clip_path=f"url(#{clip})")
        for content, (width, height) in zip(pictures, sizes, strict=True):
            data = _embedded(content, round(width * _DENSITY), self.quality)
            _add(within, "image", x=x, y=y, width=width, height=height, href=data)
            y += height + 2
        _add(self.on, "path", class_="frame", d=outline)

    def _quote(self, quoted: Bubble, x: float, y: float, width: float) -> None:
        _add(self.on, "rect", class_="quote", x=x, y=y, width=width, height=_QUOTE, rx=7)
        _add(self.on, "rect", class_="bar", x=x, y=y, width=3.5, height=_QUOTE, rx=1.75)
        left = x + 12
        if quoted.pictures:
            clip = f"clip{next(self.clips)}"
            place = {"x": left - 1, "y": y + 4, "width": _QUOTE - 8, "height": _QUOTE - 8}
            _add(_add(self.on, "clipPath", id=clip), "rect", rx=5, **place)
            data = _embedded(quoted.pictures[0], 64, self.quality, square=True)
            _add(self.on, "image", clip_path=f"url(#{clip})", href=data, **place)
            left += _QUOTE - 2
        said = shortened(quoted.text or "Photo", width=x + width - left - 8, size=SMALL)
        _write(self.on, [Run("You" if quoted.mine else "Bot", "b")], left, y + 16, "a s")
        _write(self.on, [said], left, y + 32, "t s" if quoted.text else "t m s")

    def _buttons(self, row: Sequence[str], x: float, y: float, width: float) -> None:
        each = (width - _GUTTER * (len(row) - 1)) / len(row)
        for n, label in enumerate(row):
            left = x + n * (each + _GUTTER)
            _add(self.on, "rect", class_="button", x=left, y=y, width=each, height=_BUTTON, rx=10)
            text = _write(self.on, [Run(label)], left + each / 2, y + 23, "t")
            text.set("text-anchor", "middle")


def _needed(row: Sequence[str]) -> float:
    """Say how wide a row of buttons has to be, so that each label fits; at most as wide as a card."""
    each = max(length([Run(label)], SIZE) for label in row) + 2 * _LABEL
    return min(each * len(row) + _GUTTER * (len(row) - 1), CARD - 2 * _MARGIN)


def _header(card: Element, name: str, about: str) -> None:
    c, right = _CORNER, CARD - 0.5
    outline = (
        f"M0.5 {_HEADER} V{c + 0.5} a{c} {c} 0 0 1 {c} {-c} H{right - c} "
        f"a{c} {c} 0 0 1 {c} {c} V{_HEADER} Z"
    )
    white: dict[str, str] = {"fill": "none", "stroke": "#fff", "stroke_linejoin": "round"}
    _add(card, "path", class_="head", d=outline)
    _add(card, "path", class_="rule", d=f"M0.5 {_HEADER} H{right}")
    # the face: a picture, with a spark on it
    _add(card, "circle", cx=37, cy=32, r=20, fill="url(#face)")
    _add(card, "rect", x=27.5, y=24, width=19, height=16, rx=3.5, stroke_width=1.8, **white)
    _add(card, "path", d="M28.5 37.5 l5 -5.5 4 4 3 -3 5 5", stroke_width=1.8, **white)
    spark = "M46.5 19.5 q0.6 3.4 4 4 q-3.4 0.6 -4 4 q-0.6 -3.4 -4 -4 q3.4 -0.6 4 -4"
    _add(card, "path", d=spark, fill="#fff")
    _write(card, [Run(name)], 68, 29, "t h")
    _write(card, [Run(about)], 68, 47, "m s")


def _add(parent: Element, tag: str, **attributes: float | str) -> Element:
    """Add an element; `class_` and `stop_color` are written as SVG writes them."""
    written = {
        name.rstrip("_").replace("_", "-"): value if isinstance(value, str) else _n(value)
        for name, value in attributes.items()
    }
    return SubElement(parent, tag, written)


def _write(parent: Element, line: Line, x: float, y: float, kind: str) -> Element:
    text = _add(parent, "text", class_=kind, x=x, y=y)
    text.set("xml:space", "preserve")
    last: Element | None = None
    for run in line:
        said = _NOT_XML.sub("\ufffd", run.text)
        if run.styles:
            last = _add(text, "tspan", class_=" ".join(run.styles))
            last.text = said
        elif last is None:
            text.text = (text.text or "") + said
        else:
            last.tail = (last.tail or "") + said
    return text


def _outline(x: float, y: float, width: float, height: float, *, mine: bool) -> str:
    """Give a bubble's outline: round, but for the corner that points to who speaks."""
    r = min(_ROUND, height / 2)
    left, right = (r, _TIGHT) if mine else (_TIGHT, r)
    return (
        f"M{_n(x + r)} {_n(y)} h{_n(width - 2 * r)} a{r} {r} 0 0 1 {r} {r} "
        f"v{_n(height - r - right)} a{right} {right} 0 0 1 {-right} {right} "
        f"h{_n(left + right - width)} a{left} {left} 0 0 1 {-left} {-left} "
        f"v{_n(r + left - height)} a{r} {r} 0 0 1 {r} {-r} z"
    )


def _fitted(content: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(content)) as picture:
        width, height = picture.size
    scale = min(_WIDEST / width, _TALLEST / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _embedded(content: bytes, width: int, quality: int, *, square: bool = False) -> str:
    """Write a picture as a data URI, smaller."""
    with Image.open(io.BytesIO(content)) as opened:
        picture = opened.convert("RGB")
    if square:
        picture = ImageOps.fit(picture, (min(picture.size),) * 2)
    width = min(width, picture.width)
    height = max(1, round(picture.height * width / picture.width))
    out = io.BytesIO()
    small = picture.resize((width, height), Image.Resampling.LANCZOS)
    small.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
    return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode('ascii')}"


def _told(cards: Sequence[Sequence[Bubble]]) -> str:
    """Tell the conversation in words, for those who can't see it."""
    said = "\n".join(
        f"{'You' if bubble.mine else 'Bot'}: "
        + " ".join([*(["[picture]"] * len(bubble.pictures)), *bubble.text.split()])
        for bubbles in cards
        for bubble in bubbles
    )
    return _NOT_XML.sub("\ufffd", said)


def _lined(svg: str) -> str:
    """Give each element a line of its own, for small differences; text is left as it is."""
    return (
        re.sub(
            r"><(?=path|rect|image|g|clipPath|/g|circle|text|style|defs|title|desc)", ">\n<", svg
        )
        + "\n"
    )


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
