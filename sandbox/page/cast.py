"""Who is there when the page is opened, and where they talk: enough to see what is private."""

from typing import Final

from sandbox.telegram import groups, people
from sandbox.telegram.state import Telegram

_TOPICS: Final = ("Winter", "Sketches")


def invite(telegram: Telegram, user_id: int) -> None:
    """Let somebody else be there, and groups of the two: one as it is, and one with topics."""
    other = people.add_user(telegram, first_name="Mia", username="mia", language_code="de")
    members = (user_id, other.id)
    groups.add_group(telegram, title="Friends", members=members)
    studio = groups.add_group(telegram, title="Studio", members=members, topics=True)
    for topic in _TOPICS:
        groups.add_topic(telegram, studio, topic)
