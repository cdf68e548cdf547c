"""The account: what it allows a minute, and how long trouble pauses it."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from bot.account import Account, Minute, Trouble, since
from storage.tasks import Charge

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class HandClock:
    """A clock that is moved by hand."""

    time: float = 1000.0

    def now(self) -> datetime:
        """Give a fixed date."""
        return NOW

    def monotonic(self) -> float:
        """Give the time that was set."""
        return self.time

    async def sleep(self, seconds: float) -> None:
        """Move the time on."""
        self.time += seconds


def test_a_new_account_is_well() -> None:
    """Without trouble nothing pauses; that it is well is news once, since nobody knew."""
    heard: list[Trouble | None] = []
    account = Account(HandClock(), on_change=heard.append)
    assert account.trouble is None
    assert account.pause_left() == 0
    account.well()
    account.well()
    assert heard == [None]


@pytest.mark.parametrize("trouble", list(Trouble))
def test_trouble_is_news_once(trouble: Trouble) -> None:
    """The same trouble again is no news; that it is over is."""
    heard: list[Trouble | None] = []
    account = Account(HandClock(), on_change=heard.append)
    account.in_trouble(trouble)
    account.in_trouble(trouble)
    assert account.trouble is trouble
    account.submitted()
    assert account.pause_left() == 0
    assert heard == [trouble, None]
    assert account.successes == 1


@pytest.mark.parametrize(("trouble", "first"), [(Trouble.BUSY, 2.0), (Trouble.UNREACHABLE, 1.0)])
def test_pauses_grow_up_to_a_minute(trouble: Trouble, first: float) -> None:
    """Each failed try doubles the pause, up to a minute, a fifth more or less."""
    account = Account(HandClock())
    for tries in range(12):
        account.in_trouble(trouble)
        exact = min(60.0, first * 2**tries)
        assert exact * 0.79 <= account.pause_left() <= exact * 1.21


def test_a_bad_token_is_tried_each_minute() -> None:
    """A refused token pauses for a minute, looked at every 2 s for whether there is another."""
    clock = HandClock()
    account = Account(clock)
    for _ in range(5):
        account.in_trouble(Trouble.TOKEN)
        assert (account.pause(), account.pause_left()) == (60, 5)
    clock.time += 59
    assert account.pause_left() == 1
    clock.time += 1
    assert account.pause_left() == 0
    assert account.trouble is Trouble.TOKEN


def test_another_token_is_tried_at_once() -> None:
    """As soon as there is another token than the refused one, the pause is over."""
    fresh: list[str] = []
    account = Account(HandClock(), new_token=lambda: bool(fresh))
    account.in_trouble(Trouble.TOKEN)
    assert account.pause_left() == 5
    fresh.append("token")
    assert account.pause_left() == 0
    account.in_trouble(Trouble.BUSY)  # another token does not help against this
    assert account.pause_left() > 0


def test_what_the_service_asks_for_counts() -> None:
    """A pause is never shorter than the service asked for."""
    account = Account(HandClock())
    account.in_trouble(Trouble.BUSY, at_least=300)
    assert account.pause_left() == 300


def test_another_trouble_begins_anew() -> None:
    """A different trouble is news, and its pauses begin small."""
    heard: list[Trouble | None] = []
    account = Account(HandClock(), on_change=heard.append)
    for _ in range(8):
        account.in_trouble(Trouble.BUSY)
    account.in_trouble(Trouble.UNREACHABLE)
    assert heard == [Trouble.BUSY, Trouble.UNREACHABLE]
    assert account.pause_left() <= 1.2


def test_an_image_counts_until_a_minute_after_its_answer() -> None:
    """A request counts from its sending until 60 s after the answer."""
    clock = HandClock()
    minute = Minute(lambda: 4, clock)
    minute.sent(4)
    clock.time += 500
    assert math.isinf(minute.wait_for(1))  # the answer is not there yet
    minute.answered(4)
    assert minute.wait_for(1) == 60
    clock.time += 59
    assert minute.wait_for(4) == 1
    clock.time += 1
    assert minute.wait_for(4) == 0


def test_the_wait_is_for_as_many_as_are_needed() -> None:
    """A small task may go earlier than a large one."""
    clock = HandClock()
    minute = Minute(lambda: 6, clock)
    for _ in range(3):
        minute.sent(2)
        minute.answered(2)
        clock.time += 10
    assert minute.wait_for(2) == 30
    assert minute.wait_for(3) == 40
    assert minute.wait_for(6) == 50


def test_what_was_submitted_before_a_restart_counts() -> None:
    """Earlier submissions count by their stamps; one from the future is read as now."""
    minute = Minute(lambda: 4, HandClock())
    charges = [
        Charge(images=1, sent_at=NOW, answered_at=NOW - timedelta(seconds=20)),
        Charge(images=1, sent_at=NOW, answered_at=None),
        Charge(images=2, sent_at=NOW, answered_at=NOW + timedelta(days=1)),
    ]
    minute.restore(charges, NOW)
    assert minute.wait_for(1) == 40
    assert minute.wait_for(2) == 60
    assert since(NOW) == NOW - timedelta(seconds=60)
