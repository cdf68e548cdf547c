"""The buttons under results, in one process: what each makes, says and takes away."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.errors import PutOff
from bot.messages import Gone, Later, Refused, Unknown
from bot.pictures import AspectRatio, PictureRequest
from bot.placeholder import placeholder
from storage.tasks import Photo, Task
from tests.gallery import ADA, PHOTO, SNOW, Gallery
from tests.parlour import JSON

FOUR = replace(SNOW, count=4)
BUTTONS = ["button-repeat", "button-ratio", "button-count", "button-words", "button-use"]
RESULT = [*BUTTONS, "button-file", "button-delete"]

Make = Callable[..., Gallery]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Open a gallery."""
    return lambda **more: Gallery(tmp_path, **more)


async def last(gallery: Gallery) -> Task:
    """Give the task that was made last."""
    return (await gallery.tasks())[-1]


# --- the same, or nearly


async def test_again_keeps_all_there_is(make: Make) -> None:
    """All photos, of whatever kind, settings and place stay; while it is unfinished there is one."""
    gallery = make()
    photos = (
        Photo(file_id="", file_unique_id="", kind="url", url="https://example.com/a.jpg"),
        Photo(file_id="s", file_unique_id="us", kind="sticker"),
        replace(PHOTO, spoiler=True),
    )
    task = await gallery.result(photos=photos)
    message = gallery.under(task)
    assert await gallery.tap(message, "again:1", update_id=500) == "pressed-again"
    again = await last(gallery)
    assert (again.photos, again.settings, again.place) == (photos, task.settings, task.place)
    assert (again.parent_id, again.user_id) == (task.id, ADA)
    assert await gallery.tap(message, "again:1") == "pressed-already"
    assert await gallery.tap(message, "again:001:x") == "pressed-already", "it is the same button"
    await gallery.over(again)
    assert await gallery.tap(message, "again:1", update_id=500) == "pressed-again", "a repeat"
    assert len(await gallery.tasks()) == 2
    assert await gallery.tap(message, "again:1") == "pressed-again"
    assert len(await gallery.tasks()) == 3
    assert gallery.walls.shows[message].labels() == RESULT, "a result keeps its buttons"


async def test_another_shape(make: Make) -> None:
    """The seven take the buttons' place, the present one marked; a tap makes it, and they come back."""
    gallery = make()
    task = await gallery.result()
    message = gallery.under(task)
    shown = gallery.walls.shows
    assert await gallery.tap(message, "ratio:1") == ""
    data = shown[message].data()
    assert data == [*(f"ratio:1:{ratio}" for ratio in AspectRatio), "ratio:1:back"]
    assert shown[message].labels()[data.index("ratio:1:4:3")] == "button-shape-now"
    await gallery.tap(message, "ratio:1:back")
    assert shown[message].labels() == RESULT
    await gallery.tap(message, "ratio:1")
    assert await gallery.tap(message, "ratio:1:16:9") == "pressed-go"
    assert shown[message].labels() == RESULT
    assert (await last(gallery)).settings == replace(SNOW, ratio="16:9")
    assert await gallery.tap(message, "ratio:1:16:9") == "pressed-already"
    assert await gallery.tap(message, "ratio:1:9:16") == "pressed-go", "that is another one"
    for wrong in ("ratio:1:5:7", "ratio:1:16", "ratio:1:16:9:1"):
        assert await gallery.tap(message, wrong) == "pressed-unknown"
    assert len(await gallery.tasks()) == 3


async def test_another_number(make: Make) -> None:
    """×4 makes four, and ×1 where there were four; no other number can be forged."""
    gallery = make()
    task = await gallery.result()
    assert "count:1:4" in gallery.walls.shows[gallery.under(task)].data()
    assert await gallery.tap(gallery.under(task), "count:1:4") == "pressed-go"
    assert (await last(gallery)).settings == FOUR
    for wrong in ("count:1", "count:1:0", "count:1:5", "count:1:-1", "count:1:x"):
        assert await gallery.tap(gallery.under(task), wrong) == "pressed-unknown"
    four = await gallery.result(FOUR)
    assert f"count:{four.id}:1" in gallery.walls.shows[gallery.under(four)].data()


