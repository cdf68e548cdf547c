"""/stats: what is told and drawn, to whom, and what happens where it cannot be drawn."""

import asyncio
import io
import json
import os
import re
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from PIL import Image
from telegram.ext import CommandHandler

from bot import plots, stats, texts
from bot.handlers.stats import StatsHandlers
from bot.languages import LANGUAGES
from bot.messages import Outcome, Picture, Refused, Sent, Target
from bot.plotting import Plots
from bot.sentences import SENTENCES
from bot.texts import Say
from storage.figures import DAY, DayFigures, Figures, SlotUse, Spread
from storage.tasks import TaskState
from tests.parlour import Parlour, Telegram
from tests.storage.making import START
from tests.test_nothing_refused import FIGURES, NOW_COUNTED

ADMIN: Final = 1
SECOND: Final = timedelta(seconds=1)


def day(
    n: int,
    states: Mapping[TaskState, int],
    *,
    partly: int = 0,
    took: timedelta | None = 5 * SECOND,
    failures: Mapping[str, int] | None = None,
) -> DayFigures:
    """Give the figures of the n-th day."""
    spread = Spread(median=took, p90=2 * took) if took is not None and states else None
    return DayFigures(
        begins=START.replace(hour=0, minute=0, second=0, microsecond=0) + n * DAY,
        states=states,
        partly=partly,
        failures=failures or {},
        pictures=states.get(TaskState.DELIVERED, 0),
        waiting=spread,
        making=spread,
    )


def span(*days: DayFigures, most: int = 3) -> Figures:
    """Put days together, with slots in use that rise to so many."""
    step = stats.step(len(days))
    uses = range(int(len(days) * DAY / step))
    known = [one.waiting for one in days if one.waiting is not None]
    return Figures(
        days=days,
        waiting=known[0] if known else None,
        making=known[0] if known else None,
        slots=tuple(
            SlotUse(begins=days[0].begins + n * step, mean=most * n / len(uses), most=most)
            for n in uses
        ),
    )


# --- what is told ---------------------------------------------------------------------------------


def test_each_task_has_one_outcome() -> None:
    """What failed is told by what it failed for: what was sent, HiDream, or the way through Telegram."""
    states = {TaskState.DELIVERED: 5, TaskState.FAILED: 6, TaskState.GONE: 1}
    states |= {TaskState.CANCELLED: 2, TaskState.QUEUED: 1, TaskState.READY: 1}
    failures = dict.fromkeys(
        ("content-refused", "photo-gone", "hidream-failed", "telegram-refused", "new-one", ""), 1
    )
    found = stats.outcomes(day(0, states, partly=2, failures=failures))
    assert found == {
        "whole": 3,
        "partly": 2,
        "content": 2,
        "hidream": 3,
        "telegram": 2,
        "cancelled": 2,
        "unfinished": 2,
    }
    assert found.total() == sum(states.values())


def test_every_reason_is_known() -> None:
    """The reasons that are not HiDream's are sentences that can be the reason of a failure."""
    assert (stats._CONTENT | stats._TELEGRAM) - SENTENCES.keys() == set()
    assert not stats._CONTENT & stats._TELEGRAM


