"""The bounded form of the crash suite: a hundred kills, and then everything is counted."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.crash.plan import CALLS, AtCall, plans
from tests.crash.reckoning import reckon
from tests.crash.storm import storm

SEED: Final = 1
KILLS: Final = 104
WORLDS: Final = 4
"""Half of them with a HiDream that can be asked by request id; one without batch, one that is slow."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", range(WORLDS))
async def test_storm(
    tmp_path: Path, part: int, record_property: Callable[[str, object], None]
) -> None:
    """Killed at any call and any moment, the bot loses no photo, and counts each repeat."""
    plan = plans(SEED, kills=KILLS, parts=WORLDS)[part]
    come = reckon(await storm(tmp_path, plan))
    record_property("storm", come.to_json())
    again = f"python -m tests.crash --seed {SEED} --kills {KILLS} --parts {WORLDS} --part {part}"
    assert come.wrongs == [], again
    assert come.lost == 0
    assert come.kills.total() == KILLS // WORLDS
    assert come.delivered + come.reasons + come.cancelled == come.photos
    assert come.peak > 1, "there was something to be killed"


def test_a_plan_is_repeatable() -> None:
    """The same seed gives the same plan, another one another; all kills are dealt."""
    dealt = plans(3, kills=KILLS, parts=WORLDS)
    assert dealt == plans(3, kills=KILLS, parts=WORLDS)
    assert dealt != plans(4, kills=KILLS, parts=WORLDS)
    assert sum(len(plan.lives) for plan in dealt) == KILLS


def test_a_plan_strikes_everywhere() -> None:
    """The bounded form strikes before and after each kind of call, and at random moments."""
    lives = [life for plan in plans(SEED, kills=KILLS, parts=WORLDS) for life in plan.lives]
    struck = {
        (strike.service, strike.call, strike.when)
        for life in lives
        if isinstance(strike := life.strike, AtCall)
    }
    assert struck == {(*call, when) for call in CALLS for when in ("before", "after")}
    assert any(not isinstance(life.strike, AtCall) for life in lives)
