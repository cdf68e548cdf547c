"""One task's delivery, step by step: pictures, what came late, or the reason why there is none.

Each message is a step, noted before it is sent and again when it arrived; a repeat begins at the
first open step. Where Telegram's answer was lost the message is sent again, and counted: rather
twice than never. The progress message goes last.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, Literal

import structlog

from bot import keyboards, reports
from bot.messages import (
    Chat,
    Keyboard,
    Later,
    Outcome,
    Picture,
    Refused,
    Sent,
    Target,
    Unknown,
)
from bot.originals import on_disk, stored
from bot.steps import Steps
from bot.texts import Say
from storage.clock import Clock
from storage.files import PictureFiles
from storage.store import TaskStore
from storage.tasks import Image, ImageState, SentImage, Task, TaskState

log = structlog.get_logger(__name__)

End = Literal[TaskState.DELIVERED, TaskState.FAILED, TaskState.GONE]
SentAs = Literal["photo", "document"]
Standing = Callable[[Task], Awaitable[str]]
"""Gives the negative words that hold for a task's person where a caption of theirs has none."""

_CLEAN_UP_TRIES: Final = 10
"""So often it is tried to put a progress message away."""
_PHOTO_BYTES: Final = 10 * 2**20
"""Bot API: sendPhoto takes no more."""
_PHOTO_SIDES: Final = 10_000
"""Width and height together, in pixels (Bot API: sendPhoto)."""
_PHOTO_RATIO: Final = 20

_SHOWN: Final[dict[SentAs, str]] = {"photo": "pictures", "document": "files"}
"""The steps that show what came in time."""
_BUTTONS: Final = "buttons"
"""The step after an album, which carries none itself."""


async def nothing_stands(_: Task) -> str:
    """Give none: a caption without negative words has none."""
    return ""


