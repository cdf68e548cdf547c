"""The local HiDream as a web application: the vendor's API, and the sandbox's own controls.

The API's paths are those of docs/hidream-api.md sections 1 and 2. Beside them:

| path | |
|---|---|
| `GET /images/{name}` | a picture that was made; needs no token |
| `GET`, `POST /sandbox/settings` | what can be set (settings.py); POST changes the fields it names |
| `POST /sandbox/token` | `{"token": "…"}`: from now on only this token is taken |
| `POST /sandbox/outcomes` | `{"statuses": [1, 3], "description": "…"}`: how the next task ends, or with `"user_id"` the next of a user |
| `POST /sandbox/release` | `{"user_id": "…"}`: those of a user's tasks that would never end are done now |
| `GET /sandbox/tasks` | all tasks, and the peaks of what ran at once and within a minute |
| `/sandbox/calls`, `/sandbox/faults` | the journal, and faults on demand |

Prompts with certain words end in certain ways too: content.py lists them.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.faults import Faults
from sandbox.hidream.service import HiDream
from sandbox.hidream.settings import Settings
from sandbox.hidream.tasks import Ending
from sandbox.journal import Journal
from sandbox.serving import control_routes
from sandbox.visitors import ProgramsOnly

_GATEWAY: Final = "/api-pub/gw/v{version:int}/image/img2img/async"
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_DEFAULT: Final = Settings()


def create_app(
    *,
    token: str = "sandbox",  # noqa: S107  # a sandbox's token is no secret
    settings: Settings = _DEFAULT,
    faults: Faults | None = None,
    journal: Journal | None = None,
    controls: bool = True,
) -> Starlette:
    """Make the application; what it holds is reachable as `app.state.hidream`.

    Without `controls` it has none of the paths that begin with /sandbox.
    """
    hidream = HiDream(
        token=token,
        settings=settings,
        faults=faults if faults is not None else Faults(),
        journal=journal if journal is not None else Journal(),
    )
    app = Starlette(
        routes=[
            Route(_GATEWAY, hidream.submit, methods=["POST"]),
            Route(f"{_GATEWAY}/results", hidream.results, methods=["GET"]),
            Route(f"{_GATEWAY}/results/batch", hidream.batch, methods=["POST"]),
            Route("/images/{name}", hidream.image, methods=["GET"]),
            *(_own_routes(hidream) if controls else ()),
            Route("/{path:path}", hidream.unknown, methods=_METHODS),
        ],
        middleware=[Middleware(ProgramsOnly)],
    )
    app.state.hidream = hidream
    return app


def _own_routes(hidream: HiDream) -> Sequence[Route]:
    async def settings(_request: Request) -> Response:
        return JSONResponse(hidream.settings.to_json())

    async def change(values: dict[str, Any]) -> Any:
        hidream.settings = hidream.settings.changed(values)
        return hidream.settings.to_json()

    async def set_token(values: dict[str, Any]) -> Any:
        hidream.token = str(values.get("token", ""))
        return {}

    async def queue(values: dict[str, Any]) -> Any:
        hidream.tasks.endings.append(Ending.from_json(values))
        return {"queued": len(hidream.tasks.endings)}

    async def tasks(_request: Request) -> Response:
        return JSONResponse(hidream.tasks.to_json())

    return [
        Route("/sandbox/settings", settings, methods=["GET"]),
        Route("/sandbox/settings", _taking(change), methods=["POST"]),
        Route("/sandbox/token", _taking(set_token), methods=["POST"]),
        Route("/sandbox/outcomes", _taking(queue), methods=["POST"]),
        Route("/sandbox/release", hidream.release, methods=["POST"]),
        Route("/sandbox/tasks", tasks, methods=["GET"]),
        *control_routes(faults=hidream.faults, journal=hidream.journal),
    ]


def _taking(act: Callable[[dict[str, Any]], Any]) -> Callable[[Request], Any]:
    """Make an endpoint that reads JSON, and says with status 400 what was wrong with it."""

    async def endpoint(request: Request) -> Response:
        try:
            values = await request.json()
            if isinstance(values, dict):
                return JSONResponse(await act(values))
            error = "the body must be a JSON object"
        except ValueError as refused:
            error = str(refused)
        return JSONResponse({"error": error}, 400)

    return endpoint
