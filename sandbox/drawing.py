"""Draws a conversation as a chat app shows it: one SVG that needs nothing from outside. Pure.

What is drawn changes only with what is said, so that a picture taken anew differs by little.
"""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from PIL import Image

from sandbox.lettering import Line, Run, lay, length, shortened

CARD: Final = 404
"""The width of a card, in pixels; so are all measures here."""
_GAP: Final = 28
_EDGE: Final = 2
_HEADER: Final = 64
_MARGIN: Final = 16
_BETWEEN: Final = 10
_WIDEST: Final = 312
"""A bubble."""
_TALLEST: Final = 264
"""A picture."""
_PAD: Final = 13
_SIZE: Final = 14.5
_LINE: Final = 20.5
_SMALL: Final = 12.5
_QUOTE: Final = 40
_BUTTON: Final = 36
_ROUND: Final = 17.0
_TIGHT: Final = 5.0
_DENSITY: Final = 1.7
"""Pixels of an embedded picture for each that it takes here: for dense screens."""

_FONTS: Final = (
    "-apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Helvetica Neue', Arial, "
    "'Apple Color Emoji', 'Segoe UI Emoji', 'Noto Color Emoji', sans-serif"
)
_LIGHT: Final[Mapping[str, str]] = {
    ".card": "fill: #eaf0f5; stroke: #d5dfe8",
    ".head": "fill: #ffffff",
    ".rule": "stroke: #dde5ec",
    ".bot": "fill: #ffffff; stroke: #dfe7ee",
    ".you": "fill: #d5eafc; stroke: #c3def5",
    ".passing": "fill: #f4f8fb; stroke: #b9c8d6",
    ".t": "fill: #1d2935",
    ".m": "fill: #66788a",
    ".a": "fill: #1d74b8",
    ".bar": "fill: #4a9bd9",
    ".quote": "fill: #e9f3fb",
    ".button": "fill: #dfe9f2",
}
_DARK: Final[Mapping[str, str]] = {
    ".card": "fill: #131c26; stroke: #2a3746",
    ".head": "fill: #1b2733",
    ".rule": "stroke: #283645",
    ".bot": "fill: #212e3b; stroke: #2a3947",
    ".you": "fill: #27507a; stroke: #2f5d8c",
    ".passing": "fill: #18232e; stroke: #46586a",
    ".t": "fill: #edf3f8",
    ".m": "fill: #94a6b8",
    ".a": "fill: #74bdf5",
    ".bar": "fill: #5aaaea",
    ".quote": "fill: #2a3b4d",
    ".button": "fill: #2b3b4b",
}
_ALWAYS: Final[Mapping[str, str]] = {
    "text": f"font-family: {_FONTS}; font-size: {_SIZE}px; white-space: pre",
    ".s": f"font-size: {_SMALL}px",
    ".b": "font-weight: 600",
    ".i": "font-style: italic",
    ".c": "font-family: ui-monospace, Menlo, Consolas, 'Noto Sans Mono', monospace; font-size: 13px",
    ".h": "font-size: 16px; font-weight: 600",
    ".passing": "stroke-dasharray: 4 4",
    ".frame": "fill: none; stroke: #000; stroke-opacity: 0.07",
}


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
    """Draw a conversation on cards side by side.

    Args:
        cards: the messages of each, from above.
        name: the bot's.
        about: what stands under it.
        quality: of the embedded pictures (JPEG, 1 to 95).
    """
    painter = _Painter(quality)
    drawn = [painter.column(bubbles) for bubbles in cards]
    height = max(bottom for _, bottom in drawn) + _MARGIN
    width = len(cards) * CARD + (len(cards) - 1) * _GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width + 2 * _EDGE}" '
        f'height="{_n(height + 2 * _EDGE)}" '
        f'viewBox="{-_EDGE} {-_EDGE} {width + 2 * _EDGE} {_n(height + 2 * _EDGE)}" role="img">',
        f"<title>{escape(f'A conversation with {name}')}</title>",
        f"<desc>{escape(_told(cards))}</desc>",
        f"<style>{_style()}</style>",
        '<defs><linearGradient id="face" x1="0" y1="0" x2="1" y2="1"><stop stop-color="#5cc4f0"/>'
        '<stop offset="1" stop-color="#7a6ff0"/></linearGradient></defs>',
    ]
    for n, (column, _) in enumerate(drawn):
        parts += [
            f'<g transform="translate({n * (CARD + _GAP)} 0)">',
            f'<rect class="card" width="{CARD}" height="{_n(height)}" rx="22"/>',
            *_header(name, about),
            *column,
            "</g>",
        ]
    return "\n".join([*parts, "</svg>", ""])


