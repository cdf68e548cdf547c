"""`backup`, `restore`, `export` and `prune` as they are typed: what they say, and how they end."""

import contextlib
import fcntl
import io
import json
import os
import pty
import signal
import sqlite3
import subprocess
import sys
import termios
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner, Result

from bot.cli import keeping, main
from bot.cli.bars import Bars
from storage.database import prepare
from storage.lock import Lock
from tests.storage.database_files import everything
from tests.storage.filling import LAYOUTS, build

TOKENS: Final = {
    "BOT_TELEGRAM__TOKEN": "123456789:AAE5-secret_half_of_the_token",
    "BOT_HIDREAM__TOKEN": "hidream-token",
}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Make an empty database."""
    path = tmp_path / "data" / "bot.db"
    path.parent.mkdir()
    prepare(path)
    return path


@pytest.fixture
def backups(tmp_path: Path) -> Path:
    """Make a folder for backups."""
    folder = tmp_path / "backups"
    folder.mkdir()
    return folder


def run(database: Path, *arguments: str | Path, code: int = 0) -> Result:
    """Type a subcommand, and see how it ends."""
    result = CliRunner().invoke(
        main,
        [str(one) for one in arguments],
        env={**TOKENS, "BOT_STORAGE__URL": f"sqlite:///{database}"},
    )
    assert result.exit_code == code, result.output
    return result


def test_a_backup_is_made_and_said(database: Path, backups: Path) -> None:
    """One line says what was saved; a second time the file stays, unless forced."""
    file = backups / "mine.db"
    result = run(database, "backup", file)
    assert result.output.startswith(f"Saved {file}: ")
    assert result.output.endswith(", 0 tasks (0 unfinished), 0 pictures.\n")
    result = run(database, "backup", file, code=74)
    assert result.stderr.startswith(f"Nothing was saved: {file} is there already")
    run(database, "backup", file, "--force")
    run(database, "backup", file, "--keep", "2", code=2)


def test_a_picture_that_is_not_there_is_said(database: Path, backups: Path) -> None:
    """What could not be saved stands in the last line."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute(
            "INSERT INTO tasks (bot_id, update_id, n, user_id, chat_id, chat_type, message_id,"
            " photos, prompt, negative, count, turn, created_at, state, ready_at)"
            " VALUES (1, 1, 0, 5, 5, 'private', 9, '[]', 'snow', '', 1, 1, 0, 'ready', 1)"
        )
        connection.execute(
            "INSERT INTO images (task_id, n, sub_task_id, state) VALUES (1, 0, 'a', 'stored')"
        )
    result = run(database, "backup", backups / "mine.db")
    assert "1 task (1 unfinished), 0 pictures. 1 picture to be delivered could not" in result.output


def test_of_its_own_backups_the_newest_are_kept(database: Path, backups: Path) -> None:
    """In a folder it chooses a name with the time, and removes older ones of its own making alone."""
    run(database, "backup", backups)
    [first] = backups.iterdir()
    assert keeping._OWN_NAME.fullmatch(first.name)
    made = first.read_bytes()
    for day in range(1, 6):
        (backups / f"hidream-bot-2020-01-0{day}T00-00-00Z.db").write_bytes(made)
    (backups / "hidream-bot-2019-01-01T00-00-00Z.db").write_text("somebody's")
    (backups / "hidream-bot-2019-01-02T00-00-00Z.db.old").write_bytes(made)
    first.unlink()
    result = run(database, "backup", backups, "--keep", "2")
    names = sorted(one.name for one in backups.iterdir())
    assert names[:3] == [
        "hidream-bot-2019-01-01T00-00-00Z.db",
        "hidream-bot-2019-01-02T00-00-00Z.db.old",
        "hidream-bot-2020-01-05T00-00-00Z.db",
    ]
    assert len(names) == 4
    assert result.output.count("Removed ") == 4


def test_what_killed_backups_have_left_is_swept(database: Path, backups: Path) -> None:
    """In a folder each has another name: so the drafts of those that were killed go, but for one at work."""
    dead, alive = (f"hidream-bot-2020-01-0{day}T00-00-00Z.db.part" for day in (1, 2))
    others = ("mine.db.part", "hidream-bot.part")
    for name in (dead, alive, *others):
        (backups / name).write_bytes(b"half")
    with (backups / alive).open("rb") as writing:
        fcntl.flock(writing, fcntl.LOCK_EX)
        run(database, "backup", backups)
    left = {one.name for one in backups.iterdir() if one.suffix == ".part"}
    assert left == {alive, *others}
    assert (backups / alive).read_bytes() == b"half"


def test_the_backup_just_made_is_never_removed(database: Path, backups: Path) -> None:
    """After a clock that ran ahead was set back, what is made now stays, though others seem newer."""
    run(database, "backup", backups)
    [first] = backups.iterdir()
    first.rename(backups / "hidream-bot-2999-01-01T00-00-00Z.db")
    saved = run(database, "backup", backups, "--keep", "1").output
    [kept] = backups.iterdir()
    assert str(kept) in saved.splitlines()[0]


