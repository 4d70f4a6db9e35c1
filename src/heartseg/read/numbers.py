"""Label numbers whose meaning nobody stated: which schemes fit, by the anatomy that they make.

Numbers alone do not tell ACDC (1 RV, 3 LV) from M&Ms (1 LV, 3 RV). Anatomy does: myocardium rings
the LV and only touches the RV, scar lies in the wall. CAMUS and M&Ms numbers make the same anatomy
(1 LV, 2 myocardium, 3 beside it), but CAMUS has single planes only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import SCHEMES, Labels, Structure, enclosure

MOST_NUMBERS = 16
"""An image of no more values than this holds labels."""

PLANES_ONLY = ("camus",)
"""Schemes of single planes: no stack of slices has them."""

RINGED = 0.5
"""Share of a cavity's border on myocardium above which it is the LV."""

INSIDE_WALL = 0.5
"""Least share of a scar's border on wall and cavity."""

_LV, _RV, _MYO = Structure.LV_CAVITY, Structure.RV_CAVITY, Structure.LV_MYOCARDIUM


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What label numbers may mean.

    Attributes:
        numbers: found, ascending; () where a reference has none of a built-in scheme (contours).
        schemes: names of the built-in schemes that fit numbers and anatomy.
        swapped: names of those that know the numbers, but would exchange the ventricles.
        unknown: numbers that no built-in scheme has a meaning for.
    """

    numbers: tuple[int, ...]
    schemes: tuple[str, ...] = ()
    swapped: tuple[str, ...] = ()
    unknown: tuple[int, ...] = ()


def few_numbers(voxels: NDArray[Any]) -> tuple[int, ...]:
    """The values of a label image, ascending; () for any other image."""
    some = max(1, voxels.shape[1] // 16)
    if len(np.unique(voxels[:1, ::some, ::4, ::4])) > MOST_NUMBERS:
        return ()
    values = np.unique(voxels)
    if len(values) > MOST_NUMBERS or values[0] != 0 or (values != np.rint(values)).any():
        return ()
    return tuple(int(value) for value in values)


def guess_schemes(values: Sequence[int]) -> tuple[str, ...]:
    """Names of the built-in schemes that know all these label numbers."""
    found = {int(value) for value in values}
    return tuple(name for name, one in SCHEMES.items() if found <= set(one.numbers))


def meaning_of(voxels: NDArray[Any]) -> Meaning:
    """What the numbers of a label image (..., y, x) may mean."""
    numbers = tuple(int(value) for value in np.unique(voxels))
    fitting, swapped = [], []
    stack = voxels.ndim > 2 and voxels.shape[-3] > 1
    known = [name for name in guess_schemes(numbers) if not (stack and name in PLANES_ONLY)]
    for name in known:
        labels = SCHEMES[name].read(voxels)
        if possible(labels):
            fitting.append(name)
        elif ventricles_exchanged(labels):
            swapped.append(name)
    all_known = {number for scheme in SCHEMES.values() for number in scheme.numbers}
    unknown = tuple(number for number in numbers if number not in all_known)
    return Meaning(numbers=numbers, schemes=tuple(fitting), swapped=tuple(swapped), unknown=unknown)


def possible(labels: Labels) -> bool:
    """False for `Structure` labels (..., y, x) that no heart has; what is absent tells nothing."""
    inside = _contact(labels, Structure.SCAR, (_MYO, _LV, Structure.NO_REFLOW))
    return _walls_fit(labels) and (inside is None or inside >= INSIDE_WALL)


def ventricles_exchanged(labels: Labels) -> bool:
    """True where myocardium rings what is called RV and not what is called LV, if that is there."""
    lv, rv = enclosure(labels, _LV), enclosure(labels, _RV)
    return rv is not None and rv > RINGED and (lv is None or lv < RINGED)


def _walls_fit(labels: Labels) -> bool:
    """Whether myocardium rings what is called LV, and not what is called RV."""
    if not (labels == _MYO).any():
        return True
    lv, rv = enclosure(labels, _LV), enclosure(labels, _RV)
    return (lv is None or lv > RINGED) and (rv is None or rv < RINGED)


def _contact(labels: Labels, structure: Structure, others: Sequence[Structure]) -> float | None:
    """Share of the structure's in-plane border on any of the others; None where it is absent."""
    joined = np.where(labels == _MYO, Structure.BACKGROUND, labels).astype(np.uint8)
    joined[np.isin(labels, others)] = _MYO
    return enclosure(joined, structure)
