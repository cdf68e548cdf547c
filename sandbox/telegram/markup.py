"""Text with entities: Telegram's HTML, what it finds by itself, lengths and offsets.

Source: Bot API, "Formatting options". Offsets and lengths of entities count UTF-16 code units.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from html import unescape
from typing import Any, Final

from sandbox.telegram.rules import breach

LONGEST_TEXT: Final = 4096
LONGEST_CAPTION: Final = 1024
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})
_SIMPLE: Final = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}
_TAGS: Final = {*_SIMPLE, "a", "span", "tg-emoji"}
_TOKEN: Final = re.compile(r"<|&(?:lt|gt|amp|quot|#[0-9]+|#x[0-9a-fA-F]+);|[^<&]+|&")
_TAG: Final = re.compile(
    r"<(/?)([^\s>]*)((?:\s+[^\s=>]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s>]+))?)*)\s*>"
)
_TAG_NAME: Final = re.compile(r"<(/?)([^\s>]*)")
_ATTRIBUTE: Final = re.compile(r"([^\s=>]+)(?:\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]+))?")
_FOUND: Final = (
    ("bot_command", re.compile(r"(?<![\w/@<>])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?\b")),
    ("url", re.compile(r"https?://[^\s<>\"]+[^\s<>\".,:;!?)]")),
    # A domain is a link without its scheme, too; Telegram knows all that there are.
    (
        "url",
        re.compile(
            r"(?<![\w@./:-])(?:[A-Za-z0-9-]+\.)+(?:com|org|net|io|dev|app|de|ru|cn)\b"
            r"(?:/[^\s<>\"]*[^\s<>\".,:;!?)])?"
        ),
    ),
    ("mention", re.compile(r"(?<![\w@/.])@[A-Za-z0-9_]{4,32}\b")),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Formatted:
    """Text as it is shown, and its entities in Bot API form."""

    text: str = ""
    entities: tuple[dict[str, Any], ...] = ()

    def fields(self, name: str, entities: str) -> dict[str, Any]:
        """Give the message fields that say it; none for an empty text."""
        if not self.text:
            return {}
        return {name: self.text} | ({entities: list(self.entities)} if self.entities else {})


def units(text: str) -> int:
    """Count UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def visible(text: str) -> bool:
    """Say whether a text has anything to see: spaces, joiners and direction marks are nothing."""
    return any(unicodedata.category(character) not in _INVISIBLE for character in text)


def formatted(
    text: str, *, parse_mode: str | None, entities: list[dict[str, Any]] | None
) -> Formatted:
    """Read a text as the Bot API does: parse it, trim it, add what Telegram finds by itself.

    Raises:
        Refusal: the markup is wrong, or an entity lies outside the text.
    """
    if parse_mode:
        if parse_mode.lower() != "html":
            raise breach(f"can't parse entities: the sandbox reads no parse mode {parse_mode!r}")
        if entities:
            raise breach("can't parse entities: both entities and a parse mode are given")
        text, given = _parse_html(text)
    else:
        given = list(entities or [])
        for entity in given:
            first, length = entity["offset"], entity["length"]
            if first < 0 or length <= 0 or first + length > units(text):
                raise breach("can't parse entities: an entity lies outside the text")
    return _with_found(*_trimmed(text.replace("\r", ""), given))


