"""What cannot be done: each bad input is answered with what was wrong, and nothing is spent."""

import asyncio
import contextlib
import io
import json
import sqlite3
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from PIL import ExifTags, Image

from sandbox.hidream.settings import Settings
from tests.e2e.test_options import AT_ONCE, has_ratio, submitted
from tests.e2e.world import JSON, SAMPLE, Person, World, buttons_of, opened, said, text_of, until

QUICK: Final = Settings(seconds=0.2, parallel=10)


@dataclass(frozen=True, kw_only=True, slots=True)
class Mistake:
    """A wrong caption, what the answer names, and the words that put it right."""

    caption: str
    named: tuple[str, ...]
    mended: str = "make it sepia /ratio 16:9"
    ratio: str = "16:9"
    count: int = 1


MISTAKES: Final = (
    Mistake(caption="make it sepia /ratio 5:7", named=("/ratio", "5:7", "16:9", "square", "auto")),
    Mistake(caption="make it sepia /ratio", named=("/ratio", "16:9", "portrait")),
    Mistake(
        caption="make it sepia --count 9",
        named=("--count", "“9”", "1, 2, 3 or 4"),
        mended="make it sepia /count 2",
        ratio="4:3",
        count=2,
    ),
    Mistake(caption="make it sepia /n many", named=("/n", "many", "1, 2, 3 or 4")),
    Mistake(caption="make it sepia /n\n", named=("/n", "/count 4", "1, 2, 3 or 4")),
    Mistake(caption="/no\nmake it sepia", named=("/no", "/no text, people")),
    Mistake(caption="make it sepia /ratoi 16:9", named=("/ratoi", "mean /ratio?")),
    Mistake(caption="make it sepia --cuont 2", named=("--cuont", "mean --count?")),
    Mistake(caption="make it sepia /ratio <b>&amp;", named=("“<b>&amp;”", "16:9")),
)


async def test_wrong_captions(tmp_path: Path) -> None:
    """A wrong option is named with what is allowed; HiDream sees only the words put right."""
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start(**AT_ONCE)
        people = [await world.person(f"P{n}") for n, _ in enumerate(MISTAKES)]

        async def mistaken(person: Person, mistake: Mistake) -> None:
            await person.photo(mistake.caption)
            answer = await person.reads(*mistake.named)
            assert "nothing has been started" in text_of(answer).lower()
            assert answer["force_reply"], "the person can answer with the words put right"

        await asyncio.gather(*(mistaken(p, m) for p, m in zip(people, MISTAKES, strict=True)))
        assert await world.calls("hidream", call="submit") == []
        assert world.rows("SELECT id FROM tasks") == []

        async def mended(person: Person, mistake: Mistake) -> None:
            await person.text(mistake.mended)
            pictures = await person.gets(mistake.count)
            assert has_ratio(pictures[0], mistake.ratio), mistake
            assert (await submitted(world, person))["prompt"] == "make it sepia"

        await asyncio.gather(*(mended(p, m) for p, m in zip(people, MISTAKES, strict=True)))


async def test_mistake_after_mistake(tmp_path: Path) -> None:
    """A photo waits through wrong words, and through options that come alone, for its words."""
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start()
        ada = await world.person()
        await ada.photo("make it sepia /ratio 5:7")
        await ada.reads("5:7")
        await ada.text("make it sepia /ratio 7:5")
        await ada.reads("7:5", "still here")
        await ada.text("/ratio 16:9")
        await ada.reads("What shall I make of it")
        await ada.text("make it sepia")
        [picture] = await ada.gets(1)
        assert has_ratio(picture, "16:9")
        assert (await submitted(world, ada))["prompt"] == "make it sepia"


async def test_edited_caption(tmp_path: Path) -> None:
    """An edited caption counts while its photo waits for words; later, a tap makes it with the new ones."""
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start()
        ada, bob = await world.person(), await world.person("Bob")
        photo = await ada.photo("make it sepia /count 7")
        await ada.reads("“7”")
        await _edit(world, ada, photo, caption="make it sepia /count 2 /count 8")
        await ada.reads("“8”")
        await _edit(world, ada, photo, caption="make it sepia /count 2")
        await ada.gets(2)
        await _edit(world, ada, photo, caption="make it rain")
        offer = await ada.reads("make it again")
        text = await bob.text("make it green")
        await bob.reads("send it within 15 minutes")
        await _edit(world, bob, text, text="make it blue")
        await bob.reads("send it within 15 minutes", times=2)
        await bob.photo()
        await bob.gets(1)
        assert (await submitted(world, bob))["prompt"] == "make it blue"
        await ada.press(offer, said("button-new-words"))
        await ada.gets(3)
        prompts = [task["prompt"] for task in (await world.made())["tasks"]]
        assert prompts == ["make it sepia", "make it blue", "make it rain"]


