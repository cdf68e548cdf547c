"""Every sentence that the bot says: an id and its data, put into words here and nowhere else.

`SENTENCES` is the table. A sentence is Telegram HTML; its data are escaped when they are put in, so
that whatever a user wrote is shown as it was written. Pure: no clock, no settings, no Telegram.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

Datum = str | int | float


@dataclass(frozen=True, slots=True)
class Say:
    """One thing to say: a sentence's id, and the data it takes."""

    id: str
    data: Mapping[str, Datum] = field(default_factory=dict)
