"""Images: whatever image file came, as a JPEG that HiDream takes.

Nothing of a photo leaves here but its picture: no place, no time, no camera (EXIF, XMP, comments).
Decoding runs in a worker thread, so that the bot goes on answering, one image at a time, and only so
long: some decoders can be kept busy for hours by a small file.
"""

import io
import math
import re
from dataclasses import dataclass
from functools import partial

import pillow_heif
from PIL import ExifTags, Image, ImageCms, ImageFile

from bot.errors import ImageError
from bot.jpegs import has_too_many_scans
from bot.worker import SECONDS, TookTooLong, Worker

LONGEST_SIDE = 2048
"""Pixels; HiDream's largest own pictures are that long (docs/hidream-api.md section 1)."""
QUALITY = 92
_LARGEST_AS_IT_IS = 4 * 2**20
"""Bytes: a JPEG of this size that is larger is written anew, as every copy of it costs memory."""

_STRIP_PIXELS = 1_000_000
"""Large images are made smaller in strips of so many of their pixels, 4 MB at most."""
_LEAST_ROWS = 8
"""Of the smaller picture; in fewer, the strips would overlap by more than they hold."""

# Pillow's names of what is read, with what people call it. MPO is a camera's JPEG with a second one
# behind it. Others that Pillow knows (TIFF, PSD, EPS, …) are left out: more ways in than use.
FORMATS = {
    "JPEG": "JPEG",
    "PNG": "PNG",
    "WEBP": "WebP",
    "HEIF": "HEIC",
    "AVIF": "AVIF",
    "GIF": "GIF",
    "BMP": "BMP",
}
_JPEGS = frozenset({"JPEG", "MPO"})
# Here several frames mean motion. In MPO and HEIF they are other takes beside the main picture.
_CAN_MOVE = frozenset({"PNG", "WEBP", "AVIF", "GIF"})

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# ITU-T T.81, annex B: JFIF, Adobe, tables, restart interval; baseline, extended, progressive frame.
_PLAIN_SEGMENTS = frozenset(
    bytes((0xFF, code)) for code in (0xE0, 0xEE, 0xDB, 0xC4, 0xDD, 0xC0, 0xC1, 0xC2)
)
# JFIF and Adobe: a mark of a few bytes. Longer, it holds something else.
_MARKS = frozenset({b"\xff\xe0", b"\xff\xee"})
_LONGEST_MARK = 32
_MOST_PROFILE_PARTS = 255
"""An ICC profile's parts are numbered in a byte."""
_ICC_SEGMENT = b"\xff\xe2"
_START_OF_SCAN = b"\xff\xda"
_END = b"\xff\xd9"


@dataclass(frozen=True, kw_only=True, slots=True)
class Photo:
    """A JPEG that HiDream takes, and its size in pixels as it is seen."""

    content: bytes
    width: int
    height: int


class Images:
    """Makes images fit for HiDream.

    Args:
        max_megapixels: the largest image taken, counted before decoding.
        seconds: how long one image may take.
    """

    def __init__(self, *, max_megapixels: float, seconds: float = SECONDS) -> None:
        self._max_megapixels = max_megapixels
        Image.init()
        pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
        self._worker = Worker("images", seconds=seconds)

    async def to_jpeg(self, content: bytes) -> Photo:
        """The image as a JPEG, upright, in sRGB, at most `LONGEST_SIDE` long, without metadata.

        A JPEG that is all that already comes back byte for byte.

        Raises:
            ImageError: `image-unknown`, `image-broken`, `image-animated` or `image-too-large`.
            bot.worker.Busy: too many images that took too long are still at work; later it may go.
        """
        try:
            return await self._worker.do(partial(_to_jpeg, content, self._max_megapixels))
        except TookTooLong as error:
            raise ImageError("image-broken") from error

    def close(self) -> None:
        """Take no more work; what is being decoded ends by itself, or with the process."""
        self._worker.close()


def _to_jpeg(content: bytes, max_megapixels: float) -> Photo:
    try:
        with _open(content, max_megapixels) as image:
            return _convert(image, content, max_megapixels)
    except ImageError:
        raise
    except Exception as error:
        # Decoders meet broken bytes with OSError, SyntaxError, struct.error, ValueError,
        # RuntimeError, MemoryError, zlib.error and others, none of it promised anywhere. For the
        # user all are one: this file can't be read. The cause is kept for the log.
        raise ImageError("image-broken") from error


def _open(content: bytes, max_megapixels: float) -> ImageFile.ImageFile:
    """The image, its header read, nothing decoded.

    Not by `Image.open`: it would not say whether the file at least began like an image, and above a
    limit that is global to the process it would fail before the size is known.
    """
    for name in FORMATS:
        factory, accepts = Image.OPEN[name]
        if accepts is not None and accepts(content[:16]) is True:
            break
    else:
        raise ImageError("image-unknown", allowed=list(FORMATS.values()))
    if name in _JPEGS and has_too_many_scans(content):
        raise ImageError("image-broken")
    try:
        return factory(io.BytesIO(content), "")
    except Image.DecompressionBombError as error:
        # The WebP reader has Pillow's global limit built in, and says the size in words only.
        pixels = re.findall(r"\d+", str(error))[0]
        raise _too_large(int(pixels), max_megapixels) from error


def _too_large(pixels: int, max_megapixels: float) -> ImageError:
    # Rounded up, lest a picture just above the limit be called as large as the limit.
    return ImageError(
        "image-too-large", megapixels=math.ceil(pixels / 100_000) / 10, allowed=max_megapixels
    )


