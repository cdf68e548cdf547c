"""Which of our messages is what to its task, by the delivery's step that sent it. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from storage.tasks import Role, SentImage

_ROLES: Final[Mapping[str, Role]] = {
    "pictures": "picture",
    "files": "file",
    "buttons": "buttons",
    "notice": "notice",
}
_LATE_ROLES: Final[Mapping[str, Role]] = {"photo": "picture", "document": "file"}
"""Of "late-<n>-<sent as>"."""


def role_of(step: str) -> Role:
    """Say what the messages of this step of a delivery are."""
    words = step.split("-")
    roles, name = (_LATE_ROLES, words[-1]) if words[0] == "late" else (_ROLES, step)
    return roles.get(name, "other")


def shown_by(
    step: str, message_ids: Sequence[int], images: Sequence[SentImage]
) -> list[tuple[int, Role, int | None]]:
    """Give each message of a step, its role, and which image it shows; the images are in order."""
    role = role_of(step)
    shown = [image.n for image in images] if role in ("picture", "file") else []
    return [
        (message_id, role, shown[place] if place < len(shown) else None)
        for place, message_id in enumerate(message_ids)
    ]
