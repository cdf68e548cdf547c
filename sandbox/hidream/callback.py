"""The callback at a task's end. Source: docs/hidream-api.md section 3."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import httpx

from sandbox.journal import Journal
from sandbox.loopback import is_loopback

_TRIES: Final = 3
_BETWEEN_SECONDS: Final = 1.0
_TIMEOUT_SECONDS: Final = 5.0


async def call_back(url: str, result: Mapping[str, Any], *, journal: Journal) -> None:
    """POST a result to a URL, up to three times; each try is written down as "callback".

    Only loopback addresses are called: nothing leaves the machine.
    """
    if not is_loopback(url):
        _note(journal, url, 0, "not a loopback address")
        return
    # Whatever proxy the environment names is for the outside; this is the same machine.
    # Without certificates: to read the authorities' takes longer than the call itself.
    async with httpx.AsyncClient(
        timeout=_TIMEOUT_SECONDS,
        trust_env=False,
        verify=False,  # noqa: S501 - loopback
    ) as client:
        for number in range(_TRIES):
            if number:
                await asyncio.sleep(_BETWEEN_SECONDS)
            try:
                answer = await client.post(url, json=result)
            except httpx.HTTPError as error:
                _note(journal, url, 0, type(error).__name__)
                continue
            received = answer.status_code == httpx.codes.OK
            _note(journal, url, answer.status_code, "" if received else "not received")
            if received:
                return


def _note(journal: Journal, url: str, status: int, detail: str) -> None:
    journal.record(
        call="callback",
        params={"url": url},
        status=status,
        outcome="refused" if detail else "ok",
        detail=detail,
    )
