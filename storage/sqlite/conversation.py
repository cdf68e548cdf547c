"""The conversation beside its tasks: albums, drafts, our messages, preferences."""

from storage.sqlite.albums import Albums
from storage.sqlite.drafts import Drafts
from storage.sqlite.messages import Messages
from storage.sqlite.preferences import Preferences


class Conversation(Albums, Drafts, Messages, Preferences):
    """The store's methods for the conversation; each of its parts has a module of its own."""
