"""The person's side over HTTP, for tests, the demo and a page: JSON in, JSON out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.telegram import groups, people, posting
from sandbox.telegram.records import JSON
from sandbox.telegram.rules import CannotDo, Refusal
from sandbox.telegram.state import Telegram
from sandbox.telegram.wishes import Wish, read_wish

Deed = Callable[[Wish], Awaitable[JSON | Response]]


async def _user(wish: Wish) -> JSON:
    started = wish.may("started", bool)
    return people.add_user(
        wish.telegram,
        first_name=wish.must("first_name", str),
        username=wish.may("username", str),
        language_code=wish.may("language_code", str),
        started=True if started is None else started,
    ).to_json()


async def _language(wish: Wish) -> JSON:
    user = people.user_of(wish.telegram, int(wish.request.path_params["user_id"]))
    user.language_code = wish.must("language_code", str) or None
    return user.to_json()


async def _group(wish: Wish) -> JSON:
    privacy, captions = wish.may("privacy", bool), wish.may("captions_reach", bool)
    chat = groups.add_group(
        wish.telegram,
        title=wish.must("title", str),
        members=wish.must("members", list),
        admins=wish.may("admins", list) or [],
        supergroup=wish.may("supergroup", bool) or False,
        topics=wish.may("topics", bool) or False,
        privacy=True if privacy is None else privacy,
        captions_reach=True if captions is None else captions,
    )
    return wish.telegram.chat_json(chat)


async def _channel(wish: Wish) -> JSON:
    bot = wish.may("bot", bool)
    chat = groups.add_channel(
        wish.telegram,
        title=wish.must("title", str),
        members=wish.must("members", list),
        admins=wish.may("admins", list) or [],
        linked=wish.may("linked", int),
        bot=True if bot is None else bot,
    )
    return wish.telegram.chat_json(chat)


async def _upgrade(wish: Wish) -> JSON:
    return wish.telegram.chat_json(groups.upgrade(wish.telegram, wish.chat))


async def _kick(wish: Wish) -> JSON:
    groups.set_status(wish.telegram, wish.chat, wish.telegram.bot.id, "kicked")
    return {}


async def _status(wish: Wish) -> JSON:
    user_id = wish.may("user_id", int) or wish.telegram.bot.id
    groups.set_status(wish.telegram, wish.chat, user_id, wish.must("status", str))
    return {"status": wish.chat.status(user_id)}


async def _topic(wish: Wish) -> JSON:
    name = wish.must("name", str)
    return {"message_thread_id": groups.add_topic(wish.telegram, wish.chat, name)}


async def _edit(wish: Wish) -> JSON:
    text, caption = wish.may("text", str), wish.may("caption", str)
    if (text is None) == (caption is None):
        raise CannotDo("either text or caption is needed")
    entities = wish.may("entities", list)
    content = (
        people.text_content(text, entities)
        if text
        else people.caption_content(caption or "", entities)
    )
    message = people.edit(
        wish.telegram, wish.chat, wish.must("user_id", int), wish.must("message_id", int), content
    )
    return wish.seen(message)[0]


async def _delete(wish: Wish) -> JSON:
    people.delete(wish.telegram, wish.chat, wish.must("message_id", int))
    return {}


async def _block(wish: Wish) -> JSON:
    groups.block(wish.telegram, wish.chat, blocked=wish.must("blocked", bool))
    return {}


async def _press(wish: Wish) -> JSON:
    callback = people.press(
        wish.telegram,
        wish.chat,
        wish.must("user_id", int),
        wish.must("message_id", int),
        data=wish.may("data", str),
        text=wish.may("text", str),
        forged=wish.may("forged", bool) or False,
        inaccessible=wish.may("inaccessible", bool) or False,
    )
    return {"callback_query_id": callback.id}


async def _callback(wish: Wish) -> JSON:
    found = wish.telegram.callbacks.get(wish.request.path_params["id"])
    if found is None:
        raise CannotDo("there was no such press")
    return {"answered": found.answered, "text": found.text, "show_alert": found.show_alert}


async def _chat(wish: Wish) -> JSON:
    chat, now = wish.chat, wish.telegram.clock.now()
    shown = wish.telegram.chat_json(chat)
    # An action is shown for five seconds.
    if chat.action and now - chat.action[1] < 5:
        shown["action"] = chat.action[0]
    return {"chat": shown, "messages": wish.seen(*chat.messages.values())}


async def _events(wish: Wish) -> JSON:
    query = wish.request.query_params
    after, timeout = int(query.get("after", "0")), float(query.get("timeout", "0"))
    chat = wish.chat
    loop = asyncio.get_running_loop()
    until = loop.time() + timeout
    while len(chat.events) <= after and (left := until - loop.time()) > 0:
        await wish.telegram.bell.wait(left)
    return {"events": chat.events[max(after, 0) :], "last": len(chat.events)}


async def _file(wish: Wish) -> Response:
    file = wish.telegram.files.get(wish.request.path_params["file_id"])
    if file is None:
        raise CannotDo("there is no such file")
    return Response(file.content, media_type=file.content_type)


async def _vanish(wish: Wish) -> JSON:
    file = wish.telegram.files.get(wish.request.path_params["file_id"])
    if file is None:
        raise CannotDo("there is no such file")
    for size in file.group or (file.file_id,):
        wish.telegram.files[size].vanished = True
    return {}


async def _commands(wish: Wish) -> JSON:
    menus = [
        {"scope": json.loads(scope), "language_code": language, "commands": commands}
        for (scope, language), commands in wish.telegram.commands.items()
    ]
    return {"menus": menus}


async def _profile(wish: Wish) -> JSON:
    return {name: dict(texts) for name, texts in wish.telegram.descriptions.items()}


async def _clock(wish: Wish) -> JSON:
    seconds = wish.fields.get("advance_seconds")
    if not isinstance(seconds, int | float) or seconds < 0:
        raise CannotDo("advance_seconds must be a number that is not negative")
    wish.telegram.clock.advance(seconds)
    return {"now": wish.telegram.clock.now()}


async def _raw_update(wish: Wish) -> JSON:
    return {"update_id": wish.telegram.updates.add_raw(wish.fields)}


async def _updates(wish: Wish) -> JSON:
    ids = wish.telegram.updates.pending()
    return {"pending": len(ids), "ids": ids}


async def _given(wish: Wish) -> JSON:
    given = wish.telegram.updates.given
    return {"given": {str(id_): when.isoformat() for id_, when in given.items()}}


DEEDS: Final[tuple[tuple[str, str, Deed], ...]] = (
    ("POST", "/person/users", _user),
    ("POST", "/person/users/{user_id}/language", _language),
    ("POST", "/person/groups", _group),
    ("POST", "/person/groups/{chat_id}/upgrade", _upgrade),
    ("POST", "/person/groups/{chat_id}/kick", _kick),
    ("POST", "/person/groups/{chat_id}/topics", _topic),
    ("POST", "/person/groups/{chat_id}/status", _status),
    ("POST", "/person/channels", _channel),
    ("POST", "/person/chats/{chat_id}/text", posting.text),
    ("POST", "/person/chats/{chat_id}/photo", posting.photo),
    ("POST", "/person/chats/{chat_id}/document", posting.document),
    ("POST", "/person/chats/{chat_id}/sticker", posting.sticker),
    *(
        ("POST", f"/person/chats/{{chat_id}}/{kind}", posting.medium(kind))
        for kind in ("video", "animation", "voice", "audio", "video_note")
    ),
    ("POST", "/person/chats/{chat_id}/forward", posting.forward),
    ("POST", "/person/chats/{chat_id}/message", posting.other),
    ("POST", "/person/chats/{chat_id}/edit", _edit),
    ("POST", "/person/chats/{chat_id}/delete", _delete),
    ("POST", "/person/chats/{chat_id}/block", _block),
    ("POST", "/person/chats/{chat_id}/press", _press),
    ("GET", "/person/chats/{chat_id}", _chat),
    ("GET", "/person/chats/{chat_id}/events", _events),
    ("GET", "/person/callbacks/{id}", _callback),
    ("GET", "/person/files/{file_id}", _file),
    ("POST", "/person/files/{file_id}/vanish", _vanish),
    ("GET", "/person/commands", _commands),
    ("GET", "/person/profile", _profile),
    ("POST", "/person/clock", _clock),
    ("POST", "/person/updates", _raw_update),
    ("GET", "/person/updates", _updates),
    ("GET", "/person/updates/given", _given),
)


def person_routes(telegram: Telegram) -> list[Route]:
    """Give the routes by which people reach this Telegram."""
    return [Route(path, _endpoint(telegram, deed), methods=[verb]) for verb, path, deed in DEEDS]


def _endpoint(telegram: Telegram, deed: Deed) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            # Groups have negative ids, which Starlette's own converter does not read.
            if "chat_id" in request.path_params:
                request.path_params["chat_id"] = int(request.path_params["chat_id"])
            done = await deed(await read_wish(telegram, request))
        except (CannotDo, Refusal, ValueError) as error:
            return JSONResponse({"error": str(error)}, 400)
        return done if isinstance(done, Response) else JSONResponse(done)

    return endpoint
