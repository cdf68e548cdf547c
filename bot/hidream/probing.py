"""Harmless questions: how HiDream answers where its documentation does not say. Nothing is submitted."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import httpx

from bot.hidream.classify import Answer, Call, refusal, succeeded
from bot.hidream.errors import HiDreamError
from bot.hidream.exchange import Patience, endpoint, exchange, headers_of
from bot.hidream.reading import WrongShape, as_number
from bot.hidream.wire import TaskResult, read_result, read_results

NOBODY: Final = "hidream-bot-check"
"""The `API-User-ID` of questions that are nobody's."""
NO_TASK: Final = "00000000-0000-4000-8000-000000000000"
"""The id of a task that cannot exist."""

_PATIENCE: Final = Patience(connect=5, write=5, read=8, pool=5, total=10)


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """One answer: what it was, and how the bot would read it."""

    http_status: int | None
    """None: there was none."""
    code: int | None
    message: str | None
    error: HiDreamError | None
    """What it means where it is no success."""
    results: Sequence[TaskResult] = ()
    completions: Sequence[float] = ()
    """The numbers of `task_completion`, as they came."""
    readable: bool = True
    """Whether a success had the form that is documented."""


class Prober:
    """Asks; each question is one call, and is never repeated.

    Args:
        http: from `new_client`; not closed here.
        base_url: the gateway's host with its scheme, without a path.
        version: 2 or 3.
    """

    def __init__(self, http: httpx.AsyncClient, *, base_url: str, version: int) -> None:
        self._http = http
        self._url = endpoint(base_url, version)

    async def task(self, task_id: str, *, token: str, user_id: str = NOBODY) -> Told:
        """Ask about one task."""
        return await self._ask(token, user_id, "GET", "", params={"task_id": task_id})

    async def request(self, request_id: str, *, token: str) -> Told:
        """Ask about one of our requests."""
        return await self._ask(token, NOBODY, "GET", "", params={"request_id": request_id})

    async def batch(self, task_id: str, *, token: str, user_id: str = NOBODY) -> Told:
        """Ask about one task by the call that is for many."""
        content = json.dumps({"task_id_list": [task_id]}).encode()
        return await self._ask(token, user_id, "POST", "/batch", content=content)

    async def _ask(
        self,
        token: str,
        user_id: str,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Told:
        try:
            answer = await exchange(
                self._http,
                method,
                f"{self._url}/results{path}",
                call=Call.ASK,
                patience=_PATIENCE,
                headers=headers_of(token, user_id),
                params=params,
                content=content,
                secret=token,
            )
        except HiDreamError as error:
            return Told(http_status=None, code=None, message=None, error=error)
        return _told(answer, many=bool(path))


def _told(answer: Answer, *, many: bool) -> Told:
    results: Sequence[TaskResult] = ()
    readable = True
    good = succeeded(answer) and answer.envelope is not None
    if good and answer.envelope is not None:
        try:
            results = read_results(answer.envelope) if many else (read_result(answer.envelope),)
        except WrongShape:
            readable = False
    return Told(
        http_status=answer.http_status,
        code=answer.code,
        message=answer.message,
        error=None if good else refusal(answer),
        results=results,
        completions=_completions(answer.envelope),
        readable=readable,
    )


def _completions(envelope: object) -> list[float]:
    """Find every `task_completion`, wherever it stands."""
    if isinstance(envelope, list):
        return [number for each in envelope for number in _completions(each)]
    if not isinstance(envelope, Mapping):
        return []
    own = as_number(envelope.get("task_completion"))
    inner = [number for each in envelope.values() for number in _completions(each)]
    return inner if own is None else [own, *inner]
