"""How figures are printed, and what counts as met."""

import json

import pytest

from bench.figures import Figure, Measured, Target
from bench.machine import Machine
from bench.table import BEGIN, END, NoMarkers, as_json, as_text, put_into

MACHINE = Machine(
    date="2030-01-02", cpu="A CPU", cores=1, python="3.11.1", sqlite="3.40.1", system="Linux 6"
)
MEASURED = [
    Measured(
        row="fast",
        figures=[
            Figure(name="delay", unit="s", bot=0.1234, floor=0.1, target=Target(limit=0.2)),
            Figure(
                name="share",
                unit="",
                bot=0.98996,
                naive=0.5,
                target=Target(limit=0.99, at_least=True, because="floor"),
            ),
            Figure(name="size", unit="MiB", bot=7, digits=0),
        ],
        notes=["as it was"],
    ),
    Measured(row="broken", error="it fell over"),
]


def test_table_is_aligned_and_says_what_is_met() -> None:
    """Each figure has a line with its target and verdict; a row that failed says why."""
    assert as_text(MACHINE, MEASURED).splitlines() == [
        "2030-01-02 · A CPU, 1 core · Python 3.11.1, SQLite 3.40.1 · Linux 6",
        "",
        "row     figure                       bot  floor  naive          target",
        "------  --------------------------  ----  -----  -----  --------------  -------",
        "fast    delay, s                    0.12   0.10                 ≤ 0.20  met",
        "        share                       0.99          0.50  ≥ 0.99 (floor)  NOT MET",
        "        size, MiB                      7",
        "broken  not measured: it fell over                                      FAILED",
        "",
        "fast: as it was",
    ]


@pytest.mark.parametrize(
    ("value", "at_least", "met"),
    [(1.0, False, True), (1.0001, False, False), (1.0, True, True), (0.9999, True, False)],
)
def test_a_target_is_met_by_what_was_measured(value: float, at_least: bool, met: bool) -> None:
    """The limit itself is met, and nothing beyond it, however it is rounded in print."""
    target = Target(limit=1, at_least=at_least)
    assert Figure(name="it", unit="s", bot=value, target=target, digits=0).met is met


def test_what_has_no_target_is_neither_met_nor_not() -> None:
    """A figure for its own sake has no verdict."""
    assert Figure(name="it", unit="s", bot=1).met is None


def test_json_says_the_same_as_the_table() -> None:
    """Machine, figures, verdicts, notes and errors are all in it."""
    found = json.loads(as_json(MACHINE, MEASURED))
    assert found["machine"]["cpu"] == "A CPU"
    first, second = found["rows"]
    assert [figure["met"] for figure in first["figures"]] == [True, False, None]
    assert first["figures"][0]["bot"] == 0.1234
    assert (first["notes"], second["error"]) == (["as it was"], "it fell over")


def test_table_goes_between_the_markers_of_a_paper() -> None:
    """What was between them is replaced, the rest stays, and a second time changes nothing more."""
    paper = f"before\n\n{BEGIN}\nold\n{END}\n\nafter\n"
    written = put_into(paper, MACHINE, MEASURED)
    assert written.startswith(f"before\n\n{BEGIN}\n\n```text\n2030-01-02 · A CPU")
    assert written.endswith(f"fast: as it was\n```\n\n{END}\n\nafter\n")
    assert "old" not in written
    assert put_into(written, MACHINE, MEASURED) == written


@pytest.mark.parametrize(
    "paper", ["", BEGIN, END, f"{END}{BEGIN}", f"{BEGIN}{BEGIN}{END}", f"{BEGIN}{END}{END}"]
)
def test_paper_without_a_clear_place_is_left_alone(paper: str) -> None:
    """Where the markers are missing or more than once there, nothing is guessed."""
    with pytest.raises(NoMarkers):
        put_into(paper, MACHINE, MEASURED)
