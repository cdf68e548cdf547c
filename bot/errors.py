"""The error tree. What a user may be told carries an id and data; `texts` puts it into words.

BotError
 ├ ConfigurationError     the operator must mend something before anything starts
 │  └ TokenInUse          somebody else receives the bot's updates
 ├ PutOff                 what is being handled is to be handled again later
 └ UserError              the user can mend it: one helpful sentence
    ├ CaptionError        an option or its value is not what it must be
    └ ImageError          the file is no image that can be used
"""

from bot.texts import Datum, Say


class BotError(Exception):
    """Any error that the program raises on purpose."""


class ConfigurationError(BotError):
    """The configuration, or what it names, cannot be used; the message is for the operator."""


class TokenInUse(ConfigurationError):
    """Somebody else receives this bot's updates; the message says what to do."""

    @staticmethod
    def by_webhook(host: str) -> str:
        """Give the message where it is a webhook at another host. Its path is somebody's secret."""
        return (
            f"This bot's token has a webhook at {host}, which this installation has not set: another "
            "process receives its updates. Stop that one, or use another bot's token. To take the bot "
            "over on purpose: hidream-bot run --take-over"
        )


class PutOff(BotError):
    """A handler's answer could not be sent now: the update is to be handled again later.

    `failed` says whether that counts as a failed try. It does not when Telegram surely did not get
    the answer: an outage must not make anybody's message be given up.
    """

    def __init__(self, seconds: float, *, failed: bool = False) -> None:
        super().__init__(f"again in {seconds} s")
        self.seconds = seconds
        self.failed = failed


class UserError(BotError):
    """Something that the user can mend: the id of a sentence, and its data."""

    def __init__(self, id: str, /, **data: Datum) -> None:  # noqa: A002 - the id of a sentence
        super().__init__(id)
        self.id = id
        self.data = data

    @property
    def say(self) -> Say:
        """The sentence for the user."""
        return Say(self.id, self.data)


class CaptionError(UserError):
    """An option in a caption, or its value, is not what it must be.

    Attributes:
        others: what else is wrong with the same caption.
    """

    others: tuple["CaptionError", ...] = ()

    @property
    def says(self) -> tuple[Say, ...]:
        """The sentences for the user: everything that is to be put right."""
        return tuple({repr(one.say): one.say for one in (self, *self.others)}.values())


class ImageError(UserError):
    """What came is no image that can be used."""
