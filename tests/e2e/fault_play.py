"""Plays the fault matrix: many rows in one world, each with a person of its own."""

import asyncio
import contextlib
import html
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bot.sentences import SENTENCES
from bot.texts import Say, words
from sandbox.sample import draw_sample
from tests.e2e.fault_matrix import FAULTS, NOTHING, PICTURE, PROGRESS, Row
from tests.e2e.world import JSON, Person, World, picture_of, text_of, until

_TAG: Final = re.compile(r"<[^>]+>")
_PHOTO: Final = draw_sample(120, 90)
_PLACE: Final = re.compile(r"\\{\w+\\}")
_WRITTEN: Final = {
    name: re.escape(html.unescape(_TAG.sub("", sentence)).strip().partition("\n")[0])
    for name, sentence in SENTENCES.items()
    if isinstance(sentence, str)
}
_SENTENCES: Final = {
    name: re.compile(_PLACE.sub(".+", written))
    # those with most words of their own first: others may be little more than a place for anything
    for name, written in sorted(_WRITTEN.items(), key=lambda one: -len(_PLACE.sub("", one[1])))
}
"""The first line of each sentence, as it is shown."""
_GOING_ON: Final = re.compile("progress-(next|place|submitting|running|percent|fetching)")
_FINAL: Final = frozenset({"delivered", "failed", "gone", "cancelled", "done"})
_HIDREAM: Final = frozenset({"submit", "lookup", "results", "batch", "image"})
_CALLS: Final = {
    "answer": "sendMessage",
    "progress": "sendMessage",
    "reason": "sendMessage",
    "lookup": "results",
    "buttons": "sendMessage",
    "press": "answerCallbackQuery",
    "menu": "editMessageText",
}
"""The call that a step makes, where it has another name."""
PARALLEL: Final = 60
FILES: Final = ("file", "getFile")
_WORDS: Final = {"reason": "fails-in-the-making"}
_SAID: Final[Mapping[str, str]] = {"answer": "/status", "press": "/settings", "menu": "/settings"}
"""What is said at a step that is about no photo."""
_ALBUMS: Final = frozenset({"sendMediaGroup", "buttons"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What came of a row."""

    end: str
    last: str
    struck: bool
    calls: int
    made: int
    pictures: int
    left: int
    repeats: int


@dataclass(kw_only=True, slots=True)
class Played:
    """A row that is being played."""

    row: Row
    person: Person
    file_id: str = ""
    update_id: int = 0
    """The last of the updates that it is about, where it is about no photo."""
    press_id: str = ""
    fault_id: int = 0
    seen: "Seen | None" = None
    """What was seen of a row that is not over, when it was as expected."""

    @property
    def service(self) -> str:
        """Who is called at this row's step."""
        return "hidream" if self.row.step in _HIDREAM else "telegram"

    @property
    def match(self) -> dict[str, str]:
        """By what the calls of this row's step are known."""
        person = str(self.person.id)
        match self.row.step:
            case "getUpdates" | "batch":
                return {}
            case "getFile" | "file":
                return {"file_id": self.file_id} if self.file_id else {}
            case "submit" | "lookup" | "results" | "image":
                return {"user_id": person}
            case "reason":
                return {"chat_id": person, "text": words(Say("hidream-failed"))}
            case "buttons":
                # of the messages about a photo the one without a sound
                return {"chat_id": person, "disable_notification": "True"}
            case "press":
                return {"callback_query_id": self.press_id} if self.press_id else {}
            case _:
                return {"chat_id": person}

    def concerns(self, call: JSON) -> bool:
        """Say whether a call of the journal is one that this row's fault can strike."""
        return call["call"] == _CALLS.get(self.row.step, self.row.step) and all(
            str(call["params"].get(name)) == value for name, value in self.match.items()
        )


class Stage:
    """A world in which rows are played."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.played: list[Played] = []

    async def start(self, **hidream: Any) -> None:
        """Start the bot, with room for all of the rows at once."""
        room = {"parallel_requests": PARALLEL, "images_per_minute": 10_000}
        await self.world.start(hidream={**room, **hidream})

        async def started() -> bool:
            return "started" in self.world.log

        await until(started, "the bot has started")

    async def new_token(self, token: str, file: Path) -> None:
        """Let HiDream take another token, and put it where the bot reads it."""
        url = f"{self.world.hidream}/sandbox/token"
        await self.world.http.post(url, json={"token": token})
        file.write_text(token)

    # --- what the people do

    async def begin(self, row: Row) -> Played:
        """Let a row's person in."""
        played = Played(row=row, person=await self.world.person(row.step))
        self.played.append(played)
        return played

    async def plant(self, played: Played) -> None:
        """Let the row's fault wait for its call."""
        row = played.row
        if row.step == "lookup":
            await self.world.fault("hidream", "submit", "reset_after", match=played.match)
        fault = {
            "call": _CALLS.get(row.step, row.step),
            "times": row.times,
            "match": played.match,
            **FAULTS[row.fault],
        }
        answer = await self.world.http.post(self._faults(played), json=fault)
        played.fault_id = answer.json()["id"]

    async def send(self, played: Played, words: str | None = None) -> None:
        """Send what the row's person has to send."""
        if played.row.step in _SAID:
            await played.person.text(_SAID[played.row.step])
            played.update_id = await self._last_update()
            return
        words = words or f"{_WORDS.get(played.row.step, 'sepia')} {played.person.id}"
        if played.row.step in _ALBUMS:
            words += " /count 2"
        message = await played.person.photo(words, contents=(_PHOTO,))
        played.file_id = message["photo"]["url"].rpartition("/")[2]

    async def play(self, rows: Iterable[Row]) -> list[Played]:
        """Let everything of these rows begin at once."""
        played = [await self.begin(row) for row in rows]
        for one in played:
            # what a photo's calls are known by is only known when it has been sent
            if one.row.step not in FILES:
                await self.plant(one)
            await self.send(one)
            if one.row.step in FILES:
                await self.plant(one)
        return played

    async def play_alone(self, row: Row) -> Played:
        """Play a row that is the only one whose call comes now."""
        played = await self.begin(row)
        await self.plant(played)
        await self.send(played)
        return played

    async def press(self, played: Played) -> None:
        """Press the first button of the last message."""
        [*_, message] = await played.person.sees()
        button = message["buttons"][0][0]["callback_data"]
        played.press_id = await played.person.press_blindly(message, button)
        played.update_id = await self._last_update()

    async def _last_update(self) -> int:
        waiting = (await self.world.see("updates"))["ids"]
        given = (await self.world.see("updates/given"))["given"]
        return max(map(int, [*waiting, *given]))

    async def forget(self, played: Played) -> None:
        """Let the row's fault strike no more."""
        await self.world.http.delete(self._faults(played), params={"id": played.fault_id})

    async def struck(self, played: Played) -> None:
        """Wait until the row's fault has struck for the last time."""

        async def look() -> bool:
            return await self._has_struck(played)

        await until(look, f"the fault strikes: {played.row.id}")

    async def known(self, played: Played) -> None:
        """Wait until the bot has a row of it."""

        async def look() -> bool:
            return self._ends()[played.row.id][0] != NOTHING

        await until(look, f"the bot knows of it: {played.row.id}")

    async def _has_struck(self, played: Played) -> bool:
        faults = (await self.world.http.get(self._faults(played))).json()["faults"]
        if played.row.times is not None:
            return played.fault_id not in {fault["id"] for fault in faults}
        call = _CALLS.get(played.row.step, played.row.step)
        return any(map(played.concerns, await self.world.calls(played.service, call=call)))

    def _faults(self, played: Played) -> str:
        return f"{getattr(self.world, played.service)}/sandbox/faults"

    # --- what comes of it

    async def settled(self, *played: Played, seconds: float = 100.0) -> None:
        """Wait until each row (or all so far) shows what is expected, or for so long."""
        waiting = [one for one in played or self.played if one.seen is None]

        async def look() -> bool:
            await asyncio.sleep(0.2)
            ends = self._ends()
            waiting[:] = [one for one in waiting if not await self._as_expected(one, ends)]
            return not waiting

        # each row is judged by what is seen in the end
        with contextlib.suppress(AssertionError):
            await until(look, "all rows are over", seconds)

    async def _as_expected(self, played: Played, ends: Mapping[str, tuple[str, float]]) -> bool:
        row = played.row
        end, waits = ends[row.id]
        if end != row.end or (row.waits and waits < row.waits):
            return False
        messages = await played.person.sees()
        pictures = _pictures(messages)
        left = len(messages) - len(pictures) - (row.last not in {PICTURE, NOTHING})
        if (_last(messages), len(pictures), left) != (row.last, row.pictures, row.left):
            return False
        if end not in _FINAL:
            # it goes on by itself some day: what is seen of it is seen now
            if not await self._has_struck(played):
                return False
            journal, tasks = (
                await self.world.calls(played.service),
                (await self.world.made())["tasks"],
            )
            played.seen = await self._seen(played, end, journal, tasks)
        return True

    async def seen(self) -> dict[str, Seen]:
        """Say what came of each row."""
        journals = {name: await self.world.calls(name) for name in ("telegram", "hidream")}
        tasks, ends = (await self.world.made())["tasks"], self._ends()
        return {
            one.row.id: one.seen
            or await self._seen(one, ends[one.row.id][0], journals[one.service], tasks)
            for one in self.played
        }

    async def _seen(self, played: Played, end: str, journal: list[JSON], tasks: list[JSON]) -> Seen:
        calls = [call for call in journal if played.concerns(call)]
        messages = await played.person.sees()
        pictures = _pictures(messages)
        texts = [message for message in messages if message not in pictures]
        last = _last(messages)
        [counted] = self.world.rows(
            "SELECT coalesce(sum(repeats), 0) AS n FROM steps JOIN tasks ON tasks.id = task_id"
            " WHERE user_id = ?",
            played.person.id,
        )
        return Seen(
            end=end,
            last=last,
            struck=await self._has_struck(played),
            calls=len(calls),
            made=sum(task["user_id"] == str(played.person.id) for task in tasks),
            pictures=len(pictures),
            left=len(texts) - (last not in {PICTURE, NOTHING}),
            repeats=counted["n"],
        )

    def _ends(self) -> dict[str, tuple[str, float]]:
        """Give the state of each row, its task's or its update's, and in how many seconds it is due."""
        tasks, updates = (
            {
                row[key]: (row["state"], (row["due_at"] or 0) / 1e6 - time.time())
                for row in self.world.rows(f"SELECT {key}, state, due_at FROM {table} ORDER BY id")
            }
            for table, key in (("tasks", "chat_id"), ("inbox", "update_id"))
        )
        return {
            one.row.id: updates.get(one.update_id, (NOTHING, 0.0))
            if one.row.step in _SAID
            else tasks.get(one.person.id, (NOTHING, 0.0))
            for one in self.played
        }


def _pictures(messages: Sequence[JSON]) -> list[JSON]:
    return [message for message in messages if picture_of(message)]


def _last(messages: Sequence[JSON]) -> str:
    if not messages:
        return NOTHING
    if picture_of(messages[-1]):
        return PICTURE
    text = text_of(messages[-1]).partition("\n")[0]
    name = next((name for name, form in _SENTENCES.items() if form.fullmatch(text)), text)
    return PROGRESS if _GOING_ON.fullmatch(name) else name
