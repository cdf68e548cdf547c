"""The conversation beside its tasks: albums, drafts, our messages, preferences."""

from storage.memory.albums import Albums
from storage.memory.drafts import Drafts
from storage.memory.messages import Messages
from storage.memory.preferences import Preferences


class Conversation(Albums, Drafts, Messages, Preferences):
    """The store's methods for the conversation; each of its parts has a module of its own."""
