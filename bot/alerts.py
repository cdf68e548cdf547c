"""Tells the admins, once each, what only they can mend; and that it is over.

A notice is kept as told, so that a restart does not tell it again. What passes by itself within
minutes, such as an overload, is not told at all.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import jwt
import structlog

from bot.account import Trouble
from bot.delays import backoff
from bot.messages import Chat, Gone, Later, Target
from bot.texts import Moment, Say
from storage.clock import Clock
from storage.store import TaskStore
from storage.tasks import Topic

log = structlog.get_logger(__name__)

LASTING: Final = 300.0
"""Seconds after which an outage or an overload is worth a message."""
SETTLED: Final = 20.0
"""The same for a refused token: one person's words may have been refused so, and others go on."""
_TROUBLES: Final[Mapping[Trouble, tuple[Say, float]]] = {
    Trouble.TOKEN: (Say("admin-token"), SETTLED),
    Trouble.BUSY: (Say("admin-busy"), LASTING),
    Trouble.UNREACHABLE: (Say("admin-unreachable"), LASTING),
}
"""What is told of each trouble, and after how many seconds."""
_OUTAGES: Final = frozenset({Trouble.BUSY, Trouble.UNREACHABLE})
_LONGEST_PAUSE: Final = 600.0
SLOTS: Final = "slots"
HEALTH: Final = "health"
_OVER: Final[Mapping[str, Say]] = {
    Trouble.TOKEN.value: Say("admin-token-over"),
    Trouble.BUSY.value: Say("admin-busy-over"),
    Trouble.UNREACHABLE.value: Say("admin-unreachable-over"),
    SLOTS: Say("admin-slots-over"),
    HEALTH: Say("admin-health-over"),
}
_EXPIRES: Final = (
    ("admin-token-day", timedelta(days=1)),
    ("admin-token-week", timedelta(days=7)),
)
"""How long before its expiry a token's end is told, the nearest first."""
_TOKEN_LOOK: Final = 3600.0


@dataclass(slots=True)
class _Condition:
    """Something that the admins are to hear of while it lasts."""

    say: Say
    due: float
    told: set[int] = field(default_factory=set)


class Alerts:
    """The loop that writes to the admins. Others only say what is, and what is over."""

    def __init__(
        self, *, store: TaskStore, chat: Chat, admins: Callable[[], Collection[int]], clock: Clock
    ) -> None:
        self._store = store
        self._chat = chat
        self._admins = admins
        self._clock = clock
        self._token = ""
        self._token_due = 0.0
        self._conditions: dict[str, _Condition] = {}
        self._over: list[str] = []
        self._told_end: set[str] = set()
        self._out_since: float | None = None
        self._tries = 0

    # --- what others say

    def trouble(self, trouble: Trouble | None) -> None:
        """The account is in trouble, or (None) well."""
        now = self._clock.monotonic()
        if trouble not in _OUTAGES:
            self._out_since = None
        elif self._out_since is None:
            self._out_since = now
        for one in Trouble:
            if one is not trouble:
                self._ended(one.value)
        if trouble is not None:
            say, after = _TROUBLES[trouble]
            # overload and outage in turns are one trouble, and begin with the first of them
            since = now if self._out_since is None else self._out_since
            self._begun(trouble.value, say, due=since + after)

    def slots(self, found: int, configured: int) -> None:
        """HiDream takes so many tasks at once, where more were configured."""
        if found >= configured:
            self._ended(SLOTS)
        else:
            say = Say("admin-slots", {"found": found, "configured": configured})
            self._begun(SLOTS, say, due=self._clock.monotonic())

    def unwell(self, causes: Collection[str]) -> None:
        """The bot is not well for these reasons; without any it is."""
        if causes:
            say = Say("admin-health", {"causes": ", ".join(causes)})
            self._begun(HEALTH, say, due=self._clock.monotonic() + LASTING)
        else:
            self._ended(HEALTH)

    def new_token(self, token: str) -> None:
        """This is HiDream's token from now on."""
        self._token, self._token_due = token, 0.0
        self._store.wake(Topic.ADMINS)

    def _begun(self, name: str, say: Say, *, due: float) -> None:
        if name not in self._conditions:
            self._conditions[name] = _Condition(say=say, due=due)
            self._store.wake(Topic.ADMINS)

    def _ended(self, name: str) -> None:
        self._conditions.pop(name, None)
        if name not in self._over:
            self._over.append(name)
            self._store.wake(Topic.ADMINS)

    # --- the loop

    async def run(self, stop: asyncio.Event) -> None:
        """Tell until told to stop."""
        while not stop.is_set():
            mark = self._store.mark(Topic.ADMINS)
            seconds = await self._round()
            await self._store.wait(Topic.ADMINS, since=mark, seconds=seconds)

    async def _round(self) -> float:
        """Tell what is due; returns when to look again."""
        self._look_at_token()
        known = await self._store.notices()
        self._over = [name for name in self._over if not await self._tell_end(name, known)]
        waits = [self._token_due - self._clock.monotonic()]
        late = bool(self._over)
        for name, condition in list(self._conditions.items()):
            left = condition.due - self._clock.monotonic()
            if left > 0:
                waits.append(left)
            else:
                late |= not await self._tell(name, condition, known)
        self._tries = self._tries + 1 if late else 0
        if late:
            waits.append(backoff(self._tries, longest=_LONGEST_PAUSE))
        return max(0.1, min(waits))

    async def _tell(self, name: str, condition: _Condition, known: Mapping[str, datetime]) -> bool:
        """Tell every admin who does not know; returns whether all do."""
        all_know = True
        for admin in sorted(self._admins()):
            key = f"{name}:{admin}"
            if key in known or admin in condition.told:
                continue
            outcome = await self._chat.say(Target(chat_id=admin), condition.say)
            if isinstance(outcome, Later | Gone):
                all_know = False  # Gone: who has not written to the bot yet may do so
                continue
            # whatever else became of it: a second message would not be read better
            condition.told.add(admin)
            await self._store.note_notice(key, self._clock.now())
        return all_know

    async def _tell_end(self, name: str, known: Mapping[str, datetime]) -> bool:
        """Tell every admin who knew of it that it is over; returns whether all know."""
        all_know = True
        for admin in sorted(self._admins()):
            key = f"{name}:{admin}"
            if key not in known:
                continue
            if name not in self._conditions and key not in self._told_end:
                outcome = await self._chat.say(Target(chat_id=admin), _OVER[name])
                if isinstance(outcome, Later):
                    all_know = False
                    continue
                self._told_end.add(key)
            await self._store.forget_notice(key)
            self._told_end.discard(key)
        return all_know

    def _look_at_token(self) -> None:
        if self._clock.monotonic() < self._token_due:
            return
        self._token_due = self._clock.monotonic() + _TOKEN_LOOK
        expires = expires_at(self._token)
        if expires is None:
            return
        left = expires - self._clock.now()
        for sentence, before in _EXPIRES:
            if timedelta() < left <= before:
                # named after the moment as well: another token's end is news
                key = f"{sentence}-{expires:%Y%m%d%H%M}"
                say = Say(sentence, {"date": Moment(expires)})
                self._begun(key, say, due=self._clock.monotonic())
                return


def expires_at(token: str) -> datetime | None:
    """Say when a token of the older kind, a JWT, expires; None where it does not say.

    Nothing is verified: it is our own, and only its date is read.
    """
    try:
        claims = jwt.decode(token, options={"verify_signature": False, "verify_exp": False})
        return datetime.fromtimestamp(float(claims["exp"]), tz=UTC)
    except (jwt.PyJWTError, KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
