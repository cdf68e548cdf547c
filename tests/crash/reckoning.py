"""The reckoning after a storm: what people and both services saw against what the bot counted.

A *life* is one start of the bot up to its kill. A call *took effect* if the sandbox did it; its
answer was *lost* if the sandbox never gave it, or gave it to a process that was killed before it
had written it down. These hold exactly, for each photo:

- It is one task, and ended in a picture in its chat, as a reply to it, whole; or in an honest
  reason. The one reason that a storm allows is two submissions without an answer.
- Each showing is a call that took effect. Each but the last lost its answer: by a fault that lost
  it, or by a kill, so that the next showing is of a later life.
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
photos; and a progress message that is left there is one whose answer was lost by a fault or a kill,
so that the bot never knew its id. (Or the bot was killed just after it had learnt the id, of a task
that had become over meanwhile: of such a message only the process that sent it knew that it is left.)
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html import unescape
from itertools import pairwise
from typing import Final

from tests.crash.evidence import Evidence, SentPhoto
from tests.crash.report import Reckoning
from tests.e2e.world import JSON, picture_of, said, text_of

_PROMPT: Final = re.compile(r"postcard \d{5}")
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
        self._sum = Reckoning(kills=Counter(seen.kills), photos=len(seen.sent))
        self._tasks = _by_prompt(seen.tasks)
        self._made = _by_prompt(seen.made["tasks"])
        self._submits = defaultdict[str, list[JSON]](list)
        for call in seen.hidream:
            if call["call"] == "submit":
                self._submits[str(call["params"].get("prompt"))].append(call)
        self._sends = defaultdict[str, list[JSON]](list)
        for call in sorted(seen.telegram, key=lambda call: str(call["time"])):
            if call["call"] in _SHOWING:
                self._sends[_prompt_in(_caption(call))].append(call)

    def reckon(self) -> Reckoning:
        self._whole()
        for sent in self._seen.sent:
            for wrong in self._photo(sent):
                self._sum.wrongs.append(f"{sent.photo.prompt}: {wrong}")
        return self._sum

    # --- one photo

    def _photo(self, sent: SentPhoto) -> Iterator[str]:
        tasks = self._tasks[sent.photo.prompt]
        if len(tasks) != 1:
            self._sum.lost += not tasks
            yield f"is {len(tasks)} tasks"
            return
        [task] = tasks
        showings = list(self._showings(sent))
        if showings:
            self._sum.delivered += 1
        elif self._has_reason(sent, task):
            self._sum.reasons += 1
        else:
            self._sum.lost += 1
            yield f"is lost: the task is {task['state']} {task['failure_id']}"
        yield from self._shown(sent, task, showings)
        yield from self._submitted(sent, task)
        yield from self._left_behind(sent, task)

    def _showings(self, sent: SentPhoto) -> Iterator[Sequence[JSON]]:
        """Give each showing in the chat: one message, or an album."""
        for message in self._seen.chats[sent.chat]:
            if picture_of(message) and _prompt_in(text_of(message)) == sent.photo.prompt:
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
        tries = self._sends[sent.photo.prompt]
        effective = [call for call in tries if _took_effect(call)]
        if len(effective) != len(showings):
            yield f"{len(showings)} showings, and {len(effective)} calls that took effect"
        if self._again_without_cause(effective):
            yield "shown again although the answer had arrived"
        steps = [step for step in self._seen.steps if step["task_id"] == task["id"]]
        repeats = sum(step["repeats"] for step in steps)
        notices = [call for call in self._messages_to(sent) if _is_reason(call["params"]["text"])]
        reached = sum(max(0, len(calls) - 1) for calls in (tries, notices))
        if reached > repeats:
            yield f"{reached} tries beyond one reached Telegram, and {repeats} are counted"
        if repeats > self._causes(sent, task, [*tries, *notices]):
            yield f"{repeats} repeats are counted, more than have a cause"
        self._sum.shown_twice += max(0, len(showings) - 1)
        self._sum.repeats_before_arrival += repeats - max(0, len(effective) - 1)

    def _submitted(self, sent: SentPhoto, task: JSON) -> Iterator[str]:
        made, calls = self._made[sent.photo.prompt], self._submits[sent.photo.prompt]
        rows = [row for row in self._seen.submissions if row["task_id"] == task["id"]]
        extra, uncertain = max(0, len(made) - 1), task["uncertain"]
        if len(calls) > len(rows):
            yield f"{len(calls)} submissions reached HiDream, and {len(rows)} have a row"
        perhaps_there = [row for row in rows if row["outcome"] not in {"refused", "not_sent"}]
        if len({one["request_id"] for one in [*made, *perhaps_there]}) > 1:
            yield "its submissions have several request ids"
        if len(made) != sum(_took_effect(call) for call in calls):
            yield f"{len(made)} tasks at HiDream do not agree with its calls"
        if task["state"] == "delivered" and task["hidream_task_id"] not in _ids(made):
            yield "its pictures are of no task of its own"
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

    def _causes(self, sent: SentPhoto, task: JSON, calls: Sequence[JSON]) -> int:
        """Count what can have lost an answer about a photo: kills in its time, and faults without one."""
        resets = sum(call["detail"] == "reset_after" for call in calls)
        return int(self._life_at(_moment(task["finished_at"])) - sent.life + resets)

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

    def _left_behind(self, sent: SentPhoto, task: JSON) -> Iterator[str]:
        """Look at the progress messages of a photo that are still in its chat."""
        left = [
            message["message_id"]
            for message in self._seen.chats[sent.chat]
            if message["reply_to"] == sent.message_id
            and not picture_of(message)
            and not _is_reason(text_of(message))
        ]
        self._sum.left_behind += len(left)
        told = [
            call
            for call in self._messages_to(sent)
            if _took_effect(call) and not _is_reason(call["params"]["text"])
        ]
        if self._again_without_cause(told):
            yield "a second progress message although the answer had arrived"
        last = len(self._seen.starts) - 1
        if len(left) > sum(_is_lost(call) or self._life(call) < last for call in told):
            yield "a progress message is left although nobody was killed"
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
        photos = {(sent.chat, sent.message_id) for sent in seen.sent}
        wrongs += [
            f"a message to nobody: {message}"
            for chat, messages in seen.chats.items()
            for message in messages
            if (chat, message["reply_to"]) not in photos
        ]


def _by_prompt(rows: Sequence[JSON]) -> defaultdict[str, list[JSON]]:
    found = defaultdict[str, list[JSON]](list)
    for row in rows:
        found[str(row["prompt"])].append(row)
    return found


def _prompt_in(text: str) -> str:
    found = _PROMPT.search(text)
    return found.group() if found else ""


def _caption(call: JSON) -> str:
    params = call["params"]
    first = params["media"][0] if "media" in params else params
    return str(first.get("caption") or "")


def _moment(microseconds: float) -> datetime:
    return datetime.fromtimestamp(microseconds / 1e6, tz=UTC)


def _is_reason(text: str) -> bool:
    return unescape(text) == said(REASON)


def _took_effect(call: JSON) -> bool:
    return call["outcome"] == "ok" or call["detail"] in _TOOK_EFFECT


def _is_lost(call: JSON) -> bool:
    return call["detail"] in _TOOK_EFFECT


def _ids(made: Sequence[JSON]) -> set[str]:
    return {str(one["task_id"]) for one in made}
