"""The demo, as a process of its own: it works, it says so, it fails honestly, and it ends."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from PIL import Image

from sandbox.conversation import PictureNames
from sandbox.guest import NotAPhoto, attach

ROOT = Path(__file__).parents[2]
QUICK = ("--seconds", "0.6")


def environment(**more: str) -> dict[str, str]:
    """An environment that would lead a bot astray, and the project on the path."""
    astray = {
        "BOT_TELEGRAM__TOKEN": "1:wrong",
        "BOT_HIDREAM__BASE_URL": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "ALL_PROXY": "http://127.0.0.1:9",
    }
    return {**os.environ, **astray, "PYTHONPATH": str(ROOT), "COLUMNS": "100", **more}


def run(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the demo's command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "sandbox", "demo", *map(str, arguments)],
        cwd=cwd, env=environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def bots_of(process: asyncio.subprocess.Process) -> list[int]:
    """The processes that a demo has started."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(pid) for pid in children.read_text().split()]


def is_alive(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@asynccontextmanager
async def demo(
    cwd: Path, seconds: float = 0.6
) -> AsyncIterator[tuple[asyncio.subprocess.Process, list[str]]]:
    """A demo that stays up; what it says is collected."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", "demo", "--seconds", str(seconds),
        cwd=cwd, env=environment(),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said: list[str] = []

    async def listen() -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            said.append(line.decode().rstrip("\n"))

    listening = asyncio.create_task(listen())
    try:
        yield process, said
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        await listening


async def heard(said: list[str], words: str) -> None:
    """Wait until the demo has said this."""
    async with asyncio.timeout(40):
        while not any(words in line for line in said):
            await asyncio.sleep(0.02)


async def talk(cwd: Path, *arguments: str | Path) -> tuple[int, str]:
    """Talk to the demo from a second terminal; returns the exit code and what is shown."""
    done = await asyncio.to_thread(run, *arguments, cwd=cwd)
    return done.returncode, done.stdout + done.stderr


def test_once_it_works_and_names_its_pictures(tmp_path: Path) -> None:
    """`--once` ends with 0 and says last that it worked; the pictures it names are 16:9, then square."""
    done = run("--once", *QUICK, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1].startswith("It worked")
    named = set(re.findall(r"demo-output/\S+\.jpg", done.stdout))
    ratios = {f"demo-output/make-it-snow-{n}.jpg": (16 / 9, 1)[n > 2] for n in (1, 2, 3, 4)}
    assert named == {"demo-output/sample.jpg", *ratios}
    for name, ratio in ratios.items():
        with Image.open(tmp_path / name) as picture:
            assert picture.width / picture.height == pytest.approx(ratio, rel=0.01)
    assert done.stdout.count("/status\n") == 2
    assert done.stdout.count("[ ➡️ Use as new photo ]") == 3, "after each album, and put back"
    assert "(2 pictures are on their way.)" in done.stdout
    assert "\x1b" not in done.stdout


async def test_a_conversation_from_a_second_terminal(tmp_path: Path) -> None:
    """Photos, files and words reach the demo and are followed to their end; Ctrl-C ends it all."""
    heic, png = tmp_path / "photo.HEIC", tmp_path / "photo.png"
    Image.new("RGBA", (300, 200), "teal").save(png)
    # no decoder needed here: what matters is that it travels as a file, and the bot has its say
    heic.write_bytes(b"\x00\x00\x00\x18ftypheic" + bytes(200))
    async with demo(tmp_path) as (process, said):
        await heard(said, "Ctrl-C ends it")
        (code, shown), second = await asyncio.gather(
            talk(tmp_path, "--photo", png, "at night /ratio square"),
            talk(tmp_path, "--once"),
        )
        assert second[0] == 1
        assert "already running" in second[1]
        assert code == 0, shown
        assert "demo-output/at-night-1.jpg" in shown
        with Image.open(tmp_path / "demo-output/at-night-1.jpg") as picture:
            assert picture.width == picture.height
        for arguments, words in (
            (("/status",), "#3"),
            (("/settings",), "[ Shape ]"),
            (("--photo", heic, "at night"), "photo.HEIC"),
            (("--photo", png), "What shall I make of it?"),
        ):
            code, shown = await talk(tmp_path, *arguments)
            assert code == 0, shown
            assert words in shown
        bots = bots_of(process)
        assert bots
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0
        assert time.monotonic() - started < 2
        assert not any(is_alive(pid) for pid in bots)
    assert "Traceback" not in "\n".join(said)
    assert said[-1] == "Ended. It worked."
    code, shown = await talk(tmp_path, "/status")
    assert code == 1
    assert "no demo to talk to" in shown


@pytest.mark.parametrize("moment", ["The bot at work", "the bot  ", "HiDream is at it"])
async def test_ctrl_c_before_the_end(tmp_path: Path, moment: str) -> None:
    """At any moment Ctrl-C ends it within two seconds: no trace, no process, exit code 1."""
    async with demo(tmp_path, seconds=20) as (process, said):
        await heard(said, moment)
        bots = bots_of(process)
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 1
        assert time.monotonic() - started < 2
        assert not any(is_alive(pid) for pid in bots)
    assert "Traceback" not in "\n".join(said)
    assert said[-1] == "It did not work: stopped before it was through"


def test_a_bot_that_does_not_start(tmp_path: Path) -> None:
    """A bot that ends by itself makes the demo fail at once, with the last of the bot's log."""
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot/__init__.py").write_text("")
    (tmp_path / "bot/__main__.py").write_text("print('out of tea')\nraise SystemExit(3)\n")
    done = run("--once", *QUICK, cwd=tmp_path)
    assert done.returncode == 1
    assert "exit code 3" in done.stderr
    assert "out of tea" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_can_not_be_written(tmp_path: Path) -> None:
    """An output folder that can't be had is said in one sentence, before anything starts."""
    (tmp_path / "file").write_text("")
    done = run("--once", "--output", tmp_path / "file" / "out", cwd=tmp_path)
    assert done.returncode == 1
    assert "can't write to" in done.stderr
    assert done.stdout == ""


def test_a_demo_that_was_killed_is_not_talked_to(tmp_path: Path) -> None:
    """An address left behind by a demo that is gone counts as no demo."""
    (tmp_path / "demo-output").mkdir()
    address = {"telegram": "http://127.0.0.1:9", "chat_id": 1}
    (tmp_path / "demo-output/.running.json").write_text(json.dumps(address))
    done = run("/status", cwd=tmp_path)
    assert done.returncode == 1
    assert "no demo to talk to" in done.stderr


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.jpg", "photo"), ("a.png", "photo"), ("a.webp", "photo"), ("a.gif", "document"),
     ("a.bmp", "document"), ("a.tiff", "document")],
)  # fmt: skip
async def test_what_goes_as_a_photo(tmp_path: Path, name: str, kind: str) -> None:
    """What Telegram's apps turn into a photo goes as one, other pictures go as files."""
    Image.new("RGB", (40, 30)).save(tmp_path / name)
    assert (await attach(tmp_path / name)).kind == kind


