"""The settings themselves: tokens that look like tokens, files that not everybody reads, who may use it."""

import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bot.checking.lines import Lines, ok, warning, wrong
from bot.checking.subject import Subject
from bot.config_sections import WithToken

_TELEGRAM: Final = re.compile(r"\d{6,}:[\w-]{30,}", re.ASCII)
_SLIPS: Final[Sequence[tuple[re.Pattern[str], str]]] = (
    (re.compile(r"""^["'<\[{].*|.*["'>\]}]$"""), "begins or ends with a quote or a bracket"),
    (re.compile(r"\d{6,}:[\w-]{30,}", re.ASCII), "has the form of a Telegram bot's token"),
    (re.compile(r"(?i)^bearer"), 'begins with "Bearer", which the bot adds itself'),
    (re.compile(r"(?i)^(?:your|my|the|put|paste|change|xxx|token|example).*"), "reads like a hint"),
    (re.compile(r".*(?:…|\.\.\.).*"), "has dots in its middle, as where it was cut short"),
    (re.compile(r"^.{1,15}$"), "is shorter than tokens are"),
)
"""What a token that was pasted badly looks like."""


async def tokens(subject: Subject) -> Lines:
    """Look at the form of the tokens: nothing is asked."""
    config = subject.config
    lines: Lines = []
    try:
        telegram, hidream = config.telegram.read_token(), config.hidream.read_token()
    except ValueError as exc:
        return [wrong(f"a token file {exc}", "Put the token, and nothing else, into the file.")]
    if _TELEGRAM.fullmatch(telegram):
        lines.append(ok("telegram.token has the form of a bot's token"))
    else:
        lines.append(
            warning(
                "telegram.token is shorter than a bot's token",
                "Copy it whole from @BotFather: digits, a colon, and some 35 signs.",
            )
        )
    slips = [why for form, why in _SLIPS if form.fullmatch(hidream) or form.match(hidream)]
    if slips:
        lines.append(
            warning(
                f"hidream.token {slips[0]}",
                "Put the token alone, as HiDream gives it, into hidream.token or its file.",
            )
        )
    else:
        lines.append(ok("hidream.token looks like a token"))
    return lines


async def secrecy(subject: Subject) -> Lines:
    """See whether files with tokens can be read by everybody on this machine."""
    config = subject.config
    files: dict[Path, str] = {}
    sections: dict[str, WithToken] = {"telegram": config.telegram, "hidream": config.hidream}
    for name, section in sections.items():
        if section.token_file is not None:
            files[section.token_file] = f"{name}.token_file"
        elif subject.file is not None and name not in subject.from_environment:
            files.setdefault(subject.file, "the settings, with a token in them")
    if config.web.key is not None:
        files[config.web.key] = "web.key"
    if not files:
        return [ok("the tokens are in no file: they come from the environment")]
    return [
        warning(
            f"{path} ({what}) can be read by every user of this machine",
            f"chmod 600 {path}, and let it belong to the bot's user.",
        )
        if path.stat().st_mode & stat.S_IROTH
        else ok(f"{path} cannot be read by everybody")
        for path, what in files.items()
    ]


async def access(subject: Subject) -> Lines:
    """Say who may use the bot, and who is told what only an operator can mend."""
    may = subject.config.access
    lines: Lines = []
    if may.everyone:
        lines.append(
            warning(
                "everybody who finds the bot may use it, on your account",
                "Name who may in access.allowed_users or access.allowed_chats.",
            )
        )
    else:
        users, chats = len(may.allowed_users), len(may.allowed_chats)
        lines.append(ok(f"may use the bot: {users} users, {chats} chats, and the admins"))
    if may.admins:
        lines.append(ok(f"admins: {len(may.admins)}"))
    else:
        lines.append(
            warning(
                "there are no admins: nobody is told in Telegram when, say, the token expires",
                "Name yourself in access.admins, and write to the bot once.",
            )
        )
    return lines
