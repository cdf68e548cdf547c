"""Telegram's webhook: where updates are to be brought, whose it is, and how it does.

Path and secret are made anew at each start, and only a hash of the address is kept: so nothing that is on the
disk, or in a backup, lets anybody forge an update. An update that Telegram brings to an earlier path gets 404,
which is no success: Telegram keeps it, and brings it to the new path as soon as that is set.
"""

import asyncio
import hashlib
import hmac
import secrets
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import structlog
from telegram import WebhookInfo
from telegram.error import BadRequest, InvalidToken, TelegramError
from telegram.ext import ExtBot

from bot import updates
from bot.certificates import shown
from bot.errors import ConfigurationError, TokenInUse
from bot.outages import check_token, through_outages
from storage.clock import Clock
from storage.store import Facts

log = structlog.get_logger(__name__)

PATH: Final = "/telegram"
LOOK_SECONDS: Final = 30.0
"""How often Telegram is asked what it thinks of the webhook."""
LOOKS: Final = 10
"""So many of the latest backlogs are kept."""
_PATH_BYTES: Final = 16
_SECRET_BYTES: Final = 32
_KEPT: Final = 8
"""So many addresses are known again: those of starts that came to nothing, too."""

State = Literal["ours", "lost", "another's"]


class Webhook:
    """One start's place for updates.

    Args:
        public_url: how Telegram reaches this machine.
        connections: so many calls Telegram may make side by side.
        certificate: what Telegram is to trust, where no authority has signed it.

    Attributes:
        secrets: what must be in no log.
    """

    def __init__(
        self,
        *,
        bot: ExtBot[Any],
        facts: Facts,
        public_url: str,
        connections: int,
        certificate: Path | None = None,
    ) -> None:
        self._bot = bot
        self._facts = facts
        self._path = secrets.token_urlsafe(_PATH_BYTES)
        self._secret = secrets.token_urlsafe(_SECRET_BYTES)
        self._base = public_url
        self._connections = connections
        self._certificate = certificate
        self.url = f"{public_url.rstrip('/')}{PATH}/{self._path}"
        self.secrets = (self._path, self._secret)

    def knows(self, path: str) -> bool:
        """Say whether this is the path; it takes as long whatever it is."""
        return hmac.compare_digest(_bytes(path), _bytes(self._path))

    def admits(self, secret: str) -> bool:
        """Say whether this is the secret, likewise."""
        return hmac.compare_digest(_bytes(secret), _bytes(self._secret))

    async def set(self) -> None:
        """Have Telegram bring updates here. What waits is not dropped: those are people's photos.

        Raises:
            ConfigurationError: Telegram does not take it.
            TelegramError: Telegram cannot be asked now.
        """
        # before Telegram has it: killed in between, the next start still knows it for its own
        await _remember(self._facts, self._bot.id, self.url)
        certificate = shown(self._certificate) if self._certificate else None
        try:
            await self._bot.set_webhook(
                self.url,
                certificate=certificate,
                max_connections=self._connections,
                allowed_updates=list(updates.ALLOWED),
                drop_pending_updates=False,
                secret_token=self._secret,
            )
        except BadRequest as exc:
            if "resolve" in exc.message.lower():
                raise  # a name server that is down is no matter of the settings
            raise ConfigurationError(
                f"web.public_url: Telegram does not take {self._base} for a webhook: {exc.message}."
            ) from exc
        log.info("webhook_set", host=host_of(self.url), connections=self._connections)


async def admit(
    bot: ExtBot[Any], *, facts: Facts, public_url: str | None, take_over: bool = False
) -> str:
    """Give the webhook that the bot has now, empty for none, if it is one of ours.

    Raises:
        TokenInUse: it is somebody else's, who is not to be disturbed.
    """
    url = (await bot.get_webhook_info()).url
    if url and not take_over and not await _is_ours(url, bot.id, facts, public_url):
        raise TokenInUse(TokenInUse.by_webhook(host_of(url)))
    return url


