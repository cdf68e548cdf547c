"""What storms came to, in numbers."""

from collections import Counter
from dataclasses import dataclass, field, fields

from tests.e2e.world import JSON


@dataclass(kw_only=True, slots=True)
class Reckoning:
    """What a storm came to; can be added up over several."""

    kills: Counter[str] = field(default_factory=Counter)
    photos: int = 0
    delivered: int = 0
    reasons: int = 0
    cancelled: int = 0
    """Stopped, as somebody had asked for."""
    lost: int = 0
    shown_twice: int = 0
    """Showings beyond one, as the chats show them."""
    repeats: int = 0
    """Repeats as the bot counted them."""
    repeats_before_arrival: int = 0
    """Of these: what was repeated had not reached Telegram."""
    submitted_twice: int = 0
    """Tasks at HiDream beyond one for a photo."""
    unanswered: int = 0
    """Submissions without an answer as the bot counted them."""
    found_again: int = 0
    """Of these: HiDream had it, and said so when it was asked."""
    never_arrived: int = 0
    """Of these: HiDream never had it."""
    left_behind: int = 0
    """Progress messages whose id the bot never knew."""
    peak: int = 0
    wrongs: list[str] = field(default_factory=list)

    def __add__(self, other: "Reckoning") -> "Reckoning":
        """Add up two storms."""
        both = Reckoning()
        for one in fields(self):
            mine, theirs = getattr(self, one.name), getattr(other, one.name)
            setattr(both, one.name, max(mine, theirs) if one.name == "peak" else mine + theirs)
        return both

    def to_json(self) -> JSON:
        """Write it as JSON can hold it."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return {**values, "kills": dict(self.kills)}

    @classmethod
    def from_json(cls, value: JSON) -> "Reckoning":
        """Read what `to_json` wrote."""
        return cls(**{**value, "kills": Counter(value["kills"])})

    def __str__(self) -> str:
        """Print it."""
        rows = [
            ("kills", self.kills.total()),
            ("pictures asked for", self.photos),
            ("pictures delivered", self.delivered),
            ("honest reasons", self.reasons),
            ("stopped when asked to", self.cancelled),
            ("lost", self.lost),
            ("shown twice", self.shown_twice),
            ("  repeats that the bot counted", self.repeats),
            ("  of these had not reached Telegram", self.repeats_before_arrival),
            ("submitted twice", self.submitted_twice),
            ("  unanswered that the bot counted", self.unanswered),
            ("  of these found again at HiDream", self.found_again),
            ("  of these never arrived there", self.never_arrived),
            ("progress messages left behind", self.left_behind),
            ("most tasks at once at HiDream", self.peak),
        ]
        return "\n".join(f"{name:<36}{number:>6}" for name, number in rows)
