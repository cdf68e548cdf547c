"""How the bot changes what it has sent, and how it presents itself, by its own library."""

from typing import Any

import pytest
from telegram import (
    BotCommand,
    CopyTextButton,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    Message,
    ReplyParameters,
)
from telegram.error import BadRequest

from tests.sandbox.telegram_client import World, picture

KEYBOARD = InlineKeyboardMarkup([[InlineKeyboardButton("Again", callback_data="again:1")]])


async def edited(world: World, message: Message, media: Any, **more: Any) -> Message:
    """Replace a message's picture; give the message."""
    done = await world.bot.edit_message_media(media, world.me, message.message_id, **more)
    assert isinstance(done, Message)
    return done


async def test_a_text_becomes_a_picture_and_a_file(world: World) -> None:
    """EditMessageMedia turns a text into a photo, and that into a file, with caption and buttons."""
    sent = await world.bot.send_message(world.me, "working", reply_markup=KEYBOARD)
    photo = InputMediaPhoto(picture(), caption="<b>done</b>", parse_mode="HTML", has_spoiler=True)
    done = await edited(world, sent, photo, reply_markup=KEYBOARD)
    assert (done.text, done.caption, done.has_media_spoiler) == (None, "done", True)
    assert [e.type for e in done.caption_entities] == ["bold"]
    (shown,) = await world.shown(world.me)
    assert (shown["spoiler"], shown["edited"], len(shown["buttons"])) == (True, True, 1)
    same = InputMediaPhoto(
        done.photo[-1].file_id, caption="<b>done</b>", parse_mode="HTML", has_spoiler=True
    )
    with pytest.raises(BadRequest, match="Message is not modified"):
        await edited(world, sent, same, reply_markup=KEYBOARD)
    done = await edited(world, sent, InputMediaDocument(b"abc", filename="a.txt"))
    assert (done.photo, done.caption, done.reply_markup) == ((), None, None)
    assert done.document is not None
    with pytest.raises(BadRequest, match="There is no text in the message to edit"):
        await world.bot.edit_message_text("x", world.me, sent.message_id)


async def test_an_album_keeps_its_kind(world: World) -> None:
    """An item of an album is replaced by its own kind only, and takes no buttons."""
    items = [InputMediaPhoto(picture()), InputMediaPhoto(picture())]
    first, _ = await world.bot.send_media_group(world.me, items, disable_notification=True)
    assert [m["silent"] for m in await world.shown(world.me)] == [True, True]
    done = await edited(world, first, InputMediaPhoto(picture(20, 20), caption="new"))
    assert (done.caption, done.media_group_id) == ("new", first.media_group_id)
    for media, markup in ((InputMediaDocument(b"a"), None), (InputMediaPhoto(picture()), KEYBOARD)):
        with pytest.raises(BadRequest):
            await edited(world, first, media, reply_markup=markup)
        assert await world.outcome() == "strict"


async def test_editing_a_caption(world: World) -> None:
    """EditMessageCaption changes, empties, and refuses what is the same or has none."""
    sent = await world.bot.send_photo(world.me, picture(), caption="one", reply_markup=KEYBOARD)
    done = await world.bot.edit_message_caption(world.me, sent.message_id, caption="two")
    assert isinstance(done, Message)
    assert (done.caption, done.reply_markup, len(done.photo)) == ("two", None, len(sent.photo))
    with pytest.raises(BadRequest, match="Message is not modified"):
        await world.bot.edit_message_caption(world.me, sent.message_id, caption="two")
    emptied = await world.bot.edit_message_caption(world.me, sent.message_id)
    assert isinstance(emptied, Message)
    assert emptied.caption is None
    text = await world.bot.send_message(world.me, "x")
    with pytest.raises(BadRequest, match="There is no caption in the message to edit"):
        await world.bot.edit_message_caption(world.me, text.message_id, caption="c")


