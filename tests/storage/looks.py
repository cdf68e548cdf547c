"""Everything that a store can be asked, and what is neither done to it nor asked here."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from storage.tasks import Origin, Task
from tests.storage.deeds import MINUTE, PEOPLE, Call, Known, call
from tests.storage.making import BOT

_DAY: Final = timedelta(days=1)

_KINDS: Final = ("words", "prompt", "offer")

Look = Callable[[Known], list[Call]]


def _one(known: Known) -> Task | None:
    tasks = list(known.tasks.values())
    return tasks[known.turn % len(tasks)] if tasks else None


def _by_id(known: Known) -> list[Call]:
    one = _one(known)
    return [call(99 if one is None else one.id)]


def _turning(known: Known) -> tuple[int, int]:
    return known.turn % 3 + 1, known.turn // 3 % 3 + 1


LOOKS: Final[Mapping[str, Look]] = {
    "inbox_heads": lambda known: [call(known.now, 99), call(known.now, 1)],
    "next_inbox_due": lambda _: [call(), call(busy={(BOT, 1), (BOT, None)})],
    "open_draft": lambda known: [
        call(*_turning(known), known.now - 10 * MINUTE, kind=_KINDS[known.turn // 9 % 3])
    ],
    "draft": lambda known: [call(known.turn % 4 + 1)],
    "draft_made_by": lambda known: [call(Origin(bot_id=BOT, update_id=known.turn % 9))],
    "draft_at": lambda known: [call(*_turning(known), known.turn // 9 % 3)],
    "albums_due": lambda known: [call(known.now, (99, 1)[known.turn % 2])],
    "next_album_due": lambda _: [call()],
    "album_origin": lambda _: [call(chat, "g") for chat in PEOPLE],
    "task_at": lambda known: [call(*_turning(known))],
    "task_from": lambda known: [call(*_turning(known), known.turn // 9 % 3)],
    "messages_of": _by_id,
    "stale_progress": lambda known: [call((99, 1)[known.turn % 2])],
    "preferences": lambda known: [call(("user", "chat")[known.turn % 2], known.turn // 2 % 3 + 1)],
    "view": lambda known: [call(known.turn % 6 + 1)],
    "find_view": lambda known: [call("history", known.turn % 3 + 1, "")],
    "fact": lambda _: [call("token"), call("probe")],
    "draft_asked_by": lambda known: [call(*_turning(known), n) for n in (0, 1)],
    "get": _by_id,
    "made_by": lambda known: [
        call(one.origin if (one := _one(known)) else Origin(bot_id=BOT, update_id=0))
    ],
    # Person 0 is whoever was forgotten.
    "tasks_of": lambda _: [
        *(call(user_id, limit=99) for user_id in (0, *PEOPLE)),
        call(1, limit=2),
        call(2, limit=3, chat_id=2),
        call(3, limit=2, offset=1),
    ],
    "results_of": lambda known: [
        *(call(user_id, limit=99) for user_id in (0, *PEOPLE)),
        call(1, limit=2, words="Ä", chat_id=1),
        call(2, limit=2, before=known.turn % 5, after=known.turn % 3),
        call(3, limit=1, after=known.turn % 3),
    ],
    "count_results": lambda _: [call(1), call(2, words="x"), call(3, chat_id=3), call(1, after=1)],
    "ancestors": lambda known: [call(one, 9), call(one, 1)] if (one := _one(known)) else [],
    "everything_of": lambda known: [call(known.turn % 3 + 1)],
    "place_in_line": lambda known: [call(one)] if (one := _one(known)) else [],
    "next_queued": lambda _: [call(99), call(2)],
    "slots_held": lambda known: [call(known.now)],
    "next_hold_end": lambda _: [call()],
    "charges": lambda known: [call(known.now - MINUTE), call(known.now - _DAY)],
    "uncertain": lambda known: [call(known.now)],
    "running": lambda known: [call(late_since=known.now - 10 * MINUTE)],
    "callback_hashes": lambda known: [call(known.now - MINUTE)],
    "hints": _by_id,
    "durations": lambda _: [call(99), call(2)],
    "notices": lambda _: [call()],
    "images": _by_id,
    "steps": _by_id,
    "next_delivery_due": lambda _: [call(), call(busy_chats=(1, 2))],
    "unannounced": lambda _: [call(99), call(2)],
    "announced": lambda _: [call(99), call(2)],
    "with_files_before": lambda known: [call(known.now, 99), call(known.now - MINUTE, 1)],
    "oldest_unsent": lambda _: [call(), call(closed=(1, 2))],
    "counts": lambda _: [call()],
    "overview": lambda known: [call(known.now), call(known.now, closed=(1,))],
    "figures": lambda known: [
        call(
            began=known.now.replace(hour=0, minute=0, second=0, microsecond=0),
            now=known.now,
            step=_DAY / 8,
        )
    ],
}

LEFT_OUT: Final[Mapping[str, str]] = {
    "mark": "compared after each step, over all topics",
    "wait": "changes nothing; test_bells.py",
    "rest": "tells of a wait; test_bells.py",
    "wake": "a wake-up by hand, not a deed on rows; test_bells.py",
    "close": "ends the store; test_closing.py",
}
"""What is neither done nor asked by name, and why."""
