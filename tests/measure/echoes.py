"""Apical views with volumes to work out by hand: slanted, with pixels that are not square."""

import numpy as np

from heartseg.core.anatomy import Labels, Structure
from heartseg.core.geometry import Geometry
from heartseg.core.image import Segmentation
from tests.measure.hearts import oblique

LV, MYO, LA = Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.LEFT_ATRIUM
APICAL = (LV, MYO, LA)
SPACING_MM = (3.0, 0.5, 0.8)
SHAPE = (260, 170)
SLANT = np.deg2rad(17.0)
BASE_MM = (90.0, 55.0)
"""Row and column of the middle of the base, in mm."""


def frame(
    length_mm: float, width_mm: float, *, atrium_mm: float = 25.0, cone: bool = False
) -> Labels:
    """(1, y, x): a half ellipse (or a triangle) of LV, slanted, a half ellipse of atrium below.

    Args:
        length_mm: of the LV, base to apex.
        width_mm: of its base, which is that of the atrium.
        atrium_mm: length of the atrium.
        cone: the LV narrows in straight lines.
    """
    y, x = np.indices(SHAPE).astype(float)
    down, right = y * SPACING_MM[1] - BASE_MM[0], x * SPACING_MM[2] - BASE_MM[1]
    up = -np.cos(SLANT) * down + np.sin(SLANT) * right  # from the base to the apex
    across = np.sin(SLANT) * down + np.cos(SLANT) * right
    half = width_mm / 2
    above = up / length_mm
    inside = np.abs(across) / half + above < 1 if cone else (across / half) ** 2 + above**2 < 1
    below = (across / half) ** 2 + (up / atrium_mm) ** 2 < 1
    labels = np.zeros((1, *SHAPE), np.uint8)
    labels[0][below & (up < 0)] = LA
    labels[0][inside & (up >= 0)] = LV
    return labels


def view(
    *frames: Labels, unit: str = "mm", times_ms: tuple[float, ...] | None = None
) -> Segmentation:
    """Frames as a loop, on a grid turned against the patient's axes (or on one of pixels)."""
    shape = frames[0].shape
    grid = oblique(shape, SPACING_MM) if unit == "mm" else Geometry.from_pixels(shape)
    return Segmentation(np.stack(frames), grid, APICAL, times_ms)


def half_ellipsoid_ml(length_mm: float, *widths_mm: float) -> float:
    """2/3 pi a b L of a half ellipsoid with these diameters of the base."""
    first, last = widths_mm[0], widths_mm[-1]
    return 2 / 3 * np.pi * (first / 2) * (last / 2) * length_mm / 1000
