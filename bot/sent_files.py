"""Files that people sent: fetched over HTTP, or read from the disk that a Bot API server shares with us.

Such a server in local mode answers with a path on its own disk. That path comes from outside: only a
plain file in the folder that the operator has named is read, and no more of it than is allowed.
"""

import asyncio
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import structlog
from telegram.error import InvalidToken, TelegramError
from telegram.ext import ExtBot

from bot.messages import Fetched, FileOutcome, Later, Missing, TooLarge
from bot.outcomes import counted, file_outcome_of
from bot.pictures import TELEGRAMS_LIMIT

log = structlog.get_logger(__name__)

_OPERATOR_DELAY: Final = 60.0
"""Seconds after which to try again what only the operator can mend."""
_LOCAL_SECONDS: Final = 300.0
"""So long a server in local mode may take: it answers when it has the whole file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SentFiles:
    """How files are fetched.

    Args:
        folder: where a Bot API server in local mode keeps its files; None: there is none.
        max_bytes: larger ones are not taken.
    """

    folder: Path | None = None
    max_bytes: int = TELEGRAMS_LIMIT

    async def fetch(self, bot: ExtBot[Any], file_id: str) -> FileOutcome:
        """Fetch a file (Bot API: getFile)."""
        patience: dict[str, Any] = {} if self.folder is None else {"read_timeout": _LOCAL_SECONDS}
        try:
            file = await bot.get_file(file_id, **patience)
        except TelegramError as exc:
            return file_outcome_of(exc)
        if file.file_size is not None and file.file_size > self.max_bytes:
            return TooLarge(max_bytes=self.max_bytes)
        # the library has put its address before what is no file here
        path = (file.file_path or "").removeprefix(f"{bot.base_file_url}/")
        if Path(path).is_absolute():
            return await self._from_disk(path)
        try:
            kept = _Kept()
            with counted("download"):
                await file.download_to_memory(cast("BinaryIO", kept))
            return Fetched(content=kept.content)
        except InvalidToken as exc:
            # the library has one error for both: a file that is gone (404), a bad token (401)
            if "not found" in exc.message.lower():
                return Missing(reason=exc.message)
            return file_outcome_of(exc)
        except TelegramError as exc:
            return file_outcome_of(exc)

    async def _from_disk(self, path: str) -> FileOutcome:
        """Read a file of a server in local mode; what is wrong there, the operator mends."""
        if self.folder is None:
            log.error(
                "telegram_files_are_on_a_disk",
                mend="the Bot API server runs in local mode: set telegram.local_mode and local_folder",
            )
            return Later(seconds=_OPERATOR_DELAY, reason="the server runs in local mode")
        try:
            return await asyncio.to_thread(self._read, self.folder, path)
        except (OSError, ValueError) as exc:
            why = exc.strerror if isinstance(exc, OSError) else str(exc)
            log.error(  # noqa: TRY400 - the trace would show the path
                "telegram_file_not_read",
                why=why,
                mend="telegram.local_folder must be the server's folder, readable for the bot",
            )
            return Later(seconds=_OPERATOR_DELAY, reason="a local file cannot be read")

    def _read(self, folder: Path, path: str) -> FileOutcome:
        """Read a file.

        Raises:
            OSError: it cannot be read.
            ValueError: it is not one of the folder's, or no plain file.
        """
        # as it really is: neither dots nor links lead out of the folder
        real = Path(os.path.realpath(path))
        if not real.is_relative_to(os.path.realpath(folder)):
            raise ValueError("it is not in the folder")
        # not waited for: the other end of a pipe may never come
        descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            os.close(descriptor)
            raise ValueError("it is not a plain file")
        with os.fdopen(descriptor, "rb") as file:
            if found.st_size > self.max_bytes:
                return TooLarge(max_bytes=self.max_bytes)
            return Fetched(content=file.read(found.st_size))  # held once


class _Kept:
    """Where the library writes a file to, in one piece: that very piece, and no copy of its 20 MB."""

    content = b""

    def write(self, piece: bytes) -> int:
        self.content += piece  # to nothing, as the library does it: not a copy
        return len(piece)
