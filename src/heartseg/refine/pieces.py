"""Which pieces of a structure belong to the heart."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from heartseg.core.geometry import Box, Geometry

Mask = NDArray[np.bool_]

REACH_MM = 10.0
"""Slices are breath-holds, and these slip: the same chamber may lie this far aside in the next
slice. Two structures that belong together are no further apart either."""

REACH_PX = 8.0
"""The same for images without millimetres."""

HALF = 0.5
"""Of the smaller of two outlines with a missed slice between them. Within `REACH_MM` alone, walls
seen in an atrium, two slices above the last one, were taken for ventricle."""


def main_piece(
    mask: Mask,
    geometry: Geometry,
    worth: Callable[[Mask], float] = np.count_nonzero,
    over_a_gap: bool = False,
) -> Mask:
    """The piece (z, y, x) of the greatest worth, its size, and those that carry it on.

    Pieces hang together within a slice and over slices, corners included. A further piece stays
    when it begins in a slice where the structure would else be missing, next to one where it is,
    within `REACH_MM` in the plane. Two pieces side by side in a slice are never both kept so. Where
    a slice may be missed between them (`over_a_gap`), they have to lie over each other by half.
    """
    box = box_of(mask)
    labels, count = pieces(mask[box])
    if count < 2:
        return mask
    pieces_of = partial(_piece, mask.shape, box, labels)
    worths = np.array([worth(pieces_of(index)) for index in range(1, count + 1)])
    order = (np.argsort(-worths, kind="stable") + 1).tolist()
    kept: Mask = labels == order[0]
    waiting = order[1:]
    while True:
        joined = next(
            (i for i in waiting if _carries_on(labels == i, kept, geometry, over_a_gap)), None
        )
        if joined is None:
            return _put_back(kept, box, mask.shape)
        kept |= labels == joined
        waiting.remove(joined)


def near(mask: Mask, other: Mask, geometry: Geometry) -> Mask:
    """The pieces of a mask that come within `REACH_MM` of the other one in some slice.

    All of it when the other one is empty: then nothing is known of where it should be.
    """
    if not other.any() or not mask.any():
        return mask
    box = box_of(mask | other)
    labels, count = pieces(mask[box])
    inside = other[box]
    close = set(np.unique(labels[_dilated(inside)]).tolist()) - {0}
    for index in set(range(1, count + 1)) - close:
        if _distance(labels == index, inside, geometry) <= reach(geometry):
            close.add(index)
    if len(close) == count:
        return mask
    kept: Mask = np.isin(labels, sorted(close))
    return _put_back(kept, box, mask.shape)


def mostly_over(plane: Mask, other: Mask, geometry: Geometry) -> Mask:
    """The pieces of a slice (y, x) of which half or more lies within `REACH_MM` of another mask."""
    from scipy import ndimage

    if not other.any():
        return np.zeros_like(plane)
    far = ndimage.distance_transform_edt(~other, sampling=geometry.spacing[1:]) > reach(geometry)
    (labels,), count = pieces(plane[None])
    shares = [np.mean(far[labels == index]) for index in range(1, count + 1)]
    kept = [index for index, share in enumerate(shares, 1) if share <= 1 - HALF]
    found: Mask = np.isin(labels, kept)
    return found


def one_piece_a_slice(mask: Mask) -> Mask:
    """The largest piece of each slice (z, y, x)."""
    box = box_of(mask)
    inside = mask[box]
    labels, count = pieces(inside, across_slices=False)
    if count == int(inside.any(axis=(1, 2)).sum()):
        return mask
    sizes = np.bincount(labels.ravel())
    largest = [_largest(plane, sizes) for plane in labels]
    kept: Mask = inside & (labels == np.array(largest)[:, None, None])
    return _put_back(kept, box, mask.shape)


def without_crumbs(mask: Mask, share: float) -> Mask:
    """The pieces of each slice (z, y, x) that have at least `share` of its largest one's size."""
    box = box_of(mask)
    inside = mask[box]
    labels, count = pieces(inside, across_slices=False)
    if count == int(inside.any(axis=(1, 2)).sum()):
        return mask
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    per_voxel = sizes[labels]
    kept: Mask = inside & (per_voxel >= share * per_voxel.max(axis=(1, 2), keepdims=True))
    return _put_back(kept, box, mask.shape)


