"""/privacy and /mydata: what is kept on a person, told and handed out."""

import math
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final

from telegram import Update

from bot import mydata, texts
from bot.handlers.desk import Desk, settled
from bot.handlers.incoming import Incoming
from bot.messages import Outcome, Target
from bot.mydata import Piece
from bot.texts import Moment, Say
from storage.people import has_a_chat
from storage.tasks import Origin

FORGET_VIEW: Final = "forget"
"""The kind of the view that keeps who was asked whether to be forgotten."""
_PAUSE: Final = 60.0
"""Seconds before somebody gets the file of all that is theirs again."""


async def kept_of(desk: Desk, user_id: int, asking: Origin) -> AsyncIterator[Piece]:
    """Give all that is kept on a person, but for the update by which they ask for it."""
    asked = {"bot_id": asking.bot_id, "update_id": asking.update_id}
    async for kind, row in desk.store.everything_of(user_id):
        if kind != "update" or {name: row[name] for name in asked} != asked:
            yield kind, row


async def anything_of(desk: Desk, user_id: int, asking: Origin) -> bool:
    """Say whether anything is kept on a person, beside that they have asked."""
    async for kind, row in kept_of(desk, user_id, asking):
        if kind != "view" or row["kind"] != FORGET_VIEW:
            return True
    return False


async def may_ask(desk: Desk, message: Incoming) -> bool:
    """Say whether somebody may ask after what is theirs: also who may no longer use the bot."""
    if desk.access.allows(message.user_id, message.place.chat_id):
        return True
    if await anything_of(desk, message.user_id, message.origin):
        return True
    return await desk.let_in(message)


class PrivacyHandlers:
    """Tells what is kept, and hands it out."""

    def __init__(self, desk: Desk, *, most: int = mydata.MOST) -> None:
        self._desk = desk
        self._most = most
        self._sent: dict[int, float] = {}

    async def privacy(self, update: Update, context: Any) -> None:
        """Say what is kept, what HiDream gets, and for how long."""
        del context
        message = await self._desk.read(update)
        if message is None or not await may_ask(self._desk, message):
            return
        if message.private:
            lines = privacy_lines(
                message.user_id,
                keep_originals=self._desk.house().keep_originals,
                retention=self._desk.house().retention,
            )
            await self._desk.answer(message, *lines)
        else:
            await self._desk.answer(message, Say("privacy-group", self._link()))

    async def mydata(self, update: Update, context: Any) -> None:
        """Send all that is kept on a person, as a file, to them alone."""
        del context
        desk = self._desk
        message = await desk.read(update)
        if message is None or not await may_ask(desk, message):
            return
        now = desk.clock.monotonic()
        if not has_a_chat(message.user_id):
            await desk.answer(message, Say("mydata-chat"))
        elif not message.private:
            await desk.answer(message, Say("mydata-private", self._link()))
        elif now - self._sent.get(message.user_id, -_PAUSE) < _PAUSE:
            await desk.answer(message, Say("mydata-soon"))
        elif not await self._hand_out(message):
            await desk.answer(message, Say("mydata-nothing"))
        else:
            recent = {who: at for who, at in self._sent.items() if now - at < _PAUSE}
            self._sent = {**recent, message.user_id: now}

    async def _hand_out(self, message: Incoming) -> bool:
        """Send the file, or the files where one would be too large; returns whether there was anything."""
        now = self._desk.clock.now()
        heading: Mapping[str, object] = {
            "about": texts.plain(Say("mydata-heading"), language=message.language),
            "your_telegram_id": message.user_id,
            "written_at": now.isoformat(timespec="seconds"),
        }
        kept = kept_of(self._desk, message.user_id, message.origin)
        sent, last = 0, b""
        async for content in mydata.files(kept, heading, most=self._most):
            if last:
                sent += 1
                await self._send(message, last, sent)
            last = content
        if last and sent:
            await self._send(message, last, sent + 1)
        elif last:
            line = Say("mydata-file", {"time": Moment(now)})
            await self._send_as(message, last, mydata.file_name(), line)
        return bool(last)

    async def _send(self, message: Incoming, content: bytes, number: int) -> None:
        line = Say("mydata-part", {"number": number})
        await self._send_as(message, content, mydata.file_name(number), line)

    async def _send_as(self, message: Incoming, content: bytes, name: str, line: Say) -> None:
        outcome = await self._desk.reach(
            Target.in_reply_to(message.place),
            partial(self._send_file, content, name, line, message.language),
        )
        settled(outcome)  # who is not there any more needs no file

    async def _send_file(
        self, content: bytes, name: str, line: Say, language: str | None, target: Target
    ) -> Outcome:
        return await self._desk.chat.send_file(target, content, name, line, language=language)

    def _link(self) -> Mapping[str, str]:
        return {"link": f"https://t.me/{self._desk.username}"}


def privacy_lines(
    user_id: int, *, keep_originals: timedelta, retention: timedelta | None
) -> Sequence[Say]:
    """Give the lines of /privacy, with this installation's own numbers."""
    return (
        Say("privacy"),
        Say("privacy-originals", {"count": _days(keep_originals)})
        if keep_originals
        else Say("privacy-no-originals"),
        Say("privacy-retention", {"count": _days(retention)})
        if retention
        else Say("privacy-for-ever"),
        Say("privacy-hidream", {"user": user_id}),
        Say("privacy-operator"),
        Say("privacy-commands"),
    )


def _days(span: timedelta) -> int:
    """Give whole days, rather too many than too few."""
    return math.ceil(span / timedelta(days=1))
