"""The webhook: updates brought to where the bot wants them, in order within a chat, until they are taken.

Source: Bot API, "setWebhook" and "Getting updates"; and what Telegram's own server does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import ssl
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import httpx

from sandbox.faults import Fault, Faults
from sandbox.journal import Journal
from sandbox.loopback import is_loopback
from sandbox.telegram.clock import Clock
from sandbox.telegram.rules import Rules
from sandbox.telegram.updates import Pending, Updates

CALL: Final = "webhook"
"""The name by which faults and journal know a delivery."""
_ANSWER_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 0.05
"""How often it is looked whether a delay is over: the clock may be set forward."""
_BEFORE: Final = frozenset({"reset_before", "kill_before"})
_AFTER: Final = frozenset({"reset_after", "kill_after"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Hook:
    """Where updates go, as setWebhook said."""

    url: str
    secret: str = ""
    certificate: str | None = None
    """In PEM: what is trusted then, and nothing else."""
    connections: int = 40
    ip_address: str | None = None
    """Told again by getWebhookInfo; the sandbox calls this machine alone."""


@dataclass(slots=True)
class _Tries:
    failed: int = 0
    due: float = 0.0


class Webhook:
    """The bot's webhook, if it has one, and the deliveries to it."""

    def __init__(
        self, updates: Updates, rules: Rules, clock: Clock, faults: Faults, journal: Journal
    ) -> None:
        self._updates, self._rules, self._clock = updates, rules, clock
        self._faults, self._journal = faults, journal
        self._running: asyncio.Task[None] | None = None
        self.hook: Hook | None = None
        self.error: tuple[int, str] | None = None
        """When and why a delivery failed last; None: none has since it was set."""
        self.settable_at = 0.0
        """Telegram takes one webhook a second."""

    def set(self, hook: Hook) -> None:
        """Bring updates there from now on; what is under way to another place is broken off."""
        self.delete()
        self.hook = hook
        self._running = asyncio.create_task(self._deliver_all(hook))

    def delete(self) -> None:
        """Bring updates nowhere."""
        self.hook = self.error = None
        if self._running is not None:
            self._running.cancel()
            self._running = None

    async def _deliver_all(self, hook: Hook) -> None:
        tries: dict[int, _Tries] = {}
        under_way: dict[int, asyncio.Task[None]] = {}
        try:
            async with httpx.AsyncClient(
                timeout=_ANSWER_SECONDS,
                trust_env=False,
                verify=_trusted(hook),
                limits=httpx.Limits(max_connections=hook.connections),
            ) as client:
                while True:
                    under_way = {key: task for key, task in under_way.items() if not task.done()}
                    heads: dict[int, Pending] = {}
                    for pending in self._updates.waiting():
                        heads.setdefault(_queue_of(pending.update), pending)
                    now = self._clock.now()
                    for key, pending in heads.items():
                        at = tries.setdefault(pending.id, _Tries())
                        if key in under_way or at.due > now or len(under_way) >= hook.connections:
                            continue
                        work = self._deliver(client, hook, pending, at)
                        under_way[key] = asyncio.create_task(work)
                    waits = len(heads) > len(under_way)
                    await self._updates.bell.wait(_LOOK_SECONDS if waits else 1.0)
        finally:
            for task in under_way.values():
                task.cancel()

    async def _deliver(
        self, client: httpx.AsyncClient, hook: Hook, pending: Pending, tries: _Tries
    ) -> None:
        params = {"update_id": pending.id, "kind": _kind_of(pending.update)}
        fault = self._faults.strike(CALL, params)
        self._updates.give([pending])
        status, wrong, pause = await self._post(client, hook, pending, fault)
        self._journal.record(
            call=CALL,
            params=params,
            status=status,
            outcome="fault" if fault else "refused" if wrong else "ok",
            detail=wrong,
        )
        if not wrong:
            self._updates.taken(pending.id)
            return
        now = self._clock.now()
        self.error = (int(now), wrong)
        tries.failed += 1
        # at once, then after 2, 4, 8 … seconds; or as the answer asks for
        delay = pause or (0.0 if tries.failed == 1 else 2.0 ** min(tries.failed - 1, 20))
        tries.due = now + min(delay, self._rules.webhook_longest_seconds) * self._rules.webhook_pace
        self._updates.bell.ring()

    async def _post(
        self, client: httpx.AsyncClient, hook: Hook, pending: Pending, fault: Fault | None
    ) -> tuple[int, str, float]:
        """Give the answer's status (0: none), what is wrong with it, and for how many seconds it asks."""
        action = fault.action if fault else None
        if fault is not None and action == "status":
            return fault.status, _unwelcome(fault.status), float(fault.retry_after or 0)
        if fault is not None and action in _BEFORE:
            _kill(fault)
            return 0, "Connection refused", 0
        if fault is not None and action == "delay":
            await asyncio.sleep(fault.seconds)
        if not is_loopback(hook.url):
            return 0, "Failed to resolve host: this sandbox calls its own machine alone", 0
        headers = {"X-Telegram-Bot-Api-Secret-Token": hook.secret} if hook.secret else {}
        try:
            answer = await client.post(hook.url, json=pending.update, headers=headers)
        except httpx.HTTPError as error:
            return 0, _worded(error), 0
        if fault is not None and action in _AFTER:
            _kill(fault)
            return 0, "Read timeout expired", 0
        if answer.is_success:
            return answer.status_code, "", 0
        asked = answer.headers.get("Retry-After", "")
        pause = float(asked) if asked.isdecimal() else 0.0
        return answer.status_code, _unwelcome(answer.status_code), pause


def _trusted(hook: Hook) -> ssl.SSLContext | bool:
    if hook.certificate is not None:
        return ssl.create_default_context(cadata=hook.certificate)
    # to read the authorities' certificates takes long, and plain HTTP needs none
    return ssl.create_default_context() if hook.url.startswith("https:") else False


def _unwelcome(status: int) -> str:
    return f"Wrong response from the webhook: {status} {HTTPStatus(status).phrase}"


def _worded(error: httpx.HTTPError) -> str:
    text = str(error)
    if "CERTIFICATE" in text.upper() or "SSL" in text:
        return f"SSL error {{{text}}}"
    match error:
        case httpx.ConnectError():
            return "Connection refused"
        case httpx.TimeoutException():
            return "Read timeout expired"
        case _:
            return "Webhook connection closed"


def _kill(fault: Fault) -> None:
    if fault.pid is not None and fault.action.startswith("kill"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(fault.pid, signal.SIGKILL)


def _kind_of(update: dict[str, Any]) -> str:
    return next((kind for kind in update if kind != "update_id"), "")


def _queue_of(update: dict[str, Any]) -> int:
    """Give what an update waits in line with: its chat, or for a press its person."""
    for kind, content in update.items():
        if isinstance(content, dict):
            who = content.get("from" if kind == "callback_query" else "chat")
            if isinstance(who, dict) and isinstance(who.get("id"), int):
                return int(who["id"])
    return 0
