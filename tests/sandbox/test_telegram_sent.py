"""What people send to the local Telegram: files of every kind, albums in parts, links, replies."""

import io
from typing import Any

import pytest
from PIL import Image
from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from tests.sandbox.telegram_client import World, picture


async def send(world: World, kind: str, content: bytes, **fields: Any) -> Any:
    """Send a file of a kind as a person; give what the person's side answers."""
    answer = await world.http.post(
        f"/person/chats/{world.me}/{kind}",
        data={"user_id": world.me, **fields},
        files={kind: (f"a.{kind}", content, "application/octet-stream")},
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_static_sticker_can_be_fetched(world: World) -> None:
    """A still sticker arrives with its size, and its bytes are those of the picture."""
    drawn = picture(512, 384, "WEBP")
    shown = await send(world, "sticker", drawn, emoji="❄")
    (update,) = await world.bot.get_updates()
    assert update.message is not None
    sticker = update.message.sticker
    assert sticker is not None
    assert (sticker.width, sticker.height, sticker.emoji) == (512, 384, "❄")
    assert (sticker.is_animated, sticker.is_video) == (False, False)
    file = await sticker.get_file()
    assert str(file.file_path).endswith(".webp")
    content = bytes(await file.download_as_bytearray())
    assert Image.open(io.BytesIO(content)).size == (512, 384)
    assert (await world.http.get(shown["sticker"]["url"])).content == drawn
    reason = await world.wrong("sendPhoto", chat_id=world.me, photo=sticker.file_id)
    assert "can't use file of type Sticker as Photo" in reason


@pytest.mark.parametrize("form", ["animated", "video"])
async def test_moving_stickers(world: World, form: str) -> None:
    """A sticker that moves says how."""
    await send(world, "sticker", b"moves", format=form)
    (update,) = await world.bot.get_updates()
    assert update.message is not None
    assert update.message.sticker is not None
    moves = {
        "animated": update.message.sticker.is_animated,
        "video": update.message.sticker.is_video,
    }
    assert [name for name, does in moves.items() if does] == [form]


@pytest.mark.parametrize("kind", ["video", "animation", "voice", "audio", "video_note"])
async def test_other_media(world: World, kind: str) -> None:
    """Each kind of file arrives under its own name; an animation under "document" as well."""
    await send(world, kind, b"moves", caption="look")
    (update,) = await world.bot.get_updates()
    message = update.message
    assert message is not None
    assert message.effective_attachment == getattr(message, kind)
    assert getattr(message, kind).file_size == 5
    assert (message.document is not None) == (kind == "animation")


@pytest.mark.parametrize(
    ("kind", "fields"),
    [("sticker", {}), ("sticker", {"format": "round"}), ("photo", {"caption_index": "1"})],
)
async def test_what_cannot_be_sent(world: World, kind: str, fields: dict[str, str]) -> None:
    """A still sticker is a picture, of a known format; words belong to an item that is there."""
    content = picture() if kind == "photo" else b"no picture"
    answer = await world.http.post(
        f"/person/chats/{world.me}/{kind}",
        data={"user_id": world.me, **fields},
        files={kind: ("a", content)},
    )
    assert answer.status_code == 400
    assert await world.updates() == []


async def test_a_covered_photo(world: World) -> None:
    """A photo comes as a spoiler; no app can cover a file."""
    (shown,) = (await send(world, "photo", picture(), spoiler="true"))["messages"]
    assert shown["spoiler"]
    assert (await world.updates())[0]["message"]["has_media_spoiler"]
    answer = await world.http.post(
        f"/person/chats/{world.me}/document",
        data={"user_id": world.me, "spoiler": "true"},
        files={"document": ("a", b"a")},
    )
    assert answer.status_code == 400


async def test_an_album_in_parts(world: World) -> None:
    """Parts of an album can come one by one, each with or without words, and be edited."""
    (first,) = (await send(world, "photo", picture(), album="true"))["messages"]
    album = first["media_group_id"]
    await send(world, "photo", picture(), media_group_id=album, caption="snow")
    await send(world, "photo", picture(), media_group_id=album, caption="rain")
    messages = [u["message"] for u in await world.updates()]
    assert {m["media_group_id"] for m in messages} == {album}
    assert [m.get("caption") for m in messages] == [None, "snow", "rain"]
    edit = {"user_id": world.me, "message_id": first["message_id"], "caption": "fog"}
    await world.do(f"chats/{world.me}/edit", **edit)
    edited = (await world.updates())[0]["edited_message"]
    assert (edited["caption"], edited["media_group_id"]) == ("fog", album)
    assert len(edited["photo"]) == len(messages[0]["photo"])


async def test_links_and_mentions_are_marked(world: World) -> None:
    """Telegram marks links, also without a scheme, names and commands; a person can hide a link."""
    text = "https://a.b/c.jpg, example.com/d.png @sandbox_bot /go here a.jpg"
    link = {"type": "text_link", "offset": 54, "length": 4, "url": "https://e.f/g"}
    await world.do(f"chats/{world.me}/text", user_id=world.me, text=text, entities=[link])
    (update,) = await world.bot.get_updates()
    assert update.message is not None
    found = update.message.parse_entities()
    assert [(e.type, words) for e, words in found.items()] == [
        ("url", "https://a.b/c.jpg"),
        ("url", "example.com/d.png"),
        ("mention", "@sandbox_bot"),
        ("bot_command", "/go"),
        ("text_link", "here"),
    ]


async def test_replies_carry_what_they_answer(world: World) -> None:
    """A reply has the message that it answers, with its files, and not that one's own reply."""
    first = await world.do(f"chats/{world.me}/text", user_id=world.me, text="one")
    (photo,) = (await send(world, "photo", picture(), reply_to=first["message_id"]))["messages"]
    sticker = await send(world, "sticker", picture(64, 64, "WEBP"))
    ours = await world.bot.send_photo(world.me, picture(), caption="make it snow")
    for answered in (photo["message_id"], sticker["message_id"], ours.message_id):
        more = {"quote": "it snow"} if answered == ours.message_id else {}
        fields = {"user_id": world.me, "text": "and this?", "reply_to": answered, **more}
        await world.do(f"chats/{world.me}/text", **fields)
    replies = [u["message"] for u in (await world.updates())[-3:]]
    assert [sorted({"photo", "sticker"} & r["reply_to_message"].keys()) for r in replies] == [
        ["photo"],
        ["sticker"],
        ["photo"],
    ]
    assert all("reply_to_message" not in r["reply_to_message"] for r in replies)
    assert replies[-1]["quote"] == {"text": "it snow", "position": 5, "is_manual": True}


async def test_forwards_say_where_they_are_from(world: World) -> None:
    """A forward has the files, not the buttons, and names its author unless they hide."""
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("A", callback_data="a")]])
    ours = await world.bot.send_photo(world.me, picture(), caption="c", reply_markup=keyboard)
    forward = {"user_id": world.me, "from_chat_id": world.me, "message_id": ours.message_id}
    await world.do(f"chats/{world.me}/forward", **forward)
    await world.do(f"chats/{world.me}/forward", **forward, hidden=True)
    await send(world, "photo", picture(), forwarded_name="Zoe")
    messages = [u["message"] for u in await world.updates()]
    assert messages[0]["photo"][-1]["file_id"] == ours.photo[-1].file_id
    assert (messages[0]["caption"], "reply_markup" in messages[0]) == ("c", False)
    origins = [m["forward_origin"] for m in messages]
    assert [o["type"] for o in origins] == ["user", "hidden_user", "hidden_user"]
    assert origins[0]["sender_user"]["username"] == "sandbox_bot"
    assert origins[2]["sender_user_name"] == "Zoe"


async def test_a_press_on_what_the_bot_cannot_see(world: World) -> None:
    """A press may come without its message's content, as with old ones."""
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("A", callback_data="a")]])
    sent = await world.bot.send_message(world.me, "x", reply_markup=keyboard)
    press = {"user_id": world.me, "message_id": sent.message_id, "data": "a"}
    await world.do(f"chats/{world.me}/press", **press, inaccessible=True)
    (update,) = await world.bot.get_updates()
    assert update.callback_query is not None
    assert (message := update.callback_query.message) is not None
    assert (message.is_accessible, message.message_id) == (False, sent.message_id)
