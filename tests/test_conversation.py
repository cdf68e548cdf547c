"""Every way to hand in a photo, in one process: what is said, and which tasks come of it."""

from typing import Any

import pytest

from bot import copies
from bot.errors import PutOff
from bot.messages import Later, Unknown
from storage.tasks import Photo, Task, TaskState
from tests.parlour import JSON, NAME, Parlour, sized

GROUP = -100
OWN = "https://example.com/cat.jpg"


def ids(task: Task) -> list[str]:
    """Give the photos of a task."""
    return [photo.file_id or photo.url or "" for photo in task.photos]


async def made(parlour: Parlour) -> list[tuple[list[str], str]]:
    """Give what is to be made: the photos, and the words for them."""
    return [(ids(task), task.settings.prompt) for task in await parlour.tasks()]


# --- photo first, words first


async def test_a_photo_with_words_is_a_task() -> None:
    """Nothing is said: the picture is the answer. A repeated update makes nothing more."""
    parlour = Parlour()
    for _ in range(2):
        await parlour.post("make it snow", photo="a", update_id=7)
    assert await made(parlour) == [(["a"], "make it snow")]
    assert parlour.read() == []


async def test_a_photo_alone_is_asked_about() -> None:
    """The next text within a quarter of an hour is its words; later it is words for the next photo."""
    parlour = Parlour()
    await parlour.post("/ratio 1:1", photo="a")
    assert parlour.read() == [["ask-words"]]
    await parlour.post("make it snow")
    [task] = await parlour.tasks()
    assert (task.settings.prompt, task.settings.ratio) == ("make it snow", "1:1")
    photo = await parlour.post(photo="b")
    question = parlour.last
    parlour.clock.move(16 * 60)
    await parlour.post("in green")
    assert parlour.read() == [["ask-words"], ["words-kept"]]
    await parlour.post("in blue", reply=photo)
    await parlour.post("in red", reply=question)
    assert (await made(parlour))[1:] == [(["b"], "in blue"), (["b"], "in red")]


async def test_what_others_wrote_of_a_forwarded_photo_is_no_order() -> None:
    """Its caption was not written to the bot: nothing is spent before the person has said what to make."""
    parlour = Parlour()
    source: JSON = {"type": "hidden_user", "sender_user_name": "Bob", "date": 1_700_000_000}
    await parlour.post("our new office, in /count 4", photo="a", forward_origin=source)
    assert parlour.read() == [["ask-words"]]
    await parlour.post("make it snow")
    await parlour.post("at night")
    await parlour.post("another caption", photo="b", forward_origin=source)
    assert await made(parlour) == [(["a"], "make it snow"), (["b"], "at night")]


async def test_of_two_photos_both_can_be_answered() -> None:
    """The person is told that two wait; a text goes to the later, a reply to whichever it points at."""
    parlour = Parlour()
    first = await parlour.post(photo="a")
    await parlour.post(photo="b")
    assert parlour.read() == [["ask-words"], ["ask-words", "ask-words-two"]]
    await parlour.post("for the later")
    await parlour.post("for the earlier", reply=first)
    assert await made(parlour) == [(["b"], "for the later"), (["a"], "for the earlier")]


async def test_an_idea_is_tapped() -> None:
    """Its text becomes the words, with the options that came before; only the owner may tap."""
    parlour = Parlour()
    await parlour.post("/n 2", photo="a")
    question = parlour.last
    assert [button.label.id for button in question.buttons] == [
        "idea-snow",
        "idea-painting",
        "idea-night",
    ]
    data = question.buttons[1].data
    assert await parlour.press(question, data, user=2) == "pressed-not-yours"
    assert await parlour.press(question, data, update_id=900) == "pressed-go"
    assert await parlour.press(question, data, update_id=900) == "pressed-go", "a repeat"
    assert await parlour.press(question, data) == "pressed-already"
    [task] = await parlour.tasks()
    assert (task.settings.prompt, task.settings.count) == ("as an oil painting", 2)
    for wrong in ("idea:1:3", "idea:9:0", "idea:x:0", "idea:1:", "go:1", "go:1:each", "nonsense"):
        assert await parlour.press(question, wrong) == "pressed-unknown"


async def test_words_first() -> None:
    """They are kept for the next photo without words of its own, for a quarter of an hour."""
    parlour = Parlour()
    await parlour.post("make it snow /n 2")
    assert parlour.read() == [["words-kept"]]
    await parlour.post("with its own", photo="a")
    await parlour.post("/ratio 1:1", photo="b")
    assert await made(parlour) == [(["a"], "with its own"), (["b"], "make it snow")]
    assert (await parlour.tasks())[1].settings.ratio == "1:1"
    await parlour.post("too early")
    parlour.clock.move(16 * 60)
    await parlour.post(photo="c")
    assert parlour.read() == [["words-kept"], ["ask-words"]]
    await parlour.post("/ratoi 1:1 /n 9 snow", user=2)
    assert parlour.read() == [["option-unknown", "count-wrong", "try-words"]]


