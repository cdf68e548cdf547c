"""The demo: the main job at a terminal, with a restart in it, on this machine alone.

A first photo is sent by itself. After that, `python -m bot demo --photo FILE "words"` in another
terminal talks to the demo that is running, until Ctrl-C ends it.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import shlex
import sys
import time
import webbrowser
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import click
import httpx
from PIL import Image

from sandbox.conversation import Conversation
from sandbox.guest import Attachment, Guest, NotAPhoto, attach
from sandbox.page.app import create_page, new_key
from sandbox.page.cast import invite
from sandbox.sample import draw_sample
from sandbox.serving import serve
from sandbox.stage import SECONDS, DemoFailed, Stage, patiently, set_up, until_stopped

OUTPUT: Final = Path("demo-output")
CAPTION: Final = "make it snow /ratio 16:9 /count 2"
PICTURES: Final = 2
RATIO: Final = 16 / 9
SHAPE: Final = ("🖼 Shape …", "1:1")
"""Buttons that are pressed after the restart."""
_PATIENCE: Final = 90.0
"""Seconds after which the demo has failed."""
_SCREENS: Final = ("DISPLAY", "WAYLAND_DISPLAY")
"""Set where there is a screen, on Linux."""
_ADDRESS: Final = ".running.json"
"""In the output folder: where a demo that is running can be reached. Locked while it runs."""


async def demo(*, once: bool, output: Path, seconds: float = SECONDS, browser: bool = True) -> None:
    """Run the demo; with `once` only until the main job has worked.

    Otherwise it then stays up, with a chat page, which a `browser` is opened for where there is one.

    Raises:
        DemoFailed: it has not worked.
    """
    worked = asyncio.Event()
    with _alone_in(output):
        await until_stopped(_perform(output, seconds, worked, once=once, browser=browser))
    if not worked.is_set():
        raise DemoFailed("stopped before it was through")
    if not once:
        click.echo("\nEnded. It worked.")


async def _perform(
    output: Path, seconds: float, worked: asyncio.Event, *, once: bool, browser: bool
) -> None:
    log = output / "bot.log"
    log.unlink(missing_ok=True)
    click.echo("The bot at work, on this machine alone: no account, and nothing leaves it.\n")
    async with set_up(log=log, seconds=seconds) as stage:
        click.echo(f"  a local Telegram   {stage.telegram}")
        click.echo(f"  a local HiDream    {stage.hidream}")
        click.echo(f"  the bot            a process of its own; its log: {log}\n")
        conversation = Conversation(guest=stage.guest, output=output)
        async with _followed(conversation) as following:
            started = time.monotonic()
            saved = await stage.with_bot(_main_job(conversation, output / "sample.jpg"))
            _note(
                "The bot is stopped, and started again: what it knows is on disk, buttons work on."
            )

            async def second_life() -> None:
                again = await _once_more(conversation)
                took = time.monotonic() - started
                _sum_up((output / "sample.jpg", *saved, *again), took)
                worked.set()
                if not once:
                    async with _page(stage) as address:
                        _invite(stage, output, address)
                        if browser and _has_screen():
                            await asyncio.to_thread(webbrowser.open, address)
                        await following

            await stage.with_bot(second_life())


def _sum_up(paths: Sequence[Path], took: float) -> None:
    photo, *made = paths
    click.echo(f"\nThe photo:     {photo}")
    for path in made:
        click.echo(f"Made of it:    {path}")
    click.secho(f"\nIt worked: {len(made)} pictures and a restart, in {took:.0f} s.", bold=True)


async def _main_job(conversation: Conversation, photo: Path) -> Sequence[Path]:
    # painting it takes seconds, in which Ctrl-C is to work
    content = await asyncio.to_thread(draw_sample)
    photo.write_bytes(content)
    sample = Attachment(name=photo.name, content=content, media_type="image/jpeg")
    await conversation.guest.send(sample, CAPTION)
    saved = await _pictures(conversation, RATIO)
    await patiently(conversation.end(), _PATIENCE, "the bot did not come to an end")
    click.echo()
    await _ask_status(conversation)
    return saved


async def _once_more(conversation: Conversation) -> Sequence[Path]:
    """Press buttons of the result that is there: the same once more, in another shape."""
    await _ask_status(conversation)
    click.echo()
    conversation.ask()
    for label in SHAPE:
        await patiently(conversation.press(label), _PATIENCE, f"no button says {label}")
    made = await _pictures(conversation, 1.0)
    await patiently(conversation.end(), _PATIENCE, "the bot did not come to an end")
    return made


async def _pictures(conversation: Conversation, ratio: float) -> Sequence[Path]:
    """Wait for the next pictures, and look whether they have the shape that was asked for."""
    before = len(conversation.saved)
    coming = conversation.pictures(before + PICTURES)
    missing = f"no pictures came within {_PATIENCE:.0f} s"
    saved = (await patiently(coming, _PATIENCE, missing))[before:]
    for path in saved:
        with Image.open(path) as picture:
            if abs(picture.width / picture.height / ratio - 1) > 0.02:
                raise DemoFailed(f"{path} is {picture.width}×{picture.height}, which was not asked")
    return saved


async def _ask_status(conversation: Conversation) -> None:
    conversation.ask()
    await conversation.guest.write("/status")
    await patiently(conversation.answer("#1"), _PATIENCE, "/status was not answered")


@asynccontextmanager
async def _page(stage: Stage) -> AsyncIterator[str]:
    """Serve the chat page, with somebody else and groups to talk in; gives its address."""
    key = new_key()
    invite(stage.backstage.telegram.state.telegram, stage.guest.id)
    async with serve(create_page(stage.backstage, key=key)) as url:
        yield f"{url}/{key}/"


def _has_screen() -> bool:
    """Say whether a browser could be shown: not over ssh, nor where nobody looks."""
    if not sys.stdout.isatty() or "SSH_CONNECTION" in os.environ:
        return False
    return sys.platform == "darwin" or any(name in os.environ for name in _SCREENS)


def _invite(stage: Stage, output: Path, address: str) -> None:
    """Say how to talk to the bot, and leave the address for those who do."""
    running = {"telegram": stage.telegram, "chat_id": stage.guest.id}
    (output / _ADDRESS).write_text(json.dumps(running))
    folder = "" if output == OUTPUT else f" --output {shlex.quote(str(output))}"
    click.echo(f"\nThe bot stays up. Chat with it in a browser:\n\n  {address}\n")
    click.echo(
        "Or talk to it from a second terminal, in this folder:\n\n"
        f'  {_python()} -m bot demo{folder} --photo my.jpg "as a pencil sketch"\n'
        f'  {_python()} -m bot demo{folder} "/status"\n\n'
        "Ctrl-C ends it.\n"
    )


# --- another terminal -----------------------------------------------------------------------------


async def talk(*, photo: Path | None, words: str, output: Path) -> None:
    """Say something to the demo that is running, and follow the conversation to its end.

    Raises:
        DemoFailed: no demo is running, the file is no picture, or the bot does not answer.
    """
    try:
        attachment = await attach(photo) if photo is not None else None
        async with _joined(output) as conversation, _followed(conversation):
            if attachment is None:
                await conversation.guest.write(words)
            else:
                await conversation.guest.send(attachment, words)
            await patiently(conversation.end(), _PATIENCE, "the bot did not answer")
    except NotAPhoto as exc:
        raise DemoFailed(str(exc)) from exc
    except httpx.HTTPStatusError as exc:
        raise DemoFailed(f"Telegram does not take this: {exc.response.text}") from exc
    except httpx.TransportError as exc:
        raise DemoFailed("the demo has ended") from exc


@asynccontextmanager
async def _joined(output: Path) -> AsyncIterator[Conversation]:
    """Take the place of the person in the demo that is running."""
    async with AsyncExitStack() as stack:
        try:
            running = json.loads((output / _ADDRESS).read_text())
            guest = await stack.enter_async_context(
                Guest.arriving(running["telegram"], running["chat_id"])
            )
            conversation = Conversation(guest=guest, output=output)
            await conversation.skip_to_end()
        except (OSError, ValueError, KeyError, TypeError, httpx.HTTPError) as exc:
            raise DemoFailed(
                f"no demo to talk to in {output}: start one with `make demo`, and wait until it "
                "says that the bot stays up"
            ) from exc
        yield conversation


# --- what holds it together -----------------------------------------------------------------------


@contextmanager
def _alone_in(output: Path) -> Iterator[None]:
    """Hold the output folder, so that no two demos write into it."""
    try:
        output.mkdir(parents=True, exist_ok=True)
        lock = (output / _ADDRESS).open("a")
    except OSError as exc:
        raise DemoFailed(
            f"can't write to {output}: {exc.strerror}. Another folder can be had with --output"
        ) from exc
    with lock:
        try:
            # the system lets go of it however this process ends
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            raise DemoFailed(
                f"a demo is already running with {output}: talk to that one, end it with Ctrl-C, "
                "or choose another folder with --output"
            ) from exc
        lock.truncate(0)
        try:
            yield
        except OSError as exc:
            raise DemoFailed(f"can't go on: {exc}") from exc
        finally:
            lock.truncate(0)


@asynccontextmanager
async def _followed(conversation: Conversation) -> AsyncIterator[asyncio.Task[None]]:
    """Print the conversation meanwhile."""
    following = asyncio.create_task(conversation.follow())
    try:
        yield following
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


def _note(text: str) -> None:
    click.echo("\n" + click.style(f"— {text} —", dim=True) + "\n")


def _python() -> str:
    """Give the Python to call, as one would type it from here."""
    python = Path(sys.executable)
    with contextlib.suppress(ValueError):
        return str(python.relative_to(Path.cwd()))
    return str(python)
