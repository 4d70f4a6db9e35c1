"""The surface of a mask as a closed mesh: constrained surface nets (Gibson, MICCAI 1998).

Between eight neighbouring voxels that are not all inside or all outside lies a point for each of
the pieces that the inside ones make. Points of neighbouring cells are joined, relaxed towards the
mean of their neighbours within their own cells, which brings those of an ellipsoid in thick slices
nearer to the ellipsoid, and at last moved along their normals, all by the same distance, until the
mesh holds the volume of the mask.

The mesh is watertight: every side of a triangle is a side of exactly one other, which runs along it
the other way.
"""

from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from heartseg.core.geometry import Geometry

RELAXATIONS = 30

MARGIN = 0.2
"""How near a point may come to the sides of its cell: at a side, a voxel alone would be nothing."""

VOLUME_STEPS = 50
VOLUME_TOLERANCE = 1e-6

_AROUND = ((0, 0), (-1, 0), (-1, -1), (0, -1))
"""The four cells round an edge of the grid, one after another."""

Points = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """A closed surface.

    Attributes:
        points_mm: (n, 3) x, y and z in LPS+ millimetres.
        triangles: (m, 3) indices of points, counter-clockwise as seen from outside.
    """

    points_mm: Points
    triangles: Indices

    @property
    def volume_ml(self) -> float:
        """What it encloses."""
        return _volume(self.points_mm, self.triangles) / 1000.0


def surface(mask: NDArray[np.bool_], geometry: Geometry) -> Mesh:
    """The surface of a (z, y, x) mask with at least one voxel, of the mask's volume.

    Raises:
        GeometryError: the grid has no millimetres, or is one plane without a thickness.
    """
    volume_mm3 = 1000.0 * geometry.voxel_ml * int(np.count_nonzero(mask))
    points, cells, quads = _net(np.pad(mask, 1))
    points = _relaxed(points, cells, quads) - 1.0
    in_mm = points @ geometry.affine[:3, :3].T + geometry.affine[:3, 3]
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    if np.linalg.det(geometry.affine[:3, :3]) < 0:  # the grid is a mirror image of the patient
        triangles = triangles[:, ::-1]
    in_mm, triangles = _apart(in_mm, triangles)
    return Mesh(_of_volume(in_mm, triangles, volume_mm3), triangles)