class Delivery:
    """What is sent for a task that is over."""

    def __init__(
        self,
        *,
        store: TaskStore,
        chat: Chat,
        files: PictureFiles,
        clock: Clock,
        standing: Standing = nothing_stands,
    ) -> None:
        self._store = store
        self._chat = chat
        self._files = files
        self._steps = Steps(store=store, chat=chat, clock=clock)
        self._standing = standing

    async def bring(self, task: Task) -> tuple[Outcome, End]:
        """Send whatever is open of a task; returns how the last call ended, and the row's end if that is Sent.

        Raises:
            StoreError: a step could not be noted.
        """
        images = await self._store.images(task.id)
        stored = [image for image in images if image.state is ImageState.STORED]
        in_time = [image for image in stored if image.late is None]
        outcome: Outcome
        end: End
        if task.failure is None and in_time:
            outcome, end = await self._pictures(task, images, in_time)
        else:
            outcome, end = await self._failure(task), TaskState.FAILED
        for image in stored:
            if isinstance(outcome, Sent) and image.late == "due":
                outcome, shown = await self._late(task, image)
                end = TaskState.DELIVERED if shown else end
        if isinstance(outcome, Sent):
            outcome = await self._put_progress_away(task)
        elif isinstance(outcome, Refused):
            log.error("telegram_refuses_delivery", why=outcome.reason)
            outcome, end = await self._tell_by_progress(task), TaskState.FAILED
        return outcome, end

    # --- pictures

    async def _pictures(
        self, task: Task, images: Sequence[Image], made: Sequence[Image]
    ) -> tuple[Outcome, End]:
        """Send what there is as photos, as files where Telegram takes no photos, else the reason."""
        steps = await self._store.steps(task.id)
        for name in _SHOWN.values():
            # it comes again for its buttons, or was reopened for what came late
            if (known := steps.get(name)) and known.state == "sent":
                return await self._buttons(task, made, known.message_ids), TaskState.DELIVERED
        pictures, lost = on_disk(self._files, task, made)
        if lost:
            log.error("picture_files_missing", n=sorted(lost))
        if not pictures:
            return await self._notice(task, Say("pictures-lost")), TaskState.FAILED
        # what is there is brought, and its caption says what is not
        made = [image for image in made if image.n not in lost]
        images = [
            replace(image, state=ImageState.UNFETCHED) if image.n in lost else image
            for image in images
        ]
        lines = reports.result(task, images, standing=await self._standing(task))
        outcome: Outcome = Refused(reason="not fit for a photo")
        ways = _ways(task, made)
        tried = [n for n, way in enumerate(ways) if _SHOWN[way] in steps]
        for sent_as in ways[max(tried, default=0) :]:  # those before were refused
            outcome, message_ids = await self._album(
                task, _SHOWN[sent_as], made=made, pictures=pictures, lines=lines, sent_as=sent_as
            )
            if not isinstance(outcome, Refused):
                break
            log.info("refused_as", way=sent_as, why=outcome.reason)
        if isinstance(outcome, Refused):
            # neither way: the reason is honest, and the tries are over
            log.error("pictures_refused", why=outcome.reason)
            return await self._notice(task, Say("telegram-refused")), TaskState.FAILED
        if isinstance(outcome, Sent):
            outcome = await self._buttons(task, made, message_ids)
        return outcome, TaskState.DELIVERED

    async def _album(
        self,
        task: Task,
        step: str,
        *,
        made: Sequence[Image],
        pictures: Sequence[Picture],
        lines: Sequence[Say],
        sent_as: SentAs,
    ) -> tuple[Outcome, tuple[int, ...]]:
        """Send one picture with its buttons, or an album; returns also the messages' ids."""
        sending = partial(
            self._chat.send_pictures,
            Target.in_reply_to(task.place),
            pictures,
            *lines,
            language=task.language,
            sent_as=sent_as,
            buttons=keyboards.result(task, as_file=sent_as == "document") if len(made) == 1 else (),
            spoiler=any(photo.spoiler for photo in task.photos),
            silent=task.settings.silent,
        )

        def kept_as(file_ids: Sequence[str]) -> list[SentImage]:
            return [
                SentImage(n=image.n, file_id=file_id, sent_as=sent_as)
                for image, file_id in zip(made, file_ids, strict=False)
            ]

        return await self._steps.take(task, step, sending, kept_as=kept_as)

    async def _buttons(self, task: Task, made: Sequence[Image], album: Sequence[int]) -> Outcome:
        """Let an album's buttons follow it; one picture has them itself."""
        if len(made) < 2:
            return Sent()
        # where its arrival was never known, neither are its messages
        reply_to = album[0] if album else task.place.message_id
        as_file = all(
            image.sent_as == "document"
            for image in await self._store.images(task.id)
            if image.sent_as is not None
        )
        sending = partial(
            self._chat.say,
            Target(chat_id=task.place.chat_id, thread_id=task.place.thread_id, reply_to=reply_to),
            Say("result-next", {"task": task.id}),
            language=task.language,
            buttons=keyboards.result(task, as_file=as_file),
            silent=True,  # the album has made its sound
        )
        outcome, _ = await self._steps.take(task, _BUTTONS, sending)
        if isinstance(outcome, Refused):
            log.error("buttons_refused", why=outcome.reason)
            return Sent()  # what was waited for has arrived
        return outcome

    async def _late(self, task: Task, image: Image) -> tuple[Outcome, bool]:
        """Send a picture that came after the task was over; returns also whether it is shown."""
        try:
            picture = stored(self._files, task, image)
        except FileNotFoundError:
            log.error("late_picture_missing", n=image.n)  # noqa: TRY400 - as above
            await self._store.late_told(task, image.n)
            return Sent(), False
        lines = reports.late(task, standing=await self._standing(task))
        outcome: Outcome = Refused(reason="not fit for a photo")
        for sent_as in _ways(task, (image,)):
            outcome, _ = await self._album(
                task,
                f"late-{image.n}-{sent_as}",
                made=(image,),
                pictures=(picture,),
                lines=lines,
                sent_as=sent_as,
            )
            if not isinstance(outcome, Refused):
                break
        if isinstance(outcome, Sent | Refused):
            await self._store.late_told(task, image.n)
        shown = isinstance(outcome, Sent)
        # what Telegram does not take is over: the person has been told that there is no picture
        return (Sent() if isinstance(outcome, Refused) else outcome), shown

    # --- reasons

    async def _failure(self, task: Task) -> Outcome:
        return await self._notice(task, reports.failure(task), buttons=keyboards.failure(task))

    async def _notice(self, task: Task, line: Say, *, buttons: Keyboard = ()) -> Outcome:
        sending = partial(
            self._chat.say,
            Target.in_reply_to(task.place),
            line,
            language=task.language,
            buttons=buttons,
            silent=task.settings.silent,
        )
        outcome, _ = await self._steps.take(task, "notice", sending)
        return outcome

    # --- the progress message

    async def _tell_by_progress(self, task: Task) -> Outcome:
        """Let the progress message tell the reason that Telegram takes in no message of its own."""
        if task.progress_message_id is None:
            return Sent()
        outcome = await self._chat.edit(
            task.place.chat_id,
            task.progress_message_id,
            reports.failure(task),
            language=task.language,
            buttons=keyboards.failure(task),
        )
        passes = isinstance(outcome, Later | Unknown) and task.tries < _CLEAN_UP_TRIES
        return outcome if passes else Sent()

    async def _put_progress_away(self, task: Task) -> Outcome:
        """Delete the progress message or, where Telegram no longer lets us, let it say the end."""
        # one that becomes known after the claim is deleted by whoever has sent it
        message_id = task.progress_message_id
        if message_id is None:
            return Sent()
        outcome = await self._chat.delete(task.place.chat_id, message_id)
        if isinstance(outcome, Refused):
            outcome = await self._chat.edit(
                task.place.chat_id, message_id, Say("progress-over"), language=task.language
            )
        # what the person waited for has arrived: only a failure that passes is worth another try
        passes = isinstance(outcome, Later | Unknown) and task.tries < _CLEAN_UP_TRIES
        return outcome if passes else Sent()


def _ways(task: Task, images: Sequence[Image]) -> tuple[SentAs, ...]:
    """Say how pictures are sent: the way that is wanted, then the other, where Telegram may take it."""
    if not all(_fits_photo(image) for image in images):
        return ("document",)
    return ("document", "photo") if task.settings.as_file else ("photo", "document")


def _fits_photo(image: Image) -> bool:
    """Whether Telegram takes this as a photo (Bot API: sendPhoto)."""
    width, height = image.width or 1, image.height or 1
    return (
        (image.size or 0) <= _PHOTO_BYTES
        and width + height <= _PHOTO_SIDES
        and max(width, height) <= _PHOTO_RATIO * min(width, height)
    )
