"""HiDream's JSON as types, and back. Pure: no network, no clock, no log.

Reading is tolerant where docs/hidream-api.md says that something is open, and strict where a guess
could show one user's picture to another. Unknown fields are ignored.
"""

import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Final

from bot.hidream.reading import WrongShape, as_number, as_object, as_text, as_whole
from bot.hidream.statuses import STATUSES, SubTaskStatus

__all__ = [
    "COUNTS",
    "RESOLUTIONS",
    "STATUSES",
    "Accepted",
    "ApiVersion",
    "SubTask",
    "SubTaskStatus",
    "Submission",
    "TaskResult",
    "WrongShape",
    "read_accepted",
    "read_code",
    "read_message",
    "read_result",
    "read_results",
    "submission_body",
]


class ApiVersion(IntEnum):
    """The version of the API that an account uses; docs/hidream-api.md section 1."""

    V2 = 2
    V3 = 3


RESOLUTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "1:1": "2048*2048",
        "16:9": "2048*1152",
        "9:16": "1152*2048",
        "4:3": "2048*1536",
        "3:4": "1536*2048",
        "3:2": "2048*1365",
        "2:3": "1365*2048",
    }
)
"""Every ratio that v2 takes, with the resolution (pixels) that v3 takes for it."""

COUNTS: Final = range(1, 5)
"""How many images one task may make."""


