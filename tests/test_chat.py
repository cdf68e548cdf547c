"""The Chat port: every way in which a call to Telegram can end becomes the right outcome."""

import ast
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
import telegram.error
from telegram.error import NetworkError, TelegramError, TimedOut
from telegram.ext import ExtBot
from telegram.request import HTTPXRequest

import bot
from bot.chat import TelegramChat
from bot.limits import TelegramLimits
from bot.messages import (
    Button,
    Dropped,
    Fetched,
    Gone,
    Later,
    Missing,
    Moved,
    Outcome,
    Picture,
    Refused,
    Sent,
    Target,
    TooLarge,
    Unknown,
)
from bot.outcomes import outcome_of, pause_of
from bot.texts import Say
from sandbox.telegram.app import TOKEN
from sandbox.telegram.rules import UNHURRIED, Rules
from storage.clock import SystemClock
from tests.sandbox.telegram_client import LOCAL, World, opened, picture


@pytest.fixture(autouse=True)
def _durations_as_the_bot_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "true")


def family(root: type[BaseException]) -> Iterator[type[BaseException]]:
    """Give a class and all that descend from it."""
    yield root
    for child in root.__subclasses__():
        yield from family(child)


# --- what an error means --------------------------------------------------------------------------

ERRORS: dict[type[BaseException], tuple[Callable[[], TelegramError], Outcome]] = {
    TelegramError: (lambda: TelegramError("Invalid server response"), Unknown(reason="")),
    telegram.error.Forbidden: (
        lambda: telegram.error.Forbidden("Forbidden: blocked"),
        Gone(reason=""),
    ),
    telegram.error.InvalidToken: (
        lambda: telegram.error.InvalidToken("Unauthorized"),
        Later(seconds=60, reason=""),
    ),
    telegram.error.EndPointNotFound: (
        lambda: telegram.error.EndPointNotFound("no such method"),
        Refused(reason=""),
    ),
    NetworkError: (lambda: NetworkError("Bad Gateway (502)"), Later(seconds=2, reason="")),
    telegram.error.BadRequest: (lambda: telegram.error.BadRequest("wrong"), Refused(reason="")),
    TimedOut: (TimedOut, Later(seconds=2, reason="")),
    telegram.error.ChatMigrated: (lambda: telegram.error.ChatMigrated(-100), Moved(chat_id=-100)),
    telegram.error.RetryAfter: (lambda: telegram.error.RetryAfter(7), Later(seconds=7, reason="")),
    telegram.error.Conflict: (lambda: telegram.error.Conflict("two"), Later(seconds=2, reason="")),
    telegram.error.PassportDecryptionError: (
        lambda: telegram.error.PassportDecryptionError("odd"),
        Unknown(reason=""),
    ),
}
NOT_SENT = {
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.WriteError,
    httpx.WriteTimeout,
    httpx.LocalProtocolError,
    httpx.InvalidURL,
}
MAYBE_SENT = {
    httpx.HTTPError,
    httpx.RequestError,
    httpx.TransportError,
    httpx.TimeoutException,
    httpx.NetworkError,
    httpx.ProtocolError,
    httpx.ReadError,
    httpx.ReadTimeout,
    httpx.CloseError,
    httpx.RemoteProtocolError,
    httpx.DecodingError,
    httpx.TooManyRedirects,
    httpx.HTTPStatusError,
    httpx.StreamError,
    httpx.StreamConsumed,
    httpx.StreamClosed,
    httpx.ResponseNotRead,
    httpx.RequestNotRead,
    httpx.CookieConflict,
}


def same(found: Outcome, expected: Outcome) -> bool:
    """Compare outcomes by all but their reason."""
    values = [
        (type(one), getattr(one, "seconds", None), getattr(one, "chat_id", None))
        for one in (found, expected)
    ]
    return values[0] == values[1]


@pytest.mark.parametrize("kind", [*ERRORS])
def test_each_error_has_its_outcome(kind: type[BaseException]) -> None:
    """Each class of the library's errors is understood in its own way."""
    make, expected = ERRORS[kind]
    error = make()
    assert type(error) is kind
    assert same(outcome_of(error), expected)


def test_no_error_of_the_library_is_left_out() -> None:
    """Every class in the library's error tree stands in the table above."""
    of_the_library = {c for c in family(TelegramError) if c.__module__ == "telegram.error"}
    assert of_the_library == set(ERRORS)


