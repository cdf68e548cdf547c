"""Changes of rows that must not be given up because the database could not be written just now."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import stamina
import structlog

from storage.store import StoreError

log = structlog.get_logger(__name__)

T = TypeVar("T")


async def keep(change: Callable[[], Awaitable[T]]) -> T:
    """Make a change of the store, however often it takes; it ends only with success or cancellation.

    For what has happened outside already (HiDream has answered, a message has arrived): if the row
    did not say so, it would be found out or done again.
    """
    # what nearly always goes well takes no ceremony
    try:
        return await change()
    except StoreError as exc:
        log.error("change_not_kept", why=str(exc))  # noqa: TRY400 - the reason says it all
    async for attempt in stamina.retry_context(
        on=StoreError, attempts=None, timeout=None, wait_initial=0.2, wait_max=5.0
    ):
        with attempt:
            return await change()
    raise AssertionError("the tries have no end")