async def test_words_that_were_no_words() -> None:
    """A tap forgets them, and takes away what was said of them; only their writer's tap does."""
    parlour = Parlour()
    await parlour.post("what is this?")
    kept = parlour.last
    [button] = kept.buttons
    assert await parlour.press(kept, button.data, user=2) == "pressed-not-yours"
    assert parlour.telegram.deleted == []
    assert await parlour.press(kept, button.data) == "pressed-dropped"
    assert parlour.telegram.deleted == [(1, kept.message_id)]
    await parlour.post(photo="a")
    assert parlour.read() == [["words-kept"], ["ask-words"]]
    for wrong in ("drop:2", "drop:9", "drop:x"):
        assert await parlour.press(kept, wrong) == "pressed-unknown"
    assert await made(parlour) == []


async def test_small_talk_makes_nothing() -> None:
    """Politeness is answered in private, and left alone in a group; a caption and `/edit` mean what they say."""
    parlour = Parlour()
    await parlour.post("Hi!")
    await parlour.post(photo="a")
    await parlour.post("gracias", reply=parlour.last)
    await parlour.post(photo="b", user=2, chat=GROUP, text="/edit")
    await parlour.post("thank you 🙏", user=2, chat=GROUP, reply=parlour.last)
    assert parlour.read() == [["talk-answer"], ["ask-words"], ["talk-answer"], ["ask-words"]]
    await parlour.post("hello", photo="c")
    await parlour.post("/edit hello", user=2, chat=GROUP, reply=parlour.last)
    assert await made(parlour) == [(["c"], "hello"), (["b"], "hello")]


async def test_whoever_says_stop_is_heard() -> None:
    """What is in line is stopped, the one replied to or the only one; then what waits is put away."""
    parlour = Parlour()
    sent = await parlour.post("snow", photo="a")
    await parlour.post("rain", photo="b")
    await parlour.post("cancel please", reply=sent)
    await parlour.post("Stop!")
    assert parlour.read() == [["cancelled"], ["cancelled"]]
    assert {task.state for task in await parlour.tasks()} == {TaskState.CANCELLED}
    await parlour.post(photo="c")
    await parlour.post("/cancel")
    await parlour.post("in green")
    await parlour.post("cancel")
    await parlour.post(photo="d")
    await parlour.post("cancel")
    await parlour.post("cancel")
    assert parlour.read() == [
        *(["ask-words"], ["cancel-waiting"], ["words-kept"], ["cancel-waiting"], ["ask-words"]),
        *(["cancel-waiting"], ["cancel-none"]),
    ]
    assert len(await parlour.tasks()) == 2


async def test_all_mistakes_of_a_caption_are_told_at_once() -> None:
    """The photo is kept; the caption put right does, with nothing of the wrong one in it."""
    parlour = Parlour()
    await parlour.post("snow /ratio 5:7 /n 9", photo="a")
    assert parlour.read() == [["nothing-started", "ratio-wrong", "count-wrong", "try-caption"]]
    assert parlour.last.ask
    await parlour.post("snow /n 9", reply=parlour.last)
    assert parlour.read() == [["nothing-started", "count-wrong", "try-caption"]]
    await parlour.post("snow /n 3", reply=parlour.last)
    [task] = await parlour.tasks()
    assert (task.settings.prompt, task.settings.count, task.settings.ratio) == ("snow", 3, None)


@pytest.mark.parametrize("caption", ["/help", "/start@sandbox_bot", "/foo", ""])
async def test_a_command_alone_is_no_wish(caption: str) -> None:
    """A photo with a command as its caption is asked about."""
    parlour = Parlour()
    await parlour.post(caption, photo="a")
    assert parlour.read() == [["ask-words"]]


