"""The endocardial contour of a long-axis view as one smooth line, finer than its pixels.

It runs from hinge to apex to hinge; the contact with the atrium is no wall and is left out. The
landmarks are those of `simpson`. The sides of pixels make a line that is 5 to 10 % too long, by
how the heart lies in the picture, which a strain cannot stand. So the points half-way between
pixels inside and outside are fitted, by least squares, with a straight line and `WAVES` half waves
along the contour. Its scale is the contour's own: what is shorter than a sixteenth of it is
smoothed away, in every phase and for every size of pixel alike.

Points are (row, column) in the unit of the spacing. Left and right are those of the picture turned
until the apex is up.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from heartseg.core.anatomy import Labels, Structure
from heartseg.core.errors import MeasureError
from heartseg.core.outline import area_of, outlines
from heartseg.measure.simpson import Chamber, Points

WAVES = 16
"""Half waves that the contour is made of, besides a straight line."""

SAMPLES = 480
"""Points of the smooth line, less one: six segments of the walls have about eighty each."""

FEWEST_STEPS = 3 * WAVES
"""Pixels' sides that a contour takes: twice the unknowns of its line and more."""


@dataclass(frozen=True, slots=True, eq=False)
class Endocardium:
    """The contour of one frame.

    Attributes:
        points: (SAMPLES + 1, 2), evenly spaced from the left hinge by the apex to the right one.
        apex: index of the point that lies furthest from the middle of the two ends.
    """

    points: Points
    apex: int

    @property
    def length(self) -> float:
        """Along the line, in mm (or px)."""
        return float(np.linalg.norm(np.diff(self.points, axis=0), axis=1).sum())

    @property
    def base(self) -> Points:
        """(2,) midway between the ends."""
        middle: Points = 0.5 * (self.points[0] + self.points[-1])
        return middle

    @property
    def up(self) -> Points:
        """(2,) of length one, from the base to the apex."""
        along = self.points[self.apex] - self.base
        direction: Points = along / np.linalg.norm(along)
        return direction

    @property
    def right(self) -> Points:
        """(2,) of length one, to the right of the picture turned until the apex is up."""
        row, column = self.up
        return np.array([column, -row])

    def from_axis(self, points: Points) -> Points:
        """(n,) distances of (n, 2) points from the long axis, those on its left negative."""
        distances: Points = (points - self.base) @ self.right
        return distances


def endocardium(plane: Labels, found: Chamber, spacing: Sequence[float]) -> Endocardium:
    """The contour of the LV cavity.

    Args:
        plane: (y, x) labels.
        found: the LV in it, by `simpson.chamber`.
        spacing: of rows and columns, in mm (or px).

    Raises:
        MeasureError: the contour has so few pixels that a smooth line through them means nothing.
    """
    scale = np.asarray(spacing, np.float64)
    steps = _from_hinge_to_hinge(plane, found) * scale
    if len(steps) < FEWEST_STEPS:
        raise MeasureError(
            f"an endocardial contour of {len(steps)} pixels is too coarse: it takes {FEWEST_STEPS}"
        )
    points = _smooth(steps)
    apex = int(np.linalg.norm(points - points[[0, -1]].mean(axis=0), axis=1).argmax())
    return Endocardium(points, apex)


def _from_hinge_to_hinge(plane: Labels, found: Chamber) -> Points:
    """(n, 2) indices of the pixels' sides along the wall, clockwise as outlines run: so from the
    left hinge by the apex to the right one, however the heart lies in the picture."""
    ring = max(outlines(plane == Structure.LV_CAVITY), key=area_of)[:, ::-1]
    first, last, apex = (
        int(np.linalg.norm(ring - point, axis=1).argmin()) for point in (*found.hinges, found.apex)
    )
    count = len(ring)
    if (apex - first) % count > (last - first) % count:
        first, last = last, first
    return ring[(first + np.arange((last - first) % count + 1)) % count]


def _smooth(steps: Points) -> Points:
    """(SAMPLES + 1, 2) the fitted line, at even distances."""
    fitted = np.linalg.lstsq(_waves(_along(steps)), steps, rcond=None)[0]
    dense = _waves(np.linspace(0.0, 1.0, 4 * SAMPLES + 1)) @ fitted
    even, place = np.linspace(0.0, 1.0, SAMPLES + 1), _along(dense)
    return np.stack([np.interp(even, place, dense[:, axis]) for axis in (0, 1)], axis=1)


def _along(line: Points) -> Points:
    """(n,) share of the line's length at each of its points."""
    lengths = np.append(0.0, np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1)))
    shares: Points = lengths / lengths[-1]
    return shares


def _waves(place: Points) -> Points:
    """(n, WAVES + 2) the straight line's and the waves' values at shares of the length."""
    waves = np.sin(np.pi * np.outer(place, np.arange(1, WAVES + 1)))
    return np.column_stack([np.ones_like(place), place, waves])
