"""Switches for what can go wrong, so that one can see the promises being kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sandbox.bot_process import BotProcess
from sandbox.faults import Fault, Faults


@dataclass(frozen=True, kw_only=True, slots=True)
class Switch:
    """Something that goes wrong for as long as it is on."""

    label: str
    service: str
    faults: tuple[Fault, ...]


SWITCHES: Final[Mapping[str, Switch]] = {
    "hidream-down": Switch(
        label="HiDream is down",
        service="hidream",
        faults=(Fault(call="*", action="reset_before", times=None),),
    ),
    "hidream-answers-lost": Switch(
        label="HiDream's answers are lost",
        service="hidream",
        faults=(Fault(call="submit", action="reset_after", times=None),),
    ),
    "hidream-token-refused": Switch(
        label="HiDream refuses the token",
        service="hidream",
        faults=(Fault(call="*", action="status", status=401, times=None),),
    ),
    "telegram-down": Switch(
        label="Telegram is down",
        service="telegram",
        faults=(Fault(call="*", action="reset_before", times=None),),
    ),
    "telegram-429": Switch(
        label="Telegram says 429",
        service="telegram",
        faults=tuple(
            Fault(call=call, action="status", status=429, retry_after=3, times=None)
            for call in ("sendMessage", "sendPhoto", "sendMediaGroup", "editMessageText")
        ),
    ),
    "telegram-answers-lost": Switch(
        label="Telegram's answers are lost",
        service="telegram",
        faults=tuple(
            Fault(call=call, action="reset_after", times=None)
            for call in ("sendPhoto", "sendMediaGroup")
        ),
    ),
}


class Switches:
    """The switches, and the bot's own: killed, and started again."""

    def __init__(self, *, telegram: Faults, hidream: Faults, bot: BotProcess) -> None:
        self._faults = {"telegram": telegram, "hidream": hidream}
        self._bot = bot
        self._on: dict[str, list[int]] = {}

    async def turn(self, name: str, *, on: bool) -> None:
        """Turn a switch on or off, or let the bot be killed or started.

        Raises:
            KeyError: there is no such switch.
        """
        if name == "bot":
            await (self._bot.start() if on else self._bot.kill())
            return
        switch = SWITCHES[name]
        faults = self._faults[switch.service]
        if on and name not in self._on:
            self._on[name] = [faults.add(fault) for fault in switch.faults]
        elif not on:
            for number in self._on.pop(name, []):
                faults.remove(number)

    def state(self) -> dict[str, object]:
        """Say which there are, which are on, and whether the bot is up."""
        return {
            "faults": [
                {"name": name, "label": switch.label, "on": name in self._on}
                for name, switch in SWITCHES.items()
            ],
            "bot_is_up": self._bot.is_up,
        }
