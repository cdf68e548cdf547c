"""/privacy, /mydata and /forget: what is told, handed out, and forgotten, and for whom."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.errors import PutOff
from bot.handlers import all_handlers
from bot.handlers.forgetting import ANEW
from bot.handlers.privacy import PrivacyHandlers, privacy_lines
from bot.messages import Gone, Later, Moved, Outcome, Refused, Sent, Target, Unknown
from bot.texts import Say, plain
from storage.tasks import NewView, TaskState
from tests.parlour import Parlour, Said, Telegram
from tests.storage.making import START, accept, claim, claim_delivery, there

GROUP = -100


class Office(Telegram):
    """The port, with files that are sent, and messages that are changed and deleted."""

    def __init__(self) -> None:
        super().__init__()
        self.files: list[tuple[int, str, dict[str, Any]]] = []
        self.shown: dict[int, list[str]] = {}
        self.deleted: list[tuple[int, int]] = []
        self.deletions: list[Outcome] = []

    async def send_file(
        self, target: Target, content: bytes, name: str, *lines: Say, language: str | None
    ) -> Outcome:
        """Take a file."""
        assert plain(*lines, language=language)
        if self.outcomes:
            return self.outcomes.pop(0)
        self.files.append((target.chat_id, name, json.loads(content)))
        return Sent(message_ids=(1,))

    async def edit(self, chat_id: int, message_id: int, *lines: Say, **_: Any) -> Outcome:
        """Change a text."""
        if self.outcomes:
            return self.outcomes.pop(0)
        self.shown[message_id] = [line.id for line in lines]
        self.data = {line.id: line.data for line in lines}
        return Sent()

    async def delete(self, chat_id: int, message_id: int) -> Outcome:
        """Delete a message."""
        if self.deletions:
            return self.deletions.pop(0)
        self.deleted.append((chat_id, message_id))
        return Sent()

    data: Mapping[str, Mapping[str, Any]] = {}


class House(Parlour):
    """A parlour with an office."""

    def __init__(self, path: Path, **access: Any) -> None:
        self.office = Office()
        super().__init__(self.office, pictures=path, **access)

    async def asks_to_be_forgotten(self, **where: Any) -> Said:
        """Let someone send /forget; returns the question."""
        await self.post("/forget", **where)
        return self.last

    async def confirms(self, question: Said, **how: Any) -> list[str]:
        """Let someone tap; returns what the question says then."""
        await self.press(question, question.buttons[0].data, **how)
        return self.office.shown.get(question.message_id, [])


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Give a house with nobody in it yet."""
    return House(tmp_path)


# --- what is kept, told


@pytest.mark.parametrize(
    ("days", "retention", "words"),
    [
        (7, None, ["for 7 days", "stay until you send /forget."]),
        (1, timedelta(days=30), ["for 1 day,", "30 days after it is finished"]),
        (0.5, timedelta(days=1), ["for 1 day,", "1 day after it is finished"]),
        (0, None, ["until they have been brought", "stay until you send /forget."]),
    ],
)
def test_privacy_has_the_real_numbers(
    days: float, retention: timedelta | None, words: list[str]
) -> None:
    """It says for how long in this installation, what HiDream gets, the id included, and what one can do."""
    lines = privacy_lines(4242, keep_originals=timedelta(days=days), retention=retention)
    text = "\n".join(plain(line) for line in lines)
    for word in (*words, "4242", "HiDream gets", "runs this bot", "/mydata", "/forget"):
        assert word in text


async def test_privacy_in_private_and_in_a_group(house: House) -> None:
    """In private it is told in full, in a group in short, with the way to the rest."""
    await house.post("/privacy")
    await house.post("/privacy", chat=GROUP)
    full, short = house.read()
    assert full[0] == "privacy"
    assert "privacy-commands" in full
    assert short == ["privacy-group"]
    assert house.last.lines[0].data == {"link": "https://t.me/sandbox_bot"}


# --- what is kept, handed out


