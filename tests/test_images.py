"""Images: what comes is turned into a JPEG that HiDream takes, or refused for a stated reason."""

import asyncio
import io
import random
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from typing import Any

import pillow_heif
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageChops, ImageCms, ImageDraw, ImageFile

from bot import images
from bot.errors import ImageError
from bot.images import LONGEST_SIDE, Images, Photo
from bot.worker import MOST_ABANDONED, Busy
from tests.bombs import scan_bomb

RED, GREEN, BLUE, WHITE = (200, 30, 30), (30, 160, 60), (30, 50, 190), (255, 255, 255)
ALLOWED = ["JPEG", "PNG", "WebP", "HEIC", "AVIF", "GIF", "BMP"]


@pytest.fixture(name="worker", scope="module")
def _worker() -> Iterator[Images]:
    worker = Images(max_megapixels=6)
    yield worker
    worker.close()


def corners(width: int = 64, height: int = 48, mode: str = "RGB") -> Image.Image:
    """A white picture with a red top left quarter, a green top right, and a blue bottom left."""
    image = Image.new("RGB", (width, height), WHITE)
    draw = ImageDraw.Draw(image)
    x, y = width // 2, height // 2
    for box, colour in (
        ((0, 0, x - 1, y - 1), RED),
        ((x, 0, width, y - 1), GREEN),
        ((0, y, x - 1, height), BLUE),
    ):
        draw.rectangle(box, fill=colour)
    return image.convert(mode)


