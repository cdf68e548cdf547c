"""What goes wrong at HiDream or at Telegram ends in a picture all the same, or an honest reason."""

from datetime import datetime
from pathlib import Path

import pytest

from sandbox.hidream.settings import Settings
from tests.e2e.world import buttons_of, opened, said, text_of

BOTH = [said("button-again"), said("button-words")]

# --- HiDream


async def test_lost_answer_to_a_submission_is_found(tmp_path: Path) -> None:
    """Where HiDream can be asked by our request id, a lost answer costs nothing twice."""
    async with opened(tmp_path) as world:
        await world.fault("hidream", "submit", "reset_after")
        await world.start()
        ada = await world.person()
        await ada.photo("sepia")
        await ada.gets(1)
        assert len((await world.made())["tasks"]) == 1
        assert world.rows("SELECT uncertain FROM tasks") == [{"uncertain": 1}]


async def test_lost_answer_is_submitted_again_once(tmp_path: Path) -> None:
    """Where HiDream does not know request ids, a lost answer is followed by one more submission."""
    settings = Settings(seconds=0.5, parallel=10, lookup_by_request_id=False)
    async with opened(tmp_path, settings=settings) as world:
        await world.fault("hidream", "submit", "reset_after")
        await world.start()
        ada = await world.person()
        await ada.photo("sepia")
        await ada.gets(1)
        submitted = await world.calls("hidream", call="submit")
        assert len(submitted) == 2
        assert len({call["params"]["request_id"] for call in submitted}) == 1


async def test_two_lost_answers_end_honestly(tmp_path: Path) -> None:
    """A second lost answer ends in a reason, not in a third submission."""
    settings = Settings(seconds=0.5, parallel=10, lookup_by_request_id=False)
    async with opened(tmp_path, settings=settings) as world:
        await world.fault("hidream", "submit", "reset_after", times=5)
        await world.start()
        ada = await world.person()
        await ada.photo("sepia")
        reason = await ada.reads(said("submission-uncertain"))
        assert buttons_of(reason) == BOTH
        assert len(await world.calls("hidream", call="submit")) == 2


async def test_lost_answer_holds_its_slot(tmp_path: Path) -> None:
    """With one slot, a lost submission keeps it: nothing more is submitted while it may be running."""
    settings = Settings(seconds=0.5, parallel=1, lookup_by_request_id=False)
    async with opened(tmp_path, settings=settings) as world:
        await world.fault("hidream", "submit", "reset_after")
        await world.start(hidream={"parallel_requests": 1, "task_deadline_seconds": 2})
        ada = await world.person()
        await ada.photo("sepia")
        await ada.gets(1)
        first, second = await world.calls("hidream", call="submit")
        waited = datetime.fromisoformat(second["time"]) - datetime.fromisoformat(first["time"])
        assert waited.total_seconds() > 3.5, "twice the deadline"
        assert (await world.made())["peak_parallel"] == 1


async def test_hidream_down_and_back(tmp_path: Path) -> None:
    """While HiDream is down the person reads that it is paused; then it goes on by itself."""
    async with opened(tmp_path) as world:
        await world.set_hidream(down=True)
        await world.start()
        ada = await world.person()
        await ada.photo("sepia")
        await ada.reads(said("progress-paused"))
        await ada.text("/status")
        await ada.reads("#1")
        await world.set_hidream(down=False)
        await ada.gets(1)


async def test_hidream_down_while_it_runs(tmp_path: Path) -> None:
    """An outage after the submission changes nothing: the result is fetched when it is over."""
    async with opened(tmp_path) as world:
        await world.start()
        ada = await world.person()
        await ada.photo("sepia")
        await world.task_is("running")
        await world.set_hidream(down=True)
        await ada.text("/status")
        await ada.reads("#1")
        await world.set_hidream(down=False)
        await ada.gets(1)


@pytest.mark.parametrize("style", ["refusal", "429"])
async def test_account_limit_lower_than_configured(tmp_path: Path, style: str) -> None:
    """Tasks that HiDream refuses for its limits are put back, and all are made in the end."""
    settings = Settings(seconds=0.4, parallel=1, over_limit_style=style)
    async with opened(tmp_path, settings=settings) as world:
        await world.start(hidream={"parallel_requests": 3})
        ada = await world.person()
        for n in range(3):
            await ada.photo(f"sepia number {n}")
        await ada.gets(3)
        assert len((await world.made())["tasks"]) == 3


