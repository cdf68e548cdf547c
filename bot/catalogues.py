"""The catalogues of sentences, one a language, as the ecosystem keeps them: gettext's PO files.

A sentence's id is its context, its English its msgid, so that a translation goes out of use by itself
when the English changes. They are compiled in memory when a language is first spoken, which takes
some milliseconds; `python -m bot.locales` brings the files up to date.
"""

import io
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Final

from babel.messages.catalog import Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from bot.languages import SOURCE

DOMAIN: Final = "bot"
FOLDER: Final = Path(__file__).parent / "locales"


def path_of(language: str) -> Path:
    """Give the place of a language's catalogue."""
    return FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def is_translated(message: Message) -> bool:
    """Say whether a message has a translation, of a plural each form."""
    forms = message.string if isinstance(message.string, tuple | list) else (message.string,)
    return bool(forms) and all(forms)


@cache
def catalogue(language: str) -> NullTranslations:
    """Give a language's translations; what it lacks stays English."""
    if language == SOURCE:
        return NullTranslations()
    with path_of(language).open("rb") as file:
        messages = read_po(file, locale=language, domain=DOMAIN)
    for message in list(messages):
        if not is_translated(message):
            # left in, the English would have the other language's plural forms
            messages.delete(message.id, message.context)
    compiled = io.BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return GNUTranslations(compiled)
