"""Colours of maps: equal steps of a map are equal steps to the eye, and up weighs as much as down.

Made in Oklab (Ottosson 2020), where distances are about as they are seen. A signed map goes from
the image's grey to green upwards and to magenta downwards, at the same lightness for the same size;
both keep apart for colour-blind readers and from the report's red, yellow and blue contours. A map
without a sign goes from violet to a light yellow-green, always lighter.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

SIGNED_LIGHTNESS = (0.42, 0.90)
SIGNED_CHROMA = 0.17
UP_DEGREES, DOWN_DEGREES = 145.0, 335.0

PLAIN_LIGHTNESS = (0.34, 0.95)
PLAIN_CHROMA = 0.13
PLAIN_DEGREES = (300.0, 115.0)

MOST_COVER, COVER_POWER = 0.88, 0.6
"""How much of the image a map hides at its largest, and how quickly it gets there."""


ENTRIES = 256
"""Of a table of colours, between which a map's are interpolated."""


def colours(shares: NDArray[np.floating], *, signed: bool) -> Floats:
    """sRGB (..., 3) in 0 to 255 of shares of the largest value, -1 to 1 (0 to 1 without a sign)."""
    table = _table(signed)
    low = -1.0 if signed else 0.0
    place = ((shares.clip(low, 1.0) - low) / (1.0 - low) * (len(table) - 1)).astype(np.float32)
    first = np.floor(place).astype(np.intp)
    rest = (place - first)[..., None]
    mixed: Floats = table[first] * (1 - rest) + table[np.minimum(first + 1, len(table) - 1)] * rest
    return mixed


@lru_cache(maxsize=2)
def _table(signed: bool) -> Floats:
    size = np.linspace(0.0, 1.0, ENTRIES)
    if not signed:
        (low, high), (first, last) = PLAIN_LIGHTNESS, PLAIN_DEGREES
        return _srgb(low + (high - low) * size, PLAIN_CHROMA, first + (last - first) * size)
    low, high = SIGNED_LIGHTNESS
    up, down = (
        _srgb(low + (high - low) * size, SIGNED_CHROMA, np.full_like(size, degrees))
        for degrees in (UP_DEGREES, DOWN_DEGREES)
    )
    return np.concatenate([down[::-1], up])


def cover(shares: NDArray[np.floating]) -> Floats:
    """How much of the image is hidden, 0 to 1: nothing where the map is 0."""
    hidden: Floats = (MOST_COVER * np.abs(shares).clip(0.0, 1.0) ** COVER_POWER).astype(np.float32)
    return hidden


def lightness(colour: NDArray[np.floating]) -> Floats:
    """Oklab's lightness, 0 to 1, of sRGB (..., 3) in 0 to 255."""
    share = np.asarray(colour, np.float64) / 255.0
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    light: Floats = (np.cbrt(linear @ _TO_CONES.T) @ _TO_LAB[0]).astype(np.float32)
    return light


_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def _srgb(light: Doubles, chroma: float, degrees: Doubles) -> Floats:
    """From lightness, chroma and hue; of a chroma that no screen has, as much as there is."""
    least, most = np.zeros_like(light), np.full_like(light, chroma)
    for _ in range(16):  # each step halves what is not known
        tried = (least + most) / 2
        fits = _on_screen(_linear(light, tried, degrees))
        least, most = np.where(fits, tried, least), np.where(fits, most, tried)
    shown = _linear(light, least, degrees).clip(0.0, 1.0)
    curved = np.where(shown <= 0.0031308, 12.92 * shown, 1.055 * shown ** (1 / 2.4) - 0.055)
    return (255.0 * curved).astype(np.float32)


def _on_screen(linear: Doubles) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = np.logical_and(linear >= 0, linear <= 1)
    return np.asarray(inside.all(axis=-1))


def _linear(light: Doubles, chroma: Doubles, degrees: Doubles) -> Doubles:
    angle = np.deg2rad(degrees)
    lab = np.stack([light, chroma * np.cos(angle), chroma * np.sin(angle)], axis=-1)
    cones = (lab @ np.linalg.inv(_TO_LAB).T) ** 3
    linear: Doubles = cones @ np.linalg.inv(_TO_CONES).T
    return linear