async def test_mydata_is_all_of_theirs_and_nobody_elses(house: House) -> None:
    """A person gets what they did everywhere, in private; nothing of others is in it."""
    await house.post("make it snow", photo="mine")
    await house.post("/edit in a group", photo="mine too", chat=GROUP)
    await house.post("a secret", photo="other", user=2)
    await house.store.set_preference("user", 1, "ratio", "1:1")
    await house.post("/mydata")
    [(chat, name, file)] = house.office.files
    assert (chat, name, file["your_telegram_id"]) == (1, "mydata.json", 1)
    assert [one["settings"]["words"] for one in file["pictures"]] == ["make it snow", "in a group"]
    assert file["settings_chosen"] == [{"scope": "user", "name": "ratio", "value": "1:1"}]
    assert file["written_at"] == START.isoformat(timespec="seconds")
    assert "secret" not in json.dumps(file)
    assert "other" not in json.dumps(file["pictures"])


async def test_mydata_is_for_a_person_in_private(house: House) -> None:
    """In a group it says where to ask, for a chat that stands for somebody that there is no file, else that there is nothing."""
    await house.post("/mydata")
    await house.post("/mydata", chat=GROUP)
    await house.post("/mydata", chat=GROUP, sender_chat={"id": GROUP, "type": "group"})
    assert house.read() == [["mydata-nothing"], ["mydata-private"], ["mydata-chat"]]
    assert house.office.files == []


async def test_mydata_once_a_minute(house: House) -> None:
    """A second one has to wait for a minute, for each person alone; one that did not arrive does not count."""
    await house.post("make it snow", photo="mine")
    house.read()
    for outcome in (Later(seconds=3, reason="down"), Unknown(reason="lost")):
        house.office.outcomes = [outcome]
        with pytest.raises(PutOff):
            await house.post("/mydata")
    await house.post("/mydata")
    await house.post("/mydata")
    assert (len(house.office.files), house.read()) == (1, [["mydata-soon"]])
    await house.post("/mydata", user=2)
    house.clock.move(60)
    await house.post("/mydata")
    assert (len(house.office.files), house.read()) == (2, [["mydata-nothing"]])


async def test_much_is_sent_in_parts(house: House) -> None:
    """What is too much for one file comes as several, each a whole one."""
    for n in range(5):
        await house.post(f"make it snow {n}", photo="mine")
    handlers = PrivacyHandlers(house.desk, most=1500)
    [row] = [one for one in house.handlers.for_updates if "mydata" in getattr(one, "commands", ())]
    row.callback = handlers.mydata
    await house.post("/mydata")
    names = [name for _, name, _ in house.office.files]
    assert names == [f"mydata-{n}.json" for n in range(1, len(names) + 1)]
    assert len(names) > 1
    assert sum(len(file["pictures"]) for _, _, file in house.office.files) == 5


# --- forgetting


async def _live(house: House) -> dict[str, int]:
    """Let someone have a picture in line, one at HiDream, and one with files; gives their ids."""
    ids = {}
    for name in ("delivered", "running", "queued"):
        await house.post(f"make it {name}", photo="mine")
        task = (await house.tasks())[-1]
        ids[name] = task.id
        await house.store.note_progress_message(task.id, 500 + task.id)
        if name != "queued":
            row = there(await accept(house.store, there(await claim(house.store, task))))
            if name == "delivered":
                await house.store.ready(row, now=START)
                await house.store.release(row.hidream_task_id or "", START)
                sent = there(await claim_delivery(house.store))
                await house.store.finish(sent, TaskState.DELIVERED, START)
        await house.files.put(task.id, 0, b"bytes")
    house.read()
    return ids


