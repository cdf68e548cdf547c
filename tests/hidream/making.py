"""Clients, submissions and answers for these tests."""

import io
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from hypothesis import HealthCheck, settings
from PIL import Image

from bot.hidream.client import HiDreamClient, new_client
from bot.hidream.exchange import Patience
from bot.hidream.wire import ApiVersion, Submission

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For property tests: the first text drawn in a fresh clone builds a table, which takes seconds."""

TRUST = ssl.create_default_context()
"""Made once: to read all authorities takes longer than most tests."""

TOKEN = "secret-token-of-the-tests"
SHORT = Patience(connect=2, write=0.3, read=0.3, pool=2, total=3)


def submission(**changes: Any) -> Submission:
    """A submission that HiDream would take."""
    fields: dict[str, Any] = {
        "images": ("aGVsbG8=",),
        "prompt": "make it snow",
        "request_id": "r-1",
    }
    return Submission(**fields | changes)


@asynccontextmanager
async def client(
    url: str,
    version: ApiVersion = ApiVersion.V2,
    *,
    proxy: str | None = None,
    patience: Patience = SHORT,
    token: str = TOKEN,
) -> AsyncIterator[HiDreamClient]:
    """A client with short time-outs."""
    async with new_client(proxy=proxy, verify=TRUST) as http:
        yield HiDreamClient(
            http,
            base_url=url,
            version=version,
            token=lambda: token,
            submit_patience=patience,
            ask_patience=patience,
        )


def accepted(task_id: object = "t-1", subs: Sequence[str] = ("s-1",)) -> dict[str, object]:
    """The documented answer to a submission."""
    return {
        "code": 0,
        "message": "请求成功",
        "request_id": "r-1",
        "result": {"task_id": task_id, "sub_task_ids": list(subs)},
    }


def sub(**fields: object) -> dict[str, object]:
    """One sub-task of an answer."""
    return {
        "sub_task_id": "s-1",
        "task_status": 1,
        "task_completion": 1.0,
        "image": "https://images.example/1.jpg",
    } | fields


def told(result: object, **fields: object) -> dict[str, object]:
    """An answer that is a success, with this result."""
    return {"code": 0, "message": "ok", "request_id": "", "result": result} | fields


def picture(form: str = "JPEG", size: tuple[int, int] = (40, 30), **options: Any) -> bytes:
    """The bytes of a picture."""
    out = io.BytesIO()
    Image.effect_noise(size, 50).convert("RGB").save(out, form, **options)
    return out.getvalue()
