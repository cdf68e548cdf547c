"""How strict the local Bot API is: what no correct caller sends is refused, and written down."""

import io
import json
from typing import Any

import httpx
import pytest
from PIL import Image

from sandbox.telegram.app import TOKEN
from sandbox.telegram.clock import Clock
from sandbox.telegram.limits import FloodControl
from sandbox.telegram.markup import formatted
from sandbox.telegram.methods import METHODS
from sandbox.telegram.rules import Refusal, Rules
from tests.sandbox.telegram_client import World, opened, picture


def button(**fields: Any) -> dict[str, Any]:
    """Give a markup with one button."""
    return {"inline_keyboard": [[{"text": "b", **fields}]]}


def test_methods_are_exactly_these() -> None:
    """This Telegram has the methods that the bot calls, and no other."""
    assert {method.name for method in METHODS.values()} == {
        *("getMe", "getUpdates", "setWebhook", "deleteWebhook", "getWebhookInfo", "setMyCommands"),
        *("getMyCommands", "sendMessage", "sendPhoto", "sendDocument", "sendMediaGroup"),
        *("editMessageText", "editMessageReplyMarkup", "deleteMessage", "answerCallbackQuery"),
        *("sendChatAction", "getFile", "deleteMyCommands", "setMyDescription"),
        *("getMyDescription", "setMyShortDescription", "getMyShortDescription"),
        *("editMessageCaption", "editMessageMedia", "deleteMessages", "setMessageReaction"),
        *("getChatMember", "getChatAdministrators"),
    }


