"""The process: how it starts, how it ends, and what it says where it cannot start."""

import asyncio
import contextlib
import signal
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from sandbox.serving import serve
from sandbox.telegram.app import create_app as create_telegram
from sandbox.telegram.rules import Rules
from storage.database import APPLICATION_ID
from tests.e2e.world import HIDREAM_TOKEN, TELEGRAM_TOKEN, World, opened, until
from tests.ports import free_port

HALF = TELEGRAM_TOKEN.partition(":")[2]


async def started(world: World) -> None:
    """Wait until the bot says that it has started."""

    async def look() -> bool:
        return "started" in world.log

    await until(look, "the bot has started")


async def called(world: World, service: str, call: str) -> None:
    """Wait until the bot has made this call."""

    async def look() -> bool:
        return bool(await world.calls(service, call=call))

    await until(look, f"{call} was called")


# --- what stops it from starting ------------------------------------------------------------------


async def test_bad_settings_end_it_at_once(tmp_path: Path) -> None:
    """Wrong settings are told on standard error, all at once, with exit code 78 and no traceback."""
    async with opened(tmp_path) as world:
        await world.start(hidream={"api_version": 9}, run={"log_level": "DEBUG", "x": 1})
        assert await world.died() == 78
        assert world.log.startswith("The settings can't be used:\n")
        assert "hidream.api_version = 9: must be 2 or 3." in world.log
        assert "run.x: there is no such setting." in world.log
        assert "Traceback" not in world.log


@pytest.mark.parametrize("status", [401, 404])
async def test_an_unknown_telegram_token(tmp_path: Path, status: int) -> None:
    """A token that Telegram does not know ends the start with 78, and is not shown."""
    async with opened(tmp_path) as world:
        await world.fault("telegram", "getMe", "status", status=status, times=None)
        await world.start()
        assert await world.died() == 78
        assert "Telegram does not know this token" in world.log
        assert "Traceback" not in world.log
        assert HALF not in world.log


