"""The alert rules: Prometheus takes them, and each is raised when it should be, and not before or after."""

import re
from collections import defaultdict
from typing import Any, Final

import yaml

from tests.metrics.tools import ROOT, RULES, run

CASES: Final = ROOT / "tests" / "metrics" / "alerts.yml"


def rules() -> list[dict[str, Any]]:
    """Give the rules."""
    [group] = yaml.safe_load(RULES.read_text())["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def test_prometheus_takes_the_rules_and_the_example() -> None:
    """Promtool finds no fault with the rules, nor with the configuration that names them."""
    assert "SUCCESS" in run("promtool", "check", "rules", RULES)
    assert "SUCCESS" in run("promtool", "check", "config", ROOT / "deploy" / "prometheus.yml")


def test_each_alert_is_raised_when_it_should_be() -> None:
    """Played against hours that are well, in trouble, and well again, each alert does as it should."""
    assert "SUCCESS" in run("promtool", "test", "rules", CASES)


def test_each_alert_is_played_both_ways() -> None:
    """For each alert there is a moment at which it is raised, and one at which it is not."""
    expected: defaultdict[str, set[bool]] = defaultdict(set)
    for case in yaml.safe_load(CASES.read_text())["tests"]:
        for one in case["promql_expr_test"]:
            [name] = re.findall(r'alertname="(\w+)"', one["expr"])
            expected[name].add(bool(one["exp_samples"]))
    assert dict(expected) == {rule["alert"]: {True, False} for rule in rules()}


def test_each_alert_says_what_to_do() -> None:
    """An alert has a severity that is known, a short summary, and a description with something to do."""
    for rule in rules():
        assert rule["labels"]["severity"] in {"critical", "warning"}, rule["alert"]
        assert 15 < len(rule["annotations"]["summary"]) < 90, rule["alert"]
        assert len(rule["annotations"]["description"]) > 80, rule["alert"]
        assert rule["alert"].startswith("HiDreamBot")