def encode(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    """The picture as a file."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def decode(photo: Photo) -> Image.Image:
    """The picture of a photo, after a check that the photo is what it says."""
    image = Image.open(io.BytesIO(photo.content))
    image.load()
    assert (image.format, image.size) == ("JPEG", (photo.width, photo.height))
    assert image.mode in {"RGB", "L"}
    assert not {"exif", "xmp", "icc_profile", "comment", "photoshop"} & set(image.info)
    return image


def near(image: Image.Image, at: tuple[float, float], colour: tuple[int, int, int]) -> bool:
    """Whether the picture has the colour at a place given in parts of its sides."""
    place = (int(image.width * at[0]), int(image.height * at[1]))
    found = image.convert("RGB").getpixel(place)
    assert isinstance(found, tuple)
    return all(abs(a - b) < 25 for a, b in zip(found, colour, strict=True))


def upright(image: Image.Image) -> bool:
    """Whether `corners` is seen as it was drawn."""
    places = {(0.25, 0.25): RED, (0.75, 0.25): GREEN, (0.25, 0.75): BLUE, (0.75, 0.75): WHITE}
    return all(near(image, place, colour) for place, colour in places.items())


async def refused(worker: Images, content: bytes) -> tuple[str, dict[str, object]]:
    """The id and data with which a file is refused."""
    with pytest.raises(ImageError) as caught:
        await worker.to_jpeg(content)
    return caught.value.say.id, dict(caught.value.say.data)


def exif_with(orientation: int) -> Image.Exif:
    """EXIF with an orientation, a place and a camera."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Model] = "SECRET CAMERA"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    return exif


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize(
    "options",
    [{}, {"progressive": True}, {"quality": 30}, {"icc_profile": SRGB}, {"restart_marker_rows": 1}],
    # not by value: a profile that was just made holds the time
    ids=["plain", "progressive", "low-quality", "srgb-profile", "restart-markers"],
)
@pytest.mark.parametrize("mode", ["RGB", "L"])
async def test_a_fine_jpeg_passes_byte_for_byte(
    worker: Images, mode: str, options: dict[str, Any]
) -> None:
    """A JPEG in RGB or grey without metadata is not touched."""
    content = encode(corners(mode=mode), **options)
    assert await worker.to_jpeg(content) == Photo(content=content, width=64, height=48)


@pytest.mark.parametrize("marker", [b"\xff\xe0", b"\xff\xee"])
async def test_what_hides_in_a_mark_is_left_behind(worker: Images, marker: bytes) -> None:
    """A mark that is longer than JFIF's or Adobe's holds something else, and does not go out."""
    content, hidden = encode(corners()), b"where I live" * 4000
    length = (len(hidden) + 2).to_bytes(2)
    padded = content[:2] + marker + length + hidden + content[2:]
    photo = await worker.to_jpeg(padded)
    assert b"where I live" not in photo.content
    assert upright(decode(photo))


async def test_a_profile_in_countless_parts_is_no_profile(worker: Images) -> None:
    """More parts than can be numbered are not gathered: the picture is written anew."""
    part = b"ICC_PROFILE\0\1\1" + b"x" * 20
    parts = (b"\xff\xe2" + (len(part) + 2).to_bytes(2) + part) * 1000
    content = encode(corners())
    photo = await worker.to_jpeg(content[:2] + parts + content[2:])
    assert len(photo.content) < len(content) + 1000


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "HEIF", "AVIF", "GIF", "BMP"])
async def test_each_format_becomes_a_jpeg(worker: Images, kind: str) -> None:
    """Every format that is read comes out as a JPEG with the same picture."""
    photo = await worker.to_jpeg(encode(corners(), kind))
    assert (photo.width, photo.height) == (64, 48)
    assert upright(decode(photo))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_rotation_is_applied_and_metadata_dropped(
    worker: Images, kind: str, orientation: int
) -> None:
    """A picture stored turned or mirrored comes out as it is seen, and says no place or camera."""
    # Transposing by the opposite of what the orientation asks gives the picture as stored.
    undo = {**images._TURNS, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    stored = corners().transpose(undo[orientation]) if orientation > 1 else corners()
    photo = await worker.to_jpeg(encode(stored, kind, exif=exif_with(orientation)))
    assert (photo.width, photo.height) == (64, 48)
    assert upright(decode(photo))
    assert b"SECRET" not in photo.content


async def test_a_turned_heic_is_turned_once(worker: Images) -> None:
    """A HEIC's own rotation is applied by its reader, and not a second time by its EXIF."""
    stored = corners().transpose(Image.Transpose.ROTATE_90)
    photo = await worker.to_jpeg(encode(stored, "HEIF", exif=exif_with(6).tobytes()))
    assert (photo.width, photo.height) == (64, 48)
    assert upright(decode(photo))


@pytest.mark.parametrize(
    "options",
    [
        {"exif": exif_with(1)},
        {"comment": b"SECRET"},
        {"xmp": b"<x:xmpmeta>SECRET</x:xmpmeta>"},
    ],
    ids=["exif", "comment", "xmp"],
)
async def test_a_jpegs_metadata_is_dropped(worker: Images, options: dict[str, Any]) -> None:
    """A JPEG that carries more than its picture is written anew without it."""
    photo = await worker.to_jpeg(encode(corners(), **options))
    assert upright(decode(photo))
    assert b"SECRET" not in photo.content


async def test_what_hangs_behind_a_jpeg_is_dropped(worker: Images) -> None:
    """A film that a phone hung on its photo doesn't travel along."""
    photo = await worker.to_jpeg(encode(corners()) + b"SECRET film")
    assert upright(decode(photo))
    assert b"SECRET" not in photo.content


async def test_a_segment_of_other_use_makes_a_jpeg_be_written_anew(worker: Images) -> None:
    """APP2 that is no colour profile, and a last profile that isn't sRGB, are not passed on."""
    content = encode(corners())
    segment = b"\xff\xe2" + struct.pack(">H", 2 + 6) + b"SECRET"
    photo = await worker.to_jpeg(content[:2] + segment + content[2:])
    assert upright(decode(photo))
    assert b"SECRET" not in photo.content


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((2048, 1536), (2048, 1536)),
        ((2049, 1024), (2048, 1024)),
        ((1000, 2500), (819, 2048)),
        ((2400, 2400), (2048, 2048)),
        ((5000, 1000), (2048, 410)),
        ((30_000, 1), (2048, 1)),
        ((1, 30_000), (1, 2048)),
        ((1, 1), (1, 1)),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
async def test_the_longer_side_is_at_most_2048(
    worker: Images, kind: str, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    """Larger pictures are made smaller in their own ratio, smaller ones never larger."""
    content = encode(Image.new("RGB", size, GREEN), kind)
    photo = await worker.to_jpeg(content)
    assert (photo.width, photo.height) == expected
    assert near(decode(photo), (0.5, 0.5), GREEN)


async def test_a_large_turned_jpeg_is_shrunk_and_upright(monkeypatch: pytest.MonkeyPatch) -> None:
    """A phone's photo, large and on its side, is decoded at half size, and comes out upright."""
    decoded: list[tuple[int, int]] = []
    shrunk = images._shrunk

    def watched(image: Image.Image, size: tuple[int, int]) -> Image.Image:
        decoded.append(image.size)
        return shrunk(image, size)

    monkeypatch.setattr(images, "_shrunk", watched)
    worker = Images(max_megapixels=40)
    stored = corners(4800, 6400).transpose(Image.Transpose.ROTATE_90)
    photo = await worker.to_jpeg(encode(stored, exif=exif_with(6)))
    worker.close()
    assert decoded == [(3200, 2400)]
    assert (photo.width, photo.height) == (1536, LONGEST_SIDE)
    assert upright(decode(photo))


def grainy(mode: str, size: tuple[int, int]) -> Image.Image:
    """Grain in every channel, the transparency too: any shift of a row would show."""
    if mode == "I;16":
        return Image.frombytes(mode, size, random.Random(1).randbytes(2 * size[0] * size[1]))
    channels = Image.getmodebands(mode)
    return Image.merge(mode, [Image.effect_noise(size, 90) for _ in range(channels)])


@pytest.mark.parametrize("size", [(2501, 1999), (1801, 2777), (2049, 3), (3, 2500), (20_000, 90)])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "CMYK", "LA", "I;16"])
def test_strips_leave_no_trace(
    monkeypatch: pytest.MonkeyPatch, mode: str, size: tuple[int, int]
) -> None:
    """A picture that is made smaller in strips is the one that is made smaller as a whole."""
    monkeypatch.setattr(images, "_STRIP_PIXELS", 100_000)
    image, smaller = grainy(mode, size), images._fit(size)
    whole = images._in_eight_bits(image).resize(smaller, Image.Resampling.LANCZOS)
    strips = images._shrunk(image, smaller)
    assert (strips.mode, strips.size) == (whole.mode, whole.size)
    if whole.mode == "RGBA":  # what counts is how it looks: a colour nobody sees may be any
        whole, strips = images._on_white(whole), images._on_white(strips)
    differences = ImageChops.difference(whole, strips).histogram()
    # the filter's weights are rounded: here and there a value is the next one, or the next but one
    assert not any(differences[n] for n in range(len(differences)) if n % 256 > 2)
    assert sum(differences[n] for n in range(len(differences)) if n % 256) < sum(differences) / 1000


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "I;16", "P"])
async def test_a_large_picture_is_held_at_its_size_once(
    worker: Images, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """Whatever has to be done to a large picture's pixels is done to a part of them at a time."""
    sizes: list[int] = []
    in_eight_bits = images._in_eight_bits

    def watched(image: Image.Image) -> Image.Image:
        sizes.append(image.width * image.height)
        return in_eight_bits(image)

    monkeypatch.setattr(images, "_in_eight_bits", watched)
    await worker.to_jpeg(encode(Image.new(mode, (3000, 1999)), "PNG"))
    assert len(sizes) > 1
    assert max(sizes) < 1.5 * images._STRIP_PIXELS < 3000 * 1999 / 3


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "HEIF", "AVIF"])
async def test_transparency_is_white(worker: Images, kind: str) -> None:
    """What is transparent comes out white, whatever colour was hidden there."""
    half = corners(mode="RGBA")
    half.paste((0, 0, 0, 0), (0, 0, 32, 48))
    image = decode(await worker.to_jpeg(encode(half, kind)))
    assert near(image, (0.25, 0.25), WHITE)
    assert near(image, (0.75, 0.25), GREEN)