async def test_commands_before_words() -> None:
    """One of ours is cut from a caption, /edit too; one that is nobody's may be part of the words."""
    parlour = Parlour()
    for caption in ("/help snow", "/edit snow", "/edit@Sandbox_Bot snow", "/foo snow"):
        await parlour.post(caption, photo="a")
    assert [prompt for _, prompt in await made(parlour)] == ["snow"] * 3 + ["/foo snow"]
    await parlour.post("/foo snow")
    assert parlour.read() == [["unknown-command"]]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({"animation": {"duration": 3}, "document": {}}, "image-animated"),
        ({"video": {"duration": 3}}, "is-a-video"),
        (
            {"sticker": {"type": "regular", "is_animated": True, "is_video": False}},
            "sticker-animated",
        ),
        (
            {"sticker": {"type": "regular", "is_animated": False, "is_video": True}},
            "sticker-animated",
        ),
        ({"document": {"file_name": "cv.pdf"}}, "not-an-image-file"),
        ({"document": {"mime_type": "image/png", "file_size": 30_000_000}}, "file-too-large"),
        ({"dice": {"emoji": "🎲", "value": 6}}, "not-a-photo"),
    ],
)
async def test_what_is_no_still_picture(content: JSON, why: str) -> None:
    """Each kind has a clear no of its own, when it is sent and when words reply to it."""
    parlour = Parlour()
    some: JSON = {
        name: {"file_id": "x", "file_unique_id": "x", "width": 9, "height": 9, **fields}
        for name, fields in content.items()
    }
    sent = await parlour.post(**some)
    await parlour.post("make it snow", reply=sent)
    assert parlour.read() == [[why], [why]]


async def test_stickers_files_and_spoilers() -> None:
    """A static sticker and an image file are photos; what was covered stays so."""
    parlour = Parlour()
    still: JSON = {"file_id": "s", "file_unique_id": "s", "width": 9, "height": 9}
    sticker: JSON = {**still, "type": "regular", "is_animated": False, "is_video": False}
    sent = await parlour.post(sticker=sticker)
    await parlour.post("snow", reply=sent)
    file: JSON = {"file_id": "d", "file_unique_id": "d", "file_name": "IMG.HEIC"}
    await parlour.post("snow", document=file)
    await parlour.post("snow", photo="p", has_media_spoiler=True)
    photos = [task.photos[0] for task in await parlour.tasks()]
    assert [(photo.kind, photo.spoiler) for photo in photos] == [
        ("sticker", False),
        ("document", False),
        ("photo", True),
    ]


async def test_too_many_unfinished() -> None:
    """The photo is kept, and a tap makes it once there is room."""
    parlour = Parlour(max_unfinished=1)
    await parlour.post("one", photo="a")
    await parlour.post("two", photo="b")
    assert parlour.read() == [["too-many-unfinished"]]
    offer = parlour.last
    assert await parlour.press(offer, offer.buttons[0].data) == "pressed-too-many"
    [task] = await parlour.tasks()
    await parlour.store.cancel(task, parlour.clock.now())
    assert await parlour.press(offer, offer.buttons[0].data) == "pressed-go"
    await parlour.post("{x, y} three", photo="c")
    assert await parlour.press(parlour.last, parlour.last.buttons[0].data) == "pressed-too-many"
    for task in await parlour.tasks():
        await parlour.store.cancel(task, parlour.clock.now())
    pressed = await parlour.press(parlour.last, parlour.last.buttons[0].data)
    assert pressed == "pressed-too-many-at-once"


# --- replies


async def test_words_in_reply_to_any_photo() -> None:
    """Whoever sent it, wherever; what was made of a question's words takes the photo's options too."""
    parlour = Parlour()
    sent = await parlour.post("first", photo="a")
    await parlour.post("and now in blue", reply=sent)
    elsewhere: Any = {
        "origin": {"type": "hidden_user", "date": 1, "sender_user_name": "X"},
        "photo": [{"file_id": "e", "file_unique_id": "e", "width": 1, "height": 1}],
    }
    await parlour.post("from elsewhere", external_reply=elsewhere)
    assert (await made(parlour))[1:] == [(["a"], "and now in blue"), (["e"], "from elsewhere")]
    words = await parlour.post("some words")
    await parlour.post("more words", reply=words)
    assert parlour.read() == [["words-kept"], ["words-kept"]]


async def test_going_on_from_our_messages() -> None:
    """A reply to a result takes that picture, one to its other messages the photos of its task."""
    parlour = Parlour()
    await parlour.post("snow", photo="a")
    [task] = await parlour.tasks()
    now = parlour.clock.now()
    await parlour.store.note_message(task.id, 1, 500, "picture", now, n=0)
    await parlour.store.note_message(task.id, 1, 501, "progress", now)
    ours: JSON = {
        "date": 1,
        "chat": {"id": 1, "type": "private"},
        "from": {"id": 77, "is_bot": True, "first_name": "B"},
    }
    picture: JSON = {
        **ours,
        "message_id": 500,
        "photo": [{"file_id": "r", "file_unique_id": "r", "width": 1, "height": 1}],
    }
    await parlour.post("now at night", reply=picture)
    await parlour.post("rather rain", reply={**ours, "message_id": 501, "text": "…"})
    assert [
        (ids(one), one.settings.prompt, one.parent_id) for one in (await parlour.tasks())[1:]
    ] == [
        (["r"], "now at night", 1),
        (["a"], "rather rain", 1),
    ]


