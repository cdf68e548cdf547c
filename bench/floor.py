"""The floor: a bare script that makes the same HTTP calls and decodes the same images as the bot.

No store, no handlers, no checks, no second tries: what it takes is what the work itself takes.
It makes as many calls of each kind as the bot, by the same rules: one progress message a task, edited
at most every 2 s and so many times a second in all; two photos fetched ahead. Where processor time is
compared it is told how often the bot has asked and edited, so that neither has less to do.
"""

import asyncio
import base64
import io
import itertools
import json
import time
from collections import deque
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Any, Final

import click
import httpx
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.serving import serve

_PATH: Final = "/api-pub/gw/v2/image/img2img/async"
_RATIOS: Final = ("9:16", "2:3", "3:4", "1:1", "4:3", "3:2", "16:9")
_LONGEST_SIDE: Final = 2048
_AGAIN: Final = 30.0
"""Seconds after which it asks although no callback came."""
_BURST: Final = 5
_PER_SECOND: Final = 25
"""Telegram's 30 messages of any one second."""
_REST: Final = 3.0
"""Seconds between two edits of a message, as the bot has them."""
_DONE: Final = 1
_UPDATES: Final = ("message", "edited_message", "callback_query", "my_chat_member")

JSON = dict[str, Any]


@dataclass(eq=False, kw_only=True, slots=True)
class Job:
    """A photo on its way to a picture."""

    number: int
    chat: int
    message: int
    file_id: str
    prompt: str
    ready: asyncio.Task[JSON] | None = None
    """The body of its submission, once its photo was fetched."""
    task_id: str = ""
    share: float = 0.0
    progress: int | None = None
    shown: str = ""
    edited: float = 0.0
    announced: asyncio.Event = field(default_factory=asyncio.Event)


class Floor:
    """All of it."""

    def __init__(
        self,
        *,
        telegram: str,
        telegram_token: str,
        hidream: str,
        hidream_token: str,
        slots: int,
        poll: float,
        edit: float,
        http: httpx.AsyncClient,
    ) -> None:
        self._bot = f"{telegram}/bot{telegram_token}"
        self._files = f"{telegram}/file/bot{telegram_token}"
        self._hidream = f"{hidream}{_PATH}"
        self._token = hidream_token
        self._http = http
        self._slots, self._poll, self._edit_every = slots, poll, edit
        self._handing_in = 0
        self._line: deque[Job] = deque()
        self._running: dict[str, Job] = {}
        self._changed = asyncio.Event()
        self._drops, self._dropped = float(_BURST), time.monotonic()
        self._turn = asyncio.Lock()
        self.called = asyncio.Event()
        self.callbacks: str | None = None
        """Where HiDream calls back; None: it is asked all the time."""
        self._work: asyncio.TaskGroup

    async def run(self) -> None:
        """Work until killed."""
        async with asyncio.TaskGroup() as self._work:
            for loop in (self._updates, self._hand_in, self._ask, self._edit):
                self._work.create_task(loop())

    # --- Telegram

    async def _updates(self) -> None:
        offset, numbers = 0, itertools.count(1)
        while True:
            asked: JSON = {
                "timeout": 50,
                "limit": 100,
                "allowed_updates": _UPDATES,
                "offset": offset,
            }
            for update in await self._tell("getUpdates", **asked):
                offset = update["update_id"] + 1
                message = update.get("message", {})
                if file := message.get("document") or (message.get("photo") or [None])[-1]:
                    job = Job(
                        number=next(numbers),
                        chat=message["chat"]["id"],
                        message=message["message_id"],
                        file_id=file["file_id"],
                        prompt=message["caption"],
                    )
                    self._line.append(job)
                    self._work.create_task(self._announce(job))
            self._changed.set()

    async def _announce(self, job: Job) -> None:
        job.shown = self._words(job)
        job.progress = (await self._say(job, "sendMessage", text=job.shown))["message_id"]
        job.edited = time.monotonic()
        job.announced.set()

    async def _edit(self) -> None:
        """Keep the progress messages up to date, those that run first."""
        while True:
            await asyncio.sleep(self._edit_every)
            now = time.monotonic()
            for job in (*self._running.values(), *self._line):
                words = self._words(job)
                due = job.progress is not None and now - job.edited >= _REST
                if due and words != job.shown:
                    job.shown, job.edited = words, now
                    changed = {"chat_id": job.chat, "message_id": job.progress, "text": words}
                    self._work.create_task(self._tell_in_turn("editMessageText", **changed))
                    break

    def _words(self, job: Job) -> str:
        if job.task_id:
            return f"HiDream is at it: {job.share:.0%}."
        return f"You are number {self._line.index(job) + 1 if job in self._line else 1} in line."

    async def _say(self, job: Job, method: str, **values: Any) -> Any:
        reply = {"message_id": job.message, "allow_sending_without_reply": True}
        return await self._tell_in_turn(
            method, chat_id=job.chat, reply_parameters=reply, parse_mode="HTML", **values
        )

    async def _tell_in_turn(self, method: str, **values: Any) -> Any:
        async with self._turn:
            now = time.monotonic()
            self._drops = min(_BURST, self._drops + (now - self._dropped) * _PER_SECOND)
            self._dropped = now
            if self._drops < 1:
                await asyncio.sleep((1 - self._drops) / _PER_SECOND)
            self._drops -= 1
        return await self._tell(method, **values)

    async def _tell(self, method: str, *, photo: bytes | None = None, **values: Any) -> Any:
        form = {k: v if isinstance(v, str) else json.dumps(v) for k, v in values.items()}
        files = None if photo is None else {"photo": ("picture.jpg", photo, "image/jpeg")}
        answer = await self._http.post(f"{self._bot}/{method}", data=form, files=files)
        return answer.raise_for_status().json()["result"]

    # --- HiDream

    async def _hand_in(self) -> None:
        while True:
            self._changed.clear()
            for job in list(self._line)[: 1 + self._slots]:
                if job.ready is None:
                    job.ready = self._work.create_task(self._prepare(job))
                    job.ready.add_done_callback(lambda _: self._changed.set())
            head = self._line[0] if self._line else None
            free = self._slots - len(self._running) - self._handing_in
            if head is not None and free > 0 and head.ready is not None and head.ready.done():
                self._line.popleft()
                self._handing_in += 1
                self._work.create_task(self._submit(head, head.ready.result()))
                continue
            await self._changed.wait()

    async def _prepare(self, job: Job) -> JSON:
        path = (await self._tell("getFile", file_id=job.file_id))["file_path"]
        answer = await self._http.get(f"{self._files}/{path}")
        content = answer.raise_for_status().content
        photo, ratio = await asyncio.to_thread(_as_jpeg, content)
        task: JSON = {"image": base64.b64encode(photo).decode(), "prompt": job.prompt}
        return task | {"aspect_ratio": ratio, "img_count": 1, "request_id": str(job.number)}

    async def _submit(self, job: Job, task: JSON) -> None:
        if self.callbacks is not None:
            task["notify_url"] = f"{self.callbacks}/ended/{job.number}"
        answer = await self._http.post(self._hidream, json=task, headers=self._headers(job))
        job.task_id = answer.raise_for_status().json()["result"]["task_id"]
        self._handing_in -= 1
        self._running[job.task_id] = job

    async def _ask(self) -> None:
        while True:
            if self.callbacks is None:
                await asyncio.sleep(self._poll)
            else:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.called.wait(), _AGAIN)
                self.called.clear()
            if self._running:
                await self._read_results()

    async def _read_results(self) -> None:
        asked = dict(self._running)
        answer = await self._http.post(
            f"{self._hidream}/results/batch",
            json={"task_id_list": list(asked)},
            headers=self._headers(next(iter(asked.values()))),
        )
        for result in answer.raise_for_status().json()["result"]:
            job = asked[result["task_id"]]
            for sub_task in result.get("sub_task_results") or ():
                job.share = sub_task["task_completion"]
                if sub_task["task_status"] == _DONE:
                    del self._running[job.task_id]
                    self._changed.set()
                    self._work.create_task(self._deliver(job, sub_task["image"]))

    async def _deliver(self, job: Job, url: str) -> None:
        content = (await self._http.get(url)).raise_for_status().content
        await asyncio.to_thread(_decode, content)
        await self._say(job, "sendPhoto", photo=content, caption=job.prompt)
        await job.announced.wait()
        gone = {"chat_id": job.chat, "message_id": job.progress}
        await self._tell_in_turn("deleteMessage", **gone)

    def _headers(self, job: Job) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}", "API-User-ID": str(job.chat)}


