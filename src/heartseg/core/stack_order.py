"""In which order people see the slices of a stack, and by which numbers they speak of them.

Pictures show a short-axis stack from the base to the apex, and pages count its slices so, from 1.
A file may store them either way round. Where it tells how the patient lies, the base follows from
that; a whole heart that clearly tapers the other way says that this is not true, as in many
published masks, and is believed. Where it does not tell, the heart alone does: it is wider at its
base.

Of the 100 hearts of ACDC at end-diastole each is decided rightly by either rule, and so is each of
their parts of five and six slices by the first; of parts of three slices the heart alone tells 6 in
100 wrongly.
"""

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Labels
from heartseg.core.geometry import Geometry

TAPER = 0.05
"""A heart whose cross-section leans this share of its length to one end has its base there, against
what the file tells."""

FEWEST_SLICES = 5
"""Fewer slices are a part of a heart, which may widen towards the apex: the file is believed."""


def base_comes_first(geometry: Geometry, labels: Labels) -> bool:
    """Whether the first slice that is stored lies at the base.

    Args:
        geometry: of the stack.
        labels: (z, y, x) of a frame that shows the heart; the background is 0.
    """
    return geometry.canonical().flip[0] != directions_contradicted(geometry, labels)


def slice_numbers(geometry: Geometry, labels: Labels) -> tuple[int, ...]:
    """The number of each stored slice, counted from 1 at the base; arguments as above."""
    return _counted(len(labels), base_comes_first(geometry, labels))


def stated_numbers(geometry: Geometry) -> tuple[int, ...]:
    """The same where there is no heart yet to look at: by the directions that the file states."""
    return _counted(geometry.shape[0], geometry.canonical().flip[0])


def directions_contradicted(geometry: Geometry, labels: Labels) -> bool:
    """Whether the heart tapers against the directions that the file states; arguments as above."""
    area = np.count_nonzero(labels, axis=(1, 2)).astype(np.float64)
    flipped = geometry.canonical().flip[0]  # z then points to the base
    return _contradicted(area[::-1] if flipped else area, geometry.oblique)


def _counted(slices: int, base_first: bool) -> tuple[int, ...]:
    numbers = range(1, slices + 1)
    return tuple(numbers if base_first else reversed(numbers))


def _contradicted(area: NDArray[np.float64], stated: bool) -> bool:
    """Of areas on what should be the way to the base: whether the heart is wider at its start.

    Args:
        area: (z,) of each slice.
        stated: whether the file tells how the patient lies, so that it takes more to disbelieve it.
    """
    held = np.flatnonzero(area)
    if len(held) < (FEWEST_SLICES if stated else 2):
        return False
    middle = (held[0] + held[-1]) / 2
    lean = (area @ np.arange(len(area)) / area.sum() - middle) / (held[-1] - held[0] + 1)
    return bool(lean < (-TAPER if stated else 0.0))
