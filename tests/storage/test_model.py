"""The store against its model: whatever is done in whatever order, by two owners of one file."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from storage.moves import MOVES
from storage.store import TaskStore
from storage.tasks import ImageState, TaskState
from tests.profiles import examples
from tests.storage.deeds import GROUPS, MOVING, OWNERS, STEPS, Call, Draw, Known
from tests.storage.looks import LEFT_OUT, LOOKS
from tests.storage.model import World, open_world, world

_who: Final = st.integers(0, len(OWNERS) - 1)


def deed_of(known: Known, who: int, method: str, draw: Draw) -> Call | None:
    """Give the arguments of a deed for which nothing must be in hand."""
    known.owner = OWNERS[who]
    (deed,) = (deeds[method] for deeds in GROUPS.values() if method in deeds)
    return deed(known, draw)


def move_of(known: Known, who: int, draw: Draw) -> tuple[str, Call]:
    """Give a move that one of the tasks can make now, and its arguments."""
    known.owner = OWNERS[who]
    task = draw(st.sampled_from([task for task in known.tasks.values() if _moves_from(task.state)]))
    method = draw(st.sampled_from([*_moves_from(task.state), *_USUAL.get(task.state, ())]))
    return method, MOVING[method](known, draw, task)


_USUAL: Final = {TaskState.QUEUED: ("claim",) * 3, TaskState.SUBMITTING: ("accepted",) * 3}
"""Moves that are made more often, so that tasks come far."""


def _moves_from(state: TaskState) -> list[str]:
    return sorted(method for method in MOVING if state in MOVES[method])


def _next_of(known: Known) -> list[str]:
    """Give what usually comes next, each as often as it is likely."""
    movable = [task for task in known.tasks.values() if _moves_from(task.state)]
    return [
        *["add"] * (1 if len(movable) > 2 else 4),
        *["move"] * (4 if movable else 0),
        *["claim_delivery"] * (2 if known.fresh(TaskState.READY) else 0),
        *["recover"] * (1 if known.fresh(TaskState.SUBMITTING, TaskState.DELIVERING) else 0),
        *["requeue_due"] * (1 if known.fresh(TaskState.WAITING) else 0),
        *(STEPS if known.fresh(TaskState.DELIVERING) else ()),
        *(GROUPS["at_hidream"] if known.fresh(TaskState.RUNNING) else ()),
    ]


def next_of(known: Known, who: int, draw: Draw) -> tuple[str, Call]:
    """Give something that brings the tasks on, and its arguments."""
    method = draw(st.sampled_from(_next_of(known)))
    if method == "move":
        return move_of(known, who, draw)
    if method in STEPS:
        task = draw(st.sampled_from(known.fresh(TaskState.DELIVERING)))
        return method, STEPS[method](known, draw, task)
    deed = deed_of(known, who, method, draw)
    assert deed is not None
    return method, deed


_END: Final = ("claim_delivery", "step_started", "step_sent", "finish")
_LATE: Final = ("image_late", "image_stored", "reopen", "claim_delivery")
_WAYS: Final = (
    ("claim", "accepted", "ready", *_END),
    ("claim", "hand_back", "requeue_due", "claim", "ready", *_END),
    ("claim", "unanswered", "submit_again", "claim", "unanswered", "ready", *_END),
    ("ready", "claim_delivery", "step_started", "deliver_later", *_END),
    ("put_off", "requeue_due", "claim", "recover", "accepted", "ready", *_END),
    ("claim", "accepted", "image_ended", "ready", *_END, *_LATE, "late_told", "finish"),
)
"""Ways on which tasks often are, so that the search need not find them first."""
_ITS_IMAGE: Final[Mapping[str, tuple[object, ...]]] = {
    "image_ended": (0, ImageState.EXPIRED),
    "image_late": (0, "https://late"),
    "image_stored": (0,),
}
"""On these ways it is the same image that is late."""
_MOST: Final = max(len(way) for way in _WAYS)


_lengths: Final = st.integers(0, _MOST) | st.just(_MOST)


class StoresAgree(RuleBasedStateMachine):
    """Two owners do to one file whatever a store can do; the model does the same."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = TemporaryDirectory()
        self._runner = asyncio.Runner()
        self.world: World = self._runner.run(open_world(Path(self._folder.name)))
        self.trouble = False

    def teardown(self) -> None:
        """Leave nothing behind."""
        self._runner.run(self.world.close())
        self._runner.close()
        self._folder.cleanup()

    def run(self, who: int, method: str, deed: Call | None) -> Any:
        """Do it in both, and compare."""
        if deed is None:
            return None
        return self._runner.run(self.world.do(who, method, deed, trouble=self.trouble))

    def group(self, who: int, group: str, data: st.DataObject) -> None:
        """Do something of one part of the protocol."""
        method = data.draw(st.sampled_from(sorted(GROUPS[group])), label="method")
        self.run(who, method, deed_of(self.world.known, who, method, data.draw))

    def go_on(self, who: int, *ways: str, data: st.DataObject) -> None:
        """Bring the newest task a way on, as far as it can go."""
        known = self.world.known
        for way in ways:
            known.owner = OWNERS[who]
            task = known.tasks[max(known.tasks)]
            if way in _ITS_IMAGE:
                deed = deed_of(known, who, way, data.draw) or Call((), {})
                self.run(who, way, deed._replace(args=(task.id, *_ITS_IMAGE[way])))
            elif way not in MOVING and way not in STEPS:
                self.run(who, way, deed_of(known, who, way, data.draw))
            elif way in STEPS or task.state in MOVES[way]:
                self.run(who, way, {**MOVING, **STEPS}[way](known, data.draw, task))

    # --- rules

    @initialize(
        ways=st.lists(st.tuples(_who, st.sampled_from(_WAYS), _lengths), max_size=4),
        data=st.data(),
    )
    def begins(self, ways: list[tuple[int, tuple[str, ...], int]], data: st.DataObject) -> None:
        """Begin with some tasks that have come so far already."""
        for who, way, length in ways:
            self.run(who, "add", deed_of(self.world.known, who, "add", data.draw))
            self.go_on(who, *way[:length], data=data)

    @rule(who=_who, data=st.data())
    def goes_on(self, who: int, data: st.DataObject) -> None:
        """Bring tasks on their way."""
        for _ in range(3):
            self.run(who, *next_of(self.world.known, who, data.draw))

    @precondition(lambda self: self.world.known.stale())
    @rule(who=_who, data=st.data())
    def comes_too_late(self, who: int, data: st.DataObject) -> None:
        """Move a task, or note of it, that somebody else has moved since: nothing comes of it."""
        known = self.world.known
        known.owner = OWNERS[who]
        task = data.draw(st.sampled_from(known.overtaken() or known.stale()))
        methods = [*_moves_from(task.state), *STEPS]
        method = data.draw(st.sampled_from(methods))
        before = dict(known.tasks)
        answer = self.run(who, method, {**MOVING, **STEPS}[method](known, data.draw, task))
        assert not answer or self.world.refused
        assert known.tasks == before

    @rule(who=_who, group=st.sampled_from(sorted(GROUPS)), data=st.data())
    def anything(self, who: int, group: str, data: st.DataObject) -> None:
        """Do anything else."""
        self.group(who, group, data)

    @rule(seconds=st.sampled_from((1, 60, 300, 1200)))
    def time_passes(self, seconds: int) -> None:
        """Let leases and holds run out, and what was put off become due."""
        self.world.known.clock.move(seconds)

    @invariant()
    def looks_turn(self) -> None:
        """Ask for another task next time."""
        self.world.known.turn += 1


