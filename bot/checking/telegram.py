"""Telegram: does it answer, does it know the token, how does it hand out updates."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from telegram import User, WebhookInfo
from telegram.error import EndPointNotFound, Forbidden, InvalidToken, RetryAfter, TelegramError

from bot.application import application_of
from bot.checking.lines import Line, Lines, note, ok, one_line, warning, wrong
from bot.checking.subject import Subject
from storage.clock import SystemClock

_MANY: Final = 100
"""Updates that wait: more than a bot that runs ever leaves."""
_RECENT: Final = timedelta(hours=1)
_ASK: Final = (
    "Ask @BotFather for the token again (/mybots), and put it into the settings. "
    "If telegram.api_url is no longer Telegram's own, see that it is right."
)
_FAILURES: Final[Sequence[tuple[type[TelegramError], str, str]]] = (
    (InvalidToken, "Telegram does not know the token", _ASK),
    (EndPointNotFound, "Telegram does not know the token", _ASK),
    (Forbidden, "Telegram refuses the token", _ASK),
    (
        RetryAfter,
        "Telegram asks for a pause: too much is asked of it",
        "See whether another program uses this token, and check again in a minute.",
    ),
    (
        TelegramError,
        "Telegram cannot be reached",
        "Check the network, the firewall, and telegram.api_url: curl -sS {url}",
    ),
)
"""What each of the library's errors means; the first that fits counts."""


async def telegram(subject: Subject) -> Lines:
    """Ask who the bot is, and where its updates go."""
    config = subject.config
    try:
        heard = subject.heard_from("Telegram")
        bot = application_of(config, SystemClock(), on_answer=heard).bot
    except ValueError as exc:
        return [wrong(f"telegram.token_file {one_line(str(exc))}", "Mend the settings first.")]
    await bot.request.initialize()
    try:
        lines = who(await bot.get_me())
        judge = _JUDGES[config.telegram.mode]
        return lines + judge(await bot.get_webhook_info(), config.web.public_url, subject.now())
    except TelegramError as exc:
        return [failed(exc, config.telegram.api_url)]
    finally:
        await bot.request.shutdown()


def failed(error: TelegramError, url: str) -> Line:
    """Say what an error of Telegram's means."""
    what, mend = next((what, mend) for kind, what, mend in _FAILURES if isinstance(error, kind))
    return wrong(f"{what} ({one_line(error.message)})", mend.format(url=url))


def who(me: User) -> Lines:
    """Say who the bot is, and what Telegram tells it of in groups."""
    groups = (
        note("it can be added to groups")
        if me.can_join_groups
        else note(
            "it cannot be added to groups",
            "Where it is to be in groups: @BotFather, /mybots, Bot Settings, Allow Groups.",
        )
    )
    if me.can_read_all_group_messages:
        privacy = "privacy mode is off: in groups Telegram tells it of every message"
    else:
        privacy = (
            "privacy mode is on: in groups Telegram tells it of commands and of replies to it alone"
        )
    return [ok(f"Telegram answers and knows the token: @{me.username}"), groups, note(privacy)]


def judge_polling(info: WebhookInfo, public_url: str | None, now: datetime) -> Lines:
    """See whether updates can be fetched, which they cannot where Telegram is to bring them."""
    del public_url, now
    if info.url:
        return [
            wrong(
                f"a webhook is set, at {_host(info.url)}, and telegram.mode is "
                f'"polling": {info.pending_update_count} updates wait',
                "If it was this bot's, start it: it takes it away. If it is another program's, end that "
                "one, or start the bot once with --take-over, or ask @BotFather for a new token.",
            )
        ]
    return [ok("no webhook is set, as it must be for polling"), _waiting(info)]


def judge_webhook(info: WebhookInfo, public_url: str | None, now: datetime) -> Lines:
    """See whether Telegram brings updates to this bot, and how that goes."""
    start = "Start the bot: it sets the webhook."
    if not info.url:
        return [wrong('no webhook is set, and telegram.mode is "webhook"', start)]
    if public_url is None or not info.url.startswith(public_url.rstrip("/") + "/"):
        return [
            wrong(
                f"the webhook is at {_host(info.url)}, which is not web.public_url",
                f"{start} If it changes again, another program uses this token.",
            )
        ]
    lines = [ok(f"the webhook is set, at {_host(info.url)}"), _waiting(info)]
    failed_at = info.last_error_date
    if failed_at is None:
        return [*lines, ok("Telegram reports no failure to bring updates")]
    what = (
        f"Telegram could not bring an update at {failed_at:%Y-%m-%d %H:%M} UTC: "
        f"{one_line(info.last_error_message or 'it does not say why')}"
    )
    if now - failed_at > _RECENT:
        return [*lines, note(what)]
    mend = (
        "See that the proxy or firewall lets Telegram through to web.listen, and the certificate."
    )
    return [*lines, (wrong if info.pending_update_count else warning)(what, mend)]


_JUDGES: Final[Mapping[str, Callable[[WebhookInfo, str | None, datetime], Lines]]] = {
    "polling": judge_polling,
    "webhook": judge_webhook,
}


def _waiting(info: WebhookInfo) -> Line:
    count = info.pending_update_count
    if count < _MANY:
        return ok(f"updates that wait at Telegram: {count}")
    return warning(
        f"updates that wait at Telegram: {count}",
        "Start the bot. If it runs, read its log: it does not keep up, or cannot fetch them.",
    )


def _host(url: str) -> str:
    """Give the host alone: the path of a webhook is a secret."""
    return urlsplit(url).hostname or "?"