def _trimmed(text: str, entities: list[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
    lead = units(text) - units(text.lstrip())
    text = text.strip()
    end = units(text)
    kept = []
    for entity in entities:
        first = max(entity["offset"] - lead, 0)
        last = min(entity["offset"] + entity["length"] - lead, end)
        if first < last:
            kept.append({**entity, "offset": first, "length": last - first})
    return text, kept


def _with_found(text: str, given: list[dict[str, Any]]) -> Formatted:
    taken = [
        range(e["offset"], e["offset"] + e["length"])
        for e in given
        if e["type"] in {"code", "pre", "text_link", "bot_command", "url", "mention"}
    ]
    found = list(given)
    for kind, pattern in _FOUND:
        for hit in pattern.finditer(text):
            span = range(start := units(text[: hit.start()]), start + units(hit.group()))
            if not any(span.start < t.stop and t.start < span.stop for t in taken):
                taken.append(span)
                found.append({"type": kind, "offset": span.start, "length": len(span)})
    found.sort(key=lambda e: (e["offset"], -e["length"]))
    return Formatted(text=text, entities=tuple(found))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Open:
    tag: str
    attributes: dict[str, str]
    start: int
    at: int


def _parse_html(source: str) -> tuple[str, list[dict[str, Any]]]:
    text = ""
    entities: list[dict[str, Any]] = []
    stack: list[_Open] = []
    position = 0
    while position < len(source):
        token = _TOKEN.match(source, position)
        assert token is not None  # noqa: S101  # every character begins a token
        if token.group() != "<":
            text += unescape(token.group()) if token.group().endswith(";") else token.group()
            position = token.end()
            continue
        offset = len(source[:position].encode())
        tag = _tag(source, position, offset)
        position = tag.end()
        closing, name = bool(tag.group(1)), tag.group(2).lower()
        if closing:
            entities += _closed(stack, name, offset, text)
            continue
        attributes = {
            key.lower(): unescape(value.strip("\"'"))
            for key, value in _ATTRIBUTE.findall(tag.group(3))
        }
        if name == "span" and attributes.get("class") != "tg-spoiler":
            raise _wrong(f'Tag "span" must have class "tg-spoiler" at byte offset {offset}')
        stack.append(_Open(tag=name, attributes=attributes, start=units(text), at=offset))
    if stack:
        raise _wrong(f'Can\'t find end tag corresponding to start tag "{stack[-1].tag}"')
    return text, entities


def _tag(source: str, position: int, offset: int) -> re.Match[str]:
    begun = _TAG_NAME.match(source, position)
    closing, name = (bool(begun.group(1)), begun.group(2).lower()) if begun else (False, "")
    # Telegram looks at the name before it looks for the end of the tag.
    if begun and begun.end() < len(source) and not closing and name not in _TAGS:
        raise _wrong(f'Unsupported start tag "{name}" at byte offset {offset}')
    tag = _TAG.match(source, position)
    if tag is None:
        side = "end" if closing else "start"
        raise _wrong(f"Unclosed {side} tag at byte offset {offset}")
    return tag


def _closed(stack: list[_Open], name: str, offset: int, text: str) -> list[dict[str, Any]]:
    if not stack:
        raise _wrong(f"Unexpected end tag at byte offset {offset}")
    opened = stack.pop()
    if name not in {"", opened.tag}:
        raise _wrong(
            f"Unmatched end tag at byte offset {offset}, "
            f'expected "</{opened.tag}>", found "</{name}>"'
        )
    length = units(text) - opened.start
    if length == 0:
        return []
    entity: dict[str, Any] = {
        "type": _SIMPLE.get(opened.tag, "spoiler"),
        "offset": opened.start,
        "length": length,
    }
    if opened.tag == "a":
        url = opened.attributes.get("href") or text.encode("utf-16-le")[opened.start * 2 :].decode(
            "utf-16-le"
        )
        if not re.match(r"(?:https?|tg|mailto):", url):
            # Telegram shows such a link as plain text.
            return []
        entity |= {"type": "text_link", "url": url}
    elif opened.tag == "tg-emoji":
        entity |= {
            "type": "custom_emoji",
            "custom_emoji_id": opened.attributes.get("emoji-id", ""),
        }
    elif opened.tag == "blockquote" and "expandable" in opened.attributes:
        entity["type"] = "expandable_blockquote"
    elif opened.tag == "code" and stack and stack[-1].tag == "pre":
        language = opened.attributes.get("class", "")
        if language.startswith("language-"):
            stack[-1].attributes["language"] = language.removeprefix("language-")
        return []
    elif opened.tag == "pre" and "language" in opened.attributes:
        entity["language"] = opened.attributes["language"]
    return [entity]


def _wrong(reason: str) -> Exception:
    return breach(f"can't parse entities: {reason}")