def _as_jpeg(content: bytes) -> tuple[bytes, str]:
    """Decode a photo; as it is, or (where HiDream would not take it so) made anew."""
    with Image.open(io.BytesIO(content)) as image:
        across, down = image.size
        if image.format == "JPEG":
            image.draft(None, (_LONGEST_SIDE, _LONGEST_SIDE))
        image.load()
        if image.format != "JPEG" or max(across, down) > _LONGEST_SIDE:
            picture = image.convert("RGB")
            picture.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE), Image.Resampling.LANCZOS)
            encoded = io.BytesIO()
            picture.save(encoded, "JPEG", quality=92)
            content = encoded.getvalue()
    return content, min(_RATIOS, key=lambda ratio: abs(_value(ratio) - across / down))


def _value(ratio: str) -> float:
    across, _, down = ratio.partition(":")
    return int(across) / int(down)


def _decode(content: bytes) -> None:
    with Image.open(io.BytesIO(content)) as image:
        image.load()


@click.command()
@click.option("--telegram", required=True)
@click.option("--telegram-token", required=True)
@click.option("--hidream", required=True)
@click.option("--hidream-token", required=True)
@click.option("--slots", type=int, required=True)
@click.option("--poll", type=float, default=0.5, help="Seconds between two results calls.")
@click.option("--edit", type=float, default=0.25, help="Seconds between two edits.")
@click.option("--callbacks", is_flag=True, help="Be called at a task's end, instead of asking.")
def main(*, callbacks: bool, **addresses: Any) -> None:
    """Make pictures until killed."""
    asyncio.run(_run(callbacks=callbacks, **addresses))


async def _run(*, callbacks: bool, **addresses: Any) -> None:
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(
            httpx.AsyncClient(timeout=60, trust_env=False, verify=False)  # noqa: S501 - loopback
        )
        floor = Floor(http=http, **addresses)

        async def ended(_request: Request) -> Response:
            floor.called.set()
            return Response()

        if callbacks:
            app = Starlette(routes=[Route("/ended/{number:int}", ended, methods=["POST"])])
            floor.callbacks = await stack.enter_async_context(serve(app))
        print("started", flush=True)
        await floor.run()


if __name__ == "__main__":
    main()
