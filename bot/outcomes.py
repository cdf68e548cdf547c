"""What the errors of python-telegram-bot mean: each becomes an outcome of the Chat port."""

from asyncio import CancelledError
from contextlib import AbstractContextManager
from typing import Final

from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from bot import metrics
from bot.labels import TelegramMethod, TelegramOutcome
from bot.messages import (
    Dropped,
    FileOutcome,
    Gone,
    Later,
    Missing,
    Moved,
    Outcome,
    Refused,
    TooLarge,
    Unknown,
)

NETWORK_DELAY: Final = 2.0
"""Seconds to wait after a failure of the network or of Telegram itself."""
_TOKEN_DELAY: Final = 60.0
"""Seconds to wait when Telegram does not know the token: only the operator can mend that."""

# python-telegram-bot wraps the HTTP library's error; its cause's name tells whether the request can
# have arrived. These are raised before the request has been written to its end.
_NOT_SENT: Final = frozenset(
    {
        "ConnectError",
        "ConnectTimeout",
        "PoolTimeout",
        "ProxyError",
        "UnsupportedProtocol",
        "InvalidURL",
    }
    | {"WriteError", "WriteTimeout", "LocalProtocolError"}
)
_NO_CHAT: Final = ("chat not found", "user not found", "peer_id_invalid", "user is deactivated")
_TOO_LARGE: Final = "entity too large"
_TOO_SLOW: Final = "gateway time"


class NoLongerWanted(TelegramError):
    """A call whose turn came when nobody wanted it any more: it was not made."""

    def __init__(self) -> None:
        super().__init__("no longer wanted")


def outcome_of(error: TelegramError) -> Outcome:
    """Say what an error of a sending call means for the message.

    The order matters: BadRequest is a NetworkError too.
    """
    reason = error.message
    match error:
        case NoLongerWanted():
            return Dropped()
        case RetryAfter():
            return Later(seconds=pause_of(error), reason="flood control")
        case ChatMigrated():
            return Moved(chat_id=error.new_chat_id)
        case Forbidden():
            return Gone(reason=reason)
        case InvalidToken():
            return Later(seconds=_TOKEN_DELAY, reason="Telegram does not know the token")
        case BadRequest():
            if any(words in reason.lower() for words in _NO_CHAT):
                return Gone(reason=reason)
            return Refused(reason=reason)
        case Conflict():
            return Later(seconds=NETWORK_DELAY, reason=reason)
        case EndPointNotFound():
            return Refused(reason=reason)
        case NetworkError():
            return _outcome_of_network(error)
        case _:
            # Telegram said that it went well, and then something that cannot be read
            return Unknown(reason=reason)


def _outcome_of_network(error: NetworkError) -> Outcome:
    """Say what a failure on the way means: did the request arrive, and was it acted upon?"""
    reason = error.message
    cause = type(error.__cause__).__name__
    if error.__cause__ is None or isinstance(error.__cause__, TelegramError):
        # Telegram, or the gateway before it, answered with an error of its own, such as 502
        if _TOO_LARGE in reason.lower():
            return Refused(reason="too large")
        if _TOO_SLOW in reason.lower():
            # the gateway handed it on and did not wait for the end
            return Unknown(reason="gateway time-out")
        return Later(seconds=NETWORK_DELAY, reason="Telegram, or its gateway, is ill")
    if cause in _NOT_SENT:
        return Later(seconds=NETWORK_DELAY, reason=cause)
    return Unknown(reason=cause)


def counted(endpoint: str) -> AbstractContextManager[None]:
    """Count and time a call to Telegram that is made in here."""
    return metrics.counted(
        metrics.telegram_calls, metrics.telegram_seconds, TelegramMethod(endpoint), _noted
    )


def _noted(error: BaseException) -> TelegramOutcome:
    """Note the pause that Telegram asked for, if it did; say what the error is called in metrics."""
    if isinstance(error, RetryAfter):
        metrics.telegram_pauses.inc(pause_of(error))
        return TelegramOutcome.TOO_FAST
    if isinstance(error, TelegramError):
        return TelegramOutcome(type(outcome_of(error)).__name__.lower())
    return (
        TelegramOutcome.CANCELLED if isinstance(error, CancelledError) else TelegramOutcome.BROKEN
    )


def pause_of(error: RetryAfter) -> float:
    """Give the seconds that Telegram wants us to wait; the library has them in two forms."""
    pause = error.retry_after
    return float(pause) if isinstance(pause, int) else pause.total_seconds()


def file_outcome_of(error: TelegramError) -> FileOutcome:
    """Say what an error of fetching means: only what Telegram says of the file itself is final."""
    match outcome_of(error):
        case Refused() if "too big" in error.message.lower():
            return TooLarge()
        case Refused() | Gone():
            return Missing(reason=error.message)
        case Later() as later:
            return later
        case _:
            # whether an answer was lost makes no difference here: asking again changes nothing
            return Later(seconds=NETWORK_DELAY, reason=type(error).__name__)
