"""The reckoning after a storm: what people and both services saw against what the bot counted.

A *life* is one start of the bot up to its kill. A call *took effect* if the sandbox did it; its
answer was *lost* if the sandbox never gave it, or gave it to a process that was killed before it
had written it down. These hold exactly, for each photo:

- It is one task with all of its photos, also where it came as an album or after its words, and one
  more where the same was wanted again. Each ended in a picture in its chat, as a reply to it, whole; or
  in an honest reason; or was stopped, if that was asked for, and then no picture came. The one reason
  that a storm allows is two submissions without an answer.
- What was made is of the words as they were in the end; an edit that came too late was answered.
- Each showing is a call that took effect, and so is the message with the buttons that follows an album.
  Each but the last lost its answer: by a fault that lost it, or by a kill, so that the next showing is
  of a later life.
- The bot counts each repeat (`steps.repeats`). It cannot know whether what it repeats had arrived,
  so: showings beyond one <= tries that reached Telegram beyond one <= repeats; and each repeat has a
  cause: repeats <= the kills in the photo's time + answers lost without a kill.
- Each submission that reached HiDream has a row, written before (`submissions`), all of a photo's
  with one request id. Each that lost its answer is counted (`tasks.uncertain`): submissions struck
  by a fault <= uncertain; tasks at HiDream beyond the accepted one <= its submissions that are
  uncertain for ever <= uncertain, which is at most two; and each has a cause: uncertain <= the kills
  in the photo's time + answers lost without a kill.
- Where HiDream can be asked by request id, nothing is made twice at all.

In all: the tallies that the operator reads are the sums of those counts; the account never runs more
than it may, and is never refused for that; no call breaks a rule; no message is in a chat but replies to
what people sent, and to albums; and a progress message that is left there is one whose answer was lost by a fault or a kill,
so that the bot never knew its id. (Or the bot was killed just after it had learnt the id, of a task
that had become over meanwhile: of such a message only the process that sent it knew that it is left.)
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html import unescape
from itertools import pairwise
from typing import Final

from tests.crash.evidence import Evidence, SentPhoto
from tests.crash.report import Reckoning
from tests.crash.storm import CHANGED
from tests.e2e.world import JSON, picture_of, said, text_of

_PROMPT: Final = re.compile(r"postcard \d{5}")
_NUMBER: Final = re.compile(r"^#(\d+) · ", re.MULTILINE)
"""Whose picture it is, under it."""
_NEXT: Final = re.compile(re.escape(said("result-next", task=0)).replace("0", r"(\d+)"))
_GOING_ON: Final = ("⏳", "⏸", "📤", "🔎", "🎨", "📥", "✋")
"""What progress messages begin with."""
_STOPPED: Final = ("progress-cancelled", "progress-stopped", "progress-stopping")
"""What they say of what was stopped."""
_SHOWING: Final = frozenset({"sendPhoto", "sendMediaGroup", "sendDocument"})
_TOOK_EFFECT: Final = frozenset({"kill_after", "reset_after"})
REASON: Final = "submission-uncertain"
MOST_UNCERTAIN: Final = 2


def reckon(seen: Evidence) -> Reckoning:
    """Count, and compare; what is wrong is listed, in words."""
    return _Books(seen).reckon()


class _Books:
    """The evidence, sorted by photo."""

    def __init__(self, seen: Evidence) -> None:
        self._seen = seen
        asked = len(seen.sent) + sum(sent.pressed is not None for sent in seen.sent)
        self._sum = Reckoning(kills=Counter(seen.kills), photos=asked)
        self._tasks = _by_prompt(seen.tasks)
        self._made = _by_prompt(seen.made["tasks"])
        self._submits = defaultdict[str, list[JSON]](list)
        for call in seen.hidream:
            if call["call"] == "submit":
                self._submits[_prompt_in(str(call["params"].get("prompt")))].append(call)
        self._sends = defaultdict[int, list[JSON]](list)
        self._buttons = defaultdict[int, list[JSON]](list)
        for call in sorted(seen.telegram, key=lambda call: str(call["time"])):
            if call["call"] in _SHOWING:
                self._sends[_task_in(_caption(call))].append(call)
            elif call["call"] == "sendMessage" and (task := _led_on(call["params"]["text"])):
                self._buttons[task].append(call)

    def reckon(self) -> Reckoning:
        self._whole()
        for sent in self._seen.sent:
            for wrong in self._photo(sent):
                self._sum.wrongs.append(f"{sent.photo.prompt}: {wrong}")
        return self._sum

    # --- one photo

    def _photo(self, sent: SentPhoto) -> Iterator[str]:
        tasks = self._tasks[sent.photo.prompt]
        asked = 1 if sent.pressed is None else 2
        if len(tasks) != asked:
            self._sum.lost += max(0, asked - len(tasks))
            yield f"is {len(tasks)} tasks" if asked == 1 else f"is {len(tasks)} tasks, not two"
            return
        for one in sorted(tasks, key=lambda task: int(task["id"])):
            yield from self._task(sent, one, first=one is tasks[0])
        yield from self._told(sent, tasks)

    def _task(self, sent: SentPhoto, task: JSON, *, first: bool) -> Iterator[str]:
        photos = len(json.loads(task["photos"]))
        if photos != sent.photo.parts:
            yield f"is a task of {photos} photos instead of {sent.photo.parts}"
        showings = list(self._showings(sent, task))
        if task["state"] == "cancelled":
            self._sum.cancelled += 1
            if sent.photo.way != "cancelled":
                yield "was stopped, and nobody asked for that"
            if showings:
                yield "was stopped, and shown"
        elif showings:
            self._sum.delivered += 1
        elif self._has_reason(sent, task):
            self._sum.reasons += 1
        else:
            self._sum.lost += 1
            yield f"is lost: the task is {task['state']} {task['failure_id']}"
        yield from self._shown(sent, task, showings)
        yield from self._submitted(sent, task, first=first)

    def _showings(self, sent: SentPhoto, task: JSON) -> Iterator[Sequence[JSON]]:
        """Give each showing in the chat: one message, or an album."""
        for message in self._seen.chats[sent.chat]:
            if picture_of(message) and _task_in(text_of(message)) == task["id"]:
                album = message.get("media_group_id")
                yield [
                    other
                    for other in self._seen.chats[sent.chat]
                    if other is message or (album and other.get("media_group_id") == album)
                ]

    def _has_reason(self, sent: SentPhoto, task: JSON) -> bool:
        return (task["state"], task["failure_id"], task["uncertain"]) == (
            "failed",
            REASON,
            MOST_UNCERTAIN,
        ) and any(
            message["reply_to"] == sent.message_id and _is_reason(text_of(message))
            for message in self._seen.chats[sent.chat]
        )

    def _shown(
        self, sent: SentPhoto, task: JSON, showings: Sequence[Sequence[JSON]]
    ) -> Iterator[str]:
        for showing in showings:
            if len(showing) != sent.photo.count:
                yield f"{len(showing)} pictures instead of {sent.photo.count}"
            if {message["reply_to"] for message in showing} != {sent.message_id}:
                yield "a showing is no reply to its photo"
            if _prompt_in(text_of(showing[0])) != sent.photo.prompt:
                yield "a showing has other words"
        tries, ways_on = self._sends[task["id"]], self._buttons[task["id"]]
        repeats = sum(step["repeats"] for step in self._seen.steps if step["task_id"] == task["id"])
        extra = 0
        led_on = [m for m in self._seen.chats[sent.chat] if _led_on(text_of(m)) == task["id"]]
        for calls, seen, what in (
            (tries, showings, "showings"),
            (ways_on, led_on, "messages with buttons"),
        ):
            effective = [call for call in calls if _took_effect(call)]
            if len(effective) != len(seen):
                yield f"{len(seen)} {what}, and {len(effective)} calls that took effect"
            if self._again_without_cause(effective):
                yield f"{what} came again although the answer had arrived"
            extra += max(0, len(seen) - 1)
        if showings and sent.photo.count > 1 and not led_on:
            yield "an album has no buttons"
        notices = [call for call in self._messages_to(sent) if _is_reason(call["params"]["text"])]
        reached = sum(max(0, len(calls) - 1) for calls in (tries, ways_on, notices))
        if reached > repeats:
            yield f"{reached} tries beyond one reached Telegram, and {repeats} are counted"
        if repeats > self._causes(sent, task, [*tries, *ways_on, *notices]):
            yield f"{repeats} repeats are counted, more than have a cause"
        self._sum.shown_twice += extra
        self._sum.repeats_before_arrival += repeats - extra

    def _submitted(self, sent: SentPhoto, task: JSON, *, first: bool) -> Iterator[str]:
        rows = [row for row in self._seen.submissions if row["task_id"] == task["id"]]
        made = self._of(task, self._made[sent.photo.prompt], first=first)
        requests = [{"call": call, **call["params"]} for call in self._submits[sent.photo.prompt]]
        calls = [one["call"] for one in self._of(task, requests, first=first)]
        extra, uncertain = max(0, len(made) - 1), task["uncertain"]
        if len(calls) > len(rows):
            yield f"{len(calls)} submissions reached HiDream, and {len(rows)} have a row"
        perhaps_there = [row for row in rows if row["outcome"] not in {"refused", "not_sent"}]
        if len({one["request_id"] for one in [*made, *perhaps_there]}) > 1:
            yield "its submissions have several request ids"
        if len(made) != sum(_took_effect(call) for call in calls):
            yield f"{len(made)} tasks at HiDream do not agree with its calls"
        if task["state"] == "delivered":
            own = [one for one in made if one["task_id"] == task["hidream_task_id"]]
            if not own:
                yield "its pictures are of no task of its own"
            elif own[0]["prompt"] != task["prompt"]:
                yield f"its pictures are of other words: {own[0]['prompt']}"
        struck = sum(call["outcome"] == "fault" for call in calls)
        if struck > uncertain or extra > uncertain or uncertain > MOST_UNCERTAIN:
            yield f"{struck} answers lost for sure, {extra} made twice, {uncertain} uncertain"
        if uncertain > self._causes(sent, task, calls):
            yield f"{uncertain} submissions are uncertain, more than have a cause"
        if self._seen.plan.lookup and extra:
            yield "made twice, although HiDream could be asked"
        outcomes = Counter(row["outcome"] for row in rows)
        there = outcomes["accepted"] + outcomes["uncertain"]
        if len(made) > there or outcomes["uncertain"] > uncertain:
            yield f"{len(made)} tasks at HiDream, and its submissions were {dict(outcomes)}"
        self._sum.submitted_twice += extra
        self._sum.found_again += uncertain - outcomes["uncertain"]
        self._sum.never_arrived += there - len(made)

    def _of(self, task: JSON, requests: Sequence[JSON], *, first: bool) -> list[JSON]:
        """Give those of a photo's requests that are of this task; the first has those of none, too."""
        owners = {row["request_id"]: row["task_id"] for row in self._seen.submissions}
        return [
            one
            for one in requests
            if owners.get(one.get("request_id"), task["id"] if first else None) == task["id"]
        ]

    def _causes(self, sent: SentPhoto, task: JSON, calls: Sequence[JSON]) -> int:
        """Count what can have lost an answer about a task: kills in its time, and faults without one."""
        resets = sum(call["detail"] == "reset_after" for call in calls)
        begun = sent.life if task["parent_id"] is None else sent.pressed or 0
        return int(self._life_at(_moment(task["finished_at"])) - begun + resets)

    def _again_without_cause(self, effective: Sequence[JSON]) -> bool:
        """Say whether any of these calls was repeated by a process that had its answer."""
        return any(
            not _is_lost(earlier) and self._life(earlier) == self._life(later)
            for earlier, later in pairwise(effective)
        )

    def _messages_to(self, sent: SentPhoto) -> list[JSON]:
        return [
            call
            for call in self._seen.telegram
            if call["call"] == "sendMessage"
            and call["params"].get("chat_id") == sent.chat
            and (call["params"].get("reply_parameters") or {}).get("message_id") == sent.message_id
        ]

    def _life(self, call: JSON) -> int:
        return self._life_at(datetime.fromisoformat(call["time"]))

    def _life_at(self, moment: datetime) -> int:
        return sum(start <= moment for start in self._seen.starts) - 1

    def _told(self, sent: SentPhoto, tasks: Sequence[JSON]) -> Iterator[str]:
        """Look at the messages about a photo that are still in its chat and have no picture."""
        texts = {
            message["message_id"]: text_of(message)
            for message in self._seen.chats[sent.chat]
            if message["reply_to"] == sent.message_id and not picture_of(message)
        }
        offered = any(_is(text, "edited-late") for text in texts.values())
        if sent.photo.way == "edited" and not (CHANGED in tasks[0]["prompt"] or offered):
            yield "was edited, and is neither made of the new words nor offered anew"
        answers = {"edited-late", "edited-changed"} if sent.photo.way == "edited" else set()
        left = [
            number
            for number, text in texts.items()
            if not any(_is(text, one) for one in {REASON, *answers, *_STOPPED})
            and not (_led_on(text) and _led_on(text) in {task["id"] for task in tasks})
        ]
        self._sum.left_behind += len(left)
        told = [
            call
            for call in self._messages_to(sent)
            if _took_effect(call) and unescape(call["params"]["text"]).startswith(_GOING_ON)
        ]
        # the same again has a message of its own
        moments = [_moment(task["created_at"]) for task in tasks[1:]]
        for of_one in _divided(told, moments):
            if self._again_without_cause(of_one):
                yield "a second progress message although the answer had arrived"
        last = len(self._seen.starts) - 1
        if len(left) > sum(_is_lost(call) or self._life(call) < last for call in told):
            yield f"a message is left although nobody was killed: {[texts[one] for one in left]}"
        for task in tasks:
            if task["progress_message_id"] in left:
                over = self._life_at(_moment(task["finished_at"]))
                if over == last or over not in {self._life(call) for call in told}:
                    yield "the progress message that the bot knows of is left"

    # --- all of it

    def _whole(self) -> None:
        seen, wrongs = self._seen, self._sum.wrongs
        self._sum.repeats = sum(step["repeats"] for step in seen.steps)
        self._sum.unanswered = sum(task["uncertain"] for task in seen.tasks)
        self._sum.peak = seen.made["peak_parallel"]
        counted = (seen.tallies["repeated"], seen.tallies["unanswered"])
        if counted != (self._sum.repeats, self._sum.unanswered):
            wrongs.append(f"the tallies {counted} are not the sums of what they count")
        if self._sum.peak > seen.parallel:
            wrongs.append(f"{self._sum.peak} tasks ran at once, and {seen.parallel} may")
        wrongs += [
            f"{call['call']} {call['outcome']}: {call['detail']}"
            for call in [*seen.telegram, *seen.hidream]
            if call["outcome"] == "strict"
            or (call["call"] == "submit" and call["outcome"] == "refused")
        ]
        if seen.aside:
            wrongs.append(f"{len(seen.aside)} updates were set aside")
        if seen.integrity != [{"integrity_check": "ok"}]:
            wrongs.append(f"the database is broken: {seen.integrity}")
        answered = {
            (sent.chat, number) for sent in seen.sent for number in (sent.message_id, *sent.others)
        }
        # what leads on from an album is a reply to it
        answered |= {
            (chat, message["message_id"])
            for chat, messages in seen.chats.items()
            for message in messages
            if picture_of(message)
        }
        wrongs += [
            f"a message to nobody: {message}"
            for chat, messages in seen.chats.items()
            for message in messages
            if (chat, message["reply_to"]) not in answered
        ]


