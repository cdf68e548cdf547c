"""The wire format, read strictly: whatever the vendor has not documented is refused.

Source: docs/hidream-api.md sections 1, 2 and 5.
"""

import base64
import binascii
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from PIL import Image, UnidentifiedImageError

from sandbox.journal import Outcome

RATIOS: Final[Mapping[str, tuple[int, int]]] = {
    "9:16": (9, 16),
    "2:3": (2, 3),
    "4:3": (4, 3),
    "1:1": (1, 1),
    "3:4": (3, 4),
    "3:2": (3, 2),
    "16:9": (16, 9),
}
"""The aspect ratios that v2 takes."""

RESOLUTIONS: Final[Mapping[str, str]] = {
    "2048*2048": "1:1",
    "2048*1152": "16:9",
    "1152*2048": "9:16",
    "2048*1536": "4:3",
    "1536*2048": "3:4",
    "2048*1365": "3:2",
    "1365*2048": "2:3",
}
"""The resolutions that v3 takes, with the ratio of each."""

BAD_REQUEST: Final = 1001
"""The code of a call that breaks the contract."""

_V2_LONGER_SIDE: Final = 1024
_FORMATS: Final = ("JPEG", "PNG", "WEBP")
_MAX_PIXELS: Final = 64_000_000
# All that Pillow is seen to raise on broken or monstrous files.
_UNREADABLE: Final = (
    UnidentifiedImageError,
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


class Refusal(Exception):
    """A call that is not done, with what the caller is told."""

    def __init__(
        self, *, code: int, message: str, detail: str, outcome: Outcome = "refused"
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.message = message
        self.detail = detail
        """What was wrong, in English, for the journal."""
        self.outcome: Outcome = outcome
        """"strict" where the caller broke the contract."""


def _breach(detail: str, message: str = "参数错误") -> Refusal:
    return Refusal(
        code=BAD_REQUEST, message=f"{message}：{detail}", outcome="strict", detail=detail
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Photo:
    """A reference image as it was given: its bytes, or a URL that is never fetched."""

    data: bytes = b""
    url: str = ""
    width: int = 0
    height: int = 0

    def to_json(self) -> dict[str, Any]:
        """Describe the photo for the journal."""
        if self.url:
            return {"url": self.url}
        return {"bytes": len(self.data), "width": self.width, "height": self.height}


@dataclass(frozen=True, kw_only=True, slots=True)
class Submission:
    """A task as it was asked for."""

    version: int
    photos: tuple[Photo, ...]
    prompt: str
    negative_prompt: str
    ratio: str
    width: int
    height: int
    count: int
    request_id: str
    notify_url: str

    def to_params(self) -> dict[str, Any]:
        """Describe the submission for the journal and for the faults' `match`."""
        shape = (
            {"aspect_ratio": self.ratio}
            if self.version == 2
            else {"resolution": f"{self.width}*{self.height}"}
        )
        return {
            "version": self.version,
            "prompt": self.prompt,
            "negative_prompt": self.negative_prompt,
            "ratio": self.ratio,
            **shape,
            "img_count": self.count,
            "request_id": self.request_id,
            "notify_url": self.notify_url,
            "images": [photo.to_json() for photo in self.photos],
        }


def read_submission(version: int, body: object) -> Submission:
    """Read a submission's parsed JSON body. Decodes the images: call it in a worker thread.

    Raises:
        Refusal: the body is not as documented for this version, or an image cannot be read.
    """
    fields = _Fields(body, _SUBMIT_FIELDS[version])
    given = fields.take("image", _photos_v2 if version == 2 else _photos_v3)
    if not given:
        raise _breach("image is required and cannot be empty")
    if version == 2:
        ratio = fields.take("aspect_ratio", _one_of(RATIOS), "1:1")
        width, height = _size(ratio)
    else:
        fields.take("version", _one_of({"v1": None}), "v1")
        resolution = fields.take("resolution", _one_of(RESOLUTIONS), "2048*2048")
        ratio = RESOLUTIONS[resolution]
        width, height = (int(side) for side in resolution.split("*"))
    notify_url = fields.take("notify_url", _text, "")
    if notify_url and not _is_web_url(notify_url):
        raise _breach("notify_url is no http(s) URL")
    return Submission(
        version=version,
        prompt=fields.take("prompt", _text, ""),
        negative_prompt=fields.take("negative_prompt", _text, ""),
        ratio=ratio,
        width=width,
        height=height,
        count=fields.take("img_count", _count, 1),
        request_id=fields.take("request_id", _text, ""),
        notify_url=notify_url,
        photos=tuple(_photo(value) for value in given),
    )


def read_batch(body: object) -> list[str]:
    """Read the task ids that a batch call asks for.

    Raises:
        Refusal: the body is not `{"task_id_list": [at least one id]}`.
    """
    task_ids: list[str] = _Fields(body, frozenset({"task_id_list"})).take(
        "task_id_list", _strings, []
    )
    if not task_ids:
        raise _breach("task_id_list is required and cannot be empty")
    return task_ids


def read_query(query: Mapping[str, str]) -> tuple[str, str]:
    """Read the task_id and the request_id that a results call asks for; either may be empty.

    Raises:
        Refusal: there is another parameter, or neither of these.
    """
    unknown = set(query) - {"task_id", "request_id"}
    if unknown:
        raise _breach(f"unknown parameter {', '.join(sorted(unknown))}")
    task_id, request_id = query.get("task_id", ""), query.get("request_id", "")
    if not task_id and not request_id:
        raise _breach("task_id is required")
    return task_id, request_id


def check_headers(headers: Mapping[str, str], *, body: bool, user: bool) -> None:
    """Check that a call says it is JSON and whose it is, where it must.

    Raises:
        Refusal: a header is missing or says something else.
    """
    if body and headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise _breach("Content-Type must be application/json")
    if user and not headers.get("api-user-id", "").strip():
        raise _breach("header API-User-ID is required")


_COMMON = frozenset({"image", "prompt", "negative_prompt", "img_count", "request_id", "notify_url"})
_SUBMIT_FIELDS: Final[Mapping[int, frozenset[str]]] = {
    2: _COMMON | {"aspect_ratio"},
    3: _COMMON | {"resolution", "version"},
}


class _Fields:
    """The fields of a JSON object, each taken with a check of its own."""

    def __init__(self, body: object, known: frozenset[str]) -> None:
        if not isinstance(body, dict):
            raise _breach("the body must be a JSON object")
        unknown = sorted(set(body) - known)
        if unknown:
            raise _breach(f"unknown field {', '.join(unknown)}")
        self._body = body

    def take(self, name: str, check: Callable[[str, Any], Any], default: Any = None) -> Any:
        return check(name, self._body[name]) if name in self._body else default


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise _breach(f"{name} must be a string")
    return value


def _count(name: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 4:
        raise _breach(f"{name} must be an integer from 1 to 4")
    return value


def _strings(name: str, value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(v, str) and v for v in value):
        raise _breach(f"{name} must be a list of strings, none of them empty")
    return value


def _photos_v2(name: str, value: object) -> list[str]:
    return [value] if isinstance(value, str) and value else _strings(name, value)


def _photos_v3(name: str, value: object) -> list[str]:
    return _strings(name, value)


def _one_of(allowed: Mapping[str, object]) -> Callable[[str, Any], str]:
    def check(name: str, value: object) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise _breach(f"{name} must be one of {', '.join(allowed)}")
        return value

    return check


def _size(ratio: str) -> tuple[int, int]:
    across, down = RATIOS[ratio]
    scale = _V2_LONGER_SIDE / max(across, down)
    return round(across * scale), round(down * scale)


def _is_web_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _photo(value: str) -> Photo:
    if "://" in value:
        if not _is_web_url(value):
            raise _breach("image is neither an http(s) URL nor Base64")
        return Photo(url=value)
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _breach("image is neither an http(s) URL nor Base64") from error
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            if image.width * image.height > _MAX_PIXELS:
                raise _breach("image has too many pixels", "图片过大")
            image.load()
            return Photo(data=data, width=image.width, height=image.height)
    except _UNREADABLE as error:
        raise _breach("image cannot be decoded as JPEG, PNG or WebP", "图片解析失败") from error