async def _is_ours(url: str, bot_id: int, facts: Facts, public_url: str | None) -> bool:
    if public_url is not None and url.startswith(f"{public_url.rstrip('/')}{PATH}/"):
        return True
    return _hash(url) in await _remembered(facts, bot_id)


async def _remembered(facts: Facts, bot_id: int) -> list[str]:
    return (await facts.fact(f"webhook:{bot_id}") or "").split()


async def _remember(facts: Facts, bot_id: int, url: str) -> None:
    known = [one for one in await _remembered(facts, bot_id) if one != _hash(url)]
    await facts.note_fact(f"webhook:{bot_id}", " ".join([*known, _hash(url)][-_KEPT:]))


def host_of(url: str) -> str:
    """Give an address's host, which is all of it that may be shown."""
    return urlsplit(url).hostname or "an address that is not known"


def _hash(url: str) -> str:
    return hashlib.sha256(_bytes(url)).hexdigest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What Telegram said of the webhook.

    Attributes:
        at: when, in monotonic seconds.
        state: whose it is; "lost" where there is none any more.
        backlog: how many updates waited at each of the latest looks, the newest last.
        error: what went wrong last, in Telegram's words; None: nothing since it was set.
        error_age: how many seconds before the look that was.
    """

    at: float
    state: State
    backlog: tuple[int, ...]
    error: str | None
    error_age: float | None


class WebhookWatch:
    """The loop that asks Telegram how the webhook does, and sets it again where it has gone.

    Attributes:
        info: what Telegram said last; None before it has said anything.
    """

    def __init__(self, *, bot: ExtBot[Any], webhook: Webhook, clock: Clock) -> None:
        self._bot = bot
        self._webhook = webhook
        self._clock = clock
        self._backlog: deque[int] = deque(maxlen=LOOKS)
        self._told: object = None
        self._renewed = False
        self.info: Seen | None = None

    def certificate_renewed(self) -> None:
        """Telegram trusts another certificate than is served from now on: it is to be given the new one."""
        self._renewed = True

    async def run(self, stop: asyncio.Event) -> None:
        """Set the webhook, and look after it until told to stop. Cancelling it is safe at any moment.

        Raises:
            ConfigurationError: Telegram does not take it.
            Fatal: Telegram no longer knows the bot's token.
        """
        await through_outages(self._webhook.set)
        while not stop.is_set():
            # at once, too: until Telegram has said how it is, the bot is not ready
            await self.look()
            await self._clock.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Ask once, and act on it.

        Raises:
            ConfigurationError: the webhook had gone, and Telegram does not take it any more.
            Fatal: Telegram no longer knows the bot's token.
        """
        try:
            said = await self._bot.get_webhook_info()
            self.info = self._seen(said)
            self._tell(said)
            if self.info.state == "lost":
                log.error("webhook_lost", mend="it is set again; find out who deletes it")
                await self._webhook.set()
            elif self._renewed and self.info.state == "ours":
                await self._webhook.set()
                self._renewed = False
        except TelegramError as exc:
            if isinstance(exc, InvalidToken):
                await check_token(self._bot)
            log.warning("webhook_not_looked_after", why=exc.message)

    def _seen(self, said: WebhookInfo) -> Seen:
        self._backlog.append(said.pending_update_count)
        state: State = "ours" if said.url == self._webhook.url else "another's"
        age = None
        if said.last_error_date is not None:
            # Telegram's own time against the machine's: ours is held back after a jump
            age = max(0.0, (datetime.now(UTC) - said.last_error_date).total_seconds())
        return Seen(
            at=self._clock.monotonic(),
            state=state if said.url else "lost",
            backlog=tuple(self._backlog),
            error=said.last_error_message,
            error_age=age,
        )

    def _tell(self, said: WebhookInfo) -> None:
        if self.info is not None and self.info.state == "another's":
            log.error("another_webhook_is_set", host=host_of(said.url), mend="stop one of the two")
        if said.last_error_date is not None and said.last_error_date != self._told:
            self._told = said.last_error_date
            log.warning(
                "webhook_error", why=said.last_error_message, waiting=said.pending_update_count
            )
