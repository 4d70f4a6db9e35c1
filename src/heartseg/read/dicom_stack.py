"""A stack may lie in several series: a series a breath-hold, or a slice that was acquired again.

What decides is geometry: loops of one place each that are parallel, of one size and for one
purpose are one stack; one that lies on the grid of a whole stack completes or renews it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from heartseg.formats.dicom import Header, Plane
from heartseg.formats.dicom_series import centre_of, normal_of
from heartseg.formats.dicom_time import COMPLETE, taken
from heartseg.read.dicom_kind import Purpose, Verdict

_SAME_DIRECTION = 0.02
"""Largest difference of direction cosines within a stack, about one degree."""

SAME_PLACE_MM = 1.0
"""A loop that is acquired again lies within this of where it was; slices are 4 mm apart or more."""

_LISTED = 3
"""More series numbers than this are named by the first and the last."""

_ON_GRID = 0.15
"""Share of the slice distance by which a slice may stray from the grid of its stack."""

_FAR_AWAY = 2.5
"""A single slice beyond this many slice distances is no part of the stack."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Parallel planes that belong together.

    Attributes:
        headers: the files, with the planes of this stack only.
        numbers: of the series in it, ascending; several where slices came in series of their own.
        verdict: what it was acquired for.
        repeated: numbers of the series of which something was acquired again at the same place.
        notes: what was joined, renewed or left out.
    """

    headers: tuple[Header, ...]
    numbers: tuple[str, ...]
    verdict: Verdict
    repeated: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """`series 300`, or `series 20 to 31` for messages."""
        if len(self.numbers) > _LISTED:
            return f"series {self.numbers[0]} to {self.numbers[-1]}"
        return "series " + "+".join(self.numbers)

    @property
    def planes(self) -> list[Plane]:
        """All planes."""
        return [plane for header in self.headers for plane in header.planes]

    @property
    def finished(self) -> tuple[float, ...]:
        """When its last image was acquired, then its number: what tells later from earlier."""
        last = max((taken(plane)[0] for plane in self.planes), default=0.0)
        number = self.numbers[-1]
        return last, float(number) if number.isdecimal() else 0.0

    @property
    def placed(self) -> bool:
        """True when every plane has a position and a direction."""
        return all(p.position is not None and p.orientation is not None for p in self.planes)

    def offsets(self, normal: NDArray[np.float64]) -> list[float]:
        """mm of each plane's middle along a direction."""
        size = self.headers[0].size
        return [float(np.dot(centre_of(plane, size), normal)) for plane in self.planes]

    def places(self, normal: NDArray[np.float64]) -> list[float]:
        """mm of its slices along a direction, ascending."""
        found: list[float] = []
        for offset in sorted(self.offsets(normal)):
            if not found or offset - found[-1] > SAME_PLACE_MM:
                found.append(offset)
        return found


def of(headers: Sequence[Header], verdict: Verdict) -> Series:
    """A series of these files."""
    numbers = {header.facts.get("SeriesNumber", "") for header in headers}
    return Series(tuple(headers), tuple(sorted(numbers, key=lambda n: (len(n), n))), verdict)


def direction(header: Header) -> tuple[float, ...]:
    """Cosines and pixel size of a file's planes."""
    plane = header.planes[0]
    return (*(plane.orientation or ()), *(plane.spacing or ()))


def alike(a: Sequence[float], b: Sequence[float]) -> bool:
    """True for directions and pixels that may be of one stack."""
    return len(a) == len(b) and bool(np.allclose(a, b, rtol=0, atol=_SAME_DIRECTION))


def joined(series: Sequence[Series]) -> list[Series]:
    """Cines of one slice each become stacks; those on the grid of a whole stack go into it."""
    cines = [one for one in series if _is_cine(one)]
    whole = [one for one in cines if len(one.places(normal_of(one.planes[0]))) > 1]
    single = [one for one in cines if one not in whole]
    rest = [one for one in series if one not in cines]
    left = []
    for one in sorted(single, key=lambda one: one.finished):
        home = _home(one, whole)
        if home is None:
            left.append(one)
        else:
            whole[home] = _renewed(whole[home], one)
    return [*rest, *whole, *(stack for group in _families(left) for stack in _stacked(group))]


def _is_cine(series: Series) -> bool:
    if series.verdict.purpose not in (Purpose.CINE, Purpose.FEW) or len(series.planes) < 2:
        return False
    return series.headers[0].modality == "MR" and series.placed


def _home(one: Series, stacks: Sequence[Series]) -> int | None:
    """Which whole stack a loop of one slice completes or renews: the last one begun before it."""
    fitting = [i for i, stack in enumerate(stacks) if _fits(one, stack)]
    earlier = [i for i in fitting if stacks[i].finished <= one.finished]
    return max(earlier or fitting, key=lambda i: stacks[i].finished, default=None)