# --- groups and channels


async def test_groups() -> None:
    """Only what is meant for the bot is heard: /edit, its name with a photo, replies to it."""
    parlour = Parlour()
    say: JSON = {"chat": GROUP}
    photo = await parlour.post("look", photo="a", **say)
    await parlour.post("nice", reply=photo, **say)
    await parlour.post(f"@{NAME} hello", **say)
    await parlour.post("/edit@other_bot snow", reply=photo, **say)
    await parlour.post("changed", photo="a", edits=photo, **say)
    assert (await parlour.tasks(), parlour.read()) == ([], [])
    await parlour.post("/edit snow", reply=photo, **say)
    await parlour.post(f"@{NAME}, rain please", reply=photo, **say)
    await parlour.post(f"wind @{NAME}", photo="b", **say)
    await parlour.post("/EDIT hail", photo="c", **say)
    assert await made(parlour) == [
        (["a"], "snow"),
        (["a"], "rain please"),
        (["b"], "wind"),
        (["c"], "hail"),
    ]
    assert parlour.read() == []
    await parlour.post("/edit", reply=photo, user=2, **say)
    question = parlour.last
    await parlour.post("fog", reply=question, user=2, **say)
    await parlour.post("/edit", **say)
    await parlour.post("/edit words first", **say)
    assert parlour.last.ask
    await parlour.post(photo="d", user=2, **say)
    await parlour.post(photo="e", **say)
    assert parlour.read() == [["ask-words"], ["edit-alone"], ["words-kept-group"]]
    assert (await made(parlour))[4:] == [(["a"], "fog"), (["e"], "words first")]