async def _edit(world: World, person: Person, message: JSON, **words: str) -> None:
    await world.do(
        f"chats/{person.id}/edit", user_id=person.id, message_id=message["message_id"], **words
    )


# --- files


def _saved(form: str, *, size: tuple[int, int] = (640, 400), **more: object) -> bytes:
    out = io.BytesIO()
    _picture(size).save(out, form, **more)
    return out.getvalue()


def _picture(size: tuple[int, int]) -> Image.Image:
    """Draw a picture that is red at its top and blue below."""
    picture = Image.new("RGB", size, "blue")
    picture.paste((255, 0, 0), (0, 0, size[0], size[1] // 2))
    return picture


def _turned() -> bytes:
    """Save a portrait lying on its side, as a phone does, with the EXIF mark that puts it upright."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    out = io.BytesIO()
    lying = _picture((400, 640)).transpose(Image.Transpose.ROTATE_90)
    lying.save(out, "JPEG", exif=exif, quality=95)
    return out.getvalue()


def _huge_png() -> bytes:
    """Write a PNG's header that says 10,000 by 10,000 pixels, and hardly anything behind it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 10_000, 10_000, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b"\0" * 100))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


def _animated(form: str) -> bytes:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "green", "blue")]
    out = io.BytesIO()
    frames[0].save(out, form, save_all=True, append_images=frames[1:], duration=100)
    return out.getvalue()


async def test_image_files(tmp_path: Path) -> None:
    """JPEG, PNG, WebP and HEIC files are worked on, also without a helpful type, and come out upright."""
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.register_heif_opener()
    files = (
        (_saved("JPEG", quality=95), "a.jpg", "image/jpeg", "3:2"),
        (_saved("PNG"), "b.png", "image/png", "3:2"),
        (_saved("WEBP"), "c.webp", "image/webp", "3:2"),
        (_saved("HEIF"), "d.HEIC", "image/heic", "3:2"),
        (_saved("HEIF"), "e.heic", "application/octet-stream", "3:2"),
        (_turned(), "f.jpg", "image/jpeg", "2:3"),
    )
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start(**AT_ONCE)

        async def sent(content: bytes, name: str, mime: str, ratio: str) -> None:
            person = await world.person()
            await person.file(content, name, mime, "a lake")
            [message] = await person.gets(1)
            assert has_ratio(message, ratio), name
            [image] = (await submitted(world, person))["images"]
            assert (image["width"] > image["height"]) == (ratio == "3:2"), name

        await asyncio.gather(*(sent(*file) for file in files))