async def test_large_transparent_pictures_are_shrunk(worker: Images) -> None:
    """Shrinking doesn't bring back the colour under what is transparent."""
    photo = await worker.to_jpeg(encode(Image.new("RGBA", (2500, 100), (0, 0, 0, 0)), "PNG"))
    assert (photo.width, photo.height) == (2048, 82)
    assert near(decode(photo), (0.5, 0.5), WHITE)


def _palette(transparent: int | None) -> bytes:
    image = Image.new("P", (64, 48), 1)
    image.putpalette([*WHITE, *RED, *BLUE])
    image.paste(2, (0, 0, 32, 48))
    return encode(image, "GIF") if transparent is None else encode(image, "PNG", transparency=2)


async def test_palettes_are_resolved(worker: Images) -> None:
    """Pictures with a palette have their colours, with a transparent one white."""
    image = decode(await worker.to_jpeg(_palette(None)))
    assert near(image, (0.25, 0.5), BLUE)
    assert near(image, (0.75, 0.5), RED)
    image = decode(await worker.to_jpeg(_palette(2)))
    assert near(image, (0.25, 0.5), WHITE)
    assert near(image, (0.75, 0.5), RED)


@pytest.mark.parametrize(("mode", "kind"), [("LA", "PNG"), ("1", "PNG"), ("1", "BMP")])
async def test_grey_and_bilevel_pictures_keep_their_look(
    worker: Images, mode: str, kind: str
) -> None:
    """Grey with alpha, and black and white, come out grey."""
    image = decode(await worker.to_jpeg(encode(Image.new("L", (9, 9), 255).convert(mode), kind)))
    assert near(image, (0.5, 0.5), WHITE)