async def test_forget_does_what_it_says(house: House, tmp_path: Path) -> None:
    """After the tap what is in line and running is stopped, files and progress messages are gone, and the answer counts it."""
    ids = await _live(house)
    question = await house.asks_to_be_forgotten()
    assert question.ids == ["forget-ask", "forget-what"]
    assert len(await house.tasks()) == 3
    assert {one.user_id for one in await house.tasks()} == {1}, "nothing is done before the tap"
    said = await house.confirms(question)
    assert said == ["forget-done", "forget-cancelled", "forget-stopped", "forget-stays"]
    assert house.office.data["forget-cancelled"] == {"count": 1}
    assert house.office.data["forget-stopped"] == {"count": 1}
    assert {one.user_id for one in await house.tasks()} == {0}
    assert sorted(house.office.deleted) == [(1, 500 + ids[one]) for one in ("running", "queued")]
    assert list(tmp_path.iterdir()) == []
    assert await house.store.slots_held(START) == 1, "HiDream is at it until its end"
    await house.post("/mydata")
    await house.post("/forget")
    assert house.read()[-2:] == [["mydata-nothing"], ["forget-nothing"]]
    assert await house.press(question, question.buttons[0].data) == "forget-over"
    assert await house.press(question, f"again:{ids['delivered']}") == "pressed-forgotten"


async def test_forget_is_only_their_own(house: House) -> None:
    """In a group nobody else can tap it, and others' tasks stay; forged data does nothing."""
    await house.post("/edit make it snow", photo="mine", chat=GROUP)
    await house.post("make it snow", photo="mine too")
    await house.post("/edit make it rain", photo="theirs", chat=GROUP, user=2)
    question = await house.asks_to_be_forgotten(chat=GROUP)
    assert await house.press(question, question.buttons[0].data, user=2) == "pressed-not-yours"
    history = NewView(origin=house.desk.origin(900), kind="history", user_id=1, chat_id=1)
    other = await house.store.add_view(history, START)
    for data in ("forget:99", "forget:", f"forget:{other.id}"):
        assert await house.press(question, data) == "forget-too-late"
    theirs = replace(question, message_id=55)
    await house.store.note_message(3, GROUP, 55, "progress", START)
    assert await house.press(theirs, question.buttons[0].data) == "pressed-not-yours"
    assert await house.confirms(question) == ["forget-done", "forget-cancelled", "forget-stays"]
    assert [one.user_id for one in await house.tasks()] == [0, 0, 2]
    assert await house.press(question, question.buttons[0].data, user=2) == "forget-too-late"


async def test_an_old_question_is_asked_anew(house: House) -> None:
    """After an hour the tap asks once more, with a button that works; nothing is forgotten before."""
    await house.post("make it snow", photo="mine")
    question = await house.asks_to_be_forgotten()
    house.clock.move(ANEW.total_seconds() + 1)
    assert await house.press(question, question.buttons[0].data) == "forget-tap-again"
    assert house.office.shown[question.message_id] == ["forget-ask", "forget-what"]
    assert [one.user_id for one in await house.tasks()] == [1]
    await house.press(question, "forget:2")
    assert [one.user_id for one in await house.tasks()] == [0]


async def test_a_chat_that_stands_for_somebody(house: House) -> None:
    """What was asked for in a chat's name is forgotten in that chat alone, by one of its admins."""
    group = {"id": GROUP, "type": "group"}
    await house.post("/edit make it snow", photo="ours", chat=GROUP, sender_chat=group)
    await house.post("/forget", chat=GROUP, sender_chat={"id": -5, "type": "channel"})
    assert house.read()[-1] == ["forget-elsewhere"]
    question = await house.asks_to_be_forgotten(chat=GROUP, sender_chat=group)
    assert question.ids == ["forget-ask-chat", "forget-what"]
    assert await house.press(question, question.buttons[0].data, user=2) == "pressed-not-yours"
    house.office.admins.add((GROUP, 2))
    assert (await house.confirms(question, user=2))[0] == "forget-done-chat"
    assert [one.user_id for one in await house.tasks()] == [0]


