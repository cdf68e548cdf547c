"""Each method of the local Bot API, called by the library that the bot uses."""

import asyncio
import io

import pytest
from PIL import Image
from telegram import (
    BotCommand,
    BotCommandScopeAllGroupChats,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    LinkPreviewOptions,
    ReplyKeyboardRemove,
    ReplyParameters,
)
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken

from sandbox.telegram.app import TOKEN
from tests.sandbox.telegram_client import World, picture

KEYBOARD = InlineKeyboardMarkup([[InlineKeyboardButton("Again", callback_data="again:1")]])


async def test_get_me(world: World) -> None:
    """The bot's id is the number that its token begins with."""
    me = await world.bot.get_me()
    assert (me.id, me.is_bot, me.username) == (int(TOKEN.split(":")[0]), True, "sandbox_bot")


async def test_a_wrong_token_is_unauthorized(world: World) -> None:
    """Any other token is refused with 401, for methods and for files."""
    for path in ("/bot5:wrong/getMe", "/file/bot5:wrong/photos/file_1.jpg"):
        answer = await world.http.get(path)
        assert answer.status_code == 401
        assert answer.json() == {"ok": False, "error_code": 401, "description": "Unauthorized"}


async def test_an_unknown_method_is_not_found(world: World) -> None:
    """A method that this Telegram does not have is 404, and a breach."""
    status, body = await world.call("sendDice", chat_id=world.me)
    assert (status, body["description"]) == (404, "Not Found")
    assert await world.outcome() == "strict"


async def test_a_text_becomes_an_update(world: World) -> None:
    """What a person writes arrives as the library's Message, with its commands marked."""
    await world.do(f"chats/{world.me}/text", user_id=world.me, text="/start now")
    (update,) = await world.bot.get_updates()
    assert update.message is not None
    assert update.message.text == "/start now"
    assert update.message.from_user is not None
    assert update.message.from_user.username == "ann_b"
    assert update.message.chat.type == "private"
    assert [(e.type, e.offset, e.length) for e in update.message.entities] == [
        ("bot_command", 0, 6)
    ]


async def test_updates_stay_until_confirmed(world: World) -> None:
    """Only a higher offset confirms; a negative one keeps so many from the end."""
    for text in "abcd":
        await world.do(f"chats/{world.me}/text", user_id=world.me, text=text)
    first = await world.bot.get_updates(limit=2)
    assert [u.message.text for u in first if u.message] == ["a", "b"]
    again = await world.bot.get_updates()
    assert [u.update_id for u in again[:2]] == [u.update_id for u in first]
    rest = await world.bot.get_updates(offset=first[1].update_id + 1)
    assert [u.message.text for u in rest if u.message] == ["c", "d"]
    last = await world.bot.get_updates(offset=-1)
    assert [u.message.text for u in last if u.message] == ["d"]
    assert await world.see("updates") == {"pending": 1, "ids": [last[0].update_id]}


async def test_it_is_known_when_an_update_was_given_out(world: World) -> None:
    """It is the first time that counts, and what was not given out is not in it."""
    for text in "ab":
        await world.do(f"chats/{world.me}/text", user_id=world.me, text=text)
    assert await world.see("updates/given") == {"given": {}}
    [first] = await world.bot.get_updates(limit=1)
    given = (await world.see("updates/given"))["given"]
    assert list(given) == [str(first.update_id)]
    both = await world.bot.get_updates()
    again = (await world.see("updates/given"))["given"]
    assert list(again) == [str(update.update_id) for update in both]
    assert again[str(first.update_id)] == given[str(first.update_id)]


async def test_long_polling_wakes_for_an_update(world: World) -> None:
    """A waiting call is answered as soon as there is something, and empty when time is up."""
    waiting = asyncio.create_task(world.bot.get_updates(timeout=30))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    await world.do(f"chats/{world.me}/text", user_id=world.me, text="hello")
    (update,) = await asyncio.wait_for(waiting, 2)
    assert await world.bot.get_updates(offset=update.update_id + 1, timeout=1) == ()


async def test_a_second_poller_ends_the_first(world: World) -> None:
    """Of two concurrent getUpdates, the first is told of the conflict."""
    first = asyncio.create_task(world.bot.get_updates(timeout=30))
    await asyncio.sleep(0.1)
    await world.http.get(f"/bot{TOKEN}/getUpdates", params={"timeout": 0})
    with pytest.raises(Conflict, match="terminated by other getUpdates request"):
        await asyncio.wait_for(first, 2)


