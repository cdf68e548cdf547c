"""docs/metrics.md has every metric, as it is, and what each label can say."""

import re
from typing import Final

from bot.metrics import VALUES
from tests.metrics.shown import READ, ours
from tests.metrics.test_alerts import rules
from tests.metrics.test_readings import shown_readings
from tests.metrics.tools import ROOT

PAPER: Final = ROOT / "docs" / "metrics.md"


def test_every_metric_is_in_the_paper() -> None:
    """Each has its row: name, type, labels and meaning as the program has them; and there is no other row."""
    with shown_readings():
        expected = {
            f"| `{one.name + '_total' * (one.type == 'counter')}` | {one.type} |"
            f" {', '.join(f'`{name}`' for name in {**VALUES, **READ}.get(one.name, ()))} |"
            f" {one.documentation} |".replace("|  |", "| |")
            for one in ours()
        }
    rows = re.findall(r"(?m)^\| `hidream_bot_.*$", PAPER.read_text(encoding="utf-8"))
    assert set(rows) == expected
    assert len(rows) == len(expected)


def test_every_kind_is_in_the_paper() -> None:
    """Whatever a label can say stands in the paper's part about labels."""
    labels = PAPER.read_text(encoding="utf-8").partition("## What the labels say")[2]
    said = set(re.findall(r"`([\w]+)`", labels))
    for name, kinds in {**VALUES, **READ}.items():
        for label, values in kinds.items():
            assert label in said, (name, label)
            assert values <= said | {"source"}, (name, label, values - said)


def test_every_alert_is_in_the_paper() -> None:
    """Each alert is named, so that whoever is called by one finds it."""
    named = re.findall(r"`(HiDreamBot\w+)`", PAPER.read_text(encoding="utf-8"))
    assert sorted(named) == sorted({rule["alert"] for rule in rules()})
