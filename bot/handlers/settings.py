"""/settings: what holds for all of a person's pictures or, for its admins to choose, in a group."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from telegram import Message, Update

from bot import settings_pages as pages
from bot.actions import Action
from bot.chosen import chosen_for_chat, language_for
from bot.handlers.buttons import Reaction
from bot.handlers.desk import Desk, settled
from bot.handlers.incoming import Incoming
from bot.handlers.press import Press
from bot.messages import Later, Target, Urgency
from bot.preferences import (
    BY_NAME,
    LANGUAGE,
    NEGATIVE_LENGTH,
    Effective,
    Preference,
    Scope,
    combine,
    negative_of,
)
from bot.texts import Say
from storage.tasks import NewView, View

_SETTINGS: Final = "settings"
"""The kind of a view that is such a message; its words say which message asked for it."""
_QUESTION: Final = "settings-words"
"""The kind of a view that is a question; its words say which message asks it."""
_NOBODY: Final = 0
"""Whose question it is that any admin of the chat may answer."""
_NEGATIVE: Final = "negative"
_ASKED: Final = {"user": "ask-negative", "chat": "ask-negative-chat"}
_NOT_YOURS: Final = {"user": "settings-not-yours", "chat": "settings-admins"}

_Handler = Callable[[Update, Any], Coroutine[Any, Any, None]]


class SettingsHandlers:
    """Shows what holds, and changes it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def reactions(self) -> Mapping[str, Reaction]:
        """Say which buttons these are."""
        return {
            Action.SET: partial(self._pressed, "user"),
            Action.SET_CHAT: partial(self._pressed, "chat"),
        }

    async def settings(self, update: Update, context: Any) -> None:
        """Show what holds for whoever asks."""
        del context
        message = await self._desk.read(update)
        if message is not None and await self._desk.let_in(message):
            await self._open(message, "user", told=_tells_language(update.message))

    def before(self, others: Callable[[Incoming], Awaitable[None]]) -> _Handler:
        """Take words that answer a question of ours, and leave all the rest to the others."""

        async def take(update: Update, context: Any) -> None:
            del context
            message = await self._desk.read(update)
            if message is None:
                return
            question = await self._question(message)
            if question is None:
                await others(message)
            elif await self._desk.let_in(message):
                await self._answered(message, question, told=_tells_language(update.message))

        return take

    # --- buttons

    async def _pressed(self, scope: Scope, press: Press) -> None:
        number = press.number()
        view = None if number is None else await self._desk.store.view(number)
        _, _, name, value, *_ = (*press.data.split(":", 3), "", "", "")
        row = BY_NAME.get(name)
        if view is None or view.kind != _SETTINGS or not _is_button(scope, view, name, value):
            await self._desk.notice(press, Say("pressed-settings-unknown"))
        elif not await self._admits(press, scope, view):
            pass
        elif row is None:
            await self._desk.notice(press)
            await self._show(press, scope, view)
        elif not value:
            await self._desk.notice(press)
            await self._show(press, scope, view, row)
        elif value == pages.WORDS:
            await self._desk.notice(press, Say("pressed-settings-words"))
            await self._ask(press, scope, view)
        else:
            kept = None if value == pages.DEFAULT else value
            await self._desk.store.set_preference(scope, _owner(scope, view), name, kept)
            if name == LANGUAGE:
                press = await self._in_language(press)
            await self._desk.notice(press, Say("pressed-saved"))
            await self._show(press, scope, view)

    async def _admits(self, press: Press, scope: Scope, view: View) -> bool:
        """Say whether someone may press a button here; tells them if not.

        A person's own are theirs alone; where a chat stands for the person, they are its admins'.
        """
        may: bool | Later = press.user_id == view.user_id
        owner = _owner(scope, view)
        if scope == "chat" or (not may and owner < 0):
            may = await self._desk.chat.is_admin(owner, press.user_id)
        if isinstance(may, Later):
            await self._desk.notice(press, Say("pressed-not-now"))
        elif not may or await self._desk.is_under_anothers(press, view.user_id):
            await self._desk.notice(press, Say(_NOT_YOURS[scope]))
        elif not self._desk.access.allows(press.user_id, view.chat_id):
            await self._desk.notice(press, Say("pressed-not-allowed"))
        else:
            return True
        return False

    async def _show(
        self, press: Press, scope: Scope, view: View, row: Preference | None = None
    ) -> None:
        told = press.telegram_language is not None
        holds = await self._holds(scope, view.user_id, view.chat_id, told=told)
        if row is None:
            page = pages.overview(view.id, scope, holds, group=_in_group(view))
        else:
            page = pages.choices(view.id, scope, holds, row)
        outcome = await self._desk.chat.edit(
            press.chat_id,
            press.message_id,
            *page.lines,
            language=press.language,
            buttons=page.buttons,
            urgency=Urgency.REPLY,
        )
        settled(outcome)  # what was chosen is kept; pressed again, it is chosen again

    async def _in_language(self, press: Press) -> Press:
        language = await language_for(
            self._desk.store, press.user_id, press.chat_id, press.telegram_language
        )
        return replace(press, language=language)

    # --- words

    async def _ask(self, press: Press, scope: Scope, view: View) -> None:
        """Ask for words; the question is kept, so that a reply to it is known for ever."""
        chat_id, _, asked_for = view.words.partition(":")
        target = Target(
            chat_id=view.chat_id,
            thread_id=press.thread_id,
            # in a group that has moved since, messages have other numbers
            reply_to=int(asked_for) if chat_id == str(view.chat_id) else None,
        )
        line = Say(_ASKED[scope])
        question = await self._desk.say(target, line, language=press.language, ask=True)
        if question is None:
            return
        new = NewView(
            origin=press.origin,
            kind=_QUESTION,
            user_id=_NOBODY if scope == "chat" else view.user_id,
            chat_id=view.chat_id,
            words=_at(view.chat_id, question),
        )
        kept = await self._desk.store.add_view(new, self._desk.clock.now())
        if kept.words != new.words:
            # the same press once more: it has been asked already
            await self._desk.chat.delete(view.chat_id, question)

    async def _question(self, message: Incoming) -> View | None:
        """Give the question that a message answers."""
        reply, chat_id = message.reply, message.place.chat_id
        if reply is None or not reply.ours or reply.message_id is None:
            return None
        words = _at(chat_id, reply.message_id)
        return await self._desk.store.find_view(_QUESTION, chat_id, words)

    async def _answered(self, message: Incoming, question: View, *, told: bool) -> None:
        scope: Scope = "chat" if question.user_id == _NOBODY else "user"
        owner = _owner(scope, question)
        may = message.user_id == owner
        if scope == "chat" and not may:
            may = await self._desk.runs(message.user_id, owner)
        words = negative_of(message.text)
        if not may:
            await self._desk.answer(message, Say(_NOT_YOURS[scope]))
        elif words is None:
            limit = {"limit": NEGATIVE_LENGTH}
            await self._desk.answer(message, Say("negative-words-wrong", limit))
        else:
            await self._desk.store.set_preference(scope, owner, _NEGATIVE, words)
            await self._open(message, scope, told=told)

    # --- what holds

    async def _open(self, message: Incoming, scope: Scope, *, told: bool) -> None:
        user_id, place = message.user_id, message.place
        new = NewView(
            origin=message.origin,
            kind=_SETTINGS,
            user_id=user_id,
            chat_id=place.chat_id,
            words=_at(place.chat_id, place.message_id),
        )
        view = await self._desk.store.add_view(new, self._desk.clock.now())
        holds = await self._holds(scope, user_id, place.chat_id, told=told)
        page = pages.overview(view.id, scope, holds, group=_in_group(view))
        await self._desk.answer(message, *page.lines, buttons=page.buttons)

    async def _holds(self, scope: Scope, user_id: int, chat_id: int, *, told: bool) -> Effective:
        """Give what holds; `told`: Telegram tells the person's language, which comes before the chat's."""
        store, user = self._desk.store, dict[str, str]()
        chat = dict(await chosen_for_chat(store, chat_id))
        if scope == "user":
            user.update(await store.preferences("user", user_id))
            if told:
                chat.pop(LANGUAGE, None)
        return combine(self._desk.defaults, chat=chat, user=user)


def _is_button(scope: Scope, view: View, name: str, value: str) -> bool:
    """Say whether there is such a button; those of other versions may name what is no more."""
    if scope == "chat" and not _in_group(view):
        return False
    row = BY_NAME.get(name)
    if row is None:
        return not name and not value
    offered = {*row.values, pages.DEFAULT, "", *([pages.WORDS] if row.in_words else [])}
    return value in offered


def _owner(scope: Scope, view: View) -> int:
    return view.chat_id if scope == "chat" else view.user_id


def _in_group(view: View) -> bool:
    """Say whether it is in a chat of several (Bot API: the ids of those are below 0)."""
    return view.chat_id < 0


def _at(chat_id: int, message_id: int) -> str:
    """Name a message; by its chat too, since a group that moves takes its views along, not its numbers."""
    return f"{chat_id}:{message_id}"


def _tells_language(message: Message | None) -> bool:
    sender = None if message is None else message.from_user
    return sender is not None and sender.language_code is not None
