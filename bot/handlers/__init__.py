"""Telegram's side of the conversation: handlers write rows and answer; they never wait for HiDream."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from telegram.ext import BaseHandler, CallbackQueryHandler, ChatMemberHandler, CommandHandler
from telegram.ext import MessageHandler as On
from telegram.ext import filters as f

from bot.commands import ADMIN_COMMANDS, COMMANDS
from bot.handlers.album import AlbumHandlers
from bot.handlers.buttons import ButtonHandlers
from bot.handlers.cancel import CancelHandlers
from bot.handlers.chatter import Chatter
from bot.handlers.desk import Desk
from bot.handlers.edits import EditHandlers
from bot.handlers.forgetting import ForgetHandlers
from bot.handlers.history import HistoryHandlers
from bot.handlers.meaning import Meaning
from bot.handlers.offers import OfferButtons
from bot.handlers.orders import Orders
from bot.handlers.original import OriginalButton
from bot.handlers.other import OtherHandlers
from bot.handlers.photo import PhotoHandlers
from bot.handlers.privacy import PrivacyHandlers
from bot.handlers.removal import DeleteButton
from bot.handlers.results import ResultButtons
from bot.handlers.settings import SettingsHandlers
from bot.handlers.start import StartHandlers
from bot.handlers.stats import StatsHandlers
from bot.handlers.status import StatusHandlers
from bot.handlers.views import Views
from storage.tasks import Album

__all__ = ["Desk", "Handlers", "all_handlers"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Handlers:
    """The conversation's parts, as the rest of the program uses them."""

    for_updates: Sequence[BaseHandler[Any, Any, Any]]
    """In the order in which they are asked; the first that fits takes the update."""
    close_album: Callable[[Album], Awaitable[None]]
    """Takes an album that is complete."""


def all_handlers(desk: Desk) -> Handlers:
    """Build the conversation."""
    orders = Orders(desk)
    meaning = Meaning(desk, orders)
    photos, other = PhotoHandlers(desk, orders, meaning), OtherHandlers(desk)
    albums = AlbumHandlers(desk, photos)
    edits = EditHandlers(desk, orders, meaning, albums)
    settings = SettingsHandlers(desk)
    start, views = StartHandlers(desk), Views(desk)
    status, history = StatusHandlers(desk, views), HistoryHandlers(desk, views)
    cancel = CancelHandlers(desk, views)
    chatter = Chatter(desk, cancel)
    privacy, forgetting = PrivacyHandlers(desk), ForgetHandlers(desk)
    # each feature's own, by what a button says
    buttons = ButtonHandlers(
        desk,
        OfferButtons(desk, orders).reactions(),
        ResultButtons(desk, orders).reactions(),
        status.reactions(),
        cancel.reactions(),
        views.reactions({"status": status.turned, "history": history.turned}),
        settings.reactions(),
        OriginalButton(desk).reactions(),
        DeleteButton(desk).reactions(),
        forgetting.reactions(),
    )
    by_command = {
        "start": start.start,
        "help": start.help,
        "edit": photos.edit,
        "status": status.status,
        "history": history.history,
        "cancel": cancel.cancel,
        "settings": settings.settings,
        "privacy": privacy.privacy,
        "mydata": privacy.mydata,
        "forget": forgetting.forget,
    }
    others = settings.before(chatter.before(photos.words))
    # whoever is no admin is answered as if there were no such command
    for_admins = {"stats": StatsHandlers(desk, others).stats}
    new = f.UpdateType.MESSAGE  # an edited command is not given again
    heard = new | f.UpdateType.CHANNEL_POST
    edited = f.UpdateType.EDITED_MESSAGE
    return Handlers(
        for_updates=(
            *(CommandHandler(row.name, by_command[row.name], filters=new) for row in COMMANDS),
            *(
                CommandHandler(row.name, for_admins[row.name], filters=new)
                for row in ADMIN_COMMANDS
            ),
            # what is kept in a channel's name is told, and forgotten, in that channel
            CommandHandler("privacy", privacy.privacy, filters=f.UpdateType.CHANNEL_POST),
            CommandHandler("forget", forgetting.forget, filters=f.UpdateType.CHANNEL_POST),
            # commands that are not in the table come here too: /ratio may be part of the words
            On(heard & f.TEXT, others),
            On(new & f.StatusUpdate.MIGRATE, other.moved),
            # photos, and whatever else somebody may take for one
            On(heard & ~f.StatusUpdate.ALL, albums.photo),
            # nothing else: a live location is edited by the minute
            On(edited & (f.PHOTO | f.Document.ALL | f.TEXT), edits.edited),
            CallbackQueryHandler(buttons.pressed),
            ChatMemberHandler(other.membership, ChatMemberHandler.MY_CHAT_MEMBER),
        ),
        close_album=albums.close,
    )
