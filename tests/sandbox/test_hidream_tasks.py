"""Tests of how tasks run in the local HiDream, with a clock that is set by hand."""

import random
from dataclasses import dataclass

import pytest

from sandbox.hidream.settings import Settings
from sandbox.hidream.tasks import Ending, Task, Tasks
from sandbox.hidream.wire import Photo, Refusal, Submission


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def asked(prompt: str = "snow", count: int = 1, request_id: str = "") -> Submission:
    """Make a submission, as it is after validation."""
    return Submission(
        version=2,
        photos=(Photo(url="https://example.com/a.jpg"),),
        prompt=prompt,
        negative_prompt="",
        ratio="1:1",
        width=64,
        height=64,
        count=count,
        request_id=request_id,
        notify_url="",
    )


@pytest.fixture
def clock() -> Clock:
    """A clock to move."""
    return Clock()


@pytest.fixture
def tasks(clock: Clock) -> Tasks:
    """An account with room for many tasks, each taking 10 s."""
    settings = Settings(seconds=10, jitter=0, parallel=100)
    return Tasks(settings=settings, clock=clock, rng=random.Random(1))


def draw(task: Task, at: float) -> None:
    """Let a task's pictures be drawn at a time."""
    for sub in task.sub_tasks:
        sub.picture, sub.drawn = b"jpeg", at


def statuses(task: Task, now: float) -> list[int]:
    """Read the statuses that are shown at a time."""
    return [sub.status_at(now) for sub in task.sub_tasks]


def test_sub_tasks_wait_then_are_made_then_done(tasks: Tasks, clock: Clock) -> None:
    """Sub-tasks pass from 0 over 2 to 1, one after the other, their progress never falling."""
    task, _ = tasks.submit(asked(count=3), user_id="7")
    draw(task, clock.now)
    seen: list[tuple[int, ...]] = []
    shares: list[float] = []
    for tenth in range(105):
        now = clock.now + tenth / 10
        here = tuple(statuses(task, now))
        if not seen or seen[-1] != here:
            seen.append(here)
        shares.append(task.sub_tasks[2].shown(now, base_url="", scale=1)["task_completion"])
    assert seen[0] == (0, 0, 0)
    assert (2, 2, 2) in seen
    assert seen[-3:] == [(1, 2, 2), (1, 1, 2), (1, 1, 1)]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert len(set(shares)) > 50


def test_image_is_told_only_when_done(tasks: Tasks, clock: Clock) -> None:
    """The URL appears with status 1, below the base that was asked."""
    task, _ = tasks.submit(asked(), user_id="7")
    draw(task, clock.now)
    assert not task.sub_tasks[0].shown(clock.now + 5, base_url="http://h", scale=1)["image"]
    done = task.sub_tasks[0].shown(clock.now + 10, base_url="http://h", scale=100)
    assert done["image"].startswith("http://h/images/")
    assert done["image"].endswith(".jpg")
    assert done["task_completion"] == 100


def test_task_is_done_only_when_drawn(tasks: Tasks, clock: Clock) -> None:
    """A picture that takes longer to draw than the task should last is waited for."""
    task, _ = tasks.submit(asked(), user_id="7")
    assert statuses(task, clock.now + 60) == [2]
    draw(task, clock.now + 60)
    assert statuses(task, clock.now + 59) == [2]
    assert statuses(task, clock.now + 60) == [1]


@pytest.mark.parametrize("status", [3, 4, 1004, 1005, 1006])
def test_task_ends_badly_on_demand(tasks: Tasks, clock: Clock, status: int) -> None:
    """A queued ending decides the next task's statuses; those not named succeed."""
    tasks.endings.append(Ending(statuses=(status,), description="because"))
    task, _ = tasks.submit(asked(count=2), user_id="7")
    draw(task, clock.now)
    assert statuses(task, clock.now + 10) == [status, 1]
    shown = [sub.shown(clock.now + 10, base_url="", scale=1) for sub in task.sub_tasks]
    assert shown[0]["description"] == "because"
    assert not shown[0]["image"]
    assert "description" not in shown[1]
    following, _ = tasks.submit(asked(), user_id="7")
    draw(following, clock.now)
    assert statuses(following, clock.now + 10) == [1]


@pytest.mark.parametrize(("given", "shown"), [(-3, -3), (77, 77), ("never", 2), (0, 0)])
def test_task_can_stay_as_it_is(tasks: Tasks, clock: Clock, given: object, shown: int) -> None:
    """A status that is not final stays for ever, and the task holds its slot."""
    tasks.settings = tasks.settings.changed({"parallel": 1})
    tasks.endings.append(Ending.from_json({"statuses": [given]}))
    task, _ = tasks.submit(asked(), user_id="7")
    assert statuses(task, clock.now + 1e6) == [shown]
    clock.now += 1e6
    with pytest.raises(Refusal, match="parallel"):
        tasks.submit(asked(), user_id="7")


@pytest.mark.parametrize(
    ("prompt", "ends"),
    [
        ("a blocked-by-review cat", [4, 4, 4]),
        ("Fails-In-The-Making", [3, 3, 3]),
        ("makes-nothing", [1004, 1004, 1004]),
        ("half-done", [1, 3, 3]),
        ("blocked by review", [1, 1, 1]),
    ],
)
def test_words_decide_the_end(tasks: Tasks, clock: Clock, prompt: str, ends: list[int]) -> None:
    """Certain words in a prompt make its task end in a certain way."""
    task, _ = tasks.submit(asked(prompt, count=3), user_id="7")
    draw(task, clock.now)
    assert statuses(task, clock.now + 10) == ends


