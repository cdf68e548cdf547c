"""Prometheus and its tool: where they are not installed, tests that need them are left out, and say so."""

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus-rules.yml"
DASHBOARD = ROOT / "deploy" / "grafana-dashboard.json"


def tool(name: str) -> str:
    """Give the path of one of Prometheus's programs.

    Where it is not installed the test is left out; but not where CI is to have everything.
    """
    if (found := shutil.which(name)) is not None:
        return found
    reason = f"{name} is not installed (on Debian: apt install prometheus)"
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}, and CI leaves nothing out")
    pytest.skip(reason)


def run(name: str, *arguments: str | Path, given: bytes = b"") -> str:
    """Run one of them; gives what it printed, and fails with that where it is not content."""
    done = subprocess.run(
        [tool(name), *map(str, arguments)],
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
        check=False,
    )
    text = done.stdout.decode()
    assert done.returncode == 0, text
    return text


async def checked(text: bytes) -> str:
    """Let promtool look at what was scraped; gives what it finds fault with."""
    return await asyncio.to_thread(run, "promtool", "check", "metrics", given=text)
