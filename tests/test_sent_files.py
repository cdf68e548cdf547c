"""Files that people sent, from the disk of a Bot API server in local mode: what is read, and what never is."""

import asyncio
import gc
import os
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from telegram.ext import ExtBot

from bot import connections
from bot.chat import TelegramChat
from bot.messages import Fetched, FileOutcome, Later, Missing, TooLarge
from bot.sent_files import SentFiles
from sandbox.serving import serve
from sandbox.telegram.app import TOKEN, create_app
from sandbox.telegram.rules import Rules
from tests.hidream.crooked import answers, crooked


@asynccontextmanager
async def fetching(url: str, files: SentFiles) -> AsyncIterator[TelegramChat]:
    """Open the port to a Bot API server."""
    bot = ExtBot(
        TOKEN,
        base_url=f"{url}/bot",
        base_file_url=f"{url}/file/bot",
        request=connections.for_calls(),
        get_updates_request=connections.for_updates(),
    )
    try:
        yield TelegramChat(bot, files)
    finally:
        for request in bot._request:
            await request.shutdown()


async def told(path: str, files: SentFiles) -> tuple[FileOutcome, list[str]]:
    """Fetch a file of which the server says that it is there; with what is logged of it."""
    file = {"file_id": "a", "file_unique_id": "b", "file_path": path}
    script = answers({"ok": True, "result": file})
    async with crooked(script) as server, fetching(server.url, files) as chat:
        with capture_logs() as logs:
            outcome = await chat.fetch("a")
    assert [request.target.rpartition("/")[2] for request in server.requests] == ["getFile"]
    assert path not in str(logs), "it has the token in it"
    return outcome, [f"{line['event']}: {line.get('why', '')}" for line in logs]


async def test_a_file_is_read_from_the_disk(tmp_path: Path) -> None:
    """A server in local mode gives any size, whole and once in memory; what is over the limit is not read."""
    app = create_app(rules=Rules(local_folder=tmp_path / "server"))
    keep = app.state.telegram.add_file
    large = keep(name="a.png", content_type="image/png", content=b"0123456789" * 2_500_000)
    larger = keep(name="b.png", content_type="image/png", content=bytes(30_000_001))
    files = SentFiles(folder=tmp_path / "server", max_bytes=30_000_000)
    async with serve(app) as url, fetching(url, files) as chat:
        assert await chat.fetch("nonsense") == Missing(
            reason="Wrong file_id or the file is temporarily unavailable"
        )
        await chat.fetch(large.file_id)  # the first thread, and what the library keeps
        gc.collect()
        tracemalloc.start()
        try:
            fetched = await chat.fetch(large.file_id)
            _, highest = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert fetched == Fetched(content=large.content)
        assert await chat.fetch(larger.file_id) == TooLarge(max_bytes=30_000_000)
    strict = [entry for entry in app.state.journal.entries() if entry.outcome == "strict"]
    assert strict == [], "nothing is asked for over HTTP"
    assert highest < 1.3 * len(large.content)


async def test_a_server_that_is_in_no_local_mode(tmp_path: Path) -> None:
    """Where the server gives files over HTTP all the same, they come that way."""
    app = create_app()
    file = app.state.telegram.add_file(name="a.png", content_type="image/png", content=b"abc")
    async with serve(app) as url, fetching(url, SentFiles(folder=tmp_path)) as chat:
        assert await chat.fetch(file.file_id) == Fetched(content=b"abc")


@pytest.mark.parametrize("path", ["{}/there", "/nowhere/at/all"])
async def test_no_path_is_believed_without_local_mode(tmp_path: Path, path: str) -> None:
    """A path on this disk, whether there is a file or not, is neither read nor asked for; the photo waits."""
    (tmp_path / "there").write_text("hush")
    outcome, logs = await told(path.format(tmp_path), SentFiles())
    assert isinstance(outcome, Later)
    assert logs == ["telegram_files_are_on_a_disk: "]


async def test_nothing_outside_the_folder_is_read(tmp_path: Path) -> None:
    """Neither a path, nor dots, nor a link leads out of the folder; no pipe is waited for; the photo waits."""
    folder = tmp_path / "server"
    folder.mkdir()
    (tmp_path / "secret").write_text("hush")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "away").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe")
    (folder / "shut").write_text("hush")
    (tmp_path / "server-two").mkdir()
    (tmp_path / "server-two" / "file").write_text("hush")
    outside, files = "it is not in the folder", SentFiles(folder=folder)
    for path, why in {
        tmp_path / "secret": outside,
        f"{folder}/../secret": outside,
        folder / "link": outside,
        folder / "away" / "secret": outside,
        tmp_path / "server-two" / "file": outside,
        folder / "pipe": "it is not a plain file",
        folder: "it is not a plain file",
        folder / "gone": "No such file or directory",
        folder / "null\0": "embedded null byte",
    }.items():
        async with asyncio.timeout(10):
            outcome, logs = await told(str(path), files)
        assert isinstance(outcome, Later), path
        assert logs == [f"telegram_file_not_read: {why}"], path
    # through a link to the folder itself, as mounts are, it is
    (tmp_path / "mounted").symlink_to(folder)
    assert await told(f"{tmp_path}/mounted/shut", files) == (Fetched(content=b"hush"), [])
    (folder / "longer").write_bytes(bytes(11))
    small = SentFiles(folder=folder, max_bytes=10)
    assert await told(f"{folder}/longer", small) == (TooLarge(max_bytes=10), [])
