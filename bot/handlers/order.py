"""An order as plain data: photos, the words for them, and where all of it comes from."""

from dataclasses import dataclass

from bot.handlers.incoming import Incoming
from storage.tasks import Origin, Photo, Place


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """Photos, the words for them, and where all of it comes from."""

    origin: Origin
    user_id: int
    place: Place
    """Results are replies to it."""
    photos: tuple[Photo, ...]
    words: str
    language: str | None = None
    answer_to: Place
    """What is said about the order is a reply to it."""
    parent_id: int | None = None
    draft_id: int | None = None
    """The draft that it answers."""
    pressed: str | None = None
    """The button that it comes from."""
    each: bool = False
    """Whether each photo is to have a picture of its own."""
    confirmed: bool = False
    """Whether the person has been told how many pictures it makes, and wants them."""


def order_of(
    message: Incoming,
    *,
    photos: tuple[Photo, ...],
    words: str,
    place: Place | None = None,
    parent_id: int | None = None,
    draft_id: int | None = None,
) -> Order:
    """Give the order that a message is; its results are replies to `place`, else to the message."""
    return Order(
        origin=message.origin,
        user_id=message.user_id,
        place=place or message.place,
        photos=photos,
        words=words,
        language=message.language,
        answer_to=message.place,
        parent_id=parent_id,
        draft_id=draft_id,
    )