async def test_allowed_updates_are_remembered(world: World) -> None:
    """A list given once holds until another is given; an empty one means the usual."""
    await world.bot.get_updates(allowed_updates=["callback_query"])
    await world.do(f"chats/{world.me}/text", user_id=world.me, text="unheard")
    assert await world.bot.get_updates() == ()
    info = await world.bot.get_webhook_info()
    assert list(info.allowed_updates) == ["callback_query"]
    await world.bot.get_updates(allowed_updates=[])
    await world.do(f"chats/{world.me}/text", user_id=world.me, text="heard")
    assert len(await world.bot.get_updates()) == 1


async def test_webhook_methods(world: World) -> None:
    """Without a webhook its address is empty; deleting it drops what waits only if asked to."""
    await world.do(f"chats/{world.me}/text", user_id=world.me, text="a")
    assert await world.bot.delete_webhook()
    info = await world.bot.get_webhook_info()
    assert (info.url, info.pending_update_count) == ("", 1)
    assert await world.bot.delete_webhook(drop_pending_updates=True)
    assert (await world.bot.get_webhook_info()).pending_update_count == 0


async def test_commands(world: World) -> None:
    """Menus are kept by scope and language, and people see them."""
    commands = [BotCommand("start", "Begin"), BotCommand("status", "Your tasks")]
    await world.bot.set_my_commands(commands)
    await world.bot.set_my_commands(
        commands[:1], scope=BotCommandScopeAllGroupChats(), language_code="de"
    )
    assert await world.bot.get_my_commands() == tuple(commands)
    assert await world.bot.get_my_commands(language_code="de") == ()
    menus = (await world.see("commands"))["menus"]
    assert [(m["scope"]["type"], m["language_code"], len(m["commands"])) for m in menus] == [
        ("default", "", 2),
        ("all_group_chats", "de", 1),
    ]


async def test_send_message(world: World) -> None:
    """A text arrives with its formatting, buttons, and what it replies to."""
    asked = await world.do(f"chats/{world.me}/text", user_id=world.me, text="hi")
    sent = await world.bot.send_message(
        world.me,
        "Hello <b>Ann</b> &amp; co",
        parse_mode="HTML",
        reply_markup=KEYBOARD,
        reply_parameters=ReplyParameters(asked["message_id"], allow_sending_without_reply=True),
        link_preview_options=LinkPreviewOptions(is_disabled=True),
        disable_notification=True,
        protect_content=True,
    )
    assert sent.text == "Hello Ann & co"
    assert sent.reply_to_message is not None
    assert sent.reply_to_message.text == "hi"
    assert sent.has_protected_content
    shown = (await world.shown(world.me))[-1]
    assert shown["from_bot"]
    assert shown["entities"] == [{"type": "bold", "offset": 6, "length": 3}]
    assert shown["reply_to"] == asked["message_id"]
    assert shown["buttons"] == [[{"text": "Again", "callback_data": "again:1"}]]


async def test_force_reply_and_keyboard_remove(world: World) -> None:
    """The other two markups are taken, and show no buttons."""
    await world.bot.send_message(
        world.me, "What?", reply_markup=ForceReply(input_field_placeholder="words")
    )
    await world.bot.send_message(world.me, "Fine", reply_markup=ReplyKeyboardRemove())
    first, second = await world.shown(world.me)
    assert (first["force_reply"], first["buttons"]) == (True, [])
    assert not second["force_reply"]


