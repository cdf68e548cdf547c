"""Everything that can be done to a store, with arguments as they come.

Each table has the protocol's methods by name, so that it can be seen that none is left out. A deed
is given what is `Known` and draws the rest; it gives the arguments, or None if it cannot be done now.
What a store can be asked is in `looks.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from hypothesis import strategies as st

from storage.moves import IMAGE_ENDS
from storage.tasks import (
    Album,
    AlbumPart,
    Failure,
    InboxRow,
    Measured,
    NewDraft,
    NewTask,
    NewUpdate,
    NewView,
    Origin,
    SentImage,
    Settings,
    Task,
    TaskState,
)
from tests.storage.making import BOT, HandClock, photo, place

Draw = Callable[[st.SearchStrategy[Any]], Any]

OWNERS: Final = ("one process", "another process")
PARALLEL: Final = 3
LEASE: Final = timedelta(minutes=5)
HOLD: Final = timedelta(minutes=20)
MINUTE: Final = timedelta(minutes=1)

PEOPLE: Final = (1, 2, 3)
_CHATS: Final = (1, 2, 3)
_people: Final = st.sampled_from(PEOPLE)
_chats: Final = st.sampled_from(_CHATS)
_small: Final = st.integers(0, 2)
_delays: Final = st.sampled_from((timedelta(), MINUTE, 10 * MINUTE))
_updates: Final = st.integers(1, 12)
_notices: Final = st.sampled_from(("token", "slots"))
_step_names: Final = st.sampled_from(("text", "pictures"))
_scopes: Final = st.sampled_from(("user", "chat"))
_roles: Final = st.sampled_from(("picture", "buttons", "other"))


class Call(NamedTuple):
    """The arguments of one call."""

    args: tuple[Any, ...]
    named: dict[str, Any]


def call(*args: Any, **named: Any) -> Call:
    """Write down a call's arguments."""
    return Call(args, named)


@dataclass
class Known:
    """What has been seen of a store so far: what the arguments of the next call are made of."""

    clock: HandClock
    owner: str = OWNERS[0]
    tasks: dict[int, Task] = field(default_factory=dict)
    """As they are now."""
    seen: list[Task] = field(default_factory=list)
    """As they ever were: what a loop may still hold in its hand."""
    rows: dict[int, InboxRow] = field(default_factory=dict)
    """Updates that were heads of their chats once."""
    albums: list[Album] = field(default_factory=list)
    """Albums as they ever were due: what a loop may still hold in its hand."""
    words: st.SearchStrategy[str] = field(default_factory=lambda: st.sampled_from(("", "ä", "x")))
    updates: int = 100
    turn: int = 0
    """Which look this is: a look asks for one task, each time another one."""

    @property
    def now(self) -> datetime:
        """The time."""
        return self.clock.now()

    def fresh(self, *states: TaskState) -> list[Task]:
        """Give the tasks in these states, as they are."""
        return [task for task in self.tasks.values() if task.state in states]

    def stale(self) -> list[Task]:
        """Give tasks as they once were and are no more."""
        return [task for task in self.seen if not self.is_current(task)]

    def overtaken(self) -> list[Task]:
        """Give stale ones that only their claim's number tells from the row."""
        return [task for task in self.stale() if self.tasks[task.id].state is task.state]

    def is_current(self, task: Task) -> bool:
        """Say whether the row still is what a method that moves this task has to find."""
        row = self.tasks[task.id]
        return (row.state, row.claim_no) == (task.state, task.claim_no)


# --- moves: how a task is moved that somebody has in hand

Move = Callable[[Known, Draw, Task], Call]
_codes: Final = st.sampled_from((None, 2004))


def _hand_back(known: Known, draw: Draw, task: Task) -> Call:
    return call(
        task,
        to=draw(st.sampled_from((TaskState.QUEUED, TaskState.WAITING))),
        now=known.now,
        due_at=draw(st.sampled_from((None, known.now + MINUTE))),
        count=draw(st.sampled_from(("try", "refusal", None))),
        vendor_code=draw(_codes),
        vendor_message=draw(st.none() | known.words),
    )