def test_the_figures_in_words() -> None:
    """The caption has the figures of all days together, and what there is now."""
    first = day(
        0, {TaskState.DELIVERED: 1200, TaskState.FAILED: 300}, failures={"content-refused": 300}
    )
    lines = stats.stats_lines(
        span(first, day(1, {})), {**NOW_COUNTED, "queued": 3, "waiting": 1, "running": 2}, 3
    )
    assert texts.words(*lines).splitlines() == [
        "<b>1 Mar 2026 – 2 Mar 2026</b> (UTC)",
        "Tasks: <b>1,500</b> · pictures brought: <b>1,200</b>",
        "• brought whole: 1,200 (80%)",
        "• words or photo not usable: 300 (20%)",
        "Waiting in line: median 5 sec, 9 of 10 within 10 sec",
        "Making at HiDream: median 5 sec, 9 of 10 within 10 sec",
        "Slots in use: mean 1.5, most 3, configured 3",
        "Now: in line 4, at HiDream 2",
        "Since the beginning: submissions without an answer 5, messages perhaps shown twice 6",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_fits_under_a_picture(language: str) -> None:
    """Even with the largest figures the caption is one that Telegram takes, in each language."""
    lines = stats.stats_lines(FIGURES, NOW_COUNTED, 1000)
    assert {f"stats-{name}" for name in stats.OUTCOMES} <= {line.id for line in lines}
    shown = "\n".join(texts.plain(line, language=language) for line in lines)
    assert texts.units(shown) <= 1024


# --- what is drawn --------------------------------------------------------------------------------

_BUSY: Final = {TaskState.DELIVERED: 90, TaskState.FAILED: 9, TaskState.RUNNING: 1}
_CASES: Final[Mapping[str, Figures]] = {
    "one day": span(day(0, {TaskState.DELIVERED: 3})),
    "a week with gaps": span(*(day(n, _BUSY if n % 3 else {}) for n in range(7))),
    "90 busy days": span(
        *(day(n, _BUSY, partly=9, failures={"nothing-made": 9}) for n in range(90))
    ),
    "a tower": span(
        *(day(n, {TaskState.DELIVERED: 9**5 if n == 12 else 3}) for n in range(13)),
        *(day(n, _BUSY, took=DAY if n == 14 else 3 * SECOND) for n in range(13, 30)),
        most=1000,
    ),
    "nothing was begun": span(*(day(n, {TaskState.CANCELLED: 1}, took=None) for n in range(400))),
}


@pytest.mark.parametrize("case", _CASES)
def test_a_picture_for_a_phone(case: str) -> None:
    """Whatever the figures are, the picture has the size of a phone's screen, and each part has ink in it."""
    data = json.loads(json.dumps(stats.drawn(_CASES[case], 3)))
    with Image.open(io.BytesIO(plots.draw(data))) as picture:
        assert (picture.format, picture.size) == ("PNG", (1280, 1600))
        shades = picture.convert("L")
        for top in range(0, 1600, 400):
            seen = shades.crop((0, top, 1280, top + 400)).histogram()
            assert sum(seen[:120]) > 100, f"nothing from {top} on"
            assert sum(seen[250:]) > 100_000, f"no light ground from {top} on"


def test_times_read_like_times() -> None:
    """A time on an axis is in the largest unit of which there are two."""
    shown = [plots._time(one) for one in (0, 2.5, 12.4, 119, 120, 150, 7200, 172_800)]
    assert shown == ["0 s", "2.5 s", "12 s", "119 s", "2 min", "2.5 min", "2 h", "2 d"]


def test_nothing_of_the_bot_draws_itself() -> None:
    """No module of the bot takes in the one that draws: its library would stay in memory."""
    found = [
        path.name
        for path in Path(stats.__file__).parent.rglob("*.py")
        if re.search(
            r"import matplotlib|from matplotlib|bot\.plots import|import plots", path.read_text()
        )
    ]
    assert found == ["plots.py"]


async def test_another_process_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is drawn outside the bot, with nothing left on the disk, and knows none of the bot's secrets."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    drawn = await Plots().draw(stats.drawn(_CASES["one day"], 3))
    assert drawn is not None
    assert drawn.startswith(b"\x89PNG")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("BOT_TELEGRAM__TOKEN", "secret")
    program = "import os; print(sorted(n for n in os.environ if n[:4] == 'BOT_'), os.environ['MPLCONFIGDIR'])"
    told = Plots(command=(sys.executable, "-c", f"{program}; raise SystemExit(3)"))
    assert await told.draw({}) is None


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("raise SystemExit('no fonts')", "no fonts"),
        ("print('no picture')", "plot_not_drawn"),
        ("import time; time.sleep(60)", "took longer than 0.5 seconds"),
    ],
)
async def test_the_log_says_why_there_is_none(
    program: str, why: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """What draws may fail, draw nothing or take too long: it is ended, and the log says why."""
    program = f"import os; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); {program}"
    began = time.monotonic()
    drawing = Plots(command=(sys.executable, "-c", program), seconds=0.5)
    assert await drawing.draw({}) is None
    assert time.monotonic() - began < 10
    assert why in capsys.readouterr().out
    if (tmp_path / "pid").exists():
        with pytest.raises(ProcessLookupError):
            os.kill(int((tmp_path / "pid").read_text()), 0)


async def test_what_cannot_be_started(capsys: pytest.CaptureFixture[str]) -> None:
    """Where no process can be started there is no picture, and the log says why."""
    assert await Plots(command=("/nowhere/python",)).draw({}) is None
    assert "/nowhere/python" in capsys.readouterr().out


async def test_a_drawing_can_be_given_up() -> None:
    """When the bot stops, it does not wait for a picture, and leaves no process behind."""
    drawing = asyncio.create_task(Plots(command=("sleep", "60")).draw({}))
    await asyncio.sleep(0.1)
    drawing.cancel()
    began = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await drawing
    assert time.monotonic() - began < 5


# --- who is told ----------------------------------------------------------------------------------


class Gallery(Telegram):
    """A Telegram that takes pictures, or refuses them."""

    def __init__(self, outcome: Outcome | None = None) -> None:
        super().__init__()
        self.outcome = outcome or Sent(message_ids=(1,))
        self.captions: list[list[str]] = []

    async def send_pictures(
        self, target: Target, pictures: Sequence[Picture], *lines: Say, language: str | None
    ) -> Outcome:
        """Take a picture."""
        assert target.reply_to
        assert [type(picture.content) for picture in pictures] == [bytes]
        assert texts.words(*lines, language=language)
        self.captions.append([line.id for line in lines])
        return self.outcome


def parlour_with(drawn: str, telegram: Gallery) -> Parlour:
    """Give a parlour in which this program draws."""
    parlour = Parlour(telegram, admins=[ADMIN])

    async def others(update: Any, context: Any) -> None:
        raise AssertionError

    handlers = StatsHandlers(parlour.desk, others, Plots(command=(sys.executable, "-c", drawn)))
    command = CommandHandler("stats", handlers.stats)
    parlour.handlers = replace(
        parlour.handlers, for_updates=(command, *parlour.handlers.for_updates)
    )
    return parlour


_DRAWN: Final = r"import sys; sys.stdout.buffer.write(b'\x89PNG')"


async def test_an_admin_gets_a_picture() -> None:
    """It comes with its figures; where there are none, words are enough."""
    telegram = Gallery()
    parlour = parlour_with(_DRAWN, telegram)
    await parlour.post("/stats")
    assert parlour.read() == [
        ["stats-heading", "stats-none", "stats-slots", "stats-now", "stats-ever"]
    ]
    await parlour.post("make it snow", photo="a", user=2)
    await parlour.post("/stats 1")
    assert telegram.captions == [
        ["stats-day", "stats-tasks", "stats-unfinished", "stats-slots", "stats-now", "stats-ever"]
    ]


@pytest.mark.parametrize(
    ("drawn", "outcome"),
    [("raise SystemExit(1)", None), (_DRAWN, Refused(reason="PHOTO_INVALID_DIMENSIONS"))],
)
async def test_the_figures_come_without_a_picture(drawn: str, outcome: Outcome | None) -> None:
    """Where there is no picture, or Telegram does not take it, the figures come as a text that says so."""
    parlour = parlour_with(drawn, Gallery(outcome))
    await parlour.post("make it snow", photo="a", user=2)
    await parlour.post("/stats 90")
    [said] = parlour.read()
    assert (said[0], said[-1]) == ("stats-heading", "stats-no-picture")


@pytest.mark.parametrize("words", ["0", "366", "-7", "7 days", "１０００", "x" * 5000, "1.5", "²"])
async def test_numbers_that_are_none(words: str) -> None:
    """What is no number of days that can be shown gets a sentence that says which are."""
    parlour = Parlour(admins=[ADMIN])
    await parlour.post(f"/stats {words}")
    assert parlour.read() == [["stats-wrong"]]


async def test_it_is_for_admins_alone() -> None:
    """To others it is a command that the bot does not know; in a group not even an admin gets the figures."""
    parlour = Parlour(admins=[ADMIN])
    await parlour.post("/stats", user=2)
    assert parlour.read() == [["unknown-command"]]
    await parlour.post("/stats", user=ADMIN, chat=-5)
    assert parlour.read() == [["stats-private"]]
    await parlour.post("/stats", user=2, chat=-5)
    assert parlour.read() == [], "what is not known is not answered there"
    private = Parlour(admins=[ADMIN], allowed_users=[2])
    await private.post("/stats", user=3)
    assert private.read() == [["not-allowed"]]
