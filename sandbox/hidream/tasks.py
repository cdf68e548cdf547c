"""The tasks of the local HiDream: what runs, how far it is, and what the account still may.

Nothing ticks here: a task's state follows from the clock and from which pictures are drawn.
"""

import random
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sandbox.hidream.content import is_refused, statuses_for
from sandbox.hidream.settings import Settings
from sandbox.hidream.wire import Refusal, Submission

WAITING: Final = 0
DONE: Final = 1
MAKING: Final = 2
FAILED: Final = 3
FINAL: Final = frozenset({DONE, FAILED, 4, 1004, 1005, 1006})

_MINUTE: Final = 60.0
_WAITING_SHARE: Final = 0.12  # of its time a sub-task waits
_STAGGER: Final = 0.25  # over this last share of a task its sub-tasks end one after another

_DESCRIPTIONS: Final[Mapping[int, str]] = {
    FAILED: "生成失败，请稍后重试",
    4: "生成结果未通过审核",
    1004: "模型未能根据提示词生成图片，请更换提示词",
    1005: "模型未能根据提示词生成图片，请更换提示词",
    1006: "模型未能根据提示词生成图片，请更换提示词",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """How the next task ends: a status for each sub-task; those not named succeed.

    A status that is not final stays until it is released, as "never" does (which shows as 2).
    """

    statuses: tuple[int, ...]
    description: str = ""
    user_id: str | None = None
    """Whose next task; None: anybody's."""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Ending":
        """Read an ending from parsed JSON.

        Raises:
            ValueError: it is not `{"statuses": [integers or "never"], "description": text,
                "user_id": text}`.
        """
        if set(value) - {"statuses", "description", "user_id"}:
            raise ValueError("an ending has statuses, and perhaps a description and a user_id")
        statuses: Any = value.get("statuses")
        description: Any = value.get("description", "")
        user_id: Any = value.get("user_id")
        fits = isinstance(statuses, list) and isinstance(description, str)
        if not fits or not isinstance(user_id, str | None):
            raise ValueError("statuses is a list, description and user_id are texts")
        read = [MAKING if status == "never" else status for status in statuses]
        if not all(isinstance(status, int) and not isinstance(status, bool) for status in read):
            raise ValueError('a status is an integer or "never"')
        return cls(statuses=tuple(read), description=description, user_id=user_id)


@dataclass(kw_only=True, slots=True)
class SubTask:
    """The making of one image. Times are the clock's."""

    sub_task_id: str
    begins: float
    ends: float
    status: int
    description: str
    image: str
    """The name under which the picture is served."""
    picture: bytes = b""
    drawn: float | None = None
    told: float | None = None
    """When its URL was told for the first time."""

    def ended(self) -> float | None:
        """When it ended or will, if that is known."""
        if self.status not in FINAL:
            return None
        if self.status != DONE:
            return self.ends
        return None if self.drawn is None else max(self.ends, self.drawn)

    def is_over(self, now: float) -> bool:
        """Tell whether it has ended."""
        ended = self.ended()
        return ended is not None and ended <= now

    def status_at(self, now: float) -> int:
        """Tell the `task_status` that is shown now."""
        if self.is_over(now):
            return self.status
        if now < self.begins:
            return WAITING
        return MAKING if self.status in FINAL else self.status

    def shown(self, now: float, *, base_url: str, scale: int) -> dict[str, Any]:
        """Write it as an entry of `sub_task_results`."""
        status = self.status_at(now)
        share = (now - self.begins) / max(1e-9, self.ends - self.begins)
        share = 1.0 if status == DONE else min(0.99, max(0.0, share))
        result: dict[str, Any] = {
            "sub_task_id": self.sub_task_id,
            "task_status": status,
            "task_completion": round(share * scale, 3 if scale == 1 else 0),
            "image": "",
        }
        if status == DONE:
            self.told = now if self.told is None else self.told
            result["image"] = f"{base_url}/images/{self.image}"
        elif self.description and self.is_over(now):
            result["description"] = self.description
        return result


@dataclass(kw_only=True, slots=True)
class Task:
    """A task that was accepted."""

    number: int
    task_id: str
    request_id: str
    user_id: str
    submission: Submission
    submitted: float
    submitted_at: datetime
    shows_results: float
    """From when on `sub_task_results` is told."""
    sub_tasks: list[SubTask]

    def ended(self) -> float | None:
        """When its last sub-task ended or will, if that is known."""
        ends = [sub.ended() for sub in self.sub_tasks]
        known = [end for end in ends if end is not None]
        return max(known) if len(known) == len(ends) else None

    def is_over(self, now: float) -> bool:
        """Tell whether every sub-task has ended."""
        return all(sub.is_over(now) for sub in self.sub_tasks)

    def shown(
        self, now: float, *, base_url: str, scale: int = 1, with_id: bool = True
    ) -> dict[str, Any]:
        """Write it as a `result`."""
        result: dict[str, Any] = {"task_id": self.task_id} if with_id else {}
        if now < self.shows_results:
            # Both have been thought of: every second task has no list yet, the others an empty one.
            return result if self.number % 2 else {**result, "sub_task_results": []}
        result["sub_task_results"] = [
            sub.shown(now, base_url=base_url, scale=scale) for sub in self.sub_tasks
        ]
        return result


@dataclass(kw_only=True)
class Tasks:
    """All tasks that were accepted since the start, and the account's limits."""

    settings: Settings
    clock: Callable[[], float] = time.monotonic
    rng: random.Random = field(default_factory=random.Random)
    endings: deque[Ending] = field(default_factory=deque)
    peak_parallel: int = 0
    peak_images_per_minute: int = 0

    def __post_init__(self) -> None:
        self._tasks: dict[str, Task] = {}
        self._images: dict[str, SubTask] = {}
        self._of_images: dict[str, Task] = {}
        self._minute: deque[tuple[float, int]] = deque()

    def submit(self, submission: Submission, *, user_id: str) -> tuple[Task, bool]:
        """Accept a task, and tell whether it is a new one.

        Raises:
            Refusal: for its content, or the account's limits; nothing was accepted.
        """
        now = self.clock()
        if self.settings.dedupe_request_id and submission.request_id:
            known = self.by_request_id(submission.request_id)
            if known is not None:
                return known, False
        if is_refused(submission.prompt):
            raise Refusal(code=2003, message="输入内容包含敏感信息，请修改后重试", detail="content")
        running = sum(not task.is_over(now) for task in self._tasks.values())
        if running >= self.settings.parallel:
            raise Refusal(
                code=2001,
                message=f"并发请求数超过限制（当前套餐最多 {self.settings.parallel} 个并行任务），请稍后重试",
                detail="parallel",
            )
        while self._minute and self._minute[0][0] <= now - _MINUTE:
            self._minute.popleft()
        images = sum(count for _, count in self._minute) + submission.count
        if images > self.settings.images_per_minute:
            raise Refusal(
                code=2002,
                message=f"请求过于频繁，超过每分钟 {self.settings.images_per_minute} 张图片的限制",
                detail="images a minute",
            )
        self._minute.append((now, submission.count))
        self.peak_parallel = max(self.peak_parallel, running + 1)
        self.peak_images_per_minute = max(self.peak_images_per_minute, images)
        task = self._made(submission, user_id=user_id, now=now)
        self._tasks[task.task_id] = task
        self._images.update((sub.image, sub) for sub in task.sub_tasks)
        self._of_images.update((sub.image, task) for sub in task.sub_tasks)
        return task, True

    def _made(self, submission: Submission, *, user_id: str, now: float) -> Task:
        count = submission.count
        ending = next((one for one in self.endings if one.user_id in {None, user_id}), None)
        if ending is not None:
            self.endings.remove(ending)
            given = [*ending.statuses[:count], *[DONE] * (count - len(ending.statuses))]
            statuses, description = given, ending.description
        else:
            statuses, description = statuses_for(submission.prompt, count), ""
        spread = self.rng.uniform(-1, 1) * self.settings.jitter
        takes = self.settings.seconds * (1 + spread)
        sub_tasks = [
            SubTask(
                sub_task_id=str(uuid.uuid4()),
                begins=now + takes * _WAITING_SHARE * (1 + index / count),
                ends=now + takes * (1 - _STAGGER * (count - 1 - index) / count),
                status=status,
                description="" if status == DONE else description or _DESCRIPTIONS.get(status, ""),
                image=f"{uuid.uuid4().hex}.jpg",
            )
            for index, status in enumerate(statuses)
        ]
        return Task(
            number=len(self._tasks) + 1,
            task_id=str(uuid.uuid4()),
            request_id=submission.request_id or str(uuid.uuid4()),
            user_id=user_id,
            submission=submission,
            submitted=now,
            submitted_at=datetime.now(UTC),
            shows_results=now + self.settings.results_missing_at_first,
            sub_tasks=sub_tasks,
        )

    def by_id(self, task_id: str) -> Task | None:
        """Find a task by its id."""
        return self._tasks.get(task_id)

    def by_request_id(self, request_id: str) -> Task | None:
        """Find the first task that was accepted under this request id."""
        return next((t for t in self._tasks.values() if t.request_id == request_id), None)

    def of_picture(self, name: str) -> Task | None:
        """Find the task that a picture with this name belongs to."""
        return self._of_images.get(name)

    def release(self, user_id: str) -> list[Task]:
        """Let a user's tasks that would never end be done from now on; these are what it gives."""
        now = self.clock()
        released = []
        for task in self._tasks.values():
            held = [sub for sub in task.sub_tasks if sub.status not in FINAL]
            if task.user_id == user_id and held:
                released.append(task)
            for sub in held if task.user_id == user_id else ():
                sub.status, sub.ends = DONE, now
        return released

    def picture(self, name: str) -> bytes | None:
        """Give the JPEG that is served under this name, or None where its URL has died.

        Raises:
            KeyError: no picture has, or has yet, this name.
        """
        sub, now = self._images[name], self.clock()
        if not sub.picture or not sub.is_over(now):
            raise KeyError(name)
        lives = self.settings.url_seconds
        if lives is not None and sub.told is not None and now - sub.told > lives:
            return None
        return sub.picture

    def to_json(self) -> dict[str, Any]:
        """Write all tasks, oldest first, and the peaks, as JSON can hold them."""
        now = self.clock()
        return {
            "tasks": [_summary(task, now) for task in self._tasks.values()],
            "peak_parallel": self.peak_parallel,
            "peak_images_per_minute": self.peak_images_per_minute,
        }


def _summary(task: Task, now: float) -> dict[str, Any]:
    ended = task.ended()
    over = ended is not None and ended <= now
    ended_at = task.submitted_at + timedelta(seconds=(ended or 0) - task.submitted)
    return {
        "task_id": task.task_id,
        "request_id": task.request_id,
        "user_id": task.user_id,
        "prompt": task.submission.prompt,
        "negative_prompt": task.submission.negative_prompt,
        "ratio": task.submission.ratio,
        "count": task.submission.count,
        "version": task.submission.version,
        "state": "ended" if over else "running",
        "statuses": [sub.status_at(now) for sub in task.sub_tasks],
        "images": [sub.image for sub in task.sub_tasks],
        "submitted_at": task.submitted_at.isoformat(),
        "ended_at": ended_at.isoformat() if over else None,
    }
