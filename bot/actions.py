"""What buttons do: the names that their callback data begin with, for those who make and those who serve them. Pure.

A name is never changed nor given to something else: buttons are pressed years after they were sent.
"""

from enum import StrEnum


class Action(StrEnum):
    """What a press asks for. What follows a name is an id of the store, and further choices."""

    AGAIN = "again"
    """`again:17`: the same again."""
    RATIO = "ratio"
    """`ratio:17`: offer the shapes; `ratio:17:16:9`: the same in this one."""
    COUNT = "count"
    """`count:17:4`: the same, so many pictures."""
    WORDS = "words"
    """`words:17`: ask for other words."""
    USE = "use"
    """`use:17`: go on from what came out, or ask from which; `use:17:1`: from this image."""
    FILE = "file"
    """`file:17`: the original files."""
    DELETE = "delete"
    """`delete:17`: ask whether to take away what shows it; `delete:17:yes`: do."""
    CANCEL = "cancel"
    """`cancel:17`: stop it."""
    STOP = "stop"
    """`stop:5:17`: stop one of those that a list (a view's id) shows; `stop:5:all`: all of them."""
    SHOW = "show"
    """`show:17`: tell all of it."""
    VIEW = "view"
    """`view:5:…`: turn over a list or a history, by its view's id."""
    IDEA = "idea"
    """`idea:9:0`: make this idea of the photos of a draft."""
    GO = "go"
    """`go:9`: make what an offer (a draft's id) says; `go:9:first`, `go:9:each`: of an album's photos."""
    DROP = "drop"
    """`drop:9`: put a draft away: nothing is to be made of it."""
    SET = "set"
    """`set:5`: a person's own settings, by a view's id; `set:5:count`: the choices; `set:5:count:2`: one of them."""
    SET_CHAT = "set-chat"
    """The same for what holds for all of a chat."""
    FORGET = "forget"
    """`forget:17`: yes, to the question that this view keeps."""


BACK = "back"
"""The choice that brings back the buttons that were there before: `ratio:17:back`."""
YES = "yes"


def press(action: Action, id_: int, *more: str | int) -> str:
    """Write what a button brings back: `count:17:4`."""
    return ":".join((action, str(id_), *(str(one) for one in more)))
