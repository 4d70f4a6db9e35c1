"""Volumes from long-axis views: Simpson's discs and area-length.

Lang et al., J Am Soc Echocardiogr 2015;28:1-39 (ASE/EACVI), with what that leaves open fixed so
that the published volumes of CAMUS come out of its published contours (Leclerc et al., IEEE TMI
2019):

* the hinges are the ends of the contact of cavity and neighbour (LV and left atrium), the base is
  midway between them, and the apex is the point of the cavity that lies furthest from the base; a
  thin seam that some contours leave between the two is shared out first;
* twenty discs divide the long axis from base to apex; the diameter of a disc is the area of the
  cavity between its two planes over its height;
* in two views V = pi/4 sum(a_i b_i) L / 20, where L is the longer of the two long axes of that
  phase. The mean of the lengths, or one height of discs for both phases, does not give the
  published ejection fractions.

Points are (row, column) indices that may be fractional; lengths are in the unit of the spacing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Labels, Structure
from heartseg.core.errors import MeasureError

DISCS = 20

DIRECTIONS = 180
"""In which the contact is looked at to find its two ends: one degree from each to the next."""

SEAM = 3.0
"""Pixels of whatever else between a cavity and its neighbour that still count as their contact:
converted pictures have a line of another number where two numbers meet."""

BROKEN = 3 * SEAM
"""A contact is broken by a seam when bridging it makes it longer by more pixels than this."""

Mask = NDArray[np.bool_]
Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Chamber:
    """One cavity in one long-axis picture.

    Attributes:
        hinges: (2, 2), ends of the contact, (row, column) indices.
        apex: (2,), the furthest point of the cavity, (row, column) indices.
        length: base to apex, in mm (or px).
        widths: (DISCS,) diameters from base to apex, in mm (or px).
        area: of the whole cavity, in mm2 (or px2).
        cut: the cavity reaches the picture's edge, so it may go on beyond it.
    """

    hinges: Points
    apex: Points
    length: float
    widths: NDArray[np.float64]
    area: float
    cut: bool

    @property
    def base(self) -> Points:
        """(2,) midway between the hinges."""
        middle: Points = self.hinges.mean(axis=0)
        return middle


def biplane(first: Chamber, second: Chamber) -> float:
    """Volume from two views at right angles by twenty discs, in mm3 (or px3)."""
    length = max(first.length, second.length)
    return float(np.pi / 4 * np.sum(first.widths * second.widths) * length / DISCS)


def single_plane(view: Chamber) -> float:
    """Volume from one view, as if every disc were round, in mm3 (or px3)."""
    return biplane(view, view)


def area_length(first: Chamber, second: Chamber) -> float:
    """Volume 8 A B / (3 pi L) with the shorter long axis L, in mm3 (or px3).

    Exact for an ellipsoid and for half of one. One view is given twice.
    """
    length = min(first.length, second.length)
    return float(8.0 / (3.0 * np.pi) * first.area * second.area / length)


def chamber(
    plane: Labels, cavity: Structure, neighbour: Structure, spacing: Sequence[float]
) -> Chamber:
    """Find the long axis of a cavity and its twenty discs.

    Args:
        plane: (y, x) labels; of several pieces the largest counts.
        cavity: what is measured.
        neighbour: what lies beyond its base: the left atrium for the LV, and the other way round.
        spacing: of rows and columns, in mm (or px).

    Raises:
        MeasureError: no such cavity, or it does not touch its neighbour.
    """
    if not (plane == cavity).any():
        raise MeasureError(f"no {cavity.title}")
    window = _window(plane, (cavity, neighbour))
    part = plane[window]
    inside = _largest(part == cavity)
    contact = _contact(inside, _largest(part == neighbour))
    if not len(contact):
        raise MeasureError(f"the {cavity.title} does not touch the {neighbour.title}")
    scale = np.asarray(spacing, np.float64)
    hinges = _ends(contact * scale)
    base = hinges.mean(axis=0)
    border = _faces(np.pad(inside, 1), ~np.pad(inside, 1)) - 1.0
    apex = _furthest(border * scale, base)
    corner = np.array([window[0].start, window[1].start])
    return Chamber(
        hinges=hinges / scale + corner,
        apex=apex / scale + corner,
        length=float(np.linalg.norm(apex - base)),
        widths=_widths(np.argwhere(inside) * scale, scale, base, apex),
        area=float(np.count_nonzero(inside) * scale.prod()),
        cut=_at_edge(inside, window, plane.shape),
    )


def _window(plane: Labels, structures: tuple[Structure, ...]) -> tuple[slice, slice]:
    held = np.isin(plane, structures)
    rows, columns = np.flatnonzero(held.any(axis=1)), np.flatnonzero(held.any(axis=0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _at_edge(inside: Mask, window: tuple[slice, slice], shape: tuple[int, ...]) -> bool:
    first, last = (window[0].start, window[1].start), (window[0].stop, window[1].stop)
    for axis in (0, 1):
        ends = np.flatnonzero(inside.any(axis=1 - axis))[[0, -1]] + first[axis]
        if ends[0] == 0 or (ends[1] == shape[axis] - 1 and last[axis] == shape[axis]):
            return True
    return False


def _largest(mask: Mask) -> Mask:
    from scipy.ndimage import label

    pieces, count = label(mask)
    if count < 2:
        return mask
    largest: Mask = pieces == 1 + int(np.argmax(np.bincount(pieces.ravel())[1:]))
    return largest


def _contact(inside: Mask, outside: Mask) -> Points:
    """(n, 2) middles of the pixel sides between both; a seam that breaks them is shared out."""
    bridged = _bridged(inside, outside)
    exact = _faces(inside, outside)
    # A bridge reaches a little beyond the ends of what touches anyway: only a break is worth it.
    broken = not len(exact) or np.ptp(exact, axis=0).max() + BROKEN < np.ptp(bridged, axis=0).max()
    return bridged if len(bridged) and broken else exact


def _bridged(inside: Mask, outside: Mask) -> Points:
    from scipy.ndimage import distance_transform_edt

    if not outside.any():
        return np.empty((0, 2))
    to_inside, to_outside = distance_transform_edt(~inside), distance_transform_edt(~outside)
    seam = (to_inside <= SEAM) & (to_outside <= SEAM)
    mine = inside | (seam & ~outside & (to_inside <= to_outside))
    return _faces(mine, outside | (seam & ~mine))


def _faces(inside: Mask, outside: Mask) -> Points:
    """(n, 2) middles of the pixel sides that have one on this and the other on that side."""
    found = []
    for axis in (0, 1):
        count = inside.shape[axis]
        here, there = (m.take(range(count - 1), axis) for m in (inside, outside))
        further, beyond = (m.take(range(1, count), axis) for m in (inside, outside))
        sides = np.argwhere((here & beyond) | (there & further)).astype(np.float64)
        sides[:, axis] += 0.5
        found.append(sides)
    return np.concatenate(found)


def _ends(points: Points) -> Points:
    """(2, 2) the two points that lie furthest apart, the one further left first."""
    angles = np.pi / DIRECTIONS * np.arange(DIRECTIONS)
    extreme: set[int] = set()
    for direction in np.stack([np.cos(angles), np.sin(angles)], axis=1):
        along = points @ direction
        extreme |= {int(along.argmin()), int(along.argmax())}
    few = points[sorted(extreme)]
    apart = np.linalg.norm(few[:, None] - few[None], axis=2)
    ends: Points = few[list(np.unravel_index(int(apart.argmax()), apart.shape))]
    return ends[np.lexsort((ends[:, 0], ends[:, 1]))]


def _furthest(points: Points, base: Points) -> Points:
    furthest: Points = points[int(np.linalg.norm(points - base, axis=1).argmax())]
    return furthest


def _widths(pixels: Points, scale: Points, base: Points, apex: Points) -> NDArray[np.float64]:
    """Area of the cavity between the planes of each disc over its height.

    A pixel's area is spread evenly over the stretch of the axis that the pixel covers, so that
    coarse pictures and slanted axes give smooth diameters.
    """
    length = float(np.linalg.norm(apex - base))
    along = (apex - base) / length
    middle = (pixels - base) @ along
    reach = 0.5 * float(np.abs(along) @ scale)
    planes = np.linspace(0.0, length, DISCS + 1)
    below = [np.clip((plane - middle) / (2 * reach) + 0.5, 0.0, 1.0).sum() for plane in planes]
    widths: NDArray[np.float64] = np.diff(below) * scale.prod() / (length / DISCS)
    return widths
