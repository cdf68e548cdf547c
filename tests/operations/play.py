"""Plays docs/operations.md on a machine that has nothing yet, and looks after each part whether it is so.

`python -m tests.operations` shows it, as root on Linux. What is typed is typed; the tokens are those of
the sandbox, which stands in for Telegram and HiDream at the addresses that the environment names. What
a stand-in does in place of what cannot be had on such a machine, `standins/` says, file by file.
"""

import re
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from tests.e2e.world import HIDREAM_TOKEN, TELEGRAM_TOKEN, Person, opened, said, until
from tests.operations.machine import INSTALLING, build, copy_source, run
from tests.operations.page import Block, blocks

SOURCE: Final = f"{INSTALLING['HOME']}/hidream-bot-source"
_TOKENS: Final = {"telegram-token": TELEGRAM_TOKEN, "hidream-token": HIDREAM_TOKEN}


class Play:
    """One run of the page."""

    def __init__(self, person: Person, friend: Person, root: Path) -> None:
        self.person = person
        self.friend = friend
        self.root = root
        self.pictures = 0
        self.output: dict[str, str] = {}
        """What was printed under each heading."""

    def types(self, commands: str) -> str:
        """Give what is typed where these commands ask: a line for each `read`, in order."""
        answers = {"Token of the bot": TELEGRAM_TOKEN, "Token of HiDream": HIDREAM_TOKEN}
        answers |= {"Your id": str(self.person.id), "Id of a friend": str(self.friend.id)}
        asked = re.findall(r"read -r\w*p '([^':]+): '", commands)
        return "".join(f"{answers[question]}\n" for question in asked)

    async def a_photo_comes_back(self) -> None:
        """Send a photo, and wait for the picture."""
        self.pictures += 1
        await self.person.photo(f"make it snow, {self.pictures}")
        await self.person.gets(self.pictures)

    async def a_stranger_is_not_let_in(self) -> None:
        """Somebody else sends a photo, and is told that the bot is private."""
        await self.friend.photo("make it snow")
        await self.friend.reads(said("not-allowed", user=self.friend.id))

    async def the_friend_is_let_in(self) -> None:
        """The same sends a photo again, once the settings are read, and the picture comes."""
        log = self.root / "var/log/units/hidream-bot.service"

        async def read_again() -> bool:
            return "settings_reread" in log.read_text(encoding="utf-8")

        await until(read_again, "the settings are read again")
        await self.friend.photo("make it snow")
        await self.friend.gets(1)

    async def nothing_runs(self) -> None:
        """See that the bot has ended, and left nothing where it was."""
        for place in ("opt/hidream-bot", "etc/hidream-bot", "var/lib/hidream-bot"):
            assert not (self.root / place).exists(), f"/{place} is left"
        for unit in (self.root / "etc/systemd/system").glob("**/hidream-bot*"):
            raise AssertionError(f"{unit.name} is left")
        assert "hidream-bot" not in (self.root / "etc/passwd").read_text()

    async def secrets_are_kept(self) -> None:
        """See that only root and the bot can read the tokens."""
        folder = self.root / "etc/hidream-bot"
        assert folder.stat().st_mode & 0o777 == 0o750
        for name, token in _TOKENS.items():
            assert (folder / name).read_text().strip() == token
            assert (folder / name).stat().st_mode & 0o777 == 0o640

    async def a_backup_is_there(self) -> None:
        """See that a backup was made, for nobody else to read."""
        found = [*(self.root / "var/lib/hidream-bot-backups").iterdir()]
        assert found, "there is no backup"
        assert all(file.stat().st_mode & 0o077 == 0 for file in found), found

    async def what_was_is_still_there(self) -> None:
        """See that the bot knows, after all of it, the first picture that it made."""
        await self.person.text("/status 1")
        await self.person.reads("make it snow, 1")
        await self.a_photo_comes_back()


Look = Callable[[Play], Awaitable[None]]
AFTER: Final[Mapping[str, tuple[Look, ...]]] = {
    "Tokens and settings": (Play.secrets_are_kept,),
    "Start": (Play.a_photo_comes_back, Play.a_stranger_is_not_let_in),
    "Back up": (Play.a_backup_is_there,),
    "Restore": (Play.what_was_is_still_there,),
    "Change settings while it runs": (Play.the_friend_is_let_in,),
    "Upgrade": (Play.what_was_is_still_there,),
    "Uninstall": (Play.nothing_runs,),
}
"""What must be so after the blocks under a heading."""


async def play(root: Path, tell: Callable[[str], None]) -> None:
    """Play the whole page on a machine made at `root`; to be called within namespaces of its own.

    Raises:
        AssertionError: a command failed, or what it was for is not so.
    """
    build(root)
    copy_source(root / SOURCE.lstrip("/"), lambda name: not name.startswith(("tests/", "bench/")))
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Path(folder)) as world:
            person, friend = await world.person(), await world.person("Ben")
            environment = {
                **INSTALLING,
                "BOT_TELEGRAM__API_URL": world.telegram,
                "BOT_HIDREAM__BASE_URL": world.hidream,
                "BOT_HIDREAM__ALLOW_LOCAL_RESULTS": "true",
            }
            playing = Play(person, friend, root)
            all_blocks = [*blocks()]
            for block, following in zip(all_blocks, [*all_blocks[1:], None], strict=True):
                await _play(playing, block, environment, tell)
                last = following is None or following.heading != block.heading
                if last and block.heading in playing.output:
                    for look in AFTER.get(block.heading, ()):
                        tell(f"        {look.__doc__}")
                        await look(playing)


async def _play(
    playing: Play, block: Block, environment: Mapping[str, str], tell: Callable[[str], None]
) -> None:
    begun = time.monotonic()
    ended = await run(playing.root, SOURCE, environment, block.text, says=playing.types(block.text))
    tell(f"line {block.line}: {block.heading} ({time.monotonic() - begun:.1f} s)")
    tell(
        "".join(
            f"        {line}\n"
            for line in [*block.text.splitlines(), "--", *ended.output.splitlines()]
        )
    )
    if ended.code:
        logs = "\n".join(file.read_text() for file in playing.root.glob("var/log/units/*"))
        raise AssertionError(
            f"line {block.line} of docs/operations.md ended with {ended.code}:\n"
            f"{block.text}--\n{ended.output}--\n{logs}"
        )
    playing.output[block.heading] = playing.output.get(block.heading, "") + ended.output
