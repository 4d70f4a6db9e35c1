"""What lies around the heart: fat, muscle, lungs, liver, spine, air.

Positions are LPS+ mm from the middle of the heart. Nothing here moves or is measured, so shapes
are simple; each is painted over the last with partial volume at its border.
"""

from dataclasses import dataclass

import numpy as np

from heartseg.phantom.palette import Palette
from heartseg.phantom.shape import Array

MIDDLE_MM = (-32.0, 36.0)
"""(x, y) of the body's axis from the heart, which lies to the left and the front of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Torso:
    """A body's proportions.

    Attributes:
        half_width_mm, half_depth_mm: of the body.
        fat_mm: under the skin.
        wall_mm: muscle and ribs.
        diaphragm_mm: height of the diaphragm under the heart, LPS+ z.
    """

    half_width_mm: float = 165.0
    half_depth_mm: float = 112.0
    fat_mm: float = 14.0
    wall_mm: float = 15.0
    diaphragm_mm: float = -46.0

    @classmethod
    def random(cls, rng: np.random.Generator) -> "Torso":
        """Draw a plausible one."""
        return cls(
            half_width_mm=rng.uniform(150.0, 185.0),
            half_depth_mm=rng.uniform(104.0, 122.0),
            fat_mm=rng.uniform(7.0, 22.0),
            wall_mm=rng.uniform(11.0, 18.0),
            diaphragm_mm=rng.uniform(-54.0, -38.0),
        )


def paint(signal: Array, inside_mm: Array | float, value: Array | float, soft_mm: float) -> Array:
    """`signal` with `value` laid over it where the signed distance is positive.

    `soft_mm` is the width over which a pixel at the border is shared: its own size.
    """
    share = np.clip(np.asarray(inside_mm) / soft_mm + 0.5, 0.0, 1.0)
    return signal + share * (value - signal)


def torso_signal(
    torso: Torso,
    points: tuple[Array, Array, Array],
    palette: Palette,
    unevenness: Array,
    relief: Array,
    soft_mm: float,
) -> Array:
    """Values of the body without its heart, on the palette's scale.

    Args:
        torso: proportions.
        points: (x, y, z) LPS+ mm from the heart's middle, float32.
        palette: value of each tissue.
        unevenness: about standard normal, smooth: what makes vessels, bowel and marrow uneven.
        relief: the same, smoother: what makes borders uneven.
        soft_mm: size of a pixel.
    """
    x, y, z = points[0] - MIDDLE_MM[0], points[1] - MIDDLE_MM[1], points[2]
    wide, deep = x / torso.half_width_mm, y / torso.half_depth_mm
    depth = (1.0 - (wide**4 + 2.2 * (wide * deep) ** 2 + deep**4) ** 0.25) * torso.half_depth_mm
    front = np.clip(-deep, 0.0, 1.0)
    fat = torso.fat_mm * (1.0 + 0.35 * np.sin(3.0 * wide + 0.02 * z)) + 1.5 * relief
    chest = depth - fat
    inner = chest - torso.wall_mm * (1.0 + 0.5 * front) - 1.5 * relief
    shade = palette.unevenness * unevenness
    signal = np.zeros_like(x)
    signal = paint(signal, depth, palette.fat, soft_mm)
    signal = paint(signal, chest, palette.muscle * (1.0 + 0.10 * shade), soft_mm)
    signal = _ribs(signal, (x, y, z), chest, inner, palette, soft_mm)
    first, gain = palette.lung_vessels
    vessels = gain * np.clip(unevenness - first, 0.0, 1.0)
    signal = paint(signal, inner, palette.lung * (1.0 + 0.3 * shade) + vessels, soft_mm)
    signal = _belly(signal, torso, (x, y, z), inner, palette, (unevenness, relief), soft_mm)
    return _mediastinum(signal, (x, y, z), palette, (unevenness, relief), soft_mm)


def _ribs(
    signal: Array,
    points: tuple[Array, Array, Array],
    chest: Array,
    inner: Array,
    palette: Palette,
    soft_mm: float,
) -> Array:
    x, y, z = points
    along = np.sin(2.0 * np.pi * (z + 0.45 * y - 0.1 * np.abs(x)) / 27.0)
    within = np.minimum(chest - 3.0, 8.0 - chest)
    within = np.minimum(within, 6.0 * (along - 0.25))
    signal = paint(signal, within + 1.0, palette.rib_cortex, soft_mm)
    signal = paint(signal, within - 1.0, palette.rib_marrow, soft_mm)
    line = np.minimum(1.2 - np.abs(inner + 1.5), 2.0)
    return paint(signal, line, palette.pleural_fat, soft_mm)


def _belly(
    signal: Array,
    torso: Torso,
    points: tuple[Array, Array, Array],
    inner: Array,
    palette: Palette,
    uneven: tuple[Array, Array],
    soft_mm: float,
) -> Array:
    x, y, z = points
    unevenness, relief = uneven
    shade = palette.unevenness * unevenness
    right = 26.0 * np.exp(-(((x + 55.0) / 70.0) ** 2) - ((y + 5.0) / 65.0) ** 2)
    left = 12.0 * np.exp(-(((x - 85.0) / 50.0) ** 2) - ((y - 10.0) / 60.0) ** 2)
    falls = 70.0 * np.exp(-np.clip(inner, 0.0, None) / 16.0)
    below = np.minimum(torso.diaphragm_mm + right + left - falls - z, inner - 1.0)
    middle, swing = palette.abdominal_fat
    signal = paint(signal, below, (middle + swing * unevenness) * palette.fat, soft_mm)
    vessels = palette.liver_vessels * np.clip(unevenness - 1.75, 0.0, 0.6)
    organ = palette.liver * (1.0 + 0.05 * shade) + vessels
    liver = np.minimum(below - 2.0, (28.0 - x) - 0.35 * (y + 20.0) - 0.2 * z - 12.0 + 4.0 * relief)
    signal = paint(signal, liver, organ, soft_mm)
    stomach = 1.0 - np.sqrt(((x - 72) / 42) ** 2 + ((y + 22) / 40) ** 2 + ((z + 78) / 38) ** 2)
    inside = np.minimum(38.0 * stomach + 5.0 * relief, below - 4.0)
    signal = paint(signal, inside, palette.muscle, soft_mm)
    middle, swing = palette.stomach
    content = middle + swing * np.clip(unevenness, -1.2, 1.5)
    signal = paint(signal, inside - 2.0, content, soft_mm)
    spleen = 1.0 - np.sqrt(((x - 98) / 30) ** 2 + ((y - 40) / 44) ** 2 + ((z + 84) / 42) ** 2)
    return paint(signal, np.minimum(30.0 * spleen, below - 3.0), palette.spleen, soft_mm)


def _mediastinum(
    signal: Array,
    points: tuple[Array, Array, Array],
    palette: Palette,
    uneven: tuple[Array, Array],
    soft_mm: float,
) -> Array:
    x, y, z = points
    unevenness, relief = uneven
    shade = palette.unevenness * unevenness
    middle, swing = palette.mediastinum
    centre = 1.0 - np.sqrt((x / 40.0) ** 2 + ((y - 8.0) / 62.0) ** 2)
    mixed = np.clip(0.8 * relief + 0.3 * unevenness, -1.0, 0.6) * 0.6 * swing + middle
    upper = np.minimum(40.0 * centre, z + 40.0)
    signal = paint(signal, upper + 4.0 * relief, mixed, 2.0 * soft_mm)
    back = np.minimum(62.0 - np.abs(x), y - 46.0 - 0.004 * x**2)
    back = np.minimum(back, 92.0 - y)
    signal = paint(signal, back, palette.muscle * (1.0 + 0.15 * shade), soft_mm)
    body = 19.0 - np.hypot(x, 1.1 * (y - 52.0))
    disc = np.abs(np.sin(np.pi * z / 27.0)) < 0.25
    signal = paint(signal, body, palette.bone_cortex, soft_mm)
    marrow = np.where(disc, palette.disc, palette.marrow * (1.0 + 0.12 * shade))
    signal = paint(signal, body - 1.8, marrow, soft_mm)
    signal = paint(signal, 8.5 - np.hypot(x, y - 78.0), palette.fluid, soft_mm)
    signal = paint(signal, 4.5 - np.hypot(0.8 * x, y - 79.0), palette.cord, soft_mm)
    tubes = ((21.0, 38.0, 12.5, palette.aorta), (-6.0, 25.0, 6.0, palette.oesophagus))
    for sx, sy, size, value in tubes:
        tube = size - np.hypot(x - sx, y - sy)
        signal = paint(signal, tube + 1.5, palette.vessel_wall, soft_mm)
        signal = paint(signal, tube, value, soft_mm)
    return signal
