"""Tests of what the local HiDream makes of a photo."""

import io
import random
from dataclasses import replace

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageOps, ImageStat

from sandbox.hidream.horizon import sky
from sandbox.hidream.looks import FREE, LOOKS, apply_looks, choose_looks
from sandbox.hidream.pictures import make_picture
from sandbox.hidream.wire import RATIOS, RESOLUTIONS, Photo, Submission
from sandbox.sample import draw_sample

SAMPLE = draw_sample(320, 240)


def submission(prompt: str = "sepia", data: bytes = SAMPLE, ratio: str = "4:3") -> Submission:
    """Ask for a picture of a size that is quick to make."""
    across, down = RATIOS[ratio]
    return Submission(
        version=2,
        photos=(Photo(data=data),),
        prompt=prompt,
        negative_prompt="",
        ratio=ratio,
        width=across * 20,
        height=down * 20,
        count=1,
        request_id="",
        notify_url="",
    )


def opened(data: bytes) -> Image.Image:
    """Open a picture as RGB."""
    return Image.open(io.BytesIO(data)).convert("RGB")


def difference(one: Image.Image, other: Image.Image) -> float:
    """Tell by how much two pictures of one size differ on average, 0 to 255."""
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


def correlation(one: Image.Image, other: Image.Image) -> float:
    """Tell how alike two pictures' outlines and brightness are, -1 to 1, at a coarse grain."""
    first, second = (
        list(ImageOps.equalize(image.convert("L")).resize((16, 12)).tobytes())
        for image in (one, other)
    )
    a, b = sum(first) / len(first), sum(second) / len(second)
    above = sum((x - a) * (y - b) for x, y in zip(first, second, strict=True))
    square = sum((x - a) ** 2 for x in first) * sum((y - b) ** 2 for y in second)
    return float(above / square**0.5)


@pytest.fixture(scope="module")
def made() -> dict[str, Image.Image]:
    """The sample photo in every look."""
    return {look.name: apply_looks(opened(SAMPLE), look.name, "") for look in LOOKS}


@pytest.mark.parametrize("name", [look.name for look in LOOKS])
def test_look_is_made_from_the_photo(made: dict[str, Image.Image], name: str) -> None:
    """Each look changes the photo visibly, and still shows what the photo shows."""
    photo, picture = opened(SAMPLE), made[name]
    assert picture.size == photo.size
    assert difference(picture, photo) > 8
    # Cells of unrelated pictures correlate by less than 0.15.
    assert abs(correlation(picture, photo)) > 0.3


def test_all_looks_differ(made: dict[str, Image.Image]) -> None:
    """No two looks give the same picture."""
    pictures = list(made.values())
    pairs = [(a, b) for i, a in enumerate(pictures) for b in pictures[:i]]
    assert min(difference(a, b) for a, b in pairs) > 4


@pytest.mark.parametrize(
    ("prompt", "names"),
    [
        ("make it snow", ["snow"]),
        ("A SNOWY village, please!", ["snow"]),
        ("a watercolor of a winter morning", ["snow", "watercolor"]),
        ("snow at night, as an oil painting", ["snow", "night"]),
        ("8-bit", ["pixel"]),
        ("a castle on a hill", [FREE.name]),
        ("rainbow", [FREE.name]),
        ("", [FREE.name]),
    ],
)
def test_words_choose_looks(prompt: str, names: list[str]) -> None:
    """Whole words of the prompt choose at most two looks, in painting order."""
    assert [look.name for look in choose_looks(prompt)] == names


def test_negative_prompt_takes_a_look_away() -> None:
    """A look that the negative prompt names is not applied."""
    assert [look.name for look in choose_looks("snow at night", "no snow")] == ["night"]


def test_word_chooses_one_look_only() -> None:
    """No word asks for two looks, so that the table can be read."""
    words = [word for look in LOOKS for word in look.words]
    assert len(words) == len(set(words))


def test_other_prompts_have_looks_of_their_own() -> None:
    """Prompts that name no look differ from one another, and each is always the same."""
    castle, robots = make_picture(submission("castle"), 0), make_picture(submission("robots"), 0)
    assert difference(opened(castle), opened(robots)) > 4
    assert make_picture(submission("castle"), 0) == castle


