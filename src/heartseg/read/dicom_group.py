"""Which DICOM planes belong together: by series, size and direction; never by file name."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from heartseg.formats.dicom import Header
from heartseg.formats.dicom_series import normal_of

_SAME_DIRECTION = 0.02
"""Largest difference of direction cosines within a stack, about one degree."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Parallel planes that belong together.

    Attributes:
        headers: the files, with the planes of this stack only.
        numbers: of the series in it, ascending; several where slices came in series of their own.
        repeated: numbers of the series that a later one at the same place replaced.
    """

    headers: tuple[Header, ...]
    numbers: tuple[str, ...]
    repeated: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """`series 300` for messages."""
        return "series " + "+".join(self.numbers)


def split(headers: Sequence[Header]) -> list[Series]:
    """Series of parallel planes; one-slice series of one stack are joined."""
    groups: dict[_Key, list[Header]] = {}
    for header in headers:
        for part in _parallel(header):
            stack = part.planes[0].stack
            same = (header.series, header.size, header.colour, _kind(header), stack)
            key = next((k for k in groups if _belongs(k, same, part)), (same, _direction(part)))
            groups.setdefault(key, []).append(part)
    return _joined([_series(group) for group in groups.values()])


_Key = tuple[object, tuple[float, ...]]


def _belongs(key: _Key, same: object, part: Header) -> bool:
    stored, direction = key
    return bool(stored == same and _alike(direction, _direction(part)))


def _series(headers: Sequence[Header]) -> Series:
    numbers = {header.facts.get("SeriesNumber", "") for header in headers}
    return Series(tuple(headers), tuple(sorted(numbers, key=lambda n: (len(n), n))))


def _direction(header: Header) -> tuple[float, ...]:
    plane = header.planes[0]
    return (*(plane.orientation or ()), *(plane.spacing or ()))


def _alike(a: Sequence[float], b: Sequence[float]) -> bool:
    return len(a) == len(b) and bool(np.allclose(a, b, rtol=0, atol=_SAME_DIRECTION))


def _kind(header: Header) -> str:
    """Phase and magnitude images of one series are two images."""
    types = header.facts.get("ImageType", "").upper().split("\\")[2:]
    return "phase" if {"P", "PHASE", "VELOCITY"} & set(types) else ""


def _parallel(header: Header) -> list[Header]:
    """The file's planes by stack and direction: a localiser may hold three stacks in one file."""
    parts: list[list[int]] = []
    for index, plane in enumerate(header.planes):
        for part in parts:
            first = header.planes[part[0]]
            same = first.stack == plane.stack
            if same and _alike(first.orientation or (), plane.orientation or ()):
                part.append(index)
                break
        else:
            parts.append([index])
    if len(parts) == 1:
        return [header]
    return [replace(header, planes=tuple(header.planes[i] for i in part)) for part in parts]


def _joined(series: Sequence[Series]) -> list[Series]:
    """Cines of one slice each, parallel, of one size and at different places: one stack."""
    singles: list[list[Series]] = []
    rest = []
    for one in series:
        if not _is_single_cine(one):
            rest.append(one)
            continue
        for group in singles:
            if _one_stack(group[0], one):
                group.append(one)
                break
        else:
            singles.append([one])
    return [*rest, *(_join(group) for group in singles)]


def _offsets(series: Series) -> list[float]:
    planes = [plane for header in series.headers for plane in header.planes]
    normal = normal_of(planes[0])
    return [float(np.dot(plane.position or (0, 0, 0), normal)) for plane in planes]


def _is_single_cine(series: Series) -> bool:
    planes = [plane for header in series.headers for plane in header.planes]
    if len(planes) < 2 or any(p.position is None or p.orientation is None for p in planes):
        return False
    return bool(np.ptp(_offsets(series)) < 0.1)


def _one_stack(a: Series, b: Series) -> bool:
    first, second = a.headers[0], b.headers[0]
    same = first.size == second.size and _alike(_direction(first), _direction(second))
    return same and _kind(first) == _kind(second)


def _join(group: Sequence[Series]) -> Series:
    """All of them; where two lie at one place, the later one is a repeat and replaces the first."""
    places: dict[float, Series] = {}
    repeated: list[str] = []
    for one in sorted(group, key=lambda one: [(len(n), n) for n in one.numbers]):
        here = _offsets(one)[0]
        near = next((place for place in places if abs(place - here) < 0.1), here)
        repeated += places[near].numbers if near in places else ()
        places[near] = one
    joined = _series([header for one in places.values() for header in one.headers])
    return replace(joined, repeated=tuple(repeated))