@pytest.mark.parametrize(
    ("method", "params", "reason"),
    [
        ("sendMessage", {"text": "x", "colour": "red"}, "unknown parameter colour"),
        ("sendMessage", {}, "message text is empty"),
        ("sendMessage", {"text": " \n "}, "message text is empty"),
        ("sendMessage", {"text": "<b></b>", "parse_mode": "HTML"}, "message text is empty"),
        ("sendMessage", {"text": "\u200d\u200f \u2066"}, "message text is empty"),
        ("sendMessage", {"text": "x" * 4097}, "message is too long"),
        (
            "sendMessage",
            {"text": "x", "reply_markup": {"inline_keyboard": [[{"text": " ", "url": "t.me"}]]}},
            "inline keyboard button text must be non-empty",
        ),
        ("sendMessage", {"text": "x", "chat_id": "me"}, "parameter chat_id must be"),
        ("sendMessage", {"text": "x", "protect_content": "yes"}, "parameter protect_content must"),
        ("sendMessage", {"text": "x", "message_thread_id": 1.5}, "parameter message_thread_id"),
        ("sendMessage", {"text": "x", "reply_markup": "{"}, "can't parse reply_markup JSON"),
        (
            "sendMessage",
            {"text": "x", "reply_markup": {"keyboard": []}},
            "can't parse reply_markup",
        ),
        ("sendMessage", {"text": "x", "reply_markup": button()}, "text buttons are unallowed"),
        (
            "sendMessage",
            {"text": "x", "reply_markup": button(callback_data="é" * 33)},
            "BUTTON_DATA_INVALID",
        ),
        ("sendMessage", {"text": "x", "reply_markup": button(callback_data="")}, "BUTTON_DATA"),
        ("sendMessage", {"text": "x", "reply_markup": button(callback="a")}, "can't parse reply_"),
        ("sendMessage", {"text": "x", "reply_parameters": {"id": 5}}, "can't parse reply_param"),
        ("sendMessage", {"text": "x", "parse_mode": "MarkdownV2"}, "can't parse entities"),
        ("sendMessage", {"text": "a < b", "parse_mode": "HTML"}, "can't parse entities: Unsupp"),
        (
            "sendMessage",
            {"text": "x", "entities": [{"type": "bold", "offset": 0, "length": 2}]},
            "can't parse entities: an entity lies outside",
        ),
        ("sendPhoto", {"photo": "attach://none"}, "wrong file identifier/HTTP URL specified"),
        ("sendPhoto", {"photo": "https://a/b.jpg"}, "wrong HTTP URL specified"),
        ("sendPhoto", {"photo": "x", "caption": "y" * 1025}, "message caption is too long"),
        ("sendPhoto", {}, "parameter photo is required"),
        ("sendMediaGroup", {"media": [{"type": "photo", "media": "x"}]}, "an album takes 2"),
        (
            "sendMediaGroup",
            {"media": [{"type": "photo", "media": "x"}, {"type": "document", "media": "y"}]},
            "document can't be mixed with other media types",
        ),
        (
            "sendMediaGroup",
            {
                "media": [{"type": "photo", "media": "x"}] * 2,
                "reply_markup": button(url="https://a"),
            },
            "unknown parameter reply_markup",
        ),
        ("sendDocument", {"document": "x", "has_spoiler": True}, "unknown parameter has_spoiler"),
        (
            "sendMessage",
            {"text": "x", "reply_markup": button(copy_text={"text": "c" * 257})},
            "can't parse reply_markup",
        ),
        (
            "sendMessage",
            {"text": "x", "reply_markup": button(callback_data="a", copy_text={"text": "c"})},
            "text buttons are unallowed",
        ),
        (
            "sendMessage",
            {
                "text": "x",
                "reply_markup": {"force_reply": True, "input_field_placeholder": "p" * 65},
            },
            "can't parse reply_markup",
        ),
        ("sendChatAction", {"action": "dancing"}, "wrong parameter action"),
        ("editMessageCaption", {"message_id": 1, "caption": "y" * 1025}, "message caption is too"),
        (
            "editMessageMedia",
            {"message_id": 1, "media": {"type": "video", "media": "x"}},
            "can't parse media",
        ),
        (
            "editMessageMedia",
            {"message_id": 1, "media": {"type": "document", "media": "x", "has_spoiler": True}},
            "can't parse media: has unknown has_spoiler",
        ),
        (
            "editMessageMedia",
            {
                "message_id": 1,
                "media": {"type": "photo", "media": "x", "caption": "<b", "parse_mode": "HTML"},
            },
            "can't parse entities",
        ),
        ("deleteMessages", {"message_ids": []}, "message_ids must be 1"),
        ("deleteMessages", {"message_ids": list(range(101))}, "message_ids must be 1"),
        (
            "setMessageReaction",
            {"message_id": 1, "reaction": [{"type": "emoji", "emoji": "🛹"}]},
            "REACTION_INVALID",
        ),
        ("editMessageText", {"text": "x"}, "message identifier is not specified"),
        (
            "editMessageText",
            {"text": "x", "message_id": 1, "reply_markup": {"force_reply": True}},
            "inline keyboard expected",
        ),
    ],
)
async def test_breaches(world: World, method: str, params: dict[str, Any], reason: str) -> None:
    """A breach of contract is refused with a reason, shows nothing, and counts as strict."""
    described = await world.wrong(method, **{"chat_id": world.me, **params})
    assert described.startswith(f"Bad Request: {reason}")
    assert await world.outcome() == "strict"
    assert await world.shown(world.me) == []


@pytest.mark.parametrize(
    ("method", "params", "reason"),
    [
        ("getUpdates", {"limit": 101}, "limit must be"),
        ("getUpdates", {"timeout": -1}, "timeout must"),
        ("getUpdates", {"offset": "x"}, "parameter offset must"),
        ("answerCallbackQuery", {"callback_query_id": "1", "text": "x" * 201}, "MESSAGE_TOO_LONG"),
        (
            "setMyCommands",
            {"commands": [{"command": "Start", "description": "x"}]},
            "BOT_COMMAND_I",
        ),
        ("setMyCommands", {"commands": [{"command": "a", "description": ""}]}, "BOT_COMMAND_DESC"),
        ("getMyCommands", {"language_code": "english"}, "invalid language code"),
        ("getMyCommands", {"scope": {"type": "nowhere"}}, "can't parse scope"),
        ("setMyDescription", {"description": "x" * 513}, "description must be at most 512"),
        ("setMyShortDescription", {"short_description": "x" * 121}, "short_description must be"),
        ("setMyDescription", {"language_code": "pt-BR"}, "invalid language code"),
        ("getMe", {"x": 1}, "unknown parameter x"),
    ],
)
async def test_breaches_without_a_chat(
    world: World, method: str, params: dict[str, Any], reason: str
) -> None:
    """Methods that concern no chat are as strict."""
    assert (await world.wrong(method, **params)).startswith(f"Bad Request: {reason}")
    assert await world.outcome() == "strict"


