"""A parlour with pictures on its walls: results that were brought, and what becomes of their messages."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from bot.delivery import Delivery
from bot.handlers.subject import shown
from bot.messages import Button, Chat, Outcome, Picture, Refused, Sent, Target
from bot.texts import Say
from storage.tasks import (
    Failure,
    ImageState,
    NewTask,
    Origin,
    Photo,
    Place,
    Settings,
    Task,
    TaskState,
)
from tests.parlour import BOT_ID, Parlour, Said, Telegram
from tests.storage.making import HOUR, there

ADA = 1
PHOTO = Photo(file_id="photo", file_unique_id="unique", width=640, height=480)
SNOW = Settings(prompt="make it snow", negative="text", ratio="4:3", count=1)


@dataclass
class Shown:
    """One message of the bot, as the chat shows it now."""

    lines: tuple[str, ...]
    buttons: tuple[Button, ...] = ()
    sent_as: str = "text"
    content: Any = None
    spoiler: bool = False
    chat_id: int = ADA

    def labels(self) -> list[str]:
        """Give the buttons, by sentence."""
        return [button.label.id for button in self.buttons]

    def data(self) -> list[str]:
        """Give what the buttons bring back."""
        return [button.data for button in self.buttons]


def _flat(buttons: Any) -> tuple[Button, ...]:
    return tuple(button for row in buttons for button in row)


def _ids(lines: Sequence[Say]) -> tuple[str, ...]:
    return tuple(line.id for line in lines)


@dataclass
class Walls(Telegram):
    """The port, with a memory of what is shown."""

    shows: dict[int, Shown] = field(default_factory=dict)
    alerts: list[str] = field(default_factory=list)
    old: bool = False
    """Whether all messages are too old to be deleted."""
    stuck: set[int] = field(default_factory=set)
    """Messages that can be neither deleted nor changed."""
    ends: dict[str, list[Outcome]] = field(default_factory=dict)
    """What the next calls come to, by name, instead of their effect."""
    numbers: int = 20_000

    def _end(self, call: str) -> Outcome | None:
        waiting = self.ends.get(call, [])
        return waiting.pop(0) if waiting else None

    async def say(self, target: Target, *lines: Say, **how: Any) -> Outcome:
        """Take a text."""
        language, ask = how.get("language"), how.get("ask", False)
        buttons = how.get("buttons", ())
        outcome = await super().say(target, *lines, language=language, ask=ask, buttons=buttons)
        if isinstance(outcome, Sent):
            [number] = outcome.message_ids
            shown = Shown(_ids(lines), _flat(buttons), chat_id=target.chat_id)
            self.shows[number] = shown
        return outcome

    async def answer_press(
        self, press_id: str, line: Say | None, *, language: str | None, alert: bool
    ) -> Outcome:
        """Take an answer to a press."""
        if line is not None and alert:
            self.alerts.append(line.id)
        return await super().answer_press(press_id, line, language=language, alert=alert)

    async def send_pictures(
        self, target: Target, pictures: Sequence[Picture], *lines: Say, **how: Any
    ) -> Outcome:
        """Take pictures."""
        if (end := self._end("send_pictures")) is not None:
            return end
        first, ids = self.numbers, range(self.numbers, self.numbers + len(pictures))
        self.numbers += len(pictures)
        sent_as = how.get("sent_as", "photo")
        for number, picture in zip(ids, pictures, strict=True):
            self.shows[number] = Shown(
                _ids(lines) if number == first else (),
                _flat(how.get("buttons", ())),
                sent_as=sent_as,
                content=picture.content,
                spoiler=how.get("spoiler", False),
                chat_id=target.chat_id,
            )
        files = tuple(f"{sent_as} {number}" for number in ids)
        return Sent(message_ids=tuple(ids), file_ids=files)

    def _change(self, call: str, message_id: int, **change: Any) -> Outcome:
        if (end := self._end(call)) is not None:
            return end
        if message_id in self.stuck or message_id not in self.shows:
            return Refused(reason="message can't be edited")
        self.shows[message_id] = replace(self.shows[message_id], **change)
        return Sent(message_ids=(message_id,))

    async def edit(
        self, chat_id: int, message_id: int, *lines: Say, buttons: Any = (), **_: Any
    ) -> Outcome:
        """Change a text."""
        del chat_id
        return self._change("edit", message_id, lines=_ids(lines), buttons=_flat(buttons))

    async def edit_buttons(self, chat_id: int, message_id: int, buttons: Any, **_: Any) -> Outcome:
        """Change buttons."""
        del chat_id
        return self._change("edit_buttons", message_id, buttons=_flat(buttons))

    async def replace_picture(
        self, chat_id: int, message_id: int, picture: Picture, *lines: Say, **how: Any
    ) -> Outcome:
        """Put another picture into a message."""
        del chat_id
        assert how["sent_as"] == self.shows[message_id].sent_as
        return self._change(
            "replace_picture",
            message_id,
            lines=_ids(lines),
            buttons=(),
            content=picture.content,
        )

    async def delete(self, chat_id: int, message_id: int) -> Outcome:
        """Delete a message."""
        del chat_id
        if (end := self._end("delete")) is not None:
            return end
        if message_id in self.shows and (self.old or message_id in self.stuck):
            return Refused(reason="message can't be deleted")
        self.shows.pop(message_id, None)
        return Sent()


class Gallery(Parlour):
    """A parlour in which tasks are over."""

    def __init__(self, pictures: Path, **more: Any) -> None:
        self.walls = Walls()
        super().__init__(self.walls, pictures=pictures, **more)
        self._delivery = Delivery(
            store=self.store,
            chat=cast("Chat", self.walls),
            files=self.files,
            clock=self.clock,
        )

    async def order(self, settings: Settings = SNOW, **more: Any) -> Task:
        """Queue a task."""
        number = next(self._numbers)
        place = Place(chat_id=ADA, chat_type="private", message_id=number)
        new = NewTask(
            **{
                "origin": Origin(bot_id=BOT_ID, update_id=number),
                "user_id": ADA,
                "place": place,
                "photos": (PHOTO,),
                "settings": settings,
                "language": "en",
                **more,
            }
        )
        return await self.store.add(new, now=self.clock.now(), max_unfinished=None)

    async def result(self, settings: Settings = SNOW, **more: Any) -> Task:
        """Have a task made and brought."""
        return await self._bring(await self._stored(await self.order(settings, **more)))

    async def failed(self, **more: Any) -> Task:
        """Have a task come to nothing, and its reason told."""
        task = await self._at_hidream(await self.order(**more))
        await self.store.image_ended(task.id, 0, ImageState.REFUSED, "no")
        ready = await self.store.ready(
            task, now=self.clock.now(), failure=Failure(id="review-refused")
        )
        return await self._bring(there(ready))

    async def late(self, settings: Settings) -> Task:
        """Have a task with one picture in time, and one that comes after all."""
        task = await self._at_hidream(await self.order(settings))
        await self._store_image(task, 0)
        await self.store.image_ended(task.id, 1, ImageState.EXPIRED, "late")
        task = await self._bring(there(await self.store.ready(task, now=self.clock.now())))
        await self.store.image_late(task.id, 1, "https://x")
        await self._store_image(task, 1)
        return await self._bring(there(await self.store.reopen(task, now=self.clock.now())))

    async def over(self, task: Task) -> None:
        """Stop a task."""
        await self.store.cancel(there(await self.store.get(task.id)), self.clock.now())

    async def _at_hidream(self, task: Task) -> Task:
        now = self.clock.now()
        claimed = await self.store.claim(
            task,
            owner="o",
            lease_until=now + HOUR,
            request_id=f"r{task.id}",
            ratio_used=task.settings.ratio or "4:3",
            parallel=99,
            now=now,
            held_until=now + HOUR,
        )
        accepted = await self.store.accepted(
            there(claimed),
            hidream_task_id=f"h{task.id}",
            sub_task_ids=[str(n) for n in range(task.settings.count)],
            now=now,
            deadline_at=now + HOUR,
            held_until=now + HOUR,
        )
        return there(accepted)

    async def _store_image(self, task: Task, n: int) -> None:
        await self.store.image_made(task.id, n, "https://x")
        await self.files.put(task.id, n, f"{task.id}.{n}".encode())
        await self.store.image_stored(
            task.id, n, media_type="image/jpeg", width=1024, height=768, size=9
        )

    async def _stored(self, task: Task) -> Task:
        task = await self._at_hidream(task)
        for n in range(task.settings.count):
            await self._store_image(task, n)
        return there(await self.store.ready(task, now=self.clock.now()))

    async def arriving(self, settings: Settings = SNOW) -> Task:
        """Have a task brought whose delivery is not quite over."""
        return await self._brought(await self._stored(await self.order(settings)))

    async def _bring(self, task: Task) -> Task:
        claimed = await self._brought(task)
        now, there_is_one = self.clock.now(), shown(await self.store.images(task.id))
        if there_is_one:
            return there(await self.store.finish(claimed, TaskState.DELIVERED, now))
        return there(await self.store.finish(claimed, TaskState.FAILED, now))

    async def _brought(self, task: Task) -> Task:
        now = self.clock.now()
        claimed = there(
            await self.store.claim_delivery(
                owner="o", lease_until=now + HOUR, now=now, busy_chats=()
            )
        )
        assert claimed.id == task.id
        outcome, _ = await self._delivery.bring(claimed)
        assert isinstance(outcome, Sent), outcome
        return claimed

    # --- what people do

    def under(self, task: Task) -> int:
        """Give the message that has a task's buttons."""
        return max(
            number
            for number, shown in self.walls.shows.items()
            if any(data.split(":")[1] == str(task.id) for data in shown.data())
        )

    async def tap(
        self, message_id: int, data: str, *, user: int = ADA, update_id: int | None = None
    ) -> str:
        """Let someone press a button; returns what the press was answered with."""
        chat_id = self.walls.shows[message_id].chat_id if message_id in self.walls.shows else ADA
        said = Said(
            message_id=message_id,
            target=Target(chat_id=chat_id),
            lines=(),
            buttons=(),
            ask=False,
        )
        return await self.press(said, data, user=user, update_id=update_id)
