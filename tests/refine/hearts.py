"""Drawn hearts for tests: short-axis stacks with a ring, a pool and a crescent."""

from collections.abc import Sequence

import numpy as np

from heartseg.core.anatomy import Labels, Structure
from heartseg.core.geometry import Geometry

STRUCTURES = (
    Structure.BACKGROUND,
    Structure.RV_CAVITY,
    Structure.LV_MYOCARDIUM,
    Structure.LV_CAVITY,
)
SPACING_MM = (9.0, 1.5, 1.25)
SHAPE = (6, 60, 72)
CENTRE = (32, 40)


def geometry(shape: tuple[int, int, int] = SHAPE) -> Geometry:
    """9 x 1.5 x 1.25 mm, somewhere."""
    z, y, x = SPACING_MM
    affine = np.array([[0, 0, x, 5], [0, y, 0, -8], [z, 0, 0, 30], [0, 0, 0, 1.0]])
    return Geometry(shape, affine)


def disc(centre: tuple[float, float], radius: float) -> np.ndarray:
    """Pixels within a radius, on one slice."""
    rows, columns = np.mgrid[: SHAPE[1], : SHAPE[2]]
    found: np.ndarray = np.hypot(rows - centre[0], columns - centre[1]) <= radius
    return found


def heart() -> Labels:
    """Slices 1 to 4 hold LV and RV, tapering; slices 0 and 5 nothing."""
    labels = np.zeros(SHAPE, np.uint8)
    for plane in range(1, 5):
        size = 6 + plane
        epicardium, crescent = disc(CENTRE, size + 4), disc((32, 27), size + 2)
        labels[plane][crescent] = Structure.RV_CAVITY
        labels[plane][epicardium] = Structure.LV_MYOCARDIUM
        labels[plane][disc(CENTRE, size)] = Structure.LV_CAVITY
    return labels


def sure(labels: Labels, structures: Sequence[Structure] = STRUCTURES) -> np.ndarray:
    """Probabilities (structures, z, y, x) of 0.97 for the label, 0.01 for the rest."""
    return np.stack([np.where(labels == s, 0.97, 0.01) for s in structures]).astype(np.float32)
