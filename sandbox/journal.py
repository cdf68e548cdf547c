"""The journal: every call that a sandbox server took, in the order in which they ended."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final, Literal

Outcome = Literal["ok", "refused", "strict", "fault"]
"""ok; refused: a legitimate refusal, such as a limit; strict: the caller broke the contract."""

KEPT: Final = 20_000
_ANSWER: Final = 600
"""Bytes of an answer that are kept."""
INTERESTING_HEADERS: Final = frozenset({"api-user-id"})
_BASE64 = re.compile(r"(?:data:[^,]{0,100},)?[A-Za-z0-9+/=_\-\s]+")
# Longer than any text that Telegram takes, so that only encoded files are cut out of other fields.
_LONG = 5_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One call, as it ended. `status` is 0 where no answer was sent."""

    n: int
    time: datetime
    call: str
    params: Mapping[str, Any]
    headers: Mapping[str, str]
    status: int
    outcome: Outcome
    detail: str = ""
    seconds: float = 0.0
    """How long it took."""
    answer: str = ""
    """The beginning of what was answered."""
    peer: int = 0
    """The port from which it came."""

    def to_json(self, *, answer: bool = False) -> dict[str, Any]:
        """Write the entry as JSON can hold it; with the answer only where somebody reads that."""
        # by hand: there are thousands of them, and `asdict` copies whatever they hold
        shown = {name: getattr(self, name) for name in _FIELDS}
        shown["time"] = self.time.isoformat()
        return shown | {"answer": self.answer} if answer else shown


_FIELDS: Final = tuple(field.name for field in fields(Entry) if field.name != "answer")


class Journal:
    """The last 20,000 calls."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._numbers = count(1)

    def record(
        self,
        *,
        call: str,
        params: Mapping[str, Any],
        status: int,
        outcome: Outcome,
        headers: Iterable[tuple[str, str]] = (),
        time: datetime | None = None,
        detail: str = "",
        answer: bytes = b"",
        peer: int = 0,
    ) -> Entry:
        """Write one call down; of the headers, only the interesting ones are kept.

        `time` is when the call came, by default now; `detail` says why it was not "ok"; `answer` is
        what was answered.
        """
        now = datetime.now(UTC)
        entry = Entry(
            n=next(self._numbers),
            time=time or now,
            seconds=(now - (time or now)).total_seconds(),
            answer=answer[:_ANSWER].decode("utf-8", "replace"),
            call=call,
            params={name: _shortened(name, value) for name, value in params.items()},
            headers={k.lower(): v for k, v in headers if k.lower() in INTERESTING_HEADERS},
            status=status,
            outcome=outcome,
            detail=detail,
            peer=peer,
        )
        self._entries.append(entry)
        return entry

    def entries(
        self, *, call: str | None = None, outcome: str | None = None, after: int = 0
    ) -> list[Entry]:
        """Give the calls of this name and outcome whose number is above `after`."""
        return [
            entry
            for entry in self._entries
            if entry.n > after
            and (call is None or entry.call == call)
            and (outcome is None or entry.outcome == outcome)
        ]


def _shortened(name: str, value: Any) -> Any:
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, str):
        is_image = name == "image" and len(value) > 64 and not value.startswith("http")
        if is_image or (len(value) > _LONG and _BASE64.fullmatch(value)):
            encoded = value.rpartition(",")[2] if value.startswith("data:") else value
            return f"<{len(encoded.rstrip('=')) * 3 // 4} bytes>"
        return value
    if isinstance(value, Mapping):
        return {str(k): _shortened(str(k), v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_shortened(name, v) for v in value]
    return value