def _convert(image: ImageFile.ImageFile, content: bytes, max_megapixels: float) -> Photo:
    if image.width * image.height > max_megapixels * 1_000_000:
        raise _too_large(image.width * image.height, max_megapixels)
    if image.format in _CAN_MOVE and getattr(image, "is_animated", False):
        raise ImageError("image-animated")
    shrink = max(image.size) > LONGEST_SIDE
    if shrink and image.format in _JPEGS:
        # Decoded at a half, a quarter or an eighth: the least that is still enough.
        image.draft(None, _fit(image.size))
    image.load()
    profile = image.info.get("icc_profile") or b""
    as_it_is = image.format == "JPEG" and not shrink and image.mode in {"L", "RGB"}
    if as_it_is and len(content) <= _LARGEST_AS_IT_IS and _is_plain(content):
        return Photo(content=content, width=image.width, height=image.height)
    turn = _turn(image)
    if max(image.size) > LONGEST_SIDE:
        picture = _shrunk(image, _fit(image.size))
        image.close()  # and with it all its pixels
    else:
        picture = _in_eight_bits(image)
    if picture.mode == "RGBA":
        picture = _on_white(picture)
    picture = _in_srgb(picture, profile)
    if turn is not None:
        picture = picture.transpose(turn)
    picture.info = {}  # from here Pillow would write the old comment into the new file
    encoded = io.BytesIO()
    picture.save(encoded, "JPEG", quality=QUALITY)
    return Photo(content=encoded.getvalue(), width=picture.width, height=picture.height)


def _fit(size: tuple[int, int]) -> tuple[int, int]:
    """The size at which the longer side is `LONGEST_SIDE`, and the shorter at least one pixel."""
    scale = LONGEST_SIDE / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _shrunk(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture at a smaller size, as `_in_eight_bits` gives it.

    Strip by strip: what is made on the way, some of it as large as the image, is made of a strip only.
    """
    rows = max(_LEAST_ROWS, int(_STRIP_PIXELS / image.width * size[1] / image.height))
    first, *others = range(0, size[1], rows)
    strip = _strip(image, size, first, first + rows)
    if not others:
        return strip
    shrunk = Image.new(strip.mode, size)
    shrunk.paste(strip, (0, first))
    for top in others:
        shrunk.paste(_strip(image, size, top, top + rows), (0, top))
    return shrunk


def _strip(image: Image.Image, size: tuple[int, int], top: int, bottom: int) -> Image.Image:
    """Some rows of the picture at that smaller size, the same as if all of it had been made smaller."""
    bottom = min(bottom, size[1])
    scale = image.height / size[1]
    # The filter looks at three pixels of the smaller picture to either side.
    reach = math.ceil(3 * max(1.0, scale)) + 1
    first = max(0, math.floor(top * scale) - reach)
    last = min(image.height, math.ceil(bottom * scale) + reach)
    whole = (first, last) == (0, image.height)
    part = _in_eight_bits(image if whole else image.crop((0, first, image.width, last)))
    box = (0, top * scale - first, part.width, min(bottom * scale - first, part.height))
    return part.resize((size[0], bottom - top), Image.Resampling.LANCZOS, box=box)


def _turn(image: Image.Image) -> Image.Transpose | None:
    """What puts the picture upright, by its EXIF."""
    try:
        return _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:
        # As with decoders; but broken metadata is no reason to refuse a good picture.
        return None


def _in_eight_bits(image: Image.Image) -> Image.Image:
    """The picture as L, RGB, RGBA or CMYK; RGBA only if it has transparency."""
    if image.mode.startswith("I;16"):
        # Pillow's own conversion cuts off what is above 255 and leaves white.
        return image.point(lambda value: value * (1 / 256)).convert("L")
    if image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode in {"L", "RGB", "CMYK"}:
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _on_white(picture: Image.Image) -> Image.Image:
    white = Image.new("RGB", picture.size, "white")
    white.paste(picture, mask=picture)
    return white


def _in_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """The picture as L or RGB, its colours in sRGB."""
    if profile and not _is_srgb(profile):
        try:
            converted = ImageCms.profileToProfile(
                picture,
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                outputMode="RGB",
            )
        except (ImageCms.PyCMSError, OSError):
            # A profile that is broken, or for another kind of picture: nobody else heeds it either.
            converted = None
        if converted is not None:
            return converted
    return picture if picture.mode == "L" else picture.convert("RGB")


def _is_srgb(profile: bytes) -> bool:
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.getProfileDescription(opened).startswith("sRGB")
    except (ImageCms.PyCMSError, OSError):
        return False


def _is_plain(jpeg: bytes) -> bool:
    """Whether a JPEG is baseline or progressive, and holds nothing but its picture.

    Only JFIF, Adobe's colour mark and an sRGB profile may stand beside it: no EXIF, XMP, IPTC, no
    comments, and nothing behind its end (some phones put a film there).
    """
    position, profile = 2, list[bytes]()
    while (marker := jpeg[position : position + 2]) != _START_OF_SCAN:
        length = int.from_bytes(jpeg[position + 2 : position + 4])
        data = jpeg[position + 4 : position + 2 + length]
        if marker == _ICC_SEGMENT and data.startswith(b"ICC_PROFILE\0"):
            profile.append(data[14:])
        elif marker not in _PLAIN_SEGMENTS or (marker in _MARKS and length > _LONGEST_MARK):
            return False
        if len(profile) > _MOST_PROFILE_PARTS:
            return False
        position += 2 + length
    # A 0xFF of the picture's own is followed by 0: the first end mark is the end.
    return jpeg.find(_END, position) == len(jpeg) - len(_END) and (
        not profile or _is_srgb(b"".join(profile))
    )