async def test_who_runs_a_chat_may_be_unknown_for_now(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where Telegram does not say now who the admins are, the tap is handled later."""
    group = {"id": GROUP, "type": "group"}
    await house.post("/edit make it snow", photo="ours", chat=GROUP, sender_chat=group)
    question = await house.asks_to_be_forgotten(chat=GROUP, sender_chat=group)

    async def nobody_knows(chat_id: int, user_id: int) -> Later:
        return Later(seconds=5, reason="down")

    monkeypatch.setattr(house.office, "is_admin", nobody_knows)
    with pytest.raises(PutOff):
        await house.press(question, question.buttons[0].data, user=2)


async def test_a_channel_asks_in_the_channel(house: House) -> None:
    """Posts of a channel have no person: /privacy and /forget are answered there."""
    await house.post("/privacy", chat=-5, kind="channel")
    await house.post("/forget", chat=-5, kind="channel")
    assert house.read() == [["privacy-group"], ["forget-nothing"]]


@pytest.mark.parametrize("outcome", [Refused(reason="gone"), Unknown(reason="lost")])
async def test_an_answer_that_cannot_take_the_place_of_the_question(
    house: House, outcome: Outcome
) -> None:
    """It is said below then."""
    await house.post("make it snow", photo="mine")
    question = await house.asks_to_be_forgotten()
    house.office.outcomes = [outcome]
    await house.confirms(question)
    assert house.last.ids == ["forget-done", "forget-cancelled", "forget-stays"]


async def test_an_answer_that_has_to_wait(house: House) -> None:
    """The update is handled again: nothing is done twice, and the answer still says what was done."""
    await house.post("make it snow", photo="mine")
    question = await house.asks_to_be_forgotten()
    house.office.outcomes = [Later(seconds=3, reason="down")]
    with pytest.raises(PutOff):
        await house.press(question, question.buttons[0].data, update_id=700)
    pried = await house.press(question, question.buttons[0].data, user=2)
    assert pried == "forget-over", "what was done is nobody else's business"
    said = await house.confirms(question, update_id=700)
    assert said == ["forget-done", "forget-cancelled", "forget-stays"]


async def test_killed_after_forgetting(house: House) -> None:
    """Handled again by a process that knows nothing of it, the tap is answered all the same: it is done."""
    await house.post("make it snow", photo="mine")
    question = await house.asks_to_be_forgotten()
    house.office.outcomes = [Later(seconds=3, reason="down")]
    with pytest.raises(PutOff):
        await house.press(question, question.buttons[0].data, update_id=700)
    house.handlers = all_handlers(house.desk)
    assert await house.confirms(question, update_id=700) == ["forget-over"]


async def test_progress_messages_that_cannot_be_deleted(house: House) -> None:
    """One that is too old says that it is over; what Telegram does not take now is tried once more."""
    ids = await _live(house)
    question = await house.asks_to_be_forgotten()
    house.office.deletions = [Refused(reason="too old"), Later(seconds=9, reason="down")]
    await house.confirms(question)
    assert house.office.shown[500 + ids["running"]] == ["progress-over"]
    assert house.office.deleted == [(1, 500 + ids["queued"])]


async def test_files_that_cannot_be_removed_are_left_to_the_housekeeping(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person is told what was done, and the rest is removed later."""
    await house.post("make it snow", photo="mine")
    question = await house.asks_to_be_forgotten()

    async def broken(task_id: int) -> None:
        raise OSError(task_id)

    monkeypatch.setattr(house.files, "remove", broken)
    assert (await house.confirms(question))[0] == "forget-done"
    assert await house.store.with_files_before(START, 9) == [1]


async def test_who_was_shut_out_can_still_go(tmp_path: Path) -> None:
    """Someone who may no longer use the bot gets what is theirs, and is forgotten; a stranger is told as always."""
    house = House(tmp_path, allowed_users=[2])
    await house.store.set_preference("user", 1, "ratio", "1:1")
    await house.post("/mydata")
    await house.post("/privacy")
    question = await house.asks_to_be_forgotten()
    assert (await house.confirms(question))[0] == "forget-done"
    for command in ("/forget", "/mydata", "/privacy"):
        await house.post(command, user=3)
    assert [one[0] for one in house.read()] == ["privacy", "forget-ask", "not-allowed"]
    assert len(house.office.files) == 1


async def test_the_question_goes_where_the_chat_is(house: House) -> None:
    """Where nobody is there any more, all is forgotten all the same; a chat that moved gets the answer there."""
    for outcome in (Gone(reason="blocked"), Moved(chat_id=9)):
        await house.post("make it snow", photo="mine")
        question = await house.asks_to_be_forgotten()
        house.office.outcomes = [outcome]
        await house.confirms(question)
        assert {one.user_id for one in await house.tasks()} == {0}