@pytest.mark.parametrize(
    "other",
    [
        {"voice": {"file_id": "f", "file_unique_id": "u", "duration": 1}},
        {"location": {"latitude": 1.0, "longitude": 2.0}},
        {"video": {"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1, "duration": 1}},
        {
            "sticker": {
                "file_id": "f",
                "file_unique_id": "u",
                "type": "regular",
                "width": 512,
                "height": 512,
                "is_animated": False,
                "is_video": False,
            }
        },
        {"photo": [sized("b")], "is_topic_message": True, "message_thread_id": 9},
    ],
)
async def test_words_first_in_a_group_wait_for_a_photo(other: JSON) -> None:
    """Whatever else the person shows the others meanwhile, or in another topic, is not for the bot."""
    parlour = Parlour()
    await parlour.post("/edit make it snow", chat=GROUP)
    parlour.read()
    await parlour.post(chat=GROUP, **other)
    await parlour.post(chat=GROUP, media_group_id="1", **other)
    await parlour.album_closes()
    assert (parlour.read(), await parlour.tasks()) == ([], [])
    await parlour.post(photo="a", chat=GROUP)
    assert await made(parlour) == [(["a"], "make it snow")]


async def test_anonymous_admins_and_channels() -> None:
    """Their chat stands for them; any of its admins may press, and nobody else."""
    parlour = Parlour()
    sender: JSON = {"sender_chat": {"id": GROUP, "type": "supergroup", "title": "G"}}
    await parlour.post("/edit", photo="a", chat=GROUP, user=1087968824, **sender)
    question = parlour.last
    parlour.telegram.busy = True
    with pytest.raises(PutOff):
        await parlour.press(question, question.buttons[0].data, user=5)
    parlour.telegram.busy = False
    parlour.telegram.admins.add((GROUP, 5))
    assert await parlour.press(question, question.buttons[0].data, user=6) == "pressed-not-yours"
    assert await parlour.press(question, question.buttons[0].data, user=5) == "pressed-go"
    await parlour.post("just news", photo="b", chat=-200, kind="channel")
    await parlour.post("/edit snow", photo="b", chat=-200, kind="channel")
    await parlour.post(f"@{NAME} rain", photo="c", chat=-200, kind="channel")
    copy: JSON = {"sender_chat": {"id": -200, "type": "channel"}, "is_automatic_forward": True}
    await parlour.post("/edit snow", photo="b", chat=GROUP, user=777000, **copy)
    tasks = await parlour.tasks()
    assert [task.user_id for task in tasks] == [GROUP, -200, -200]
    assert [task.settings.prompt for task in tasks] == ["make it snow", "snow", "rain"]


async def test_whoever_is_not_let_in() -> None:
    """They are told once, by message or by press, and nothing is made."""
    parlour = Parlour(allowed_users={2})
    await parlour.post("snow", photo="a")
    await parlour.post("snow")
    assert parlour.read() == [["not-allowed"]]
    assert await parlour.tasks() == []


# --- edits


async def test_edits() -> None:
    """In line it is changed, later offered anew; a photo that waits takes it; no change, no answer."""
    parlour = Parlour()
    photo = await parlour.post("snow", photo="a")
    await parlour.post("snow", photo="a", edits=photo)
    await parlour.post("rain /n 2", photo="a", edits=photo)
    await parlour.post(photo="a", edits=photo)
    await parlour.post("rain /n 9", photo="a", edits=photo)
    assert parlour.read() == [["edited-changed"], ["count-wrong", "edited-wrong"]]
    [task] = await parlour.tasks()
    assert (task.settings.prompt, task.settings.count) == ("rain", 2)
    failed = await parlour.store.ready(task, now=parlour.clock.now())
    assert failed is not None
    await parlour.post("wind", photo="a", edits=photo)
    await parlour.post("wind", photo="a", edits=photo)
    assert parlour.read() == [["edited-late"]], "the same edit is not answered twice"
    assert await parlour.press(parlour.last, parlour.last.buttons[0].data) == "pressed-go"
    [_, again] = await parlour.tasks()
    assert (again.settings.prompt, again.parent_id, ids(again)) == ("wind", task.id, ["a"])
    waiting = await parlour.post("/ratio 1:1", photo="b")
    await parlour.post("/ratio 1:1", photo="b", edits=waiting)
    await parlour.post("fog", photo="b", edits=waiting)
    assert (await made(parlour))[2:] == [(["b"], "fog")]
    kept = await parlour.post("first words")
    await parlour.post("second words", edits=kept)
    await parlour.post(photo="c")
    assert (await made(parlour))[3:] == [(["c"], "second words")]
    parlour.read()
    text = await parlour.post("by reply", reply=photo)
    await parlour.post("by another reply", edits=text, reply=photo)
    assert (await made(parlour))[4:] == [(["a"], "by another reply")]
    unknown: JSON = {"message_id": 9999}
    await parlour.post("who", edits=unknown)
    await parlour.post("what", photo="z", edits=unknown)
    assert parlour.read() == [["edited-changed"], ["edited-text"], ["edited"]]


async def test_an_edit_of_what_has_made_several() -> None:
    """Its tasks stay as they were confirmed, and all of the new words are offered."""
    parlour = Parlour()
    photo = await parlour.post("{red,blue} car", photo="a")
    await parlour.press(parlour.last, parlour.last.buttons[0].data)
    parlour.read()
    await parlour.post("green car", photo="a", edits=photo)
    assert parlour.read() == [["edited-late"]]
    assert await made(parlour) == [(["a"], "red car"), (["a"], "blue car")]


# --- albums


async def _album(
    parlour: Parlour, *captions: str | None, group: str = "g", **more: Any
) -> list[JSON]:
    return [
        await parlour.post(caption, photo=f"{group}{n}", media_group_id=group, **more)
        for n, caption in enumerate(captions)
    ]


async def test_an_album_is_one_task() -> None:
    """All photos in order, the words of whichever has some, the answer to the first."""
    parlour = Parlour()
    first, *_ = await _album(parlour, None, "snow", None, "and rain")
    assert await parlour.tasks() == []
    await parlour.album_closes()
    [task] = await parlour.tasks()
    assert ids(task) == ["g0", "g1", "g2", "g3"]
    assert task.settings.prompt == "snow\nand rain"
    assert task.place.message_id == first["message_id"]
    assert parlour.read() == []


async def test_an_album_is_edited() -> None:
    """The words that it has when it is complete count; later an edit of any part is one of its task."""
    parlour = Parlour()
    _, second, _ = await _album(parlour, None, "snow", None)
    await parlour.post("rain", photo="g1", media_group_id="g", edits=second)
    assert parlour.read() == []
    await parlour.album_closes()
    assert await made(parlour) == [(["g0", "g1", "g2"], "rain")]
    await parlour.post("fog", photo="g1", media_group_id="g", edits=second)
    assert await made(parlour) == [(["g0", "g1", "g2"], "fog")]
    await parlour.post("hail", photo="x", media_group_id="x", edits={"message_id": 9999})
    assert parlour.read() == [["edited-changed"], ["edited"]]
    await parlour.album_closes()
    assert len(await parlour.tasks()) == 1


async def test_an_album_without_words_is_asked_about_once() -> None:
    """One question, whose answer is for all; words that wait are for all as well."""
    parlour = Parlour()
    await _album(parlour, None, None)
    await parlour.album_closes()
    assert parlour.read() == [["ask-words-album"]]
    await parlour.post("snow")
    await parlour.post("words first")
    await _album(parlour, None, None, group="h")
    await parlour.album_closes()
    assert await made(parlour) == [(["g0", "g1"], "snow"), (["h0", "h1"], "words first")]


async def test_a_large_album_is_offered() -> None:
    """By a tap the first photos go into one picture, or each gets its own, again and again."""
    parlour = Parlour(album_max=2)
    await _album(parlour, "snow", None, None)
    await parlour.album_closes()
    assert parlour.read() == [["offer-album"]]
    first, each = parlour.last.buttons
    offer = parlour.last
    assert await parlour.press(offer, first.data) == "pressed-go"
    assert await parlour.press(offer, each.data) == "pressed-go"
    assert await parlour.press(offer, each.data) == "pressed-already"
    assert await made(parlour) == [
        (["g0", "g1"], "snow"),
        (["g0"], "snow"),
        (["g1"], "snow"),
        (["g2"], "snow"),
    ]


async def test_parts_that_cannot_be_used() -> None:
    """They are named, and the rest goes on; if nothing is left, that is said once."""
    parlour = Parlour()
    video: JSON = {"file_id": "v", "file_unique_id": "v", "width": 1, "height": 1, "duration": 1}
    await parlour.post("snow", photo="a", media_group_id="g")
    await parlour.post(video=video, media_group_id="g")
    await parlour.album_closes()
    assert await made(parlour) == [(["a"], "snow")]
    assert parlour.read() == [["album-left-out", "album-rest"]]
    for _ in range(2):
        await parlour.post(video=video, media_group_id="h")
    await parlour.album_closes()
    assert parlour.read() == [["is-a-video"]]


async def test_a_late_part() -> None:
    """While the task is in line it joins it; then, or where there is no room, it stands alone."""
    parlour = Parlour(album_max=3)
    await _album(parlour, "snow", None)
    await parlour.album_closes()
    for _ in range(2):
        await parlour.post(photo="late", media_group_id="g", update_id=800)
    assert await made(parlour) == [(["g0", "g1", "late"], "snow")]
    await parlour.post(photo="later", media_group_id="g")
    assert parlour.read() == [["album-late", "ask-words"]]
    await parlour.post("x", reply=parlour.last)
    assert (await made(parlour))[1:] == [(["later"], "x")]
    await _album(parlour, None, None, group="other", chat=GROUP)
    await parlour.album_closes()
    await _album(parlour, None, group="other", chat=GROUP)
    assert parlour.read() == [], "in a group it is nobody's business"


async def test_a_part_that_comes_while_its_album_is_closed() -> None:
    """It joins the task as a late one does; one that is no photo is told so."""
    parlour = Parlour()
    await _album(parlour, "snow", None)
    parlour.clock.move(2)
    [album] = await parlour.store.albums_due(parlour.clock.now(), 9)
    await parlour.post(photo="new", media_group_id="g")
    await parlour.handlers.close_album(album)
    await parlour.store.close_album(album)
    assert await made(parlour) == [(["g0", "g1"], "snow")]
    await parlour.album_closes()
    assert await made(parlour) == [(["g0", "g1", "new"], "snow")]
    video: JSON = {"file_id": "v", "file_unique_id": "v", "width": 1, "height": 1, "duration": 1}
    await parlour.post(video=video, media_group_id="g")
    assert parlour.read() == [["is-a-video"]]
    await _album(parlour, "secret", group="h", chat=GROUP)
    await parlour.album_closes()
    assert len(await parlour.tasks()) == 1


async def test_an_album_of_whoever_is_not_let_in() -> None:
    """They are told once, for the album and for what comes late."""
    parlour = Parlour(allowed_users={2})
    await _album(parlour, "snow", None)
    await parlour.album_closes()
    await _album(parlour, None)
    assert parlour.read() == [["not-allowed"]]


async def test_an_album_in_a_group() -> None:
    """One part that is meant for the bot is enough; another album is not answered, and not kept."""
    parlour = Parlour()
    await _album(parlour, None, f"@{NAME} snow", chat=GROUP)
    await _album(parlour, None, "hello", group="h", chat=GROUP)
    await parlour.album_closes()
    assert await made(parlour) == [(["g0", "g1"], "snow")]
    assert parlour.read() == []
    assert await parlour.store.albums_due(parlour.clock.now(), 9) == []


async def test_what_cannot_be_said_now_is_said_later() -> None:
    """An answer that does not get through puts its message off; then it makes nothing twice."""
    parlour = Parlour()
    parlour.telegram.outcomes = [Later(seconds=3, reason="429"), Unknown(reason="lost")]
    for seconds in (3, 2):
        with pytest.raises(PutOff) as caught:
            await parlour.post(photo="a", update_id=7)
        assert caught.value.seconds == seconds
    await parlour.post(photo="a", update_id=7)
    await parlour.post("snow")
    assert await made(parlour) == [(["a"], "snow")]


async def _put_off(parlour: Parlour, text: str, number: int = 900, **how: Any) -> None:
    """Let an answer not get through at first, and the same update be handled again."""
    parlour.telegram.outcomes = [Later(seconds=3, reason="429")]
    with pytest.raises(PutOff):
        await parlour.post(text, update_id=number, **how)
    await parlour.post(text, update_id=number, **how)


async def test_an_offer_that_could_not_be_made_at_once() -> None:
    """The words that waited for the photo are still its words when its update is handled again."""
    parlour = Parlour()
    await parlour.post("a {red, blue} car")
    await _put_off(parlour, "/n 2", photo="a")
    assert parlour.read() == [["words-kept"], ["offer-variants", "offer-variant", "offer-variant"]]
    assert await parlour.press(parlour.last, parlour.last.buttons[0].data) == "pressed-go"
    assert [task.settings.prompt for task in await parlour.tasks()] == ["a red car", "a blue car"]


async def test_options_whose_question_could_not_be_asked_at_once() -> None:
    """They are not added to themselves when their update is handled again."""
    parlour = Parlour()
    await parlour.post(photo="a")
    await _put_off(parlour, "/n 2")
    assert parlour.read() == [["ask-words"], ["ask-words"]]
    await parlour.post("snow", reply=parlour.last)
    assert [task.settings.count for task in await parlour.tasks()] == [2]


async def test_an_edit_whose_answer_could_not_be_given_at_once() -> None:
    """It is given later: of a change, of an offer, and of what waits; nothing is made by that alone."""
    parlour = Parlour()
    photo = await parlour.post("snow", photo="a")
    await _put_off(parlour, "rain", photo="a", edits=photo)
    assert parlour.read() == [["edited-changed"]]
    await parlour.post("rain", photo="a", edits=photo)
    assert parlour.read() == [], "nothing has changed"
    [task] = await parlour.tasks()
    await parlour.store.cancel(task, parlour.clock.now())
    await _put_off(parlour, "sun", photo="a", edits=photo, number=901)
    assert parlour.read() == [["edited-late"]]
    words = await parlour.post("a tree")
    await _put_off(parlour, "a house", edits=words, number=902)
    assert parlour.read() == [["words-kept"], ["words-kept"]]
    await parlour.post(photo="b")
    assert await made(parlour) == [(["a"], "rain"), (["b"], "a house")]


# --- links and variants


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("http://example.com/cat.jpg snow", "link-http"),
        ("https://127.0.0.1/cat.jpg snow", "link-private"),
        ("https://2130706433/cat.jpg snow", "link-private"),
        ("https://printer.local/cat.jpg snow", "link-private"),
        ("https://inside.example/cat.jpg snow", "link-private"),
        ("https://nowhere.example/cat.jpg snow", "link-unknown"),
        ("https://me:secret@example.com/cat.jpg snow", "link-odd"),
        ("https://api.example.com/file/bot1:x/cat.jpg snow", "link-odd"),
        (OWN, "ask-words"),
        ("paint it like https://example.com/style", "words-kept"),
    ],
)
async def test_links_that_make_no_task(text: str, answer: str) -> None:
    """What HiDream could not reach, or nobody should, is refused with what to do instead."""
    parlour = Parlour()
    await parlour.post(text)
    assert parlour.read() == [[answer]]
    assert await parlour.tasks() == []


