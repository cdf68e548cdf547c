"""`check`: looks at settings, services, database, address and clock, and says what is to be done."""

import asyncio
import json
import logging
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import click

from bot import logs
from bot.checking import check, machine
from bot.checking.lines import Level, Lines, wrong
from bot.checking.subject import Subject
from bot.cli.ends import BAD_CONFIGURATION, config_option
from bot.config import Config, variable_of
from bot.config_loading import load
from bot.errors import ConfigurationError

SOMETHING_WRONG: Final = 1
"""Exit code where a line is red."""
_SIGNS: Final = {
    Level.OK: ("✓", "+", "green"),
    Level.NOTE: ("·", "-", None),
    Level.WARNING: ("!", "!", "yellow"),
    Level.WRONG: ("✗", "x", "red"),
}
"""How each level is shown: its sign, the same where the terminal has no such letter, its colour."""


@click.command("check")
@config_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
@click.option("--thorough", is_flag=True, help="Read all of the database, however long it takes.")
def check_command(path: Path | None, as_json: bool, thorough: bool) -> None:
    """Look whether all is well, and say what to do where it is not; it changes nothing.

    It may be used while the bot runs, and takes 20 seconds at most. It ends with 0 where nothing is
    wrong (warnings count as nothing), with 1 where something is, and with 78 where the settings
    cannot be used.
    """
    os.environ.setdefault("PTB_TIMEDELTA", "true")
    shown = Shown(as_json=as_json)
    try:
        config = load(path)
    except ConfigurationError as exc:
        shown.show("machine", asyncio.run(machine.versions()))
        problems = str(exc).splitlines()
        shown.show(
            "settings", [wrong(one, "docs/configuration.md has every key.") for one in problems]
        )
        raise SystemExit(shown.end(BAD_CONFIGURATION)) from None
    shown.hide = _redactor(config)
    subject = Subject(
        config=config,
        file=path,
        from_environment=frozenset(
            name for name in ("telegram", "hidream") if variable_of(name, "token") in os.environ
        ),
        thorough=thorough,
    )
    asyncio.run(_check(subject, shown))
    raise SystemExit(shown.end(SOMETHING_WRONG if shown.worst is Level.WRONG else 0))


async def _check(subject: Subject, shown: "Shown") -> None:
    asyncio.get_running_loop().set_default_executor(_Aside())
    async for about, lines in check(subject):
        shown.show(about, lines)


def _redactor(config: Config) -> Callable[[str], str]:
    """Give what takes tokens out of a text, and keep the libraries from logging."""
    secrets: list[str] = []
    for section in (config.telegram, config.hidream):
        try:
            secrets += [*section.secrets()]
        except ValueError:  # said by the checks
            continue
    logs.set_up(level="CRITICAL", log_format="console", secrets=secrets)
    return logs.Redactor(logging.Formatter(), secrets).redact


class Shown:
    """What is shown: lines as they come, or an object at the end."""

    def __init__(self, *, as_json: bool) -> None:
        self.hide: Callable[[str], str] = str
        self.worst = Level.OK
        self._json: list[dict[str, str]] | None = [] if as_json else None
        self._colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        self._plain = not _can_write("✓·✗→…“”")

    def show(self, about: str, lines: Lines) -> None:
        """Show what was found about a subject."""
        levels = [*(line.level for line in lines), self.worst]
        self.worst = max(levels, key=list(Level).index)
        for line in lines:
            what, mend = self.hide(line.what), self.hide(line.mend or "")
            if self._json is not None:
                self._json.append(
                    {"about": about, "level": line.level.value, "what": what}
                    | ({"mend": mend} if mend else {})
                )
            else:
                self._print(about, line.level, what, mend)

    def _print(self, about: str, level: Level, what: str, mend: str) -> None:
        sign, plain, colour = _SIGNS[level]
        head = f"{plain if self._plain else sign} {level.value:<7}"
        text = (
            f"{click.style(head, fg=colour) if self._colour and colour else head} {about}: {what}\n"
        )
        if mend:
            text += f"{' ' * 10}{'->' if self._plain else '→'} {mend}\n"
        sys.stdout.write(text.encode(_encoding(), "replace").decode(_encoding()))
        sys.stdout.flush()

    def end(self, code: int) -> int:
        """Show what is shown at the end; returns the exit code."""
        if self._json is not None:
            verdict = {"verdict": self.worst.value, "exit_code": code, "lines": self._json}
            click.echo(json.dumps(verdict, indent=2))
        else:
            self._print("all in all", self.worst, _VERDICTS[self.worst], "")
        return code


_VERDICTS: Final = {
    Level.OK: "all is well",
    Level.NOTE: "all is well",
    Level.WARNING: "it works; see the warnings above",
    Level.WRONG: "something is wrong: see above",
}


def _encoding() -> str:
    return sys.stdout.encoding or "ascii"


def _can_write(signs: str) -> bool:
    try:
        signs.encode(_encoding())
    except UnicodeError:
        return False
    return True


class _Aside(ThreadPoolExecutor):
    """Blocking work that nobody waits for at the end: a resolver or a disk that does not answer."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Do it in a thread of its own, which does not keep the program alive."""
        future: Future[Any] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as exc:
                future.set_exception(exc)

        threading.Thread(target=work, daemon=True).start()
        return future
