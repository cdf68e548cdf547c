"""The end: told by SIGTERM or SIGINT, and then waited for."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import Self


class Stop(asyncio.Event):
    """The end of the loops: for good once that is `told`, or until they begin anew."""

    told = False

    @classmethod
    def at_signals(cls, heard: Callable[[], None]) -> Self:
        """Give one that SIGTERM and SIGINT set, as `heard` hears; to be called in the event loop."""
        stop, event_loop = cls(), asyncio.get_running_loop()

        def tell() -> None:
            stop.told = True
            stop.set()
            heard()
            # whoever presses Ctrl-C a second time does not want to wait
            event_loop.remove_signal_handler(signal.SIGINT)

        for number in (signal.SIGTERM, signal.SIGINT):
            event_loop.add_signal_handler(number, tell)
        return stop


async def done_before(work: Awaitable[None], end: Awaitable[object]) -> bool:
    """Do something, unless an end comes first; returns whether it was done."""
    doing, ending = asyncio.ensure_future(work), asyncio.ensure_future(end)
    try:
        await asyncio.wait({doing, ending}, return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            await doing
            return True
        return False
    finally:
        ending.cancel()
        if doing.cancel():
            await asyncio.wait({doing})