@pytest.mark.parametrize("text", [f"{OWN} snow", f"snow {OWN}", "https://example.com/cat snow"])
async def test_a_link_to_a_picture(text: str) -> None:
    """With words it is a task at once, as an address that is not fetched here."""
    parlour = Parlour()
    await parlour.post(text)
    [task] = await parlour.tasks()
    [photo] = task.photos
    assert photo == Photo(file_id="", file_unique_id="", kind="url", url=photo.url)
    assert (photo.url or "").startswith("https://example.com/cat")
    assert task.settings.prompt == "snow"


async def test_a_link_beside_a_photo_is_words() -> None:
    """In a caption, or while a photo waits for words, nothing is done with it."""
    parlour = Parlour()
    await parlour.post(f"like {OWN}", photo="a")
    await parlour.post(photo="b")
    await parlour.post(f"like {OWN}")
    assert await made(parlour) == [(["a"], f"like {OWN}"), (["b"], f"like {OWN}")]


async def test_too_many_variants_are_put_right() -> None:
    """The words that answer are taken alone, and not after those that were too many."""
    parlour = Parlour()
    await parlour.post("{a, b, c} in {d, e, f} /n 2", photo="a")
    assert parlour.read() == [["nothing-started", "variants-too-many", "try-caption"]]
    await parlour.post("a {red, blue} car /n 2", reply=parlour.last)
    offer = parlour.last
    assert offer.lines[0].data["count"] == 4, "two of each"
    assert await parlour.press(offer, offer.buttons[0].data) == "pressed-go"
    assert await made(parlour) == [(["a"], "a red car"), (["a"], "a blue car")]


