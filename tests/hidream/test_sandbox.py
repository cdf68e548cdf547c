"""The client against the local HiDream: whole tasks, in both versions, over real HTTP."""

import asyncio
import base64
import contextlib
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from PIL import Image

from bot.hidream.client import Asked, HiDreamClient, new_client
from bot.hidream.download import Downloader, DownloadLater
from bot.hidream.errors import (
    ContentRefused,
    GatewayIll,
    HiDreamError,
    TokenRefused,
    TooFast,
    Uncertain,
    UnknownTask,
)
from bot.hidream.wire import RESOLUTIONS, ApiVersion, SubTaskStatus, TaskResult
from sandbox.faults import Fault, Faults
from sandbox.hidream.app import create_app
from sandbox.hidream.settings import Settings
from sandbox.journal import Journal
from sandbox.serving import serve
from tests.hidream.making import TRUST, picture, submission

PHOTO = base64.b64encode(picture("JPEG", (80, 60))).decode()


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """A running local HiDream and a client of it."""

    client: HiDreamClient
    faults: Faults
    journal: Journal

    async def end_of(self, task_id: str, user_id: str = "1") -> TaskResult:
        """Ask until the task is at its end."""
        async with asyncio.timeout(20):
            while not (result := await self.client.result(task_id, user_id=user_id)).final:
                await asyncio.sleep(0.03)
        return result


@contextlib.asynccontextmanager
async def service(
    version: ApiVersion = ApiVersion.V2, *, token: str = "sandbox", **changes: Any
) -> AsyncIterator[Service]:
    """A fast service with these settings, and a client with this token."""
    faults, journal = Faults(), Journal()
    fast: dict[str, Any] = {"seconds": 0.2, "jitter": 0.0, "parallel": 10}
    app = create_app(settings=Settings(**fast | changes), faults=faults, journal=journal)
    async with serve(app) as url, new_client(verify=TRUST) as http:
        client = HiDreamClient(http, base_url=url, version=version, token=lambda: token)
        yield Service(client=client, faults=faults, journal=journal)


@pytest.mark.parametrize(
    ("version", "ratio"), [(ApiVersion.V2, "16:9"), (ApiVersion.V2, "2:3"), (ApiVersion.V3, "16:9")]
)
async def test_a_whole_task(version: ApiVersion, ratio: str) -> None:
    """Submitted, asked about until done, and both pictures fetched in the right ratio."""
    async with (
        service(version) as hidream,
        Downloader(allow_local=True, verify=TRUST) as downloader,
    ):
        taken = await hidream.client.submit(
            submission(images=(PHOTO,), aspect_ratio=ratio, count=2, negative_prompt="text"),
            user_id="1",
        )
        assert len(taken.sub_task_ids) == 2
        assert taken.request_id == "r-1"
        result = await hidream.end_of(taken.task_id)
        assert {each.sub_task_id for each in result.sub_tasks} == set(taken.sub_task_ids)
        assert [each.completion for each in result.sub_tasks] == [1.0, 1.0]
        width, height = map(int, RESOLUTIONS[ratio].split("*"))
        for each in result.sub_tasks:
            assert each.image is not None
            made = await downloader.image(each.image)
            assert made.width / made.height == pytest.approx(width / height, rel=0.01)
            assert Image.open(io.BytesIO(made.content)).format == "JPEG"


@pytest.mark.parametrize("version", list(ApiVersion))
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"batch_repeats_task_id": False},
        {"batch": False},
        {"completion_scale": 100},
        {"results_missing_at_first": 0.1, "batch_repeats_task_id": False},
    ],
    ids=lambda changes: ",".join(changes) or "as documented",
)
async def test_many_at_once(version: ApiVersion, changes: dict[str, Any]) -> None:
    """Tasks of several users are all answered, whatever the service leaves open."""
    async with service(version, **changes) as hidream:
        asked = []
        for user in ("1", "2", "3"):
            taken = await hidream.client.submit(
                submission(
                    images=(PHOTO,),
                    request_id=f"r-{user}",
                    # Ends without a drawing, which is what takes the time.
                    prompt="fails-in-the-making",
                ),
                user_id=user,
            )
            asked.append(
                Asked(task_id=taken.task_id, sub_task_ids=taken.sub_task_ids, user_id=user)
            )
        async with asyncio.timeout(20):
            while True:
                found = await hidream.client.results(asked)
                results = [each for each in found.values() if isinstance(each, TaskResult)]
                assert len(results) == 3
                parts = [part for each in results for part in each.sub_tasks]
                assert all(0 <= (part.completion or 0) <= 1 for part in parts)
                if all(each.final for each in results):
                    break
                await asyncio.sleep(0.05)
        for each in asked:
            result = found[each.task_id]
            assert isinstance(result, TaskResult)
            assert result.sub_tasks[0].sub_task_id == each.sub_task_ids[0]


