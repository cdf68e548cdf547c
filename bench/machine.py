"""On what, and when, something was measured."""

import os
import platform
import sqlite3
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

_CPUINFO: Final = Path("/proc/cpuinfo")


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """What figures depend on, and are worth nothing without."""

    date: str
    cpu: str
    cores: int
    python: str
    sqlite: str
    system: str

    @classmethod
    def this_one(cls) -> "Machine":
        """Describe this machine, now."""
        return cls(
            date=datetime.now(UTC).date().isoformat(),
            cpu=_cpu(),
            cores=os.cpu_count() or 1,
            python=platform.python_version(),
            sqlite=sqlite3.sqlite_version,
            system=f"{platform.system()} {platform.release()}",
        )

    def line(self) -> str:
        """Say it in one line."""
        cores = f"{self.cores} core{'' if self.cores == 1 else 's'}"
        return (
            f"{self.date} · {self.cpu}, {cores} · Python {self.python}, SQLite {self.sqlite} · "
            f"{self.system}"
        )

    def to_json(self) -> dict[str, Any]:
        """Write it as JSON can hold it."""
        return asdict(self)


def _cpu() -> str:
    if _CPUINFO.exists():
        for line in _CPUINFO.read_text(errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return " ".join(value.split())
    return platform.processor() or platform.machine()