def _by_prompt(rows: Sequence[JSON]) -> defaultdict[str, list[JSON]]:
    found = defaultdict[str, list[JSON]](list)
    for row in rows:
        found[_prompt_in(str(row["prompt"]))].append(row)
    return found


def _prompt_in(text: str) -> str:
    found = _PROMPT.search(text)
    return found.group() if found else ""


def _caption(call: JSON) -> str:
    params = call["params"]
    first = params["media"][0] if "media" in params else params
    return str(first.get("caption") or "")


def _task_in(text: str) -> int:
    found = _NUMBER.search(text)
    return int(found[1]) if found else 0


def _led_on(text: str) -> int:
    """Give the task that a message has the buttons for; 0: it is another one."""
    found = _NEXT.fullmatch(unescape(text))
    return int(found[1]) if found else 0


def _divided(calls: Sequence[JSON], moments: Sequence[datetime]) -> list[list[JSON]]:
    """Divide calls by when they were made."""
    parts: list[list[JSON]] = [[] for _ in range(len(moments) + 1)]
    for call in calls:
        at = datetime.fromisoformat(call["time"])
        parts[sum(moment <= at for moment in moments)].append(call)
    return parts


def _moment(microseconds: float) -> datetime:
    return datetime.fromtimestamp(microseconds / 1e6, tz=UTC)


def _is_reason(text: str) -> bool:
    return _is(text, REASON)


def _is(text: str, sentence: str) -> bool:
    return unescape(text) == said(sentence)


def _took_effect(call: JSON) -> bool:
    return call["outcome"] == "ok" or call["detail"] in _TOOK_EFFECT


def _is_lost(call: JSON) -> bool:
    return call["detail"] in _TOOK_EFFECT