@pytest.mark.parametrize(
    ("statuses", "reason"),
    [
        ((4, 4), "review-refused"),
        ((3, 3), "hidream-failed"),
        ((1004, 1006), "nothing-made"),
    ],
)
async def test_nothing_came_of_it(tmp_path: Path, statuses: tuple[int, ...], reason: str) -> None:
    """A task that ends without a picture ends in its own reason, with both buttons."""
    async with opened(tmp_path) as world:
        await world.next_ends(*statuses)
        await world.start()
        ada = await world.person()
        await ada.photo("sepia /count 2")
        message = await ada.reads(said(reason))
        assert buttons_of(message) == BOTH
        await world.task_is("failed")
        assert len(await ada.sees()) == 1, "the progress message is gone"


async def test_partial_result(tmp_path: Path) -> None:
    """What there is is brought, and what is missing is said, with the reason."""
    async with opened(tmp_path) as world:
        await world.next_ends(1, 3, 1, 4)
        await world.start()
        ada = await world.person()
        await ada.photo("sepia /count 4")
        pictures = await ada.gets(2)
        caption = text_of(pictures[0])
        assert said("partly", count=2, asked=4) in caption
        assert said("missing-failed", count=1) in caption
        assert said("missing-refused", count=1) in caption


async def test_content_is_refused(tmp_path: Path) -> None:
    """A prompt that HiDream refuses ends at once in a reason that says what may help."""
    async with opened(tmp_path) as world:
        await world.start()
        ada = await world.person()
        await ada.photo("make it gore")
        await ada.reads(said("content-refused"))
        assert (await world.made())["tasks"] == []


async def test_took_too_long(tmp_path: Path) -> None:
    """A task that HiDream never ends is given up after its deadline, on HiDream's own word."""
    async with opened(tmp_path) as world:
        await world.next_ends("never")
        await world.start(hidream={"task_deadline_seconds": 2})
        ada = await world.person()
        await ada.photo("sepia")
        await ada.reads(said("took-too-long"))
        held = world.rows("SELECT count(*) AS n FROM submissions WHERE released_at IS NULL")
        assert held == [{"n": 1}], "its slot is still held"


@pytest.mark.parametrize("more", [{"times": 2, "status": 503}, {"times": 3, "status": 404}])
async def test_result_cannot_be_fetched_at_first(tmp_path: Path, more: dict[str, int]) -> None:
    """An image that cannot be fetched at first is fetched later."""
    async with opened(tmp_path) as world:
        await world.fault("hidream", "image", "status", **more)
        await world.start()
        ada = await world.person()
        await ada.photo("sepia")
        await ada.gets(1)


async def test_result_is_no_image(tmp_path: Path) -> None:
    """Bytes that are no image are never shown: the person reads that it could not be fetched."""
    async with opened(tmp_path) as world:
        await world.fault(
            "hidream", "image", "status", status=200, body="<html>hello</html>", times=None
        )
        await world.start()
        ada = await world.person()
        await ada.photo("sepia")
        await ada.reads(said("result-unfetched"))


async def test_no_batch_endpoint(tmp_path: Path) -> None:
    """An account without the batch endpoint is asked task by task."""
    settings = Settings(seconds=0.5, parallel=10, batch=False)
    async with opened(tmp_path, settings=settings) as world:
        await world.start()
        ada = await world.person()
        await ada.photo("sepia")
        await ada.photo("sepia too")
        await ada.gets(2)
        assert await world.calls("hidream", call="results")


# --- Telegram


async def test_telegram_502_and_429(tmp_path: Path) -> None:
    """Telegram's own trouble delays an answer, and loses none."""
    async with opened(tmp_path) as world:
        await world.fault("telegram", "sendPhoto", "status", status=502, times=2)
        await world.fault("telegram", "sendMessage", "status", status=502, times=2)
        await world.start()
        ada, bob = await world.person(), await world.person("Bob")
        await world.fault(
            "telegram", "sendPhoto", "status", status=429, retry_after=2, times=1,
            match={"chat_id": str(bob.id)},
        )  # fmt: skip
        await ada.photo("sepia")
        await bob.photo("sepia too")
        await ada.gets(1)
        await bob.gets(1)
        assert len((await world.made())["tasks"]) == 2, "nothing was submitted again"