async def test_every_way_to_pass_parameters(world: World) -> None:
    """Query, form, multipart and JSON are read alike, and method names in any letter case."""
    params = {"chat_id": str(world.me), "text": "x"}
    url = f"/bot{TOKEN}/sendmessage"
    for request in (
        {"params": params},
        {"data": params},
        {"files": {name: (None, value) for name, value in params.items()}},
        {"json": params},
        {"params": {"chat_id": world.me}, "data": {"text": "x"}},
    ):
        answer = await world.http.request("POST", url, **request)
        assert answer.status_code == 200, (request, answer.text)
    assert (await world.http.get(url, params=params)).status_code == 200
    assert len(await world.shown(world.me)) == 6
    twice = await world.http.post(url, params=params, data=params)
    assert twice.json()["description"] == "Bad Request: parameter chat_id is given twice"


async def test_an_empty_keyboard_is_none(world: World) -> None:
    """A keyboard without buttons shows none."""
    params = {"chat_id": world.me, "text": "x", "reply_markup": {"inline_keyboard": []}}
    _, body = await world.call("sendMessage", **params)
    assert "reply_markup" not in body["result"]


async def test_a_stray_file_is_a_breach(world: World) -> None:
    """A file that no parameter names is refused."""
    answer = await world.http.post(
        f"/bot{TOKEN}/sendMessage",
        data={"chat_id": str(world.me), "text": "x"},
        files={"stray": ("a.txt", b"a")},
    )
    assert answer.json()["description"] == "Bad Request: file stray belongs to no parameter"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (picture(6000, 4001), "PHOTO_INVALID_DIMENSIONS"),
        (picture(210, 10), "PHOTO_INVALID_DIMENSIONS"),
        (b"no picture", "IMAGE_PROCESS_FAILED"),
        (picture()[:60], "IMAGE_PROCESS_FAILED"),
        (bytes(10 * 2**20 + 1), "file of size 10485761 bytes is too big for a photo"),
    ],
)
async def test_what_is_no_photo(world: World, content: bytes, reason: str) -> None:
    """A photo too large, too narrow, or broken is refused, legitimately."""
    answer = await world.http.post(
        f"/bot{TOKEN}/sendPhoto", data={"chat_id": world.me}, files={"photo": ("a.jpg", content)}
    )
    assert answer.status_code == 400
    assert answer.json()["description"].startswith(f"Bad Request: {reason}")
    assert await world.outcome() == "refused"


async def test_a_file_id_belongs_to_its_kind(world: World) -> None:
    """A document's id is no photo, and an unknown id is nothing."""
    sent = await world.bot.send_document(world.me, picture())
    assert sent.document is not None
    params = {"chat_id": world.me, "photo": sent.document.file_id}
    assert "can't use file of type Document as Photo" in await world.wrong("sendPhoto", **params)
    assert "wrong file identifier" in await world.wrong("sendPhoto", **params | {"photo": "AgAC"})


async def test_turned_photos_are_set_upright(world: World) -> None:
    """The orientation that a camera noted is applied, as Telegram's apps do."""
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20)).save(out, "JPEG", exif=exif)
    sent = await world.bot.send_photo(world.me, out.getvalue())
    assert [(size.width, size.height) for size in sent.photo] == [(20, 40)]


