"""What the labels of metrics can say. Pure."""

import re
from enum import IntEnum, StrEnum


class _WithRest(StrEnum):
    """Kinds of which the last stands for whatever is none of them: counting never fails."""

    @classmethod
    def _missing_(cls, value: object) -> "_WithRest":
        del value
        return list(cls)[-1]


class Step(StrEnum):
    """The steps of a task's way."""

    LINE = "line"
    HANDING_IN = "handing_in"
    MAKING = "making"
    FETCHING = "fetching"
    DELIVERING = "delivering"
    WHOLE = "whole"


class Handled(StrEnum):
    """What became of an update."""

    DONE = "done"
    PUT_OFF = "put_off"
    SET_ASIDE = "set_aside"


class HiDreamCall(StrEnum):
    """The calls to HiDream."""

    SUBMIT = "submit"
    ASK = "ask"
    ASK_BATCH = "ask_batch"
    LOOK_UP = "look_up"
    DOWNLOAD = "download"


class HiDreamOutcome(_WithRest):
    """How a call to HiDream ended: well, or by which of `bot.hidream.errors`."""

    OK = "ok"
    NOT_SENT = "not_sent"
    UNCERTAIN = "uncertain"
    GATEWAY_ILL = "gateway_ill"
    TOO_FAST = "too_fast"
    TOO_MANY_PARALLEL = "too_many_parallel"
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - no token
    CONTENT_REFUSED = "content_refused"
    REFUSED = "refused"
    UNKNOWN_TASK = "unknown_task"
    DOWNLOAD_LATER = "download_later"
    DOWNLOAD_REFUSED = "download_refused"
    CANCELLED = "cancelled"
    BROKEN = "broken"

    @classmethod
    def of(cls, error: BaseException) -> "HiDreamOutcome":
        """Say how a call ended that raised this."""
        return cls(_name_of(error))


class Submitted(_WithRest):
    """What became of a task that was handed in to HiDream."""

    ACCEPTED = "accepted"
    NOT_SENT = "not_sent"
    UNCERTAIN = "uncertain"
    GATEWAY_ILL = "gateway_ill"
    TOO_FAST = "too_fast"
    TOO_MANY_PARALLEL = "too_many_parallel"
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - no token
    CONTENT_REFUSED = "content_refused"
    REFUSED = "refused"
    BROKEN = "broken"

    @classmethod
    def of(cls, error: BaseException) -> "Submitted":
        """Say what became of it where this was raised."""
        return cls(_name_of(error))


def _name_of(error: BaseException) -> str:
    """Give the name of an error's class as labels are written."""
    name = type(error).__name__.removesuffix("Error")
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Callback(StrEnum):
    """What a callback was."""

    KNOWN = "known"
    REPEATED = "repeated"
    LATE = "late"
    UNKNOWN = "unknown"
    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    NOT_KEPT = "not_kept"


class TelegramMethod(_WithRest):
    """The methods of Telegram's Bot API that the bot calls."""

    ANSWER_CALLBACK_QUERY = "answerCallbackQuery"
    DELETE_MESSAGE = "deleteMessage"
    DELETE_WEBHOOK = "deleteWebhook"
    DOWNLOAD = "download"
    """The bytes of a photo: the one call that is no method of Telegram's."""
    EDIT_MESSAGE_CAPTION = "editMessageCaption"
    EDIT_MESSAGE_MEDIA = "editMessageMedia"
    EDIT_MESSAGE_REPLY_MARKUP = "editMessageReplyMarkup"
    EDIT_MESSAGE_TEXT = "editMessageText"
    GET_CHAT_MEMBER = "getChatMember"
    GET_FILE = "getFile"
    GET_ME = "getMe"
    GET_UPDATES = "getUpdates"
    GET_WEBHOOK_INFO = "getWebhookInfo"
    SEND_DOCUMENT = "sendDocument"
    SEND_MEDIA_GROUP = "sendMediaGroup"
    SEND_MESSAGE = "sendMessage"
    SEND_PHOTO = "sendPhoto"
    SET_MY_COMMANDS = "setMyCommands"
    SET_MY_DESCRIPTION = "setMyDescription"
    SET_MY_SHORT_DESCRIPTION = "setMyShortDescription"
    SET_WEBHOOK = "setWebhook"
    OTHER = "other"


class TelegramOutcome(_WithRest):
    """How a call to Telegram ended: well, or as `bot.outcomes` reads its error."""

    OK = "ok"
    TOO_FAST = "too_fast"
    GONE = "gone"
    MOVED = "moved"
    LATER = "later"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"
    BROKEN = "broken"


class Waiting(StrEnum):
    """Which calls wait for Telegram's limits, by `bot.messages.Urgency`."""

    PRESS = "press"
    PICTURE = "picture"
    REPLY = "reply"
    DELETE = "delete"
    EDIT = "edit"

    @classmethod
    def of(cls, urgency: IntEnum | None) -> "Waiting":
        """Say which calls have this urgency; what names none waits as a reply does."""
        return cls.REPLY if urgency is None else cls[urgency.name]


class Delivered(_WithRest):
    """How a try to bring a result ended."""

    DELIVERED = "delivered"
    FAILED = "failed"
    GONE = "gone"
    MOVED = "moved"
    LATER = "later"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    DROPPED = "dropped"
    BROKEN = "broken"

    @classmethod
    def of(cls, outcome: object, end: StrEnum) -> "Delivered":
        """Say how it ended: by the outcome of the last call or, where that was sent, the task's end."""
        name = type(outcome).__name__.lower()
        return cls(end.value if name == "sent" else name)


class LoopName(_WithRest):
    """The loops of `bot.composing`."""

    INTAKE = "intake"
    INBOX = "inbox"
    ALBUMS = "albums"
    DISPATCHER = "dispatcher"
    WATCHER = "watcher"
    PROGRESS = "progress"
    COURIER = "courier"
    HOUSEKEEPING = "housekeeping"
    ALERTS = "alerts"
    MENU = "menu"
    WEB = "web"
    MONITOR = "monitor"
    WEBHOOK = "webhook"
    CERTIFICATE = "certificate"
    CHECKUP = "checkup"
    SETTINGS = "settings"
    OTHER = "other"


class Fell(StrEnum):
    """Why a loop began anew."""

    FAILED = "failed"
    ENDED = "ended"
    STORE = "store"
    STOOD_STILL = "stood_still"