def _newer(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 9999")
        connection.execute("CREATE TABLE a (b)")


def _foreign(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE a (b)")


def _corrupt(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\x00" + b"\xff" * 5000)


def _read_only(path: Path) -> None:
    _newer(path)
    path.chmod(0o400)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (_newer, "newer version of the bot"),
        (_foreign, "another program"),
        (_corrupt, "bot.db"),
        (_read_only, "read-only"),
    ],
)
async def test_a_database_that_cannot_be_used(tmp_path: Path, make: Any, why: str) -> None:
    """A database that is newer, not ours, corrupt or read-only ends the start with 74, untouched."""
    async with opened(tmp_path) as world:
        world.database.parent.mkdir()
        make(world.database)
        before = world.database.read_bytes()
        await world.start()
        assert await world.died() == 74
        assert "The database can't be used: " in world.log
        assert why in world.log
        assert "Traceback" not in world.log
        assert world.database.read_bytes() == before
        assert not world.database.with_name("bot.db-wal").exists()


async def test_a_database_that_is_in_use(tmp_path: Path) -> None:
    """A second process on the same database ends with 74; the first one goes on."""
    async with opened(tmp_path) as world:
        await world.start()
        await started(world)
        first = world.process
        try:
            await world.start()
            assert await world.died() == 74
            assert "in use by another process" in world.log
        finally:
            world.process = first
        ada = await world.person()
        await ada.text("/start")
        await ada.reads("photo")


# --- waiting, stopping ----------------------------------------------------------------------------


async def test_telegram_is_waited_for(tmp_path: Path) -> None:
    """With Telegram down at the start the process stays, and works once Telegram is there."""
    port = free_port()
    async with opened(tmp_path) as world:
        await world.start(telegram={"api_url": f"http://127.0.0.1:{port}"})

        async def waits() -> bool:
            return "telegram_unreachable" in world.log

        await until(waits, "it says that it waits")
        assert world.process is not None
        assert world.process.returncode is None
        async with serve(create_telegram(token=TELEGRAM_TOKEN), port=port) as url:
            before, world.telegram = world.telegram, url
            ada = await world.person()
            await ada.text("/start")
            await ada.reads("photo")
            assert await world.stop() == 0
            assert await world.calls("telegram", outcome="strict") == []
            world.telegram = before
        assert world.log.count("telegram_unreachable") == 1
        assert world.log.count("telegram_reachable_again") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_while_waiting_for_telegram(tmp_path: Path, number: int) -> None:
    """A stop during that wait ends the process at once, with 0."""
    async with opened(tmp_path) as world:
        await world.start(telegram={"api_url": f"http://127.0.0.1:{free_port()}"})

        async def waits() -> bool:
            return "telegram_unreachable" in world.log and "stamina" not in world.log

        await until(waits, "the bot waits for Telegram")
        began = time.monotonic()
        assert world.process is not None
        world.process.send_signal(number)
        assert await world.died() == 0
        assert time.monotonic() - began < 2
        assert "Traceback" not in world.log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_while_idle(tmp_path: Path, number: int) -> None:
    """An idle bot ends with 0 before `stop_seconds` are over."""
    async with opened(tmp_path) as world:
        await world.start()
        await started(world)
        began = time.monotonic()
        assert world.process is not None
        world.process.send_signal(number)
        assert await world.died() == 0
        assert time.monotonic() - began < 4
        assert "Traceback" not in world.log


async def test_a_stop_lets_a_submission_finish(tmp_path: Path) -> None:
    """A submission that is under way at a stop is finished, so that nothing is uncertain."""
    async with opened(tmp_path) as world:
        await world.start()
        ada = await world.person()
        await world.fault("hidream", "submit", "delay", seconds=1.5)
        await ada.photo("make it snow")
        await world.task_is("submitting")
        assert await world.stop() == 0
        (row,) = world.rows("SELECT state, hidream_task_id FROM tasks")
        assert row["state"] == "running"
        assert row["hidream_task_id"]


async def test_a_token_that_is_revoked(tmp_path: Path) -> None:
    """Where Telegram no longer knows the token, the process ends and says so, without a traceback."""
    async with opened(tmp_path) as world:
        await world.start()
        await started(world)
        for call in ("getUpdates", "getMe"):
            await world.fault("telegram", call, "status", status=401, times=None)
        ada = await world.person()
        await ada.text("wake up")  # ends the long poll that is open
        assert await world.died() == 70
        assert "Given up: Telegram no longer knows the bot's token." in world.log
        assert "Traceback" not in world.log


async def test_a_fresh_hidream_token_is_taken_up(tmp_path: Path) -> None:
    """With an expired HiDream token tasks wait, and go on when the token file has a fresh one."""
    fresh = "a-fresh-hidream-token-that-must-not-leak"
    file = tmp_path / "token"
    file.write_text(HIDREAM_TOKEN + "\n")
    async with opened(tmp_path) as world:
        del world.settings["hidream"]["token"]
        await world.start(hidream={"token_file": str(file)})
        ada = await world.person()
        await ada.photo("make it snow")
        await ada.gets(1)
        await world.http.post(f"{world.hidream}/sandbox/token", json={"token": fresh})
        await ada.photo("make it rain")
        await called(world, "hidream", "submit")

        async def paused() -> bool:
            return "submitting_paused" in world.log or "token" in world.log.lower()

        await until(paused, "the refusal is logged")
        file.write_text(fresh)
        await ada.gets(2)
        for token in (fresh, HIDREAM_TOKEN, TELEGRAM_TOKEN, HALF):
            assert token not in world.log


# --- how it presents itself -----------------------------------------------------------------------


async def test_it_presents_itself_in_every_language(tmp_path: Path) -> None:
    """Menu and page are set at the first start alone, and people are answered in their language.

    A Telegram that does not know how to set them keeps nobody from an answer.
    """
    async with opened(tmp_path) as world:
        await world.fault("telegram", "setMyDescription", "status", status=404)
        await world.start()
        carla = await world.person("Carla", language_code="de")
        await carla.text("/start")
        await carla.reads("Schick mir ein Foto")

        async def refused() -> bool:
            return "menu_not_set" in world.log

        await until(refused, "it has tried to present itself")
        assert await world.stop() == 0
        await world.start()

        async def presented() -> bool:
            return "menu_set" in world.log

        await until(presented, "the menu is set")
        menus = (await world.see("commands"))["menus"]
        assert {menu["language_code"] for menu in menus} >= {"", "zh", "pt", "de", "ar"}
        profile = await world.see("profile")
        assert "ein paar Worten" in profile["short_description"]["de"]
        assert await world.stop() == 0
        calls = len(await world.calls("telegram", call="setMyCommands"))
        await world.start()
        await carla.text("/help")
        await carla.reads("In der Bildunterschrift kann auch stehen", "/count 4")
        assert len(await world.calls("telegram", call="setMyCommands")) == calls
        assert await world.calls("telegram", outcome="strict") == []


# --- what the logs say ----------------------------------------------------------------------------


@pytest.mark.parametrize("log_format", ["console", "json"])
async def test_logs_at_debug_have_no_secret(tmp_path: Path, log_format: str) -> None:
    """A whole task at DEBUG, failures included, names no token, nor its secret half."""
    async with opened(tmp_path) as world:
        await world.fault("telegram", "getFile", "status", status=502)
        await world.fault("telegram", "file", "reset_before")
        await world.fault("hidream", "image", "status", status=500)
        await world.fault("hidream", "submit", "status", status=502)
        await world.start(run={"log_level": "DEBUG", "log_format": log_format})
        ada = await world.person()
        await ada.photo("make it snow /count 2")
        await ada.gets(2)
        await world.stop()
        assert "HTTP Request" in world.log
        for token in (TELEGRAM_TOKEN, HALF, HIDREAM_TOKEN, TELEGRAM_TOKEN.replace(":", "%3A")):
            assert token not in world.log


async def test_logs_at_info_have_nobodys_words(tmp_path: Path) -> None:
    """At INFO a whole task names neither the prompt, nor the person, nor a file."""
    async with opened(tmp_path) as world:
        await world.fault("telegram", "sendPhoto", "reset_after")
        await world.start(run={"log_level": "INFO"})
        ada = await world.person("Adalbertine", username="adalbertine_x")
        await ada.photo("make it snow over Zanzibar")
        await world.task_is("delivered")
        await world.stop()
        rows = world.rows("SELECT * FROM images")
        ids = [str(v) for row in rows for k, v in row.items() if "file_id" in k and v]
        assert ids
        for private in ("Zanzibar", "Adalbertine", "adalbertine_x", *ids):
            assert private.lower() not in world.log.lower()


# --- the command line, and Telegram's own limits --------------------------------------------------


@pytest.mark.parametrize("program", [("-m", "bot"), ("hidream-bot",)])
async def test_help(program: tuple[str, ...]) -> None:
    """`python -m bot --help` and `hidream-bot --help` say what there is."""
    if program[0] == "hidream-bot":
        installed = Path(sys.executable).with_name("hidream-bot")
        program = ("-m", "bot") if not installed.exists() else (str(installed),)
    process = await asyncio.create_subprocess_exec(
        sys.executable, *program, "--help", stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    assert b"run" in out
    assert b"demo" in out


async def test_telegrams_real_limits_are_kept(tmp_path: Path) -> None:
    """Six photos at once from a person and some in a group lead to not a single 429."""
    async with opened(tmp_path, rules=Rules()) as world:
        await world.start(hidream={"parallel_requests": 5})
        ada, bob = await world.person(), await world.person("Bob")
        group = await world.group(ada, bob)
        for n in range(6):
            await ada.photo(f"make it snow {n}")
        await bob.photo("/ratio 1:1 make it rain", chat=group)
        await ada.gets(6)
        calls = await world.calls("telegram")
        assert [call for call in calls if call["status"] == 429] == []