def test_no_error_of_the_http_library_is_left_out() -> None:
    """Every exception of the HTTP library is known as surely not sent, or as perhaps sent."""
    exceptions = {
        one for one in vars(httpx).values() if isinstance(one, type) and issubclass(one, Exception)
    }
    assert exceptions == NOT_SENT | MAYBE_SENT
    assert not NOT_SENT & MAYBE_SENT


@pytest.mark.parametrize("cause", [*sorted(NOT_SENT | MAYBE_SENT, key=str), RuntimeError, OSError])
def test_the_cause_tells_whether_it_was_sent(cause: type[Exception]) -> None:
    """A failure before the request was written whole is tried again, any other may have arrived."""
    expected: Outcome = Later(seconds=2, reason="") if cause in NOT_SENT else Unknown(reason="")
    for error in (NetworkError("httpx"), TimedOut()):
        error.__cause__ = cause.__new__(cause)
        assert same(outcome_of(error), expected)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Bad Gateway (502). Parsing failed", Later(seconds=2, reason="")),
        ("Service Unavailable (503)", Later(seconds=2, reason="")),
        ("Internal Server Error", Later(seconds=2, reason="")),
        ("Gateway Timeout (504)", Unknown(reason="")),
        ("Gateway Time-out", Unknown(reason="")),
        ("Request Entity Too Large (413). Parsing failed", Refused(reason="")),
    ],
)
@pytest.mark.parametrize("cause", [None, TelegramError("Invalid server response")])
def test_an_error_page_is_an_answer(
    message: str, expected: Outcome, cause: TelegramError | None
) -> None:
    """What a gateway answers in Telegram's place says whether the request was acted upon."""
    error = NetworkError(message)
    error.__cause__ = cause
    assert same(outcome_of(error), expected)


@pytest.mark.parametrize(
    "message",
    ["Chat not found", "User not found", "PEER_ID_INVALID", "Forbidden: user is deactivated"],
)
def test_a_chat_that_is_not_there_is_gone(message: str) -> None:
    """A 400 that says that there is no such chat means the same as a 403."""
    assert isinstance(outcome_of(telegram.error.BadRequest(message)), Gone)