async def test_an_edit_that_must_wait_is_made_up_for(make: Make) -> None:
    """The press is handled again, and makes nothing twice; buttons that are gone hold nothing up."""
    gallery = make()
    task = await gallery.result()
    message = gallery.under(task)
    gallery.walls.ends["edit_buttons"] = [Later(seconds=5, reason="")]
    with pytest.raises(PutOff):
        await gallery.tap(message, "ratio:1:16:9", update_id=500)
    assert await gallery.tap(message, "ratio:1:16:9", update_id=500) == "pressed-go"
    assert len(await gallery.tasks()) == 2
    gallery.walls.ends["edit_buttons"] = [Refused(reason="message to edit not found")]
    assert await gallery.tap(message, "ratio:1:1:1") == "pressed-go"


async def test_a_reason_tells_what_came_of_it(make: Make) -> None:
    """Once it is made again its buttons go, and it says as which number."""
    gallery = make()
    task = await gallery.failed()
    message = gallery.under(task)
    assert gallery.walls.shows[message].labels() == ["button-again", "button-words"]
    gallery.walls.ends["edit"] = [Later(seconds=5, reason="")]
    with pytest.raises(PutOff):
        await gallery.tap(message, "again:1", update_id=500)
    assert await gallery.tap(message, "again:1", update_id=500) == "pressed-again"
    assert gallery.walls.shows[message].lines == ("review-refused", "made-again")
    assert gallery.walls.shows[message].buttons == ()
    assert len(await gallery.tasks()) == 2


# --- other words, another photo


async def test_other_words_keep_the_settings(make: Make) -> None:
    """They are those of the picture, whatever holds for the person by then."""
    gallery = make()
    task = await gallery.result(replace(SNOW, negative="", ratio=None))
    assert await gallery.tap(gallery.under(task), "words:1") == "pressed-words"
    question = gallery.last
    assert question.ask
    assert question.target.reply_to == task.place.message_id, "the field for it opens"
    other = PictureRequest(prompt="", negative="blur", ratio=AspectRatio.R16_9, count=3)
    house = replace(gallery.desk.house(), defaults=other)
    object.__setattr__(gallery.desk, "house", lambda: house)
    await gallery.post("make it blue")
    made = await last(gallery)
    assert made.settings == replace(SNOW, prompt="make it blue", negative="", ratio=None)
    assert (made.parent_id, made.photos) == (task.id, task.photos)


async def test_a_result_as_the_new_photo(make: Make) -> None:
    """It asks what to make of it; its photo is Telegram's own copy, as covered as the first was."""
    gallery = make()
    task = await gallery.result(photos=(replace(PHOTO, spoiler=True),))
    message = gallery.under(task)
    assert gallery.walls.shows[message].spoiler
    assert await gallery.tap(message, "use:1") == "pressed-use"
    assert gallery.last.ids == ["ask-use"]
    assert gallery.last.ask
    await gallery.post("at night")
    made = await last(gallery)
    [photo] = made.photos
    assert (photo.file_id, photo.kind, photo.spoiler) == (f"photo {message}", "photo", True)
    assert (photo.width, photo.height) == (1024, 768)
    assert (made.parent_id, made.settings.prompt) == (task.id, "at night")


async def test_one_of_several_as_the_new_photo(make: Make) -> None:
    """Which one is chosen by number; then the buttons are as before. A file stays a file."""
    gallery = make()
    task = await gallery.result(replace(FOUR, as_file=True))
    message, first = gallery.under(task), min(gallery.walls.shows)
    shown = gallery.walls.shows
    own = shown[message].labels()
    assert "button-file" not in own, "they are files already"
    assert await gallery.tap(message, "use:1") == "pressed-which"
    assert shown[message].data() == [*(f"use:1:{n}" for n in range(4)), "use:1:back"]
    await gallery.tap(message, "use:1:back")
    assert shown[message].labels() == own
    await gallery.tap(message, "use:1")
    gallery.walls.ends["edit_buttons"] = [Later(seconds=5, reason="")]
    with pytest.raises(PutOff):
        await gallery.tap(message, "use:1:2", update_id=500)
    assert await gallery.tap(message, "use:1:2", update_id=500) == "pressed-use"
    assert [said.ids for said in gallery.telegram.said].count(["ask-use-one"]) == 1, "asked once"
    assert shown[message].labels() == own
    assert gallery.last.lines[0].data == {"task": 1, "number": 3}
    await gallery.post("at night")
    [photo] = (await last(gallery)).photos
    pictures = sorted(number for number in shown if number >= 20_000)
    assert (photo.file_id, photo.kind) == (f"document {pictures[2]}", "document")
    assert first
    for wrong in ("use:1:4", "use:1:x"):
        assert await gallery.tap(message, wrong) == "pressed-no-picture"


