"""Words in a prompt that decide how a task ends, so that each ending can be tried by hand.

| word in the prompt | what happens |
|---|---|
| naked, nude, gore, bloody, beheading | refused at submission, for its content |
| blocked-by-review | accepted, and every image ends with status 4: did not pass review |
| fails-in-the-making | accepted, and every image ends with status 3: failed |
| makes-nothing | accepted, and every image ends with status 1004: nothing came of the prompt |
| half-done | accepted; the first half of the images succeeds, the rest ends with status 3 |

Whole words, in any letter case. Source: docs/hidream-api.md sections 2 and 4.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

REFUSED: Final = frozenset({"naked", "nude", "gore", "bloody", "beheading"})

ENDINGS: Final[Mapping[str, Callable[[int], list[int]]]] = {
    "blocked-by-review": lambda count: [4] * count,
    "fails-in-the-making": lambda count: [3] * count,
    "makes-nothing": lambda count: [1004] * count,
    "half-done": lambda count: [1] * (count // 2) + [3] * (count - count // 2),
}


def words_of(prompt: str) -> list[str]:
    """Split a prompt into its words, in lower case; hyphens hold a word together."""
    return re.findall(r"[^\W_]+(?:-[^\W_]+)*", prompt.lower())


def is_refused(prompt: str) -> bool:
    """Tell whether a prompt is refused for its content at submission."""
    return any(word in REFUSED for word in words_of(prompt))


def statuses_for(prompt: str, count: int) -> list[int]:
    """Tell how each image of a task with this prompt ends, where no test says otherwise."""
    for word in words_of(prompt):
        if word in ENDINGS:
            return ENDINGS[word](count)
    return [1] * count
