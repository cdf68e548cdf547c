"""A local Telegram and a local HiDream, each a process of its own, and what they have seen."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import httpx

from bench.arithmetic import Span
from bench.processes import NotMeasured, Process, started

JSON = dict[str, Any]

HIDREAM_TOKEN: Final = "bench"  # noqa: S105 - opens only the sandbox
_LOOK: Final = 0.05
_PERSONS_AT_ONCE: Final = 8
_READY_SECONDS: Final = 30.0
_TIDYING_SECONDS: Final = 5.0
"""For so long it is waited for the last progress messages to be put away."""
RESULTS: Final = frozenset({"batch", "results"})
"""The calls by which results are asked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """A task as HiDream knows it. Times are seconds of the wall clock."""

    user_id: int
    submitted: float
    ended: float
    images: tuple[str, ...]

    @property
    def span(self) -> Span:
        """From when to when it ran."""
        return Span(begins=self.submitted, ends=self.ended)


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A call that a service took: when it came, in seconds of the wall clock."""

    name: str
    at: float
    params: JSON
    outcome: str
    detail: str


@dataclass(kw_only=True, slots=True)
class Service:
    """One of the two, over HTTP."""

    url: str
    token: str
    process: Process
    http: httpx.AsyncClient
    _calls: list[Call] = field(default_factory=list)
    _seen: int = 0

    async def calls(self) -> list[Call]:
        """Give all calls that have ended so far."""
        found = (await self._get("/sandbox/calls", after=self._seen))["calls"]
        for entry in found:
            self._seen = max(self._seen, entry["n"])
            self._calls.append(
                Call(
                    name=entry["call"],
                    at=datetime.fromisoformat(entry["time"]).timestamp(),
                    params=entry["params"],
                    outcome=entry["outcome"],
                    detail=entry["detail"],
                )
            )
        return self._calls

    async def named(self, *names: str) -> list[Call]:
        """Give the calls of these names that went well."""
        return [c for c in await self.calls() if c.name in names and c.outcome == "ok"]

    async def _get(self, path: str, **query: Any) -> JSON:
        self.process.check()
        return _json(await self.http.get(f"{self.url}{path}", params=query))

    async def _post(self, path: str, **values: Any) -> JSON:
        self.process.check()
        return _json(await self.http.post(f"{self.url}{path}", json=values))


class HiDream(Service):
    """The local HiDream."""

    async def set(self, **settings: Any) -> None:
        """Change how it behaves."""
        await self._post("/sandbox/settings", **settings)

    async def tasks(self) -> list[Made]:
        """Give all tasks that have ended.

        Raises:
            NotMeasured: one that was asked for has not.
        """
        found = (await self._get("/sandbox/tasks"))["tasks"]
        if any(task["ended_at"] is None for task in found):
            raise NotMeasured("a task at HiDream has not ended")
        return [
            Made(
                user_id=int(task["user_id"]),
                submitted=datetime.fromisoformat(task["submitted_at"]).timestamp(),
                ended=datetime.fromisoformat(task["ended_at"]).timestamp(),
                images=tuple(task["images"]),
            )
            for task in found
        ]


class Telegram(Service):
    """The local Telegram, and the people there."""

    async def people(self, count: int) -> list[int]:
        """Let so many people be there; gives their ids."""
        return [
            int((await self._post("/person/users", first_name=f"P{n}"))["id"]) for n in range(count)
        ]

    async def text(self, person: int, text: str) -> None:
        """Let a person write to the bot."""
        await self._post(f"/person/chats/{person}/text", user_id=person, text=text)

    async def photo(self, person: int, content: bytes, caption: str) -> None:
        """Let a person send a photo."""
        await self._upload(person, "photo", ("photo.jpg", content, "image/jpeg"), caption)

    async def file(self, person: int, name: str, content: bytes, caption: str) -> None:
        """Let a person send a picture as a file."""
        media_type = "image/png" if name.endswith(".png") else "image/jpeg"
        await self._upload(person, "document", (name, content, media_type), caption)

    async def all_send(self, people: Sequence[int], content: bytes, caption: str) -> None:
        """Let these people send a photo each, as fast as it goes."""
        places = asyncio.Semaphore(_PERSONS_AT_ONCE)

        async def send(person: int) -> None:
            async with places:
                await self.photo(person, content, caption)

        await asyncio.gather(*(send(person) for person in people))

    async def pictures(self, count: int, *players: Process) -> list[Call]:
        """Wait until so many pictures are in chats, and the messages before them are put away.

        Raises:
            NotMeasured: a player has ended.
        """
        patience: float | None = None
        while True:
            for player in players:
                player.check()
            shown = await self.named("sendPhoto", "sendDocument")
            if len(shown) >= count:
                said, gone = await self.named("sendMessage"), await self.named("deleteMessage")
                patience = patience or time.monotonic() + _TIDYING_SECONDS
                if len(gone) >= len(said) or time.monotonic() > patience:
                    return shown
            await asyncio.sleep(4 * _LOOK)

    async def given(self) -> dict[int, float]:
        """Say when each update was given out, in seconds of the wall clock."""
        given = (await self._get("/person/updates/given"))["given"]
        return {int(id_): datetime.fromisoformat(at).timestamp() for id_, at in given.items()}

    async def _upload(
        self, person: int, kind: str, file: tuple[str, bytes, str], caption: str
    ) -> None:
        _json(
            await self.http.post(
                f"{self.url}/person/chats/{person}/{kind}",
                data={"user_id": person, "caption": caption},
                files={kind: file},
            )
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Services:
    """Both, for one player alone."""

    telegram: Telegram
    hidream: HiDream
    folder: Path


@asynccontextmanager
async def services(folder: Path, **settings: Any) -> AsyncIterator[Services]:
    """Start both; `settings` are HiDream's.

    Its pictures are drawn once, so that what is measured does not wait for a drawing.
    """
    folder.mkdir(parents=True)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(
            httpx.AsyncClient(timeout=60, trust_env=False, verify=False)  # noqa: S501 - loopback
        )
        telegram = Telegram(http=http, **await _listening(stack, folder, "telegram"))
        hidream = HiDream(
            http=http, **await _listening(stack, folder, "hidream", "--token", HIDREAM_TOKEN)
        )
        await hidream.set(drawn="once", **settings)
        yield Services(telegram=telegram, hidream=hidream, folder=folder)


async def _listening(
    stack: AsyncExitStack, folder: Path, name: str, *arguments: str
) -> dict[str, Any]:
    ready = folder / f"{name}.json"
    process = await stack.enter_async_context(
        started(
            f"the local {name}",
            *("sandbox", name, "--ready-file", str(ready), *arguments),
            log=folder / f"{name}.log",
        )
    )
    try:
        async with asyncio.timeout(_READY_SECONDS):
            while not ready.exists():
                process.check()
                await asyncio.sleep(_LOOK)
    except TimeoutError as exc:
        raise NotMeasured(f"the local {name} does not listen") from exc
    return {**json.loads(ready.read_text()), "process": process}


def _json(answer: httpx.Response) -> JSON:
    if answer.status_code != httpx.codes.OK:
        raise NotMeasured(f"{answer.request.url} answered {answer.status_code}: {answer.text:.200}")
    found: JSON = answer.json()
    return found