class _Painter:
    """Draws bubbles one below the other."""

    def __init__(self, quality: int) -> None:
        self._quality = quality
        self._ids: dict[bytes, str] = {}
        self._clips = 0

    def column(self, bubbles: Sequence[Bubble]) -> tuple[list[str], float]:
        """Draw a column; returns it and where it ends."""
        parts: list[str] = []
        y = float(_HEADER + _MARGIN)
        before: Bubble | None = None
        for bubble in bubbles:
            if before is not None:
                y += _BETWEEN if before.mine == bubble.mine else 1.4 * _BETWEEN
            drawn, height = self._bubble(bubble, y)
            parts += drawn
            y += height
            before = bubble
        return parts, y

    def _bubble(self, bubble: Bubble, y: float) -> tuple[list[str], float]:
        sizes = _fitted(bubble.pictures)
        room = (max(width for width, _ in sizes) if sizes else _WIDEST) - 2 * _PAD
        quoted = bubble.quotes is not None
        # a narrow picture makes room for its words
        room = max(room, 190) if bubble.text else room
        lines = lay(bubble.text, bubble.entities, width=room, size=_SIZE) if bubble.text else []
        inner = max([length(line, _SIZE) for line in lines] + [150.0 if quoted else 0.0])
        width = round(max([inner + 2 * _PAD] + [float(w) for w, _ in sizes]))
        if sizes:
            sizes = [(width, round(h * width / w)) for w, h in sizes]
        top = _QUOTE + 16 if quoted else 0
        pictures = sum(h for _, h in sizes) + 2 * max(0, len(sizes) - 1)
        words = len(lines) * _LINE + 2 * _PAD - 5 if lines else 0
        height = top + pictures + words
        x = CARD - _MARGIN - width if bubble.mine else _MARGIN
        shape = _outline(x, y, width, height, bubble.mine)
        kind = "you" if bubble.mine else "passing" if bubble.passing else "bot"
        parts = [f'<path class="{kind}" d="{shape}"/>']
        if bubble.quotes is not None:
            parts += self._quote(bubble.quotes, x + 9, y + 9, width - 18)
        if sizes:
            parts += self._pictures(bubble.pictures, sizes, x, y + top, shape)
        baseline = y + top + pictures + _PAD + 12
        muted = "t m" if bubble.passing else "t"
        parts += [
            _text(line, x + _PAD, baseline + n * _LINE, muted) for n, line in enumerate(lines)
        ]
        for row in bubble.buttons:
            parts += _buttons(row, x, y + height + 6, width)
            height += _BUTTON + 6
        return parts, height

    def _pictures(
        self,
        pictures: Sequence[bytes],
        sizes: Sequence[tuple[int, int]],
        x: float,
        y: float,
        d: str,
    ) -> list[str]:
        self._clips += 1
        clip = f"clip{self._clips}"
        parts = [
            f'<clipPath id="{clip}"><path d="{d}"/></clipPath>',
            f'<g clip-path="url(#{clip})">',
        ]
        for content, (width, height) in zip(pictures, sizes, strict=True):
            # by the content: a picture that is quoted later is embedded once
            name = self._ids.setdefault(content, f"picture{len(self._ids) + 1}")
            data = _embedded(content, round(width * _DENSITY), self._quality)
            parts.append(
                f'<image id="{name}" x="{_n(x)}" y="{_n(y)}" width="{width}" height="{height}" '
                f'href="data:image/jpeg;base64,{data}"/>'
            )
            y += height + 2
        return [*parts, "</g>", f'<path class="frame" d="{d}"/>']

    def _quote(self, quoted: Bubble, x: float, y: float, width: float) -> list[str]:
        parts = [
            f'<rect class="quote" x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_QUOTE}" rx="7"/>',
            f'<rect class="bar" x="{_n(x)}" y="{_n(y)}" width="3.5" height="{_QUOTE}" rx="1.7"/>',
        ]
        left = x + 12.0
        if quoted.pictures:
            parts.append(self._thumbnail(quoted, left - 1, y + 4, _QUOTE - 8))
            left += _QUOTE - 2
        said = quoted.text or "Photo"
        line = shortened(said, width=x + width - left - 8, size=_SMALL)
        who = "You" if quoted.mine else "Bot"
        return [
            *parts,
            _text([Run(who, "b")], left, y + 16, "a s"),
            _text([line], left, y + 32, "t s" if quoted.text else "t m s"),
        ]

    def _thumbnail(self, quoted: Bubble, x: float, y: float, side: float) -> str:
        data = _embedded(quoted.pictures[0], 64, self._quality, square=True)
        self._clips += 1
        clip = f"clip{self._clips}"
        place = f'x="{_n(x)}" y="{_n(y)}" width="{_n(side)}" height="{_n(side)}"'
        return (
            f'<clipPath id="{clip}"><rect {place} rx="5"/></clipPath>'
            f'<image {place} clip-path="url(#{clip})" href="data:image/jpeg;base64,{data}"/>'
        )


