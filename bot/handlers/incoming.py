"""A message as plain data: who, where, what, in reply to what, and whether it is meant for the bot.

Telegram's own types end here. What is read can be written as JSON, so that it can wait in the store.
"""

import re
from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter
from telegram import ExternalReplyInfo, Message, Sticker
from telegram.constants import ChatType

from bot.captions import mentions_option
from bot.pictures import too_large
from bot.texts import Say, shorten
from storage.tasks import Origin, Photo, Place

EDIT: Final = "edit"
"""The command that means "make this of it", wherever messages are not all for the bot."""
_COMMAND: Final = re.compile(r"/(?P<name>\w{1,32})(?:@(?P<bot>\w{1,64}))?(?!\S)", re.ASCII)
"""A command as Telegram finds it at the beginning of a text."""
_IMAGE_NAMES: Final = (".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif")


@dataclass(frozen=True, kw_only=True, slots=True)
class Replied:
    """The message that another one replies to."""

    message_id: int | None
    """None: it is in another chat, where its number means something else."""
    ours: bool
    photo: Photo | Say | None = None
    """Its photo, or why what it has instead cannot be used; None: it is words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Incoming:
    """A message, as far as the conversation goes by it."""

    origin: Origin
    user_id: int
    """The person, or the chat in whose name it was written."""
    place: Place
    language: str | None = None
    text: str = ""
    """The text or caption, without `/edit` and the bot's name."""
    photo: Photo | Say | None = None
    """The photo, or why what came instead cannot be used; None: it is words."""
    reply: Replied | None = None
    addressed: bool = True
    """Whether it is meant for the bot."""
    edit: bool = False
    """Whether it says `/edit`."""
    media_group_id: str | None = None

    @property
    def private(self) -> bool:
        """Whether it came in a chat with one person."""
        return self.place.chat_type == ChatType.PRIVATE

    def to_json(self) -> str:
        """Write it as JSON."""
        return _JSON.dump_json(self, exclude_defaults=True).decode()

    @staticmethod
    def from_json(text: str) -> "Incoming":
        """Read what `to_json` wrote."""
        return _JSON.validate_json(text)


_JSON: Final = TypeAdapter(Incoming)


def read(message: Message, origin: Origin, username: str, max_file: int) -> Incoming:
    """Give a message as plain data; a file of more than `max_file` bytes is no photo."""
    words = message.caption or message.text or ""
    if message.forward_origin is not None and not message.text:
        words = ""  # somebody wrote them of the photo, not to us
    text, edit = _without_edit(words, username)
    reply = _replied(message, origin.bot_id, max_file)
    mentioned = text if message.text and reply is None else _without_name(text, username)
    # Telegram copies a channel's posts to its group: there they have been heard already
    copied = bool(message.is_automatic_forward)
    return Incoming(
        origin=origin,
        user_id=_sender(message),
        place=Place(
            chat_id=message.chat_id,
            chat_type=message.chat.type,
            message_id=message.message_id,
            # elsewhere the id only marks a thread of replies
            thread_id=message.message_thread_id if message.is_topic_message else None,
        ),
        language=message.from_user.language_code if message.from_user else None,
        text=mentioned,
        photo=None if message.text else photo_of(message, max_file),
        reply=reply,
        addressed=not copied
        and (
            message.chat.type == ChatType.PRIVATE
            or edit
            or mentioned != text
            or _is_addressed(message, words, username, reply)
        ),
        edit=edit,
        media_group_id=message.media_group_id,
    )


def _is_addressed(message: Message, words: str, username: str, reply: Replied | None) -> bool:
    """Say whether a message in a group or a channel is meant for the bot."""
    if message.chat.type == ChatType.CHANNEL:
        return False
    addressee = addressee_of(words)
    if addressee is not None:
        return addressee == username.lower()
    return (reply is not None and reply.ours) or mentions_option(words, username)


def _without_edit(text: str, username: str) -> tuple[str, bool]:
    found = _COMMAND.match(text)
    if found is None or found["name"].lower() != EDIT:
        return text, False
    if (found["bot"] or username).lower() != username.lower():
        return text, False
    return text[found.end() :].strip(), True


def _without_name(text: str, username: str) -> str:
    """Give a text without the bot's name where it is called by it: `@some_bot make it snow`."""
    called = re.compile(rf"(?<!\S)@{re.escape(username)}(?![\w@])[,:]?", re.IGNORECASE)
    kept = called.sub("", text)
    return text if kept == text else re.sub(r"[ \t]{2,}", " ", kept).strip()


def _sender(message: Message) -> int:
    if message.sender_chat is not None:
        return message.sender_chat.id
    return message.from_user.id if message.from_user else message.chat_id


def _replied(message: Message, bot_id: int, max_file: int) -> Replied | None:
    replied = message.reply_to_message
    if replied is not None:
        if replied.forum_topic_created is not None:
            # in a topic, what replies to nothing looks like a reply to the topic's beginning
            return None
        return Replied(
            message_id=replied.message_id,
            # in a channel no message says who wrote it
            ours=replied.from_user is not None and replied.from_user.id == bot_id,
            photo=None if replied.text else photo_of(replied, max_file),
        )
    elsewhere = message.external_reply
    if elsewhere is None:
        return None
    return Replied(message_id=None, ours=False, photo=photo_of(elsewhere, max_file))


def photo_of(message: Message | ExternalReplyInfo, max_file: int) -> Photo | Say:
    """Give the photo of a message, or the sentence that says why it cannot be used."""
    if message.photo:
        largest = message.photo[-1]
        return Photo(
            file_id=largest.file_id,
            file_unique_id=largest.file_unique_id,
            width=largest.width,
            height=largest.height,
            size=largest.file_size,
            spoiler=bool(message.has_media_spoiler),
        )
    if message.animation:
        return Say("image-animated")
    if message.video or message.video_note:
        return Say("is-a-video")
    if message.sticker:
        return _sticker(message.sticker)
    document = message.document
    if document is None:
        return Say("not-a-photo")
    name = document.file_name or ""
    is_image = (document.mime_type or "").startswith("image/")
    if not is_image and not name.lower().endswith(_IMAGE_NAMES):
        return Say("not-an-image-file", {"name": shorten(name, 60)}) if name else Say("not-a-photo")
    if (document.file_size or 0) > max_file:
        return too_large(max_file)
    return Photo(
        file_id=document.file_id,
        file_unique_id=document.file_unique_id,
        kind="document",
        size=document.file_size,
    )


def _sticker(sticker: Sticker) -> Photo | Say:
    if sticker.is_animated or sticker.is_video:
        return Say("sticker-animated")
    return Photo(
        file_id=sticker.file_id,
        file_unique_id=sticker.file_unique_id,
        kind="sticker",
        width=sticker.width,
        height=sticker.height,
        size=sticker.file_size,
    )


def command_of(text: str) -> str | None:
    """Give the command that a text begins with, as it is written: `/status@some_bot`."""
    found = _COMMAND.match(text)
    return found[0] if found else None


def addressee_of(text: str) -> str | None:
    """Give the bot's name that the command at a text's beginning names, in small letters."""
    found = _COMMAND.match(text)
    return found["bot"].lower() if found and found["bot"] else None