def _ready(known: Known, draw: Draw, task: Task) -> Call:
    failure = draw(st.none() | st.just(Failure(id="no", data={"n": 1})))
    message = draw(st.none() | known.words)
    return call(
        task, now=known.now, failure=failure, vendor_code=draw(_codes), vendor_message=message
    )


MOVING: Final[Mapping[str, Move]] = {
    "put_off": lambda known, draw, task: call(
        task, due_at=known.now + draw(_delays), reason=draw(st.none() | known.words)
    ),
    "claim": lambda known, draw, task: call(
        task,
        owner=known.owner,
        lease_until=known.now + LEASE,
        request_id=f"{task.id}.{task.claim_no}{draw(known.words)}",
        ratio_used="16:9",
        parallel=PARALLEL,
        now=known.now,
        held_until=known.now + HOLD,
        callback_hash=f"c{task.id}.{task.claim_no}",
    ),
    "accepted": lambda known, draw, task: call(
        task,
        hidream_task_id=draw(st.sampled_from((f"h{task.id}", f"h{task.id}", "h1"))),
        sub_task_ids=[f"{n}{draw(known.words)}" for n in range(task.settings.count)],
        now=known.now,
        deadline_at=known.now + 10 * MINUTE,
        held_until=known.now + HOLD,
    ),
    "hand_back": _hand_back,
    "unanswered": lambda known, draw, task: call(
        task, now=known.now, due_at=known.now + draw(_delays)
    ),
    "ask_again": lambda known, draw, task: call(task, due_at=known.now + draw(_delays)),
    "submit_again": lambda _, __, task: call(task),
    "ready": _ready,
    "deliver_later": lambda known, draw, task: call(task, due_at=known.now + draw(_delays)),
    "change": lambda known, draw, task: call(
        task,
        settings=draw(st.none() | st.just(Settings(prompt=draw(known.words), silent=True))),
        photos=draw(st.none() | st.just([photo("better")])),
    ),
    "cancel": lambda known, _, task: call(task, known.now),
    "reopen": lambda known, _, task: call(task, known.now),
    "finish": lambda known, draw, task: call(
        task,
        draw(st.sampled_from((TaskState.DELIVERED, TaskState.FAILED, TaskState.GONE))),
        known.now,
    ),
}

STEPS: Final[Mapping[str, Move]] = {
    "step_started": lambda known, draw, task: call(task, draw(_step_names), known.now),
    "late_told": lambda _, draw, task: call(task, draw(_small)),
    "step_not_sent": lambda _, draw, task: call(task, draw(_step_names)),
    "step_sent": lambda known, draw, task: call(
        task,
        draw(_step_names),
        [draw(_small)],
        [
            SentImage(n=n, file_id=f"f{draw(known.words)}", sent_as="photo")
            for n in range(task.settings.count)
        ],
        known.now,
    ),
}
"""What is noted of a delivery that somebody has in hand."""


# --- the rest, by what it is about

Deed = Callable[[Known, Draw], Call | None]


def _new(known: Known, draw: Draw, update_id: int, n: int, user_id: int) -> NewTask:
    return NewTask(
        origin=Origin(bot_id=BOT, update_id=update_id, n=n),
        user_id=user_id,
        place=place(draw(st.sampled_from((user_id, *_CHATS))), draw(_small)),
        photos=(photo(),),
        settings=Settings(prompt=draw(known.words), count=draw(st.integers(1, 3))),
        language=draw(st.sampled_from((None, "de"))),
        parent_id=draw(st.none() | st.integers(1, 3)),
        draft_id=draw(st.none() | st.integers(1, 3)),
        pressed=draw(st.sampled_from((None, None, None, "again:1"))),
    )


