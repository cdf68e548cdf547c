"""What makes the bot not ready, and what is said then: the whole table, at its bounds."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import health
from bot.conditions import CONDITIONS, reasons
from bot.config import every_key
from bot.health import Cause, LoopSign, Signs, Webhook, loop_sign, webhook_sign
from storage.tasks import Rest, Topic

WELL: Final = Signs(running=1000.0, polls=True, fetched=5.0, free=2**40, looked=3.0)
BY_WEBHOOK: Final = replace(WELL, polls=False, fetched=None, webhook=Webhook(asked=10.0))
PAPER: Final = Path(__file__).parent.parent / "docs" / "health.md"


def _hook(signs: Signs, **more: object) -> Signs:
    return replace(signs, webhook=replace(signs.webhook or Webhook(asked=1.0), **more))  # type: ignore[arg-type]


def _loop(**more: object) -> LoopSign:
    return replace(LoopSign(name="courier", bound=60.0), **more)  # type: ignore[arg-type]


Ill = tuple[Cause, Callable[[Signs], Signs], Callable[[Signs], Signs]]

ILLS: Final[Mapping[str, Ill]] = {
    "nothing heard yet": (
        Cause.STARTING,
        lambda it: replace(it, running=60.0, polls=True, webhook=None, fetched=0.0, looked=0.0),
        lambda it: replace(it, running=60.0, polls=True, webhook=None, fetched=None),
    ),
    "the database not looked at yet": (
        Cause.STARTING,
        lambda it: replace(it, running=5.0),
        lambda it: replace(it, running=5.0, looked=None),
    ),
    "no fetch for a minute": (
        Cause.UPDATES,
        lambda it: replace(it, polls=True, webhook=None, fetched=60.0),
        lambda it: replace(it, polls=True, webhook=None, fetched=60.1),
    ),
    "no fetch since the start": (
        Cause.UPDATES,
        lambda it: replace(it, polls=True, webhook=None, running=90.0, fetched=0.0),
        lambda it: replace(it, polls=True, webhook=None, running=60.1, fetched=None),
    ),
    "Telegram silent on the webhook": (
        Cause.UPDATES,
        lambda it: _hook(it, asked=150.0),
        lambda it: _hook(it, asked=150.1),
    ),
    "another that polls": (
        Cause.CONFLICT,
        lambda it: replace(it, conflict=False),
        lambda it: replace(it, conflict=True),
    ),
    "another's webhook": (
        Cause.CONFLICT,
        lambda it: _hook(it, state="ours"),
        lambda it: _hook(it, state="another's"),
    ),
    "a webhook that has gone": (
        Cause.WEBHOOK,
        lambda it: _hook(it, state="ours"),
        lambda it: _hook(it, state="lost"),
    ),
    "a webhook that fails": (
        Cause.WEBHOOK,
        lambda it: _hook(it, error="502 Bad Gateway", error_age=120.1),
        lambda it: _hook(it, error="502 Bad Gateway", error_age=120.0),
    ),
    "a webhook that fails, until Telegram tries again": (
        Cause.WEBHOOK,
        lambda it: _hook(it, error="502 Bad Gateway", error_age=240.1, backlog=(0, 1)),
        lambda it: _hook(it, error="502 Bad Gateway", error_age=240.0, backlog=(0, 1)),
    ),
    "a backlog that stays": (
        Cause.BACKLOG,
        lambda it: _hook(it, backlog=(3, 3, 3, 3)),
        lambda it: _hook(it, backlog=(3, 3, 3, 3, 3)),
    ),
    "a backlog that grows": (
        Cause.BACKLOG,
        lambda it: _hook(it, backlog=(9, 0, 1, 3, 4, 5)),
        lambda it: _hook(it, backlog=(9, 1, 3, 3, 4, 5)),
    ),
    "a database that refuses": (
        Cause.DATABASE,
        lambda it: replace(it, database_error=None),
        lambda it: replace(it, database_error="the database refused: disk full"),
    ),
    "a database that is silent": (
        Cause.DATABASE,
        lambda it: replace(it, database_silent=10.0),
        lambda it: replace(it, database_silent=10.1),
    ),
    "a disk that is nearly full": (
        Cause.DISK,
        lambda it: replace(it, free=256 * 2**20),
        lambda it: replace(it, free=256 * 2**20 - 1),
    ),
    "a token that is refused": (
        Cause.TOKEN,
        lambda it: replace(it, token_refused=6.0),
        lambda it: replace(it, token_refused=6.1),
    ),
    "a result that is not sent": (
        Cause.UNSENT,
        lambda it: replace(it, unsent=600.0),
        lambda it: replace(it, unsent=600.1),
    ),
    "a line that is not taken": (
        Cause.LINE,
        lambda it: replace(it, not_taken=120.0),
        lambda it: replace(it, not_taken=120.1),
    ),
    "a loop that stands still": (
        Cause.STANDS_STILL,
        lambda it: replace(it, loops=(_loop(seconds=60.0),)),
        lambda it: replace(it, loops=(_loop(seconds=60.1),)),
    ),
    "a loop that keeps failing": (
        Cause.CRASHING,
        lambda it: replace(it, loops=(_loop(failures=2),)),
        lambda it: replace(it, loops=(_loop(failures=3),)),
    ),
    "checks that stand still": (
        Cause.CHECKS,
        lambda it: replace(it, looked=60.0),
        lambda it: replace(it, looked=60.1),
    ),
}
"""Each condition: its cause, the worst at which it does not hold, and the least at which it does."""


def causes(signs: Signs) -> list[Cause]:
    """Give the reasons, as machines know them."""
    return [reason.cause for reason in reasons(signs)]


def test_every_cause_is_tried() -> None:
    """The table of conditions, that of the tests and the list of causes are of the same."""
    assert set(CONDITIONS) == set(Cause) == {cause for cause, _, _ in ILLS.values()}


@pytest.mark.parametrize("signs", [WELL, BY_WEBHOOK], ids=["polling", "webhook"])
def test_who_is_well_is_ready(signs: Signs) -> None:
    """Without any condition there is no reason."""
    assert reasons(signs) == ()


@pytest.mark.parametrize("ill", ILLS)
def test_each_condition_at_its_bound(ill: str) -> None:
    """Up to its bound nothing is said; beyond it this one thing, in a sentence for whoever runs it."""
    cause, before, beyond = ILLS[ill]
    for well in (WELL, BY_WEBHOOK):
        assert causes(before(well)) == []
        assert causes(beyond(well)) == [cause]
        (reason,) = reasons(beyond(well))
        assert re.fullmatch(r"[A-Z0-9][^{}]+\.", reason.sentence)
        assert "None" not in reason.sentence


_ills: Final = st.lists(st.sampled_from(list(ILLS)), max_size=4)
_seconds: Final = st.none() | st.floats(0, 2000)


@given(
    st.builds(
        Signs,
        running=st.floats(0, 2000),
        polls=st.booleans(),
        fetched=_seconds,
        conflict=st.booleans(),
        webhook=st.none() | st.builds(Webhook, asked=_seconds, error=st.none() | st.just("bad")),
        database_error=st.none() | st.just("bad"),
        database_silent=st.floats(0, 20),
        free=st.none() | st.integers(0, 2**40),
        token_refused=_seconds,
        unsent=_seconds,
        not_taken=_seconds,
        looked=_seconds,
        loops=st.lists(
            st.builds(
                LoopSign,
                name=st.just("inbox"),
                seconds=st.floats(0, 90),
                bound=st.just(60.0),
                failures=st.integers(0, 4),
            ),
            max_size=2,
        ).map(tuple),
    )
)
def test_green_means_that_nothing_is_wrong(signs: Signs) -> None:
    """Whatever else is, who is ready has none of the ills: said here once more, in other words."""
    if reasons(signs):
        return
    assert not signs.conflict
    assert signs.database_error is None
    assert signs.database_silent <= health.DATABASE_WITHIN
    assert signs.free is None or signs.free >= health.FREE
    assert signs.looked is not None
    for seconds, most in (
        (signs.token_refused, health.TOKEN_LASTING),
        (signs.unsent, health.UNSENT),
        (signs.not_taken, health.NOT_TAKEN),
        (signs.looked, health.LOOK_WITHIN),
        (signs.fetched if signs.polls and signs.webhook is None else None, health.UPDATES_WITHIN),
        (signs.webhook.asked if signs.webhook else None, health.WEBHOOK_WITHIN),
    ):
        assert seconds is None or seconds <= most
    if signs.polls and signs.webhook is None:
        assert signs.fetched is not None
    assert all(one.seconds <= one.bound and one.failures < health.CRASHES for one in signs.loops)


@given(_ills, st.sampled_from([WELL, BY_WEBHOOK]))
def test_no_ill_hides_another(ills: list[str], signs: Signs) -> None:
    """The last thing that goes wrong is told, whatever was wrong before."""
    for ill in ills:
        signs = ILLS[ill][2](signs)
    if ills:
        assert ILLS[ills[-1]][0] in causes(signs)


@pytest.mark.parametrize(
    ("rest", "seconds", "bound"),
    [
        (None, 50.0, 60.0),  # its first turn
        (Rest(waiting=True, since=10.0), 50.0, 60.0),  # of an earlier start
        (Rest(waiting=False, since=70.0), 30.0, 60.0),  # at work
        (Rest(waiting=True, since=60.0), 0.0, 30.0),  # waits to be woken, for as long as it takes
        (Rest(waiting=True, since=60.0, until=130.0), 0.0, 30.0),
        (Rest(waiting=True, since=60.0, until=80.0), 20.0, 30.0),  # has overslept
    ],
)
def test_how_a_loop_is_read(rest: Rest | None, seconds: float, bound: float) -> None:
    """Work counts from the last wait or the start, a wait from the moment it should have ended."""
    sign = loop_sign("dispatcher", rest, began=50.0, now=100.0)
    assert (sign.seconds, sign.bound) == (seconds, bound)


def test_what_only_waits_for_the_stop_never_stands_still() -> None:
    """A loop that serves makes no turns: only its failures are counted."""
    sign = loop_sign("monitor", None, began=0.0, now=1e6, failures=3)
    assert (sign.stands_still, sign.failures) == (False, 3)


class _Seen:
    at, state, backlog, error, error_age = 90.0, "ours", (1, 2), "bad", 5.0


def test_how_the_webhook_is_read() -> None:
    """What Telegram said grows old; before it has said anything nothing is known."""
    assert webhook_sign(None, 100.0) == Webhook()
    sign = webhook_sign(_Seen(), 100.0)
    assert sign == Webhook(asked=10.0, backlog=(1, 2), error="bad", error_age=15.0)


def test_the_sentences_name_settings_that_exist() -> None:
    """Whatever setting an operator is sent to is there."""
    keys = {f"{section}.{key}" for section, key in every_key()}
    for _, _, beyond in ILLS.values():
        for reason in reasons(beyond(WELL)):
            named = re.findall(r"\b(?:telegram|hidream|web|storage)\.[a-z_]+", reason.sentence)
            assert set(named) <= keys


def test_the_paper_has_every_cause() -> None:
    """docs/health.md says of each reason what it means and what to do; and of none that is not."""
    rows = re.findall(r"(?m)^\| `([a-z_]+)` \| \S.* \| \S.* \|$", PAPER.read_text(encoding="utf-8"))
    assert sorted(rows) == sorted(Cause)


def test_every_loop_that_makes_turns_is_watched() -> None:
    """Whatever a loop can wait for is waited for by one of those whose pulse is taken, under its name."""
    assert sorted(topic for topic, _ in health.LOOPS.values()) == sorted(Topic)
    composed = (PAPER.parent.parent / "bot" / "composing.py").read_text(encoding="utf-8")
    for name in health.LOOPS:
        assert f'"{name}": ' in composed, name
