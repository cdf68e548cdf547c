"""The dashboard: complete, laid out without overlap, and about metrics that there are."""

import json
import re
from typing import Any

from bot.metrics import PREFIX
from tests.metrics.shown import ours
from tests.metrics.test_alerts import rules
from tests.metrics.test_readings import shown_readings
from tests.metrics.tools import DASHBOARD

ROWS = [
    *("At a glance", "The line and the slots", "The way of a picture"),
    *("Telegram", "HiDream", "The machine"),
]


def panels() -> list[dict[str, Any]]:
    """Give the dashboard's panels, rows among them."""
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return found


def queries() -> list[str]:
    """Give every query of the dashboard."""
    return [one["expr"] for panel in panels() for one in panel.get("targets", ())]


def test_each_panel_says_what_it_shows() -> None:
    """A panel has a title of its own in its row, a description, a unit, and asks the chosen Prometheus."""
    assert [one["title"] for one in panels() if one["type"] == "row"] == ROWS
    assert len({one["id"] for one in panels()}) == len(panels())
    source = {"type": "prometheus", "uid": "${datasource}"}
    for panel in panels():
        if panel["type"] != "row":
            assert len(panel["description"]) > 15, panel["title"]
            assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
            assert panel["targets"]
            for one in (panel, *panel["targets"]):
                assert one["datasource"] == source, panel["title"]


def test_no_panel_lies_on_another() -> None:
    """Each place of the grid, which is 24 wide, belongs to one panel at most."""
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24, panel["title"]
        places = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not places & taken, panel["title"]
        taken |= places


def test_what_is_asked_for_is_there() -> None:
    """Dashboard and alerts name no metric that the bot does not have, and the dashboard leaves none out."""
    with shown_readings():
        names = {family.name for family in ours()}
    endings = re.compile(r"_(total|bucket|sum|count)$")
    asked = [
        {endings.sub("", name) for one in exprs for name in re.findall(rf"\b{PREFIX}\w+", one)}
        for exprs in (queries(), [rule["expr"] for rule in rules()])
    ]
    assert asked[0] | asked[1] <= names
    assert names <= asked[0]