def _update_id(known: Known, draw: Draw) -> int:
    # Sometimes an update comes again.
    known.updates += 1
    chosen: int = draw(st.sampled_from((known.updates, known.updates, known.updates, 101)))
    return chosen


def _add(known: Known, draw: Draw) -> Call:
    new = _new(known, draw, _update_id(known, draw), draw(st.integers(0, 1)), draw(_people))
    return call(new, now=known.now, max_unfinished=draw(st.sampled_from((None, 5))))


def _add_all(known: Known, draw: Draw) -> Call:
    update_id, user_id = _update_id(known, draw), draw(_people)
    news = [_new(known, draw, update_id, n, user_id) for n in range(draw(st.integers(0, 3)))]
    return call(news, now=known.now, max_unfinished=draw(st.sampled_from((None, 5))))


def _task_ids(known: Known) -> st.SearchStrategy[int]:
    # Mostly one that HiDream is at; rarely one that is over, or never was.
    running = [task.id for task in known.fresh(TaskState.RUNNING)]
    unfinished = [task.id for task in known.tasks.values() if task.finished_at is None]
    return st.sampled_from((*running * 3, *unfinished, *known.tasks, 99))


def _of_a_row(known: Known, draw: Draw, **named: Any) -> Call | None:
    if not known.rows:
        return None
    return call(draw(st.sampled_from(list(known.rows.values()))), **named)


def _of_an_album(known: Known, draw: Draw, **named: Any) -> Call | None:
    if not known.albums:
        return None
    return call(draw(st.sampled_from(known.albums[-5:])), **named)


