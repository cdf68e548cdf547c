"""Who has been told that the bot is not for them."""

from bot.handlers.refusals import PAUSE, Refusals


def test_once_an_hour() -> None:
    """A chat that was told is not told again for an hour, another one is."""
    refusals = Refusals()
    assert not refusals.told(5, 0.0)
    refusals.note(5, 0.0)
    assert refusals.told(5, PAUSE - 1)
    assert not refusals.told(6, PAUSE - 1)
    assert not refusals.told(5, PAUSE)


def test_it_does_not_grow() -> None:
    """Of too many chats those that were told longest ago are forgotten."""
    refusals = Refusals(kept=2)
    for chat_id in (5, 6, 5, 7):
        refusals.note(chat_id, 0.0)
    assert [refusals.told(chat_id, 1.0) for chat_id in (5, 6, 7)] == [True, False, True]
