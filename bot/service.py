"""Tells the service manager how it stands (systemd's sd_notify); says nothing where there is none.

Source: sd_notify(3), systemd.service(5) (`Type=notify`, `Type=notify-reload`, `WatchdogSec=`).
"""

import os
import time

from sdnotify import SystemdNotifier

_MICRO = 1_000_000


class ServiceManager:
    """Whoever started the process and wants to hear of it, as the environment says."""

    def __init__(self) -> None:
        told_where = os.environ.get("NOTIFY_SOCKET")
        # without an address the library would leave a socket open
        self._notifier = SystemdNotifier() if told_where else None
        if self._notifier is not None and self._notifier.socket is not None:
            # a manager that does not read must not hold up the event loop: what is lost is said again
            self._notifier.socket.setblocking(False)
        self._status = ""

    @property
    def watchdog(self) -> float | None:
        """Within how many seconds it must hear that the process is alive; None: it does not ask."""
        if self._notifier is None:
            return None
        micros = os.environ.get("WATCHDOG_USEC", "")
        meant = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        return int(micros) / _MICRO if meant and micros.isdecimal() and int(micros) else None

    def waiting(self) -> None:
        """Say that the start takes its time because Telegram has not answered yet."""
        self.status("Waiting for Telegram")

    def ready(self) -> None:
        """Say that the start, or a reload, is over."""
        self._say("READY=1")

    def reloading(self) -> None:
        """Say that the configuration is being read again; `ready` ends it."""
        micros = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._say(f"RELOADING=1\nMONOTONIC_USEC={micros}")

    def stopping(self) -> None:
        """Say that the stop has begun."""
        self._say("STOPPING=1")

    def status(self, line: str) -> None:
        """Say in one line how it stands; the same line is said once."""
        if line != self._status:
            self._status = line
            self._say(f"STATUS={line}")

    def alive(self) -> None:
        """Say that the process is alive."""
        self._say("WATCHDOG=1")

    def close(self) -> None:
        """Let go of the socket."""
        if self._notifier is not None and self._notifier.socket is not None:
            self._notifier.socket.close()
        self._notifier = None

    def _say(self, what: str) -> None:
        if self._notifier is not None:
            self._notifier.notify(what)
