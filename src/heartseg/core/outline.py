"""The boundary of a mask as closed polygons, by marching squares (Lorensen & Cline 1987 in 2-D).

The corners of a polygon lie half-way between the centres of a pixel inside and its neighbour
outside, so a pixel is in the mask exactly when its centre is inside an odd number of the polygons.
Pixels that touch by a corner only are apart. A polygon's corners cut an eighth of a pixel each: a
mask of n pixels has outlines of n - (pieces - holes) / 2 pixels in all.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Polygon = NDArray[np.float64]
"""(n, 2) column and row of the corners, not repeated at the end; pixel centres are whole."""

_CORNERS = ((0, 0), (0, 1), (1, 1), (1, 0))
"""(row, column) of the pixels of a cell of four, clockwise as seen on a screen."""

_EDGES = ((0, 1), (1, 2), (2, 1), (1, 0))
"""Half-way from a corner to the next, in half pixels from the first corner."""


def outlines(mask: NDArray[np.bool_]) -> tuple[Polygon, ...]:
    """The polygons of a (rows, columns) mask: clockwise round pieces, the other way round holes."""
    following = dict(_steps(mask))
    found = []
    while following:
        ring = [next(iter(following))]
        while (after := following.pop(ring[-1])) != ring[0]:
            ring.append(after)
        found.append(np.array(ring, np.float64)[:, ::-1] / 2)
    return tuple(found)


def area_of(polygon: Polygon) -> float:
    """Area in pixels; negative for a hole of `outlines`."""
    x, y = polygon.T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def joined(polygons: Sequence[Polygon]) -> Polygon:
    """One polygon that encloses what an odd number of these does.

    It goes to each of the others and back by the same way. That way runs along rows and columns,
    where the centre of a pixel is on neither side of it or on the same side twice.
    """
    whole = [*polygons[0], polygons[0][0]]
    start = polygons[0][0]
    for other in polygons[1:]:
        turn = np.array([start[0], other[0][1]])
        whole += [turn, *other, other[0], turn, start]
    return np.array(whole)


def _steps(mask: NDArray[np.bool_]) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """From each corner of a polygon, (row, column) in half pixels, to the next of it.

    Each edge of a cell between inside and outside begins a step there or ends one; in the cell on
    its other side it is the other way round.
    """
    padded = np.pad(mask, 1)
    rows, columns = mask.shape
    inside = [padded[r : rows + 1 + r, c : columns + 1 + c] for r, c in _CORNERS]
    for k in range(4):
        begins = np.argwhere(inside[k] & ~inside[(k + 1) % 4])
        for row, column in begins.tolist():
            back = k  # to the first corner of the run of inside ones that ends here
            while inside[(back - 1) % 4][row, column]:
                back -= 1
            yield _half(row, column, k), _half(row, column, (back - 1) % 4)


def _half(row: int, column: int, edge: int) -> tuple[int, int]:
    down, right = _EDGES[edge]
    return 2 * row - 2 + down, 2 * column - 2 + right
