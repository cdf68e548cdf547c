"""The catalogues' files: made from the table of sentences, and brought up to date with it.

`bot.pot` has what is to be translated, and each language's `bot.po` the translations. They follow the
table's order and have neither dates nor places in the code, so that the same table gives the same files.
"""

import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from babel.messages import Catalog
from babel.messages.pofile import read_po, write_po

from bot.catalogues import DOMAIN, FOLDER, is_translated, path_of
from bot.languages import LANGUAGES, SOURCE
from bot.sentences import SENTENCES, Plural

TEMPLATE: Final = f"{DOMAIN}.pot"
LIMITS: Final[Mapping[str, int]] = {
    "button-": 40,
    "pressed-": 200,
    "command-": 256,
    "bot-description": 512,
    "bot-short-description": 120,
}
"""Characters that a sentence may have, by what its id begins with (the last row that fits).

Those of notices, commands and descriptions are Telegram's (Bot API: answerCallbackQuery, BotCommand,
setMyDescription, setMyShortDescription); of a button a phone shows no more.
"""

_HEADER: Final = "# What the bot says{}.\n# Made from bot/sentences.py by `make catalogues`."
_DROPPED: Final = re.compile(
    rb'^"(?:Project-Id-Version|Report-Msgid-Bugs-To|POT-Creation-Date|PO-Revision-Date'
    rb"|Last-Translator|Language-Team|Generated-By):.*\n",
    re.MULTILINE,
)
"""What would differ from day to day, or says nothing."""


def limit_of(sentence: str) -> int | None:
    """Give the characters that a sentence may have at most, where there is such a limit."""
    fitting = [limit for start, limit in LIMITS.items() if sentence.startswith(start)]
    return fitting[-1] if fitting else None


def template() -> Catalog:
    """Give what is to be translated."""
    made = Catalog(domain=DOMAIN, header_comment=_HEADER.format(""), fuzzy=False)
    for id_, sentence in SENTENCES.items():
        english = (sentence.one, sentence.other) if isinstance(sentence, Plural) else sentence
        limit = limit_of(id_)
        notes = [f"At most {limit} characters."] if limit else []
        made.add(english, context=id_, auto_comments=notes)
    return made


def updated(language: str, old: bytes = b"") -> bytes:
    """Give a language's file as it is to be: the old translations of all that is still said so."""
    known = read_po(io.BytesIO(old), locale=language, domain=DOMAIN)
    wanted = template()
    for message in list(known):
        now = wanted.get(message.id, message.context)
        # Babel looks at a plural's first form alone
        if message.id and (now is None or now.id != message.id):
            known.delete(message.id, message.context)
    known.update(wanted, no_fuzzy_matching=True)
    known.header_comment = _HEADER.format(f", in {LANGUAGES[language]}")
    known.fuzzy = False
    return _written(known)


def files() -> Mapping[Path, bytes]:
    """Give all files as they are to be."""
    made = {FOLDER / TEMPLATE: _written(template())}
    for language in LANGUAGES:
        if language != SOURCE:
            path = path_of(language)
            made[path] = updated(language, path.read_bytes() if path.exists() else b"")
    return made


def missing(language: str) -> list[str]:
    """Give the ids of the sentences that have no (whole) translation into a language."""
    with path_of(language).open("rb") as file:
        known = read_po(file, locale=language, domain=DOMAIN)
    return [str(message.context) for message in known if message.id and not is_translated(message)]


def _written(made: Catalog) -> bytes:
    file = io.BytesIO()
    write_po(file, made, width=0, ignore_obsolete=True)
    return _DROPPED.sub(b"", file.getvalue())
