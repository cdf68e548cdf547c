"""Which words a prompt has, whatever the letter case, in any script. Pure; the same in every store."""

import unicodedata
from functools import lru_cache


def _folded(text: str) -> str:
    # Composed once more after folding, which may take letters apart: Unicode, 3.13, D146.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


@lru_cache(maxsize=64)  # one search asks about many prompts
def _words(text: str) -> tuple[str, ...]:
    return tuple(_folded(text).split())


def has_words(prompt: str, words: str) -> bool:
    """Say whether each of these words is in the prompt, perhaps as a part of a longer one."""
    folded = _folded(prompt)
    return all(word in folded for word in _words(words))