async def test_under_a_late_picture_it_means_that_one(make: Make) -> None:
    """A button under one of several, in a message of its own, needs no number."""
    gallery = make()
    task = await gallery.late(replace(SNOW, count=2))
    message = gallery.under(task)
    assert await gallery.tap(message, "use:1") == "pressed-use"
    await gallery.post("at night")
    [photo] = (await last(gallery)).photos
    assert photo.file_id == f"photo {message}"


async def test_nothing_to_use(make: Make) -> None:
    """Where there is no picture, nothing is asked."""
    gallery = make()
    task = await gallery.failed()
    assert await gallery.tap(gallery.under(task), "use:1") == "pressed-no-picture"
    assert gallery.walls.alerts == ["pressed-no-picture"]


# --- original files


async def test_original_files(make: Make, tmp_path: Path) -> None:
    """They come as documents beside the result, and belong to it; later it is said that they are gone."""
    gallery = make()
    task = await gallery.result(FOUR)
    message = gallery.under(task)
    before = set(gallery.walls.shows)
    assert await gallery.tap(message, "file:1") == "pressed-file"
    new = sorted(gallery.walls.shows.keys() - before)
    assert [gallery.walls.shows[number].sent_as for number in new] == ["document"] * 4
    assert [gallery.walls.shows[number].content for number in new] == [
        tmp_path / "1" / str(n) for n in range(4)
    ]
    noted = [await gallery.store.task_at(ADA, number) for number in new]
    assert [one and (one.task_id, one.role, one.n) for one in noted] == [
        (1, "file", n) for n in range(4)
    ]
    await gallery.files.remove(task.id)
    assert await gallery.tap(message, "file:1") == "pressed-file-over"
    assert gallery.walls.alerts == ["pressed-file-over"]


async def test_a_bot_that_keeps_no_files_says_so(make: Make) -> None:
    """Nobody is told of days that there never were."""
    gallery = make(keep_originals=timedelta(0))
    task = await gallery.result()
    await gallery.files.remove(task.id)
    assert await gallery.tap(gallery.under(task), "file:1") == "pressed-file-never"


async def test_files_that_do_not_arrive(make: Make) -> None:
    """They are sent again where that may help; what Telegram does not take is said."""
    gallery = make()
    task = await gallery.result()
    message, ends = gallery.under(task), gallery.walls.ends
    for outcome, failed in ((Later(seconds=3, reason=""), False), (Unknown(reason=""), True)):
        ends["send_pictures"] = [outcome]
        with pytest.raises(PutOff) as put_off:
            await gallery.tap(message, "file:1")
        assert put_off.value.failed is failed
    ends["send_pictures"] = [Refused(reason="too large")]
    await gallery.tap(message, "file:1")
    assert gallery.last.ids == ["file-refused"]
    said = len(gallery.walls.said)
    ends["send_pictures"] = [Gone(reason="blocked")]
    await gallery.tap(message, "file:1")
    assert len(gallery.walls.said) == said


# --- deleting


async def test_delete_asks_first(make: Make) -> None:
    """Nothing goes at the first tap; with no, all is as it was."""
    gallery = make()
    task = await gallery.result()
    message = gallery.under(task)
    assert await gallery.tap(message, "delete:1") == "pressed-delete"
    assert gallery.walls.shows[message].data() == ["delete:1:yes", "delete:1:back"]
    assert await gallery.tap(message, "delete:1:back") == "pressed-kept"
    assert gallery.walls.shows[message].labels() == RESULT
    assert await gallery.tap(message, "delete:1:maybe") == "pressed-unknown"


