"""The reckoning itself: what it lets pass, and what it finds."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from tests.crash.evidence import Evidence, SentPhoto
from tests.crash.plan import Photo, Plan
from tests.crash.reckoning import reckon
from tests.e2e.world import JSON, said

CHAT: Final = 7
_PHOTO: Final = Photo(number=1, person=0, in_group=False, count=1, after=0.0)
_START: Final = datetime(2026, 1, 1, tzinfo=UTC)


_AGAIN: Final = {"created_at": 14, "finished_at": 18}
_ACCEPTED: Final = {"task_id": 1, "request_id": "r", "outcome": "accepted"}
_UNCERTAIN: Final = {**_ACCEPTED, "outcome": "uncertain"}


def _at(seconds: float) -> str:
    return (_START + timedelta(seconds=seconds)).isoformat()


def _picture(message_id: int, task: int = 1, **more: Any) -> JSON:
    return {
        "message_id": message_id,
        "reply_to": 1,
        "from_bot": True,
        "photo": {"file_id": "x"},
        "caption": f"{_PHOTO.prompt} /ratio 1:1 /count 1\n#{task} · 3 sec",
        **more,
    }


def _text(message_id: int, text: str, reply_to: int = 1) -> JSON:
    return {"message_id": message_id, "reply_to": reply_to, "from_bot": True, "text": text}


def _call(call: str, seconds: float, detail: str = "", **params: Any) -> JSON:
    outcome = "fault" if detail else "ok"
    return {
        "call": call,
        "time": _at(seconds),
        "outcome": outcome,
        "detail": detail,
        "params": params,
    }


def _showing(seconds: float, detail: str = "", *, task: int = 1, call: str = "sendPhoto") -> JSON:
    caption = f"<code>{_PHOTO.prompt} /ratio 1:1 /count 1</code>\n#{task} · 3 sec"
    return _call(call, seconds, detail, chat_id=CHAT, caption=caption)


def _buttons(seconds: float, detail: str = "") -> JSON:
    reply = {"message_id": 3}
    text = said("result-next", task=1)
    return _call("sendMessage", seconds, detail, chat_id=CHAT, text=text, reply_parameters=reply)


def _told(seconds: float, detail: str = "") -> JSON:
    reply = {"message_id": 1}
    return _call("sendMessage", seconds, detail, chat_id=CHAT, text="🎨 …", reply_parameters=reply)


def _submit(seconds: float, detail: str = "") -> JSON:
    return _call("submit", seconds, detail, prompt=_PHOTO.prompt)


def _seen() -> Evidence:
    """One photo, and all went well; the bot was killed once in its time, at second 10."""
    return Evidence(
        plan=Plan(seed=1, part=0, lookup=False, batch=True, seconds=1.0, lives=()),
        kills=("at a moment",),
        starts=(_START, _START + timedelta(seconds=10)),
        sent=(SentPhoto(photo=_PHOTO, chat=CHAT, message_id=1, life=0),),
        chats={CHAT: [_picture(3)]},
        telegram=[_told(1), _showing(12)],
        hidream=[_submit(2)],
        parallel=3,
        made={
            "peak_parallel": 1,
            "tasks": [{"task_id": "a", "request_id": "r", "prompt": _PHOTO.prompt}],
        },
        tasks=[
            {
                "id": 1,
                "parent_id": None,
                "photos": "[{}]",
                "prompt": _PHOTO.prompt,
                "state": "delivered",
                "failure_id": None,
                "uncertain": 0,
                "hidream_task_id": "a",
                "progress_message_id": 2,
                "chat_id": CHAT,
                "created_at": _START.timestamp() * 1e6,
                "finished_at": (_START.timestamp() + 13) * 1e6,
            }
        ],
        steps=[{"task_id": 1, "repeats": 0}],
        submissions=[_ACCEPTED],
        tallies={"repeated": 0, "unanswered": 0},
        aside=[],
        integrity=[{"integrity_check": "ok"}],
    )


def _counted(seen: Evidence, *, repeats: int = 0, uncertain: int = 0) -> Evidence:
    return replace(
        seen,
        steps=[{"task_id": 1, "repeats": repeats}],
        tasks=[{**seen.tasks[0], "uncertain": uncertain}],
        tallies={"repeated": repeats, "unanswered": uncertain},
    )


def _shown_twice(seen: Evidence, *calls: JSON) -> Evidence:
    return replace(seen, chats={CHAT: [_picture(3), _picture(4)]}, telegram=[_told(1), *calls])


def _submitted_twice(seen: Evidence, *calls: JSON) -> Evidence:
    again = {"task_id": "b", "request_id": "r", "prompt": _PHOTO.prompt}
    return replace(
        seen,
        hidream=calls,
        made={"peak_parallel": 1, "tasks": [*seen.made["tasks"], again]},
        submissions=[_UNCERTAIN, _ACCEPTED],
    )


def _sent(seen: Evidence, **more: Any) -> Evidence:
    """The same, of a photo that was sent in another way."""
    return replace(seen, sent=[replace(seen.sent[0], photo=replace(_PHOTO, **more))])


def _with(seen: Evidence, **more: Any) -> Evidence:
    """The same, of a task that is otherwise."""
    return replace(seen, tasks=[{**seen.tasks[0], **more}])


def _in_two(seen: Evidence, *calls: JSON, buttons: int = 1) -> Evidence:
    """Two pictures were asked for and came, with their buttons after them."""
    pair = [_picture(3, media_group_id="g"), _picture(4, media_group_id="g", caption="")]
    after = [_text(5 + n, said("result-next", task=1), reply_to=3) for n in range(buttons)]
    calls = calls or (_buttons(12.5),)
    return replace(
        _sent(seen, count=2),
        chats={CHAT: [*pair, *after]},
        telegram=[_told(1), _showing(12, call="sendMediaGroup"), *calls],
    )


def _stopped(seen: Evidence) -> Evidence:
    """It was stopped while it was in line."""
    return replace(
        _with(_sent(seen, way="cancelled"), state="cancelled", hidream_task_id=None),
        chats={CHAT: []},
        telegram=[_told(1)],
        hidream=[],
        made={"peak_parallel": 0, "tasks": []},
        submissions=[],
    )


def _twice(seen: Evidence) -> Evidence:
    """The same was wanted again, and made."""
    again = {"id": 2, "parent_id": 1, "hidream_task_id": "b", "progress_message_id": 6}
    moments = {name: (_START.timestamp() + at) * 1e6 for name, at in _AGAIN.items()}
    there = {"task_id": "b", "request_id": "s", "prompt": _PHOTO.prompt}
    return replace(
        seen,
        sent=[replace(seen.sent[0], pressed=1)],
        chats={CHAT: [*seen.chats[CHAT], _picture(7, task=2)]},
        telegram=[*seen.telegram, _told(15), _showing(17, task=2)],
        hidream=[
            _call("submit", 2, prompt=_PHOTO.prompt, request_id="r"),
            _call("submit", 16, prompt=_PHOTO.prompt, request_id="s"),
        ],
        made={**seen.made, "tasks": [*seen.made["tasks"], there]},
        tasks=[*seen.tasks, {**seen.tasks[0], **again, **moments}],
        submissions=[_ACCEPTED, {"task_id": 2, "request_id": "s", "outcome": "accepted"}],
    )


def _given_up(seen: Evidence) -> Evidence:
    """Two submissions got no answer, and the person was told so."""
    task = {**seen.tasks[0], "state": "failed", "failure_id": "submission-uncertain"}
    return replace(
        seen,
        chats={CHAT: [_text(3, said("submission-uncertain"))]},
        telegram=[_told(1)],
        hidream=[_submit(2, "kill_before"), _submit(12, "reset_before")],
        made={"peak_parallel": 0, "tasks": []},
        tasks=[{**task, "uncertain": 2, "hidream_task_id": None}],
        submissions=[_UNCERTAIN, _UNCERTAIN],
        starts=[*seen.starts, _START + timedelta(seconds=12.5)],
        tallies={"repeated": 0, "unanswered": 2},
    )


def test_all_is_well() -> None:
    """A photo that ended in a picture is delivered, and nothing is wrong."""
    come = reckon(_seen())
    assert (come.photos, come.delivered, come.lost, come.wrongs) == (1, 1, 0, [])


def test_shown_twice_and_counted() -> None:
    """A picture shown again after a kill that the bot counted is no mistake."""
    come = reckon(_counted(_shown_twice(_seen(), _showing(3), _showing(12)), repeats=1))
    assert (come.shown_twice, come.repeats, come.repeats_before_arrival) == (1, 1, 0)
    assert come.wrongs == []


def test_repeated_though_it_had_not_arrived() -> None:
    """A repeat of what had not reached Telegram is counted apart."""
    seen = replace(_seen(), telegram=[_told(1), _showing(3, "kill_before"), _showing(12)])
    come = reckon(_counted(seen, repeats=1))
    assert (come.shown_twice, come.repeats, come.repeats_before_arrival) == (0, 1, 1)
    assert come.wrongs == []


def test_submitted_twice_and_counted() -> None:
    """A task made twice after a lost answer that the bot counted is no mistake."""
    seen = _submitted_twice(_seen(), _submit(2, "kill_after"), _submit(12))
    come = reckon(_counted(seen, uncertain=1))
    assert (come.submitted_twice, come.unanswered, come.wrongs) == (1, 1, [])
    assert (come.found_again, come.never_arrived) == (0, 0)


def test_submitted_once_and_found_again() -> None:
    """A lost answer after which HiDream still knew the task is counted apart."""
    seen = replace(_seen(), hidream=[_submit(2, "kill_after")])
    come = reckon(_counted(seen, uncertain=1))
    assert (come.submitted_twice, come.unanswered, come.found_again) == (0, 1, 1)
    assert come.wrongs == []


def test_an_honest_reason() -> None:
    """A photo given up after two submissions without an answer is not lost."""
    come = reckon(_given_up(_seen()))
    assert (come.delivered, come.reasons, come.lost, come.wrongs) == (0, 1, 0, [])
    assert (come.unanswered, come.never_arrived) == (2, 2)


def test_an_album_and_its_buttons() -> None:
    """What follows an album belongs to it; shown twice after a kill, it is counted as one showing more."""
    assert reckon(_in_two(_seen())).wrongs == []
    twice = _in_two(_seen(), _buttons(5, "kill_after"), _buttons(12.5), buttons=2)
    come = reckon(_counted(twice, repeats=1))
    assert (come.shown_twice, come.repeats, come.wrongs) == (1, 1, [])


def test_stopped_as_asked() -> None:
    """A photo that somebody stopped is neither delivered nor lost, whatever its message still says."""
    seen = replace(_stopped(_seen()), chats={CHAT: [_text(2, said("progress-cancelled"))]})
    come = reckon(seen)
    assert (come.cancelled, come.delivered, come.lost, come.wrongs) == (1, 0, 0, [])


def test_the_same_again() -> None:
    """What a button made is one more that was asked for, and reckoned by itself."""
    come = reckon(_twice(_seen()))
    assert (come.photos, come.delivered, come.submitted_twice, come.wrongs) == (2, 2, 0, [])


def test_an_edit_that_came_too_late() -> None:
    """New words are made, or offered."""
    assert reckon(_edited(_seen(), said("edited-late"))).wrongs == []


def _edited(seen: Evidence, *answers: str) -> Evidence:
    said_so = [_text(4 + n, answer) for n, answer in enumerate(answers)]
    return replace(_sent(seen, way="edited"), chats={CHAT: [_picture(3), *said_so]})


WRONGS: Final[dict[str, tuple[Callable[[Evidence], Evidence], str]]] = {
    "no-picture": (lambda seen: replace(seen, chats={CHAT: []}), "is lost"),
    "no-task": (lambda seen: replace(seen, tasks=[]), "is 0 tasks"),
    "reason-not-told": (lambda seen: replace(_given_up(seen), chats={CHAT: []}), "is lost"),
    "elsewhere": (
        lambda seen: replace(seen, chats={CHAT: [{**_picture(3), "reply_to": 9}]}),
        "no reply to its photo",
    ),
    "album-without-buttons": (
        lambda seen: _in_two(seen, _buttons(12.5, "kill_before"), buttons=0),
        "an album has no buttons",
    ),
    "buttons-twice-not-counted": (
        lambda seen: _in_two(seen, _buttons(5, "kill_after"), _buttons(12.5), buttons=2),
        "1 tries beyond one reached Telegram, and 0 are counted",
    ),
    "buttons-twice-by-one-process": (
        lambda seen: _counted(_in_two(seen, _buttons(12.4), _buttons(12.5), buttons=2), repeats=1),
        "messages with buttons came again although the answer had arrived",
    ),
    "a-part-is-lost": (lambda seen: _sent(seen, parts=2), "1 photos instead of 2"),
    "stopped-unasked": (lambda seen: _sent(_stopped(seen)), "nobody asked for that"),
    "stopped-and-shown": (
        lambda seen: replace(_stopped(seen), chats=seen.chats, telegram=seen.telegram),
        "was stopped, and shown",
    ),
    "not-again": (
        lambda seen: replace(seen, sent=[replace(seen.sent[0], pressed=1)]),
        "is 1 tasks, not two",
    ),
    "again-is-lost": (
        lambda seen: replace(_twice(seen), chats=seen.chats, telegram=seen.telegram),
        "is lost",
    ),
    "again-unasked": (lambda seen: replace(_twice(seen), sent=seen.sent), "is 2 tasks"),
    "other-words": (
        lambda seen: _with(seen, prompt=f"{_PHOTO.prompt} in blue"),
        "its pictures are of other words",
    ),
    "edit-without-answer": (_edited, "neither made of the new words nor offered"),
    "half-an-album": (
        lambda seen: replace(seen, sent=[replace(seen.sent[0], photo=replace(_PHOTO, count=2))]),
        "1 pictures instead of 2",
    ),
    "shown-twice-not-counted": (
        lambda seen: _shown_twice(seen, _showing(3), _showing(12)),
        "1 tries beyond one reached Telegram, and 0 are counted",
    ),
    "shown-twice-by-one-process": (
        lambda seen: _counted(_shown_twice(seen, _showing(3), _showing(4)), repeats=1),
        "although the answer had arrived",
    ),
    "repeats-without-cause": (lambda seen: _counted(seen, repeats=2), "more than have a cause"),
    "made-twice-not-counted": (
        lambda seen: _submitted_twice(seen, _submit(2), _submit(12)),
        "1 made twice, 0 uncertain",
    ),
    "made-twice-though-it-could-ask": (
        lambda seen: replace(
            _counted(_submitted_twice(seen, _submit(2, "kill_after"), _submit(12)), uncertain=1),
            plan=replace(seen.plan, lookup=True),
        ),
        "although HiDream could be asked",
    ),
    "no-row-before-the-request": (
        lambda seen: replace(seen, submissions=[]),
        "1 submissions reached HiDream, and 0 have a row",
    ),
    "more-made-than-was-sent": (
        lambda seen: replace(
            _counted(_submitted_twice(seen, _submit(2, "kill_after"), _submit(12)), uncertain=1),
            submissions=[_ACCEPTED, {**_ACCEPTED, "outcome": "not_sent"}],
        ),
        "2 tasks at HiDream, and its submissions were",
    ),
    "another-request-id": (
        lambda seen: replace(
            seen, submissions=[{"task_id": 1, "request_id": "s", "outcome": "uncertain"}]
        ),
        "several request ids",
    ),
    "somebody-elses-picture": (
        lambda seen: replace(seen, tasks=[{**seen.tasks[0], "hidream_task_id": "z"}]),
        "no task of its own",
    ),
    "uncertain-without-cause": (
        lambda seen: _counted(seen, uncertain=2),
        "2 submissions are uncertain, more than have a cause",
    ),
    "known-progress-left": (
        lambda seen: replace(seen, chats={CHAT: [_text(2, "…"), _picture(3)]}),
        "that the bot knows of is left",
    ),
    "progress-left-without-a-kill": (
        lambda seen: replace(
            seen, chats={CHAT: [_text(5, "…"), _picture(3)]}, telegram=[_told(11), _showing(12)]
        ),
        "although nobody was killed",
    ),
    "progress-twice": (
        lambda seen: replace(seen, telegram=[_told(1), _told(2), _showing(12)]),
        "a second progress message",
    ),
    "over-the-limit": (lambda seen: replace(seen, parallel=0), "1 tasks ran at once, and 0 may"),
    "refused-for-the-limit": (
        lambda seen: replace(
            seen,
            hidream=[*seen.hidream, {**_submit(2, "parallel"), "outcome": "refused"}],
            submissions=[*seen.submissions, *seen.submissions],
        ),
        "submit refused: parallel",
    ),
    "broken-rule": (
        lambda seen: replace(
            seen, telegram=[*seen.telegram, {**_told(11, "too long"), "outcome": "strict"}]
        ),
        "sendMessage strict: too long",
    ),
    "wrong-tally": (
        lambda seen: replace(seen, tallies={"repeated": 1, "unanswered": 0}),
        "not the sums",
    ),
    "set-aside": (lambda seen: replace(seen, aside=[{"id": 1}]), "set aside"),
    "broken-file": (lambda seen: replace(seen, integrity=[]), "the database is broken"),
    "stray-message": (
        lambda seen: replace(seen, chats={**seen.chats, 8: [_text(1, "hello")]}),
        "a message to nobody",
    ),
}


@pytest.mark.parametrize(("spoil", "finding"), WRONGS.values(), ids=WRONGS)
def test_what_it_finds(spoil: Callable[[Evidence], Evidence], finding: str) -> None:
    """Whatever breaks a promise is found, and named."""
    wrongs = reckon(spoil(_seen())).wrongs
    assert any(finding in wrong for wrong in wrongs), wrongs
