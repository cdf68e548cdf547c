"""Tells whoever has our database that it is us who answer at an address; strangers learn nothing.

The question holds a number used once and a proof that whoever asks knows the secret in the database;
the answer proves that we know it, too. Whatever else is asked gets what any unknown path gets.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.web.requests import METHODS, not_found
from storage.store import Facts

FACT: Final = "presence"
"""The fact in the store that holds the secret."""
PATH: Final = "/hidream/here"
"""Below what a proxy lets through for HiDream's callbacks."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and what only we can answer to it."""

    path: str
    answer: str


def new_secret() -> str:
    """Make a secret."""
    return secrets.token_urlsafe(32)


async def kept_secret(facts: Facts) -> str:
    """Give the secret that the database has, made the first time."""
    known = await facts.fact(FACT)
    if known is None:
        known = new_secret()
        await facts.note_fact(FACT, known)
    return known


def ask(secret: str) -> Question:
    """Make a question, each time another."""
    once = secrets.token_urlsafe(16)
    return Question(
        f"{PATH}/{once}/{_sign(secret, 'asked', once)}", _sign(secret, "answered", once)
    )


def route(secret: str) -> Route:
    """Give the route that answers."""

    async def here(request: Request) -> Response:
        once, proof = request.path_params["once"], request.path_params["proof"]
        good = hmac.compare_digest(proof.encode(), _sign(secret, "asked", once).encode())
        if request.method != "GET" or not good:
            return not_found()
        return PlainTextResponse(_sign(secret, "answered", once))

    return Route(PATH + "/{once}/{proof}", here, methods=METHODS)


def _sign(secret: str, what: str, once: str) -> str:
    return hmac.new(
        secret.encode(), f"{what} {once}".encode("utf-8", "replace"), hashlib.sha256
    ).hexdigest()
