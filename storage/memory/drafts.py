"""What is not a task yet: photos that wait for words, words that wait for a photo, offers."""

from dataclasses import replace
from datetime import datetime

from storage.memory.tables import Memory
from storage.tasks import Draft, DraftKind, NewDraft, Origin


class Drafts(Memory):
    """The store's methods for what waits for the rest of it, or for a tap."""

    def _drafts_of(self, user_id: int, chat_id: int) -> list[Draft]:
        """Give the person's drafts in a chat, the latest first."""
        drafts = reversed(self._tables.drafts.values())
        return [one for one in drafts if (one.user_id, one.place.chat_id) == (user_id, chat_id)]

    async def add_draft(self, new: NewDraft, now: datetime) -> Draft:
        """Keep a draft; the person's older open drafts of its kind in that chat are closed, offers aside.

        The one whose place it takes (`draft_id`) is used. A repeated origin gives the draft it made.
        """
        if (known := await self.draft_made_by(new.origin)) is not None:
            return known
        if (answered := self._tables.drafts.get(new.draft_id or 0)) is not None:
            self._tables.drafts[answered.id] = replace(answered, used=True)
        if new.kind != "offer":
            older = self._drafts_of(new.user_id, new.place.chat_id)
            self._tables.closed_drafts.update(one.id for one in older if one.kind == new.kind)
        self._tables.drafts_made += 1
        draft = Draft(
            id=self._tables.drafts_made,
            origin=new.origin,
            user_id=new.user_id,
            place=new.place,
            photos=new.photos,
            caption=new.caption,
            language=new.language,
            parent_id=new.parent_id,
            question_id=None,
            used=False,
            created_at=now,
            kind=new.kind,
        )
        self._tables.drafts[draft.id] = draft
        return draft

    async def asked(self, draft_id: int, question_id: int) -> None:
        """Note which message asks for the words."""
        if (draft := self._tables.drafts.get(draft_id)) is not None:
            self._tables.drafts[draft_id] = replace(draft, question_id=question_id)

    async def drop_draft(self, draft_id: int) -> None:
        """Nobody waits for the rest of a draft any more: it is used. What asks about it goes on being known."""
        if (draft := self._tables.drafts.get(draft_id)) is not None:
            self._tables.drafts[draft_id] = replace(draft, used=True)

    async def open_draft(
        self, user_id: int, chat_id: int, since: datetime, *, kind: DraftKind = "words"
    ) -> Draft | None:
        """Give the person's open draft of this kind in a chat, if it was made after `since`."""
        for draft in self._drafts_of(user_id, chat_id):
            is_open = not draft.used and draft.id not in self._tables.closed_drafts
            if is_open and draft.kind == kind and draft.created_at > since:
                return draft
        return None

    async def draft_asked_by(self, user_id: int, chat_id: int, question_id: int) -> Draft | None:
        """Give the person's draft, used or not, that this message of ours asked about."""
        for draft in self._drafts_of(user_id, chat_id):
            if draft.question_id == question_id:
                return draft
        return None

    async def draft(self, draft_id: int) -> Draft | None:
        """Give one draft, used or not."""
        return self._tables.drafts.get(draft_id)

    async def draft_at(self, user_id: int, chat_id: int, message_id: int) -> Draft | None:
        """Give the person's latest unused draft whose photo (or words) is this message of theirs."""
        for draft in self._drafts_of(user_id, chat_id):
            if draft.place.message_id == message_id and not draft.used:
                return draft
        return None

    async def draft_made_by(self, origin: Origin) -> Draft | None:
        """Give the draft that this origin has made, used or not: there is one if its update is a repeat."""
        return next((one for one in self._tables.drafts.values() if one.origin == origin), None)
