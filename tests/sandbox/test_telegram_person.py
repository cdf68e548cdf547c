"""The person's side of the local Telegram: what people do, and what the bot hears of it."""

import asyncio
from typing import Any

import pytest
from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import BadRequest, ChatMigrated

from sandbox.telegram.app import TOKEN
from tests.sandbox.telegram_client import World, picture


async def send_photos(world: World, chat_id: int, count: int, **fields: Any) -> list[Any]:
    """Send photos as a person; give the messages."""
    answer = await world.http.post(
        f"/person/chats/{chat_id}/photo",
        data={"user_id": world.me, **fields},
        files=[("photo", (f"{n}.png", picture(400 + n, 300), "image/png")) for n in range(count)],
    )
    assert answer.status_code == 200, answer.text
    messages: list[Any] = answer.json()["messages"]
    return messages


async def test_a_photo_with_a_caption(world: World) -> None:
    """A person's photo arrives in its sizes, with the caption and its command."""
    (shown,) = await send_photos(world, world.me, 1, caption="make it snow /ratio 16:9")
    assert (shown["photo"]["width"], shown["from_bot"]) == (400, False)
    (update,) = await world.bot.get_updates()
    message = update.message
    assert message is not None
    assert message.caption == "make it snow /ratio 16:9"
    assert [e.type for e in message.caption_entities] == ["bot_command"]
    assert [size.width for size in message.photo] == [90, 320, 400]
    file = await message.photo[-1].get_file()
    assert len(await file.download_as_bytearray()) == message.photo[-1].file_size


async def test_an_album(world: World) -> None:
    """Several photos are one update each, one group, and the caption on the chosen one."""
    await send_photos(world, world.me, 3, caption="snow", caption_index=1)
    messages = [u["message"] for u in await world.updates()]
    assert len({m["media_group_id"] for m in messages}) == 1
    assert [m.get("caption") for m in messages] == [None, "snow", None]


async def test_a_document_keeps_name_and_type(world: World) -> None:
    """A file arrives as its sender named it, whatever it is, as a reply if it is one."""
    first = await world.do(f"chats/{world.me}/text", user_id=world.me, text="here")
    answer = await world.http.post(
        f"/person/chats/{world.me}/document",
        data={"user_id": world.me, "caption": "odd", "reply_to": first["message_id"]},
        files={"document": ("a.heic", b"not heic", "image/heic")},
    )
    assert answer.json()["messages"][0]["reply_to"] == first["message_id"]
    message = (await world.updates())[-1]["message"]
    assert message["document"]["file_name"] == "a.heic"
    assert message["document"]["mime_type"] == "image/heic"
    assert message["reply_to_message"]["text"] == "here"


async def test_other_kinds_and_raw_updates(world: World) -> None:
    """Any other message and any raw update at all can be made."""
    voice = {"voice": {"file_id": "v", "file_unique_id": "v", "duration": 3}}
    await world.do(f"chats/{world.me}/message", user_id=world.me, message=voice)
    made = await world.do("updates", message={"nonsense": True})
    named = await world.do("updates", update_id=made["update_id"] + 10, poll={})
    first, second, third = await world.updates()
    assert first["message"]["voice"] == voice["voice"]
    assert second == {"update_id": made["update_id"], "message": {"nonsense": True}}
    assert third["update_id"] == named["update_id"]


async def test_edits_and_deletes(world: World) -> None:
    """An edit is an update, a deletion is not; both are seen in the chat."""
    sent = await world.do(f"chats/{world.me}/text", user_id=world.me, text="one")
    (photo,) = await send_photos(world, world.me, 1, caption="c")
    path = f"chats/{world.me}"
    await world.do(f"{path}/edit", user_id=world.me, message_id=sent["message_id"], text="two")
    await world.do(f"{path}/edit", user_id=world.me, message_id=photo["message_id"], caption="d")
    await world.do(f"{path}/delete", message_id=sent["message_id"])
    updates = await world.updates()
    assert [next(k for k in u if k != "update_id") for u in updates] == [
        *("message", "message", "edited_message", "edited_message"),
    ]
    assert updates[2]["edited_message"]["text"] == "two"
    assert "edit_date" in updates[2]["edited_message"]
    (left,) = await world.shown(world.me)
    assert (left["caption"], left["edited"]) == ("d", True)