async def test_a_question_cannot_be_edited(world: World) -> None:
    """A message that opens the input field shows its hint, and is never edited."""
    ask = ForceReply(input_field_placeholder="make it snow")
    sent = await world.bot.send_message(world.me, "What?", reply_markup=ask)
    (shown,) = await world.shown(world.me)
    assert (shown["force_reply"], shown["placeholder"]) == (True, "make it snow")
    with pytest.raises(BadRequest, match="can't be edited"):
        await world.bot.edit_message_text("x", world.me, sent.message_id)
    assert await world.outcome() == "strict"


async def test_a_button_that_copies(world: World) -> None:
    """A person sees what a button copies."""
    button = InlineKeyboardButton("Copy", copy_text=CopyTextButton("snow /ratio 16:9"))
    await world.bot.send_message(world.me, "x", reply_markup=InlineKeyboardMarkup([[button]]))
    (shown,) = await world.shown(world.me)
    assert shown["buttons"] == [[{"text": "Copy", "copy_text": {"text": "snow /ratio 16:9"}}]]


async def test_deleting_several(world: World) -> None:
    """DeleteMessages passes over what is gone, and deletes nothing when one is too old."""
    old = await world.bot.send_message(world.me, "old")
    await world.do("clock", advance_seconds=48 * 3600)
    ids = [(await world.bot.send_message(world.me, str(n))).message_id for n in range(3)]
    with pytest.raises(BadRequest, match="Message can't be deleted"):
        await world.bot.delete_messages(world.me, [old.message_id, *ids])
    await world.bot.edit_message_text("older", world.me, old.message_id)
    assert await world.bot.delete_messages(world.me, [*ids, 999])
    assert [m["text"] for m in await world.shown(world.me)] == ["older"]


async def test_a_reply_with_a_quote(world: World) -> None:
    """A reply quotes words of the message, and no others."""
    asked = await world.do(f"chats/{world.me}/text", user_id=world.me, text="😀 make it snow")
    reply = ReplyParameters(asked["message_id"], quote="it snow")
    sent = await world.bot.send_message(world.me, "x", reply_parameters=reply)
    assert sent.quote is not None
    assert (sent.quote.text, sent.quote.position) == ("it snow", 8)
    with pytest.raises(BadRequest, match="Quote_text_invalid"):
        await world.bot.send_message(
            world.me, "x", reply_parameters=ReplyParameters(asked["message_id"], quote="rain")
        )


async def test_a_reaction(world: World) -> None:
    """A reaction is seen at the message, and can be taken back."""
    asked = await world.do(f"chats/{world.me}/text", user_id=world.me, text="snow")
    for reaction, seen in (("👀", ["👀"]), (None, [])):
        await world.bot.set_message_reaction(world.me, asked["message_id"], reaction)
        assert (await world.shown(world.me))[0]["reactions"] == seen
    with pytest.raises(BadRequest, match="Message to react not found"):
        await world.bot.set_message_reaction(world.me, 99, "👍")


async def test_descriptions_and_menus_by_language(world: World) -> None:
    """Each language has its own menu and descriptions; an empty one is none."""
    bot = world.bot
    for language, text in (("", "Pictures"), ("de", "Bilder")):
        await bot.set_my_description(text, language_code=language)
        await bot.set_my_short_description(text[:3], language_code=language)
        await bot.set_my_commands([BotCommand("start", text)], language_code=language)
    assert (await bot.get_my_description("de")).description == "Bilder"
    assert (await bot.get_my_short_description()).short_description == "Pic"
    assert (await bot.get_my_description("fr")).description == ""
    await bot.set_my_description("", language_code="de")
    await bot.delete_my_commands(language_code="de")
    assert (await world.see("profile")) == {
        "description": {"": "Pictures"},
        "short_description": {"": "Pic", "de": "Bil"},
    }
    assert await bot.get_my_commands(language_code="de") == ()
    menus = (await world.see("commands"))["menus"]
    assert [menu["language_code"] for menu in menus] == [""]
