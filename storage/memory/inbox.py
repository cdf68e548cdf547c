"""Updates as they came, albums, and photos that wait for words."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from storage.memory.tables import Album, Memory, Update
from storage.tasks import Draft, InboxRow, NewDraft, NewUpdate, Origin


class Inbox(Memory):
    """The store's methods for what comes in."""

    async def receive(self, bot_id: int, updates: Sequence[NewUpdate], now: datetime) -> int:
        """Keep updates; those already known are dropped. Returns how many were new."""
        before = len(self._tables.inbox)
        for one in updates:
            row = InboxRow(
                bot_id=bot_id,
                update_id=one.update_id,
                chat_id=one.chat_id,
                raw=one.raw,
                tries=0,
                received_at=now,
            )
            self._tables.inbox.setdefault((bot_id, one.update_id), Update(row=row))
        new = len(self._tables.inbox) - before
        if new:
            self._bells.changed("receive")
        return new

    async def inbox_heads(self, now: datetime, limit: int) -> list[InboxRow]:
        """Give the first unhandled update of each chat, oldest first, leaving out chats whose first one is not due yet."""
        due = (one for one in self._heads() if one.due_at is None or one.due_at <= now)
        return [one.row for one in due][:limit]

    def _heads(self) -> list[Update]:
        heads: dict[object, Update] = {}
        for key, update in self._tables.inbox.items():
            chat_id = update.row.chat_id
            chat = key if chat_id is None else (update.row.bot_id, chat_id, "chat")
            if update.state == "new":
                heads.setdefault(chat, update)
        return list(heads.values())

    async def next_inbox_due(
        self, *, busy: Collection[tuple[int, int | None]] = ()
    ) -> datetime | None:
        """Say when the first update that was put off is due; None if none was put off."""
        free = (one for one in self._heads() if (one.row.bot_id, one.row.chat_id) not in busy)
        return min((one.due_at for one in free if one.due_at is not None), default=None)

    def _unhandled(self, row: InboxRow) -> Update | None:
        update = self._tables.inbox.get((row.bot_id, row.update_id))
        return update if update is not None and update.state == "new" else None

    async def inbox_done(self, row: InboxRow, now: datetime) -> None:
        """The update has been handled: its text is emptied, its key stays to know repeats."""
        if (update := self._unhandled(row)) is not None:
            update.row = replace(update.row, raw="")
            update.state, update.handled_at, update.due_at, update.error = "done", now, None, None
            self._bells.changed("inbox_done")

    async def inbox_defer(
        self, row: InboxRow, *, due_at: datetime, error: str, failed: bool
    ) -> None:
        """Try the update again at `due_at`; `failed`: it counts as a failed attempt."""
        if (update := self._unhandled(row)) is not None:
            update.row = replace(update.row, tries=update.row.tries + int(failed))
            update.due_at, update.error = due_at, error
            self._bells.changed("inbox_defer")

    async def inbox_set_aside(self, row: InboxRow, *, error: str, now: datetime) -> None:
        """Give up on an update: it is kept, with the error, and no longer in anybody's way."""
        if (update := self._unhandled(row)) is not None:
            update.state, update.handled_at, update.due_at, update.error = "aside", now, None, error
            self._bells.changed("inbox_set_aside")

    async def first_of_album(self, origin: Origin, chat_id: int, media_group_id: str) -> bool:
        """Say whether this update is the one that answers for its album; the first to ask is (also when it asks again)."""
        album = Album(origin=origin, created_at=self._clock.now())
        return self._tables.albums.setdefault((chat_id, media_group_id), album).origin == origin

    # --- drafts

    def _drafts_of(self, user_id: int, chat_id: int) -> list[Draft]:
        """Give the person's drafts in a chat, the latest first."""
        drafts = reversed(self._tables.drafts.values())
        return [one for one in drafts if (one.user_id, one.place.chat_id) == (user_id, chat_id)]

    async def add_draft(self, new: NewDraft, now: datetime) -> Draft:
        """Keep photos that wait for words; the person's older open drafts in that chat are closed. A repeated origin gives the draft it made."""
        for known in self._tables.drafts.values():
            if known.origin == new.origin:
                return known
        older = self._drafts_of(new.user_id, new.place.chat_id)
        self._tables.closed_drafts.update(one.id for one in older)
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
        )
        self._tables.drafts[draft.id] = draft
        return draft

    async def asked(self, draft_id: int, question_id: int) -> None:
        """Note which message asks for the words."""
        if (draft := self._tables.drafts.get(draft_id)) is not None:
            self._tables.drafts[draft_id] = replace(draft, question_id=question_id)

    async def open_draft(self, user_id: int, chat_id: int, since: datetime) -> Draft | None:
        """Give the person's open draft in a chat, if it was made after `since`."""
        for draft in self._drafts_of(user_id, chat_id):
            is_open = not draft.used and draft.id not in self._tables.closed_drafts
            if is_open and draft.created_at > since:
                return draft
        return None

    async def draft_asked_by(self, user_id: int, chat_id: int, question_id: int) -> Draft | None:
        """Give the person's draft, used or not, that this message of ours asked about."""
        for draft in self._drafts_of(user_id, chat_id):
            if draft.question_id == question_id:
                return draft
        return None
