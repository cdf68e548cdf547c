"""The certificate with which the web side serves, where no reverse proxy does it."""

import re
import ssl
from pathlib import Path
from typing import Final

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


def _no_password() -> str:
    return ""
