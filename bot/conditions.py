"""Whether the bot is ready, and if not, why, in words for whoever runs it. Pure: one table over `Signs`.

Each sentence says what is wrong and what to do; docs/health.md says more.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from bot.health import (
    BACKLOG_LOOKS,
    CRASHES,
    DATABASE_WITHIN,
    FREE,
    LOOK_WITHIN,
    NOT_TAKEN,
    TOKEN_LASTING,
    UNSENT,
    UPDATES_WITHIN,
    WEBHOOK_ERROR,
    WEBHOOK_ERROR_WAITING,
    WEBHOOK_WITHIN,
    Cause,
    Signs,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """Why the bot is not ready."""

    cause: Cause
    sentence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """A condition under which the bot is not ready, and what is said then."""

    holds: Callable[[Signs], bool]
    says: Callable[[Signs], str]


def reasons(signs: Signs) -> tuple[Reason, ...]:
    """Say why the bot is not ready; it is where there is no reason."""
    return tuple(
        Reason(cause=cause, sentence=condition.says(signs))
        for cause, condition in CONDITIONS.items()
        if condition.holds(signs)
    )


def _starting(signs: Signs) -> bool:
    heard = signs.fetched if signs.webhook is None else signs.webhook.asked
    if not signs.polls and signs.webhook is None:
        heard = 0.0
    return signs.running <= UPDATES_WITHIN and (heard is None or signs.looked is None)


def _no_updates(signs: Signs) -> bool:
    if signs.webhook is not None:
        silent = signs.running if signs.webhook.asked is None else signs.webhook.asked
        return silent > WEBHOOK_WITHIN
    silent = signs.running if signs.fetched is None else signs.fetched
    return signs.polls and silent > UPDATES_WITHIN


def _updates_say(signs: Signs) -> str:
    if signs.webhook is not None:
        return (
            "Telegram has not said for some minutes how the webhook is. See whether this machine can "
            "reach telegram.api_url; the bot goes on asking."
        )
    since = "since the start" if signs.fetched is None else f"for {signs.fetched:.0f} s"
    return (
        f"No updates have been fetched from Telegram {since}. See whether this machine can reach "
        "telegram.api_url; the bot goes on trying, and nothing is lost: Telegram keeps them for a day."
    )


def _conflict(signs: Signs) -> bool:
    return signs.conflict or (signs.webhook is not None and signs.webhook.state == "another's")


def _conflict_says(signs: Signs) -> str:
    how = "has set its own webhook for" if signs.webhook else "fetches updates with"
    return (
        f"Another program {how} this bot's token, so updates go astray. Stop that one, or give this "
        "bot a token of its own."
    )


def _webhook_trouble(signs: Signs) -> str | None:
    hook = signs.webhook
    if hook is None:
        return None
    if hook.state == "lost":
        return "it had been deleted"
    waiting = bool(hook.backlog and hook.backlog[-1])
    lasts = WEBHOOK_ERROR_WAITING if waiting else WEBHOOK_ERROR
    recent = hook.error_age is None or hook.error_age <= lasts
    return f'Telegram says "{hook.error}"' if hook.error is not None and recent else None


def _webhook_says(signs: Signs) -> str:
    return (
        f"The webhook fails: {_webhook_trouble(signs)}. See whether web.public_url leads to web.listen "
        "from outside, with a certificate that Telegram accepts, and that nobody else sets or deletes it."
    )


def _backlog(signs: Signs) -> bool:
    latest = () if signs.webhook is None else signs.webhook.backlog[-BACKLOG_LOOKS:]
    return (
        len(latest) == BACKLOG_LOOKS
        and latest[0] > 0
        and all(earlier <= later for earlier, later in pairwise(latest))
    )


def _backlog_says(signs: Signs) -> str:
    pending = signs.webhook.backlog[-1] if signs.webhook else 0
    return (
        f"{pending} updates wait at Telegram and do not become fewer. See in the reverse proxy's log what "
        "Telegram is answered at web.public_url; or set telegram.webhook_connections higher."
    )


def _database_says(signs: Signs) -> str:
    why = signs.database_error or f"it has not answered for {signs.database_silent:.0f} s"
    return (
        f"The database can't be written: {why}. See whether its disk has room and can be written, and "
        "whether another program holds the file (storage.url)."
    )


def _disk_says(signs: Signs) -> str:
    return (
        f"The disk of the database is nearly full: {(signs.free or 0) // 2**20} MB are free, and "
        f"{FREE // 2**20} MB must be. Make room, or keep pictures for fewer days "
        "(storage.keep_originals_days)."
    )


def _unsent_says(signs: Signs) -> str:
    return (
        f"A finished result has waited {(signs.unsent or 0) / 60:.0f} minutes to be sent to its chat. "
        "See in the log why Telegram does not take it; it stays, and is tried again."
    )


def _line_says(signs: Signs) -> str:
    return (
        f"The next picture in line has waited {(signs.not_taken or 0) / 60:.0f} minutes although a slot "
        "is free. The bot starts that part of itself again; if it goes on, restart it and keep the log."
    )


def _standing(signs: Signs) -> list[str]:
    return [f"{one.name} ({one.seconds:.0f} s)" for one in signs.loops if one.stands_still]


def _still_says(signs: Signs) -> str:
    return (
        f"A part of the bot stands still: {', '.join(_standing(signs))}. It is started again by itself; "
        "if that goes on, restart the bot. The log says where it stood."
    )


def _crashing(signs: Signs) -> list[str]:
    return [one.name for one in signs.loops if one.failures >= CRASHES]


def _crashing_says(signs: Signs) -> str:
    return (
        f"A part of the bot keeps failing and is started again: {', '.join(_crashing(signs))}. "
        "The log says why."
    )


CONDITIONS: Final[Mapping[Cause, Condition]] = {
    Cause.STARTING: Condition(
        holds=_starting,
        says=lambda _: "The bot is starting: it has not yet heard from Telegram. Wait a moment.",
    ),
    Cause.UPDATES: Condition(holds=_no_updates, says=_updates_say),
    Cause.CONFLICT: Condition(holds=_conflict, says=_conflict_says),
    Cause.WEBHOOK: Condition(
        holds=lambda signs: _webhook_trouble(signs) is not None, says=_webhook_says
    ),
    Cause.BACKLOG: Condition(holds=_backlog, says=_backlog_says),
    Cause.DATABASE: Condition(
        holds=lambda signs: (
            signs.database_error is not None or signs.database_silent > DATABASE_WITHIN
        ),
        says=_database_says,
    ),
    Cause.DISK: Condition(
        holds=lambda signs: signs.free is not None and signs.free < FREE, says=_disk_says
    ),
    Cause.TOKEN: Condition(
        holds=lambda signs: signs.token_refused is not None and signs.token_refused > TOKEN_LASTING,
        says=lambda _: (
            "HiDream refuses the token: it is wrong, or has expired. Put a new one into "
            "hidream.token_file (it is read again within seconds), or into hidream.token and reload."
        ),
    ),
    Cause.UNSENT: Condition(
        holds=lambda signs: signs.unsent is not None and signs.unsent > UNSENT, says=_unsent_says
    ),
    Cause.LINE: Condition(
        holds=lambda signs: signs.not_taken is not None and signs.not_taken > NOT_TAKEN,
        says=_line_says,
    ),
    Cause.STANDS_STILL: Condition(holds=lambda signs: bool(_standing(signs)), says=_still_says),
    Cause.CRASHING: Condition(holds=lambda signs: bool(_crashing(signs)), says=_crashing_says),
    Cause.CHECKS: Condition(
        holds=lambda signs: (signs.running if signs.looked is None else signs.looked) > LOOK_WITHIN,
        says=lambda _: (
            "The bot has not been able to look at itself for a minute: its checks stand still. "
            "If that goes on, restart it and keep the log."
        ),
    ),
}
"""All conditions: what holds none of them is ready."""
