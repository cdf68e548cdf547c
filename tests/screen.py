"""A chat as a person sees it: what its messages show now, after all edits and deletions."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot import texts
from bot.messages import Button, Outcome, Picture, Refused, Sent, Target
from bot.texts import Say
from sandbox.telegram.markup import formatted, units
from storage.tasks import SentImage, Task, TaskState
from tests.parlour import Parlour, Said, Telegram
from tests.storage.making import accept, claim, claim_delivery, reach, there

_LIMITS = {True: 1024, False: 4096}
"""UTF-16 units of a caption and of a text (Bot API)."""


@dataclass
class Message:
    """One message of the bot, as it is now."""

    chat_id: int
    text: str
    lines: list[str]
    buttons: dict[str, str]
    """What they bring back, by label."""
    picture: str | None = None
    sent_as: str | None = None
    spoiler: bool = False


@dataclass
class Screen(Telegram):
    """The port, with a memory of what is shown."""

    shown: dict[int, Message] = field(default_factory=dict)
    ends: dict[str, list[Outcome]] = field(default_factory=dict)
    """What the next calls come to, by name, instead of their effect."""
    lost: set[str] = field(default_factory=set)
    """File ids that Telegram no longer knows."""
    numbers: int = 20_000

    @property
    def last(self) -> Message:
        """Give the latest message."""
        return self.shown[max(self.shown)]

    @property
    def last_id(self) -> int:
        """Give the latest message's number."""
        return max(self.shown)

    async def say(self, target: Target, *lines: Say, **how: Any) -> Outcome:
        """Take a text."""
        if end := self._end("say"):
            return end
        return self._show(target, _message(target.chat_id, lines, how))

    async def send_pictures(
        self, target: Target, pictures: Sequence[Picture], *lines: Say, **how: Any
    ) -> Outcome:
        """Take pictures."""
        if end := self._end("send_pictures"):
            return end
        assert len(pictures) == 1 or not how.get("buttons"), "an album has no buttons"
        if self.lost & {str(picture.content) for picture in pictures}:
            return Refused(reason="Bad Request: wrong file identifier/HTTP URL specified")
        messages = [
            _message(target.chat_id, lines, how, str(picture.content)) for picture in pictures
        ]
        numbers = [self._show(target, one).message_ids[0] for one in messages]
        return Sent(message_ids=tuple(numbers))

    async def edit(self, chat_id: int, message_id: int, *lines: Say, **how: Any) -> Outcome:
        """Change a text."""
        return self._change("edit", message_id, _message(chat_id, lines, how), text=True)

    async def edit_caption(self, chat_id: int, message_id: int, *lines: Say, **how: Any) -> Outcome:
        """Change the text on a picture."""
        there = self.shown.get(message_id)
        new = _message(chat_id, lines, how, there.picture if there else None)
        return self._change("edit_caption", message_id, new, text=False)

    async def edit_buttons(self, chat_id: int, message_id: int, buttons: Any, **_: Any) -> Outcome:
        """Change buttons."""
        assert self.shown[message_id].chat_id == chat_id
        self.shown[message_id].buttons = _labels(buttons, None)
        return Sent(message_ids=(message_id,))

    async def replace_picture(
        self, chat_id: int, message_id: int, picture: Picture, *lines: Say, **how: Any
    ) -> Outcome:
        """Put another picture into a message."""
        if end := self._end("replace_picture"):
            return end
        if str(picture.content) in self.lost:
            return Refused(reason="Bad Request: wrong file identifier/HTTP URL specified")
        new = _message(chat_id, lines, how, str(picture.content))
        return self._change("replace_picture", message_id, new, text=None)

    async def delete(self, chat_id: int, message_id: int) -> Outcome:
        """Delete a message."""
        del chat_id
        if end := self._end("delete"):
            return end
        self.shown.pop(message_id, None)
        return Sent()

    async def answer_press(self, press_id: str, line: Say | None = None, **how: Any) -> Outcome:
        """Take an answer to a press."""
        del press_id, how
        if line:
            assert units(texts.plain(line)) <= 200
        self.notices.append(line.id if line else "")
        return Sent()

    def progress(self, task: Task) -> int:
        """Show a task's progress message, and give its number."""
        data = f"cancel:{task.id}"
        message = Message(task.place.chat_id, "⏳", ["progress-next"], {"✖️ Stop it": data})
        return self._show(Target(chat_id=task.place.chat_id), message).message_ids[0]

    def _end(self, call: str) -> Outcome | None:
        waiting = self.ends.get(call)
        return waiting.pop(0) if waiting else None

    def _show(self, target: Target, message: Message) -> Sent:
        self.numbers += 1
        self.shown[self.numbers] = message
        known = [Button(label=Say("settings"), data=data) for data in message.buttons.values()]
        self.said.append(
            Said(
                message_id=self.numbers,
                target=target,
                lines=tuple(Say(one) for one in message.lines),
                buttons=tuple(known),
                ask=False,
            )
        )
        return Sent(message_ids=(self.numbers,))

    def _change(self, call: str, message_id: int, new: Message, *, text: bool | None) -> Outcome:
        if end := self._end(call):
            return end
        there = self.shown.get(message_id)
        if there is None:
            return Refused(reason="Bad Request: message to edit not found")
        if text is not None and text != (there.picture is None):
            return Refused(reason="Bad Request: there is no text in the message to edit")
        if new.sent_as is None:
            new.sent_as = there.sent_as
        self.shown[message_id] = new
        return Sent(message_ids=(message_id,))