@pytest.mark.parametrize("kind", ["PNG", "HEIF"])
async def test_sixteen_bits_are_scaled_not_cut(worker: Images, kind: str) -> None:
    """A 16-bit grey of half brightness is half bright, not white."""
    image = decode(await worker.to_jpeg(encode(Image.new("I;16", (64, 48), 0x8000), kind)))
    assert image.mode == "L"
    assert near(image, (0.5, 0.5), (128, 128, 128))


async def test_cmyk_becomes_rgb(worker: Images) -> None:
    """A print shop's CMYK JPEG comes out in RGB."""
    assert upright(decode(await worker.to_jpeg(encode(corners(mode="CMYK")))))


def swapped_profile() -> bytes:
    """An RGB profile that is plainly not sRGB: sRGB with the red and the green tags exchanged."""
    tags = bytearray(SRGB)
    count = struct.unpack_from(">I", tags, 128)[0]
    for number in range(count):
        at = 132 + 12 * number
        swap = {b"rXYZ": b"gXYZ", b"gXYZ": b"rXYZ"}
        name = bytes(tags[at : at + 4])
        tags[at : at + 4] = swap.get(name, name)
    # Its name must not say sRGB either: that is how one is known.
    return bytes(tags).replace("sRGB".encode("utf-16-be"), "odd!".encode("utf-16-be"))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_colours_are_converted_to_srgb(worker: Images, kind: str) -> None:
    """A picture in another colour space comes out with its colours, and without its profile."""
    content = encode(corners(), kind, icc_profile=swapped_profile())
    image = decode(await worker.to_jpeg(content))
    assert not near(image, (0.25, 0.25), RED)
    assert near(image, (0.75, 0.75), WHITE)
    red = image.getpixel((16, 12))
    assert isinstance(red, tuple)
    assert red[1] > red[0] + 60


@pytest.mark.parametrize(
    "profile", [b"nonsense", SRGB[:200], b"\0" * 500], ids=["nonsense", "cut", "zeros"]
)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
async def test_a_broken_profile_is_not_heeded(worker: Images, profile: bytes, mode: str) -> None:
    """A picture whose colour profile can't be read is taken as sRGB."""
    image = decode(await worker.to_jpeg(encode(corners(mode=mode), icc_profile=profile)))
    assert near(image, (0.75, 0.75), WHITE)
    assert mode == "L" or upright(image)


async def test_a_profile_for_another_mode_is_not_heeded(worker: Images) -> None:
    """A grey picture with a profile for RGB stays grey as it is."""
    image = decode(await worker.to_jpeg(encode(corners(mode="L"), icc_profile=swapped_profile())))
    assert near(image, (0.75, 0.75), WHITE)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF:UserWarning")