@pytest.mark.parametrize("durations", ["true", "false"])
@pytest.mark.filterwarnings("ignore:.*retry_after.*")
def test_a_pause_comes_in_both_of_the_librarys_forms(
    durations: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the library gives a number or a duration, the pause is the same seconds."""
    monkeypatch.setenv("PTB_TIMEDELTA", durations)
    assert pause_of(telegram.error.RetryAfter(7)) == 7.0


# --- over HTTP ------------------------------------------------------------------------------------


@asynccontextmanager
async def chatting(
    rules: Rules = UNHURRIED, limits: TelegramLimits | None = None
) -> AsyncIterator[tuple[World, TelegramChat]]:
    """Open a local Telegram and the port to it."""
    async with (
        opened(rules) as world,
        ExtBot(
            TOKEN,
            base_url=f"{world.url}/bot",
            base_file_url=f"{world.url}/file/bot",
            request=HTTPXRequest(httpx_kwargs=LOCAL),
            get_updates_request=HTTPXRequest(httpx_kwargs=LOCAL),
            rate_limiter=limits or TelegramLimits(SystemClock()),
        ) as bot,
    ):
        yield world, TelegramChat(bot)


async def fault(world: World, call: str, action: str, **more: Any) -> None:
    """Let a call fail."""
    body = {"call": call, "action": action, **more}
    assert (await world.http.post("/sandbox/faults", json=body)).status_code == 200


HELLO = Say("sorry", {"reference": "U1"})
OTHER = Say("sorry", {"reference": "U2"})


def drawn(folder: Path) -> Path:
    """Draw a small picture into a file."""
    file = folder / "drawn.png"
    file.write_bytes(picture())
    return file


async def sent(chat: TelegramChat, world: World, **more: Any) -> int:
    """Send a text; returns its id."""
    outcome = await chat.say(Target(chat_id=world.me), HELLO, **more)
    assert isinstance(outcome, Sent)
    return outcome.message_ids[0]


async def test_texts_are_sent_edited_and_deleted() -> None:
    """A text with buttons arrives, changes, and goes; the same again is no failure."""
    async with chatting() as (world, chat):
        button = Button(label=Say("button-again"), data="again:1")
        message_id = await sent(chat, world, buttons=((button,),))
        (message,) = await world.shown(world.me)
        assert message["message_id"] == message_id
        assert message["buttons"]
        assert await chat.edit(world.me, message_id, OTHER) == Sent(message_ids=(message_id,))
        assert await chat.edit(world.me, message_id, OTHER) == Sent(message_ids=(message_id,))
        assert await chat.delete(world.me, message_id) == Sent()
        assert await chat.delete(world.me, message_id) == Sent()
        assert await world.shown(world.me) == []
        assert isinstance(await chat.edit(world.me, message_id, HELLO), Refused)


async def test_buttons_come_in_rows_and_change_alone() -> None:
    """Buttons stand in their rows, a long label is shortened, and they change without the text."""
    one, long = (
        Button(label=Say("sorry", {"reference": "x" * n}), data=f"again:{n}") for n in (1, 900)
    )
    async with chatting() as (world, chat):
        message_id = await sent(chat, world, buttons=((one, one), (long,)))
        (message,) = await world.shown(world.me)
        assert [len(row) for row in message["buttons"]] == [2, 1]
        assert len(message["buttons"][1][0]["text"]) == 64
        for rows in (((one,),), ((one,),), ()):  # the same again is no failure
            outcome = await chat.edit_buttons(world.me, message_id, rows)
            assert outcome == Sent(message_ids=(message_id,))
        (message,) = await world.shown(world.me)
        assert (message["buttons"], bool(message["text"])) == ([], True)
        await chat.delete(world.me, message_id)
        assert isinstance(await chat.edit_buttons(world.me, message_id, ()), Refused)


async def calls(world: World, call: str) -> list[Any]:
    """Give what the bot has asked of a method, in order."""
    answer = await world.http.get("/sandbox/calls", params={"call": call})
    return [one["params"] for one in answer.json()["calls"]]


async def test_a_question_opens_a_reply() -> None:
    """A question asks the person's app for a reply to it, and says where to write what."""
    async with chatting() as (world, chat):
        await sent(chat, world, ask=True)
        await sent(chat, world, ask=True, placeholder=HELLO)  # which is longer than a field's words
        bare, asking = await calls(world, "sendMessage")
        assert "force_reply" in str(bare)
        assert "input_field_placeholder" not in str(bare)
        assert "input_field_placeholder" in str(asking)


async def test_silence_and_spoilers(tmp_path: Path) -> None:
    """What is to be silent makes no sound; a spoiler is covered, alone and in an album, unless it is a file."""
    async with chatting() as (world, chat):
        target, shot = Target(chat_id=world.me), Picture(content=drawn(tmp_path), name="a.png")
        await sent(chat, world, silent=True)
        await chat.send_file(target, b"{}", "kept.json", silent=True)
        for pictures in ([shot], [shot, shot]):
            await chat.send_pictures(target, pictures, spoiler=True, silent=True)
        await chat.send_pictures(target, [shot], sent_as="document", spoiler=True)
        shown = await world.shown(world.me)
        assert [bool(one.get("silent")) for one in shown] == [True] * 5 + [False]
        assert [bool(one.get("spoiler")) for one in shown] == [False] * 2 + [True] * 3 + [False]


async def test_a_picture_has_buttons_and_another_caption(tmp_path: Path) -> None:
    """One picture carries buttons; its caption changes and keeps those that are given; an album has none."""
    rows = ((Button(label=Say("button-again"), data="again:1"),),)
    async with chatting() as (world, chat):
        target, shot = Target(chat_id=world.me), Picture(content=drawn(tmp_path), name="a.png")
        outcome = await chat.send_pictures(target, [shot], HELLO, buttons=rows)
        assert isinstance(outcome, Sent)
        (message_id,) = outcome.message_ids
        for _ in range(2):
            outcome = await chat.edit_caption(world.me, message_id, OTHER, buttons=rows)
            assert outcome == Sent(message_ids=(message_id,))
        (message,) = await world.shown(world.me)
        assert "U2" in message["caption"]
        assert len(message["buttons"]) == 1
        await chat.edit_caption(world.me, message_id, OTHER)
        (message,) = await world.shown(world.me)
        assert message["buttons"] == []
        assert isinstance(await chat.send_pictures(target, [shot, shot], buttons=rows), Sent)
        text = await sent(chat, world)
        assert isinstance(await chat.edit_caption(world.me, text, OTHER), Refused)


async def test_a_picture_takes_anothers_place(tmp_path: Path) -> None:
    """A text becomes a picture, that another by bytes or by Telegram's own id, and that a file."""
    rows = ((Button(label=Say("button-again"), data="again:1"),),)
    async with chatting() as (world, chat):
        message_id = await sent(chat, world)
        shot = Picture(content=drawn(tmp_path), name="a.png")
        first = await chat.replace_picture(
            world.me, message_id, shot, HELLO, buttons=rows, spoiler=True
        )
        assert isinstance(first, Sent)
        assert first.message_ids == (message_id,)
        (message,) = await world.shown(world.me)
        assert (message["spoiler"], len(message["buttons"])) == (True, 1)
        blank = Picture(content=picture(8, 8), name="blank.png")
        for shown in (blank, Picture(content=first.file_ids[0], name="")):
            outcome = await chat.replace_picture(world.me, message_id, shown)
            assert isinstance(outcome, Sent)
        same = Picture(content=first.file_ids[0], name="")
        outcome = await chat.replace_picture(world.me, message_id, same)
        assert outcome == Sent(message_ids=(message_id,))
        filed = await chat.replace_picture(world.me, message_id, blank, OTHER, sent_as="document")
        assert isinstance(filed, Sent)
        (message,) = await world.shown(world.me)
        assert message["document"]
        wrong = Picture(content="nonsense", name="")
        assert isinstance(await chat.replace_picture(world.me, message_id, wrong), Refused)


async def test_bytes_go_as_a_file() -> None:
    """Bytes arrive as a file with its name and a caption, whatever they are."""
    async with chatting() as (world, chat):
        outcome = await chat.send_file(
            Target(chat_id=world.me), b'{"rows": []}', "kept.json", HELLO
        )
        assert isinstance(outcome, Sent)
        (message,) = await world.shown(world.me)
        assert "U1" in message["caption"]
        assert "kept.json" in str(message)
        assert await chat.fetch(outcome.file_ids[0]) == Fetched(content=b'{"rows": []}')


async def test_who_runs_a_chat() -> None:
    """Its administrators do, and nobody else; where it cannot be told now, it is asked later."""
    async with chatting() as (world, chat):
        member = (await world.do("users", first_name="Bob"))["id"]
        group = (await world.do("groups", title="Us", members=[world.me, member]))["id"]
        assert await chat.is_admin(group, world.me) is True
        assert await chat.is_admin(group, member) is False
        assert await chat.is_admin(group, 999_999) is False
        assert await chat.is_admin(-4711, member) is False
        for action, more in (("reset_after", {}), ("status", {"status": 502})):
            await fault(world, "getChatMember", action, **more)
            assert isinstance(await chat.is_admin(group, world.me), Later)
        moved = (
            '{"ok":false,"error_code":400,"description":"Bad Request: upgraded",'
            f'"parameters":{{"migrate_to_chat_id":{group}}}}}'
        )
        await fault(world, "getChatMember", "status", status=400, body=moved)
        assert await chat.is_admin(-5, world.me) is True


async def test_a_message_that_is_too_old_is_not_deleted() -> None:
    """After 48 hours Telegram refuses to delete, which is told apart from a message that is gone."""
    async with chatting() as (world, chat):
        message_id = await sent(chat, world)
        await world.do("clock", advance_seconds=49 * 3600)
        assert isinstance(await chat.delete(world.me, message_id), Refused)
        assert await chat.delete(world.me, message_id + 1) == Sent()


@pytest.mark.parametrize("sent_as", ["photo", "document"])
@pytest.mark.parametrize("count", [1, 3])
async def test_pictures_are_sent(
    tmp_path: Path, sent_as: Literal["photo", "document"], count: int
) -> None:
    """One picture or an album arrives, as photos or as files, and can be sent by its id again."""
    async with chatting() as (world, chat):
        pictures = [Picture(content=drawn(tmp_path), name=f"{n}.png") for n in range(count)]
        target = Target(chat_id=world.me, reply_to=4711)  # a message that is gone
        outcome = await chat.send_pictures(target, pictures, HELLO, sent_as=sent_as)
        assert isinstance(outcome, Sent)
        assert len(outcome.message_ids) == len(outcome.file_ids) == count
        shown = await world.shown(world.me)
        assert [bool(message.get("caption")) for message in shown] == [True] + [False] * (count - 1)
        again = [Picture(content=file_id, name="") for file_id in outcome.file_ids]
        assert isinstance(await chat.send_pictures(target, again, sent_as=sent_as), Sent)


async def test_a_blocked_person_is_gone() -> None:
    """Whoever blocked the bot, or never existed, is gone."""
    async with chatting() as (world, chat):
        await world.do(f"chats/{world.me}/block", blocked=True)
        assert isinstance(await chat.say(Target(chat_id=world.me), HELLO), Gone)
        assert isinstance(await chat.say(Target(chat_id=999_999), HELLO), Gone)


async def test_a_press_that_is_too_old_is_refused() -> None:
    """A press that Telegram no longer knows is refused, which its caller may ignore."""
    async with chatting() as (_, chat):
        assert isinstance(await chat.answer_press("1", HELLO), Refused)
        assert isinstance(await chat.answer_press("1"), Refused)


async def test_a_press_is_answered() -> None:
    """A press that waits is answered."""
    async with chatting() as (world, chat):
        button = Button(label=Say("button-again"), data="again:1")
        message_id = await sent(chat, world, buttons=((button,),))
        (message,) = await world.shown(world.me)
        (label,) = [one["text"] for row in message["buttons"] for one in row]
        await world.do(
            f"chats/{world.me}/press", user_id=world.me, message_id=message_id, text=label
        )
        (update,) = [one for one in await world.updates() if "callback_query" in one]
        long = Say("sorry", {"reference": "👩‍👩‍👧‍👦 " * 200})
        assert await chat.answer_press(update["callback_query"]["id"], long, alert=True) == Sent()
        (asked,) = await calls(world, "answerCallbackQuery")
        assert str(asked["show_alert"]).lower() == "true"


@pytest.mark.parametrize(
    ("action", "more", "expected", "arrives"),
    [
        ("reset_before", {}, Unknown(reason=""), 0),
        ("reset_after", {}, Unknown(reason=""), 1),
        ("status", {"status": 502}, Later(seconds=2, reason=""), 0),
        ("status", {"status": 500}, Later(seconds=2, reason=""), 0),
        ("status", {"status": 504}, Unknown(reason=""), 0),
        ("status", {"status": 413, "body": "<html>"}, Refused(reason=""), 0),
        ("status", {"status": 429, "retry_after": 9}, Later(seconds=9, reason=""), 0),
        ("status", {"status": 401}, Later(seconds=60, reason=""), 0),
        ("status", {"status": 403}, Gone(reason=""), 0),
        ("status", {"status": 200, "body": "{"}, Unknown(reason=""), 0),
    ],
)
async def test_faults_of_a_message(
    action: str, more: dict[str, Any], expected: Outcome, arrives: int
) -> None:
    """Each fault of Telegram's has its outcome, and the chat shows what that says."""
    async with chatting() as (world, chat):
        await fault(world, "sendMessage", action, **more)
        assert same(await chat.say(Target(chat_id=world.me), HELLO), expected)
        assert len(await world.shown(world.me)) == arrives


class Listed(TelegramLimits):
    """Limits that list what they are asked to hold."""

    def __init__(self) -> None:
        super().__init__(SystemClock())
        self.endpoints: list[str] = []

    async def process_request(self, *args: Any, **kwargs: Any) -> Any:
        """List, and hold."""
        self.endpoints.append(kwargs["endpoint"])
        return await super().process_request(*args, **kwargs)


async def test_every_call_is_held_to_the_limits(tmp_path: Path) -> None:
    """Whatever the port asks of Telegram went through the limits before."""
    limits = Listed()
    async with chatting(limits=limits) as (world, chat):
        target, file = Target(chat_id=world.me), drawn(tmp_path)
        message_id = await sent(chat, world)
        await chat.edit(world.me, message_id, OTHER)
        await chat.delete(world.me, message_id)
        shot = Picture(content=file, name="a.png")
        await chat.send_pictures(target, [shot])
        await chat.send_pictures(target, [shot, shot])
        outcome = await chat.send_pictures(target, [shot], sent_as="document")
        assert isinstance(outcome, Sent)
        await chat.send_file(target, b"abc", "a.txt")
        (one,) = outcome.message_ids
        await chat.edit_caption(world.me, one, OTHER)
        await chat.edit_buttons(world.me, one, ())
        await chat.replace_picture(world.me, one, shot)
        await chat.is_admin(world.me, world.me)
        await chat.answer_press("1")
        await chat.fetch(outcome.file_ids[0])
        made = (await world.http.get("/sandbox/calls")).json()["calls"]
    asked = [call["call"] for call in made if call["call"] != "file"]
    assert limits.endpoints == asked[-len(limits.endpoints) :]  # the test's own are before
    assert set(asked) == {
        "getMe", "sendMessage", "editMessageText", "deleteMessage", "sendPhoto", "sendDocument",
        "sendMediaGroup", "answerCallbackQuery", "getFile", "editMessageCaption",
        "editMessageReplyMarkup", "editMessageMedia", "getChatMember",
    }  # fmt: skip


def test_nobody_else_calls_telegram() -> None:
    """Beside the port only the long poll, and what is done at the start, call the library."""
    found: dict[str, set[str]] = {}
    methods = {name for name in dir(ExtBot) if iscoroutinefunction(getattr(ExtBot, name))}
    for file in Path(bot.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in methods:
                owner = ast.unparse(node.value)
                if owner.rpartition(".")[2] in {"bot", "_bot", "message", "query", "file"}:
                    found.setdefault(file.name, set()).add(node.attr)
    assert found.pop("chat.py") >= {"send_message", "send_photo"}
    assert found.pop("changing.py") >= {"edit_message_text", "delete_message"}
    assert found == {
        "application.py": {"delete_webhook", "shutdown"},
        "outages.py": {"get_me"},
        "sent_files.py": {"get_file"},
        "webhook.py": {"get_webhook_info", "set_webhook"},
        "intake.py": {"do_api_request", "get_webhook_info"},
        "telegram.py": {"get_me", "get_webhook_info"},  # of `hidream-bot check`
        "menu.py": {"set_my_commands", "set_my_description", "set_my_short_description"},
    }


async def test_what_is_no_longer_wanted_is_dropped() -> None:
    """A text, or an edit, that waited until nobody wanted it is not sent, and is no failure."""

    async def no() -> bool:
        return False

    async with chatting() as (world, chat):
        message_id = 0
        for _ in range(4):  # what a chat takes at once
            message_id = await sent(chat, world)
        assert await chat.say(Target(chat_id=world.me), HELLO, still=no) == Dropped()
        for _ in range(2):
            outcome = await chat.edit(world.me, message_id, OTHER, still=no)
        assert outcome == Dropped()
        assert len(await world.shown(world.me)) == 4


async def test_no_one_listens() -> None:
    """Where nothing listens, nothing was sent."""
    async with opened() as world:
        url = world.url  # after the block, nobody listens there
    bot = ExtBot(
        TOKEN,
        base_url=f"{url}/bot",
        request=HTTPXRequest(httpx_kwargs=LOCAL),
        rate_limiter=TelegramLimits(SystemClock()),
    )
    outcome = await TelegramChat(bot).say(Target(chat_id=1), HELLO)
    await bot.request.shutdown()
    assert same(outcome, Later(seconds=2, reason=""))


async def test_flood_control_says_how_long() -> None:
    """A 429 of the real rules becomes a wait of as many seconds."""
    async with chatting(Rules(chat_burst=1)) as (world, chat):
        await sent(chat, world)
        outcome = await chat.say(Target(chat_id=world.me), HELLO)
        assert isinstance(outcome, Later)
        assert 0 < outcome.seconds <= 3


@pytest.mark.parametrize(
    "words", ["message thread not found", "TOPIC_CLOSED", "topic closed", "TOPIC_DELETED"]
)
async def test_a_topic_that_takes_nothing_falls_back_to_the_chat(
    tmp_path: Path, words: str
) -> None:
    """What belongs to a topic that is closed or gone arrives in the chat itself, answering nothing."""
    async with chatting() as (world, chat):
        group = (await world.do("groups", title="Friends", members=[world.me]))["id"]
        body = f'{{"ok":false,"error_code":400,"description":"Bad Request: {words}"}}'
        for call in ("sendMessage", "sendPhoto"):
            await fault(world, call, "status", status=400, body=body)
        target = Target(chat_id=group, thread_id=77, reply_to=4711)
        assert isinstance(await chat.say(target, HELLO), Sent)
        shot = Picture(content=drawn(tmp_path), name="a.png")
        assert isinstance(await chat.send_pictures(target, [shot]), Sent)
        for call in ("sendMessage", "sendPhoto"):
            answer = await world.http.get("/sandbox/calls", params={"call": call})
            tried, fallen_back = answer.json()["calls"]
            assert "77" in str(tried["params"])
            assert not {"message_thread_id", "reply_parameters"} & set(fallen_back["params"])
        assert len([m for m in await world.shown(group) if m["from_bot"]]) == 2


async def test_a_closed_chat_is_refused_once() -> None:
    """Where there is no topic to leave, the words of a closed one are a refusal like others."""
    async with chatting() as (world, chat):
        body = '{"ok":false,"error_code":400,"description":"Bad Request: TOPIC_CLOSED"}'
        await fault(world, "sendMessage", "status", status=400, body=body, times=None)
        assert isinstance(await chat.say(Target(chat_id=world.me), HELLO), Refused)
        answer = await world.http.get("/sandbox/calls", params={"call": "sendMessage"})
        assert len(answer.json()["calls"]) == 1


async def test_a_group_that_moved_says_where() -> None:
    """A group that became a supergroup gives its new id."""
    async with chatting() as (world, chat):
        await fault(
            world,
            "sendMessage",
            "status",
            status=400,
            body='{"ok":false,"error_code":400,"description":"Bad Request: group chat was upgraded",'
            '"parameters":{"migrate_to_chat_id":-1001}}',
        )
        outcome = await chat.say(Target(chat_id=-5), HELLO)
        assert outcome == Moved(chat_id=-1001)


# --- fetching -------------------------------------------------------------------------------------


async def file_of(world: World) -> str:
    """Let the person send a file; returns its id."""
    content = picture()
    answer = await world.http.post(
        f"/person/chats/{world.me}/document",
        data={"user_id": world.me},
        files=[("document", ("a.png", content, "image/png"))],
    )
    assert answer.status_code == 200, answer.text
    update = (await world.updates())[-1]
    return str(update["message"]["document"]["file_id"])


async def test_a_file_is_fetched() -> None:
    """A file's bytes come as they were sent."""
    async with chatting() as (world, chat):
        assert await chat.fetch(await file_of(world)) == Fetched(content=picture())


@pytest.mark.parametrize(
    ("call", "more", "expected"),
    [
        ("getFile", {"action": "reset_before"}, Later),
        ("getFile", {"action": "status", "status": 502}, Later),
        ("getFile", {"action": "status", "status": 429, "retry_after": 4}, Later),
        ("getFile", {"action": "status", "status": 401}, Later),
        ("getFile", {"action": "status", "status": 404}, Later),
        ("getFile", {"action": "status", "status": 403}, Missing),
        ("file", {"action": "reset_after"}, Later),
        ("file", {"action": "status", "status": 502}, Later),
        ("file", {"action": "status", "status": 401}, Later),
        ("file", {"action": "status", "status": 404}, Missing),
    ],
)
async def test_faults_of_fetching(call: str, more: dict[str, Any], expected: type) -> None:
    """Only what Telegram says of the file itself is final: a bad token or an outage is not."""
    async with chatting() as (world, chat):
        file_id = await file_of(world)
        await fault(world, call, **more)
        assert isinstance(await chat.fetch(file_id), expected)


async def test_a_file_that_is_unknown_is_missing() -> None:
    """A file id that Telegram does not know means that the file is gone."""
    async with chatting() as (_, chat):
        assert isinstance(await chat.fetch("nonsense"), Missing)


@pytest.mark.parametrize(
    "body",
    [
        '{"ok":false,"error_code":400,"description":"Bad Request: file is too big"}',
        '{"ok":true,"result":{"file_id":"a","file_unique_id":"b","file_size":20971521}}',
    ],
)
async def test_a_file_that_is_too_large(body: str) -> None:
    """A file over 20 MB is told as such, whether Telegram refuses it or only gives its size."""
    async with chatting() as (world, chat):
        status = 200 if '"ok":true' in body else 400
        await fault(world, "getFile", "status", status=status, body=body)
        assert await chat.fetch("a") == TooLarge()