def test_an_export_never_takes_the_databases_place(database: Path) -> None:
    """The database is not overwritten by its own rows, even if forced; nor is its log."""
    before = everything(database.parent)
    for target in (database, database.parent / "bot.db-wal"):
        result = run(database, "export", target, "--force", code=74)
        assert f"{target} is the bot's own" in result.stderr
    assert everything(database.parent) == before


def test_an_output_that_takes_nothing_is_told(database: Path) -> None:
    """Where what the rows are written to is full, one sentence says so, and the code is 74."""
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "bot", "export", "-"],
            env={**os.environ, **TOKENS, "BOT_STORAGE__URL": f"sqlite:///{database}"},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ended.returncode == 74, ended.stderr
    assert ended.stderr == (
        "Nothing was exported: the standard output cannot be written (No space left on device)\n"
    )


def test_a_disk_that_fills_while_it_forgets_is_told(tmp_path: Path) -> None:
    """What could be forgotten is; the rest is told in a sentence, and can be forgotten later."""
    database = tmp_path / "data" / "bot.db"
    build(database, LAYOUTS[-1])
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000));"
        "from bot.cli import main; main(sys.argv[1:])"
    )
    # what measures the tests' coverage writes a file at the end, too
    usual = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
    ended = subprocess.run(
        [sys.executable, "-c", code, "prune", "--older-than", "0"],
        env={**usual, **TOKENS, "BOT_STORAGE__URL": f"sqlite:///{database}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 74, ended.stderr
    assert ended.stderr.startswith("Not all was forgotten: ")
    assert "Traceback" not in ended.stderr
    run(database, "prune", "--older-than", "0")


def test_without_a_database_nothing_is_done(tmp_path: Path, backups: Path) -> None:
    """Each subcommand says that there is none, ends with 74, and makes none."""
    database = tmp_path / "nowhere" / "bot.db"
    for arguments in (
        ("backup", backups),
        ("export", "-"),
        ("prune", "--older-than", "3"),
        ("prune", "--older-than", "3", "--dry-run"),
        ("restore", backups / "x.db"),
    ):
        assert "There is no" in run(database, *arguments, code=74).stderr
    assert not database.parent.exists()
    assert everything(backups) == {}


def test_a_restore_is_asked_about_and_refused_while_the_bot_runs(
    database: Path, backups: Path
) -> None:
    """Where nobody can be asked, or a bot is at work, nothing is changed; --yes does it, and says where the old is."""
    file = backups / "mine.db"
    run(database, "backup", file)
    before = everything(database.parent)
    result = run(database, "restore", file, code=74)
    assert "/forget" in result.output
    assert "Say --yes" in result.stderr
    lock = Lock(database)
    lock.acquire()
    result = run(database, "restore", file, "--yes", code=74)
    lock.release()
    assert "in use by another process of the bot" in result.stderr
    assert everything(database.parent) == before
    result = run(database, "restore", file, "--yes")
    [kept] = database.parent.glob("bot.db.before-restore-*")
    assert f"What was there before is kept: {kept}\n" in result.output
    file.write_bytes(file.read_bytes()[:5000])
    assert "cut short" in run(database, "restore", file, "--yes", code=74).stderr


@pytest.mark.parametrize(("answer", "restored"), [(b"n\n", False), (b"y\n", True)])
def test_on_a_terminal_the_answer_counts(
    database: Path, backups: Path, answer: bytes, restored: bool
) -> None:
    """It says what going back means, and does it after a yes alone."""
    file = backups / "mine.db"
    run(database, "backup", file)
    here, there = pty.openpty()
    os.write(here, answer)
    ended = subprocess.run(
        [sys.executable, "-m", "bot", "restore", str(file)],
        stdin=there,
        capture_output=True,
        env={**os.environ, **TOKENS, "BOT_STORAGE__URL": f"sqlite:///{database}"},
        timeout=60,
        check=False,
    )
    os.close(here)
    os.close(there)
    assert b"goes back to that time" in ended.stdout
    assert ended.returncode == (0 if restored else 1), ended.stderr
    assert ended.stderr.decode() == ("" if restored else "Nothing was restored.\n")
    assert bool([*database.parent.glob("*.before-restore-*")]) is restored


def test_an_export_is_lines_of_json(database: Path, backups: Path) -> None:
    """To a file, which nobody else can read, or to the standard output."""
    file = backups / "rows.jsonl"
    said = run(database, "export", file).output
    assert said.startswith(f"Wrote {file}: 0 rows, ")
    first, last = (json.loads(line) for line in file.read_text().splitlines())
    assert (first["kind"], first["user_id"], last) == ("export", None, {"kind": "end", "rows": 0})
    assert file.stat().st_mode & 0o777 == 0o600
    assert "not overwritten" in run(database, "export", file, code=74).stderr
    run(database, "export", file, "--force", "--user", "5")
    assert json.loads(file.read_text().splitlines()[0])["user_id"] == 5
    assert len(run(database, "export", "-").output.splitlines()) == 2
    build(database.with_name("old.db"), LAYOUTS[-2])
    old = backups / "old.jsonl"
    result = run(database.with_name("old.db"), "export", old, code=74)
    assert "Start the bot once" in result.stderr
    assert not list(backups.glob("old*"))


@pytest.mark.parametrize("told", ["\x03", "\x04"])
def test_who_stops_at_the_question_hears_that_nothing_was_done(
    database: Path, backups: Path, told: str
) -> None:
    """Ctrl-C, and the end of what is typed, are an interruption like any other."""
    file = backups / "mine.db"
    run(database, "backup", file)
    here, there = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "bot", "restore", str(file)],
        stdin=there,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - what setsid(1) does
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **TOKENS, "BOT_STORAGE__URL": f"sqlite:///{database}"},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        said = b""
        while b"[y/N]" not in said:
            said += (more := os.read(process.stdout.fileno(), 4096))
            assert more, process.stderr.read()
        # once more where it came between the question and the reading of the answer
        for _ in range(15):
            os.write(here, told.encode())
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=2)
                break
        assert process.returncode == 130
        assert process.stderr.read() == b"Interrupted. Nothing was restored.\n"
    os.close(here)
    os.close(there)


