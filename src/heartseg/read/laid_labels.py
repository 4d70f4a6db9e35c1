"""Labels whose voxels are an image's, however their file arranges them.

Programs that edit masks turn or mirror the axes of the array and say so in the header. 3D Slicer
also cuts its `.seg.nrrd` to what is drawn: beyond its ends nothing is, and a file of one voxel has
nothing drawn at all (developer guide, segmentations). No voxel is interpolated.
"""

from pathlib import Path

import numpy as np

from heartseg.core.anatomy import Labels
from heartseg.core.geometry import Geometry
from heartseg.core.image import Segmentation

CUT = ".seg.nrrd"
"""Files that say where they were cut from, and mean that nothing is drawn elsewhere."""


def fits(mine: Geometry, theirs: Geometry) -> bool:
    """True when two grids have the same voxels in the same order, in the same unit."""
    return mine.unit == theirs.unit and mine.same_grid(theirs)


def laid_on(path: Path, seg: Segmentation, grid: Geometry) -> Labels | None:
    """The labels (t, z, y, x) of a file on the grid of an image.

    Args:
        path: of the labels.
        seg: what was read from it, on its own grid.
        grid: the image's.

    Returns:
        None where they lie on other voxels, cover a part of these without meaning to, or something
        is drawn outside.
    """
    if fits(seg.geometry, grid):
        return seg.labels
    cut = path.name.lower().endswith(CUT)
    if cut and seg.geometry.shape == (1, 1, 1) and not seg.labels.any():
        return np.zeros((seg.frames, *grid.shape), np.uint8)
    place = grid.place_of(seg.geometry)
    if place is None:
        return None
    orientation, first = place
    arranged = orientation.apply(seg.labels)
    if not cut and arranged.shape[1:] != grid.shape:
        return None
    laid = np.zeros((seg.frames, *grid.shape), np.uint8)
    mine, theirs = zip(*map(_common, first, arranged.shape[1:], grid.shape), strict=True)
    laid[(..., *mine)] = arranged[(..., *theirs)]
    return laid if np.count_nonzero(laid) == np.count_nonzero(seg.labels) else None


def _common(first: int, count: int, whole: int) -> tuple[slice, slice]:
    """What `count` voxels from `first` on have in common with the `whole`: there, and of them."""
    start = max(0, first)
    stop = max(start, min(first + count, whole))
    return slice(start, stop), slice(start - first, stop - first)