@pytest.mark.parametrize("broken", [b"II*\0" + b"\xff" * 40, b"nonsense", b"II*\0\x08\0\0\0\x01"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_broken_exif_is_no_reason_to_refuse(worker: Images, kind: str, broken: bytes) -> None:
    """A good picture with broken EXIF is taken as it is stored."""
    content = encode(corners(), kind, exif=b"Exif\0\0" + broken)
    assert upright(decode(await worker.to_jpeg(content)))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"%PDF-1.7",
        b"\0" * 100,
        b"<svg/>",
        b"\0\0\0\x18ftypisom",
        b"RIFF\0\0\0\0WAVE",
    ],
    ids=repr,
)
async def test_no_image(worker: Images, content: bytes) -> None:
    """A file that doesn't begin like a known image is refused with what is taken."""
    assert await refused(worker, content) == ("image-unknown", {"allowed": ALLOWED})


async def test_other_image_formats_are_refused_as_such(worker: Images) -> None:
    """A TIFF is refused by its beginning, though Pillow could read it."""
    assert (await refused(worker, encode(corners(), "TIFF")))[0] == "image-unknown"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF", "GIF", "BMP"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
async def test_truncated_images_are_broken(worker: Images, kind: str, part: float) -> None:
    """A file that was cut off is refused as broken, not filled up with grey."""
    noise = Image.frombytes("RGB", (64, 48), random.Random(1).randbytes(64 * 48 * 3))
    content = encode(noise, kind)
    assert await refused(worker, content[: int(len(content) * part)]) == ("image-broken", {})


@pytest.mark.parametrize(
    ("size", "said"), [((3000, 2001), 6.1), ((60_000, 60_000), 3600.0), ((2500, 2500), 6.3)]
)
async def test_too_many_pixels_are_refused_before_decoding(
    worker: Images, size: tuple[int, int], said: float
) -> None:
    """The header's size is enough to refuse, with both numbers; there are no pixels here at all."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0))
    content = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"")
    expected = ("image-too-large", {"megapixels": said, "allowed": 6})
    assert await refused(worker, content) == expected


async def test_a_webp_above_pillows_own_limit_is_refused_with_both_numbers(worker: Images) -> None:
    """Pillow's limit, which its WebP reader keeps by itself, gives the same refusal as ours."""
    content = bytearray(encode(corners(), "WEBP", exif=exif_with(1)))
    assert content[12:16] == b"VP8X"
    content[24:30] = (16_000 - 1).to_bytes(3, "little") * 2
    expected = ("image-too-large", {"megapixels": 256.0, "allowed": 6})
    assert await refused(worker, bytes(content)) == expected


async def test_the_limit_itself_is_allowed(worker: Images) -> None:
    """Exactly as many pixels as allowed are taken."""
    photo = await worker.to_jpeg(encode(Image.new("L", (3000, 2000)), "PNG"))
    assert (photo.width, photo.height) == (2048, 1365)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
