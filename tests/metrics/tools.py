"""Prometheus and its tool, and the files that are for them."""

import asyncio
import subprocess
from pathlib import Path

from tests.programs import program

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus-rules.yml"
DASHBOARD = ROOT / "deploy" / "grafana-dashboard.json"


def run(name: str, *arguments: str | Path, given: bytes = b"") -> str:
    """Run one of them; gives what it printed, and fails with that where it is not content."""
    done = subprocess.run(
        [program(name, "prometheus"), *map(str, arguments)],
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
