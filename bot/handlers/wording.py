"""What a text is: words for a picture, options alone, or a command."""

from bot.captions import parse
from bot.commands import COMMANDS
from bot.errors import CaptionError
from bot.handlers.incoming import addressee_of, command_of
from bot.pictures import PictureRequest

_NOTHING = PictureRequest(prompt="")
_OURS = frozenset(command.name for command in COMMANDS)


def has_words(text: str, username: str) -> bool:
    """Say whether a text says what to make; what has a mistake in it wants to say something."""
    try:
        return bool(parse(text, defaults=_NOTHING, bot_username=username).prompt)
    except CaptionError:
        return True


def is_command(text: str, username: str) -> bool:
    """Say whether a text begins with a command for us that is no option, nor nearly one."""
    command = command_of(text)
    if command is None or addressee_of(text) not in {None, username.lower()}:
        return False
    try:
        return bool(parse(command, defaults=_NOTHING, bot_username=username).prompt)
    except CaptionError:
        return False


def without_command(caption: str, username: str) -> str:
    """Give a caption without the command it begins with: nobody wants a picture of `/help`.

    One that is not ours stays where words follow it: it may be one of them.
    """
    if not is_command(caption, username):
        return caption
    command = command_of(caption) or ""
    rest = caption[len(command) :].strip()
    name = command[1:].partition("@")[0].lower()
    return caption if rest and name not in _OURS else rest
