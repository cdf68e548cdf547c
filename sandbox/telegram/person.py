"""The person's side over HTTP, for tests, the demo and a page: JSON in, JSON out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.telegram import people, pictures
from sandbox.telegram.params import Upload
from sandbox.telegram.people import CannotDo
from sandbox.telegram.records import JSON
from sandbox.telegram.rules import Refusal
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


async def _group(wish: Wish) -> JSON:
    privacy = wish.may("privacy", bool)
    chat = people.add_group(
        wish.telegram,
        title=wish.must("title", str),
        members=wish.must("members", list),
        supergroup=wish.may("supergroup", bool) or False,
        topics=wish.may("topics", bool) or False,
        privacy=True if privacy is None else privacy,
    )
    return wish.telegram.chat_json(chat)


async def _upgrade(wish: Wish) -> JSON:
    return wish.telegram.chat_json(people.upgrade(wish.telegram, wish.chat))


async def _kick(wish: Wish) -> JSON:
    people.kick(wish.telegram, wish.chat)
    return {}


async def _topic(wish: Wish) -> JSON:
    name = wish.must("name", str)
    return {"message_thread_id": people.add_topic(wish.telegram, wish.chat, name)}


async def _text(wish: Wish) -> JSON:
    return wish.seen(wish.post(people.text_content(wish.must("text", str))))[0]


async def _photo(wish: Wish) -> JSON:
    contents = []
    for content in _files(wish, "photo"):
        sizes = await asyncio.to_thread(pictures.sizes, content.content)
        kept = wish.telegram.add_photo([(size.width, size.height, size.jpeg) for size in sizes])
        contents.append({"photo": [file.to_json() for file in kept]})
    return _posted(wish, contents)


async def _document(wish: Wish) -> JSON:
    kept = [
        wish.telegram.add_file(name=file.name, content_type=file.content_type, content=file.content)
        for file in _files(wish, "document")
    ]
    return _posted(wish, [{"document": file.to_json()} for file in kept])


def _files(wish: Wish, name: str) -> list[Upload]:
    found = [file for field, file in wish.files if field == name]
    if not 1 <= len(found) <= 10:
        raise CannotDo(f"one to ten files named {name} are needed")
    return found


def _posted(wish: Wish, contents: list[JSON]) -> JSON:
    captioned = wish.may("caption_index", int) or 0
    if not 0 <= captioned < len(contents):
        raise CannotDo("caption_index names no item")
    contents[captioned] |= people.caption_content(wish.may("caption", str) or "")
    if len(contents) > 1:
        album = str(13_000_000_000_000_000 + wish.telegram.next_number())
        contents = [{"media_group_id": album} | content for content in contents]
    return {"messages": wish.seen(*[wish.post(content) for content in contents])}


async def _other(wish: Wish) -> JSON:
    return wish.seen(wish.post(wish.must("message", dict)))[0]


async def _edit(wish: Wish) -> JSON:
    text, caption = wish.may("text", str), wish.may("caption", str)
    if (text is None) == (caption is None):
        raise CannotDo("either text or caption is needed")
    content = people.text_content(text) if text else people.caption_content(caption or "")
    message = people.edit(
        wish.telegram, wish.chat, wish.must("user_id", int), wish.must("message_id", int), content
    )
    return wish.seen(message)[0]


async def _delete(wish: Wish) -> JSON:
    people.delete(wish.telegram, wish.chat, wish.must("message_id", int))
    return {}


async def _block(wish: Wish) -> JSON:
    people.block(wish.telegram, wish.chat, blocked=wish.must("blocked", bool))
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
    ("POST", "/person/groups", _group),
    ("POST", "/person/groups/{chat_id}/upgrade", _upgrade),
    ("POST", "/person/groups/{chat_id}/kick", _kick),
    ("POST", "/person/groups/{chat_id}/topics", _topic),
    ("POST", "/person/chats/{chat_id}/text", _text),
    ("POST", "/person/chats/{chat_id}/photo", _photo),
    ("POST", "/person/chats/{chat_id}/document", _document),
    ("POST", "/person/chats/{chat_id}/message", _other),
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