async def test_shapes_that_are_no_photo_go_as_files(tmp_path: Path) -> None:
    """A picture more than twenty times as long as it is high is sent as a file."""
    Image.new("RGB", (2100, 100)).save(tmp_path / "a.png")
    assert (await attach(tmp_path / "a.png")).kind == "document"


async def test_files_that_are_no_pictures(tmp_path: Path) -> None:
    """Text, a video, half a picture and a missing file are each named and refused."""
    whole = tmp_path / "whole.jpg"
    Image.effect_noise((200, 200), 50).save(whole)
    contents = {
        "text.jpg": b"hello",
        "empty.png": b"",
        "video.mp4": b"\x00\x00\x00\x18ftypmp42" + bytes(200),
        "half.jpg": whole.read_bytes()[:2000],
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    for name in (*contents, "missing.jpg"):
        with pytest.raises(NotAPhoto, match=name):
            await attach(tmp_path / name)


def test_pictures_are_named_by_their_captions() -> None:
    """Names come from the caption, count on, hold no path, and stay with a picture shown again."""

    def name(url: str, caption: str = "", album: str = "") -> str:
        return names.name(
            {"photo": {"url": url}, "caption": caption}
            | ({"media_group_id": album} if album else {})
        )

    names = PictureNames()
    assert name("1", "Make it snow!\n16:9", "7") == "make-it-snow-1.jpg"
    assert name("2", album="7") == "make-it-snow-2.jpg"
    assert name("3", "make it snow") == "make-it-snow-3.jpg"
    assert name("7", "make it snow /ratio 16:9 /no text\n#7 · 12 sec") == "make-it-snow-4.jpg"
    assert name("2") == "make-it-snow-2.jpg"
    assert name("4", "../../etc/passwd") == "etc-passwd-1.jpg"
    assert name("5", "❄️") == "picture-1.jpg"
    assert len(name("6", "very " * 50)) < 50
