"""What people, and the admins of chats, have chosen, as the store has kept it."""

from collections.abc import Mapping

import structlog

from bot.languages import LANGUAGES, resolve
from bot.pictures import PictureRequest
from bot.preferences import LANGUAGE, Effective, combine
from storage.store import TaskStore

log = structlog.get_logger(__name__)


async def effective(
    store: TaskStore, installation: PictureRequest, user_id: int, chat_id: int
) -> Effective:
    """Give what holds for a person in a chat where a caption says nothing else."""
    holds = combine(
        installation,
        chat=await chosen_for_chat(store, chat_id),
        user=await store.preferences("user", user_id),
    )
    for source, name in holds.ignored:
        log.warning("preference_ignored", name=name, source=source)
    return holds


async def chosen_for_chat(store: TaskStore, chat_id: int) -> Mapping[str, str]:
    """Give what the admins of a chat have chosen for it; a private chat has none (Bot API: ids above 0)."""
    return {} if chat_id > 0 else await store.preferences("chat", chat_id)


async def language_for(
    store: TaskStore, user_id: int, chat_id: int, code: str | None
) -> str | None:
    """Give the language to speak to somebody; `code` is Telegram's for theirs. None: nobody knows.

    Their own choice comes first, then Telegram's word, then what the chat's admins have chosen.
    """
    own = (await store.preferences("user", user_id)).get(LANGUAGE)
    if own in LANGUAGES:
        return own
    if code:
        return resolve(code)
    chats = (await chosen_for_chat(store, chat_id)).get(LANGUAGE)
    return chats if chats in LANGUAGES else None
