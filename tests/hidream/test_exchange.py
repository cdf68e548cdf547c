"""One exchange with HiDream, and what is left of it."""

import asyncio
import gc
import tracemalloc

from bot.hidream.classify import Call
from bot.hidream.exchange import SUBMIT_PATIENCE, exchange, new_client

BODY_BYTES = 4_000_000
EXCHANGES = 3
ANSWER = b'{"code":0}'


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(BODY_BYTES)
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n")
    writer.write(b"Content-Length: %d\r\n\r\n" % len(ANSWER) + ANSWER)
    writer.close()
    await writer.wait_closed()


async def test_what_was_sent_is_let_go_with_the_answer() -> None:
    """The photos in a request do not stay behind it in memory until the garbage is collected."""
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with new_client() as http:
        gc.collect()
        gc.disable()
        tracemalloc.start()
        try:
            for _ in range(EXCHANGES):
                answer = await exchange(
                    http,
                    "POST",
                    url,
                    call=Call.SUBMIT,
                    patience=SUBMIT_PATIENCE,
                    headers={},
                    content=bytes(BODY_BYTES),
                )
                assert answer.http_status == 200
            left, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
            gc.enable()
    server.close()
    assert left < BODY_BYTES
