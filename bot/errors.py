"""The error tree. What a user may be told carries an id and data; `texts` puts it into words.

BotError
 ├ ConfigurationError     the operator must mend something before anything starts
 └ UserError              the user can mend it: one helpful sentence
    ├ CaptionError        an option or its value is not what it must be
    └ ImageError          the file is no image that can be used
"""

from bot.texts import Datum, Say


class BotError(Exception):
    """Any error that the program raises on purpose."""


class ConfigurationError(BotError):
    """The configuration, or what it names, cannot be used; the message is for the operator."""


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
    """An option in a caption, or its value, is not what it must be."""


class ImageError(UserError):
    """What came is no image that can be used."""
