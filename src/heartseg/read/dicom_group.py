"""Which DICOM planes belong together: by direction, size and purpose; never by file name."""

from collections.abc import Sequence
from dataclasses import replace

from heartseg.formats.dicom import Header, Plane
from heartseg.read.dicom_kind import component_of, purpose_of
from heartseg.read.dicom_stack import Series, alike, direction, joined, of


def split(headers: Sequence[Header]) -> list[Series]:
    """The stacks of a study, those with most planes first to be found as they lie in the files."""
    groups: dict[_Key, list[Header]] = {}
    for header in headers:
        for part in _parallel(header):
            same = (
                header.series,
                header.size,
                header.colour,
                component_of(part),
                part.planes[0].stack,
            )
            key = next((k for k in groups if _belongs(k, same, part)), (same, direction(part)))
            groups.setdefault(key, []).append(part)
    return joined([_series(group, groups) for group in groups.values()])


_Key = tuple[object, tuple[float, ...]]


def _belongs(key: _Key, same: object, part: Header) -> bool:
    stored, looks = key
    return bool(stored == same and alike(looks, direction(part)))


def _series(group: Sequence[Header], groups: "dict[_Key, list[Header]]") -> Series:
    first = group[0]
    directions = sum(others[0].series == first.series for others in groups.values())
    verdict = purpose_of(group, directions=directions, twin=_has_twin(group, groups))
    return of(group, verdict)


def _has_twin(group: Sequence[Header], groups: "dict[_Key, list[Header]]") -> bool:
    """True when other, velocity images have the same places and times."""
    if component_of(group[0]):
        return False
    mine = {_where(plane) for header in group for plane in header.planes}
    return any(
        component_of(others[0]) and mine == {_where(p) for h in others for p in h.planes}
        for others in groups.values()
    )


def _where(plane: Plane) -> tuple[float, ...]:
    return *(round(value, 1) for value in plane.position or ()), plane.clocks.get(
        "TriggerTime", 0.0
    )


def _parallel(header: Header) -> list[Header]:
    """The file's planes by stack and direction: a localiser may hold three stacks in one file."""
    parts: list[list[int]] = []
    for index, plane in enumerate(header.planes):
        for part in parts:
            first = header.planes[part[0]]
            same = first.stack == plane.stack
            if same and alike(first.orientation or (), plane.orientation or ()):
                part.append(index)
                break
        else:
            parts.append([index])
    if len(parts) == 1:
        return [header]
    return [replace(header, planes=tuple(header.planes[i] for i in part)) for part in parts]