async def test_variants() -> None:
    """It says how many and which, and makes them at a tap; too many are a mistake of the caption."""
    parlour = Parlour()
    await parlour.post("{red, blue} car", photo="a")
    assert parlour.read() == [["offer-variants", "offer-variant", "offer-variant"]]
    offer = parlour.last
    assert await parlour.tasks() == []
    assert await parlour.press(offer, offer.buttons[0].data) == "pressed-go"
    assert await made(parlour) == [(["a"], "red car"), (["a"], "blue car")]
    assert offer.lines[0].data["count"] == 2
    assert await parlour.press(offer, offer.buttons[0].data) == "pressed-already"
    for task in await parlour.tasks():
        assert task.state is TaskState.QUEUED
    await parlour.post("{a,b,c} {a,b,c}", photo="b")
    assert parlour.read() == [["nothing-started", "variants-too-many", "try-caption"]]


async def test_too_many_variants_can_be_mended() -> None:
    """The mended words alone are taken, after a caption, words first, or a tap on one picture each."""
    parlour = Parlour(album_max=2)
    await parlour.post("{1,2,3,4,5,6,7,8,9} car", photo="a")
    assert parlour.read() == [["nothing-started", "variants-too-many", "try-caption"]]
    await parlour.post("blue car", reply=parlour.last)
    assert await made(parlour) == [(["a"], "blue car")]
    await parlour.post("cars " + "{,}" * 1363)
    assert parlour.read() == [["variants-too-many", "try-words"]], "also with 411 digits"
    for part in "bcdef":
        await parlour.post(
            "{red,blue} car" if part == "b" else None, photo=part, media_group_id="1"
        )
    await parlour.album_closes()
    offer = parlour.last
    assert await parlour.press(offer, offer.buttons[1].data) == "pressed-ask"
    assert parlour.last.ids == ["nothing-started", "variants-too-many", "try-caption"]
    await parlour.post("red car /count 2", reply=parlour.last)
    offer = parlour.last
    assert await parlour.press(offer, offer.buttons[0].data) == "pressed-go"
    assert (await made(parlour))[1:] == [(["b", "c"], "red car")]


