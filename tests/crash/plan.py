"""The plan of a storm: its kills, its lost answers and its photos, all of them from one seed.

What the plan says is repeatable; when exactly a process is where it is killed, is not.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

Service = Literal["telegram", "hidream"]
Way = Literal["caption", "words first", "edited", "cancelled"]
"""How a photo gets its words, and whether they stay; or whether it is stopped again."""

STARTING: Final = ("getMe", "getWebhookInfo")
PRESSED: Final = "answerCallbackQuery"
CALLS: Final[Sequence[tuple[Service, str]]] = (
    *[("telegram", call) for call in STARTING],
    ("telegram", "getUpdates"),
    ("telegram", "getFile"),
    ("telegram", "file"),
    ("telegram", "sendMessage"),
    ("telegram", "editMessageText"),
    ("telegram", "deleteMessage"),
    ("telegram", "sendPhoto"),
    ("telegram", "sendMediaGroup"),
    ("telegram", PRESSED),
    ("hidream", "submit"),
    ("hidream", "batch"),
    ("hidream", "results"),
    ("hidream", "image"),
)
"""Every kind of call that the bot makes: each is struck before and after it takes effect."""
_LOSABLE: Final = tuple(one for one in CALLS if one[1] not in {*STARTING, "getUpdates"})
_SELDOM: Final = {*STARTING, "results", "sendMediaGroup", PRESSED}
_MOMENTS: Final = 20
"""So many kills at a random moment come to one before and after each call."""
PEOPLE: Final = 12
_IN_GROUP: Final = 0.15
_PAIR: Final = 0.35
_LOST: Final = 0.3
_PRESS: Final = 0.3
_WAYS: Final[Sequence[tuple["Way", int]]] = (
    ("caption", 68),
    ("words first", 12),
    ("edited", 10),
    ("cancelled", 10),
)
_ALBUM: Final = 0.2
_MOST_PARTS: Final = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class AtCall:
    """Kill at a call, before it arrives or after it took effect; so many like it pass first."""

    service: Service
    call: str
    when: Literal["before", "after"]
    skip: int

    def __str__(self) -> str:
        return f"{self.when} {self.call}"


@dataclass(frozen=True, kw_only=True, slots=True)
class AtMoment:
    """Kill so many seconds after the process was started, or after it knew Telegram."""

    seconds: float
    since: Literal["start", "started"]

    def __str__(self) -> str:
        return "during the start" if self.since == "start" else "at a moment"


Strike = AtCall | AtMoment


@dataclass(frozen=True, kw_only=True, slots=True)
class Lost:
    """A call whose answer is lost though nobody is killed."""

    service: Service
    call: str
    skip: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Photo:
    """A photo that someone sends, so many seconds into a life of the bot."""

    number: int
    person: int
    in_group: bool
    count: int
    after: float
    way: Way = "caption"
    parts: int = 1
    """How many photos it is; several are an album."""
    until: float = 0.0
    """Seconds after which it is edited, or stopped."""

    @property
    def prompt(self) -> str:
        """Words that no other photo has."""
        return f"postcard {self.number:05}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Life:
    """One start of the bot, what happens meanwhile, and how it is killed."""

    strike: Strike
    lost: tuple[Lost, ...]
    photos: tuple[Photo, ...]
    press: float | None = None
    """After so many seconds a button under an earlier picture is pressed: the same again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """A storm over one world."""

    seed: int
    part: int
    lookup: bool
    """Whether HiDream can be asked by request id: what is lost is found then, never made again."""
    batch: bool
    """Whether it can be asked about many tasks at once."""
    seconds: float
    """How long a task takes it. A long one outlives a restart: then the slots must be known."""
    lives: tuple[Life, ...]


def plans(seed: int, *, kills: int, parts: int) -> list[Plan]:
    """Deal so many kills to so many worlds."""
    strikes = _strikes(random.Random(f"strikes {seed}"), kills)
    return [_plan(seed, part, strikes[part::parts]) for part in range(parts)]


def _strikes(rng: random.Random, kills: int) -> list[Strike]:
    dealt: list[Strike] = []
    while len(dealt) < kills:
        deck: list[Strike] = [
            AtCall(
                service=service,
                call=call,
                when=when,
                skip=0 if call in _SELDOM else rng.randrange(3),
            )
            for service, call in CALLS
            for when in ("before", "after")
        ]
        deck += [
            AtMoment(seconds=rng.uniform(0, 1.5), since="start" if one % 2 else "started")
            for one in range(_MOMENTS)
        ]
        rng.shuffle(deck)
        dealt += deck
    return dealt[:kills]


def _plan(seed: int, part: int, strikes: Sequence[Strike]) -> Plan:
    rng = random.Random(f"world {seed} {part}")
    lives: list[Life] = []
    number = 0
    for strike in strikes:
        photos = []
        for _ in range(rng.choice((1, 2, 2, 3, 3))):
            number += 1
            photos.append(_photo(rng, number))
        is_pressed = rng.random() < _PRESS or (
            isinstance(strike, AtCall) and strike.call == PRESSED
        )
        lives.append(
            Life(
                strike=strike,
                lost=_lost(rng, strike),
                photos=tuple(photos),
                press=rng.uniform(0, 0.5) if is_pressed else None,
            )
        )
    return Plan(
        seed=seed,
        part=part,
        lookup=part % 2 == 0,
        batch=part % 4 != 3,
        seconds=2.0 if part % 4 == 1 else 0.65,
        lives=tuple(lives),
    )


def _photo(rng: random.Random, number: int) -> Photo:
    in_group = rng.random() < _IN_GROUP
    ways, weights = zip(*_WAYS, strict=True)
    # in a group what comes without words is for others
    way: Way = "caption" if in_group else rng.choices(ways, weights)[0]
    is_album = not in_group and rng.random() < _ALBUM
    return Photo(
        number=number,
        person=rng.randrange(PEOPLE),
        in_group=in_group,
        count=2 if rng.random() < _PAIR else 1,
        after=rng.uniform(0, 1.2),
        way=way,
        parts=rng.randint(2, _MOST_PARTS) if is_album else 1,
        until=rng.uniform(0, 2.0),
    )


def _lost(rng: random.Random, strike: Strike) -> tuple[Lost, ...]:
    if isinstance(strike, AtCall) and strike.call == "results":
        # else there would be nothing to ask by its request id
        return (Lost(service="hidream", call="submit", skip=0),)
    if rng.random() >= _LOST:
        return ()
    service, call = rng.choice(_LOSABLE)
    return (Lost(service=service, call=call, skip=rng.randrange(2)),)