def _net(padded: NDArray[np.bool_]) -> tuple[Points, Points, Indices]:
    """Points and the first corners of their cells, both (n, 3), and quads of points (m, 4).

    Seen from outside the quads run counter-clockwise where z, y and x are right-handed.
    """
    shape = np.array(padded.shape)
    codes = _codes(padded)
    keys, middles = [], []
    for axis in range(3):
        across = np.diff(padded.astype(np.int8), axis=axis)
        for sign in (-1, 1):  # -1: the inside end comes first
            low = np.argwhere(across == sign)
            inside = low.copy()
            inside[:, axis] += sign == 1
            middle = low.astype(np.float64)
            middle[:, axis] += 0.5
            corners = []
            for first, second in _AROUND[::-sign]:
                cell = low.copy()
                cell[:, (axis + 1) % 3] += first
                cell[:, (axis + 2) % 3] += second
                corner = (inside - cell) @ (4, 2, 1)
                piece = _pieces()[codes[tuple(cell.T)], corner]
                corners.append(np.ravel_multi_index(tuple(cell.T), tuple(shape)) * 8 + piece)
            keys.append(np.stack(corners, axis=1))
            middles.append(np.repeat(middle[:, None], 4, axis=1))
    unique, quads = np.unique(np.concatenate(keys), return_inverse=True)
    quads = quads.reshape(-1, 4)
    cells = np.stack(np.unravel_index(unique // 8, tuple(shape)), axis=1).astype(np.float64)
    points = _means(quads.ravel(), np.concatenate(middles).reshape(-1, 3), len(unique))
    return points, cells, quads


def _codes(padded: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Which of its eight corners are inside, a bit each, for every cell by its first corner."""
    z, y, x = (n - 1 for n in padded.shape)
    codes = np.zeros((z, y, x), np.int64)
    for bit, (dz, dy, dx) in enumerate(product((0, 1), repeat=3)):
        codes |= padded[dz : dz + z, dy : dy + y, dx : dx + x].astype(np.int64) << bit
    return codes


@cache
def _pieces() -> NDArray[np.int64]:
    """(256, 8) by code and corner: the first corner of the piece that an inside corner belongs to.

    Corners of a piece hang together along the cell's edges.
    """
    table = np.tile(np.arange(8), (256, 1))
    for code in range(256):
        for _ in range(3):  # no piece is more than three edges long but round a way of seven
            for corner, bit in product(range(8), (1, 2, 4)):
                other = corner ^ bit
                if code >> corner & 1 and code >> other & 1:
                    table[code, [corner, other]] = table[code, [corner, other]].min()
    return table


def _relaxed(points: Points, cells: Points, quads: Indices) -> Points:
    """Each point nearer to the mean of its neighbours, again and again, within its cell."""
    start, end = quads.ravel(), np.roll(quads, -1, axis=1).ravel()
    from_, to = np.concatenate([start, end]), np.concatenate([end, start])
    for _ in range(RELAXATIONS):
        mean = _means(from_, points[to], len(points))
        points = np.clip((points + mean) / 2, cells + MARGIN, cells + 1 - MARGIN)
    return points


def _means(index: Indices, values: Points, count: int) -> Points:
    """(count, 3) means of the values that have the same index."""
    sums = [np.bincount(index, column, count) for column in values.T]
    return np.stack(sums, axis=1) / np.bincount(index, minlength=count)[:, None]


def _apart(points: Points, triangles: Indices) -> tuple[Points, Indices]:
    """The same surface, where it touches itself along a side with a point more on one of the two.

    So each side belongs to two triangles there as well.
    """
    while True:
        sides = _sides(triangles)
        order = np.lexsort(sides.T)
        same = (sides[order][1:] == sides[order][:-1]).all(axis=1)
        if not same.any():
            return points, triangles
        points, triangles = _split(points, triangles, sides[order[1:][same]])


def _split(points: Points, triangles: Indices, doubles: Indices) -> tuple[Points, Indices]:
    """A new point on each of these sides, and a triangle on either hand of it cut in two; those
    that share a triangle with one before wait for the next time."""
    count = len(triangles)
    of_side: dict[tuple[int, int], list[int]] = {}
    for number, side in enumerate(_sides(triangles).tolist()):
        of_side.setdefault((side[0], side[1]), []).append(number % count)
    cut: dict[int, list[list[int]]] = {}
    new: list[Points] = []
    for a, b in doubles.tolist():
        hands = of_side[a, b][0], of_side[b, a][0]
        if a > b or set(hands) & set(cut):
            continue
        middle = len(points) + len(new)
        new.append((points[a] + points[b]) / 2)
        for number in hands:
            corners = triangles[number].tolist()
            cut[number] = [[middle if one == end else one for one in corners] for end in (a, b)]
    kept = np.delete(triangles, list(cut), axis=0)
    halves = np.array([half for pair in cut.values() for half in pair])
    return np.concatenate([points, new]), np.concatenate([kept, halves])


def _sides(triangles: Indices) -> Indices:
    """(3 m, 2) sides from point to point: the first of all triangles, the second, the third."""
    return np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])


def _of_volume(points: Points, triangles: Indices, volume_mm3: float) -> Points:
    """The points moved outwards or inwards until the mesh holds the volume."""
    for _ in range(VOLUME_STEPS):
        a, b, c = (points[triangles[:, i]] for i in range(3))
        normals = np.cross(b - a, c - a)
        area = float(np.linalg.norm(normals, axis=1).sum()) / 2
        missing = volume_mm3 - _volume(points, triangles)
        if abs(missing) < VOLUME_TOLERANCE * volume_mm3:
            break
        at = np.stack([np.bincount(triangles.ravel(), np.repeat(n, 3), len(points))
                       for n in normals.T], axis=1)  # fmt: skip
        lengths = np.linalg.norm(at, axis=1, keepdims=True)
        outwards = np.divide(at, lengths, out=np.zeros_like(at), where=lengths > 0)
        points = points + outwards * (missing / area)
    return points


def _volume(points: Points, triangles: Indices) -> float:
    a, b, c = (points[triangles[:, i]] - points.mean(axis=0) for i in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c))) / 6.0