async def test_animations_are_refused(worker: Images, kind: str) -> None:
    """A moving picture is refused as such."""
    frames = [corners(), corners().transpose(Image.Transpose.ROTATE_180)]
    content = encode(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
    assert await refused(worker, content) == ("image-animated", {})


@pytest.mark.parametrize("kind", ["MPO", "HEIF"])
async def test_of_several_takes_the_main_one_is_taken(worker: Images, kind: str) -> None:
    """A camera's file with more than one picture gives the first, alone."""
    other = Image.new("RGB", (640, 480), BLUE)
    content = encode(corners(), kind, save_all=True, append_images=[other])
    photo = await worker.to_jpeg(content)
    assert (photo.width, photo.height) == (64, 48)
    assert upright(decode(photo))


async def test_the_loop_runs_on_while_one_image_at_a_time_is_decoded(
    worker: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several images at once are decoded one by one, in threads that aren't the loop's."""
    seen: list[tuple[str, str]] = []
    convert = images._convert

    def watched(*args: object) -> Photo:
        seen.append(("in", threading.current_thread().name))
        photo = convert(*args)  # type: ignore[arg-type]  # passed on as they came
        seen.append(("out", threading.current_thread().name))
        return photo

    monkeypatch.setattr(images, "_convert", watched)
    content = encode(corners(), "PNG")
    await asyncio.gather(*(worker.to_jpeg(content) for _ in range(4)))
    assert [what for what, _ in seen] == ["in", "out"] * 4
    assert {who for _, who in seen} == {"images"}


async def test_a_closed_worker_takes_no_more() -> None:
    """After close, an image is a programming error, and closing again does no harm."""
    worker = Images(max_megapixels=1)
    worker.close()
    worker.close()
    with pytest.raises(RuntimeError, match="closed"):
        await worker.to_jpeg(b"")


async def test_a_jpeg_of_thousands_of_scans_is_broken(worker: Images) -> None:
    """A small file that would take minutes is refused at once; many scans that cost little are not."""
    began = time.monotonic()
    assert await refused(Images(max_megapixels=40), scan_bomb()) == ("image-broken", {})
    assert time.monotonic() - began < 3
    assert (await worker.to_jpeg(scan_bomb(90, 64))).width == 64
    with_preview = encode(corners(), exif=exif_with(1), comment=b"\xff\xda" * 500)
    assert upright(decode(await worker.to_jpeg(with_preview)))


async def test_a_decoder_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever keeps a decoder busy, its image is broken after some time, and the next one is served."""
    go_on = threading.Event()

    def slow(*_: object) -> ImageFile.ImageFile:
        go_on.wait()
        raise OSError

    worker = Images(max_megapixels=1, seconds=0.2)
    _, accepts = Image.OPEN["BMP"]
    monkeypatch.setitem(Image.OPEN, "BMP", (slow, accepts))
    try:
        for _ in range(MOST_ABANDONED):
            assert upright(decode(await worker.to_jpeg(encode(corners(), "PNG"))))
            assert await refused(worker, encode(corners(), "BMP")) == ("image-broken", {})
        with pytest.raises(Busy):
            await worker.to_jpeg(encode(corners(), "PNG"))
    finally:
        go_on.set()


def samples() -> dict[str, bytes]:
    """A small real file of each kind, with metadata where the kind has it."""
    pillow_heif.register_heif_opener()
    image = corners(24, 16)
    kept: dict[str, Any] = {"exif": exif_with(6), "icc_profile": swapped_profile()}
    movie: dict[str, Any] = {"save_all": True, "append_images": [corners(24, 16).rotate(180)]}
    return {
        "JPEG": encode(image),
        "JPEG-progressive": encode(image, progressive=True, **kept),
        "MPO": encode(image, "MPO", **movie),
        "PNG": encode(image.convert("RGBA"), "PNG", **kept),
        "PNG-palette": encode(image.convert("P"), "PNG"),
        "PNG-16": encode(Image.new("I;16", (9, 9)), "PNG"),
        "APNG": encode(image, "PNG", **movie),
        "WEBP": encode(image, "WEBP", **kept),
        "HEIF": encode(image, "HEIF"),
        "AVIF": encode(image, "AVIF", speed=10),
        "GIF": encode(image, "GIF", **movie),
        "BMP": encode(image, "BMP"),
    }


SAMPLES = samples()


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow warns of some broken metadata
@pytest.mark.parametrize("kind", SAMPLES)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_bytes_give_a_photo_or_an_image_error(kind: str, data: st.DataObject) -> None:
    """Files with bytes changed, cut out, cut off or put in give a photo or the image error only."""
    content = bytearray(SAMPLES[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        # The structure is at the beginning; the middle of the data is the least interesting.
        near_start = data.draw(st.booleans())
        last = min(len(content), 64) if near_start else len(content)
        at = data.draw(st.integers(0, last))
        removed = data.draw(st.sampled_from([0, 1, 1, 1, 2, 4, 10**6]))
        content[at : at + removed] = data.draw(st.binary(max_size=max(1, min(removed, 4))))
    try:
        photo = images._to_jpeg(bytes(content), 1)
    except ImageError:
        return
    assert photo.content.startswith(b"\xff\xd8")
    assert 1 <= max(photo.width, photo.height) <= LONGEST_SIDE


@given(st.binary(max_size=300), st.sampled_from([content[:12] for content in SAMPLES.values()]))
def test_any_bytes_behind_a_true_beginning_are_an_image_error(rest: bytes, start: bytes) -> None:
    """Nonsense after an image's first bytes is the image error, whatever the decoder makes of it."""
    with pytest.raises(ImageError):
        images._to_jpeg(start + rest, 1)
