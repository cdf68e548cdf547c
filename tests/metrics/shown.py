"""What `/metrics` shows, as tests read it."""

from collections.abc import Iterator, Mapping
from typing import Final

from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample

from bot.account import Trouble
from bot.health import Cause
from bot.metrics import PREFIX, REGISTRY, VALUES
from bot.readings import UNFINISHED

READ: Final[Mapping[str, Mapping[str, frozenset[str]]]] = {
    f"{PREFIX}tasks": {"state": frozenset(UNFINISHED)},
    f"{PREFIX}not_ready": {"cause": frozenset(Cause)},
    f"{PREFIX}account_trouble": {"kind": frozenset(Trouble)},
    f"{PREFIX}store_size_bytes": {"part": frozenset({"database", "log", "pictures"})},
    f"{PREFIX}build_info": {
        "version": frozenset({"source"}),
        "mode": frozenset({"polling", "webhook"}),
    },
}
"""What the labels of what is read at a scrape may say; a version is what its package says."""


def ours() -> list[Metric]:
    """Give all metrics but the standard ones of any process."""
    return [one for one in REGISTRY.collect() if one.name.startswith(PREFIX)]


def strange(samples: Iterator[Sample], family: str) -> list[tuple[str, str, str]]:
    """Give the labels that say something else than they may."""
    known = {**VALUES, **READ}.get(family, {})
    return [
        (sample.name, label, value)
        for sample in samples
        for label, value in sample.labels.items()
        if label != "le" and value not in known.get(label, ()) and label != "version"
    ]


def value(name: str, **labels: str) -> float | None:
    """Give what one of ours shows now; None: it shows nothing of the kind."""
    return REGISTRY.get_sample_value(PREFIX + name, labels)


class Since:
    """What was counted since then."""

    def __init__(self) -> None:
        self._then = self._now()

    def _now(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in ours()
            for sample in family.samples
        }

    def risen(self, name: str, **labels: str) -> float:
        """Say by how much one has risen."""
        key = (PREFIX + name, tuple(sorted(labels.items())))
        return self._now().get(key, 0.0) - self._then.get(key, 0.0)