@pytest.mark.parametrize("attach", [False, True])
async def test_send_photo(world: World, attach: bool) -> None:
    """A photo becomes JPEG in several sizes, and can be downloaded and sent again by its id."""
    data = picture(2000, 1000)
    if attach:
        answer = await world.http.post(
            f"/bot{TOKEN}/sendPhoto",
            data={"chat_id": str(world.me), "photo": "attach://pic", "caption": "<i>c</i>"},
            files={"pic": ("a.png", data)},
            params={"parse_mode": "HTML"},
        )
        file_id = answer.json()["result"]["photo"][-1]["file_id"]
    else:
        sent = await world.bot.send_photo(
            world.me, data, caption="<i>c</i>", parse_mode="HTML", has_spoiler=True
        )
        assert [(s.width, s.height) for s in sent.photo] == [
            *((90, 45), (320, 160), (800, 400), (1280, 640)),
        ]
        assert sent.has_media_spoiler
        file_id = sent.photo[-1].file_id
    file = await world.bot.get_file(file_id)
    content = bytes(await file.download_as_bytearray())
    assert file.file_size == len(content)
    with Image.open(io.BytesIO(content)) as image:
        assert (image.format, image.size) == ("JPEG", (1280, 640))
    again = await world.bot.send_photo(world.me, file_id, reply_markup=KEYBOARD)
    assert again.photo[-1].file_id == file_id
    shown = (await world.shown(world.me))[0]
    assert (shown["caption"], shown["photo"]["width"]) == ("c", 1280)
    assert (await world.http.get(shown["photo"]["url"])).content == content


async def test_send_document(world: World) -> None:
    """A file keeps its bytes, its name, and a type by that name."""
    data = picture()
    sent = await world.bot.send_document(world.me, data, filename="out.png", caption="as a file")
    assert sent.document is not None
    assert (sent.document.file_name, sent.document.mime_type) == ("out.png", "image/png")
    file = await world.bot.get_file(sent.document.file_id)
    assert bytes(await file.download_as_bytearray()) == data
    again = await world.bot.send_document(world.me, sent.document.file_id)
    assert again.document == sent.document


async def test_send_media_group(world: World) -> None:
    """An album of photos, new and known, is several messages with one media_group_id."""
    known = await world.bot.send_photo(world.me, picture())
    sent = await world.bot.send_media_group(
        world.me,
        [InputMediaPhoto(picture(100, 50)), InputMediaPhoto(known.photo[-1].file_id)],
        caption="<b>two</b>",
        parse_mode="HTML",
        reply_to_message_id=known.message_id,
    )
    assert len({message.media_group_id for message in sent}) == 1
    assert sent[0].media_group_id is not None
    assert [message.caption for message in sent] == ["two", None]
    assert all(message.reply_to_message == known for message in sent)
    files = await world.bot.send_media_group(
        world.me, [InputMediaDocument(picture(), filename=f"{n}.png") for n in range(2)]
    )
    assert [m.document.file_name for m in files if m.document] == ["0.png", "1.png"]


async def test_edit_message_text(world: World) -> None:
    """An edit changes what is shown, drops buttons that are not given, and must change something."""
    sent = await world.bot.send_message(world.me, "one", reply_markup=KEYBOARD)
    await world.bot.edit_message_text("two", world.me, sent.message_id)
    (shown,) = await world.shown(world.me)
    assert (shown["text"], shown["buttons"], shown["edits"]) == ("two", [], 1)
    with pytest.raises(BadRequest, match="Message is not modified: specified new message content"):
        await world.bot.edit_message_text("two", world.me, sent.message_id)
    await world.bot.edit_message_text("two", world.me, sent.message_id, reply_markup=KEYBOARD)
    assert (await world.shown(world.me))[0]["buttons"]


async def test_edit_refusals(world: World) -> None:
    """An edit of what is gone, what is a person's, or what has no text is refused."""
    theirs = await world.do(f"chats/{world.me}/text", user_id=world.me, text="mine")
    photo = await world.bot.send_photo(world.me, picture())
    with pytest.raises(BadRequest, match="Message to edit not found"):
        await world.bot.edit_message_text("x", world.me, 999)
    with pytest.raises(BadRequest, match="Message can't be edited"):
        await world.bot.edit_message_text("x", world.me, theirs["message_id"])
    with pytest.raises(BadRequest, match="no text in the message to edit"):
        await world.bot.edit_message_text("x", world.me, photo.message_id)


async def test_edit_message_reply_markup(world: World) -> None:
    """Buttons alone can be set and taken away."""
    sent = await world.bot.send_photo(world.me, picture())
    await world.bot.edit_message_reply_markup(world.me, sent.message_id, reply_markup=KEYBOARD)
    assert (await world.shown(world.me))[0]["buttons"]
    await world.bot.edit_message_reply_markup(world.me, sent.message_id)
    assert not (await world.shown(world.me))[0]["buttons"]
    with pytest.raises(BadRequest, match="not modified"):
        await world.bot.edit_message_reply_markup(world.me, sent.message_id)