async def test_lost_answer_to_a_picture(tmp_path: Path) -> None:
    """A picture whose arrival is not known is sent again, and that is counted."""
    async with opened(tmp_path) as world:
        await world.fault("telegram", "sendPhoto", "reset_after")
        await world.start()
        ada = await world.person()
        await ada.photo("sepia")
        await ada.gets(2)
        await world.task_is("delivered")
        assert world.rows("SELECT repeats FROM steps WHERE name = 'pictures'") == [{"repeats": 1}]


async def test_telegram_down_while_it_runs(tmp_path: Path) -> None:
    """Pictures wait on disk while Telegram is down."""
    async with opened(tmp_path) as world:
        await world.start()
        ada = await world.person()
        await ada.photo("sepia")
        await world.task_is("running")
        await world.fault("telegram", "*", "reset_before", times=None)
        await world.task_is("ready", "delivering")
        await world.no_faults()
        await ada.gets(1)


async def test_blocked_user(tmp_path: Path) -> None:
    """Whoever blocks the bot is not written to, and what they had in line is not made."""
    settings = Settings(seconds=1.5, parallel=1)
    async with opened(tmp_path, settings=settings) as world:
        await world.start(hidream={"parallel_requests": 1})
        ada, bob = await world.person(), await world.person("Bob")
        await ada.photo("sepia one")
        await ada.photo("sepia two")
        await world.task_is("running", task=1)
        await bob.photo("night")
        await world.do(f"chats/{ada.id}/block", blocked=True)
        await bob.gets(1)
        await world.task_is("gone", task=1)
        await world.task_is("cancelled", task=2)
        prompts = [task["prompt"] for task in (await world.made())["tasks"]]
        assert prompts == ["sepia one", "night"]


async def test_deleted_messages(tmp_path: Path) -> None:
    """Pictures come also when the photo's message, or the progress message, was deleted."""
    async with opened(tmp_path) as world:
        await world.next_ends("never")
        await world.start()
        ada = await world.person()
        photo = await ada.photo("sepia")
        progress = await ada.reads("HiDream is at it")
        for message in (photo, progress):
            await world.do(f"chats/{ada.id}/delete", message_id=message["message_id"])
        # only now it may end: else its message could have gone before it was seen
        await world.http.post(f"{world.hidream}/sandbox/release", json={"user_id": str(ada.id)})
        [picture] = await ada.gets(1)
        assert picture["message_id"] not in {photo["message_id"], progress["message_id"]}
        await world.task_is("delivered")


async def test_photo_is_gone_at_telegram(tmp_path: Path) -> None:
    """A photo that Telegram no longer has gets its own sentence; nothing is spent."""
    async with opened(tmp_path) as world:
        await world.fault(
            "telegram", "getFile", "status", status=400,
            body='{"ok":false,"error_code":400,"description":"Bad Request: wrong file_id or '
            'the file is temporarily unavailable"}',
        )  # fmt: skip
        await world.start()
        ada = await world.person()
        await ada.photo("sepia")
        reason = await ada.reads(said("photo-gone"))
        assert buttons_of(reason) == []
        assert (await world.made())["tasks"] == []


async def test_picture_that_telegram_refuses_as_a_photo(tmp_path: Path) -> None:
    """A picture that does not go as a photo goes as a file."""
    async with opened(tmp_path) as world:
        await world.fault(
            "telegram", "sendPhoto", "status", status=400,
            body='{"ok":false,"error_code":400,"description":"Bad Request: IMAGE_PROCESS_FAILED"}',
        )  # fmt: skip
        await world.start()
        ada = await world.person()
        await ada.photo("sepia")
        [picture] = await ada.gets(1)
        assert "document" in picture


async def test_group_becomes_a_supergroup(tmp_path: Path) -> None:
    """Pictures follow a group to its new id."""
    async with opened(tmp_path) as world:
        await world.start()
        ada = await world.person()
        group = await world.group(ada)
        await ada.photo("/ratio 16:9 make it snow", chat=group)
        await world.task_is("running")
        moved = await world.do(f"groups/{group}/upgrade")
        await ada.gets(1, chat=moved["id"])
