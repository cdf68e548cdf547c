"""Groups and channels of the local Telegram: who runs them, who speaks in whose name, who hears."""

from typing import Any

import pytest
from telegram import Chat
from telegram.constants import ChatID
from telegram.error import BadRequest, Forbidden

from tests.sandbox.telegram_client import World, picture

JSON = dict[str, Any]


async def grouped(world: World, **more: Any) -> tuple[int, int]:
    """Make a supergroup of the person and Bo; give its id and Bo's."""
    bo = int((await world.do("users", first_name="Bo"))["id"])
    fields: JSON = {"title": "G", "members": [world.me, bo], "supergroup": True, **more}
    group = await world.do("groups", **fields)
    await world.updates()
    return int(group["id"]), bo


async def said(world: World, chat: int, user: int, text: str = "/go", **more: Any) -> JSON:
    """Write a text; give the update's message."""
    await world.do(f"chats/{chat}/text", user_id=user, text=text, **more)
    updates = await world.updates()
    found: JSON = next(value for key, value in updates[-1].items() if key != "update_id")
    return found


async def test_who_is_what(world: World) -> None:
    """The bot can ask what somebody is in a group, and who runs it; it hears of its own change."""
    group, bo = await grouped(world)
    bot = world.bot

    async def status(user: int) -> str:
        return (await bot.get_chat_member(group, user)).status

    assert [await status(world.me), await status(bo)] == ["creator", "member"]
    for new in ("administrator", "kicked", "left"):
        await world.do(f"groups/{group}/status", user_id=bo, status=new)
        assert await status(bo) == new
    with pytest.raises(BadRequest, match="Member not found"):
        await bot.get_chat_member(group, 5)
    with pytest.raises(BadRequest, match="no administrators in the private chat"):
        await bot.get_chat_administrators(world.me)
    await world.updates()
    await world.do(f"groups/{group}/status", status="administrator")
    await world.do(f"groups/{group}/status", user_id=bo, status="administrator")
    change, joined = await bot.get_updates()
    assert joined.message is not None
    assert [user.id for user in joined.message.new_chat_members] == [bo]
    assert change.my_chat_member is not None
    assert change.my_chat_member.new_chat_member.status == "administrator"
    assert {m.user.id for m in await bot.get_chat_administrators(group)} == {world.me, bo}
    assert len(await bot.get_chat_administrators(group, return_bots=True)) == 3


async def test_the_bot_leaves_and_returns(world: World) -> None:
    """Thrown out, it can send nothing and hears nothing; added again, it can."""
    group, _ = await grouped(world)
    await world.do(f"groups/{group}/kick")
    with pytest.raises(Forbidden, match="bot was kicked from the supergroup chat"):
        await world.bot.send_message(group, "x")
    await world.do(f"chats/{group}/text", user_id=world.me, text="/go")
    await world.do(f"groups/{group}/status", status="left")
    with pytest.raises(Forbidden, match="bot is not a member of the supergroup chat"):
        await world.bot.send_message(group, "x")
    await world.do(f"groups/{group}/status", status="member")
    await world.bot.send_message(group, "x")
    updates = await world.bot.get_updates()
    changes = [u.my_chat_member.new_chat_member.status for u in updates if u.my_chat_member]
    assert changes == ["kicked", "left", "member"]
    assert [bool(u.message.new_chat_members) for u in updates if u.message] == [True]


async def test_an_administrator_hears_and_deletes_everything(world: World) -> None:
    """A bot that runs the group is not bound by privacy mode, and deletes what others wrote."""
    group, bo = await grouped(world)
    await world.do(f"groups/{group}/status", status="administrator")
    heard = await said(world, group, bo, "hello")
    assert await world.bot.delete_message(group, heard["message_id"])


@pytest.mark.parametrize("reach", [True, False])
async def test_whether_captions_get_through(world: World, reach: bool) -> None:
    """Commands in captions reach a bot with privacy mode in some groups only; edits likewise."""
    group, bo = await grouped(world, captions_reach=reach)
    answer = await world.http.post(
        f"/person/chats/{group}/photo",
        data={"user_id": bo, "caption": "/go snow"},
        files={"photo": ("a.png", picture())},
    )
    (photo,) = answer.json()["messages"]
    edit = {"user_id": bo, "message_id": photo["message_id"], "caption": "/go rain"}
    await world.do(f"chats/{group}/edit", **edit)
    kinds = [next(k for k in u if k != "update_id") for u in await world.updates()]
    assert kinds == (["message", "edited_message"] if reach else [])


async def test_an_anonymous_administrator(world: World) -> None:
    """Who runs a group may write as the group, and edits it as their own."""
    group, bo = await grouped(world)
    heard = await said(world, group, world.me, as_chat=group)
    assert heard["from"]["id"] == ChatID.ANONYMOUS_ADMIN
    assert heard["sender_chat"] == heard["chat"]
    assert (await world.bot.get_chat_member(group, world.me)).to_dict()["is_anonymous"]
    edit = {"user_id": world.me, "message_id": heard["message_id"], "text": "/went"}
    await world.do(f"chats/{group}/edit", **edit)
    assert (await world.updates())[0]["edited_message"]["sender_chat"]["id"] == group
    for who, where in ((bo, group), (world.me, bo)):
        answer = await world.http.post(
            f"/person/chats/{group}/text", json={"user_id": who, "text": "/x", "as_chat": where}
        )
        assert answer.status_code == 400


async def test_somebody_who_writes_as_a_channel(world: World) -> None:
    """In a group, the owner of a channel may write in its name, whether the bot is in it or not."""
    group, bo = await grouped(world)
    channel = (await world.do("channels", title="C", members=[bo], bot=False))["id"]
    heard = await said(world, group, bo, as_chat=channel)
    assert heard["from"]["id"] == 136817688
    assert heard["sender_chat"] == {"id": channel, "type": Chat.CHANNEL, "title": "C"}
    with pytest.raises(Forbidden, match="bot is not a member of the channel chat"):
        await world.bot.send_message(channel, "x")