def _fits(one: Series, stack: Series) -> bool:
    if not _one_stack(stack, one):
        return False
    normal = normal_of(stack.planes[0])
    places, here = stack.places(normal), one.places(normal)[0]
    if len(one.planes) < COMPLETE * len(stack.planes) / len(places):
        return False  # broken off
    step = float(np.median(np.diff(places)))
    steps = (here - places[0]) / step
    aside = centre_of(one.planes[0], one.headers[0].size)
    aside = aside - centre_of(stack.planes[0], stack.headers[0].size)
    shift = float(np.linalg.norm(aside - np.dot(aside, normal) * normal))
    near = -1.5 < steps < len(places) + 0.5
    return near and abs(steps - round(steps)) <= _ON_GRID and shift <= max(_ON_GRID * step, 1.0)


def _renewed(stack: Series, one: Series) -> Series:
    """The stack with a loop in place of what it has there; or one slice larger."""
    normal = normal_of(stack.planes[0])
    here = one.places(normal)[0]
    kept, replaced = _without_place(stack, normal, here)
    joined = of([*kept, *one.headers], stack.verdict)
    numbers = "+".join(one.numbers)
    if replaced:
        said = f"one slice was acquired again as series {numbers}: the later one is used"
    else:
        said = f"series {numbers} is one more slice of {stack.label}"
    return replace(
        joined,
        numbers=stack.numbers,
        repeated=(*stack.repeated, *(stack.numbers if replaced else ())),
        notes=(*stack.notes, said),
    )


def _without_place(
    stack: Series, normal: NDArray[np.float64], here: float
) -> tuple[list[Header], bool]:
    kept, replaced = [], False
    for header in stack.headers:
        far = [
            abs(float(np.dot(centre_of(p, header.size), normal)) - here) > SAME_PLACE_MM
            for p in header.planes
        ]
        planes = tuple(p for p, away in zip(header.planes, far, strict=True) if away)
        replaced = replaced or len(planes) < len(header.planes)
        if planes:
            kept.append(replace(header, planes=planes))
    return kept, replaced


def _families(single: Sequence[Series]) -> list[list[Series]]:
    groups: list[list[Series]] = []
    for one in single:
        for group in groups:
            if _one_stack(group[0], one):
                group.append(one)
                break
        else:
            groups.append([one])
    return groups


def _one_stack(a: Series, b: Series) -> bool:
    first, second = a.headers[0], b.headers[0]
    return first.size == second.size and alike(direction(first), direction(second))


def _stacked(group: Sequence[Series]) -> list[Series]:
    """One stack of the loops on a common grid, the last one at each place; strangers apart."""
    normal = normal_of(group[0].planes[0])
    places: dict[float, Series] = {}
    repeated: list[str] = []
    usual = float(np.median([len(one.planes) for one in group]))
    for one in group:  # in the order of the day
        here = one.places(normal)[0]
        near = next((place for place in places if abs(place - here) <= SAME_PLACE_MM), here)
        if near in places:
            if len(one.planes) < COMPLETE * usual:
                repeated += one.numbers
                continue
            repeated += places[near].numbers
        places[near] = one
    on_grid, strangers = _on_one_grid(sorted(places))
    joined = of([h for place in on_grid for h in places[place].headers], group[0].verdict)
    notes = _stacked_notes(len(on_grid), repeated)
    return [
        replace(joined, repeated=tuple(repeated), notes=notes),
        *(places[place] for place in strangers),
    ]


def _stacked_notes(count: int, repeated: Sequence[str]) -> tuple[str, ...]:
    notes = []
    if count > 1:
        notes.append(f"{count} series of one slice each make one stack")
    if repeated:
        was = "was" if len(repeated) == 1 else "were"
        numbers = ", ".join(repeated)
        notes.append(f"series {numbers} {was} acquired again: the later one is used")
    return tuple(notes)


def _on_one_grid(places: Sequence[float]) -> tuple[list[float], list[float]]:
    """The places on the grid that most of them share, and the others."""
    if len(places) < 4:
        return list(places), []
    step = float(np.median(np.diff(places)))

    def fitting(origin: float) -> list[float]:
        return [p for p in places if abs((p - origin) / step - round((p - origin) / step)) < 0.25]

    kept = max((fitting(origin) for origin in places), key=len)
    while len(kept) > 3 and kept[1] - kept[0] > _FAR_AWAY * step:
        kept = kept[1:]
    while len(kept) > 3 and kept[-1] - kept[-2] > _FAR_AWAY * step:
        kept = kept[:-1]
    return kept, [place for place in places if place not in kept]
