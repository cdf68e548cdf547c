"""One task's delivery, step by step: pictures, what came late, or the reason why there is none.

Each message is a step, noted before it is sent and again when it arrived; a repeat begins at the
first open step. Where Telegram's answer was lost the message is sent again, and counted: rather
twice than never. The progress message goes last.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, Literal

import structlog

from bot import reports
from bot.keeping import keep
from bot.messages import Button, Chat, Later, Outcome, Picture, Refused, Sent, Target, Unknown
from bot.texts import Say
from storage.clock import Clock
from storage.files import PictureFiles
from storage.store import TaskStore
from storage.tasks import Image, ImageState, SentImage, Task, TaskState

log = structlog.get_logger(__name__)

End = Literal[TaskState.DELIVERED, TaskState.FAILED, TaskState.GONE]

MOST_REPEATS: Final = 3
"""So often a message is sent again whose arrival is not known."""
_CLEAN_UP_TRIES: Final = 10
"""So often it is tried to put a progress message away."""
_PHOTO_BYTES: Final = 10 * 2**20
"""Bot API: sendPhoto takes no more."""
_PHOTO_SIDES: Final = 10_000
"""Width and height together, in pixels (Bot API: sendPhoto)."""
_PHOTO_RATIO: Final = 20

_SHOWN: Final = ("pictures", "files")
"""The steps that show what came in time."""

_EXTENSIONS: Final = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


class Delivery:
    """What is sent for a task that is over."""

    def __init__(self, *, store: TaskStore, chat: Chat, files: PictureFiles, clock: Clock) -> None:
        self._store = store
        self._chat = chat
        self._files = files
        self._clock = clock

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
        if any(known.state == "sent" for name in _SHOWN if (known := steps.get(name))):
            return Sent(), TaskState.DELIVERED  # it was only reopened for what came late
        try:
            contents = [self._files.find(task.id, image.n) for image in made]
        except FileNotFoundError:
            log.error("picture_files_missing")  # noqa: TRY400 - the path would be all the news
            return await self._notice(task, Say("pictures-lost")), TaskState.FAILED
        pictures = [
            _picture(task, image, content) for image, content in zip(made, contents, strict=True)
        ]
        lines = reports.result(task, images)
        outcome: Outcome = Refused(reason="not fit for a photo")
        if all(_fits_photo(image) for image in made) and "files" not in steps:
            outcome = await self._album(
                task, "pictures", made=made, pictures=pictures, lines=lines, sent_as="photo"
            )
        if isinstance(outcome, Refused):
            log.info("sent_as_files", why=outcome.reason)
            outcome = await self._album(
                task, "files", made=made, pictures=pictures, lines=lines, sent_as="document"
            )
        if isinstance(outcome, Refused):
            # neither way: the reason is honest, and the tries are over
            log.error("pictures_refused", why=outcome.reason)
            return await self._notice(task, Say("telegram-refused")), TaskState.FAILED
        return outcome, TaskState.DELIVERED

    async def _album(
        self,
        task: Task,
        step: str,
        *,
        made: Sequence[Image],
        pictures: Sequence[Picture],
        lines: Sequence[Say],
        sent_as: Literal["photo", "document"],
    ) -> Outcome:
        sending = partial(
            self._chat.send_pictures,
            Target.in_reply_to(task.place),
            pictures,
            *lines,
            language=task.language,
            sent_as=sent_as,
        )

        def kept_as(file_ids: Sequence[str]) -> list[SentImage]:
            return [
                SentImage(n=image.n, file_id=file_id, sent_as=sent_as)
                for image, file_id in zip(made, file_ids, strict=False)
            ]

        return await self._step(task, step, sending, kept_as=kept_as)

    async def _late(self, task: Task, image: Image) -> tuple[Outcome, bool]:
        """Send a picture that came after the task was over; returns also whether it is shown."""
        try:
            content = self._files.find(task.id, image.n)
        except FileNotFoundError:
            log.error("late_picture_missing", n=image.n)  # noqa: TRY400 - as above
            await self._store.late_told(task, image.n)
            return Sent(), False
        outcome: Outcome = Refused(reason="not fit for a photo")
        for sent_as in ("photo", "document") if _fits_photo(image) else ("document",):
            outcome = await self._album(
                task,
                f"late-{image.n}-{sent_as}",
                made=(image,),
                pictures=(_picture(task, image, content),),
                lines=(reports.late(task),),
                sent_as="photo" if sent_as == "photo" else "document",
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
        return await self._notice(
            task, reports.failure(task), buttons=reports.failure_buttons(task)
        )

    async def _notice(self, task: Task, line: Say, *, buttons: Sequence[Button] = ()) -> Outcome:
        sending = partial(
            self._chat.say,
            Target.in_reply_to(task.place),
            line,
            language=task.language,
            buttons=buttons,
        )
        return await self._step(task, "notice", sending)

    # --- steps

    async def _step(
        self,
        task: Task,
        name: str,
        send: Callable[[], Awaitable[Outcome]],
        *,
        kept_as: Callable[[Sequence[str]], list[SentImage]] = lambda _: [],
    ) -> Outcome:
        """Send one message of a delivery, unless an earlier try has; note what became of it."""
        step = await self._store.step_started(task, name, self._clock.now())
        if step is None:
            raise RuntimeError("this delivery was taken over by another process")
        if step.state == "sent":
            return Sent()
        if step.repeats:
            log.warning("maybe_shown_twice", step=name, repeats=step.repeats)
        outcome = await send()
        if isinstance(outcome, Unknown) and step.repeats >= MOST_REPEATS:
            # a way on which answers are always lost: it has most likely arrived each time
            log.error("arrival_never_known", step=name)
            outcome = Sent()
        match outcome:
            case Sent(message_ids=ids, file_ids=file_ids):
                now, images = self._clock.now(), kept_as(file_ids)
                await keep(lambda: self._store.step_sent(task, name, ids, images, now))
            case Unknown():
                pass
            case _:
                await self._store.step_not_sent(task, name)
        return outcome

    async def _tell_by_progress(self, task: Task) -> Outcome:
        """Let the progress message tell the reason that Telegram takes in no message of its own."""
        if task.progress_message_id is None:
            return Sent()
        outcome = await self._chat.edit(
            task.place.chat_id,
            task.progress_message_id,
            reports.failure(task),
            language=task.language,
            buttons=reports.failure_buttons(task),
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


def _picture(task: Task, image: Image, content: Path) -> Picture:
    extension = _EXTENSIONS.get(image.media_type or "", "jpg")
    return Picture(content=content, name=f"{task.id}-{image.n + 1}.{extension}")


def _fits_photo(image: Image) -> bool:
    """Whether Telegram takes this as a photo (Bot API: sendPhoto)."""
    width, height = image.width or 1, image.height or 1
    return (
        (image.size or 0) <= _PHOTO_BYTES
        and width + height <= _PHOTO_SIDES
        and max(width, height) <= _PHOTO_RATIO * min(width, height)
    )
