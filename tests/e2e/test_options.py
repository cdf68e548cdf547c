"""What a caption can ask for: each option, in the ways that people write it."""

import asyncio
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from sandbox.hidream.settings import Settings
from tests.e2e.world import JSON, Person, World, opened, picture_of, text_of

AT_ONCE = {"hidream": {"parallel_requests": 10}}
QUICK = Settings(seconds=0.2, parallel=10)


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """A caption, and what HiDream is to be asked for."""

    caption: str
    prompt: str = "make it sepia"
    negative: str = ""
    ratio: str = "4:3"
    """By default that of the sample photo."""
    count: int = 1


CASES = (
    Case(caption="make it sepia"),
    Case(caption="make it sepia /ratio 16:9", ratio="16:9"),
    Case(caption="/AR 9x16 make it sepia", ratio="9:16"),
    Case(caption="make it sepia --ratio 2:3", ratio="2:3"),
    Case(caption="make it —ar 3：2 sepia", ratio="3:2"),
    Case(caption="ratio=square make it sepia", ratio="1:1"),
    Case(caption="make it sepia /ratio@sandbox_bot landscape", ratio="16:9"),
    Case(caption="make it sepia /ratio portrait", ratio="9:16"),
    Case(caption="make it sepia /ratio 16:9 /ratio 3:4", ratio="3:4"),
    Case(caption="make it sepia /ratio 16:9 /ratio auto"),
    Case(caption="make it sepia /count 4", count=4),
    Case(caption="/n 1 make it sepia /n 2", count=2),
    Case(caption="make it --COUNT 2 sepia", count=2),
    Case(caption="make it sepia count=2", count=2),
    Case(caption="make it sepia /no text, people", negative="text, people"),
    Case(caption="make it sepia –no cars --ratio 1:1", negative="cars", ratio="1:1"),
    Case(caption="/negative text\nmake it sepia", negative="text"),
    Case(
        caption="a 3:2 landscape painting and/or 1/2 sketch\nof https://example.org/ratio",
        prompt="a 3:2 landscape painting and/or 1/2 sketch\nof https://example.org/ratio",
    ),
)


async def test_each_option_in_each_spelling(tmp_path: Path) -> None:
    """HiDream is asked for what the caption says, and the chat gets as many pictures in that ratio."""
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start(**AT_ONCE)
        people = [await world.person(f"P{n}") for n, _ in enumerate(CASES)]
        await asyncio.gather(
            *(_told_and_got(world, p, c) for p, c in zip(people, CASES, strict=True))
        )


async def _told_and_got(world: World, person: Person, case: Case) -> None:
    await person.photo(case.caption)
    pictures = await person.gets(case.count)
    seen = await submitted(world, person)
    assert (seen["prompt"], seen["negative_prompt"]) == (case.prompt, case.negative), case
    assert (seen["ratio"], seen["img_count"]) == (case.ratio, case.count), case
    assert len(pictures) == case.count, case
    for picture in pictures:
        assert has_ratio(picture, case.ratio), (case, picture_of(picture))
    caption = text_of(pictures[0])
    assert case.ratio in caption, caption
    assert case.negative in caption, caption


async def test_ratio_is_by_default_the_photos_own(tmp_path: Path) -> None:
    """Without an option the picture has the ratio that is nearest to the photo's, EXIF applied."""
    shapes: dict[tuple[int, int], str] = {
        (900, 500): "16:9",
        (300, 310): "1:1",
        (400, 580): "2:3",
        (330, 400): "3:4",
        (200, 900): "9:16",
        (640, 430): "3:2",
    }
    async with opened(tmp_path, settings=QUICK) as world:
        await world.start(**AT_ONCE)

        async def shaped(size: tuple[int, int], ratio: str) -> None:
            person = await world.person()
            await person.photo("make it sepia", contents=(picture(*size),))
            [made] = await person.gets(1)
            assert (await submitted(world, person))["ratio"] == ratio, size
            assert has_ratio(made, ratio), size

        await asyncio.gather(*(shaped(size, ratio) for size, ratio in shapes.items()))


async def test_defaults_come_from_the_configuration(tmp_path: Path) -> None:
    """What a caption does not say is as the operator has set it; what it says comes first."""
    async with opened(tmp_path, settings=QUICK) as world:
        defaults = {"ratio": "1:1", "count": 2, "negative": "text"}
        await world.start(defaults=defaults, **AT_ONCE)
        ada, bob = await world.person(), await world.person("Bob")
        await ada.photo("make it sepia")
        await bob.photo("make it sepia /n 1 /ratio auto /no none")
        await ada.gets(2)
        await bob.gets(1)
        first, second = await submitted(world, ada), await submitted(world, bob)
    assert (first["ratio"], first["img_count"], first["negative_prompt"]) == ("1:1", 2, "text")
    assert (second["ratio"], second["img_count"], second["negative_prompt"]) == ("4:3", 1, "")


async def submitted(world: World, person: Person) -> JSON:
    """Give what HiDream was asked for on behalf of this person: exactly one thing."""
    calls = await world.calls("hidream", call="submit")
    [mine] = [call for call in calls if call["headers"]["api-user-id"] == str(person.id)]
    params: JSON = mine["params"]
    return params


def has_ratio(message: JSON, ratio: str) -> bool:
    """Say whether a message's picture has this ratio, within a pixel or two."""
    shown: Any = picture_of(message)
    across, down = (int(part) for part in ratio.split(":"))
    return bool(abs(shown["width"] - shown["height"] * across / down) <= 2)


def picture(width: int, height: int) -> bytes:
    """Draw a plain JPEG of this size."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(out, "JPEG")
    return out.getvalue()
