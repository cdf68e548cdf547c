"""HiDream's image-to-image API: one method a call. It keeps no task and never tries again itself.

A call that is cancelled raises `asyncio.CancelledError` like any other; a cancelled `submit` may
have been accepted. Source: docs/hidream-api.md sections 1 and 2.
"""

import asyncio
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

import httpx
import structlog

from bot.hidream.batch import Asked, joined
from bot.hidream.classify import Answer, Call, refusal, succeeded
from bot.hidream.errors import (
    ContentRefused,
    GatewayIll,
    HiDreamError,
    Refused,
    TokenRefused,
    TooFast,
    Uncertain,
)
from bot.hidream.exchange import (
    ASK_PATIENCE,
    SUBMIT_PATIENCE,
    Patience,
    endpoint,
    exchange,
    headers_of,
    new_client,
)
from bot.hidream.oddities import report, say_once
from bot.hidream.reading import WrongShape
from bot.hidream.wire import (
    Accepted,
    ApiVersion,
    Submission,
    TaskResult,
    read_accepted,
    read_result,
    read_results,
    submission_body,
)
from bot.labels import HiDreamCall
from bot.metrics import of_hidream

__all__ = ["Asked", "HiDreamClient", "new_client"]

log = structlog.get_logger(__name__)

BATCH_SIZE: Final = 50
"""Tasks asked about in one call; the documentation names no limit, so a modest one."""

SIDE_BY_SIDE: Final = 4
"""Single questions under way at once, where there is no batch call."""