def _message(
    chat_id: int, lines: Sequence[Say], how: dict[str, Any], picture: str | None = None
) -> Message:
    language = how.get("language")
    text = _plain(texts.words(*lines, language=language)) if lines else ""
    assert units(text) <= _LIMITS[picture is not None]
    return Message(
        chat_id=chat_id,
        text=text,
        lines=[line.id for line in lines],
        buttons=_labels(how.get("buttons", ()), language),
        picture=picture,
        sent_as=how.get("sent_as", "photo") if picture else None,
        spoiler=how.get("spoiler", False),
    )


def _labels(buttons: Any, language: str | None) -> dict[str, str]:
    flat = [button for row in buttons for button in row]
    for button in flat:
        assert len(button.data.encode()) <= 64
    return {texts.plain(button.label, language=language): button.data for button in flat}


def _plain(words: str) -> str:
    return formatted(words, parse_mode="HTML", entities=None).text


class Room(Parlour):
    """A parlour with such a chat."""

    def __init__(self, **access: Any) -> None:
        self.screen = Screen()
        super().__init__(self.screen, **access)

    async def task(self, state: TaskState = TaskState.QUEUED, user: int = 1, **more: Any) -> Task:
        """Bring a new task into a state; it has two pictures once it has any."""
        return await reach(self.store, state, next(self._numbers), user_id=user, **more)

    async def now(self, task: Task) -> Task:
        """Give a task as it is now."""
        return there(await self.store.get(task.id))

    async def announced(self, task: Task) -> int:
        """Show a task's progress message, and give its number."""
        number = self.screen.progress(task)
        await self.store.note_progress_message(task.id, number)
        return number

    async def result(self, user: int = 1, prompt: str | None = None, **more: Any) -> Task:
        """Have a task made and brought, with two pictures."""
        task = await self.task(TaskState.QUEUED, user, **more)
        if prompt is not None:
            settings = replace(task.settings, prompt=prompt)
            task = there(await self.store.change(task, settings=settings))
        return await self.brought(
            task, [SentImage(n=n, file_id=f"{task.id}.{n}", sent_as="photo") for n in range(2)]
        )

    async def brought(self, task: Task, sent: Sequence[SentImage]) -> Task:
        """Have a task made, and these pictures of it brought."""
        task = there(await accept(self.store, there(await claim(self.store, task))))
        for image in sent:
            await self.store.image_made(task.id, image.n, "https://x")
            await self.store.image_stored(
                task.id, image.n, media_type="image/jpeg", width=2, height=1, size=3
            )
        await self.store.ready(task, now=self.clock.now())
        task = there(await claim_delivery(self.store, now=self.clock.now()))
        await self.store.step_started(task, "pictures", self.clock.now())
        at = [100 * task.id + image.n for image in sent]
        await self.store.step_sent(task, "pictures", at, sent, self.clock.now())
        return there(await self.store.finish(task, TaskState.DELIVERED, self.clock.now()))

    async def tap(
        self, label: str, *, at: int | None = None, user: int = 1, update_id: int | None = None
    ) -> str:
        """Let someone press a button of a message (the latest); returns the notice, by sentence."""
        number = self.screen.last_id if at is None else at
        message = self.screen.shown[number]
        said = Said(
            message_id=number,
            target=Target(chat_id=message.chat_id),
            lines=(),
            buttons=(),
            ask=False,
        )
        return await self.press(said, message.buttons[label], user=user, update_id=update_id)

    def message(self, number: int, chat: int = 1) -> Said:
        """Give a message of the bot to reply to."""
        return Said(message_id=number, target=Target(chat_id=chat), lines=(), buttons=(), ask=False)