def test_images_of_a_task_differ_a_little() -> None:
    """The four images of a task are alike, but no two are the same."""
    made = [opened(make_picture(submission("snow"), index)) for index in range(4)]
    for index, one in enumerate(made):
        for other in made[:index]:
            assert difference(one, other) > 2
            assert correlation(one, other) > 0.5


@pytest.mark.parametrize("ratio", RATIOS)
def test_picture_has_the_size_asked_for(ratio: str) -> None:
    """A picture has exactly the pixels that were asked for, whatever the photo's ratio."""
    asked = submission(ratio=ratio)
    assert opened(make_picture(asked, 0)).size == (asked.width, asked.height)


def test_tables_of_ratios_agree() -> None:
    """Each resolution of v3 is one of the ratios of v2, to within a pixel."""
    assert set(RESOLUTIONS.values()) == set(RATIOS)
    for resolution, ratio in RESOLUTIONS.items():
        width, height = (int(side) for side in resolution.split("*"))
        across, down = RATIOS[ratio]
        assert abs(width * down - height * across) <= max(across, down)


def test_photo_is_cropped_around_its_middle() -> None:
    """What is in the middle of the photo is in the middle of the picture."""
    photo = Image.new("RGB", (600, 200), "black")
    photo.paste((255, 255, 255), (250, 50, 350, 150))
    data = io.BytesIO()
    photo.save(data, "PNG")
    asked = replace(submission("noir", data.getvalue(), "1:1"), width=200, height=200)
    picture = opened(make_picture(asked, 0)).convert("L").crop((0, 0, 200, 180))
    box = picture.point([255 * (v > 160) for v in range(256)]).getbbox()
    assert box is not None
    assert all(abs(a - b) <= 2 for a, b in zip(box, (50, 50, 150, 150), strict=True))


def test_photo_is_turned_upright() -> None:
    """The EXIF rotation of a photo is applied before anything else."""
    photo = Image.new("RGB", (200, 100), "black")
    ImageDraw.Draw(photo).rectangle((0, 0, 99, 99), fill="white")
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise: the left is the top
    data = io.BytesIO()
    photo.save(data, "JPEG", exif=exif)
    picture = opened(make_picture(submission("noir", data.getvalue(), "9:16"), 0)).convert("L")
    top, bottom = picture.crop((60, 60, 120, 100)), picture.crop((60, 220, 120, 260))
    assert ImageStat.Stat(top).mean[0] > ImageStat.Stat(bottom).mean[0] + 100


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1"])
def test_every_kind_of_image_is_taken(mode: str) -> None:
    """Transparent, grey and palette images are worked on like photos."""
    data = io.BytesIO()
    opened(SAMPLE).convert(mode).save(data, "PNG")
    picture = opened(make_picture(submission("snow", data.getvalue()), 0))
    assert picture.size == (80, 60)


def test_image_of_one_pixel_is_taken() -> None:
    """The smallest image there is gives a picture too, whatever the look."""
    data = io.BytesIO()
    Image.new("RGB", (1, 1), "teal").save(data, "PNG")
    for look in LOOKS:
        assert make_picture(submission(look.name, data.getvalue(), "16:9"), 3)


def test_picture_given_by_url_is_drawn() -> None:
    """A photo that is given by URL is never fetched: the sandbox's own stands for it."""
    asked = submission()
    by_url = replace(asked, photos=(Photo(url="https://example.com/a.jpg"),))
    assert correlation(opened(make_picture(by_url, 0)), opened(SAMPLE)) > 0.5


def test_sky_is_found_where_there_is_one() -> None:
    """The sky of the sample photo is found, its water and its meadow are not."""
    mask = sky(opened(SAMPLE))
    share = [ImageStat.Stat(mask.crop((0, y, 320, y + 20))).mean[0] / 255 for y in (20, 150, 210)]
    assert share[0] > 0.6
    assert share[1] < 0.05
    assert share[2] < 0.05


def test_no_sky_is_found_in_noise() -> None:
    """A photo without a horizon has no sky."""
    grain = Image.frombytes("L", (320, 240), random.Random(1).randbytes(320 * 240))
    assert ImageStat.Stat(sky(grain.convert("RGB"))).mean[0] < 60


def test_sample_is_the_same_each_time() -> None:
    """The sample photo has the size asked for and never changes."""
    assert draw_sample(320, 240) == SAMPLE
    assert opened(SAMPLE).size == (320, 240)
