"""One request from a person, read into what it says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TypeVar

from starlette.datastructures import UploadFile
from starlette.requests import Request

from sandbox.telegram import people
from sandbox.telegram.markup import units
from sandbox.telegram.params import Upload, upload
from sandbox.telegram.records import JSON, Chat, Message
from sandbox.telegram.rules import CannotDo
from sandbox.telegram.state import Telegram

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """One request from a person: the state, the request, and what its body says."""

    telegram: Telegram
    request: Request
    fields: JSON
    files: tuple[tuple[str, Upload], ...] = ()

    def must(self, name: str, kind: type[T]) -> T:
        """Give a field that must be there."""
        if name not in self.fields:
            raise CannotDo(f"{name} is missing")
        return self._typed(name, kind)

    def may(self, name: str, kind: type[T]) -> T | None:
        """Give a field that may be missing."""
        return self._typed(name, kind) if self.fields.get(name) is not None else None

    def _typed(self, name: str, kind: type[T]) -> T:
        value = self.fields[name]
        # Forms know only text.
        if kind is int and isinstance(value, str) and value.lstrip("-").isdigit():
            value = int(value)
        elif kind in {bool, list} and isinstance(value, str):
            value = json.loads(value)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise CannotDo(f"{name} must be of type {kind.__name__}, not {value!r:.40}")
        return value

    @property
    def chat(self) -> Chat:
        """The chat that the path names."""
        found = self.telegram.chats.get(self.request.path_params["chat_id"])
        if found is None:
            raise CannotDo("there is no such chat")
        return found

    def post(self, content: JSON) -> Message:
        """Post something into that chat, as the fields say."""
        more: JSON = {}
        if name := self.may("forwarded_name", str):
            origin = {"type": "hidden_user", "sender_user_name": name}
            more["forward_origin"] = origin | {"date": int(self.telegram.clock.now())}
        if quote := self.may("quote", str):
            answered = people.present(self.chat, self.must("reply_to", int)).data
            words = answered.get("text") or answered.get("caption") or ""
            if quote not in words:
                raise CannotDo("only words of the message can be quoted")
            position = units(words[: words.index(quote)])
            more["quote"] = {"text": quote, "position": position, "is_manual": True}
        return people.write(
            self.telegram,
            self.chat,
            self.must("user_id", int),
            more | content,
            as_chat=self.may("as_chat", int),
            reply_to=self.may("reply_to", int),
            thread_id=self.may("thread_id", int),
        )

    def seen(self, *messages: Message) -> list[JSON]:
        """Show messages as a person sees them."""
        return [self.telegram.seen(message) for message in messages]


async def read_wish(telegram: Telegram, request: Request) -> Wish:
    """Read what a person's request carries.

    Raises:
        CannotDo: the body is JSON, but no object, or has half of a character in it.
        ValueError: the body is neither JSON nor a form.
    """
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form() as form:
            fields, files = {}, []
            for name, part in form.multi_items():
                if isinstance(part, UploadFile):
                    files.append((name, await upload(part)))
                else:
                    fields[name] = part
        return Wish(telegram=telegram, request=request, fields=fields, files=tuple(files))
    fields = json.loads(await request.body() or b"{}")
    if not isinstance(fields, dict):
        raise CannotDo("a JSON object is needed")
    try:
        # JSON can hold half of a character; no answer that told it could ever be sent
        json.dumps(fields, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise CannotDo("no app sends half of a character (a lone surrogate)") from error
    return Wish(telegram=telegram, request=request, fields=fields)
