"""What people prefer and turn over, and small texts that last."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Literal

from storage.memory.tables import Memory
from storage.tasks import NewView, View


class Preferences(Memory):
    """The store's methods for preferences, views and facts."""

    async def preferences(self, scope: Literal["user", "chat"], owner_id: int) -> Mapping[str, str]:
        """Give what a person, or a chat, has chosen, by name."""
        return dict(self._tables.preferences.get((scope, owner_id), {}))

    async def set_preference(
        self, scope: Literal["user", "chat"], owner_id: int, name: str, value: str | None
    ) -> None:
        """Keep a choice; None takes it back."""
        chosen = self._tables.preferences.setdefault((scope, owner_id), {})
        if value is None:
            chosen.pop(name, None)
        else:
            chosen[name] = value

    async def add_view(self, new: NewView, now: datetime) -> View:
        """Keep what a list shows, so that its buttons work for ever.

        A repeated origin gives the view it made. One that is `shared` gives the earlier one of the
        same kind, person, chat and words, as if it were new.
        """
        key = (new.origin.bot_id, new.origin.update_id)
        if (known := self._tables.views.get(key)) is not None:
            return known
        if new.shared and (shown := self._show_again(new, now)):
            return max(shown, key=lambda view: view.id)
        self._tables.views_made += 1
        view = View(
            id=self._tables.views_made,
            kind=new.kind,
            user_id=new.user_id,
            chat_id=new.chat_id,
            words=new.words,
            created_at=now,
        )
        self._tables.views[key] = view
        return view

    def _show_again(self, new: NewView, now: datetime) -> list[View]:
        about = (new.kind, new.user_id, new.chat_id, new.words)
        again = {
            key: replace(one, created_at=now)
            for key, one in self._tables.views.items()
            if (one.kind, one.user_id, one.chat_id, one.words) == about
        }
        self._tables.views.update(again)
        return list(again.values())

    async def view(self, view_id: int) -> View | None:
        """Give one view."""
        return next((one for one in self._tables.views.values() if one.id == view_id), None)

    async def find_view(self, kind: str, chat_id: int, words: str) -> View | None:
        """Give the latest view of this kind in a chat that has these words."""
        sought = (kind, chat_id, words)
        views = self._tables.views.values()
        found = [one for one in views if (one.kind, one.chat_id, one.words) == sought]
        return max(found, key=lambda one: one.id, default=None)

    async def fact(self, name: str) -> str | None:
        """Give a small text that was kept."""
        return self._tables.facts.get(name)

    async def note_fact(self, name: str, value: str) -> None:
        """Keep a small text."""
        self._tables.facts[name] = value
