"""Looks after the bot while it runs: gathers the signs, heals what it can, tells who has to know.

What the signs mean is `health`'s to decide. Whoever asks (`/readyz`) waits for nothing: what takes time
is gathered aside, every few seconds, one look at a time.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

import structlog

from bot import conditions, health
from bot.account import Account, Minute, Trouble
from bot.conditions import Reason
from bot.health import Cause, LoopSign, Polls, Signs, WatchesWebhook
from bot.service import ServiceManager
from bot.slots import Slots
from bot.supervisor import Kept
from storage.clock import Clock
from storage.store import StoreError, TaskStore
from storage.tasks import AT_HIDREAM, IN_LINE, Task, TaskState

log = structlog.get_logger(__name__)

BEAT: Final = 5.0
"""Seconds between two turns, or half of what the service manager waits for, if that is less."""
LOOK: Final = 10.0
"""Seconds between two looks at the database: each writes a row, which costs the disk something."""
_STALLED: Final = 5.0
"""A turn that comes so many seconds late says that everything stood: the others are let go first."""
_LONGEST_NOT_TAKEN: Final = health.NOT_TAKEN + health.PAST_HOPE


@dataclass(frozen=True, kw_only=True, slots=True)
class _Waiting:
    """The next in line: since when it waits, and since when its photos are there (None: not yet)."""

    task: int
    since: float
    prepared: float | None = None


class Checkup:
    """The loop that looks after the others.

    Args:
        free: gives how many bytes the disk of the database has left.
        kept: what the supervisor knows of the loops.
        closed: gives the chats whose results wait by Telegram's own word.
        preparing: says whether a task's photos are still on their way, which may take long on a small line.
        on_change: hears which lasting reasons the admins are to hear of, whenever there are others.
    """

    def __init__(
        self,
        *,
        store: TaskStore,
        account: Account,
        slots: Slots,
        minute: Minute,
        clock: Clock,
        free: Callable[[], Awaitable[int]],
        kept: Mapping[str, Kept],
        service: ServiceManager,
        closed: Callable[[], Collection[int]] = tuple,
        preparing: Callable[[int], bool] = lambda _: False,
        on_change: Callable[[tuple[str, ...]], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._account = account
        self._slots = slots
        self._minute = minute
        self._clock = clock
        self._free = free
        self._kept = kept
        self._service = service
        self._preparing = preparing
        self._closed = closed
        self._on_change = on_change
        self._polls: Polls | None = None
        self._webhook: WatchesWebhook | None = None
        self._started = clock.monotonic()
        self._look: asyncio.Task[None] | None = None
        self._look_began = float("-inf")
        self._looked: float | None = None
        self._database_error: str | None = None
        self._free_bytes: int | None = None
        self._unsent: float | None = None
        self._not_taken: _Waiting | None = None
        self._counts: Mapping[str, int] = {}
        self._token_refused: float | None = None
        self._logged: dict[str, float] = {}
        self._said: tuple[Cause, ...] | None = None
        self._told: tuple[str, ...] = ()

    def ask(self, *, polls: Polls | None = None, webhook: WatchesWebhook | None = None) -> None:
        """From now on ask whoever fetches updates, or whoever watches the webhook, how it is with Telegram."""
        self._polls, self._webhook = polls, webhook

    def reasons(self) -> tuple[Reason, ...]:
        """Say why the bot is not ready, as of now."""
        return conditions.reasons(self.signs())

    async def run(self, stop: asyncio.Event) -> None:
        """Look until told to stop."""
        beat = BEAT if self._service.watchdog is None else min(BEAT, self._service.watchdog / 2)
        due = self._clock.monotonic()
        try:
            while not stop.is_set():
                late = self._clock.monotonic() - due
                self._turn(stalled=late > _STALLED)
                due = self._clock.monotonic() + beat
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(beat):
                        await stop.wait()
        finally:
            if self._look is not None:
                self._look.cancel()
                await asyncio.wait({self._look})
                self._look = None

    def _turn(self, *, stalled: bool) -> None:
        now = self._clock.monotonic()
        if (self._look is None or self._look.done()) and now - self._look_began >= LOOK:
            self._look_began = now
            self._look = asyncio.create_task(self._look_at_store(), name="look")
        signs = self.signs()
        healed: Collection[str] = ()
        if not stalled:
            healed = self._heal(signs)
            self._tell(conditions.reasons(signs))
        if stalled or not any(one.past_hope and one.name not in healed for one in signs.loops):
            self._service.alive()

    # --- gathering

    def signs(self) -> Signs:
        """Give the signs as they are now."""
        now = self._clock.monotonic()
        return Signs(
            running=now - self._started,
            polls=self._polls is not None,
            fetched=_since(None if self._polls is None else self._polls.fetched_at, now),
            conflict=self._polls is not None and bool(self._polls.conflict),
            webhook=(
                None if self._webhook is None else health.webhook_sign(self._webhook.info, now)
            ),
            database_error=self._database_error,
            database_silent=(
                now - self._look_began if self._look is not None and not self._look.done() else 0.0
            ),
            free=self._free_bytes,
            token_refused=self._since_refused(now),
            unsent=_since(self._unsent, now),
            not_taken=_since(None if self._not_taken is None else self._not_taken.since, now),
            looked=_since(self._looked, now),
            loops=tuple(self._loop(kept, now) for kept in self._kept.values()),
        )

    def _loop(self, kept: Kept, now: float) -> LoopSign:
        topic = health.LOOPS.get(kept.name)
        return health.loop_sign(
            kept.name,
            None if topic is None else self._store.rest(topic[0]),
            began=kept.began,
            now=now,
            failures=kept.failures(health.CRASHES_WITHIN),
        )

    def _since_refused(self, now: float) -> float | None:
        if self._account.trouble is not Trouble.TOKEN:
            self._token_refused = None
        elif self._token_refused is None:
            self._token_refused = now
        return _since(self._token_refused, now)

    async def _look_at_store(self) -> None:
        """Ask the database and its disk what can't be known otherwise."""
        try:
            self._free_bytes = await self._free()
            now = self._clock.now()
            await self._store.probe(now)
            ready_at = await self._store.oldest_unsent(closed=self._closed())
            at = self._clock.monotonic()
            self._unsent = None if ready_at is None else at - (now - ready_at).total_seconds()
            self._not_taken = await self._next_not_taken(at)
            self._counts = await self._store.counts()
        except StoreError as error:
            self._database_error = str(error)
        except OSError as error:
            # its whole text names the folder, which is nobody's business who only looks
            self._database_error = error.strerror or type(error).__name__
        except Exception as error:
            # whatever it is, it is no reason to know nothing of all the rest
            log.exception("look_failed")
            self._database_error = type(error).__name__
        else:
            self._database_error = None
        self._looked = self._clock.monotonic()

    async def _next_not_taken(self, now: float) -> _Waiting | None:
        """Say which task is next in line, and since when nothing has been in its way."""
        line = await self._store.next_queued(1)
        if not line or not await self._could_be_taken(line[0]):
            return None
        known = self._not_taken
        if known is None or known.task != line[0].id:
            known = _Waiting(task=line[0].id, since=now)
        if self._preparing(known.task):
            return replace(known, prepared=None)
        return known if known.prepared is not None else replace(known, prepared=now)

    async def _could_be_taken(self, task: Task) -> bool:
        if self._account.trouble is not None or self._account.pause() > 0:
            return False
        if self._minute.wait_for(task.settings.count) > 0:
            return False
        now = self._clock.now()
        if await self._store.slots_held(now) >= self._slots.limit:
            return False
        # requests under way may be as many bytes as there may be at once
        return all(one.answered_at is not None for one in await self._store.charges(now))

    # --- healing

    def _heal(self, signs: Signs) -> Collection[str]:
        """Log where a loop stands that makes no turn; have it started again where that goes on, and say which."""
        healed = []
        database_is_well = self._database_error is None and (
            signs.database_silent <= health.DATABASE_WITHIN
        )
        for one in signs.loops:
            kept = self._kept[one.name]
            if one.stands_still and self._logged.get(one.name) != kept.began:
                self._logged[one.name] = kept.began
                log.error(
                    "loop_stands_still",
                    loop=one.name,
                    seconds=round(one.seconds),
                    where=kept.where(),
                )
            elif not one.stands_still:
                self._logged.pop(one.name, None)
            # where the database does not answer, a new start would not get further
            if one.past_hope and database_is_well and kept.start_again():
                log.error("loop_started_again", loop=one.name, times=kept.started_again)
                healed.append(one.name)
        self._heal_line(signs)
        return healed

    def _heal_line(self, signs: Signs) -> None:
        """Have it started again who does not take what is next, and could."""
        dispatcher, head = self._kept.get("dispatcher"), self._not_taken
        if dispatcher is None or head is None or head.prepared is None:
            return  # while its photos come a new start would fetch them anew, and never get to their end
        prepared = self._clock.monotonic() - head.prepared
        if (signs.not_taken or 0.0) > _LONGEST_NOT_TAKEN and prepared > health.PAST_HOPE:
            where = dispatcher.where()
            self._not_taken = None
            if dispatcher.start_again():
                log.error("line_not_taken", where=where, times=dispatcher.started_again)

    # --- telling

    def _tell(self, reasons: tuple[Reason, ...]) -> None:
        causes = tuple(reason.cause for reason in reasons)
        self._service.status(self._status(causes))
        if self._said is None:
            self._service.ready()
        if causes != self._said:
            if not causes:
                log.info("ready")
            elif causes != (Cause.STARTING,):
                log.warning("not_ready", why=[cause.value for cause in causes])
            self._said = causes
        told = tuple(cause.value for cause in causes if cause in health.TOLD)
        if told != self._told:
            self._told = told
            self._on_change(told)

    def _status(self, causes: tuple[Cause, ...]) -> str:
        """Say in a line how it stands; of people, counts alone."""
        state = f"Not ready: {', '.join(causes)}" if causes else "Ready"
        return (
            f"{state}. {self._count(*IN_LINE)} in line, {self._count(*AT_HIDREAM)} at HiDream, "
            f"{self._count(TaskState.READY, TaskState.DELIVERING)} to be sent"
        )

    def _count(self, *states: TaskState) -> int:
        return sum(self._counts.get(state.value, 0) for state in states)


def _since(at: float | None, now: float) -> float | None:
    return None if at is None else now - at
