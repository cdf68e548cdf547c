"""`health`: asks the running bot how it is. A container asks often, so little is imported for it."""

import http.client
import json
from pathlib import Path
from typing import Final, NoReturn
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

import click

NOT_READY: Final = 1
NO_ANSWER: Final = 2
"""Exit code where nobody can be asked, or nobody answers."""
_SECONDS: Final = 5.0
"""The bot answers at once or not at all."""
_MOST: Final = 64 * 1024
"""Bytes that are read of an answer."""


@click.command("health")
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path, readable=False),  # said by whoever reads it
    help="The bot's settings, which say where it listens (web.monitor); without it, the environment.",
)
@click.option("--url", help="Where the bot answers, such as http://127.0.0.1:9464.")
@click.option(
    "--alive", is_flag=True, help="Ask only whether it is alive, not whether it is ready."
)
def health(path: Path | None, url: str | None, alive: bool) -> None:
    """Ask the running bot whether it is ready, and if not, why.

    It ends with 0 if it is, with 1 if it is not, and with 2 if it does not answer, or if it is not
    known where to ask.
    """
    base = url or _monitor(path)
    if urlsplit(base).scheme not in {"http", "https"}:
        _no_answer(
            f"--url: must be an http or https address, such as http://127.0.0.1:9464: {base}"
        )
    status, body = _asked(base.rstrip("/") + ("/healthz" if alive else "/readyz"))
    if alive:
        if status != http.client.OK:
            _no_answer(f"{base} answers {status}: is it the bot's web.monitor?")
        _line("alive", well=True)
        return
    reasons = _reasons(status, body)
    if reasons is None:
        _no_answer(f"{base} answers {status}, but not as the bot does: is it its web.monitor?")
    if not reasons:
        _line("ready", well=True)
        return
    for reason in reasons:
        _line(reason, well=False)
    raise SystemExit(NOT_READY)


def _monitor(path: Path | None) -> str:
    """Say where the bot listens by its settings."""
    # not at the top: with --url nothing of it is needed, and it takes longer than all the rest
    from bot.config_loading import load  # noqa: PLC0415 - as above
    from bot.errors import ConfigurationError  # noqa: PLC0415 - as above

    try:
        url = load(path).web.monitor_url
    except ConfigurationError as exc:
        _no_answer(f"The settings can't be used:\n{exc}")
    if url is None:
        _no_answer(
            "web.monitor is not set, so the bot can't be asked. Set it to an address of this machine, "
            "such as 127.0.0.1:9464, and restart the bot."
        )
    return url


def _asked(url: str) -> tuple[int, bytes]:
    """Ask; proxies of the environment are for other ways than this."""
    opener = build_opener(ProxyHandler({}))
    try:
        with opener.open(url, timeout=_SECONDS) as answer:
            return answer.status, answer.read(_MOST)
    except HTTPError as exc:
        with exc:
            return exc.code, exc.read(_MOST)
    except (OSError, http.client.HTTPException, ValueError) as exc:
        why = getattr(exc, "reason", None) or exc
        _no_answer(f"The bot does not answer at {url}: {why}. Does it run, and is it started up?")


def _reasons(status: int, body: bytes) -> list[str] | None:
    """Read why it is not ready; nothing: it is; None: that is no answer of the bot's."""
    try:
        said = json.loads(body)
        ready, reasons = said["ready"], said["reasons"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if (ready, status) not in {(True, 200), (False, 503)} or not isinstance(reasons, list):
        return None
    return [str(reason) for reason in reasons]


def _line(text: str, *, well: bool) -> None:
    mark, colour = ("✓", "green") if well else ("✗", "red")
    # what is not a terminal gets no colours: click takes them out
    click.echo(click.style(f"{mark} {text}", fg=colour))


def _no_answer(why: str) -> NoReturn:
    click.echo(click.style(f"✗ {why}", fg="red"), err=True)
    raise SystemExit(NO_ANSWER)