GROUPS: Final[Mapping[str, Mapping[str, Deed]]] = {
    "inbox": {
        "receive": lambda known, draw: call(
            BOT,
            [
                NewUpdate(
                    update_id=update_id,
                    chat_id=draw(st.none() | _chats),
                    raw=f"{{}}{draw(known.words)}",
                )
                for update_id in draw(st.lists(_updates, max_size=3))
            ],
            known.now,
        ),
        "inbox_done": lambda known, draw: _of_a_row(known, draw, now=known.now),
        "inbox_defer": lambda known, draw: _of_a_row(
            known,
            draw,
            due_at=known.now + draw(_delays),
            error=draw(known.words),
            failed=draw(st.booleans()),
        ),
        "inbox_set_aside": lambda known, draw: _of_a_row(
            known, draw, error=draw(known.words), now=known.now
        ),
        "add_draft": lambda known, draw: call(
            NewDraft(
                origin=Origin(bot_id=BOT, update_id=draw(_updates)),
                user_id=draw(_people),
                place=place(draw(_chats), draw(_small)),
                photos=(photo(),),
                caption=draw(known.words),
                draft_id=draw(st.none() | st.integers(1, 4)),
                kind=draw(st.sampled_from(("words", "prompt", "offer"))),
            ),
            known.now,
        ),
        "asked": lambda _, draw: call(draw(st.integers(1, 4)), draw(_small)),
    },
    "albums": {
        "album_part": lambda known, draw: call(
            AlbumPart(
                origin=Origin(bot_id=BOT, update_id=draw(_updates)),
                chat_id=draw(_chats),
                media_group_id=draw(st.sampled_from(("g", "h"))),
                message_id=draw(_small),
                data=f"{{}}{draw(known.words)}",
            ),
            now=known.now,
            due_at=known.now + draw(_delays),
        ),
        "album_later": lambda known, draw: _of_an_album(
            known, draw, due_at=known.now + draw(_delays)
        ),
        "close_album": _of_an_album,
    },
    "conversation": {
        "drop_draft": lambda _, draw: call(draw(st.integers(1, 4))),
        "note_message": lambda known, draw: call(
            draw(_task_ids(known)),
            draw(_chats),
            draw(_small),
            draw(_roles),
            known.now,
            n=draw(st.none() | _small),
        ),
        "message_gone": lambda _, draw: call(draw(_chats), draw(_small)),
        "progress_put_away": lambda known, draw: call(draw(_task_ids(known))),
        "set_preference": lambda known, draw: call(
            draw(_scopes),
            draw(_chats),
            draw(st.sampled_from(("ratio", "count"))),
            draw(st.none() | known.words),
        ),
        "add_view": lambda known, draw: call(
            NewView(
                origin=Origin(bot_id=BOT, update_id=draw(_updates)),
                kind="history",
                user_id=draw(_people),
                chat_id=draw(_chats),
                words=draw(known.words),
                shared=draw(st.booleans()),
            ),
            known.now,
        ),
        "note_fact": lambda known, draw: call(draw(_notices), draw(known.words)),
    },
    "line": {
        "add": _add,
        "add_all": _add_all,
        "requeue_due": lambda known, _: call(known.now),
        "cancel_queued": lambda known, draw: call(
            draw(st.none() | _people), draw(_chats), known.now
        ),
    },
    "at_hidream": {
        "note_completions": lambda known, draw: call(
            draw(st.dictionaries(_task_ids(known), st.sampled_from((-1.0, 0.5, 2.0)), max_size=2))
        ),
        "image_late": lambda known, draw: call(
            draw(_task_ids(known)), draw(_small), f"https://x/{draw(known.words)}"
        ),
        "note_duration": lambda _, draw: call(
            Measured(ratio="1:1", count=draw(st.integers(1, 3)), seconds=2.5)
        ),
        "called_back": lambda known, draw: call(
            f"c{draw(_task_ids(known))}.{draw(_small)}", draw(st.sampled_from((None, "h1", "h2")))
        ),
        "image_made": lambda known, draw: call(
            draw(_task_ids(known)), draw(_small), f"https://x/{draw(known.words)}"
        ),
        "image_stored": lambda known, draw: call(
            draw(_task_ids(known)), draw(_small), media_type="image/png", width=2, height=1, size=3
        ),
        "image_ended": lambda known, draw: call(
            draw(_task_ids(known)),
            draw(_small),
            draw(st.sampled_from(sorted(IMAGE_ENDS))),
            draw(st.none() | known.words),
        ),
        "release": lambda known, draw: call(f"h{draw(_task_ids(known))}", known.now),
    },
    "delivery": {
        "claim_delivery": lambda known, draw: call(
            owner=known.owner,
            lease_until=known.now + LEASE,
            now=known.now,
            busy_chats=draw(st.sampled_from(((), (1,), (2, 3)))),
        ),
        "note_progress_message": lambda known, draw: call(draw(_task_ids(known)), draw(_small)),
        "note_shown_place": lambda known, draw: call(draw(_task_ids(known)), draw(_small)),
    },
    "privacy": {
        "forget_person": lambda known, draw: call(draw(_people), known.now),
        "forget_pictures": lambda known, draw: call(draw(_task_ids(known))),
    },
    "housekeeping": {
        # Both owners live, or the other one is known to be dead.
        "recover": lambda known, draw: call(
            owner=known.owner,
            now=known.now,
            sole=draw(st.sampled_from((False, False, True))),
            state=draw(st.sampled_from((None, TaskState.SUBMITTING, TaskState.DELIVERING))),
        ),
        "rebase": lambda known, draw: call(known.now - draw(_delays), grace=MINUTE),
        "note_notice": lambda known, draw: call(draw(_notices), known.now),
        "forget_notice": lambda _, draw: call(draw(_notices)),
        "move_chat": lambda _, draw: call(draw(_chats), draw(_chats)),
        "prune": lambda known, draw: call(
            now=known.now,
            inbox_before=known.now - draw(_delays),
            finished_before=draw(st.sampled_from((None, known.now, known.now - 10 * MINUTE))),
            limit=draw(st.sampled_from((1, 3, 100))),
        ),
        "probe": lambda known, _: call(known.now),
        "files_removed": lambda known, draw: call(draw(_task_ids(known))),
    },
}
"""Deeds that need nothing in hand, by the part of the protocol they belong to."""