async def test_events_tell_what_happened_in_a_chat(world: World) -> None:
    """A chat's events come in order, each as it was then, by long polling."""
    path = f"chats/{world.me}/events"
    assert await world.see(path) == {"events": [], "last": 0}
    waiting = asyncio.create_task(world.see(path, timeout=20))
    await asyncio.sleep(0.05)
    sent = await world.bot.send_message(world.me, "one")
    first = await asyncio.wait_for(waiting, 2)
    assert [(e["n"], e["kind"], e["message"]["text"]) for e in first["events"]] == [
        (1, "new", "one")
    ]
    await world.bot.edit_message_text("two", world.me, sent.message_id)
    await world.bot.delete_message(world.me, sent.message_id)
    rest = await world.see(path, after=first["last"])
    assert [(e["kind"], e["message"]["text"]) for e in rest["events"]] == [
        ("edited", "two"),
        ("deleted", "two"),
    ]


async def test_blocking_is_told(world: World) -> None:
    """Block and unblock arrive as my_chat_member, and a blocker cannot write."""
    await world.do(f"chats/{world.me}/block", blocked=True)
    answer = await world.http.post(
        f"/person/chats/{world.me}/text", json={"user_id": world.me, "text": "x"}
    )
    assert answer.status_code == 400
    await world.do(f"chats/{world.me}/block", blocked=False)
    updates = await world.bot.get_updates()
    assert [u.my_chat_member.new_chat_member.status for u in updates if u.my_chat_member] == [
        "kicked",
        "member",
    ]


async def test_privacy_mode(world: World) -> None:
    """In a group the bot hears commands for it and replies to it, and nothing else."""
    group = await world.do("groups", title="G", members=[world.me], supergroup=True)
    path, own = f"chats/{group['id']}/text", await world.bot.send_message(group["id"], "I am here")
    created = await world.updates()
    assert [next(k for k in u if k != "update_id") for u in created] == [
        "my_chat_member",
        "message",
    ]
    for text in ("hi", "/status@other_bot", "/status", "/status@Sandbox_Bot x", "tell /status"):
        await world.do(path, user_id=world.me, text=text)
    await world.do(path, user_id=world.me, text="thanks", reply_to=own.message_id)
    await send_photos(world, group["id"], 1, caption="make it snow")
    await send_photos(world, group["id"], 1, caption="/snow now")
    await send_photos(world, group["id"], 1, reply_to=own.message_id)
    heard = [u["message"] for u in await world.updates()]
    assert [m.get("text") or m.get("caption") for m in heard] == [
        *("/status", "/status@Sandbox_Bot x", "thanks", "/snow now", None),
    ]


async def test_a_group_without_privacy(world: World) -> None:
    """With privacy mode off the bot hears everything."""
    group = await world.do("groups", title="G", members=[world.me], privacy=False)
    await world.do(f"chats/{group['id']}/text", user_id=world.me, text="hi")
    assert (await world.updates())[-1]["message"]["text"] == "hi"


async def test_others_messages_in_a_group_cannot_be_deleted(world: World) -> None:
    """The bot, no administrator, deletes only its own messages in a group."""
    group = await world.do("groups", title="G", members=[world.me])
    theirs = await world.do(f"chats/{group['id']}/text", user_id=world.me, text="/x")
    with pytest.raises(BadRequest, match="Message can't be deleted"):
        await world.bot.delete_message(group["id"], theirs["message_id"])


async def test_topics(world: World) -> None:
    """A message goes to its topic, a reply follows, and an unknown topic is refused."""
    group = await world.do("groups", title="G", members=[world.me], topics=True)
    chat_id = group["id"]
    topic = (await world.do(f"groups/{chat_id}/topics", name="Pictures"))["message_thread_id"]
    asked = await world.do(
        f"chats/{chat_id}/text", user_id=world.me, text="/status", thread_id=topic
    )
    message = (await world.updates())[-1]["message"]
    assert (message["message_thread_id"], message["is_topic_message"]) == (topic, True)
    assert message["reply_to_message"]["forum_topic_created"]["name"] == "Pictures"
    sent = await world.bot.send_message(chat_id, "here", message_thread_id=topic)
    assert sent.is_topic_message
    reply = await world.bot.send_message(chat_id, "x", reply_to_message_id=asked["message_id"])
    assert reply.message_thread_id == topic
    with pytest.raises(BadRequest, match="Message thread not found"):
        await world.bot.send_message(chat_id, "x", message_thread_id=topic + 500)
    with pytest.raises(BadRequest, match="Message thread not found"):
        await world.bot.send_message(world.me, "x", message_thread_id=topic)