class HiDreamClient:
    """The calls of one account.

    Args:
        http: from `new_client`; not closed here.
        base_url: the gateway's host with its scheme, without a path.
        version: which of the two forms of the API the account uses.
        token: called before each request, so that a new token is used at once.
        submit_patience: time-outs of a submission.
        ask_patience: time-outs of every other call.

    Attributes:
        asked: how many questions for results were sent so far, all calls counted.
        answers: how many calls of any kind were answered, whatever the answer said.

    Raises:
        ValueError: `base_url` is no such URL.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        base_url: str,
        version: ApiVersion,
        token: Callable[[], str],
        submit_patience: Patience = SUBMIT_PATIENCE,
        ask_patience: Patience = ASK_PATIENCE,
    ) -> None:
        self._http = http
        self._version = version
        self._token = token
        self._submit_patience = submit_patience
        self._ask_patience = ask_patience
        _check_base_url(base_url)
        self._url = endpoint(base_url, int(version))
        self._batch_offered = True
        self.asked = 0
        self.answers = 0

    @property
    def asks_in_batches(self) -> bool:
        """Whether one call asks about many tasks, as far as is known."""
        return self._batch_offered

    @of_hidream(HiDreamCall.SUBMIT)
    async def submit(self, submission: Submission, *, user_id: str) -> Accepted:
        """Hand in one task.

        Raises:
            ValueError: `user_id` cannot stand in a header.
            Uncertain: it may have been accepted.
            HiDreamError: it was not accepted; the class says what to do.
        """
        body = json.dumps(submission_body(self._version, submission), ensure_ascii=False)
        answer = await self._exchange(
            Call.SUBMIT,
            "POST",
            self._url,
            user_id=user_id,
            # Half of a surrogate pair, which a chat can hold, is no UTF-8.
            content=body.encode("utf-8", "replace"),
            own_words=(
                submission.prompt,
                submission.negative_prompt,
                submission.notify_url or "",
            ),
        )
        accepted = read_accepted(_success(answer))
        if accepted is None:
            raise Uncertain(
                "HiDream reported success without a task id",
                code=answer.code,
                vendor_message=answer.message,
                http_status=answer.http_status,
            )
        return accepted

    @of_hidream(HiDreamCall.ASK)
    async def result(self, task_id: str, *, user_id: str) -> TaskResult:
        """How it stands with one task.

        Raises:
            HiDreamError: there was no answer, or a refusal; `UnknownTask` if it said so.
        """
        result = await self._single({"task_id": task_id}, user_id=user_id)
        if result.task_id not in {None, task_id}:
            # Taken as it is, it could bring one user's picture to another.
            raise GatewayIll("HiDream answered about another task")
        return TaskResult(task_id=task_id, request_id=result.request_id, sub_tasks=result.sub_tasks)

    @of_hidream(HiDreamCall.LOOK_UP)
    async def result_by_request(self, request_id: str, *, user_id: str) -> TaskResult | None:
        """The task that a submission of ours made; None if HiDream does not know it.

        Only an answer that names a task and this very request is taken: whether the question is
        answered at all is not documented, and one that is ignored may bring somebody else's task.
        Any other answer, and any refusal, counts as not known.

        Raises:
            HiDreamError: there was no answer, or the token or the pace was refused.
        """
        try:
            result = await self._single({"request_id": request_id}, user_id=user_id)
        except (Refused, ContentRefused):
            return None
        if result.task_id is None or result.request_id != request_id:
            return None
        return result

    async def results(self, asked: Sequence[Asked]) -> Mapping[str, TaskResult | HiDreamError]:
        """How it stands with many tasks, by task id; every task asked about is a key.

        One call for up to `BATCH_SIZE` tasks. Where there is no such call, and for tasks that its
        answer leaves out, one call a task. A task's own failure stands in its place.

        Raises:
            HiDreamError: not one task was answered; the first failure.
        """
        found: dict[str, TaskResult | HiDreamError] = {}
        for start in range(0, len(asked), BATCH_SIZE):
            chunk = asked[start : start + BATCH_SIZE]
            found |= await self._chunk(chunk)
        silent = [each for each in found.values() if _is_silence(each)]
        if silent and len(silent) == len(found):
            first = silent[0]
            assert isinstance(first, HiDreamError)  # noqa: S101 - what silence means
            raise first
        return found

    async def _chunk(self, chunk: Sequence[Asked]) -> dict[str, TaskResult | HiDreamError]:
        refused: HiDreamError | None = None
        found: dict[str, TaskResult | HiDreamError] = {}
        if self._batch_offered:
            try:
                found |= await self._batch(chunk)
            except (Refused, ContentRefused) as error:
                refused = error
            except HiDreamError as error:
                return dict.fromkeys((each.task_id for each in chunk), error)
        singly = await self._one_by_one([each for each in chunk if each.task_id not in found])
        if refused is not None and _means_no_batch(refused, singly.values()):
            self._batch_offered = False
            log.info("hidream.no_batch", http_status=refused.http_status, code=refused.code)
        return found | singly

    @of_hidream(HiDreamCall.ASK_BATCH)
    async def _batch(self, chunk: Sequence[Asked]) -> dict[str, TaskResult]:
        answer = await self._exchange(
            Call.ASK,
            "POST",
            f"{self._url}/results/batch",
            # One call for many users can name only one of them.
            user_id=chunk[0].user_id,
            content=json.dumps({"task_id_list": [each.task_id for each in chunk]}).encode(),
        )
        try:
            entries = read_results(_success(answer))
        except WrongShape:
            # Not remembered: whoever answers a success like this may answer better next time.
            say_once("hidream.batch_unreadable", None)
            return {}
        found = joined(chunk, entries)
        for result in found.values():
            report(result)
        return found

    async def _one_by_one(self, asked: Iterable[Asked]) -> dict[str, TaskResult | HiDreamError]:
        turns = asyncio.Semaphore(SIDE_BY_SIDE)
        account: list[HiDreamError] = []

        async def ask(each: Asked) -> TaskResult | HiDreamError:
            async with turns:
                if account:
                    return account[0]
                try:
                    return await self.result(each.task_id, user_id=each.user_id)
                except (TokenRefused, TooFast) as error:
                    # It concerns the account: to ask for the rest would only make it worse.
                    account.append(error)
                    return error
                except HiDreamError as error:
                    return error

        waiting = list(asked)
        answers = await asyncio.gather(*(ask(each) for each in waiting))
        return {each.task_id: answer for each, answer in zip(waiting, answers, strict=True)}

    async def _single(self, params: Mapping[str, str], *, user_id: str) -> TaskResult:
        answer = await self._exchange(
            Call.ASK, "GET", f"{self._url}/results", user_id=user_id, params=params
        )
        try:
            result = read_result(_success(answer))
        except WrongShape as error:
            raise GatewayIll(
                f"HiDream's answer is not of the documented form: {error}",
                code=answer.code,
                vendor_message=answer.message,
                http_status=answer.http_status,
            ) from error
        report(result)
        return result

    async def _exchange(
        self,
        call: Call,
        method: str,
        url: str,
        *,
        user_id: str,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        own_words: Collection[str] = (),
    ) -> Answer:
        if not user_id or not user_id.isascii() or not user_id.isprintable():
            raise ValueError(f"user_id: {user_id!r}; allowed: printable ASCII, not empty")
        token = self._token().strip()
        if not token or not token.isascii() or not token.isprintable():
            raise TokenRefused("there is no token, or it has signs that no token has")
        self.asked += call is Call.ASK
        answer = await exchange(
            self._http,
            method,
            url,
            call=call,
            patience=self._submit_patience if call is Call.SUBMIT else self._ask_patience,
            headers=headers_of(token, user_id),
            params=params,
            content=content,
            secret=token,
            own_words=own_words,
        )
        self.answers += 1
        return answer


def _check_base_url(base_url: str) -> None:
    try:
        url = httpx.URL(base_url)
    except (httpx.InvalidURL, ValueError):
        url = httpx.URL("")
    fine = url.scheme in {"http", "https"} and url.host and (url.port or 443) <= 65535
    if not fine or url.userinfo or url.query or url.fragment:
        raise ValueError(
            "base_url: (not shown); allowed: an http or https URL of a host, without credentials"
        )


def _success(answer: Answer) -> Mapping[str, object]:
    if not succeeded(answer) or answer.envelope is None:
        raise refusal(answer)
    return answer.envelope


def _is_silence(outcome: TaskResult | HiDreamError) -> bool:
    """Whether nothing was said about the task itself."""
    return isinstance(outcome, HiDreamError) and not isinstance(outcome, Refused | ContentRefused)


def _means_no_batch(refused: HiDreamError, singly: Iterable[TaskResult | HiDreamError]) -> bool:
    """Whether a refused batch call is not worth another try.

    A refusal may be for one bad task among good ones; then the next call, without it, works.
    """
    if refused.http_status in {404, 405}:
        return True
    return all(isinstance(each, TaskResult) for each in singly)