def test_who_reads_no_further_ends_the_export(database: Path) -> None:
    """A reader that has had enough is no reason for a traceback."""
    with closing(sqlite3.connect(database)) as connection:
        connection.executemany(
            "INSERT INTO inbox (bot_id, update_id, chat_id, raw, received_at)"
            " VALUES (1, ?, 5, '{}', 0)",
            ((number,) for number in range(3000)),
        )
        connection.commit()
    with subprocess.Popen(
        [sys.executable, "-m", "bot", "export", "-"],
        env={**os.environ, **TOKENS, "BOT_STORAGE__URL": f"sqlite:///{database}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert b"export" in process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=30) == 1


def test_pruning_says_what_it_does(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dry run counts, line by line; else rows and files are told, and whether room was given back."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute(
            "INSERT INTO inbox (bot_id, update_id, chat_id, raw, received_at, state, handled_at)"
            " VALUES (1, 1, 5, '', 0, 'done', 1)"
        )
    dry = run(database, "prune", "--older-than", "30", "--dry-run").output
    assert "       1  handled updates\n" in dry
    assert dry.endswith("Nothing was changed.\n")
    lock = Lock(database)
    lock.acquire()
    said = run(database, "prune", "--older-than", "30").output
    lock.release()
    assert said.startswith("Forgotten: 1 row, and the picture files of 0 tasks.\n")
    assert "since the bot is running" in said
    assert "Given back to the disk: " in run(database, "prune", "--older-than", "0.5").output
    assert not database.with_name("bot.db.lock").exists()
    run(database, "prune", "--older-than", "-1", code=2)
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1}))
    assert "keeps its size for now" in run(database, "prune", "--older-than", "1").output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_leaves_nothing_half_done(
    database: Path, backups: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C and SIGTERM end a backup with a sentence, and what was written is removed."""
    before = signal.getsignal(signal.SIGTERM)

    def interrupt(_self: Bars, what: str, *_: int) -> None:
        if what == "Copying":
            os.kill(os.getpid(), number)
            time.sleep(0)  # where the signal is heard

    monkeypatch.setattr(Bars, "tell", interrupt)
    result = run(database, "backup", backups / "mine.db", code=130)
    assert result.stderr == "Interrupted. Nothing was saved.\n"
    assert everything(backups) == {}
    assert signal.getsignal(signal.SIGTERM) == before


class Terminal(io.StringIO):
    """A terminal of which one can see what was written."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("terminal", [True, False])
def test_a_bar_is_for_a_terminal(monkeypatch: pytest.MonkeyPatch, terminal: bool) -> None:
    """On a terminal each thing that is done has its bar; elsewhere nothing is written."""
    written: Any = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    with Bars(shown=True) as bars:
        for what in ("Copying", "Checking"):
            bars.tell(what, 1, 2)
            bars.tell(what, 2, 2)
    if terminal:
        assert "Copying" in written.getvalue()
        assert written.getvalue().count("100%") == 2
    else:
        assert written.getvalue() == ""


def test_what_is_large_has_a_bar(
    database: Path, backups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only where it takes long enough to wait for is a bar shown."""
    shown: list[bool] = []
    real = Bars.__init__

    def begin(self: Bars, *, shown: bool) -> None:
        seen.append(shown)
        real(self, shown=shown)

    seen = shown
    monkeypatch.setattr(Bars, "__init__", begin)
    run(database, "backup", backups / "small.db")
    monkeypatch.setattr(keeping, "LONG", 1000)
    run(database, "backup", backups / "large.db")
    assert shown == [False, True]
