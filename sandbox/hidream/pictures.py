"""A task's pictures: the photo, cropped to the ratio, with the look that the prompt asks for."""

import functools
import io
from typing import Final

from PIL import Image, ImageDraw, ImageFont, ImageOps

from sandbox.hidream.looks import apply_looks
from sandbox.hidream.wire import Photo, Submission
from sandbox.sample import draw_sample

_MARK: Final = "sandbox"


def make_picture(submission: Submission, index: int, *, scale: float = 1.0) -> bytes:
    """Make one image of a task and return it as JPEG; some seconds of work at most.

    `scale` is by how much of HiDream's own size each side is drawn. The same submission and index always give the same picture.
    """
    photo = _opened(submission.photos[0])
    size = (round(submission.width * scale), round(submission.height * scale))
    # The images of a task stand a little closer each, so that no two look alike.
    zoom = 1 - 0.03 * index
    cropped = _cropped(photo, size, zoom).resize(size, Image.Resampling.LANCZOS)
    picture = apply_looks(cropped, submission.prompt, submission.negative_prompt, index)
    _sign(picture)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90)
    return out.getvalue()


@functools.cache
def ready_made(width: int, height: int) -> bytes:
    """Give the one picture of this size that all tasks share where none is drawn for them."""
    return draw_sample(width, height)


@functools.cache
def _stand_in() -> bytes:
    return draw_sample(640, 480)


def _opened(photo: Photo) -> Image.Image:
    # A URL is never fetched; the sandbox's own photo stands for what would be there.
    with Image.open(io.BytesIO(photo.data or _stand_in())) as image:
        upright = ImageOps.exif_transpose(image)
    if upright.has_transparency_data:
        white = Image.new("RGBA", upright.size, "white")
        upright = Image.alpha_composite(white, upright.convert("RGBA"))
    return upright.convert("RGB")


def _cropped(photo: Image.Image, size: tuple[int, int], zoom: float) -> Image.Image:
    ratio = size[0] / size[1]
    width = min(photo.width, photo.height * ratio) * zoom
    height = width / ratio
    left, top = (photo.width - width) / 2, (photo.height - height) / 2
    box = (round(left), round(top), round(left + width), round(top + height))
    return photo.crop((*box[:2], max(box[0] + 1, box[2]), max(box[1] + 1, box[3])))


def _sign(picture: Image.Image) -> None:
    """Write a small mark into the lower right corner."""
    unit = min(picture.size)
    font = ImageFont.load_default(size=max(9.0, unit * 0.022))
    pad, margin = unit * 0.011, unit * 0.018
    left, top, right, bottom = font.getbbox(_MARK)
    width, height = right - left + 2.4 * pad, bottom - top + 2 * pad
    x, y = picture.width - margin - width, picture.height - margin - height
    draw = ImageDraw.Draw(picture, "RGBA")
    draw.rounded_rectangle((x, y, x + width, y + height), height / 2, fill=(18, 20, 28, 110))
    draw.text((x + 1.2 * pad - left, y + pad - top), _MARK, font=font, fill=(255, 255, 255, 215))
