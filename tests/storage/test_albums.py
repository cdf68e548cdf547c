"""Albums: gathered part by part, worked off once they are quiet, and known afterwards."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from storage.sqlite import open_store
from storage.store import TaskStore
from storage.tasks import Album, AlbumPart, Origin, Topic
from tests.storage.making import BOT, HOUR, START, HandClock, album_of, update

_QUIET = timedelta(seconds=1)


def part(n: int, *, message_id: int | None = None, chat_id: int = 5, group: str = "g") -> AlbumPart:
    """Give the part of an album that came with update n."""
    return AlbumPart(
        origin=Origin(bot_id=BOT, update_id=n),
        chat_id=chat_id,
        media_group_id=group,
        message_id=n if message_id is None else message_id,
        data=f'{{"n": {n}, "❄": "\'"}}',
    )


async def came(store: TaskStore, one: AlbumPart, at: datetime = START) -> bool:
    """Keep a part that came at this time."""
    return await store.album_part(one, now=at, due_at=at + _QUIET)


async def due(store: TaskStore, now: datetime = START + HOUR) -> list[list[int]]:
    """Give the updates of each album that is due."""
    return [
        [one.origin.update_id for one in album.parts] for album in await store.albums_due(now, 99)
    ]


async def first(store: TaskStore, now: datetime = START + HOUR) -> Album:
    """Give the album that has been quiet for longest."""
    (album,) = await store.albums_due(now, 1)
    return album


async def test_an_album_is_due_when_it_has_been_quiet(store: TaskStore) -> None:
    """Each part moves the album's time; its parts come in the order of their messages, as they were."""
    assert await store.next_album_due() is None
    assert await came(store, part(1, message_id=12))
    assert await came(store, part(2, message_id=11), START + _QUIET / 2)
    quiet = START + 1.5 * _QUIET
    assert await store.next_album_due() == quiet
    assert await store.albums_due(quiet - timedelta(microseconds=1), 9) == []
    expected = (part(2, message_id=11), part(1, message_id=12))
    assert await store.albums_due(quiet, 9) == [
        Album(chat_id=5, media_group_id="g", parts=expected)
    ]


async def test_a_part_that_comes_again_is_no_second_one(store: TaskStore) -> None:
    """A repeated update moves the time and changes nothing else."""
    await came(store, part(1))
    assert await came(store, replace(part(1), data="other"), START + HOUR)
    assert await store.next_album_due() == START + HOUR + _QUIET
    assert (await first(store, START + 2 * HOUR)).parts == (part(1),)


async def test_the_album_that_is_quiet_for_longest_comes_first(store: TaskStore) -> None:
    """Albums are told apart by chat and group, and given by their times, as many as are asked for."""
    await came(store, part(1), START + HOUR)
    await came(store, part(2, chat_id=6), START)
    await came(store, part(3, group="h"), START + HOUR / 2)
    assert await due(store, START + 2 * HOUR) == [[2], [3], [1]]
    assert len(await store.albums_due(START + 2 * HOUR, 2)) == 2
    [other] = await store.albums_due(START + 2 * HOUR, 1, busy_chats={6, 7})
    assert [one.origin.update_id for one in other.parts] == [3]
    assert await store.albums_due(START + 2 * HOUR, 9, busy_chats=(5, 6)) == []


async def test_an_album_waits_for_what_has_come_to_its_chat(store: TaskStore) -> None:
    """An update that had come by then and is not handled yet may be a part: the album is due once it is."""
    await came(store, part(1))
    await store.receive(BOT, [update(2, chat_id=5), update(3, chat_id=6)], START)
    assert await due(store) == []
    for row in await store.inbox_heads(START, 9):
        await store.inbox_done(row, START)
    assert await due(store) == [[1]]
    await store.receive(BOT, [update(4, chat_id=5)], START + HOUR)
    assert await due(store) == [[1]], "what comes after that is none"


async def test_a_late_part_is_known_as_late(store: TaskStore) -> None:
    """After an album has been worked off a new part is late; one that was taken in time is not, when it comes again."""
    await came(store, part(1))
    await store.close_album(await first(store))
    assert await due(store) == []
    assert await store.next_album_due() is None
    mark = store.mark(Topic.ALBUMS)
    assert not await came(store, part(2))
    assert await came(store, part(1))
    assert await due(store) == []
    assert store.mark(Topic.ALBUMS) == mark
    assert await came(store, part(3, group="h"))
    assert store.mark(Topic.ALBUMS) == mark + 1


