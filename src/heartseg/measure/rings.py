"""Radii of the LV wall from areas, in the whole ring of a slice or in sectors of it.

In a sector of angle d about the cavity's centre an area A of cavity has the radius sqrt(2 A / d),
and with the wall's area the outer one. That is right for rings of any pixel size, and says nothing
of what the tissue does along the wall.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Labels, Structure

Angles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ring:
    """Radii of the wall in a sector, in mm."""

    inner: float
    outer: float

    @property
    def thickness(self) -> float:
        """Of the wall."""
        return self.outer - self.inner

    @property
    def middle(self) -> float:
        """Radius of the middle of the wall."""
        return 0.5 * (self.inner + self.outer)


@dataclass(frozen=True, slots=True)
class Sector:
    """A segment's part of a slice: from `start` on against the clock by `width`, in radians."""

    number: int
    start: float
    width: float


WHOLE = Sector(0, 0.0, 2 * np.pi)
"""All the way round."""


def rings(
    plane: Labels, sectors: Sequence[Sector], spacing: tuple[float, float]
) -> tuple[Ring | None, ...]:
    """Radii of sectors of a (y, x) slice; None for one that has no cavity or no wall."""
    pool = plane == Structure.LV_CAVITY
    if not pool.any():
        return (None,) * len(sectors)
    heart = pool | (plane == Structure.LV_MYOCARDIUM)
    pixel = spacing[0] * spacing[1]
    if tuple(sectors) == (WHOLE,):  # every pixel is inside, at whatever angle
        whole, blood = (np.count_nonzero(part) * pixel for part in (heart, pool))
        return (_ring(blood, whole, WHOLE.width) if blood < whole else None,)
    cavity = pool[heart]
    angles = angles_about_lv(plane, spacing, heart)
    found: list[Ring | None] = []
    for sector in sectors:
        inside = np.mod(angles - sector.start, 2 * np.pi) < sector.width
        whole = np.count_nonzero(inside) * pixel
        blood = np.count_nonzero(inside & cavity) * pixel
        found.append(_ring(blood, whole, sector.width) if 0 < blood < whole else None)
    return tuple(found)


def _ring(blood: float, whole: float, width: float) -> Ring:
    inner, outer = (float(np.sqrt(2 * area / width)) for area in (blood, whole))
    return Ring(inner, outer)


def angles_about_lv(
    plane: Labels, spacing: tuple[float, float], where: NDArray[np.bool_]
) -> Angles:
    """(n,) angles of pixels of a (y, x) slice about the LV's centre, against the clock from the
    right."""
    rows, columns = np.nonzero(where)
    row, column = np.argwhere(plane == Structure.LV_CAVITY).mean(axis=0)
    angles: Angles = np.arctan2((row - rows) * spacing[0], (columns - column) * spacing[1])
    return angles