def pieces(mask: Mask, *, across_slices: bool = True) -> tuple[NDArray[np.int32], int]:
    """Numbered connected pieces (z, y, x), corners included, and how many there are."""
    from scipy import ndimage

    connected = np.ones((3, 3, 3), bool)
    if not across_slices:
        connected[[0, 2]] = False
    labels, count = ndimage.label(mask, connected)
    return labels, int(count)


def box_of(mask: NDArray[np.bool_] | NDArray[np.uint8]) -> Box:
    """The smallest box in the plane around what is not zero (z, y, x), with all slices.

    Labelling a structure's own box is several times faster than labelling the heart's.
    """
    found: Mask = np.any(mask, axis=0)
    rows, columns = np.flatnonzero(found.any(axis=1)), np.flatnonzero(found.any(axis=0))
    everywhere = slice(0, len(mask))
    if not rows.size:
        return everywhere, slice(0, 0), slice(0, 0)
    return (
        everywhere,
        slice(int(rows[0]), int(rows[-1]) + 1),
        slice(int(columns[0]), int(columns[-1]) + 1),
    )


def _put_back(kept: Mask, box: Box, shape: tuple[int, ...]) -> Mask:
    whole = np.zeros(shape, bool)
    whole[box] = kept
    return whole


def _piece(shape: tuple[int, ...], box: Box, labels: NDArray[np.int32], index: int) -> Mask:
    return _put_back(labels == index, box, shape)


def _dilated(mask: Mask) -> Mask:
    """With the eight neighbours in the plane; of a square that is rows, then columns."""
    rows = mask.copy()
    rows[:, 1:] |= mask[:, :-1]
    rows[:, :-1] |= mask[:, 1:]
    out = rows.copy()
    out[:, :, 1:] |= rows[:, :, :-1]
    out[:, :, :-1] |= rows[:, :, 1:]
    return out


def reach(geometry: Geometry) -> float:
    """How far apart two things of one heart may lie in the plane, in the grid's unit."""
    return REACH_MM if geometry.unit == "mm" else REACH_PX


def _largest(plane: NDArray[np.int32], sizes: NDArray[np.intp]) -> int:
    found = np.unique(plane)
    found = found[found > 0]
    return int(found[np.argmax(sizes[found])]) if found.size else 0


def _carries_on(piece: Mask, kept: Mask, geometry: Geometry, over_a_gap: bool) -> bool:
    mine, theirs = piece.any(axis=(1, 2)), kept.any(axis=(1, 2))
    if (mine & theirs).any():
        return False
    if _distance(piece, _beside(kept, 1), geometry) <= reach(geometry):
        return True
    return over_a_gap and any(map(_lies_over, piece, _beside(kept, 2)))


def _beside(mask: Mask, steps: int) -> Mask:
    """What is so many slices further up or down."""
    beside = np.zeros_like(mask)
    beside[steps:] |= mask[:-steps]
    beside[:-steps] |= mask[steps:]
    return beside


def _lies_over(plane: Mask, other: Mask) -> bool:
    """Whether two planes of masks share half of the smaller one."""
    smaller = min(np.count_nonzero(plane), np.count_nonzero(other))
    return bool(smaller > 0 and np.count_nonzero(plane & other) >= HALF * smaller)


def _distance(piece: Mask, other: Mask, geometry: Geometry) -> float:
    """Least in-plane distance of two masks over the slices that both are in."""
    from scipy import ndimage

    both = piece.any(axis=(1, 2)) & other.any(axis=(1, 2))
    distances = [
        ndimage.distance_transform_edt(~theirs, sampling=geometry.spacing[1:])[mine].min()
        for mine, theirs in zip(piece[both], other[both], strict=True)
    ]
    return float(min(distances, default=np.inf))
