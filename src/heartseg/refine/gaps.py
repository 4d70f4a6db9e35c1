"""A slice that shows nothing of a ventricle that the slices on both sides of it show.

A ventricle is one body, so it passes through every slice between two that it is in. What it looks
like in a missed one is interpolated between its outlines in those two by their signed distances
(Raya and Udupa 1990, doi:10.1109/42.52980). Only one slice is bridged: of more nothing is known.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from heartseg.core.geometry import Geometry
from heartseg.refine.pieces import Mask, box_of


def missed_slices(mask: Mask) -> list[int]:
    """Slices of a mask (z, y, x) that are empty between two that are not."""
    there: Mask = np.any(mask, axis=(1, 2))
    return [int(at) + 1 for at in np.flatnonzero(~there[1:-1] & there[:-2] & there[2:])]


def between(mask: Mask, slices: Iterable[int], geometry: Geometry) -> Mask:
    """What belongs into these slices of a mask (z, y, x), by their neighbours; empty elsewhere."""
    box = box_of(mask)
    inside = mask[box]
    found = np.zeros(mask.shape, bool)
    for at in slices:
        depth = _depth(inside[at - 1], geometry) + _depth(inside[at + 1], geometry)
        found[at][box[1:]] = depth > 0
    return found


def _depth(plane: Mask, geometry: Geometry) -> NDArray[np.float64]:
    """How deep inside, positive, or how far outside, negative, each pixel's centre lies."""
    from scipy import ndimage

    padded = np.pad(plane, 1)  # a box's edge is an outline too
    inner = ndimage.distance_transform_edt(padded, sampling=geometry.spacing[1:])
    outer = ndimage.distance_transform_edt(~padded, sampling=geometry.spacing[1:])
    depth: NDArray[np.float64] = (inner - outer)[1:-1, 1:-1]
    return depth
