"""What holds for all tests."""

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.crash.report import Reckoning

# The machine decides how long an example takes: no property is about that.
settings.register_profile(
    "tests", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
# `make test-long` asks for this one.
settings.register_profile("long", settings.get_profile("tests"), max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "tests"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the storms of tests/crash came to."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    storms = [
        Reckoning.from_json(value)
        for report in reports
        for name, value in report.user_properties
        if name == "storm"
    ]
    if storms:
        terminalreporter.section("crash suite")
        terminalreporter.write_line(str(sum(storms, start=Reckoning())))
