"""The minimum cut of a graph of pixels.

Y. Boykov, M.-P. Jolly, Interactive graph cuts for optimal boundary and region segmentation of
objects in N-D images, ICCV 2001;1:105. Pixels are bound to their neighbours the more the less the
grey value changes, and to cavity and surroundings by how likely their grey value is there; marks
are bound for ever. The cut is that of SciPy's maximum flow, whose capacities are whole numbers.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from heartseg.classical.marks import marks
from heartseg.classical.method import PlaneMethod, setting
from heartseg.classical.pool import cavity, labelled
from heartseg.classical.scene import Plane
from heartseg.core.anatomy import Labels

SCALE = 1000
"""Capacities are thousandths."""

SURE = 1_000_000
"""Capacity that no cut pays."""

BINS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphCut(PlaneMethod):
    """A cut between marks.

    Attributes:
        seeds: as every method's.
        region: weight of what grey values say against what edges say.
        sigma: a change of grey of this much no longer binds two neighbours.
        core: marks of the cavity: deeper than this share of the first guess's greatest depth.
        gap_mm: marks of the surroundings: not blood, at least so far from the first guess.
    """

    paper: ClassVar[str] = "Boykov and Jolly 2001"

    region: float = setting(0.2, 0.0, 10.0)
    sigma: float = setting(0.08, 0.005, 1.0)
    core: float = setting(0.5, 0.1, 0.9)
    gap_mm: float = setting(1.5, 1.0, 15.0)

    def label(self, plane: Plane) -> Labels:
        """As `PlaneMethod.label`."""
        inside, outside = marks(plane, self.core, self.gap_mm)
        if not inside.any() or not outside.any():
            return labelled(inside)
        grey, field = plane.smooth, plane.within(1.15)
        to_inside, to_outside = (
            np.rint(SCALE * self.region * cost).astype(np.int32)
            for cost in _unlikely(grey, outside, inside)
        )
        to_inside[inside] = to_outside[outside] = SURE
        cut = minimum_cut(grey, self.sigma, (to_inside, to_outside), field | inside)
        return labelled(cavity(cut, plane))


def _unlikely(grey: NDArray[np.float32], *places: NDArray[np.bool_]) -> Any:
    """(y, x) of each place: minus the logarithm of how frequent the grey value is there."""
    from scipy import ndimage

    at = np.clip((grey * BINS).astype(int), 0, BINS - 1)
    for place in places:
        counts = np.bincount(at[place], minlength=BINS).astype(np.float64)
        smooth = ndimage.gaussian_filter1d(counts, 1.5, mode="nearest") + 0.01
        yield -np.log(smooth / smooth.sum())[at]


def minimum_cut(
    grey: NDArray[np.float32],
    sigma: float,
    bonds: tuple[NDArray[np.int32], NDArray[np.int32]],
    field: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Pixels (y, x) of a field on the side of the source.

    Args:
        grey: values whose changes loosen the bond of two neighbours.
        sigma: of that.
        bonds: capacities to the source and to the sink, (y, x).
        field: pixels that take part; all others are outside.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    count = int(field.sum())
    number = np.full(field.shape, -1)
    number[field] = np.arange(count)
    source, sink = count, count + 1
    pairs = [_bonds(grey, number, sigma, axis) for axis in (0, 1)]
    one, two, bound = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    own = np.arange(count)
    begins = np.concatenate([one, two, np.full(count, source), own])
    ends = np.concatenate([two, one, own, np.full(count, sink)])
    sizes = np.concatenate([bound, bound, bonds[0][field], bonds[1][field]]).astype(np.int32)
    graph = csr_array((sizes, (begins, ends)), shape=(count + 2, count + 2))
    rest = graph - maximum_flow(graph, source, sink).flow
    rest.data[rest.data < 0] = 0
    rest.eliminate_zeros()
    reached = breadth_first_order(rest, source, return_predecessors=False)
    cut = np.zeros(count + 2, bool)
    cut[reached] = True
    found = np.zeros(field.shape, bool)
    found[field] = cut[:count]
    return found


def _bonds(grey: NDArray[np.float32], number: NDArray[Any], sigma: float, axis: int) -> Any:
    """Neighbours along an axis by their numbers, and how firmly they are bound."""
    length = grey.shape[axis]
    first, second = (np.take(number, range(a, length - 1 + a), axis) for a in (0, 1))
    change = np.diff(grey, axis=axis)
    both = (first >= 0) & (second >= 0)
    bound = np.rint(SCALE * np.exp(-(change**2) / (2 * sigma**2))).astype(np.int32)
    return first[both], second[both], bound[both]
