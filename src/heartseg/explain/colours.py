"""Colours of maps: equal steps of a map are equal steps to the eye, and up weighs as much as down.

Made in Oklab (Ottosson 2020), where distances are about as they are seen. A signed map goes from
the image's grey to green upwards and to magenta downwards, at the same lightness for the same size;
both keep apart for colour-blind readers and from the report's red, yellow and blue contours. A map
without a sign goes from violet to a light yellow-green, always lighter.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

SIGNED_LIGHTNESS = (0.42, 0.90)
SIGNED_CHROMA = 0.17
UP_DEGREES, DOWN_DEGREES = 145.0, 335.0

PLAIN_LIGHTNESS = (0.34, 0.95)
PLAIN_CHROMA = 0.13
PLAIN_DEGREES = (300.0, 115.0)

MOST_COVER, COVER_POWER = 0.88, 0.6
"""How much of the image a map hides at its largest, and how quickly it gets there."""


SHRINK = (1.0, 0.85, 0.7, 0.55, 0.4, 0.25, 0.0)
"""A chroma that no screen has is made smaller, step by step; the lightness stays."""


def colours(shares: NDArray[np.floating], *, signed: bool) -> Floats:
    """sRGB (..., 3) in 0 to 255 of shares of the largest value, -1 to 1 (0 to 1 without a sign)."""
    size = np.abs(shares).clip(0.0, 1.0)
    if signed:
        low, high = SIGNED_LIGHTNESS
        degrees = np.where(shares >= 0, UP_DEGREES, DOWN_DEGREES)
        return _srgb(low + (high - low) * size, np.full_like(size, SIGNED_CHROMA), degrees)
    low, high = PLAIN_LIGHTNESS
    first, last = PLAIN_DEGREES
    degrees = first + (last - first) * size
    return _srgb(low + (high - low) * size, np.full_like(size, PLAIN_CHROMA), degrees)


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


def _srgb(light: NDArray[np.floating], chroma: Floats, degrees: Floats) -> Floats:
    """From lightness, chroma and hue."""
    tries = [_linear(light, chroma * share, degrees) for share in SHRINK]
    fits = [((one > -1e-4) & (one < 1 + 1e-4)).all(-1, keepdims=True) for one in tries]
    kept = np.select(fits, tries, default=tries[-1])
    shown = kept.clip(0.0, 1.0)
    curved = np.where(shown <= 0.0031308, 12.92 * shown, 1.055 * shown ** (1 / 2.4) - 0.055)
    return (255.0 * curved).astype(np.float32)


def _linear(light: NDArray[np.floating], chroma: Floats, degrees: Floats) -> NDArray[np.float64]:
    angle = np.deg2rad(degrees)
    lab = np.stack([light, chroma * np.cos(angle), chroma * np.sin(angle)], axis=-1)
    cones = (lab @ np.linalg.inv(_TO_LAB).T) ** 3
    linear: NDArray[np.float64] = cones @ np.linalg.inv(_TO_CONES).T
    return linear