async def test_a_group_becomes_a_supergroup(world: World) -> None:
    """Both service messages arrive, and the old id answers with the new one."""
    group = await world.do("groups", title="G", members=[world.me])
    new = await world.do(f"groups/{group['id']}/upgrade")
    moved = [u["message"] for u in await world.updates() if "message" in u][-2:]
    assert moved[0]["migrate_to_chat_id"] == new["id"]
    assert moved[1]["migrate_from_chat_id"] == group["id"]
    with pytest.raises(ChatMigrated) as caught:
        await world.bot.send_message(group["id"], "x")
    assert caught.value.new_chat_id == new["id"]
    status, body = await world.call("sendMessage", chat_id=group["id"], text="x")
    assert (status, body["description"]) == (
        400,
        "Bad Request: group chat was upgraded to a supergroup chat",
    )
    await world.bot.send_message(new["id"], "x")


async def test_pressing_what_is_not_there(world: World) -> None:
    """A press needs a button that is shown, unless it is forged."""
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("A", callback_data="a")]])
    sent = await world.bot.send_message(world.me, "x", reply_markup=keyboard)
    press = {"user_id": world.me, "message_id": sent.message_id, "data": "b"}
    answer = await world.http.post(f"/person/chats/{world.me}/press", json=press)
    assert (answer.status_code, await world.updates()) == (400, [])
    await world.do(f"chats/{world.me}/press", **press, forged=True)
    assert (await world.updates())[0]["callback_query"]["data"] == "b"


async def test_updates_are_kept_for_a_day(world: World) -> None:
    """What nobody fetches for 24 hours is gone."""
    await world.do(f"chats/{world.me}/text", user_id=world.me, text="old")
    await world.do("clock", advance_seconds=24 * 3600)
    await world.do(f"chats/{world.me}/text", user_id=world.me, text="new")
    assert [u["message"]["text"] for u in await world.updates()] == ["new"]


async def test_a_file_link_lives_for_an_hour(world: World) -> None:
    """A path from getFile stops working after an hour, until it is asked for again."""
    sent = await world.bot.send_document(world.me, b"abc", filename="a.txt")
    assert sent.document is not None
    _, body = await world.call("getFile", file_id=sent.document.file_id)
    path = f"/file/bot{TOKEN}/{body['result']['file_path']}"
    assert (await world.http.get(path)).content == b"abc"
    await world.do("clock", advance_seconds=3601)
    assert (await world.http.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("users", {}),
        ("groups", {"title": "G", "members": []}),
        ("groups", {"title": "G", "members": [5]}),
        ("chats/5/text", {"user_id": 5, "text": "x"}),
        ("chats/{me}/text", {"user_id": "ann", "text": "x"}),
        ("chats/{me}/text", {"user_id": 5, "text": "x"}),
        ("chats/{me}/text", {"user_id": "{me}", "text": "x" * 4097}),
        ("chats/{me}/text", {"user_id": "{me}", "text": "x", "reply_to": 99}),
        ("chats/{me}/photo", {"user_id": "{me}"}),
        ("chats/{me}/delete", {"message_id": 99}),
        ("groups/{me}/kick", {}),
        ("groups/{me}/upgrade", {}),
        ("groups/{me}/topics", {"name": "x"}),
        ("clock", {"advance_seconds": -1}),
        ("files/none/vanish", {}),
    ],
)
async def test_what_a_person_cannot_do(world: World, path: str, fields: dict[str, Any]) -> None:
    """What no app allows is refused with a sentence, and no update comes of it."""
    me = str(world.me)
    filled = {k: v.replace("{me}", me) if isinstance(v, str) else v for k, v in fields.items()}
    answer = await world.http.post(f"/person/{path.replace('{me}', me)}", json=filled)
    assert answer.status_code == 400
    assert len(answer.json()["error"]) > 10
    assert await world.updates() == []
