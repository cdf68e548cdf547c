"""The commands: one table for the handlers, Telegram's menu, /help and the documentation. Pure."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """A command; `about` is the id of the sentence that says what it does."""

    name: str
    about: str


COMMANDS: Final = (
    Command(name="start", about="command-start"),
    Command(name="help", about="command-help"),
    Command(name="edit", about="command-edit"),
    Command(name="status", about="command-status"),
    Command(name="history", about="command-history"),
    Command(name="cancel", about="command-cancel"),
    Command(name="settings", about="command-settings"),
    Command(name="privacy", about="command-privacy"),
    Command(name="mydata", about="command-mydata"),
    Command(name="forget", about="command-forget"),
)

ADMIN_COMMANDS: Final = (Command(name="stats", about="command-stats"),)
"""Those of `access.admins`, shown in the menu of their own chats; to all others they are unknown."""
