"""In which order people see the slices of a stack, and by which numbers they speak of them.

Pictures show a short-axis stack from the base to the apex, and pages count its slices so, from 1.
A file may store them either way round. Where the base is follows from the directions in the
patient; where the heart tapers clearly the other way, these are not true, as in many published
masks, and the heart is believed.
"""

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Labels
from heartseg.core.geometry import Geometry

TAPER = 0.03
"""A heart whose cross-section leans this share of its length to one end has its base there."""


def base_comes_first(geometry: Geometry, labels: Labels) -> bool:
    """Whether the first slice that is stored lies at the base.

    Args:
        geometry: of the stack.
        labels: (z, y, x) of a frame that shows the heart; the background is 0.
    """
    flipped = geometry.canonical().flip[0]  # z then points to the base
    area = np.count_nonzero(labels, axis=(1, 2)).astype(np.float64)
    towards_base = area[::-1] if flipped else area
    return flipped != _tapers_upwards(towards_base)


def slice_numbers(geometry: Geometry, labels: Labels) -> tuple[int, ...]:
    """The number of each stored slice, counted from 1 at the base; arguments as above."""
    counted = range(1, len(labels) + 1)
    return tuple(counted if base_comes_first(geometry, labels) else reversed(counted))


def _tapers_upwards(area: NDArray[np.float64]) -> bool:
    """Of areas on what should be the way to the base: whether the heart is wider at its start."""
    held = np.flatnonzero(area)
    if len(held) < 2:
        return False
    middle = (held[0] + held[-1]) / 2
    lean = (area @ np.arange(len(area)) / area.sum() - middle) / (held[-1] - held[0] + 1)
    return bool(lean < -TAPER)
