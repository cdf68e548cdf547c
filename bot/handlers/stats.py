"""/stats: for the admins alone, how the bot has been doing, as a picture with the figures under it.

To anybody else it is a command that the bot does not know.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog
from telegram import Update

from bot import stats
from bot.handlers.desk import Desk, settled
from bot.handlers.incoming import Incoming
from bot.handlers.named import words_of
from bot.messages import Outcome, Picture, Refused, Target
from bot.plotting import FILE_NAME, Plots
from bot.texts import Say, shorten
from storage.figures import DAY

log = structlog.get_logger(__name__)

_SHOWN: Final = 40
"""UTF-16 units of what somebody wrote that are said again."""


class StatsHandlers:
    """Tells the admins how the bot has been doing."""

    def __init__(
        self,
        desk: Desk,
        others: Callable[[Update, Any], Awaitable[None]],
        plots: Plots | None = None,
    ) -> None:
        """`others` take the command from whoever is no admin."""
        self._desk = desk
        self._others = others
        self._plots = plots or Plots()

    async def stats(self, update: Update, context: Any) -> None:
        """Send the picture of so many days."""
        message = await self._desk.read(update)
        if message is None:
            return
        if message.user_id not in self._desk.access.admins:
            await self._others(update, context)
        elif not message.private:
            link = f"https://t.me/{self._desk.username}"
            await self._desk.answer(message, Say("stats-private", {"link": link}))
        elif (days := _days(words_of(message))) is None:
            value = shorten(words_of(message), _SHOWN)
            await self._desk.answer(
                message, Say("stats-wrong", {"value": value, "most": stats.MOST})
            )
        else:
            await self._show(message, days)

    async def _show(self, message: Incoming, days: int) -> None:
        desk = self._desk
        now = desk.clock.now()
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        figures = await desk.store.figures(
            began=today - (days - 1) * DAY, now=now, step=stats.step(days)
        )
        lines = stats.stats_lines(figures, await desk.store.counts(), desk.slots)
        if not stats.asked(figures):
            await desk.answer(message, *lines)
            return
        # The admin's own lane waits for it; all other chats are served meanwhile.
        drawn = await self._plots.draw(stats.drawn(figures, desk.slots))
        if drawn is None or not await self._sent(message, drawn, lines):
            await desk.answer(message, *lines, Say("stats-no-picture"))

    async def _sent(self, message: Incoming, drawn: bytes, lines: list[Say]) -> bool:
        """Send the picture; returns whether Telegram takes it."""

        async def send(target: Target) -> Outcome:
            picture = Picture(content=drawn, name=FILE_NAME)
            return await self._desk.chat.send_pictures(
                target, [picture], *lines, language=message.language
            )

        outcome = await self._desk.reach(Target.in_reply_to(message.place), send)
        match settled(outcome):
            case Refused(reason=reason):
                log.error("stats_refused", why=reason)
                return False
            case _:
                return True  # or nobody is there any more


def _days(words: str) -> int | None:
    """Give the number of days that somebody wrote; None: it is none that can be shown."""
    if not words:
        return stats.USUAL
    if not words.isdecimal() or len(words) > 4:
        return None
    return int(words) if 1 <= int(words) <= stats.MOST else None
