"""What the bot can say to a chat, and what can become of it. Pure: no Telegram.

`Chat` is the port through which everything else talks to Telegram. Its methods raise nothing for
what Telegram answers: each way a call can end is an outcome.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Literal, Protocol, Self

from bot.pictures import TELEGRAMS_LIMIT
from bot.texts import Say
from storage.tasks import Place


class Urgency(IntEnum):
    """Which call goes first when Telegram's limits make calls wait: the lowest."""

    PRESS = 0
    """An answer to a button: Telegram waits for it only some seconds."""
    PICTURE = 1
    REPLY = 2
    DELETE = 3
    """A deletion puts nothing into a chat, so it does not wait for the edits before it."""
    EDIT = 4


Still = Callable[[], Awaitable[bool]]
"""Asked when the turn of a call has come that had to wait: is it still wanted?"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """What a call that may become needless tells those who hold it to Telegram's limits."""

    urgency: Urgency
    still: Still


# --- what is said ---------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """Where a message goes."""

    chat_id: int
    thread_id: int | None = None
    reply_to: int | None = None
    """The message it answers; if that is gone, the message is sent all the same."""

    @classmethod
    def in_reply_to(cls, place: Place) -> Self:
        """What is said of a task goes to its topic, as a reply to its photo."""
        return cls(
            chat_id=place.chat_id, thread_id=place.thread_id, reply_to=place.message_id or None
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Button:
    """A button under a message."""

    label: Say
    data: str
    """What a press brings back: 1 to 64 bytes, ids of the store only."""


Keyboard = tuple[tuple[Button, ...], ...]
"""The buttons under a message, row by row; none: it has no buttons."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A picture to send: the file it is in, its bytes, or the id under which Telegram has it."""

    content: Path | bytes | str
    name: str
    """The file name it has when it goes as a file."""


# --- what becomes of it ---------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """It arrived."""

    message_ids: tuple[int, ...] = ()
    file_ids: tuple[str, ...] = ()
    """Telegram's ids of the pictures, in order."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Gone:
    """There is no such chat for us any more: blocked, removed, deactivated."""

    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """The group became a supergroup; it did not arrive, and belongs to this id now."""

    chat_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Later:
    """It surely did not arrive, and may be tried again after so many seconds."""

    seconds: float
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """Telegram does not take it as it is: the same again would be refused again."""

    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Unknown:
    """The request left and its answer was lost: it may have arrived."""

    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Dropped:
    """It was no longer wanted when its turn came: it was not sent."""

    reason: str = "no longer wanted"


Outcome = Sent | Gone | Moved | Later | Refused | Unknown | Dropped


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """A file that someone sent."""

    content: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Missing:
    """Telegram does not have the file any more."""

    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TooLarge:
    """It is larger than what is taken, which by itself is what Telegram gives a bot."""

    max_bytes: int = TELEGRAMS_LIMIT


FileOutcome = Fetched | Missing | TooLarge | Later


class Chat(Protocol):
    """Telegram, as the rest of the program sees it.

    An edit without `buttons` takes the buttons away, as it does at Telegram. A label or a notice
    that is too long is shortened. With `silent`, a message arrives without a sound.
    """

    async def say(
        self,
        target: Target,
        *lines: Say,
        language: str | None = None,
        buttons: Keyboard = (),
        ask: bool = False,
        placeholder: Say | None = None,
        silent: bool = False,
        urgency: Urgency = Urgency.REPLY,
        still: Still | None = None,
    ) -> Outcome:
        """Send a text (Bot API: sendMessage); `ask` opens a reply to it in the person's app.

        A question carries no buttons; `placeholder` is shown where its answer is to be written.
        With `still`, it is dropped if it had to wait and is no longer wanted.
        """
        ...

    async def send_pictures(
        self,
        target: Target,
        pictures: Sequence[Picture],
        *lines: Say,
        language: str | None = None,
        sent_as: Literal["photo", "document"] = "photo",
        buttons: Keyboard = (),
        spoiler: bool = False,
        silent: bool = False,
    ) -> Outcome:
        """Send one picture or an album of up to ten (Bot API: sendPhoto, sendDocument, sendMediaGroup).

        An album carries no buttons. A spoiler is covered until it is tapped, which a file cannot be.
        """
        ...

    async def send_file(
        self,
        target: Target,
        content: bytes,
        name: str,
        *lines: Say,
        language: str | None = None,
        silent: bool = False,
    ) -> Outcome:
        """Send bytes as a file (Bot API: sendDocument)."""
        ...

    async def edit(
        self,
        chat_id: int,
        message_id: int,
        *lines: Say,
        language: str | None = None,
        buttons: Keyboard = (),
        urgency: Urgency = Urgency.EDIT,
        still: Still | None = None,
    ) -> Outcome:
        """Change a text (Bot API: editMessageText); unchanged text counts as sent.

        What a person waits for, because they pressed a button, is as urgent as a reply.
        """
        ...

    async def edit_caption(
        self,
        chat_id: int,
        message_id: int,
        *lines: Say,
        language: str | None = None,
        buttons: Keyboard = (),
    ) -> Outcome:
        """Change the text on a picture (Bot API: editMessageCaption); unchanged counts as sent."""
        ...

    async def edit_buttons(
        self,
        chat_id: int,
        message_id: int,
        buttons: Keyboard,
        *,
        language: str | None = None,
    ) -> Outcome:
        """Change the buttons alone (Bot API: editMessageReplyMarkup); unchanged counts as sent."""
        ...

    async def replace_picture(
        self,
        chat_id: int,
        message_id: int,
        picture: Picture,
        *lines: Say,
        language: str | None = None,
        buttons: Keyboard = (),
        sent_as: Literal["photo", "document"] = "photo",
        spoiler: bool = False,
    ) -> Outcome:
        """Put another picture into a message, and its caption (Bot API: editMessageMedia).

        A text becomes a picture by it; a picture of an album stays what it is (photo or file).
        """
        ...

    async def delete(self, chat_id: int, message_id: int) -> Outcome:
        """Delete a message (Bot API: deleteMessage).

        One that is gone already counts as sent; one that is too old for it (48 h) is refused.
        """
        ...

    async def answer_press(
        self,
        press_id: str,
        line: Say | None = None,
        *,
        language: str | None = None,
        alert: bool = False,
    ) -> Outcome:
        """Answer a button's press (Bot API: answerCallbackQuery).

        The notice passes by itself or, with `alert`, stays until it is tapped.
        """
        ...

    async def is_admin(self, chat_id: int, user_id: int) -> bool | Later:
        """Say whether someone runs a chat (Bot API: getChatMember)."""
        ...

    async def fetch(self, file_id: str) -> FileOutcome:
        """Fetch a file that someone sent, up to what is allowed (Bot API: getFile)."""
        ...
