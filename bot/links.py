"""Links to pictures in what people write. Pure.

A link is taken for a picture where its path ends like an image file's, wherever it stands, or where
the message begins with it; all other links are words. HiDream fetches it, the bot never does.
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from bot.options import STOPS

LONGEST: Final = 2000
"""Characters; longer addresses are not taken everywhere."""
_LINK: Final = re.compile(r"(?<!\S)https?://\S+", re.IGNORECASE)
_IMAGE: Final = re.compile(r"\.(?:jpe?g|png|webp|heic|heif|avif|bmp)", re.IGNORECASE)
_BOT_TOKEN: Final = re.compile(r"/bot\d+:", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """A link to a picture, and the words beside it."""

    url: str
    words: str

    @property
    def secure(self) -> bool:
        """Whether it begins with https."""
        return self.url[:8].lower() == "https://"

    @property
    def host(self) -> str | None:
        """Its host; None: it has none that can be used, or holds what is nobody's business."""
        try:
            parts = urlsplit(self.url)
            host, user, _port = parts.hostname, parts.username, parts.port
        except ValueError:
            return None
        if user is not None or len(self.url) > LONGEST or _BOT_TOKEN.search(self.url):
            return None
        return host or None


def find(text: str) -> Link | None:
    """Give the link to a picture in a text, if there is exactly one link."""
    found = _LINK.findall(text)
    if len(found) != 1:
        return None
    url = found[0].rstrip(STOPS)
    at = text.index(url)
    if at and not _is_image(url):
        return None
    before, after = text[:at].rstrip(), text[at + len(found[0]) :].lstrip()
    return Link(url=url, words=f"{before} {after}".strip())


def _is_image(url: str) -> bool:
    try:
        path = urlsplit(url).path
    except ValueError:
        return False
    return _IMAGE.fullmatch(path[path.rfind(".") :]) is not None if "." in path else False
