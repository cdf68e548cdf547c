"""The certificate with which the web side serves, where no reverse proxy does it."""

import asyncio
import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from storage.clock import Clock

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 60.0
"""How often it is looked whether there is a new one."""
_WRONG: Final = {
    "KEY_VALUES_MISMATCH": "web.key: does not belong to web.certificate",
    "NO_START_LINE": "web.certificate, web.key: one of them is no PEM file",
}
"""What is wrong, by the reason that the TLS library gives."""
_CERTIFICATE: Final = re.compile(
    rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL
)


def shown(certificate: Path) -> bytes:
    """Give what others may see of a file: certificates, and not the key that may stand beside them."""
    return b"\n".join(_CERTIFICATE.findall(certificate.read_bytes())) + b"\n"


def tls_of(certificate: Path, key: Path) -> ssl.SSLContext:
    """Give what connections are encrypted with.

    Raises:
        ValueError: a file cannot be used; with the name of its setting.
    """
    for name, file in (("certificate", certificate), ("key", key)):
        try:
            file.read_bytes()
        except (OSError, ValueError) as exc:
            why = exc.strerror if isinstance(exc, OSError) else "it is no path"
            raise ValueError(f"web.{name}: cannot be read: {why}") from exc
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # a password would be asked for on the terminal
        context.load_cert_chain(certificate, key, password=_no_password)
    except ssl.SSLError as exc:
        why = "web.certificate, web.key: cannot be used: they must be PEM files, the key without a password"
        raise ValueError(_WRONG.get(exc.reason or "", why)) from exc
    return context


class Certificate:
    """The certificate in use, and the loop that takes up a renewed one: some last only for weeks.

    Attributes:
        tls: what connections are encrypted with.
        on_renewed: hears when another one has come into use.

    Raises:
        ValueError: a file cannot be used; with the name of its setting.
    """

    def __init__(self, certificate: Path, key: Path, clock: Clock) -> None:
        self._certificate, self._key = certificate, key
        self.on_renewed: Callable[[], None] = lambda: None
        self._clock = clock
        self._changed = self._stamps()
        self.tls = tls_of(certificate, key)

    async def run(self, stop: asyncio.Event) -> None:
        """Look now and then, until told to stop. Cancelling it is safe at any moment."""
        while not stop.is_set():
            await self._clock.sleep(LOOK_SECONDS)
            self.look()

    def look(self) -> None:
        """Take up what has changed, if it can be used; else go on with what there is."""
        stamps = self._stamps()
        if stamps == self._changed:
            return
        self._changed = stamps
        try:
            # tried apart: half of a pair must not come into use
            tls_of(self._certificate, self._key)
            self.tls.load_cert_chain(self._certificate, self._key, password=_no_password)
        except (ValueError, OSError) as exc:
            log.error("certificate_not_renewed", why=str(exc), mend="the old one is still in use")  # noqa: TRY400 - no trace needed
        else:
            log.info("certificate_renewed")
            self.on_renewed()

    def _stamps(self) -> list[object]:
        stamps: list[object] = []
        for file in (self._certificate, self._key):
            try:
                stamps.append(file.stat().st_mtime_ns)
            except OSError as exc:
                stamps.append(exc.errno)
        return stamps


def _no_password() -> str:
    return ""