@pytest.mark.hypothesis
def test_two_owners_agree_with_the_model() -> None:
    """After every step SQLite says and shows what the model does, and no invariant is broken."""
    run_state_machine_as_test(StoresAgree, settings=examples(40, steps=30))


_AT_ONCE: Final = ("claim_delivery", "recover", "requeue_due", "cancel_queued")


def _at_once(known: Known, who: int, draw: Draw) -> tuple[str, Call]:
    method = draw(st.sampled_from(("next", "next", *_AT_ONCE)))
    deed = None if method == "next" else deed_of(known, who, method, draw)
    return next_of(known, who, draw) if deed is None else (method, deed)


@examples(40)
@given(st.data())
def test_two_owners_at_once(data: st.DataObject) -> None:
    """What two owners do in the same moment comes out as if one had done it after the other."""

    async def run(folder: Path) -> None:
        async with world(folder) as both:
            for who in data.draw(st.lists(_who, min_size=3, max_size=25)):
                await both.do(who, *next_of(both.known, who, data.draw))
            # Last, for which of them was the first is not to be had a second time.
            deeds = [_at_once(both.known, who, data.draw) for who in (0, 1)]
            await both.race(*deeds)

    with TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder)))


def test_nothing_is_left_out() -> None:
    """Each method of the protocol is done or asked here, but for those named with a reason; none twice."""
    free = [method for deeds in GROUPS.values() for method in deeds]
    tables = [*MOVING, *STEPS, *free, *LOOKS, *LEFT_OUT]
    protocol = {name for name in dir(TaskStore) if not name.startswith("_")}
    assert sorted(tables) == sorted(protocol)
    moving = {method for method, moves in MOVES.items() if moves}
    assert moving - {*free} == set(MOVING)
