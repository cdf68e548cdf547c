"""Bytes that are an image, proved by decoding all of it. Blocking: to be called in a worker."""

import io
from dataclasses import dataclass
from typing import Final

from PIL import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from bot.hidream.errors import DownloadReason, DownloadRefused
from bot.jpegs import has_too_many_scans


@dataclass(frozen=True, kw_only=True, slots=True)
class DownloadedImage:
    """A finished image: its bytes as they came, what they are, and its size in pixels."""

    content: bytes
    media_type: str
    width: int
    height: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Format:
    """One format that is taken: how its bytes begin, and who decodes them."""

    media_type: str
    begins: bytes
    at_eight: bytes
    decoder: type[ImageFile.ImageFile]


# The decoders are called directly: `Image.open` would try others, and checks a size limit of its
# own, which is one for the whole process.
FORMATS: Final[tuple[Format, ...]] = (
    Format(media_type="image/jpeg", begins=b"\xff\xd8\xff", at_eight=b"", decoder=JpegImageFile),
    Format(media_type="image/png", begins=b"\x89PNG\r\n\x1a\n", at_eight=b"", decoder=PngImageFile),
    Format(media_type="image/webp", begins=b"RIFF", at_eight=b"WEBP", decoder=WebPImageFile),
)


def decode(content: bytes, max_pixels: int) -> DownloadedImage:
    """Decode an image fully.

    Raises:
        DownloadRefused: it is none, is broken or animated, or has more than `max_pixels`.
    """
    for form in FORMATS:
        if content.startswith(form.begins) and content[8:].startswith(form.at_eight):
            if form.decoder is JpegImageFile and has_too_many_scans(content):
                raise DownloadRefused("too many scans", reason=DownloadReason.NOT_AN_IMAGE)
            return _decode(content, form, max_pixels)
    raise DownloadRefused("neither JPEG, PNG nor WebP", reason=DownloadReason.NOT_AN_IMAGE)


def _decode(content: bytes, form: Format, max_pixels: int) -> DownloadedImage:
    try:
        with form.decoder(io.BytesIO(content)) as image:
            width, height = image.size
            _require_fit(image, max_pixels)
            image.load()
    except DownloadRefused:
        raise
    except Exception as error:
        # Decoders raise nearly anything on bytes made to break them, struct.error and SyntaxError
        # among it, and whatever it is, this is no image.
        raise DownloadRefused(
            f"broken: {type(error).__name__}", reason=DownloadReason.NOT_AN_IMAGE
        ) from error
    return DownloadedImage(content=content, media_type=form.media_type, width=width, height=height)


def _require_fit(image: ImageFile.ImageFile, max_pixels: int) -> None:
    width, height = image.size
    if width * height > max_pixels:
        raise DownloadRefused(f"{width} by {height} pixels", reason=DownloadReason.TOO_MANY_PIXELS)
    if getattr(image, "n_frames", 1) > 1:
        raise DownloadRefused("animated", reason=DownloadReason.NOT_AN_IMAGE)