async def test_photo_comes_out_upright(tmp_path: Path) -> None:
    """What is on top of a photo that was taken sideways is on top of the picture."""
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start()
        ada = await world.person()
        await ada.file(_turned(), "f.jpg", "image/jpeg", "sharper")
        [message] = await ada.gets(1)
        made = Image.open(io.BytesIO(await world.picture(message))).convert("RGB")
        across, down = made.size

        def redness(left: int, top: int, right: int, bottom: int) -> float:
            part = made.crop((left, top, right, bottom)).resize((1, 1), Image.Resampling.BOX)
            red, _, blue = part.getpixel((0, 0))  # type: ignore[misc]  # three bands, as converted
            return float(red - blue)

        top = redness(0, 0, across, down // 3)
        bottom = redness(0, 2 * down // 3, across, down)
        left, right = redness(0, 0, across // 3, down), redness(2 * across // 3, 0, across, down)
        assert top - bottom > 60
        assert abs(left - right) < 30


FILES: Final = (
    (b"x" * (21 * 2**20), "big.jpg", "image/jpeg", ("20 MB", "smaller")),
    (b"hello", "notes.txt", "text/plain", ("“notes.txt” is not an image", "HEIC")),
    (b"%PDF-1.7 and more", "scan.jpg", "image/jpeg", ("not an image I can read", "PNG")),
    (SAMPLE[: len(SAMPLE) // 2], "cut.jpg", "image/jpeg", ("broken",)),
    (_huge_png(), "huge.png", "image/png", ("100 megapixels", "up to 40")),
    (_animated("GIF"), "moving.gif", "image/gif", ("animation", "still")),
    (_animated("WEBP"), "moving.webp", "image/webp", ("animation", "still")),
)


async def test_files_that_are_of_no_use(tmp_path: Path) -> None:
    """Each has its own sentence, no button that cannot help, and HiDream hears of none."""
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start()

        async def sent(content: bytes, name: str, mime: str, words: tuple[str, ...]) -> None:
            person = await world.person()
            await person.file(content, name, mime)
            answer = await person.reads(*words)
            assert buttons_of(answer) == [], name
            assert not answer["force_reply"], name

        await asyncio.gather(*(sent(*file) for file in FILES))
        assert await world.calls("hidream") == []
        # and where Telegram does not say how large a file is, it is asked for
        ada = await world.person()
        await world.fault(
            "telegram",
            "getFile",
            "status",
            status=400,
            body='{"ok":false,"error_code":400,"description":"Bad Request: file is too big"}',
        )
        await ada.file(SAMPLE, "a.jpg", "image/jpeg")
        assert buttons_of(await ada.reads("20 MB")) == []
        assert await world.calls("hidream") == []


async def test_photo_that_telegram_lost(tmp_path: Path) -> None:
    """A photo that is gone when its turn comes has its own sentence."""
    async with opened(tmp_path) as world:
        ada = await world.person()
        photo = await ada.photo("make it sepia")
        sample = photo["photo"]["url"].rpartition("/")[2]
        await world.do(f"files/{sample}/vanish")
        await world.start()
        answer = await ada.reads("no longer has that photo", "send it again")
        assert buttons_of(answer) == []
        assert await world.calls("hidream") == []


# --- updates that nothing can read


GARBAGE: Final[tuple[JSON, ...]] = (
    {"message": "not an object"},
    {"message": {"message_id": 1, "chat": {"id": 77}, "date": "yesterday"}},
    {"message": {"message_id": 1, "from": 5, "chat": {"id": -5, "type": "group"}, "date": 0}},
    {"callback_query": {"id": "1", "from": {"id": 8}, "data": 5}},
    {"callback_query": {"id": [], "from": {"id": 8, "is_bot": False, "first_name": "X"}}},
    {"edited_message": []},
    {"my_chat_member": {"chat": None}},
    {"message": {"message_id": 1, "chat": {"id": 1, "type": "private"}, "date": 1, "photo": [{}]}},
    {"something_new": {"deep": [[[[1]]]]}},
    {},
)


async def test_garbage_updates(tmp_path: Path) -> None:
    """Updates that cannot be read are set aside, and everybody else is served."""
    async with opened(tmp_path, settings=QUICK) as world:
        ada = await world.person()
        for update in GARBAGE:
            await world.do("updates", **update)
        await ada.photo("make it sepia")
        await world.start()
        await ada.gets(1)
        assert (await world.see("updates"))["pending"] == 0


async def test_half_a_character(tmp_path: Path) -> None:
    """Text that no database takes as it is does not make the bot deaf."""
    half = {"message_id": 9, "text": "\ud83d", "date": 1, "chat": {"id": 7, "type": "private"}}
    batch = {"ok": True, "result": [{"update_id": 1, "message": half}]}
    async with opened(tmp_path, settings=QUICK) as world:
        ada = await world.person()
        body = json.dumps(batch)
        await world.fault("telegram", "getUpdates", "status", status=200, body=body, times=20)
        await world.start()
        await ada.photo("make it sepia")
        await ada.gets(1)


async def test_words_that_come_again(tmp_path: Path) -> None:
    """Words, or an edited caption, that are handled once more have made their task already: no answer."""
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start()
        ada, bob = await world.person(), await world.person("Bob")
        await ada.photo()
        await ada.reads("What shall I make of it")
        photo = await bob.photo("/count 9")
        await bob.reads("“9”")
        await until(lambda: _handled(world), "what came so far is handled")
        # as if the bot were killed, again and again, before it notes that an update is handled
        _change(
            world,
            "CREATE TRIGGER forget BEFORE UPDATE OF state ON inbox WHEN NEW.state = 'done'"
            " BEGIN SELECT raise(IGNORE); END",
        )
        await ada.text("make it sepia")
        await _edit(world, bob, photo, caption="make it sepia")
        await asyncio.gather(ada.gets(1), bob.gets(1))
        _change(world, "DROP TRIGGER forget")
        await until(lambda: _handled(world), "all of it is handled")
        assert [len(await person.sees()) for person in (ada, bob)] == [2, 2]
        assert len(world.rows("SELECT 1 FROM tasks")) == 2


def _change(world: World, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(world.database, timeout=10)) as connection:
        connection.execute(statement)
        connection.commit()


async def _handled(world: World) -> bool:
    return not world.rows("SELECT 1 FROM inbox WHERE state = 'new'")


async def test_a_command_alone_is_no_caption(tmp_path: Path) -> None:
    """A photo captioned with a command alone is asked about: nobody wants a picture of "/help"."""
    async with opened(tmp_path) as world:
        await world.start()
        ada = await world.person()
        await ada.photo("/help")
        await ada.reads(said("ask-words"))
        assert (await world.made())["tasks"] == []
        await ada.text("sepia")
        await ada.gets(1)
        assert [task["prompt"] for task in (await world.made())["tasks"]] == ["sepia"]