def _header(name: str, about: str) -> list[str]:
    return [
        f'<path class="head" d="M0.5 {_HEADER} V22.5 a22 22 0 0 1 22 -22 H{CARD - 22.5} '
        f'a22 22 0 0 1 22 22 V{_HEADER} Z"/>',
        f'<path class="rule" d="M0.5 {_HEADER} H{CARD - 0.5}"/>',
        '<circle cx="37" cy="32" r="20" fill="url(#face)"/>',
        # a picture, with a spark on it
        '<rect x="27.5" y="24" width="19" height="16" rx="3.5" fill="none" stroke="#fff" '
        'stroke-width="1.8"/>',
        '<path d="M28.5 37.5 l5 -5.5 4 4 3 -3 5 5" fill="none" stroke="#fff" stroke-width="1.8" '
        'stroke-linejoin="round" stroke-linecap="round"/>',
        '<path d="M46.5 19.5 q0.6 3.4 4 4 q-3.4 0.6 -4 4 q-0.6 -3.4 -4 -4 q3.4 -0.6 4 -4" '
        'fill="#fff"/>',
        _text([Run(name)], 68, 29, "t h"),
        _text([Run(about)], 68, 47, "m s"),
    ]


def _buttons(row: Sequence[str], x: float, y: float, width: float) -> list[str]:
    each = (width - 4 * (len(row) - 1)) / len(row)
    parts = []
    for n, label in enumerate(row):
        left = x + n * (each + 4)
        parts += [
            f'<rect class="button" x="{_n(left)}" y="{_n(y)}" width="{_n(each)}" '
            f'height="{_BUTTON}" rx="10"/>',
            f'<text class="t" x="{_n(left + each / 2)}" y="{_n(y + 23)}" text-anchor="middle">'
            f"{escape(label)}</text>",
        ]
    return parts


def _text(line: Line, x: float, y: float, kind: str) -> str:
    runs = "".join(
        f'<tspan class="{" ".join(run.styles)}">{escape(run.text)}</tspan>'
        if run.styles
        else escape(run.text)
        for run in line
    )
    return (
        f'<text class={quoteattr(kind)} x="{_n(x)}" y="{_n(y)}" xml:space="preserve">{runs}</text>'
    )


def _outline(x: float, y: float, width: float, height: float, mine: bool) -> str:
    """Give a bubble's outline: round, but for the corner that points to who speaks."""
    r = min(_ROUND, height / 2)
    left, right = (r, _TIGHT) if mine else (_TIGHT, r)
    return (
        f"M{_n(x + r)} {_n(y)} h{_n(width - 2 * r)} a{r} {r} 0 0 1 {r} {r} "
        f"v{_n(height - r - right)} a{right} {right} 0 0 1 {-right} {right} "
        f"h{_n(left + right - width)} a{left} {left} 0 0 1 {-left} {-left} "
        f"v{_n(r + left - height)} a{r} {r} 0 0 1 {r} {-r} z"
    )


def _fitted(pictures: Sequence[bytes]) -> list[tuple[int, int]]:
    sizes = []
    for content in pictures:
        with Image.open(io.BytesIO(content)) as picture:
            width, height = picture.size
        scale = min(_WIDEST / width, _TALLEST / height)
        sizes.append((round(width * scale), round(height * scale)))
    return sizes


def _embedded(content: bytes, width: int, quality: int, *, square: bool = False) -> str:
    with Image.open(io.BytesIO(content)) as opened:
        picture = opened.convert("RGB")
    if square:
        side = min(picture.size)
        left, top = (picture.width - side) // 2, (picture.height - side) // 2
        picture = picture.crop((left, top, left + side, top + side))
    width = min(width, picture.width)
    height = round(picture.height * width / picture.width)
    out = io.BytesIO()
    small = picture.resize((width, height), Image.Resampling.LANCZOS)
    small.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
    return base64.b64encode(out.getvalue()).decode("ascii")


def _style() -> str:
    def rules(table: Mapping[str, str]) -> str:
        return "\n".join(f"{selector} {{ {rule} }}" for selector, rule in table.items())

    return (
        f"\n{rules(_ALWAYS)}\n{rules(_LIGHT)}\n"
        f"@media (prefers-color-scheme: dark) {{\n{rules(_DARK)}\n}}\n"
    )


def _told(cards: Sequence[Sequence[Bubble]]) -> str:
    """Tell the conversation in words, for those who can't see it."""
    return "\n".join(
        f"{'You' if bubble.mine else 'Bot'}: "
        + " ".join([*(["[picture]"] * len(bubble.pictures)), *bubble.text.split()])
        for bubbles in cards
        for bubble in bubbles
    )


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