async def test_delete_while_it_is_new(make: Make, tmp_path: Path) -> None:
    """All our messages of it go, and files and ids; the words stay. A repeat does no harm."""
    gallery = make()
    task = await gallery.result(FOUR)
    await gallery.tap(gallery.under(task), "file:1")
    other = await gallery.result()
    message = gallery.under(task)
    for _ in range(2):
        assert await gallery.tap(message, "delete:1:yes", update_id=700) == "pressed-deleting"
        assert gallery.last.ids == ["deleted-all", "deleted-stays"]
    assert gallery.last.target.reply_to == task.place.message_id
    left = {n: one for n, one in gallery.walls.shows.items() if one.lines[:1] != ("deleted-all",)}
    assert list(left) == [gallery.under(other)]
    assert [path.name for path in tmp_path.iterdir()] == [str(other.id)]
    assert {image.file_id for image in await gallery.store.images(task.id)} == {None}
    assert await gallery.store.messages_of(task.id) == []
    emptied = await gallery.store.get(task.id)
    assert emptied is not None
    assert emptied.settings == task.settings


async def test_delete_when_it_is_old(make: Make) -> None:
    """A grey picture stands where each was; what cannot be touched is counted."""
    gallery = make()
    task = await gallery.result(replace(FOUR, count=3))
    gallery.walls.old = True
    message = gallery.under(task)
    first, second, third = (number for number in gallery.walls.shows if number >= 20_000)
    gallery.walls.stuck.add(third)
    shows = gallery.walls.shows
    shows[1] = replace(shows[third], buttons=shows[message].buttons)
    await gallery.store.note_message(task.id, ADA, 1, "other", gallery.clock.now())
    await gallery.tap(message, "delete:1:yes")
    assert shows[1].buttons == ()
    grey = placeholder().content
    assert [shows[number].content == grey for number in (first, second, third)] == [1, 1, 0]
    assert [shows[number].lines for number in (first, second)] == [("deleted",), ()]
    assert (shows[message].lines, shows[message].buttons) == (("deleted",), ())
    says = ["deleted-here", "deleted-replaced", "deleted-left", "deleted-stays"]
    assert gallery.last.ids == says
    assert [line.data.get("count") for line in gallery.last.lines] == [None, 4, 1, None]


async def test_an_interrupted_delete_goes_on(make: Make) -> None:
    """Whatever was in the way, the end is the same, and so is what is said of it."""
    gallery = make()
    task = await gallery.result(replace(FOUR, count=3))
    message, ends = gallery.under(task), gallery.walls.ends
    gallery.walls.old = True
    for call, outcome in (
        ("delete", Later(seconds=3, reason="")),
        ("replace_picture", Unknown(reason="")),
    ):
        ends[call] = [outcome]
        with pytest.raises(PutOff):
            await gallery.tap(message, "delete:1:yes", update_id=700)
    gallery.walls.outcomes = [Later(seconds=3, reason="")]
    with pytest.raises(PutOff):
        await gallery.tap(message, "delete:1:yes", update_id=700)
    await gallery.tap(message, "delete:1:yes", update_id=700)
    assert [line.data.get("count") for line in gallery.last.lines] == [None, 4, None]
    assert await gallery.store.messages_of(task.id) == []


async def test_what_was_said_is_forgotten_all_the_same(make: Make) -> None:
    """Where the last answer was lost, the pictures' ids are gone before it is said again."""
    gallery = make()
    task = await gallery.result()
    gallery.walls.outcomes = [Unknown(reason="")]
    with pytest.raises(PutOff):
        await gallery.tap(gallery.under(task), "delete:1:yes")
    assert [image.file_id for image in await gallery.store.images(task.id)] == [None]


async def test_delete_after_the_group_has_moved(make: Make) -> None:
    """Its messages are not known any more: the one that was pressed in goes, others are counted."""
    gallery = make()
    group = replace((await gallery.result()).place, chat_id=-5, chat_type="group")
    one, several = await gallery.result(place=group), await gallery.result(FOUR, place=group)
    await gallery.store.move_chat(-5, -1005)
    await gallery.tap(gallery.under(one), f"delete:{one.id}:yes")
    assert gallery.last.ids == ["deleted-all", "deleted-stays"]
    gallery.walls.old = True
    message = gallery.under(several)
    await gallery.tap(message, f"delete:{several.id}:yes")
    assert gallery.last.lines[1].data == {"count": 4}
    assert gallery.walls.shows[message].buttons == ()


