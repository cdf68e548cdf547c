"""The limits that this Telegram keeps, and the refusals by which it says so."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sandbox.journal import Outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What may differ from one sandbox to the next. Times are in seconds, sizes in bytes."""

    chat_burst: int = 5
    """Messages that a chat takes at once, before `chat_per_second` holds."""
    chat_per_second: float = 1.0
    group_per_minute: int = 20
    overall_per_second: float = 30.0
    ignored_penalty_seconds: float = 1.0
    """How much longer a chat stays closed for each call that comes before its `retry_after`."""
    callback_seconds: float = 15.0
    """How long a button press can be answered."""
    delete_seconds: float = 48 * 3600.0
    update_seconds: float = 24 * 3600.0
    """How long an update is kept that nobody fetches."""
    file_link_seconds: float = 3600.0
    """How long the path from getFile leads to the file."""
    longest_poll_seconds: float = 50.0
    self_hosted: bool = False
    """Whether it is a Bot API server of one's own: webhooks on any port, and without TLS."""
    webhook_longest_seconds: float = 120.0
    """How long it waits at most before a webhook is called again that did not take an update."""
    webhook_pace: float = 1.0
    """By what those waits are multiplied, so that a test need not wait for real."""
    webhook_set_seconds: float = 1.0
    """A webhook is set no oftener."""
    photo_bytes: int = 10 * 1024 * 1024
    document_bytes: int = 50 * 1024 * 1024
    download_bytes: int = 20 * 1024 * 1024
    local_folder: Path | None = None
    """Where this is a Bot API server of one's own in local mode, the folder of its files: getFile then
    gives their paths on this disk, of any size, and nothing gives them over HTTP."""


UNHURRIED = Rules(chat_burst=10_000, group_per_minute=10_000, overall_per_second=10_000.0)
"""Rules without flood control, for tests of something else."""


class Refusal(Exception):
    """A call that is not done; as the Bot API words it.

    `outcome` tells the journal whether the caller could have known better ("strict").
    """

    def __init__(
        self,
        description: str,
        *,
        code: int = 400,
        outcome: Outcome = "refused",
        retry_after: int | None = None,
        migrate_to_chat_id: int | None = None,
    ) -> None:
        super().__init__(description)
        self.description = description
        self.code = code
        self.outcome: Outcome = outcome
        self.retry_after = retry_after
        self.migrate_to_chat_id = migrate_to_chat_id


def bad_request(reason: str) -> Refusal:
    """Refuse what may happen to a correct caller: a message is gone, a file is too big."""
    return Refusal(f"Bad Request: {reason}")


def breach(reason: str) -> Refusal:
    """Refuse what a correct caller never sends."""
    return Refusal(f"Bad Request: {reason}", outcome="strict")


def forbidden(reason: str) -> Refusal:
    """Refuse what the other side does not allow."""
    return Refusal(f"Forbidden: {reason}", code=403)


class CannotDo(Exception):
    """A person's wish that no app would let them have; worded for whoever wrote the test."""
