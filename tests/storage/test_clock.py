"""The machine's own clock."""

from datetime import UTC, datetime, timedelta

from storage.clock import SystemClock


async def test_the_machines_clock_goes_forward() -> None:
    """Its time is UTC-aware and now, and sleeping takes as long as was asked for."""
    clock = SystemClock()
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
    assert clock.now().utcoffset() == timedelta(0)
    before = clock.monotonic()
    await clock.sleep(0.02)
    assert 0.01 < clock.monotonic() - before < 5