async def test_what_is_under_way_is_not_deleted(make: Make) -> None:
    """What is still to come would come after all; that the delivery tidies up is nobody's matter."""
    gallery = make()
    task = await gallery.arriving()
    assert await gallery.tap(gallery.under(task), f"delete:{task.id}:yes") == "pressed-deleting"
    task = await gallery.order()
    assert await gallery.tap(1, f"delete:{task.id}:yes") == "pressed-unfinished"


# --- whoever presses, whenever


async def test_what_has_been_forgotten(make: Make) -> None:
    """Every button says so, and makes nothing; forged ones are not known."""
    gallery = make()
    task = await gallery.result()
    message = gallery.under(task)
    gallery.clock.move(3 * 3600)
    now = gallery.clock.now()
    await gallery.store.prune(now=now, inbox_before=now, finished_before=now, limit=9)
    for action in ("again", "ratio", "count", "words", "use", "file"):
        assert await gallery.tap(message, f"{action}:1:1") == "pressed-forgotten"
    assert await gallery.tap(message, "delete:1:yes") == "pressed-forgotten-delete"
    assert message in gallery.walls.shows
    for forged in ("again:9", "use:", "file:-1", "delete:1 OR 1=1", "ratio:" + "9" * 40):
        assert await gallery.tap(message, forged) == "pressed-unknown"
    assert len(await gallery.tasks()) == 1


@pytest.mark.parametrize(
    "data", ["again:1", "ratio:1", "count:1:4", "words:1", "use:1", "file:1", "delete:1:yes"]
)
async def test_not_for_everybody(make: Make, data: str) -> None:
    """Nobody else may press, nor who may no longer use the bot; of a chat that asked, its admins may."""
    gallery = make()
    gallery.walls.admins = {(-5, 3)}
    await gallery.result()
    anonymous = await gallery.result(user_id=-5)
    assert await gallery.tap(gallery.under(anonymous), data, user=2) == "pressed-not-yours"
    theirs = data.replace("1", str(anonymous.id), 1)
    assert await gallery.tap(gallery.under(anonymous), theirs, user=2) == "pressed-not-yours"
    assert await gallery.tap(gallery.under(anonymous), theirs, user=3) != "pressed-not-yours"
    shut = make(allowed_users=[9])
    task = await shut.result()
    assert await shut.tap(shut.under(task), data) == "pressed-not-allowed"


@pytest.mark.parametrize("action", ["delete:{}:yes", "ratio:{}", "ratio:{}:back", "again:{}"])
async def test_forged_under_anothers_message(make: Make, action: str) -> None:
    """With one's own task's number, nobody deletes or changes a message of somebody else's task."""
    gallery = make()
    own = await gallery.failed(user_id=2)
    result, reason = await gallery.result(), await gallery.failed()
    for theirs in (result, reason):
        message = gallery.under(theirs)
        before = gallery.walls.shows[message]
        assert await gallery.tap(message, action.format(own.id), user=2) == "pressed-not-yours"
        assert gallery.walls.shows[message] == before


async def test_too_much_at_one_time(make: Make) -> None:
    """It is said in a notice that stays, and nothing is made."""
    gallery = make(max_unfinished=1)
    task = await gallery.result()
    await gallery.order()
    for data in ("again:1", "ratio:1:16:9", "count:1:4"):
        assert await gallery.tap(gallery.under(task), data) == "pressed-too-many"
    assert gallery.walls.alerts == ["pressed-too-many"] * 3


async def test_years_later(make: Make) -> None:
    """Of an old message Telegram tells no more than its number: the buttons work all the same."""
    gallery = make()
    task = await gallery.result()
    message = gallery.under(task)
    gallery.clock.move(3 * 365 * 86_400)
    for data, answer in (
        ("again:1", "pressed-again"),
        ("words:1", "pressed-words"),
        ("ratio:1", ""),
        ("use:1", "pressed-use"),
        ("file:1", "pressed-file"),
        ("delete:1:yes", "pressed-deleting"),
    ):
        query: JSON = {
            "id": "1",
            "from": {"id": ADA, "is_bot": False, "first_name": "Ada"},
            "chat_instance": "1",
            "message": {"chat": {"id": ADA, "type": "private"}, "message_id": message, "date": 0},
            "data": data,
        }
        await gallery.update({"callback_query": query})
        assert gallery.walls.notices[-1] == answer, data
    assert message not in gallery.walls.shows
