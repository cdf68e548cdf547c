"""The running bot's own word on how it is, where `web.monitor` gives it."""

import json
from typing import Final

from bot.checking.lines import Line, Lines, note, ok, one_line, wrong
from bot.checking.subject import Subject
from bot.hidream.classify import FOREIGN
from bot.hidream.client import new_client
from storage.store import DatabaseRefused

_SECONDS: Final = 5.0


async def monitor(subject: Subject) -> Lines:
    """Ask it whether it is alive, and ready."""
    url = subject.config.web.monitor_url
    if url is None:
        return [note("web.monitor is not set: nothing can ask the running bot how it is")]
    try:
        running = (await subject.database()).in_use
    except DatabaseRefused:
        running = False
    if not running:
        return [note("not asked, as no bot runs")]
    lines: Lines = []
    async with new_client() as http:
        for path in ("/healthz", "/readyz"):
            try:
                answer = await http.get(url + path, timeout=_SECONDS)
            except FOREIGN as exc:
                return [
                    *lines,
                    wrong(
                        f"the bot runs, and does not answer at {url} "
                        f"({one_line(str(exc)) or 'no answer'})",
                        "Read its log. If the settings were changed since its start, start it anew.",
                    ),
                ]
            lines.append(judge(path, answer.status_code, answer.text))
    return lines


def judge(path: str, status: int, text: str) -> Line:
    """Say what an answer means."""
    if status == 200:
        return ok(f"{path} is green")
    if status == 404:
        return note(f"the bot that runs has no {path}")
    return wrong(
        f"{path} is red: HTTP {status} {one_line(_reasons(text))}".rstrip(),
        "Mend what it names: docs/health.md has each reason, and the bot's log says more.",
    )


def _reasons(text: str) -> str:
    try:
        return " ".join(json.loads(text)["reasons"])
    except (ValueError, KeyError, TypeError):
        return text
