"""HiDream's callbacks, over real HTTP both ways; and what comes late."""

import asyncio
import socket
from pathlib import Path

from sandbox.hidream.settings import Settings
from tests.e2e.world import World, opened, said, text_of, until
from tests.ports import free_port


async def _start(world: World, **hidream: object) -> int:
    """Start the bot with its web side on; returns its port."""
    port = free_port()
    address = f"127.0.0.1:{port}"
    await world.start(web={"listen": address, "public_url": f"http://{address}"}, hidream=hidream)
    return port


async def test_pictures_come_by_callback(tmp_path: Path) -> None:
    """HiDream is given a place to call, calls it, and the result is asked for at once."""
    async with opened(tmp_path, settings=Settings(seconds=1.5, parallel=10)) as world:
        await _start(world)
        ada = await world.person()
        for n in range(4):
            await ada.photo(f"sepia {n}")
        await ada.gets(4)
        called = await world.calls("hidream", call="callback")
        assert [(call["status"], call["outcome"]) for call in called] == [(200, "ok")] * 4
        places = {call["params"]["url"].rpartition("/")[2] for call in called}
        assert len(places) == 4
        assert not any(place in world.log for place in places), "it is a secret"
        hashes = world.rows("SELECT callback_hash AS hash FROM submissions")
        assert all(len(row["hash"]) == 64 for row in hashes)

        async def measured() -> bool:
            return bool(world.rows("SELECT 1 FROM durations"))

        await until(measured, "durations are measured")


async def test_a_lost_answer_is_found_by_callback(tmp_path: Path) -> None:
    """Where request ids cannot be asked for, a callback still tells of the task: it is not sent twice."""
    settings = Settings(seconds=1.5, parallel=10, lookup_by_request_id=False)
    async with opened(tmp_path, settings=settings) as world:
        await world.fault("hidream", "submit", "reset_after")
        await _start(world)
        ada = await world.person()
        await ada.photo("sepia")
        await ada.gets(1)
        assert len(await world.calls("hidream", call="submit")) == 1
        assert world.rows("SELECT uncertain FROM tasks") == [{"uncertain": 1}]


async def test_killed_between_submission_and_callback(tmp_path: Path) -> None:
    """A path outlives a kill: HiDream's call reaches the next start."""
    settings = Settings(seconds=0.1, parallel=10, lookup_by_request_id=False)
    async with opened(tmp_path, settings=settings) as world:
        port = free_port()
        address = f"127.0.0.1:{port}"
        web = {"listen": address, "public_url": f"http://{address}"}
        pid = await world.start(web=web)
        ada = await world.person()
        await world.fault("hidream", "submit", "kill_after", pid=pid)
        await world.next_ends("never")
        await ada.photo("sepia")
        await world.died()
        await world.start(web=web)

        async def waits() -> bool:
            return "waiting_for_a_callback" in world.log

        await until(waits, "the next start waits for a call")
        # it ends only now, however long the start takes: HiDream calls three times, and no more
        await world.http.post(f"{world.hidream}/sandbox/release", json={"user_id": str(ada.id)})
        await ada.gets(1)
        assert [one["status"] for one in await world.calls("hidream", call="callback")] == [200]
        assert len((await world.made())["tasks"]) == 1


async def test_a_storm_of_forged_calls(tmp_path: Path) -> None:
    """Thousands of forged calls delay nobody's picture, and make HiDream asked no oftener."""
    async with opened(tmp_path, settings=Settings(seconds=3, parallel=10)) as world:
        port = await _start(world)
        ada = await world.person()
        await ada.photo("sepia")
        await world.task_is("running")
        forging = asyncio.create_task(_forge(port, 10_000))
        await ada.gets(1)
        assert await forging == {"404"}
        assert len(await world.calls("hidream", call="batch")) < 20


async def _forge(port: int, times: int) -> set[str]:
    """Call paths that nobody gave out, over one connection; gives the statuses."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    statuses = set()
    body = b'{"main_task_id":"forged"}'
    for n in range(times):
        head = f"POST /hidream/{n:022} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(len("Not Found"))
        statuses.add(answer.split()[1].decode())
    writer.close()
    return statuses


async def test_the_port_is_taken(tmp_path: Path) -> None:
    """Whoever runs it reads which setting it is; the exit code says "settings"."""
    async with opened(tmp_path) as world:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            address = f"127.0.0.1:{other.getsockname()[1]}"
            await world.start(web={"listen": address, "public_url": f"http://{address}"})
            assert await world.died() == 78
        assert f"web.listen: cannot listen at {address}" in world.log


async def test_late_but_here_it_is(tmp_path: Path) -> None:
    """Told that it took too long, the person still gets the picture when it comes; a restart in between."""
    async with opened(tmp_path, settings=Settings(seconds=6, jitter=0, parallel=10)) as world:
        await world.start(hidream={"task_deadline_seconds": 1})
        ada = await world.person()
        await ada.photo("sepia")
        await ada.reads(said("took-too-long"))
        await world.task_is("failed")
        await world.kill()
        await world.start()
        [picture] = await ada.gets(1)
        assert text_of(picture).startswith("Late, but here it is.")
        assert "sepia" in text_of(picture)
        await world.task_is("delivered")
        assert len((await world.made())["tasks"]) == 1
        await ada.text("/status 1")
        assert "stopped waiting" not in text_of(await ada.reads("#1", "done"))


# --- the admins


async def test_the_admin_hears_of_a_bad_token_once(tmp_path: Path) -> None:
    """Told once, over a restart; it goes on by itself when the token's file is well again."""
    async with opened(tmp_path) as world:
        boss = await world.person("Boss")
        await boss.text("/start")  # nobody is written to who has not begun
        ada = await world.person()
        token = tmp_path / "token"
        token.write_text("expired")
        del world.settings["hidream"]["token"]
        await world.start(access={"admins": [boss.id]}, hidream={"token_file": str(token)})
        await ada.photo("sepia")
        await boss.reads(said("admin-token"))
        await ada.reads(said("progress-paused"))

        async def noted() -> bool:
            return bool(world.rows("SELECT name FROM notices"))

        await until(noted, "that the admin was told is on disk")
        await world.kill()
        await world.start()
        await ada.photo("sepia too")
        await ada.text("/status")
        await ada.reads("#2")
        token.write_text("hidream-token-that-must-not-leak")
        await ada.gets(2)
        await boss.reads(said("admin-token-over"))
        told = [text_of(message) for message in await boss.sees()]
        assert told.count(said("admin-token")) == 1
        assert not any("admin" in text_of(m) or "token" in text_of(m) for m in await ada.sees())


async def test_fewer_slots_are_found_and_told(tmp_path: Path) -> None:
    """With a lower tier than configured all is made, after hardly a refusal, and the admin reads of it."""
    async with opened(tmp_path, settings=Settings(seconds=0.6, parallel=2)) as world:
        boss = await world.person("Boss")
        await boss.text("/start")
        await world.start(access={"admins": [boss.id]}, hidream={"parallel_requests": 6})
        people = [await world.person(f"P{n}") for n in range(4)]
        for person in people:
            for n in range(3):
                await person.photo(f"sepia {n}")
        for person in people:
            await person.gets(3)
        # how many it takes for the first answer depends on which of its answers comes first
        await boss.reads("tasks at a time", "hidream.parallel_requests is 6")
        refused = await world.calls("hidream", call="submit", outcome="refused")
        assert 1 <= len(refused) <= 4
