"""What can be set about the local HiDream, at its start and while it runs."""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

_CHOICES = {
    "drawn": ("anew", "once"),
    "over_limit_style": ("refusal", "429"),
    "token_style": ("http", "refusal"),
}
_LEAST = {"parallel": 1, "images_per_minute": 1, "seconds": 0.0, "jitter": 0.0}


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """How this account and this service behave; what the vendor leaves open can be had both ways.

    Source: docs/hidream-api.md sections 2 to 5.
    """

    seconds: float = 8.0
    """How long a task takes, on average."""
    jitter: float = 0.2
    """By which share of `seconds` a task may take more or less, 0 to 1."""
    scale: float = 1.0
    """How large pictures are drawn, as a share of HiDream's own size; small ones take less time."""
    drawn: str = "anew"
    """"anew": each picture from its own photo; "once": one for all, so that drawing costs nothing."""
    parallel: int = 1
    """The account's tier: how many tasks may run at once. There is no queue behind it."""
    images_per_minute: int = 100
    """How many images may be asked for within any 60 s."""
    over_limit_style: str = "refusal"
    """"refusal": a code under HTTP 200; "429": HTTP 429."""
    batch: bool = True
    """Whether the account has the batch endpoint; without it, the path answers 404."""
    batch_repeats_task_id: bool = True
    """Whether each entry of a batch answer says which task it belongs to."""
    completion_scale: int = 1
    """What a finished `task_completion` is: 1 or 100."""
    lookup_by_request_id: bool = True
    """Whether results can be asked for by request_id alone."""
    dedupe_request_id: bool = False
    """Whether a request_id that was used before gives the task it made, not a new one."""
    token_style: str = "http"  # noqa: S105  # a style, no token
    """How a bad token is refused. "http": HTTP 401; "refusal": a code under HTTP 200."""
    results_missing_at_first: float = 0.0
    """For how many seconds after submission `sub_task_results` is missing or empty."""
    url_seconds: float | None = None
    """How long a result's URL lives, from its first being told; None: for ever."""
    callbacks: bool = True
    """Whether `notify_url` is called at the end. Only loopback addresses ever are."""
    down: bool = False
    """Whether every path of the API answers 503 with an HTML page."""

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} is one of {', '.join(choices)}")
        for name, least in _LEAST.items():
            if getattr(self, name) < least:
                raise ValueError(f"{name} is at least {least}")
        if not 0.05 <= self.scale <= 1:
            raise ValueError("scale is 0.05 to 1")
        if self.jitter > 1:
            raise ValueError("jitter is at most 1")
        if self.completion_scale not in {1, 100}:
            raise ValueError("completion_scale is 1 or 100")

    def changed(self, values: dict[str, Any]) -> "Settings":
        """Return settings with these values put in.

        Raises:
            ValueError: there is no such setting, or it cannot have this value.
        """
        known = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"there is no setting {name!r}; there are: {', '.join(known)}")
            if not _fits(name, value, known[name]):
                raise ValueError(f"{name} cannot be {value!r}")
        return replace(self, **values)

    def to_json(self) -> dict[str, Any]:
        """Write the settings as JSON can hold them."""
        return asdict(self)


def _fits(name: str, value: object, current: object) -> bool:
    if name == "url_seconds":
        return value is None or _is_number(value)
    if isinstance(current, float):
        return _is_number(value)
    return type(value) is type(current)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
