"""HiDream's token: read anew where it comes from a file, so that a fresh one needs no restart."""

from collections.abc import Callable

import structlog

from bot.config_sections import WithToken

log = structlog.get_logger(__name__)


class TokenSource:
    """Gives the token as it is now, by the section of the settings that holds now."""

    def __init__(self, section: Callable[[], WithToken], *, on_new: Callable[[str], None]) -> None:
        self._section = section
        self._on_new = on_new
        self._token = section().read_token()

    def __call__(self) -> str:
        """Give the token; if its file cannot be read right now, the last one that could."""
        try:
            token = self._section().read_token()
        except ValueError as exc:
            log.warning("token_file_unreadable", why=str(exc))
            return self._token
        if token != self._token:
            self._on_new(token)
            self._token = token
            log.info("token_read_anew")
        return token

    def changed(self) -> bool:
        """Say whether there is another token than the one given last."""
        given = self._token
        return self() != given
