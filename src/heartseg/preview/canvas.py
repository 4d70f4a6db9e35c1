"""Ink and paper of the preview: colours, fonts, and planes of voxels as pictures."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from heartseg.report.palette import Colour

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

PAPER: Colour = (13, 15, 19)
PANEL: Colour = (0, 0, 0)
INK: Colour = (236, 238, 242)
MUTED: Colour = (158, 166, 178)
LINE: Colour = (70, 77, 88)
BARS: Colour = (92, 158, 214)
MARK: Colour = (240, 190, 60)

LABEL_COLOURS: tuple[Colour, ...] = (
    (46, 143, 230), (240, 200, 30), (232, 74, 42), (204, 121, 167), (128, 100, 210), (230, 140, 20),
    (0, 158, 115), (240, 90, 220), (150, 220, 240), (170, 200, 90), (250, 170, 150), (12, 120, 255),
)  # fmt: skip
"""Of label numbers in rising order, zero apart: what they mean is not decided here."""


@lru_cache(maxsize=16)
def font(size: int) -> "FreeTypeFont | ImageFont":
    """Pillow's own font: no file from outside the package."""
    from PIL import ImageFont

    return ImageFont.load_default(size)


def fitted(draw: "ImageDraw", text: str, size: int, room: float) -> str:
    """The text, or as much of it as there is room for."""
    while len(text) > 1 and draw.textlength(text, font(size)) > room:
        text = text[:-2] + "…"
    return text


def number(value: float) -> str:
    """Four digits are enough in a picture."""
    return f"{value:.4g}" if abs(value) < 1e4 else f"{value:.0f}"


@dataclass(frozen=True, slots=True)
class Tile:
    """A plane in a square: the picture, and how many of its pixels make one unit of length.

    Attributes:
        picture: `side` x `side` RGB.
        per_unit: pixels of the picture a millimetre (or a pixel of an image without them).
        box: (left, top, right, bottom) of the plane in the square.
    """

    picture: "Picture"
    per_unit: float
    box: tuple[int, int, int, int]


def tile(
    plane: NDArray[Any],
    spacing: tuple[float, float],
    side: int,
    *,
    window: tuple[float, float],
    numbers: tuple[int, ...] = (),
) -> Tile:
    """A plane (y, x) in its true proportions in the middle of a square.

    Args:
        plane: intensities, or label numbers.
        spacing: (y, x) of its pixels.
        side: of the square, in pixels.
        window: values that become black and white.
        numbers: labels, which get a colour each; none for intensities.
    """
    from PIL import Image as Pictures

    height, width = plane.shape[0] * spacing[0], plane.shape[1] * spacing[1]
    per_unit = side / max(height, width)
    size = (max(1, round(width * per_unit)), max(1, round(height * per_unit)))
    pixels = _coloured(plane, numbers) if numbers else _grey(plane, window)
    way = Pictures.Resampling.NEAREST if numbers else Pictures.Resampling.BICUBIC
    small = Pictures.fromarray(pixels).resize(size, way).convert("RGB")
    picture = Pictures.new("RGB", (side, side), PANEL)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    picture.paste(small, (left, top))
    return Tile(picture, per_unit, (left, top, left + size[0], top + size[1]))


def _grey(plane: NDArray[Any], window: tuple[float, float]) -> NDArray[np.uint8]:
    low, high = window
    finite = np.nan_to_num(plane.astype(np.float32), nan=low, posinf=high, neginf=low)
    share = (finite - np.float32(low)) / np.float32(max(high - low, 1e-6))
    grey: NDArray[np.uint8] = (share.clip(0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)
    return grey


def _coloured(plane: NDArray[Any], numbers: tuple[int, ...]) -> NDArray[np.uint8]:
    pixels = np.zeros((*plane.shape, 3), np.uint8)
    for place, value in enumerate(one for one in numbers if one):
        pixels[plane == value] = LABEL_COLOURS[place % len(LABEL_COLOURS)]
    return pixels