_WEB_URL = re.compile(r"https?://[^/?#@\s]+(?:[/?#]\S*)?", re.IGNORECASE)
_BOT_TOKEN = re.compile(r"/bot\d+:", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Submission:
    """One task to be made: reference images, words and settings.

    `images` are Base64 texts or public web URLs, `request_id` is our own and made before the call.

    Raises:
        ValueError: a field is not what HiDream takes; names the field, its value and what is
            allowed. An image's value is never named.
    """

    images: tuple[str, ...]
    prompt: str = ""
    negative_prompt: str = ""
    aspect_ratio: str = "1:1"
    count: int = 1
    request_id: str
    notify_url: str | None = None

    def __post_init__(self) -> None:
        if not self.images:
            raise ValueError("images: (); allowed: at least one Base64 text or web URL")
        for place, image in enumerate(self.images):
            _check_image(image, f"images[{place}]")
        if self.aspect_ratio not in RESOLUTIONS:
            allowed = ", ".join(RESOLUTIONS)
            raise ValueError(f"aspect_ratio: {self.aspect_ratio!r}; allowed: {allowed}")
        if type(self.count) is not int or self.count not in COUNTS:
            raise ValueError(f"count: {self.count!r}; allowed: {COUNTS[0]} to {COUNTS[-1]}")
        if not self.request_id.strip():
            raise ValueError(f"request_id: {self.request_id!r}; allowed: a text that is not empty")
        if self.notify_url is not None and not _WEB_URL.fullmatch(self.notify_url):
            # The path of a callback is a secret, so even a wrong one is not repeated.
            raise ValueError("notify_url: (not shown); allowed: an http or https URL, or None")


def _check_image(image: str, field: str) -> None:
    seen = f"{field}: ({len(image)} characters, not shown)"
    if image[:8].lower().startswith(("http://", "https://")):
        if _BOT_TOKEN.search(image):
            raise ValueError(f"{seen}; allowed: a URL with no bot token in it, or Base64")
        if not _WEB_URL.fullmatch(image):
            raise ValueError(f"{seen}; allowed: a public URL with no credentials, or Base64")
        return
    try:
        binascii.a2b_base64(image, strict_mode=True)
    except ValueError:
        raise ValueError(f"{seen}; allowed: Base64, or an http or https URL") from None
    if not image:
        raise ValueError(f"{seen}; allowed: Base64, or an http or https URL")


def submission_body(version: ApiVersion, submission: Submission) -> dict[str, object]:
    """The JSON of a submission; docs/hidream-api.md section 1.

    Version 2 gets one image as a text and several as a list, version 3 always a list.
    """
    body: dict[str, object] = {
        "image": list(submission.images),
        "prompt": submission.prompt,
        "negative_prompt": submission.negative_prompt,
        "img_count": submission.count,
        "request_id": submission.request_id,
    }
    if version is ApiVersion.V3:
        body["version"] = "v1"
        body["resolution"] = RESOLUTIONS[submission.aspect_ratio]
    else:
        body["aspect_ratio"] = submission.aspect_ratio
        if len(submission.images) == 1:
            body["image"] = submission.images[0]
    if submission.notify_url is not None:
        body["notify_url"] = submission.notify_url
    return body


@dataclass(frozen=True, kw_only=True, slots=True)
class Accepted:
    """HiDream took the submission: its ids for the task and for each image of it."""

    task_id: str
    sub_task_ids: tuple[str, ...]
    request_id: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SubTask:
    """One image of a task.

    `completion` is 0 to 1, or None where it is not known. `image` is a URL from outside, to be
    fetched by `download.Downloader` only. A status of DONE always comes with an image.
    """

    sub_task_id: str | None
    status: SubTaskStatus
    raw_status: int | None
    completion: float | None
    image: str | None
    description: str | None

    @property
    def oddity(self) -> str | None:
        """What is strange about the status, as an event for the log; None if nothing is."""
        if self.raw_status is None:
            return "hidream.status_unreadable"
        if self.raw_status not in STATUSES:
            return "hidream.status_unknown"
        if STATUSES[self.raw_status] is not self.status:
            return "hidream.done_without_image"
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskResult:
    """What HiDream says about one task now.

    `sub_tasks` is empty right after the submission, and may list fewer images than were asked for.
    """

    task_id: str | None
    request_id: str | None
    sub_tasks: tuple[SubTask, ...]

    @property
    def final(self) -> bool:
        """Whether at least one image is listed and none listed can change any more."""
        return bool(self.sub_tasks) and all(each.status.final for each in self.sub_tasks)


def read_code(envelope: Mapping[str, object]) -> int | None:
    """The `code` of an answer, also where it came as a numeric text; None if there is none."""
    return as_whole(envelope.get("code"))


def read_message(envelope: Mapping[str, object], longest: int = 500) -> str | None:
    """HiDream's own words, cut to `longest` characters; None if there are none."""
    for field in ("message", "msg", "error", "detail"):
        if text := as_text(envelope.get(field)):
            return text[:longest]
    return None


def read_accepted(envelope: Mapping[str, object]) -> Accepted | None:
    """The ids out of the answer to a submission; None if there is no task id in it."""
    result = envelope.get("result")
    if not isinstance(result, Mapping) or (task_id := as_text(result.get("task_id"))) is None:
        return None
    listed = result.get("sub_task_ids")
    ids = map(as_text, listed) if isinstance(listed, list) else ()
    return Accepted(
        task_id=task_id,
        sub_task_ids=tuple(each for each in ids if each is not None),
        request_id=as_text(envelope.get("request_id")),
    )


def read_result(envelope: Mapping[str, object]) -> TaskResult:
    """The answer about one task.

    Raises:
        WrongShape: it is not of the documented form.
    """
    result = envelope.get("result")
    if isinstance(result, list) and len(result) <= 1:
        result = result[0] if result else None
    result = as_object({} if result is None else result, "result")
    scale = _scale([result])
    request_id = as_text(result.get("request_id")) or as_text(envelope.get("request_id"))
    return _task(result, request_id, scale)


def read_results(envelope: Mapping[str, object]) -> tuple[TaskResult, ...]:
    """The answer about many tasks, in HiDream's order; an entry need not name its task.

    Raises:
        WrongShape: it is not of the documented form.
    """
    listed = envelope.get("result")
    if not isinstance(listed, list):
        raise WrongShape("result")
    entries = [as_object(each, "result[]") for each in listed]
    scale = _scale(entries)
    return tuple(_task(each, as_text(each.get("request_id")), scale) for each in entries)


def _task(entry: Mapping[str, object], request_id: str | None, scale: float) -> TaskResult:
    return TaskResult(
        task_id=as_text(entry.get("task_id")),
        request_id=request_id,
        sub_tasks=tuple(_sub_task(each, scale) for each in _listed(entry)),
    )


def _sub_task(entry: Mapping[str, object], scale: float) -> SubTask:
    raw = as_whole(entry.get("task_status"))
    status = SubTaskStatus.WAITING if raw is None else STATUSES.get(raw, SubTaskStatus.WAITING)
    image = as_text(entry.get("image"))
    if status is SubTaskStatus.DONE and image is None:
        status = SubTaskStatus.WAITING
    return SubTask(
        sub_task_id=as_text(entry.get("sub_task_id")),
        status=status,
        raw_status=raw,
        completion=_completion(entry.get("task_completion"), scale),
        image=image,
        description=as_text(entry.get("description")),
    )


def _listed(entry: Mapping[str, object]) -> list[Mapping[str, object]]:
    listed = entry.get("sub_task_results")
    if listed is None:
        return []
    if not isinstance(listed, list):
        raise WrongShape("sub_task_results")
    return [as_object(each, "sub_task_results[]") for each in listed]


def _scale(entries: Iterable[Mapping[str, object]]) -> float:
    """What stands for finished in this answer: 100 as soon as one value is above 1, else 1.

    So a lone 1 is read as finished, although on the scale to 100 it would be the very beginning;
    the error is in what is shown for one moment, never in what is done.
    """
    values = (as_number(sub.get("task_completion")) for entry in entries for sub in _listed(entry))
    return 100.0 if any(value is not None and value > 1 for value in values) else 1.0


def _completion(value: object, scale: float) -> float | None:
    number = as_number(value)
    return None if number is None else min(max(number / scale, 0.0), 1.0)
