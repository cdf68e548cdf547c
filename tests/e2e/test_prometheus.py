"""A real Prometheus scrapes the running bot: each query of the dashboard and of the alerts finds what it asks for."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import yaml
from prometheus_client.parser import text_string_to_metric_families

from bot.labels import Step
from bot.metrics import PREFIX
from sandbox.hidream.settings import Settings
from tests.e2e.world import HIDREAM_TOKEN, TELEGRAM_TOKEN, Person, World, opened, said, until
from tests.metrics.shown import strange
from tests.metrics.test_alerts import rules
from tests.metrics.test_dashboard import queries
from tests.metrics.tools import RULES, checked
from tests.ports import free_ports
from tests.programs import program

_WINDOW: Final = "15s"
"""What Grafana would put for `$__rate_interval` at a scrape a second, and some more."""


@asynccontextmanager
async def prometheus(path: Path, monitor: str, port: int) -> AsyncIterator[str]:
    """Run Prometheus, which scrapes this address every second; gives its own."""
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(RULES)],
        "scrape_configs": [{"job_name": "hidream-bot", "static_configs": [{"targets": [monitor]}]}],
    }
    file = path / "prometheus.yml"
    file.write_text(yaml.safe_dump(config))
    with (path / "prometheus.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            program("prometheus", "prometheus"),
            f"--config.file={file}",
            f"--storage.tsdb.path={path / 'prometheus'}",
            f"--web.listen-address=127.0.0.1:{port}",
            stdout=log,
            stderr=log,
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _ask(http: httpx.AsyncClient, url: str, query: str) -> list[dict[str, Any]]:
    """Ask Prometheus; gives the series that it finds."""
    answer = await http.get(f"{url}/api/v1/query", params={"query": query})
    body = answer.json()
    assert body["status"] == "success", (query, body)
    assert not body.get("warnings"), (query, body)
    found: list[dict[str, Any]] = body["data"]["result"]
    return found


async def _traffic(world: World, ada: Person, forged: str) -> None:
    """Let happen what a bot goes through: pictures, a press, a failure, a 429, callbacks, real and forged."""
    await world.fault("telegram", "sendMessage", "status", status=429, retry_after=1)
    await (await world.person("Bob")).text("/start")
    await ada.photo("sepia")
    [picture] = await ada.gets(1)
    await ada.press(picture, said("button-repeat"))
    await ada.gets(2)
    await world.next_ends(4)
    await ada.photo("a thing that cannot be")
    await ada.reads("did not pass its review")
    await ada.photo("make it snow /n 2")
    assert (await world.http.post(forged, json={})).status_code == 404
    await ada.gets(4)


async def test_prometheus_finds_everything(tmp_path: Path) -> None:
    """After real traffic no query of dashboard or alerts fails, the dashboard finds its series, and nothing is given away."""
    web, monitor, port = free_ports(3)
    settings = Settings(seconds=0.5, parallel=10)
    async with opened(tmp_path, settings=settings) as world:
        # it begins to scrape some seconds after its start: the bot starts meanwhile
        async with prometheus(tmp_path, f"127.0.0.1:{monitor}", port) as url:
            await world.start(
                web={
                    "listen": f"127.0.0.1:{web}",
                    "public_url": f"http://127.0.0.1:{web}",
                    "monitor": f"127.0.0.1:{monitor}",
                }
            )
            ada = await world.person()
            await _traffic(world, ada, f"http://127.0.0.1:{web}/hidream/forged")
            await _queries_find_their_series(world, url)
            await _rules_are_well(world, url)
        scraped = await world.http.get(f"http://127.0.0.1:{monitor}/metrics")
        assert await checked(scraped.content) == ""
        _nothing_is_given_away(scraped.text, world, ada)
        elsewhere = await world.http.get(f"http://127.0.0.1:{web}/metrics")
        assert elsewhere.status_code == 404, "what the internet reaches has no metrics"


_AT_LEAST: Final = {
    **{f'step_duration_seconds_count{{step="{step}"}}': 3 for step in Step},
    'deliveries_total{outcome="delivered"}': 3,
    'deliveries_total{outcome="failed"}': 1,
    'telegram_calls_total{method="sendMessage", outcome="too_fast"}': 1,
    'telegram_calls_total{method="getUpdates", outcome="ok"}': 3,
    "telegram_retry_after_seconds_total": 1,
    'callbacks_total{kind=~"known|late"}': 3,
    'callbacks_total{kind="unknown"}': 1,
    'updates_handled_total{outcome="done"}': 4,
    'store_size_bytes{part="database"}': 4096,
    'build_info{mode="polling"}': 1,
}
"""What the traffic came to."""


async def _queries_find_their_series(world: World, url: str) -> None:
    asked = [
        one.replace("$__rate_interval", _WINDOW).replace("$instance", ".*") for one in queries()
    ]
    asked += [f"sum({PREFIX}{one}) >= {least}" for one, least in _AT_LEAST.items()]
    assert not [one for one in asked if "$" in one]
    missing = list(asked)

    async def all_found() -> bool:
        missing[:] = [one for one in missing if not await _ask(world.http, url, one)]
        return not missing

    try:
        await until(all_found, "every query finds its series")
    except AssertionError as exc:
        raise AssertionError(missing) from exc


async def _rules_are_well(world: World, url: str) -> None:
    """Each rule has been evaluated without an error, and of a bot that is well none has been raised."""
    for rule in rules():
        await _ask(world.http, url, rule["expr"])
    body = (await world.http.get(f"{url}/api/v1/rules")).json()
    [group] = body["data"]["groups"]
    assert {rule["name"]: rule["health"] for rule in group["rules"]} == {
        rule["alert"]: "ok" for rule in rules()
    }
    raised = {
        rule["name"]: [alert["annotations"] for alert in rule["alerts"]]
        for rule in group["rules"]
        if rule["state"] == "firing"
    }
    assert raised == {}


def _nothing_is_given_away(text: str, world: World, ada: Person) -> None:
    """No label says anything but what it may, and nothing of anybody is in the text."""
    families = list(text_string_to_metric_families(text))
    assert len(families) > 35
    for one in families:
        if one.name.startswith(PREFIX):
            assert not strange(iter(one.samples), one.name)
    assert '"other"' not in json.dumps(
        [s.labels for one in families for s in one.samples if s.value]
    )
    for secret in (TELEGRAM_TOKEN, HIDREAM_TOKEN, f'"{ada.id}"', "sepia", "snow", "Ada", "http"):
        assert secret not in re.sub(r"(?m)^#.*$", "", text), secret
    for row in world.rows("SELECT request_id, hidream_task_id FROM submissions"):
        assert row["request_id"] not in text
        assert row["hidream_task_id"] not in text
