"""Telegram's side of the conversation: handlers write rows and answer; they never wait for HiDream."""

from collections.abc import Sequence
from typing import Any

from telegram.ext import BaseHandler, CallbackQueryHandler, ChatMemberHandler, CommandHandler
from telegram.ext import MessageHandler as On
from telegram.ext import filters as f

from bot.commands import COMMANDS
from bot.handlers.buttons import ButtonHandlers
from bot.handlers.desk import Desk
from bot.handlers.orders import Orders
from bot.handlers.other import OtherHandlers
from bot.handlers.photo import PhotoHandlers
from bot.handlers.results import ResultButtons
from bot.handlers.settings import SettingsHandlers
from bot.handlers.start import StartHandlers
from bot.handlers.status import StatusHandlers

__all__ = ["Desk", "all_handlers"]


def all_handlers(desk: Desk) -> Sequence[BaseHandler[Any, Any, Any]]:
    """Give the handlers in the order in which they are asked; the first that fits takes the update."""
    orders = Orders(desk)
    photos, status, start = PhotoHandlers(desk, orders), StatusHandlers(desk), StartHandlers(desk)
    other, settings = OtherHandlers(desk), SettingsHandlers(desk)
    # each feature's own, by what a button says
    buttons = ButtonHandlers(desk, ResultButtons(desk, orders).reactions(), settings.reactions())
    by_command = {
        "start": start.start,
        "help": start.help,
        "status": status.status,
        "settings": settings.settings,
    }
    new = f.UpdateType.MESSAGE  # an edited command is not given again
    return (
        *(CommandHandler(row.name, by_command[row.name], filters=new) for row in COMMANDS),
        # an animation is also a document, so it comes before the documents
        On(new & (f.ANIMATION | f.Sticker.ALL), other.anything),
        On(new & (f.PHOTO | f.Document.ALL), photos.photo),
        # commands that are not in the table come here too: /ratio may be part of the words
        On(new & f.TEXT, settings.before(photos.words)),
        On(new & f.StatusUpdate.MIGRATE, other.moved),
        On(new & ~f.StatusUpdate.ALL, other.anything),
        On(f.UpdateType.EDITED_MESSAGE & (f.PHOTO | f.Document.ALL), photos.edited),
        # nothing else: a live location is edited by the minute
        On(f.UpdateType.EDITED_MESSAGE & f.TEXT, other.edited),
        CallbackQueryHandler(buttons.pressed),
        ChatMemberHandler(other.membership, ChatMemberHandler.MY_CHAT_MEMBER),
    )
