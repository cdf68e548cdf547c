"""The settings as they are now: one frozen snapshot, replaced as a whole while the bot runs.

Whoever uses a value that may change asks for it anew each time. What cannot change keeps its old value
in the snapshot, so that it always says what holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Self

import structlog

from bot.config import Access, Config, every_key
from bot.pictures import TELEGRAMS_LIMIT, AspectRatio, PictureRequest

log = structlog.get_logger(__name__)

_TOKEN: Final = frozenset({"token", "token_file"})
LIVE: Final[Mapping[str, frozenset[str]]] = {
    "telegram": _TOKEN,
    "hidream": _TOKEN | {"parallel_requests", "images_per_minute", "task_deadline_seconds"},
    "defaults": frozenset({"ratio", "count", "negative"}),
    "storage": frozenset({"keep_originals_days", "retention_days"}),
    "access": frozenset(
        {"admins", "allowed_users", "allowed_chats", "max_unfinished", "album_max"}
    ),
    "run": frozenset({"stop_seconds", "log_level"}),
}
"""What changes in the running process; all else needs a restart."""


@dataclass(frozen=True, kw_only=True, slots=True)
class House:
    """What holds in every chat: who may come in, and what goes without saying."""

    access: Access
    defaults: PictureRequest
    keep_originals: timedelta
    """For so long a result's file is kept."""
    retention: timedelta | None = None
    """After so long finished tasks are emptied; None: they are kept."""
    max_file_bytes: int = TELEGRAMS_LIMIT
    slots: int = 1
    """So many tasks the account may have at HiDream at one time, as it is configured."""

    @classmethod
    def of(cls, config: Config) -> Self:
        """Take it from the settings."""
        ratio, days = config.defaults.ratio, config.storage.retention_days
        return cls(
            access=config.access,
            defaults=PictureRequest(
                prompt="",
                negative=config.defaults.negative,
                ratio=None if ratio == "auto" else AspectRatio(ratio),
                count=config.defaults.count,
            ),
            keep_originals=timedelta(days=config.storage.keep_originals_days),
            retention=timedelta(days=days) if days else None,
            max_file_bytes=config.telegram.max_file_bytes,
            slots=config.hidream.parallel_requests,
        )


class Live:
    """Holds the snapshot."""

    def __init__(self, config: Config) -> None:
        self._now = config
        self._house = House.of(config)

    @property
    def now(self) -> Config:
        """What holds now."""
        return self._now

    def take(self, config: Config) -> None:
        """Let what `with_live` gave hold from now on."""
        self._now, self._house = config, House.of(config)

    def say_who_may(self) -> None:
        """Say loudly where nobody is kept out."""
        if self._now.access.everyone:
            log.warning("everyone_may_use_this_bot", mend="set access.allowed_users")

    def house(self) -> House:
        """Give what holds in every chat."""
        return self._house

    def admins(self) -> frozenset[int]:
        """Give those who run the bot."""
        return self._now.access.admins

    def parallel(self) -> int:
        """Give how many tasks the account may have running."""
        return self._now.hidream.parallel_requests

    def images_per_minute(self) -> int:
        """Give how many images the account may ask for in a minute."""
        return self._now.hidream.images_per_minute

    def deadline(self) -> timedelta:
        """Give how long HiDream may take for a task."""
        return timedelta(seconds=self._now.hidream.task_deadline_seconds)

    def stop_seconds(self) -> float:
        """Give how long a stop may take."""
        return self._now.run.stop_seconds


def with_live(old: Config, new: Config) -> Config:
    """Give the old settings with those of the new ones that can change in a running process."""
    return old.model_copy(
        update={
            section: getattr(old, section).model_copy(
                update={key: getattr(getattr(new, section), key) for key in keys}
            )
            for section, keys in LIVE.items()
        }
    )


def differing(old: Config, new: Config) -> list[str]:
    """Give the keys in which two settings differ; nothing of their values."""
    return [
        f"{section}.{key}"
        for section, key in every_key()
        if getattr(getattr(old, section), key) != getattr(getattr(new, section), key)
    ]