@pytest.mark.parametrize("prompt", ["a NAKED man", "gore", "bloody, but nice"])
def test_illegal_content_is_refused(tasks: Tasks, prompt: str) -> None:
    """Illegal words are refused at submission, and cost no slot."""
    tasks.settings = tasks.settings.changed({"parallel": 1})
    with pytest.raises(Refusal) as refused:
        tasks.submit(asked(prompt), user_id="7")
    assert refused.value.outcome == "refused"
    assert "敏感" in refused.value.message
    tasks.submit(asked("gorey nakedness"), user_id="7")


def test_parallel_tasks_are_limited(tasks: Tasks, clock: Clock) -> None:
    """A task more than the tier allows is refused until one has ended; images do not count."""
    tasks.settings = tasks.settings.changed({"parallel": 2})
    for _ in range(2):
        draw(tasks.submit(asked(count=4), user_id="7")[0], clock.now)
    with pytest.raises(Refusal, match="parallel") as refused:
        tasks.submit(asked(), user_id="8")
    assert "并行" in refused.value.message
    clock.now += 9.9
    with pytest.raises(Refusal, match="parallel"):
        tasks.submit(asked(), user_id="8")
    clock.now += 0.2
    tasks.submit(asked(), user_id="8")
    assert tasks.peak_parallel == 2


def test_images_a_minute_are_limited(tasks: Tasks, clock: Clock) -> None:
    """Images count for 60 s from their submission; what was refused does not count."""
    tasks.settings = tasks.settings.changed({"images_per_minute": 6})
    tasks.submit(asked(count=4), user_id="7")
    clock.now += 30
    with pytest.raises(Refusal, match="minute"):
        tasks.submit(asked(count=3), user_id="7")
    tasks.submit(asked(count=2), user_id="7")
    clock.now += 29.9
    with pytest.raises(Refusal, match="minute"):
        tasks.submit(asked(), user_id="7")
    clock.now += 0.2
    tasks.submit(asked(count=4), user_id="7")
    assert tasks.peak_images_per_minute == 6


def test_request_id_makes_a_task_each_time(tasks: Tasks) -> None:
    """The same request_id makes two tasks, unless the service is set to tell them apart."""
    first, _ = tasks.submit(asked(request_id="r"), user_id="7")
    second, is_new = tasks.submit(asked(request_id="r"), user_id="7")
    assert is_new
    assert second.task_id != first.task_id
    tasks.settings = tasks.settings.changed({"dedupe_request_id": True})
    third, is_new = tasks.submit(asked(request_id="r"), user_id="7")
    assert not is_new
    assert third is first


def test_duration_varies(clock: Clock) -> None:
    """Tasks take between 1 - jitter and 1 + jitter of the time that is set."""
    settings = Settings(seconds=10, jitter=0.5, parallel=1000, images_per_minute=1000)
    tasks = Tasks(settings=settings, clock=clock, rng=random.Random(1))
    ends = [tasks.submit(asked(), user_id="7")[0].sub_tasks[0].ends for _ in range(200)]
    took = [end - clock.now for end in ends]
    assert 5 <= min(took) < 6
    assert 14 < max(took) <= 15


def test_results_can_be_missing_at_first(tasks: Tasks, clock: Clock) -> None:
    """For a while there is no list of results, or an empty one: both happen."""
    tasks.settings = tasks.settings.changed({"results_missing_at_first": 2})
    shown = []
    for _ in range(2):
        task, _ = tasks.submit(asked(), user_id="7")
        shown.append(task.shown(clock.now + 1, base_url=""))
        assert len(task.shown(clock.now + 2, base_url="")["sub_task_results"]) == 1
    assert ["sub_task_results" in result for result in shown] == [False, True]
    assert shown[1]["sub_task_results"] == []


def test_url_dies_after_a_while(tasks: Tasks, clock: Clock) -> None:
    """A picture can be fetched once it is done, until its URL's time is over."""
    tasks.settings = tasks.settings.changed({"url_seconds": 5})
    task, _ = tasks.submit(asked(), user_id="7")
    [sub] = task.sub_tasks
    draw(task, clock.now)
    with pytest.raises(KeyError):
        tasks.picture(sub.image)
    clock.now += 10
    task.shown(clock.now, base_url="")
    clock.now += 5
    assert tasks.picture(sub.image) == b"jpeg"
    clock.now += 0.1
    assert tasks.picture(sub.image) is None


@pytest.mark.parametrize(
    "value",
    [{}, {"statuses": 1}, {"statuses": ["x"]}, {"statuses": [True]}, {"statuses": [], "x": 1}],
)
def test_ending_is_checked(value: dict[str, object]) -> None:
    """A mistake in a test's ending is told, not ignored."""
    with pytest.raises(ValueError, match="status"):
        Ending.from_json(value)


@pytest.mark.parametrize(
    "values",
    [
        {"secnods": 1},
        {"seconds": "1"},
        {"seconds": True},
        {"parallel": 1.5},
        {"parallel": 0},
        {"batch": 1},
        {"completion_scale": 10},
        {"token_style": "odd"},
        {"jitter": 2},
        {"url_seconds": "x"},
    ],
)
def test_settings_are_checked(values: dict[str, object]) -> None:
    """A setting that does not exist, or cannot have this value, is refused."""
    with pytest.raises(ValueError, match=next(iter(values))):
        Settings().changed(values)


def test_settings_change_what_is_named() -> None:
    """A change leaves all other settings as they were."""
    changed = Settings(parallel=3).changed({"seconds": 1, "url_seconds": None})
    assert changed == Settings(parallel=3, seconds=1)
