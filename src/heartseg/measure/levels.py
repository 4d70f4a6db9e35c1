"""Which slices of a short-axis stack are its base, its middle and its apex.

By the reference, in each frame: the slices that show any of its structures, in three parts as equal
as can be, the basal ones first where they do not divide (thirds as those of the AHA's segments,
Cerqueira et al., Circulation 2002;105:539). Slices beyond belong to the nearer end, so that what
was drawn above the true base counts against the base. The heart tapers: the base is the end with
the larger area. A file's orientation is not asked, since many published masks have none that is
true.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Labels

Level = Literal["base", "mid", "apex", ""]

TAPER = 1.1
"""By how much the base must be larger than the apex, in area, to be taken for it."""

FEWEST_SLICES = 3

Planes = NDArray[np.intp]


def levels_of(labels: Labels) -> tuple[Mapping[Level, Planes], ...]:
    """The slices of each level, in each frame.

    Args:
        labels: (t, z, y, x) of the reference.

    Returns:
        One mapping a frame; an empty one where fewer than three slices show the heart, and for all
        frames where neither end of the stack is clearly the larger.
    """
    areas = np.count_nonzero(labels, axis=(2, 3))  # (t, z)
    base_first = _base_first(areas.sum(axis=0))
    if base_first is None:
        return tuple({} for _ in areas)
    return tuple(_thirds(frame > 0, base_first) for frame in areas)


def _base_first(areas: NDArray[np.intp]) -> bool | None:
    """Whether the base comes first along z; None where the areas do not tell."""
    held = areas[areas > 0]
    if len(held) < FEWEST_SLICES:
        return None
    third = len(held) // 3
    first, last = held[:third].mean(), held[-third:].mean()
    if max(first, last) < TAPER * min(first, last):
        return None
    return bool(first > last)


def _thirds(bearing: NDArray[np.bool_], base_first: bool) -> Mapping[Level, Planes]:
    held = np.flatnonzero(bearing)
    if len(held) < FEWEST_SLICES:
        return {}
    order = np.arange(held[0], held[-1] + 1)
    base, mid, apex = np.array_split(order if base_first else order[::-1], 3)
    before, after = np.arange(held[0]), np.arange(held[-1] + 1, len(bearing))
    above, below = (before, after) if base_first else (after, before)
    return {
        "base": np.sort(np.concatenate([above, base])),
        "mid": np.sort(mid),
        "apex": np.sort(np.concatenate([apex, below])),
    }
