"""How many tasks HiDream takes at once, as it turns out."""

import pytest

from bot.slots import LONGEST_PROBE, PROBE, QUICK_PROBE, Slots
from tests.storage.making import HandClock


@pytest.fixture
def clock() -> HandClock:
    """Give a clock that is moved by hand."""
    return HandClock()


def test_without_refusals_it_is_as_configured(clock: HandClock) -> None:
    """Nothing is ever tried beyond what the operator set."""
    slots = Slots(lambda: 5, clock)
    slots.accepted(5)
    clock.move(10 * PROBE)
    assert (slots.limit, slots.probes_in()) == (5, float("inf"))


def test_a_refusal_that_says_so_is_followed_at_once(clock: HandClock) -> None:
    """Refused with two running, the account has two slots; that is told."""
    heard: list[int] = []
    slots = Slots(lambda: 5, clock, on_change=heard.append)
    assert slots.refused(2, says_so=True)
    assert (slots.limit, heard) == (2, [2])


def test_a_vague_refusal_needs_two_more(clock: HandClock) -> None:
    """A refusal for some limit means the slots only when it comes again and again with as many running."""
    slots = Slots(lambda: 5, clock)
    for _ in range(2):
        assert not slots.refused(3, says_so=False)
    slots.accepted(3)
    for _ in range(2):
        assert not slots.refused(3, says_so=False)
    for _ in range(2):
        assert not slots.refused(2, says_so=False)
    assert slots.refused(2, says_so=False)
    assert slots.limit == 2


def test_what_was_taken_for_the_slots_is_tried_again_soon(clock: HandClock) -> None:
    """A passing overload does not cost the slots for long: each comes back within half a minute."""
    slots = Slots(lambda: 10, clock)
    for _ in range(3):
        slots.refused(1, says_so=False)
    assert slots.limit == 1
    for found in range(2, 11):
        clock.move(QUICK_PROBE)
        assert slots.limit == found
        slots.accepted(found)
    assert slots.probes_in() == float("inf")


def test_all_slots_in_use_is_news_once(clock: HandClock) -> None:
    """Whoever was told of fewer, perhaps before a restart, hears when all were seen in use."""
    heard: list[int] = []
    slots = Slots(lambda: 3, clock, on_change=heard.append)
    for held in (1, 2, 3, 3, 2, 3):
        slots.accepted(held)
    assert heard == [3]
    slots.refused(1, says_so=True)
    clock.move(PROBE)
    slots.accepted(2)
    clock.move(PROBE)
    slots.accepted(3)
    assert heard == [3, 1, 2, 3]


@pytest.mark.parametrize("others", [0, 5, 6])
def test_what_says_nothing_of_our_slots(clock: HandClock, others: int) -> None:
    """With nothing of ours running it is somebody else; with all, nothing is lower than configured."""
    slots = Slots(lambda: 5, clock)
    assert not slots.refused(others, says_so=True)
    assert slots.limit == 5


def test_more_is_tried_now_and_then(clock: HandClock) -> None:
    """After a while one more is tried: taken, it is the limit from then on."""
    heard: list[int] = []
    slots = Slots(lambda: 4, clock, on_change=heard.append)
    slots.refused(2, says_so=True)
    clock.move(PROBE - 1)
    assert (slots.limit, slots.probes_in()) == (2, 1)
    clock.move(1)
    assert slots.limit == 3
    slots.accepted(3)
    assert slots.limit == 3
    clock.move(PROBE)
    slots.accepted(4)
    assert (slots.limit, heard) == (4, [2, 3, 4])
    assert slots.probes_in() == float("inf")


def test_a_try_in_vain_makes_the_next_one_later(clock: HandClock) -> None:
    """Refused again, it is tried half as often, down to once in some hours."""
    slots = Slots(lambda: 4, clock)
    slots.refused(2, says_so=True)
    waits = []
    for _ in range(8):
        waits.append(slots.probes_in())
        clock.move(waits[-1])
        assert slots.limit == 3
        slots.refused(2, says_so=True)
        assert slots.limit == 2
    assert waits[:3] == [PROBE, 2 * PROBE, 4 * PROBE]
    assert waits[-1] == LONGEST_PROBE


def test_fewer_still(clock: HandClock) -> None:
    """A limit that sinks further is followed further, and never risen by a refusal."""
    slots = Slots(lambda: 5, clock)
    slots.refused(3, says_so=True)
    slots.refused(1, says_so=True)
    slots.refused(2, says_so=True)
    assert slots.limit == 1
