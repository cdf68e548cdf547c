"""How a drawn conversation looks: letters, and colours by day and by night."""

from collections.abc import Mapping
from typing import Final

SIZE: Final = 14.5
"""Of the letters, in pixels."""
SMALL: Final = 12.5
_FONTS: Final = (
    "-apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Helvetica Neue', Arial, "
    "sans-serif, 'Apple Color Emoji', 'Segoe UI Emoji', 'Noto Color Emoji'"
)
LIGHT: Final[Mapping[str, str]] = {
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
DARK: Final[Mapping[str, str]] = {
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
ALWAYS: Final[Mapping[str, str]] = {
    "text": f"font-family: {_FONTS}; font-size: {SIZE}px; white-space: pre",
    ".s": f"font-size: {SMALL}px",
    ".b": "font-weight: 600",
    ".i": "font-style: italic",
    ".c": "font-family: ui-monospace, Menlo, Consolas, 'Noto Sans Mono', monospace; font-size: 13px",
    ".h": "font-size: 16px; font-weight: 600",
    ".passing": "stroke-dasharray: 4 4",
    ".frame": "fill: none; stroke: #000; stroke-opacity: 0.07",
}


def style() -> str:
    """Write it as CSS; which of the two it is, the reader's screen decides."""
    return (
        f"\n{_rules(ALWAYS)}\n{_rules(LIGHT)}\n"
        f"@media (prefers-color-scheme: dark) {{\n{_rules(DARK)}\n}}\n"
    )


def _rules(table: Mapping[str, str]) -> str:
    return "\n".join(f"{selector} {{ {rule} }}" for selector, rule in table.items())
