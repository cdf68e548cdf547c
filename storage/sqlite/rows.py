"""Between rows of SQLite and the store's types. Pure."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from sqlite3 import Row
from typing import Final, overload

from storage.tasks import (
    AlbumPart,
    Charge,
    Draft,
    Failure,
    Image,
    ImageState,
    InboxRow,
    Measured,
    Origin,
    Photo,
    Place,
    Settings,
    Step,
    Task,
    TaskMessage,
    TaskState,
    View,
)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@overload
def stamp(time: datetime) -> int: ...
@overload
def stamp(time: None) -> None: ...
def stamp(time: datetime | None) -> int | None:
    """Write a UTC-aware time as microseconds since 1970."""
    return None if time is None else (time - _EPOCH) // _MICROSECOND


@overload
def moment(value: int) -> datetime: ...
@overload
def moment(value: None) -> None: ...
def moment(value: int | None) -> datetime | None:
    """Read microseconds since 1970 as a UTC-aware time."""
    return None if value is None else _EPOCH + value * _MICROSECOND


def written_photos(photos: Iterable[Photo]) -> str:
    """Write photos as JSON."""
    return json.dumps([asdict(photo) for photo in photos])


@lru_cache(maxsize=512)  # the rows that are under way are read again and again
def _photos(text: str) -> tuple[Photo, ...]:
    return tuple(Photo(**photo) for photo in json.loads(text))


def _origin(row: Row) -> Origin:
    return Origin(bot_id=row["bot_id"], update_id=row["update_id"], n=row["n"])


def _place(row: Row) -> Place:
    return Place(
        chat_id=row["chat_id"],
        chat_type=row["chat_type"],
        message_id=row["message_id"],
        thread_id=row["thread_id"],
    )


def _failure(row: Row) -> Failure | None:
    if row["failure_id"] is None:
        return None
    return Failure(id=row["failure_id"], data=json.loads(row["failure_data"]))


def task_of(row: Row) -> Task:
    """Read a row of `tasks`."""
    return Task(
        id=row["id"],
        origin=_origin(row),
        user_id=row["user_id"],
        place=_place(row),
        photos=_photos(row["photos"]),
        settings=Settings(
            prompt=row["prompt"],
            negative=row["negative"],
            ratio=row["ratio"],
            count=row["count"],
            as_file=bool(row["as_file"]),
            silent=bool(row["silent"]),
        ),
        language=row["language"],
        parent_id=row["parent_id"],
        pressed=row["pressed"],
        state=TaskState(row["state"]),
        turn=row["turn"],
        due_at=moment(row["due_at"]),
        tries=row["tries"],
        trouble_since=moment(row["trouble_since"]),
        refusals=row["refusals"],
        claimed_by=row["claimed_by"],
        claim_no=row["claim_no"],
        lease_until=moment(row["lease_until"]),
        request_id=row["request_id"],
        uncertain=row["uncertain"],
        hidream_task_id=row["hidream_task_id"],
        ratio_used=row["ratio_used"],
        completion=row["completion"],
        deadline_at=moment(row["deadline_at"]),
        failure=_failure(row),
        vendor_code=row["vendor_code"],
        vendor_message=row["vendor_message"],
        progress_message_id=row["progress_message_id"],
        shown_place=row["shown_place"],
        created_at=moment(row["created_at"]),
        submitted_at=moment(row["submitted_at"]),
        accepted_at=moment(row["accepted_at"]),
        ended_at=moment(row["ended_at"]),
        ready_at=moment(row["ready_at"]),
        finished_at=moment(row["finished_at"]),
        brought=row["brought"],
        withdrawn=bool(row["withdrawn"]),
        pruned=bool(row["pruned"]),
    )


def draft_of(row: Row) -> Draft:
    """Read a row of `drafts`."""
    return Draft(
        id=row["id"],
        origin=_origin(row),
        user_id=row["user_id"],
        place=_place(row),
        photos=_photos(row["photos"]),
        caption=row["caption"],
        language=row["language"],
        parent_id=row["parent_id"],
        question_id=row["question_id"],
        used=bool(row["used"]),
        created_at=moment(row["created_at"]),
        kind=row["kind"],
    )


def album_part_of(row: Row) -> AlbumPart:
    """Read a row of `album_parts`."""
    return AlbumPart(
        origin=Origin(bot_id=row["bot_id"], update_id=row["update_id"]),
        chat_id=row["chat_id"],
        media_group_id=row["media_group_id"],
        message_id=row["message_id"],
        data=row["data"],
    )


def message_of(row: Row) -> TaskMessage:
    """Read a row of `messages`."""
    return TaskMessage(**{**dict(row), "sent_at": moment(row["sent_at"])})


def view_of(row: Row) -> View:
    """Read a row of `views`."""
    return View(
        id=row["id"],
        kind=row["kind"],
        user_id=row["user_id"],
        chat_id=row["chat_id"],
        words=row["words"],
        created_at=moment(row["created_at"]),
    )


def inbox_row_of(row: Row) -> InboxRow:
    """Read a row of `inbox`."""
    return InboxRow(
        bot_id=row["bot_id"],
        update_id=row["update_id"],
        chat_id=row["chat_id"],
        raw=row["raw"],
        tries=row["tries"],
        received_at=moment(row["received_at"]),
    )


def image_of(row: Row) -> Image:
    """Read a row of `images`."""
    return Image(**{**dict(row), "state": ImageState(row["state"])})


def step_of(row: Row) -> Step:
    """Read a row of `steps`."""
    return Step(
        name=row["name"],
        state=row["state"],
        message_ids=tuple(json.loads(row["message_ids"])),
        repeats=row["repeats"],
    )


def measured_of(row: Row) -> Measured:
    """Read a row of `durations`."""
    return Measured(ratio=row["ratio"], count=row["count"], seconds=row["seconds"])


def charge_of(row: Row) -> Charge:
    """Read a row of `submissions` for what it counts against the minute."""
    return Charge(
        images=row["images"],
        sent_at=moment(row["sent_at"]),
        answered_at=moment(row["answered_at"]),
    )
