"""Reading a call's parameters: from query, form, multipart or JSON, into typed values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from starlette.datastructures import UploadFile
from starlette.requests import Request

from sandbox.telegram.rules import Refusal, breach
from sandbox.telegram.shapes import Check

_INTEGER: Final = re.compile(r"-?[0-9]{1,19}")
Kind = Literal["text", "int", "bool", "chat", "file"]


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of a method. `kind` is a scalar's name, or the shape of a JSON value."""

    kind: Kind | Check
    required: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    """A file that came with the call."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Raw:
    """What came, before anyone knows what it should be."""

    values: Mapping[str, str]
    uploads: Mapping[str, Upload]


@dataclass(frozen=True, kw_only=True, slots=True)
class Args:
    """A method's parameters with their types, and the files to which `attach://` may point."""

    values: Mapping[str, Any]
    uploads: Mapping[str, Upload]

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Give a parameter that may be missing."""
        return self.values.get(name, default)

    def flags(self, **shown_as: str) -> Iterator[tuple[str, bool]]:
        """Give a message's fields for those boolean parameters that are true."""
        return ((field, True) for name, field in shown_as.items() if self.get(name))


async def read(request: Request) -> Raw:
    """Collect what a request carries in its query and its body.

    Raises:
        Refusal: the body cannot be read, or a parameter comes twice.
    """
    values: dict[str, str] = {}
    uploads: dict[str, Upload] = {}

    def put(name: str, value: str) -> None:
        if name in values or name in uploads:
            raise breach(f"parameter {name} is given twice")
        values[name] = value

    for name, value in request.query_params.multi_items():
        put(name, value)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        for name, value in _json_object(await request.body()).items():
            put(name, _as_text(name, value))
    elif kind in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        async with request.form(max_part_size=2**20) as form:
            for name, part in form.multi_items():
                if isinstance(part, UploadFile):
                    if name in uploads or name in values:
                        raise breach(f"parameter {name} is given twice")
                    uploads[name] = await upload(part)
                else:
                    put(name, part)
    elif await request.body():
        raise breach(f"unsupported content type {kind!r}")
    return Raw(values=values, uploads=uploads)


async def upload(part: UploadFile) -> Upload:
    """Read one uploaded file into memory."""
    return Upload(
        name=part.filename or "file",
        content_type=part.content_type or "application/octet-stream",
        content=await part.read(),
    )


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except ValueError as error:
        raise breach("can't parse JSON") from error
    if not isinstance(value, dict):
        raise breach("expected a JSON object")
    return value


def _as_text(name: str, value: Any) -> str:
    if value is None:
        raise breach(f"parameter {name} is null")
    return value if isinstance(value, str) else json.dumps(value)


def typed(raw: Raw, spec: Mapping[str, Param]) -> Args:
    """Turn what came into what the method expects.

    Raises:
        Refusal: a parameter is unknown, missing, or of the wrong type ("strict").
    """
    if unknown := raw.values.keys() - spec.keys():
        raise breach(f"unknown parameter {', '.join(sorted(unknown))}")
    values: dict[str, Any] = {}
    for name, param in spec.items():
        if name in raw.uploads and param.kind == "file":
            values[name] = raw.uploads[name]
        elif name in raw.values:
            values[name] = _value(name, raw.values[name], param, raw.uploads)
        elif param.required:
            raise _missing(name)
    named = {n for v in raw.values.values() for n in re.findall(r"attach://([^\"\\]+)", v)}
    if stray := raw.uploads.keys() - named - values.keys():
        raise breach(f"file {', '.join(sorted(stray))} belongs to no parameter")
    return Args(values=values, uploads=raw.uploads)


def _missing(name: str) -> Refusal:
    worded = {"chat_id": "chat_id is empty", "text": "message text is empty"}
    return breach(worded.get(name, f"parameter {name} is required"))


def _value(name: str, value: str, param: Param, uploads: Mapping[str, Upload]) -> Any:
    match param.kind:
        case "text":
            return value
        case "int":
            if not _INTEGER.fullmatch(value):
                raise breach(f"parameter {name} must be an integer, not {value!r:.40}")
            return int(value)
        case "bool":
            if value not in {"true", "false"}:
                raise breach(f"parameter {name} must be true or false, not {value!r:.40}")
            return value == "true"
        case "chat":
            if _INTEGER.fullmatch(value):
                return int(value)
            if re.fullmatch(r"@[A-Za-z0-9_]{4,32}", value):
                return value
            raise breach(f"parameter {name} must be an integer or a @username")
        case "file":
            return attached(value, uploads) or value
        case check:
            try:
                parsed = json.loads(value)
            except ValueError as error:
                raise breach(f"can't parse {name} JSON object") from error
            if wrong := check(parsed):
                raise breach(f"can't parse {name}: {wrong}")
            return parsed


def attached(reference: str, uploads: Mapping[str, Upload]) -> Upload | None:
    """Find the file to which an `attach://` reference points; None for any other reference.

    Raises:
        Refusal: there is no such file in the request.
    """
    if not reference.startswith("attach://"):
        return None
    found = uploads.get(reference.removeprefix("attach://"))
    if found is None:
        raise breach("wrong file identifier/HTTP URL specified: nothing is attached by that name")
    return found


def shown(raw: Raw, args: Args | None) -> dict[str, Any]:
    """Give the parameters as the journal and the faults see them; files by their size only."""
    files = {name: f"<{len(file.content)} bytes>" for name, file in raw.uploads.items()}
    if args is None:
        return {**raw.values, **files}
    given = {n: v for n, v in args.values.items() if not isinstance(v, Upload)}
    return {**given, **files}