async def test_reply_to_what_is_gone(world: World) -> None:
    """A reply to a deleted message is refused, unless it may be sent without."""
    asked = await world.do(f"chats/{world.me}/text", user_id=world.me, text="hi")
    await world.do(f"chats/{world.me}/delete", message_id=asked["message_id"])
    params: dict[str, Any] = {"chat_id": world.me, "text": "x"}
    reply = {"message_id": asked["message_id"]}
    described = await world.wrong("sendMessage", **params, reply_parameters=reply)
    assert described == "Bad Request: message to be replied not found"
    reply |= {"allow_sending_without_reply": True}
    status, body = await world.call("sendMessage", **params, reply_parameters=reply)
    assert status == 200
    assert "reply_to_message" not in body["result"]


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("<b>a</b>&lt;&#33;&nbsp;", "a<!&nbsp;", [("bold", 0, 1)]),
        ("😀 <i>é</i>", "😀 é", [("italic", 3, 1)]),
        ("<b>x<i>y</i></b>", "xy", [("bold", 0, 2), ("italic", 1, 1)]),
        (" \n<u>a </u> ", "a", [("underline", 0, 1)]),
        ('<a href="https://a.b/?c=1&amp;d">t</a>', "t", [("text_link", 0, 1)]),
        ('<span class="tg-spoiler">s</span>', "s", [("spoiler", 0, 1)]),
        ("<blockquote expandable>q</blockquote>", "q", [("expandable_blockquote", 0, 1)]),
        ('<pre><code class="language-py">p</code></pre>', "p", [("pre", 0, 1)]),
        ("<code>/no</code> /yes@sandbox_bot", "/no /yes@sandbox_bot", None),
        ("see https://a.b/c.", "see https://a.b/c.", [("url", 4, 13)]),
    ],
)
def test_html(source: str, text: str, entities: list[tuple[str, int, int]] | None) -> None:
    """HTML becomes text and entities whose places count UTF-16 units."""
    found = formatted(source, parse_mode="HTML", entities=None)
    if entities is None:
        entities = [("code", 0, 3), ("bot_command", 4, 16)]
    assert found.text == text
    assert [(e["type"], e["offset"], e["length"]) for e in found.entities] == entities


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("é<b>a", 'Can\'t find end tag corresponding to start tag "b"'),
        ("é<h1>a</h1>", 'Unsupported start tag "h1" at byte offset 2'),
        ("a</b>", "Unexpected end tag at byte offset 1"),
        (
            "<b><i>a</b></i>",
            'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"',
        ),
        ("a <b", "Unclosed start tag at byte offset 2"),
        ("<span>a</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
    ],
)
def test_wrong_html(source: str, reason: str) -> None:
    """Wrong HTML is refused in Telegram's words, with the byte where it goes wrong."""
    with pytest.raises(Refusal) as caught:
        formatted(source, parse_mode="HTML", entities=None)
    assert caught.value.description == f"Bad Request: can't parse entities: {reason}"


async def test_lengths_count_after_parsing(world: World) -> None:
    """Markup does not count against the 4096 characters."""
    await world.bot.send_message(world.me, f"<b>{'x' * 4096}</b>", parse_mode="HTML")
    await world.bot.send_photo(world.me, picture(), caption="y" * 1024)


async def test_flood_control_in_a_chat() -> None:
    """A chat takes a burst of five, then one at its pace; other chats are not held up by it."""
    async with opened(Rules(chat_per_second=0.1)) as world:
        for _ in range(5):
            assert (await world.call("sendMessage", chat_id=world.me, text="x"))[0] == 200
        status, body = await world.call("sendMessage", chat_id=world.me, text="x")
        assert (status, body) == (
            429,
            {
                "ok": False,
                "error_code": 429,
                "description": "Too Many Requests: retry after 10",
                "parameters": {"retry_after": 10},
            },
        )
        assert await world.outcome() == "refused"
        other = await world.do("users", first_name="Bo")
        assert (await world.call("sendMessage", chat_id=other["id"], text="x"))[0] == 200
        await world.do("clock", advance_seconds=10)
        assert (await world.call("sendMessage", chat_id=world.me, text="x"))[0] == 200


async def test_ignoring_flood_control_lengthens_it() -> None:
    """Each call that comes too early makes the wait longer."""
    async with opened(Rules(chat_burst=1, chat_per_second=0.1)) as world:
        waits = []
        for _ in range(4):
            _, body = await world.call("sendMessage", chat_id=world.me, text="x")
            waits.append(body.get("parameters", {}).get("retry_after"))
        assert waits == [None, 10, 11, 12]


async def test_flood_control_in_a_group() -> None:
    """A group takes 20 messages a minute; each picture of an album is one."""
    async with opened(Rules(chat_burst=100)) as world:
        group = await world.do("groups", title="G", members=[world.me])
        known = await world.bot.send_photo(world.me, picture())
        item = {"type": "photo", "media": known.photo[-1].file_id}
        await world.call("sendMediaGroup", chat_id=group["id"], media=[item] * 10)
        for n in range(10):
            assert (await world.call("sendMessage", chat_id=group["id"], text=str(n)))[0] == 200
        status, body = await world.call("sendMessage", chat_id=group["id"], text="x")
        assert status == 429
        assert 55 <= body["parameters"]["retry_after"] <= 60
        await world.do("clock", advance_seconds=62)
        assert (await world.call("sendMessage", chat_id=group["id"], text="x"))[0] == 200


