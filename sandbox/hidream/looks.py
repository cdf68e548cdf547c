"""The looks, and which of them the words of a prompt choose."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageEnhance

from sandbox.hidream import handmade, prints, seasons, weather
from sandbox.hidream.content import words_of

Paint = Callable[[Image.Image, random.Random], Image.Image]
"""Makes a picture anew."""

ScenePaint = Callable[[Image.Image, Image.Image, random.Random], Image.Image]
"""The same, with the untouched photo beside the picture, to see what is where."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """A look, and the words that ask for it."""

    name: str
    words: frozenset[str]
    paint: ScenePaint


def _scene(name: str, paint: ScenePaint, words: str) -> Look:
    return Look(name=name, words=frozenset({name, *words.split()}), paint=paint)


def _look(name: str, paint: Paint, words: str) -> Look:
    return _scene(name, lambda picture, _photo, rng: paint(picture, rng), words)


LOOKS: Final[Sequence[Look]] = (
    # Seasons and hours come first: "a watercolor of snow at night" is snowed on before it is
    # painted.
    _look("autumn", seasons.autumn, "fall autumnal october"),
    _look("spring", seasons.spring, "blossom blossoms sakura cherry"),
    _scene("snow", seasons.snow, "snows snowy snowing snowfall snowed winter wintry blizzard"),
    _scene("rain", weather.rain, "rains rainy raining storm stormy downpour"),
    _look("fog", weather.fog, "foggy mist misty haze hazy"),
    _scene("sunset", weather.sunset, "dusk sundown sunrise dawn evening"),
    _scene("night", weather.night, "nights nighttime midnight moon moonlight moonlit starry stars"),
    _look("oil", handmade.oil, "painting painted painterly impressionist monet gogh canvas"),
    _look("watercolor", handmade.watercolor, "watercolour watercolors watercolours aquarelle"),
    _look("comic", handmade.comic, "comics cartoon manga anime toon"),
    _look("mosaic", prints.mosaic, "stained-glass stained glass"),
    _look("pop", prints.pop, "pop-art warhol poster"),
    _look("neon", prints.neon, "cyberpunk glowing synthwave vaporwave"),
    _look("pixel", prints.pixel, "pixels pixelated pixel-art 8-bit 8bit retro"),
    _look("sketch", handmade.sketch, "sketched pencil drawing drawn charcoal"),
    _look("noir", prints.noir, "monochrome black-and-white bw"),
    _look("sepia", prints.sepia, "vintage antique old-fashioned nostalgic"),
)

FREE: Final = _look("free", prints.fancy, "")
"""The look of a prompt that names none: it follows the prompt's hash."""

_MOST = 2  # looks at once: more than two and nothing of the photo is left


def choose_looks(prompt: str, negative_prompt: str = "") -> list[Look]:
    """Choose the looks that a prompt names and its negative prompt does not, in painting order."""
    wanted, unwanted = set(words_of(prompt)), set(words_of(negative_prompt))
    named = [look for look in LOOKS if look.words & wanted and not look.words & unwanted]
    return named[:_MOST] or [FREE]


def apply_looks(
    image: Image.Image, prompt: str, negative_prompt: str, index: int = 0
) -> Image.Image:
    """Give a photo the look that the words ask for; each index looks a little different."""
    # Seeded with a text: the same in every process, which hash() is not.
    free = random.Random(f"{prompt}|{negative_prompt}")
    rng = random.Random(f"{prompt}|{negative_prompt}|{index}")
    picture = image
    for look in choose_looks(prompt, negative_prompt):
        picture = look.paint(picture, image, free if look is FREE else rng)
    if index:
        picture = ImageEnhance.Brightness(picture).enhance(1 + 0.05 * (-1) ** index)
        picture = ImageEnhance.Color(picture).enhance(1 + 0.12 * (index - 1.5))
    return picture