async def test_delete_message(world: World) -> None:
    """In a private chat the bot deletes its own messages and the user's, up to 48 hours old."""
    theirs = await world.do(f"chats/{world.me}/text", user_id=world.me, text="mine")
    own, old = [await world.bot.send_message(world.me, text) for text in "ab"]
    assert await world.bot.delete_message(world.me, theirs["message_id"])
    assert await world.bot.delete_message(world.me, own.message_id)
    with pytest.raises(BadRequest, match="Message to delete not found"):
        await world.bot.delete_message(world.me, own.message_id)
    await world.do("clock", advance_seconds=48 * 3600)
    with pytest.raises(BadRequest, match="Message can't be deleted"):
        await world.bot.delete_message(world.me, old.message_id)


async def test_answer_callback_query(world: World) -> None:
    """A press arrives as a callback, whose answer the person sees, once and in time."""
    sent = await world.bot.send_message(world.me, "choose", reply_markup=KEYBOARD)
    press = {"user_id": world.me, "message_id": sent.message_id}
    pressed = await world.do(f"chats/{world.me}/press", text="Again", **press)
    (update,) = await world.bot.get_updates()
    assert update.callback_query is not None
    assert (update.callback_query.data, update.callback_query.message) == ("again:1", sent)
    assert await world.bot.answer_callback_query(update.callback_query.id, "ok", show_alert=True)
    assert await world.see(f"callbacks/{pressed['callback_query_id']}") == {
        "answered": True,
        "text": "ok",
        "show_alert": True,
    }
    late = await world.do(f"chats/{world.me}/press", data="again:1", **press)
    await world.do("clock", advance_seconds=16)
    for query_id in (late["callback_query_id"], "123"):
        with pytest.raises(BadRequest, match="Query is too old and response timeout expired"):
            await world.bot.answer_callback_query(query_id)


async def test_send_chat_action(world: World) -> None:
    """An action is shown for five seconds."""
    await world.bot.send_chat_action(world.me, "upload_photo")
    assert (await world.see(f"chats/{world.me}"))["chat"]["action"] == "upload_photo"
    await world.do("clock", advance_seconds=5)
    assert "action" not in (await world.see(f"chats/{world.me}"))["chat"]


async def test_get_file_refusals(world: World) -> None:
    """A file that is unknown, gone, or over 20 MB is refused, each in its words."""
    with pytest.raises(BadRequest, match="Wrong file_id or the file is temporarily unavailable"):
        await world.bot.get_file("nothing")
    sent = await world.bot.send_photo(world.me, picture(200, 200))
    file = await world.bot.get_file(sent.photo[0].file_id)
    await world.do(f"files/{sent.photo[-1].file_id}/vanish")
    with pytest.raises(BadRequest, match="temporarily unavailable"):
        await world.bot.get_file(sent.photo[0].file_id)
    with pytest.raises(InvalidToken):
        await file.download_as_bytearray()
    answer = await world.http.post(
        f"/person/chats/{world.me}/document",
        data={"user_id": world.me},
        files={"document": ("big.jpg", bytes(20 * 2**20 + 1), "image/jpeg")},
    )
    big = answer.json()["messages"][0]["document"]
    with pytest.raises(BadRequest, match="File is too big"):
        await world.bot.get_file(big["file_id"])


async def test_forbidden(world: World) -> None:
    """A user who blocked the bot, one who never wrote, and a group that threw it out."""
    stranger = await world.do("users", first_name="Bo", started=False)
    with pytest.raises(Forbidden, match="bot can't initiate conversation with a user"):
        await world.bot.send_message(stranger["id"], "hi")
    await world.do(f"chats/{stranger['id']}/text", user_id=stranger["id"], text="hello")
    await world.bot.send_message(stranger["id"], "hi")
    await world.do(f"chats/{world.me}/block", blocked=True)
    with pytest.raises(Forbidden, match="bot was blocked by the user"):
        await world.bot.send_photo(world.me, picture())
    group = await world.do("groups", title="G", members=[world.me], supergroup=True)
    await world.do(f"groups/{group['id']}/kick")
    with pytest.raises(Forbidden, match="bot was kicked from the supergroup chat"):
        await world.bot.send_message(group["id"], "hi")
    with pytest.raises(BadRequest, match="Chat not found"):
        await world.bot.send_message(5, "hi")