async def test_options_without_words_do_not_pile_up() -> None:
    """Whoever answers with options alone keeps them, though never more than one message holds."""
    parlour = Parlour()
    await parlour.post(photo="a")
    for _ in range(4):
        await parlour.post(f"/no {'text, ' * 500}", reply=parlour.last)
        assert parlour.last.ids == ["ask-words"]
    kept = await parlour.store.draft_asked_by(1, 1, parlour.last.message_id)
    assert kept is not None
    assert len(kept.caption) < 2 * 4096
    await parlour.post("make it snow", reply=parlour.last)
    [task] = await parlour.tasks()
    assert (task.settings.prompt, task.photos) == ("make it snow", kept.photos)


async def test_an_offer_is_made_once_at_a_time() -> None:
    """However its number is written by whoever forges what a button brings back."""
    parlour = Parlour()
    await parlour.post("{red,blue} car", photo="a")
    offer, forged = parlour.last, ["go:{}", "go:{}:", "go:0{}", "go:{}::x"]
    told = [await parlour.press(offer, data.format(1)) for data in forged]
    await parlour.post(photo="b")
    ideas, forged = parlour.last, ["idea:{}:1", "idea:{}:01", "idea:00{}:1:x"]
    told += [await parlour.press(ideas, data.format(2)) for data in forged]
    assert [notice for notice in told if notice != "pressed-already"] == ["pressed-go"] * 2
    assert len(await parlour.tasks()) == 3


async def test_a_variant_can_be_copied() -> None:
    """The caption that a result shows makes that one picture again, whatever braces it has."""
    parlour = Parlour()
    await parlour.post(r"\{red, blue} {car, bus}", photo="a")
    await parlour.press(parlour.last, parlour.last.buttons[0].data)
    for task in await parlour.tasks():
        await parlour.post(copies.whole(task), photo="b")
    prompts = [prompt for _, prompt in await made(parlour)]
    assert prompts == ["{red, blue} car", "{red, blue} bus"] * 2
