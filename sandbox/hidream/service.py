"""The calls of the vendor's API, as the local HiDream does them.

Source: docs/hidream-api.md sections 1 to 5. The codes are the sandbox's own, as the vendor's are
not published.
"""

import asyncio
import hmac
import json
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from sandbox.faults import Fault, Faults
from sandbox.hidream.callback import call_back
from sandbox.hidream.pictures import make_picture, ready_made
from sandbox.hidream.settings import Settings
from sandbox.hidream.tasks import DONE, Task, Tasks
from sandbox.hidream.wire import (
    BAD_REQUEST,
    Refusal,
    check_headers,
    read_batch,
    read_query,
    read_submission,
)
from sandbox.journal import Journal, Outcome
from sandbox.serving import Answer, perform

_VERSIONS: Final = frozenset({2, 3})
_BAD_TOKEN: Final = 1401
_OVER_LIMIT: Final = frozenset({2001, 2002})
_GATEWAY_PAGE: Final = (
    "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n"
    "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
_REASONS: Final = {
    403: "403 Forbidden",
    404: "404 Not Found",
    500: "500 Internal Server Error",
    502: "502 Bad Gateway",
    503: "503 Service Temporarily Unavailable",
    504: "504 Gateway Time-out",
}


class HiDream:
    """The service behind the paths: its account, its tasks, and what is being drawn."""

    def __init__(self, *, token: str, settings: Settings, faults: Faults, journal: Journal) -> None:
        self.token = token
        self.tasks = Tasks(settings=settings)
        self.faults = faults
        self.journal = journal
        self._under_way: set[asyncio.Task[None]] = set()
        # One picture after the other: the machine has the bot to run as well.
        self._brush = asyncio.Lock()

    @property
    def settings(self) -> Settings:
        """The settings as they are now."""
        return self.tasks.settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        self.tasks.settings = settings

    async def submit(self, request: Request) -> Response:
        """Take a task: section 1."""
        version = int(request.path_params["version"])
        body = await _json(request)
        params = {**_named(body), "version": version, "user_id": _user(request)}

        async def act() -> Answer:
            check_headers(request.headers, body=True, user=True)
            submission = await asyncio.to_thread(read_submission, version, body)
            params.pop("image", None)
            params.update(submission.to_params())
            task, is_new = self.tasks.submit(submission, user_id=_user(request))
            params["task_id"] = task.task_id
            if is_new:
                self._start(self._make(task, base_url=_base_url(request)))
            sub_task_ids = [sub.sub_task_id for sub in task.sub_tasks]
            result = {"task_id": task.task_id, "sub_task_ids": sub_task_ids}
            return _success(result, task.request_id)

        return await self._call(request, "submit", params, act)

    async def results(self, request: Request) -> Response:
        """Tell how one task is: section 2."""
        params: dict[str, Any] = {**request.query_params, "user_id": _user(request)}

        async def act() -> Answer:
            check_headers(request.headers, body=False, user=True)
            task_id, request_id = read_query(request.query_params)
            if task_id:
                task = self.tasks.by_id(task_id)
            elif self.settings.lookup_by_request_id:
                task = self.tasks.by_request_id(request_id)
            else:
                raise Refusal(
                    code=BAD_REQUEST, message="参数错误：缺少 task_id", detail="task_id is missing"
                )
            if task is None:
                raise Refusal(code=2004, message="任务不存在", detail="no such task")
            params["task_id"] = task.task_id
            return _success(self._shown(task, request), request_id or task.request_id)

        return await self._call(request, "results", params, act)

    async def batch(self, request: Request) -> Response:
        """Tell how many tasks are: section 2. Tasks that it does not know are left out."""
        body = await _json(request)
        params = {**_named(body), "user_id": _user(request)}

        async def act() -> Answer:
            if not self.settings.batch:
                return _not_found("refused", "this account has no batch endpoint")
            check_headers(request.headers, body=True, user=False)
            known = [self.tasks.by_id(task_id) for task_id in read_batch(body)]
            with_id = self.settings.batch_repeats_task_id
            shown = [self._shown(task, request, with_id=with_id) for task in known if task]
            return _success(shown, str(uuid.uuid4()))

        return await self._call(request, "batch", params, act)

    async def release(self, request: Request) -> Response:
        """Finish those of a user's tasks that would never end: one of the sandbox's own controls."""
        released = self.tasks.release(str(_named(await _json(request)).get("user_id", "")))
        for task in released:
            self._start(self._make(task, base_url=_base_url(request)))
        return JSONResponse({"released": len(released)})

    async def image(self, request: Request) -> Response:
        """Serve a picture that was made; it needs no token."""
        name = request.path_params["name"]

        async def act() -> Answer:
            try:
                picture = self.tasks.picture(name)
            except KeyError:
                return _not_found("strict", "no such picture")
            if picture is None:
                page = (
                    "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
                )
                response = Response(page, 403, media_type="application/xml")
                return Answer(response=response, outcome="refused", detail="the URL has expired")
            return Answer(response=Response(picture, media_type="image/jpeg"))

        task = self.tasks.of_picture(name)
        params = {"name": name} | ({"user_id": task.user_id} if task else {})
        return await self._performed(request, "image", params, act)

    async def unknown(self, request: Request) -> Response:
        """Answer a path or a method that the API does not have."""

        async def act() -> Answer:
            return _not_found("strict", "no such path")

        params = {"method": request.method, "path": request.url.path}
        return await self._performed(request, "unknown", params, act)

    async def _call(
        self,
        request: Request,
        name: str,
        params: dict[str, Any],
        act: Callable[[], Awaitable[Answer]],
    ) -> Response:
        """Do a call of the API, once the gateway has let it in."""

        async def guarded() -> Answer:
            if self.settings.down:
                return Answer(response=_page(503), outcome="refused", detail="down")
            if request.path_params["version"] not in _VERSIONS:
                return _not_found("strict", "no such version")
            if not self._is_known(request):
                return self._unauthorized()
            try:
                return await act()
            except Refusal as refusal:
                return self._refused(refusal)

        return await self._performed(request, name, params, guarded)

    async def _performed(
        self,
        request: Request,
        name: str,
        params: dict[str, Any],
        act: Callable[[], Awaitable[Answer]],
    ) -> Response:
        return await perform(
            request,
            call=name,
            params=params,
            faults=self.faults,
            journal=self.journal,
            act=act,
            say=_said,
        )

    def _is_known(self, request: Request) -> bool:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return scheme == "Bearer" and hmac.compare_digest(token.encode(), self.token.encode())

    def _unauthorized(self) -> Answer:
        status = 401 if self.settings.token_style == "http" else 200  # noqa: S105  # a style
        response = _envelope(_BAD_TOKEN, "token 无效或已过期，请重新获取 token", status=status)
        return Answer(response=response, outcome="refused", detail="token")

    def _refused(self, refusal: Refusal) -> Answer:
        over = refusal.code in _OVER_LIMIT and self.settings.over_limit_style == "429"
        response = _envelope(refusal.code, refusal.message, status=429 if over else 200)
        return Answer(response=response, outcome=refusal.outcome, detail=refusal.detail)

    def _shown(self, task: Task, request: Request, *, with_id: bool = True) -> dict[str, Any]:
        return task.shown(
            self.tasks.clock(),
            base_url=_base_url(request),
            scale=self.settings.completion_scale,
            with_id=with_id,
        )

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        started = asyncio.create_task(work)
        self._under_way.add(started)
        started.add_done_callback(self._under_way.discard)

    async def _make(self, task: Task, *, base_url: str) -> None:
        """Draw a task's pictures; when all has ended, call back if that was asked for."""
        for index, sub in enumerate(task.sub_tasks):
            if sub.status != DONE or sub.picture:
                continue
            # Not before it is shown as being made: a task that takes long costs nothing at once.
            await asyncio.sleep(max(0.0, sub.begins - self.tasks.clock()))
            async with self._brush:
                sub.picture = await asyncio.to_thread(self._picture, task, index)
            sub.drawn = self.tasks.clock()
        ended = task.ended()
        notify_url = task.submission.notify_url
        if not notify_url or ended is None or not self.settings.callbacks:
            return
        await asyncio.sleep(max(0.0, ended - self.tasks.clock()))
        result = task.shown(ended, base_url=base_url, scale=self.settings.completion_scale)
        if task.submission.version == 2:
            result["main_task_id"] = result.pop("task_id")
        await call_back(notify_url, result, journal=self.journal)

    def _picture(self, task: Task, index: int) -> bytes:
        scale = self.settings.scale
        if self.settings.drawn == "anew":
            return make_picture(task.submission, index, scale=scale)
        return ready_made(
            round(task.submission.width * scale), round(task.submission.height * scale)
        )


async def _json(request: Request) -> object:
    try:
        return json.loads(await request.body())
    except ValueError:
        return None


def _named(body: object) -> dict[str, Any]:
    return dict(body) if isinstance(body, dict) else {}


def _user(request: Request) -> str:
    return request.headers.get("api-user-id", "")


def _base_url(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


def _envelope(code: int, message: str, *, status: int = 200, **more: Any) -> Response:
    request_id = more.pop("request_id", str(uuid.uuid4()))
    body = {"code": code, "message": message, "request_id": request_id, **more}
    return JSONResponse(body, status)


def _success(result: object, request_id: str) -> Answer:
    return Answer(response=_envelope(0, "请求成功", request_id=request_id, result=result))


def _page(status: int) -> Response:
    return HTMLResponse(_GATEWAY_PAGE.format(_REASONS.get(status, str(status))), status)


def _not_found(outcome: Outcome, detail: str) -> Answer:
    return Answer(response=_page(404), outcome=outcome, detail=detail)


def _said(fault: Fault) -> Response:
    """Say what the real service would with a fault's HTTP status."""
    if fault.status == 401:
        return _envelope(_BAD_TOKEN, "token 无效或已过期，请重新获取 token", status=401)
    if fault.status == 429:
        return _envelope(2001, "请求过于频繁，请稍后重试", status=429)
    if fault.status < 300:
        return _envelope(2005, "系统繁忙，请稍后重试", status=fault.status)
    return _page(fault.status)