async def test_a_channel(world: World) -> None:
    """Posts of a channel come without an author, edits too, and the bot posts like them."""
    channel = (await world.do("channels", title="C", members=[world.me]))["id"]
    (added,) = await world.bot.get_updates()
    assert added.my_chat_member is not None
    await world.updates()
    post = await said(world, channel, world.me, "hello")
    assert ("from" in post, post["sender_chat"]["id"]) == (False, channel)
    edit = {"user_id": world.me, "message_id": post["message_id"], "text": "hello!"}
    await world.do(f"chats/{channel}/edit", **edit)
    (edited,) = await world.bot.get_updates()
    assert edited.edited_channel_post is not None
    assert edited.edited_channel_post.text == "hello!"
    sent = await world.bot.send_photo(channel, picture(), disable_notification=True)
    assert sent.from_user is None
    (_, shown) = await world.shown(channel)
    assert (shown["from_bot"], shown["silent"]) == (True, True)
    assert (await world.bot.get_chat_member(channel, world.me)).status == "creator"


async def test_a_channel_with_its_group(world: World) -> None:
    """Each post is copied into the linked group, and each edit follows it."""
    group, bo = await grouped(world, privacy=False)
    fields: JSON = {"title": "C", "members": [world.me, bo], "linked": group, "bot": False}
    channel = (await world.do("channels", **fields))["id"]
    copied = await said(world, channel, world.me, "news")
    assert copied["from"]["id"] == ChatID.SERVICE_CHAT
    assert (copied["sender_chat"]["id"], copied["is_automatic_forward"]) == (channel, True)
    assert copied["forward_origin"]["type"] == "channel"
    edit = {"user_id": world.me, "message_id": 1, "text": "old news"}
    await world.do(f"chats/{channel}/edit", **edit)
    assert (await world.updates())[0]["edited_message"]["text"] == "old news"
    answer = await world.http.post(
        f"/person/chats/{channel}/text", json={"user_id": bo, "text": "mine"}
    )
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("groups", {"title": "G", "members": ["{me}"], "admins": [5]}),
        ("groups/{me}/status", {"status": "left"}),
        ("groups/{group}/status", {"status": "king"}),
        ("groups/{group}/status", {"status": "left", "user_id": "{me}"}),
        ("channels", {"title": "C", "members": []}),
        ("channels", {"title": "C", "members": ["{me}"], "linked": 5}),
        ("chats/{me}/text", {"user_id": "{me}", "text": "x", "as_chat": "{me}"}),
        ("chats/{group}/text", {"user_id": "{me}", "text": "x", "as_chat": 5}),
        ("chats/{group}/text", {"user_id": "{me}", "text": "x", "quote": "y", "reply_to": 1}),
        ("chats/{me}/forward", {"user_id": "{me}", "from_chat_id": 5, "message_id": 1}),
        ("chats/{group}/block", {"blocked": True}),
    ],
)
async def test_what_nobody_can_do(world: World, path: str, fields: JSON) -> None:
    """What no app allows in groups and channels is refused with a sentence, and nothing happens."""
    group, _ = await grouped(world)

    def filled(value: Any) -> Any:
        if isinstance(value, list):
            return [filled(one) for one in value]
        return {"{me}": world.me}.get(value, value) if isinstance(value, str) else value

    path = path.replace("{me}", str(world.me)).replace("{group}", str(group))
    answer = await world.http.post(
        f"/person/{path}", json={name: filled(value) for name, value in fields.items()}
    )
    assert answer.status_code == 400
    assert len(answer.json()["error"]) > 10
    assert await world.updates() == []


async def test_forwards_from_groups_and_channels(world: World) -> None:
    """What was said in a chat's name is forwarded in it, and only by who sees it."""
    group, bo = await grouped(world)
    channel = (await world.do("channels", title="C", members=[world.me], bot=False))["id"]
    for chat, more in ((channel, {}), (group, {"as_chat": group})):
        fields = {"user_id": world.me, "text": "/x", **more}
        sent = await world.do(f"chats/{chat}/text", **fields)
        forward = {"from_chat_id": chat, "message_id": sent["message_id"]}
        await world.do(f"chats/{world.me}/forward", user_id=world.me, **forward)
        if chat == channel:
            answer = await world.http.post(
                f"/person/chats/{bo}/forward", json={"user_id": bo, **forward}
            )
            assert answer.status_code == 400
    messages = [u["message"] for u in await world.updates() if "message" in u]
    origins = [m["forward_origin"] for m in messages if "forward_origin" in m]
    assert [o["type"] for o in origins] == ["channel", "chat"]
    assert (origins[0]["chat"]["id"], origins[1]["sender_chat"]["id"]) == (channel, group)


async def test_changes_of_others(world: World) -> None:
    """What becomes of other members is told to a bot that runs the chat and asked for it."""
    group, bo = await grouped(world)
    await world.call("getUpdates", allowed_updates=["chat_member"])
    for status in ("administrator", "member"):
        await world.do(f"groups/{group}/status", status=status)
        await world.do(f"groups/{group}/status", user_id=bo, status=status)
    (change,) = await world.bot.get_updates()
    assert change.chat_member is not None
    assert change.chat_member.new_chat_member.status == "administrator"
    channel = (await world.do("channels", title="C", members=[world.me]))["id"]
    await world.do(f"groups/{channel}/status", status="member")
    described = await world.wrong("getChatMember", chat_id=channel, user_id=world.me)
    assert described == "Bad Request: CHAT_ADMIN_REQUIRED"