class StillClock(Clock):
    """A clock that moves only when it is told to."""

    def now(self) -> float:
        """Give the time, from zero."""
        return self._skipped


def test_flood_control_overall() -> None:
    """All chats together take 30 messages a second, and actions count too."""
    clock = StillClock()
    flood = FloodControl(Rules(), clock)
    for chat_id in range(30):
        flood.count(chat_id, messages=chat_id % 2)
    with pytest.raises(Refusal) as caught:
        flood.count(99, messages=1)
    assert (caught.value.code, caught.value.retry_after) == (429, 1)
    clock.advance(1)
    for chat_id in range(30):
        flood.count(chat_id, messages=0)


@pytest.mark.parametrize(
    ("fault", "status", "described"),
    [
        ({"status": 429, "retry_after": 7}, 429, "Too Many Requests: retry after 7"),
        ({"status": 500}, 500, "Internal Server Error"),
        ({"status": 401}, 401, "Unauthorized"),
    ],
)
async def test_status_faults_speak_like_telegram(
    world: World, fault: dict[str, Any], status: int, described: str
) -> None:
    """A planted status is answered in Telegram's words, for the chat that it names only."""
    match = {"chat_id": str(world.me)}
    planted = {"call": "sendMessage", "action": "status", "match": match, **fault}
    await world.http.post("/sandbox/faults", json=planted)
    other = await world.do("users", first_name="Bo")
    assert (await world.call("sendMessage", chat_id=other["id"], text="x"))[0] == 200
    answered, body = await world.call("sendMessage", chat_id=world.me, text="x")
    assert (answered, body["description"]) == (status, described)
    if "retry_after" in fault:
        assert body["parameters"] == {"retry_after": 7}
    assert (await world.call("sendMessage", chat_id=world.me, text="x"))[0] == 200


async def test_a_bad_gateway_answers_a_page(world: World) -> None:
    """With 502 there is a page of HTML, as from the proxy before Telegram."""
    planted = {"call": "sendMessage", "action": "status", "status": 502}
    await world.http.post("/sandbox/faults", json=planted)
    answer = await world.http.post(f"/bot{TOKEN}/sendMessage", json={"text": "x"})
    assert answer.status_code == 502
    assert answer.headers["content-type"].startswith("text/html")
    assert "502 Bad Gateway" in answer.text


async def test_a_lost_answer_was_sent_all_the_same(world: World) -> None:
    """A call whose answer is reset has shown its message; a download can be struck as "file"."""
    for call, action in (("sendPhoto", "reset_after"), ("file", "reset_before")):
        await world.http.post("/sandbox/faults", json={"call": call, "action": action})
    with pytest.raises((httpx.NetworkError, httpx.RemoteProtocolError)):
        await world.http.post(
            f"/bot{TOKEN}/sendPhoto", data={"chat_id": world.me}, files={"photo": ("a", picture())}
        )
    (shown,) = await world.shown(world.me)
    _, body = await world.call("getFile", file_id=shown["photo"]["file_id"])
    path = f"/file/bot{TOKEN}/{body['result']['file_path']}"
    with pytest.raises((httpx.NetworkError, httpx.RemoteProtocolError)):
        await world.http.get(path)
    assert (await world.http.get(path)).status_code == 200


async def test_the_journal_hides_files_and_tokens(world: World) -> None:
    """Calls are written down with their parameters as values, files by size, and no token."""
    await world.bot.send_photo(world.me, picture(), reply_parameters=None, caption="c")
    answer = await world.http.get("/sandbox/calls", params={"call": "sendPhoto"})
    (entry,) = answer.json()["calls"]
    assert entry["params"] == {
        "chat_id": world.me,
        "caption": "c",
        "photo": f"<{len(picture())} bytes>",
    }
    assert TOKEN not in json.dumps(answer.json())
