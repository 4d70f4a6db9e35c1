"""Seeded region growing.

R. Adams, L. Bischof, Seeded region growing, IEEE Trans Pattern Anal Mach Intell 1994;16:641. Two
regions grow at the same time, the cavity from its seed and the surroundings from the dark pixels
and the rim of the field; the pixel that differs least from the mean of a region beside it is taken
next, and the mean follows. Nothing is thresholded.
"""

import heapq
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from heartseg.classical.marks import marks
from heartseg.classical.method import PlaneMethod, setting
from heartseg.classical.pool import cavity, labelled
from heartseg.classical.scene import Plane
from heartseg.core.anatomy import Labels

_BESIDE = ((-1, 0), (1, 0), (0, -1), (0, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionGrowing(PlaneMethod):
    """Two regions that grow.

    Attributes:
        seeds: as every method's.
        core: the cavity starts from the part of the blood at the seed that is deeper than this
            share of its greatest depth.
        gap_mm: the surroundings start from what is not blood, at least so far from it.
    """

    paper: ClassVar[str] = "Adams and Bischof 1994"

    core: float = setting(0.5, 0.1, 0.9)
    gap_mm: float = setting(3.0, 1.0, 15.0)

    def label(self, plane: Plane) -> Labels:
        """As `PlaneMethod.label`."""
        inside, outside = marks(plane, self.core, self.gap_mm)
        return labelled(cavity(grown(plane.smooth, inside, outside), plane))


def grown(
    grey: NDArray[np.float32], inside: NDArray[np.bool_], outside: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """The first of two regions (y, x) that grow from their marks until every pixel is taken."""
    region = np.where(inside, 1, 0) + np.where(outside, 2, 0)
    values, rows, columns = grey.tolist(), *grey.shape
    taken = region.tolist()
    sums = [0.0, float(grey[inside].sum()), float(grey[outside].sum())]
    counts = [0, int(inside.sum()), int(outside.sum())]
    waiting: list[tuple[float, int, int, int, int]] = []
    order = 0

    def look_beside(y: int, x: int, of: int) -> None:
        nonlocal order
        mean = sums[of] / counts[of]
        for dy, dx in _BESIDE:
            v, u = y + dy, x + dx
            if 0 <= v < rows and 0 <= u < columns and not taken[v][u]:
                order += 1
                heapq.heappush(waiting, (abs(values[v][u] - mean), order, v, u, of))

    for y, x in np.argwhere(region).tolist():
        look_beside(y, x, taken[y][x])
    while waiting:
        _, _, y, x, of = heapq.heappop(waiting)
        if taken[y][x]:
            continue
        taken[y][x] = of
        sums[of] += values[y][x]
        counts[of] += 1
        look_beside(y, x, of)
    found: NDArray[np.bool_] = np.array(taken) == 1
    return found