@pytest.mark.parametrize(
    ("word", "statuses"),
    [
        ("blocked-by-review", [SubTaskStatus.REFUSED] * 2),
        ("fails-in-the-making", [SubTaskStatus.FAILED] * 2),
        ("makes-nothing", [SubTaskStatus.EMPTY] * 2),
        ("half-done", [SubTaskStatus.DONE, SubTaskStatus.FAILED]),
    ],
)
async def test_each_ending(word: str, statuses: list[SubTaskStatus]) -> None:
    """Every way in which a task can end is read as such."""
    async with service() as hidream:
        taken = await hidream.client.submit(
            submission(images=(PHOTO,), prompt=word, count=2), user_id="1"
        )
        result = await hidream.end_of(taken.task_id)
    assert [each.status for each in result.sub_tasks] == statuses


@pytest.mark.parametrize(
    ("changes", "token", "prompt", "error"),
    [
        ({}, "sandbox", "naked", ContentRefused),
        ({"token_style": "http"}, "stale", "x", TokenRefused),
        ({"token_style": "refusal"}, "stale", "x", TokenRefused),
        ({"images_per_minute": 1, "over_limit_style": "refusal"}, "sandbox", "x", TooFast),
        ({"images_per_minute": 1, "over_limit_style": "429"}, "sandbox", "x", TooFast),
        ({"down": True}, "sandbox", "x", GatewayIll),
    ],
)
async def test_each_refusal(
    changes: dict[str, Any], token: str, prompt: str, error: type[HiDreamError]
) -> None:
    """What the service refuses is told apart, in each style that it may have."""
    async with service(token=token, **changes) as hidream:
        with pytest.raises(error):
            await hidream.client.submit(
                submission(images=(PHOTO,), prompt=prompt, count=2), user_id="1"
            )


@pytest.mark.parametrize(("offered", "found"), [(True, True), (False, False)])
async def test_a_lost_answer_is_found_by_its_request_id(offered: bool, found: bool) -> None:
    """Where the service can be asked by request id, an uncertain task turns up."""
    async with service(lookup_by_request_id=offered) as hidream:
        hidream.faults.add(Fault(call="submit", action="reset_after"))
        with pytest.raises(Uncertain):
            await hidream.client.submit(submission(images=(PHOTO,)), user_id="1")
        result = await hidream.client.result_by_request("r-1", user_id="1")
        assert (result is not None) is found
        assert await hidream.client.result_by_request("r-other", user_id="1") is None


async def test_an_unknown_task_is_unknown() -> None:
    """A task that the service never made is told apart."""
    async with service() as hidream:
        with pytest.raises(UnknownTask):
            await hidream.client.result("no-such-task", user_id="1")


async def test_an_expired_picture_is_for_later() -> None:
    """A URL that no longer works is a failure to fetch, not an image."""
    async with (
        service(url_seconds=0.0) as hidream,
        Downloader(allow_local=True, verify=TRUST) as downloader,
    ):
        taken = await hidream.client.submit(submission(images=(PHOTO,)), user_id="1")
        result = await hidream.end_of(taken.task_id)
        assert result.sub_tasks[0].image is not None
        with pytest.raises(DownloadLater):
            await downloader.image(result.sub_tasks[0].image)


async def test_the_strict_service_found_nothing_wrong() -> None:
    """Every call of a whole task passes the service's strict validation."""
    async with service(ApiVersion.V3) as hidream:
        taken = await hidream.client.submit(
            submission(
                images=(PHOTO, PHOTO),
                prompt="fails-in-the-making",
                notify_url="https://bot.example/x",
            ),
            user_id="1",
        )
        await hidream.end_of(taken.task_id)
        asked = Asked(task_id=taken.task_id, sub_task_ids=taken.sub_task_ids, user_id="1")
        await hidream.client.results([asked])
        # The callback is the service's own call, and leads nowhere here.
        calls = [each for each in hidream.journal.entries() if each.call != "callback"]
        assert len(calls) >= 3
        assert [(each.call, each.detail) for each in calls if each.outcome != "ok"] == []
