"""What tests share is as it says."""

import sys

import pytest

from tests.programs import program


def test_a_missing_program_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is not installed its tests are left out with the reason; where CI is to have it, they fail."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="promtool is not installed"):
        program("promtool", "prometheus")
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(pytest.fail.Exception, match="apt install prometheus"):
        program("promtool", "prometheus")