async def test_a_part_that_came_meanwhile_is_not_lost(store: TaskStore) -> None:
    """What came between reading and closing keeps the album open, with that alone."""
    await came(store, part(1))
    album = await first(store)
    await came(store, part(2), START + HOUR)
    await store.close_album(album)
    assert await store.next_album_due() == START + HOUR + _QUIET
    assert await due(store, START + 2 * HOUR) == [[2]]
    assert await came(store, part(1)), "it was in time"
    await store.close_album(await first(store, START + 2 * HOUR))
    assert not await came(store, part(3))


async def test_an_album_can_wait(store: TaskStore) -> None:
    """What cannot be answered now is due later; nobody is woken, and what is closed stays so."""
    await came(store, part(1))
    album = await first(store)
    mark = store.mark(Topic.ALBUMS)
    await store.album_later(album, due_at=START + 2 * HOUR)
    assert await store.next_album_due() == START + 2 * HOUR
    assert await due(store) == []
    await store.close_album(album)
    await store.album_later(album, due_at=START)
    await store.close_album(album)
    assert await store.next_album_due() is None
    assert store.mark(Topic.ALBUMS) == mark


async def test_an_album_moves_with_its_group(store: TaskStore) -> None:
    """Whoever has it in hand closes it under its new id; an update that is repeated finds it there."""
    await came(store, part(1, chat_id=-5))
    album = await first(store)
    await store.move_chat(-5, -1005)
    assert await came(store, part(1, chat_id=-5)), "the update still names the old group"
    moved = await first(store)
    assert (moved.chat_id, moved.parts) == (-1005, (part(1, chat_id=-1005),))
    await store.album_later(album, due_at=START + 2 * HOUR)
    assert await due(store) == []
    await store.close_album(album)
    assert await due(store, START + 9 * HOUR) == []
    assert not await came(store, part(2, chat_id=-1005))


async def test_an_album_on_both_sides_of_a_move_becomes_one(store: TaskStore) -> None:
    """A part that was read under the old id after the move joins the others by the next one, and is worked off."""
    await came(store, part(1, chat_id=-5))
    await store.move_chat(-5, -1005)
    await came(store, part(2, chat_id=-5))
    await store.move_chat(-5, -1005)
    assert await due(store) == [[1, 2]]
    await came(store, part(3, group="h", chat_id=-5))
    for album in await store.albums_due(START + HOUR, 9):
        await store.close_album(album)
    await came(store, part(4, group="h", chat_id=-1005))
    await store.move_chat(-5, -1005)
    assert await due(store) == [[4]], "the one that is over does not hide what is not"


async def test_an_open_album_is_not_forgotten(store: TaskStore) -> None:
    """However long an album waits, it is kept; once it is over it goes with its parts."""

    async def prune() -> int:
        later = START + 9 * HOUR
        return await store.prune(now=later, inbox_before=later, finished_before=None, limit=9)

    await came(store, part(1))
    assert await prune() == 0
    await store.close_album(await first(store))
    assert await prune() == 1
    assert await came(store, part(1)), "nothing is known of it any more"
    assert await due(store) == [[1]]


async def test_albums_go_back_with_the_clock(store: TaskStore) -> None:
    """Where the clock was set back while the program was off, an album does not wait for the old time."""
    await came(store, part(1), START + HOUR)
    await album_of(store, 9, 5)
    await store.receive(BOT, [update(1)], START + HOUR)
    assert await store.rebase(START, grace=HOUR) == HOUR
    assert await store.next_album_due() == START + _QUIET


async def test_an_open_album_outlives_the_process(path: Path, clock: HandClock) -> None:
    """After a restart an album is due by its time as ever, with what came before and after."""
    store = await open_store(path, clock=clock)
    await came(store, part(2))
    await store.close()
    store = await open_store(path, clock=clock)
    try:
        assert await store.next_album_due() == START + _QUIET
        assert await came(store, part(1))
        assert await due(store) == [[1, 2]]
    finally:
        await store.close()
