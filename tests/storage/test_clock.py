"""The machine's clock, and its jumps, which the program does not see."""

from datetime import UTC, datetime, timedelta

import pytest

from storage.clock import CATCHES_UP, SystemClock

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


async def test_the_machines_clock_goes_forward() -> None:
    """Its time is UTC-aware and now, and sleeping takes as long as was asked for."""
    clock = SystemClock()
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
    assert clock.now().utcoffset() == timedelta(0)
    before = clock.monotonic()
    await clock.sleep(0.02)
    assert 0.01 < clock.monotonic() - before < 5


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(hours=-1)])
def test_a_jump_is_not_seen_and_closed_slowly(jump: timedelta) -> None:
    """Set by an hour, the date goes on; in ten hours it is the machine's again, and never goes back."""
    seconds, jumped = 0.0, timedelta()
    clock = SystemClock(
        wall=lambda: NOON + timedelta(seconds=seconds) + jumped, monotonic=lambda: seconds
    )
    assert clock.now() == NOON
    jumped = jump
    assert clock.now() == NOON
    last = NOON
    for _ in range(660):
        seconds += 60
        step = clock.now() - last
        assert abs(step - timedelta(minutes=1)) <= timedelta(minutes=1) * CATCHES_UP
        last = clock.now()
        if seconds == 300:
            assert abs(last - NOON - timedelta(minutes=5)) <= timedelta(minutes=0.5)
    assert last == NOON + timedelta(seconds=seconds) + jump
