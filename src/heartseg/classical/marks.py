"""Marks for methods that need some: pixels that are surely cavity, and surely not."""

import numpy as np
from numpy.typing import NDArray

from heartseg.classical.pool import cavity, core, outside_mm
from heartseg.classical.scene import Plane
from heartseg.prepare.localise import otsu

Mask = NDArray[np.bool_]

REACH = 0.8
"""The first guess is Otsu's, of the grey values within so many largest cavities."""


def first_guess(plane: Plane) -> Mask:
    """The cavity (y, x) by a threshold: every further method starts from it."""
    smooth = plane.smooth
    threshold, _ = otsu(smooth[plane.within(REACH)])
    return cavity(smooth > threshold, plane)


def marks(plane: Plane, share: float, gap_mm: float) -> tuple[Mask, Mask]:
    """Surely cavity, and surely not (y, x).

    Args:
        plane: with its seed.
        share: of the greatest depth of the first guess; deeper pixels are cavity.
        gap_mm: pixels so far out of it that are darker than the threshold are not, nor is anything
            beyond the largest cavity.
    """
    smooth = plane.smooth
    threshold, _ = otsu(smooth[plane.within(REACH)])
    guess = cavity(smooth > threshold, plane)
    dark = (smooth <= threshold) & (outside_mm(guess, plane) >= gap_mm)
    return core(guess, share), (dark | ~plane.within(1.05)) & ~guess
