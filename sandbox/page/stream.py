"""What happens, as server-sent events: first all that there is, then whatever changes.

Whoever loses the connection begins anew with all that there is, so that nothing can be missed.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from typing import Final

from sandbox.journal import Entry, Journal
from sandbox.page.switches import Switches
from sandbox.telegram.people import user_of
from sandbox.telegram.records import JSON, Chat
from sandbox.telegram.state import Telegram

_LOOK: Final = 0.15
"""Seconds between looks at what rings no bell: calls, switches, what the bot is doing."""
_ALIVE: Final = 15.0
"""Seconds of silence after which a line is sent, so that a connection that is dead shows it."""
_CALLS: Final = 200
"""So many of the latest calls are told at the beginning."""
_ACTION_SECONDS: Final = 5.0
"""How long an app shows what a chat action says (Bot API: sendChatAction)."""


class Stream:
    """The events of one page, as one of the people sees them."""

    def __init__(
        self,
        *,
        telegram: Telegram,
        user_id: int,
        journals: Mapping[str, Journal],
        switches: Switches,
        secrets: Collection[str],
    ) -> None:
        """Begin with this person; `secrets` are shown nowhere.

        Raises:
            CannotDo: there is no such person.
        """
        self._telegram = telegram
        self._user = user_of(telegram, user_id)
        self._journals = journals
        self._switches = switches
        self._secrets = [*secrets]
        self._seen: dict[int, int] = {}
        self._called: dict[str, int] = {}
        self._last: dict[str, object] = {}

    async def events(self, gone: Callable[[], Awaitable[bool]]) -> AsyncIterator[str]:
        """Give everything, then what changes, until the page is gone."""
        yield self._event("all", self._all())
        quiet = 0.0
        while not await gone():
            changes = [*self._changes()]
            for kind, what in changes:
                yield self._event(kind, what)
            quiet = 0.0 if changes else quiet + _LOOK
            if quiet >= _ALIVE:
                yield ": still here\n\n"
                quiet = 0.0
            await self._telegram.bell.wait(_LOOK)

    @staticmethod
    def _event(kind: str, what: object) -> str:
        return f"event: {kind}\ndata: {json.dumps(what, ensure_ascii=False)}\n\n"

    def _all(self) -> JSON:
        chats = []
        for chat in self._chats():
            self._seen[chat.id] = len(chat.events)
            messages = [self._telegram.seen(message) for message in chat.messages.values()]
            chats.append(self._chat(chat) | {"messages": messages})
        calls = []
        for name, journal in self._journals.items():
            entries = journal.entries()
            self._called[name] = entries[-1].n if entries else 0
            calls += [self._call(name, entry) for entry in entries[-_CALLS:]]
        self._last = self._rest()
        return {"chats": chats, "calls": sorted(calls, key=lambda call: call["time"])} | self._last

    def _changes(self) -> list[tuple[str, object]]:
        found: list[tuple[str, object]] = []
        for chat in self._chats():
            if chat.id not in self._seen:
                found.append(("chat", self._chat(chat) | {"messages": []}))
            new = chat.events[self._seen.get(chat.id, 0) :]
            found += [("message", {"chat": chat.id, **event}) for event in new]
            self._seen[chat.id] = len(chat.events)
        for name, journal in self._journals.items():
            for entry in journal.entries(after=self._called[name]):
                found.append(("call", self._call(name, entry)))
                self._called[name] = entry.n
        for kind, what in self._rest().items():
            if self._last.get(kind) != what:
                self._last[kind] = what
                found.append((kind, what))
        return found

    def _rest(self) -> dict[str, object]:
        """What is small, and told as a whole whenever it has changed."""
        now = self._telegram.clock.now()
        users = [user for user in self._telegram.users.values() if user.id in self._telegram.chats]
        return {
            "users": [user.to_json() | {"blocked": user.blocked} for user in users],
            "bot": self._telegram.bot.to_json(),
            "actions": {
                str(chat.id): chat.action[0]
                for chat in self._chats()
                if chat.action and now - chat.action[1] < _ACTION_SECONDS
            },
            "commands": self._commands(),
            "switches": self._switches.state(),
        }

    def _chats(self) -> list[Chat]:
        return [
            chat
            for chat in self._telegram.chats.values()
            if self._user.id in chat.members and chat.migrated_to is None
        ]

    def _chat(self, chat: Chat) -> JSON:
        topics = [{"id": number, "name": name} for number, name in chat.topics.items()]
        return self._telegram.chat_json(chat) | {"topics": topics, "members": len(chat.members)}

    def _commands(self) -> list[JSON]:
        """Give the menu as this person's app shows it: in its language, or without one."""
        menus = self._telegram.commands
        default = json.dumps({"type": "default"}, sort_keys=True)
        private = json.dumps({"type": "all_private_chats"}, sort_keys=True)
        language = (self._user.language_code or "").partition("-")[0]
        for key in ((private, language), (private, ""), (default, language), (default, "")):
            if menus.get(key):
                return menus[key]
        return []

    def _call(self, service: str, entry: Entry) -> JSON:
        told = json.dumps({"service": service} | entry.to_json(answer=True), ensure_ascii=False)
        for secret in self._secrets:
            told = told.replace(json.dumps(secret, ensure_ascii=False)[1:-1], "…")
        shown: JSON = json.loads(told)
        shown["params"] = {
            name: "…" if name == "secret_token" else value
            for name, value in shown["params"].items()
        }
        return shown
