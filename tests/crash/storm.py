"""A storm over one world: people send photos, and the bot is killed and started, again and again."""

import asyncio
import signal
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sandbox.hidream.settings import Settings
from sandbox.sample import draw_sample
from tests.crash.evidence import Evidence, SentPhoto
from tests.crash.plan import PEOPLE, AtCall, Life, Photo, Plan
from tests.e2e.world import JSON, Person, World, opened, text_of, until

PARALLEL: Final = 3
DEADLINE: Final = 8.0
"""Seconds; far above what a task takes. A submission that never arrived holds its slot twice as long."""
CHANGED: Final = "in blue"
"""What an edit adds to the words."""
_SAMPLE: Final = draw_sample(240, 180)
_MISSED: Final = 3.0
"""Seconds after the first getUpdates; a call that has not been made by then is waited for no more."""
_SETTLED: Final = 120.0
_GROUPS: Final = 2


class Storm:
    """The storm: what it does, and what it notes on the way."""

    def __init__(self, world: World, plan: Plan) -> None:
        self._world = world
        self._plan = plan
        self._people: list[Person] = []
        self._groups: list[int] = []
        self._sending: list[asyncio.Task[None]] = []
        self._marks = {"telegram": 0, "hidream": 0}
        self.calls: dict[str, list[JSON]] = {"telegram": [], "hidream": []}
        self.starts: list[datetime] = []
        self.kills: list[str] = []
        self.sent: list[SentPhoto] = []
        self._talking: dict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def rage(self) -> None:
        """Live through the plan, let everything settle, and stop in order."""
        world = self._world
        # a process that is killed leaves no coverage behind, and starts faster without
        for name in [name for name in world.environment if name.startswith("COVERAGE")]:
            del world.environment[name]
        self._people = [await world.person(f"P{n}") for n in range(PEOPLE)]
        self._groups = [await world.group(*self._people) for _ in range(_GROUPS)]
        try:
            for life in self._plan.lives:
                await self._live(life)
            await asyncio.gather(*self._sending)
        finally:
            for sending in self._sending:
                sending.cancel()
        await self._start()
        await until(self._is_settled, "everything is settled", _SETTLED)
        # what is in hand is finished, such as the last progress messages
        code = await world.stop()
        assert code == 0, f"the bot stopped with {code}"
        await self._note_calls()

    async def _start(self) -> int:
        self.starts.append(datetime.now(UTC))
        return await self._world.start()

    async def _live(self, life: Life) -> None:
        world = self._world
        await self._note_calls()
        pid = await self._start()
        for lost in life.lost:
            await world.fault(lost.service, lost.call, "reset_after", skip=lost.skip)
        strike = life.strike
        if isinstance(strike, AtCall):
            action = f"kill_{strike.when}"
            await world.fault(strike.service, strike.call, action, pid=pid, skip=strike.skip)
        number = len(self.starts) - 1
        self._sending += [asyncio.create_task(self._send(photo, number)) for photo in life.photos]
        if life.press is not None:
            self._sending.append(asyncio.create_task(self._press(life.press, number)))
        assert world.process is not None
        death = asyncio.create_task(world.process.wait())
        if await self._is_dead(death, life):
            self.kills.append(str(strike))
        else:
            self.kills.append("at a call that was not made")
            self._kill()
        code = await death
        await world.no_faults()
        assert code == -signal.SIGKILL, f"the bot ended by itself with {code}"

    async def _is_dead(self, death: asyncio.Task[int], life: Life) -> bool:
        """Wait for the kill, or do it; False: the call at which it was to be is not made."""
        strike = life.strike
        if isinstance(strike, AtCall):
            await self._started(death)
            return await _ends(death, _MISSED)
        if strike.since == "started":
            await self._started(death)
        if not await _ends(death, strike.seconds):
            self._kill()
        return True

    def _kill(self) -> None:
        assert self._world.process is not None
        self._world.process.kill()

    async def _started(self, death: asyncio.Task[int]) -> None:
        """Wait until the process has introduced itself to Telegram, or is dead."""

        async def look() -> bool:
            after = self._marks["telegram"]
            calls = await self._world.calls("telegram", call="getWebhookInfo", after=after)
            return death.done() or bool(calls)

        await until(look, "the bot has started")

    async def _send(self, photo: Photo, life: int) -> None:
        await asyncio.sleep(photo.after)
        person = self._people[photo.person]
        others: list[int] = []
        if photo.in_group:
            chat = self._groups[photo.number % _GROUPS]
            caption = f"/count@sandbox_bot {photo.count} {photo.prompt}"
        else:
            chat = person.id
            caption = f"{photo.prompt} /count {photo.count}"
        first = photo.way == "words first"
        # whoever writes first sends nothing else before the photo
        async with self._talking[chat]:
            if first:
                others.append((await person.text(caption))["message_id"])
            message = await person.photo(
                None if first else caption, contents=(_SAMPLE,) * photo.parts, chat=chat
            )
        place, at = message["message_id"], len(self.sent)
        self.sent.append(
            SentPhoto(photo=photo, chat=chat, message_id=place, life=life, others=tuple(others))
        )
        if photo.way == "edited":
            await asyncio.sleep(photo.until)
            await person.edit(message, f"{photo.prompt} {CHANGED} /count {photo.count}")
        elif photo.way == "cancelled":
            await asyncio.sleep(photo.until)
            stop = await person.text("/cancel", reply_to=place)
            self.sent[at] = replace(self.sent[at], others=(stop["message_id"],))

    async def _press(self, after: float, life: int) -> None:
        """Let someone want the same again that has been made for them in an earlier life."""
        if not self._world.database.exists():
            return
        made = {
            (row["chat_id"], row["message_id"]): row["id"]
            for row in self._world.rows(
                "SELECT id, chat_id, message_id FROM tasks"
                " WHERE state = 'delivered' AND parent_id IS NULL"
            )
        }
        for at, sent in enumerate(self.sent):
            again = made.get((sent.chat, sent.message_id))
            if again is None or sent.pressed is not None or sent.photo.way == "cancelled":
                continue
            if not (shown := await self._shown(sent.chat, again)):
                continue
            self.sent[at] = replace(sent, pressed=life)
            await asyncio.sleep(after)
            person = self._people[sent.photo.person]
            await person.press_blindly(shown[-1], f"again:{again}", chat=sent.chat)
            return

    async def _shown(self, chat: int, task: int) -> list[JSON]:
        messages = (await self._world.see(f"chats/{chat}"))["messages"]
        return [m for m in messages if m["from_bot"] and f"#{task} " in text_of(m)]

    async def _is_settled(self) -> bool:
        """Say whether nothing is left to be done: then every photo should have had its end."""
        assert self._world.process is not None
        code = self._world.process.returncode
        assert code is None, f"the bot ended by itself with {code}"
        if (await self._world.see("updates"))["pending"] or not self._world.database.exists():
            return False
        [left] = self._world.rows(
            "SELECT (SELECT count(*) FROM inbox WHERE state = 'new')"
            " + (SELECT count(*) FROM albums WHERE closed = 0)"
            " + (SELECT count(*) FROM tasks WHERE finished_at IS NULL) AS n"
        )
        return bool(left["n"] == 0)

    async def _note_calls(self) -> None:
        """Read what is new in the journals: they do not keep everything for ever."""
        for service, mark in self._marks.items():
            found = await self._world.calls(service, after=mark)
            self.calls[service] += found
            self._marks[service] = max([mark, *(call["n"] for call in found)])

    async def evidence(self) -> Evidence:
        """Gather what there is to be seen afterwards, on all sides."""
        world = self._world
        chats = [*(person.id for person in self._people), *self._groups]
        shown = {chat: (await world.see(f"chats/{chat}"))["messages"] for chat in chats}
        return Evidence(
            plan=self._plan,
            kills=tuple(self.kills),
            starts=tuple(self.starts),
            sent=tuple(self.sent),
            chats={
                chat: [message for message in messages if message["from_bot"]]
                for chat, messages in shown.items()
            },
            telegram=self.calls["telegram"],
            hidream=self.calls["hidream"],
            parallel=PARALLEL,
            made=await world.made(),
            tasks=world.rows("SELECT * FROM tasks"),
            steps=world.rows("SELECT * FROM steps"),
            submissions=world.rows("SELECT * FROM submissions"),
            tallies={row["name"]: row["n"] for row in world.rows("SELECT * FROM tallies")},
            aside=world.rows("SELECT * FROM inbox WHERE state = 'aside'"),
            integrity=world.rows("PRAGMA integrity_check"),
        )


async def _ends(death: asyncio.Task[int], seconds: float) -> bool:
    done, _ = await asyncio.wait({death}, timeout=seconds)
    return bool(done)


async def storm(path: Path, plan: Plan) -> Evidence:
    """Let a storm pass over a world of its own.

    Raises:
        AssertionError: the bot ended by itself, or did not settle; with the bot's last words.
    """
    settings = Settings(
        seconds=plan.seconds,
        jitter=0.5,
        parallel=PARALLEL,
        lookup_by_request_id=plan.lookup,
        batch=plan.batch,
    )
    async with opened(path, settings=settings) as world:
        await world.set_hidream(scale=0.05)
        world.settings["hidream"] |= {
            "parallel_requests": PARALLEL,
            "task_deadline_seconds": DEADLINE,
        }
        world.settings["access"] = {"max_unfinished": 1000}
        world.settings["run"] = {"log_level": "INFO"}
        passing = Storm(world, plan)
        try:
            await passing.rage()
        except (AssertionError, TimeoutError) as exc:
            raise AssertionError(f"{exc}\n{world.log[-4000:]}") from exc
        return await passing.evidence()
