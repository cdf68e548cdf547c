"""Every fault at every step: what the person reads, where the row ends, what it cost."""

import asyncio
import fcntl
import json
import os
from dataclasses import asdict

import pytest

from tests.e2e.fault_matrix import DOCUMENT, FAULTS, ROWS, STEPS, Row, document
from tests.e2e.fault_play import Seen
from tests.e2e.fault_stages import play_all

# whoever comes first plays all of it, and the others wait for that
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="session")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Seen]:
    """Play all rows, once for all processes that run tests; what came of each, by its id."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    kept = shared / "fault-matrix.json"
    with (shared / "fault-matrix.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            found = asyncio.run(play_all(tmp_path_factory.mktemp("faults")))
            kept.write_text(json.dumps({name: asdict(seen) for name, seen in found.items()}))
    return {name: Seen(**values) for name, values in json.loads(kept.read_text()).items()}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_fault(row: Row, seen: dict[str, Seen]) -> None:
    """The fault strikes, and what comes of it is what the table says."""
    came = seen[row.id]
    assert came.struck, "the fault strikes"
    calls = came.calls if row.calls is None else row.calls
    assert came == Seen(
        end=row.end,
        last=row.last,
        struck=came.struck,
        calls=calls,
        made=row.made,
        pictures=row.pictures,
        left=row.left,
        repeats=row.repeats,
    )


def test_the_document_says_the_same() -> None:
    """docs/faults.md is what the table says (mend: python -m tests.e2e.fault_matrix --write)."""
    assert DOCUMENT.read_text() == document()


def test_every_fault_is_played() -> None:
    """Each row has a name of its own, and each fault and step of the tables is used."""
    assert len({row.id for row in ROWS}) == len(ROWS)
    assert {row.fault for row in ROWS} == set(FAULTS)
    assert {row.step for row in ROWS} == set(STEPS)
