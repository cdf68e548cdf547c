"""Faults on demand: what a caller must survive, struck at a call that a test names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Final, Literal, get_args

InAnswer = Literal["truncate", "break_off", "stall", "slow", "huge"]
Action = Literal[
    "delay", "reset_before", "reset_after", "status", "redirect", "kill_before", "kill_after",
    InAnswer,
]  # fmt: skip
ACTIONS: Final[tuple[str, ...]] = get_args(Action)
IN_ANSWER: Final[tuple[str, ...]] = get_args(InAnswer)
"""Those that let a call take full effect, and strike its answer on the way."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One fault that waits for its call.

    `reset_before` closes the connection before the call has any effect; `reset_after` lets it take
    full effect and never answers. `kill_before` and `kill_after` do the same, with a SIGKILL to
    `pid` first. "status" and "redirect" answer instead of doing the call.

    The others let the call take full effect too, and strike its answer: "truncate" sends the first
    half as if that were all; "break_off" announces all of it, sends half, and closes the
    connection; "stall" does so and falls silent for `seconds`, then resets; "slow" takes `seconds`
    over it, piece by piece; "huge" goes on for `bytes` after its end.
    """

    call: str
    """A call's name, such as "sendPhoto" or "submit", or "*" for each."""
    action: Action
    seconds: float = 0.0
    """How long a delay or a silence lasts, or a slow answer takes."""
    status: int = 500
    """The HTTP status that "status" answers instead of doing the call."""
    body: str | None = None
    """The raw body that "status" answers; without it, what the real service would say."""
    content_type: str = "application/json"
    retry_after: int | None = None
    """Seconds, told to the caller with a 429."""
    redirect_status: int = 302
    location: str | None = None
    """Where a redirect leads; None: to the same URL again."""
    bytes: int = 60 * 2**20
    pid: int | None = None
    skip: int = 0
    """How many matching calls pass first."""
    times: int | None = 1
    """How often it strikes; None: until removed."""
    match: Mapping[str, str] = field(default_factory=dict)
    """Only calls whose parameters have these values, compared as text."""

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise ValueError(f"action must be one of {', '.join(ACTIONS)}, not {self.action!r}")
        if self.action.startswith("kill") and self.pid is None:
            raise ValueError(f"{self.action} needs a pid")

    @classmethod
    def from_json(cls, value: Any) -> Fault:
        """Read a fault from parsed JSON.

        Raises:
            TypeError: it is no object.
            ValueError: a field is unknown, missing, or not allowed.
        """
        if not isinstance(value, dict):
            raise TypeError("a fault is a JSON object")
        unknown = set(value) - {f.name for f in fields(cls)}
        if unknown:
            raise ValueError(f"a fault has no {', '.join(sorted(unknown))}")
        if "call" not in value or "action" not in value:
            raise ValueError("a fault needs a call and an action")
        match = value.get("match", {})
        if not isinstance(match, dict):
            raise TypeError("match is a JSON object")
        return cls(**{**value, "match": {str(k): str(v) for k, v in match.items()}})

    def to_json(self) -> dict[str, Any]:
        """Write the fault as JSON can hold it."""
        return asdict(self)

    def concerns(self, call: str, params: Mapping[str, Any]) -> bool:
        """Tell whether a call with these parameters is meant."""
        return self.call in {"*", call} and all(
            name in params and str(params[name]) == str(wanted)
            for name, wanted in self.match.items()
        )


class Faults:
    """The faults that wait, oldest first."""

    def __init__(self) -> None:
        self._waiting: dict[int, Fault] = {}
        self._last_id = 0

    def add(self, fault: Fault) -> int:
        """Let a fault wait for its call; the answer is its id."""
        self._last_id += 1
        self._waiting[self._last_id] = fault
        return self._last_id

    def remove(self, fault_id: int | None = None) -> None:
        """Remove one fault, or all of them; one that is gone already is no error."""
        if fault_id is None:
            self._waiting.clear()
        else:
            self._waiting.pop(fault_id, None)

    def list(self) -> dict[int, Fault]:
        """Give what waits, by id, with `skip` and `times` as they stand now."""
        return dict(self._waiting)

    def strike(self, call: str, params: Mapping[str, Any]) -> Fault | None:
        """Pick the oldest fault that concerns this call, and use it up by one.

        A fault that still skips counts the call and lets a later fault have it.
        """
        for fault_id, fault in list(self._waiting.items()):
            if not fault.concerns(call, params):
                continue
            if fault.skip > 0:
                self._waiting[fault_id] = replace(fault, skip=fault.skip - 1)
                continue
            if fault.times is not None:
                if fault.times <= 1:
                    del self._waiting[fault_id]
                else:
                    self._waiting[fault_id] = replace(fault, times=fault.times - 1)
            return fault
        return None
