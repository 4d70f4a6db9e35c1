"""DICOM planes -> one stack: z along the normal, t by the clock, never by instance number."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import GeometryError, StudyError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.formats.bounds import require_memory, require_spacing
from heartseg.formats.box import Box
from heartseg.formats.dicom import Header, Plane
from heartseg.formats.dicom_pixels import read_pixels

SAME_POSITION_MM = 0.1
"""Planes closer than this along their normal are one slice at several times."""

CLOCKS_MS = ("TriggerTime", "NominalCardiacTriggerDelayTime", "FrameTime")
CLOCKS_ORDER = (
    "TemporalPositionIdentifier",
    "TemporalPositionIndex",
    "NominalPercentageOfCardiacPhase",
)
TIMES_OF_DAY = ("AcquisitionTime", "ContentTime")
"""They order the images of one slice; they do not say which images of two slices match."""


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Where each plane goes.

    Attributes:
        planes: `planes[t][z]`.
        geometry: of a frame.
        times_ms: mean over the slices, None where the headers hold no milliseconds.
        clock: the attribute that ordered the frames.
        notes: what was merged, aligned or assumed.
    """

    planes: tuple[tuple[Plane, ...], ...]
    geometry: Geometry
    times_ms: tuple[float, ...] | None
    clock: str | None
    notes: tuple[str, ...]


def arrange(
    headers: Sequence[Header],
    where: str,
    spacing_mm: tuple[float, float, float] | None = None,
) -> Stack:
    """Sort the planes of one series (or of one stack in several series) in space and time.

    Args:
        headers: their planes are parallel and of one size.
        where: name for messages.
        spacing_mm: (z, y, x) instead of what the headers say.

    Raises:
        GeometryError: the slices are not one regular stack, or spacings cannot be.
        StudyError: several images of one slice and nothing that orders them.
    """
    headers, notes = _without_copies(headers)
    planes = [plane for header in headers for plane in header.planes]
    placed = all(p.position and p.orientation for p in planes)
    slices = _slices(planes) if placed else [planes]
    slices, repeats = _without_repeats(slices)
    clock = _clock(slices, where)
    rows, times, said = _aligned([_ordered(s, clock) for s in slices], clock)
    geometry = (_placed if placed else _unplaced)(headers[0], rows[0], spacing_mm)
    if geometry.unit == "mm":
        require_spacing(where, geometry.spacing)
    else:
        said = [*said, "no spacing in the header: lengths are in pixels"]
    if clock == "frame" and headers[0].modality in ("MR", "CT"):
        said = [*said, f"neither positions nor times: {len(rows)} frames in their stored order"]
    timed = times if clock in CLOCKS_MS and len(rows) > 1 else None
    return Stack(tuple(rows), geometry, timed, clock, (*notes, *repeats, *said))


def read_stack(box: Box, headers: Sequence[Header], stack: Stack) -> Image:
    """Read the pixels of a stack, every file once.

    Values keep the stored type unless a header scales them; then they are float32.

    Raises:
        FormatError: as `read_pixels`, or more voxels than memory should hold.
    """
    wanted: dict[str, list[tuple[Plane, int, int]]] = {}
    for t, row in enumerate(stack.planes):
        for z, plane in enumerate(row):
            wanted.setdefault(plane.name, []).append((plane, t, z))
    used = [header for header in headers if header.name in wanted]
    dtype = _dtype(used)
    shape = (len(stack.planes), *stack.geometry.shape)
    require_memory(box.path.name, shape, dtype.itemsize)
    voxels = np.empty(shape, dtype)
    for header in used:
        pixels = read_pixels(box, header)
        for plane, t, z in wanted[header.name]:
            voxels[t, z] = _valued(pixels[plane.frame], plane)
    return Image(voxels, stack.geometry, stack.times_ms)


def _without_copies(headers: Sequence[Header]) -> tuple[list[Header], list[str]]:
    unique = {header.instance or header.name: header for header in reversed(headers)}
    kept = [h for h in headers if unique[h.instance or h.name] is h]
    copies = len(headers) - len(kept)
    return kept, [f"{copies} copies of images were left out"] if copies else []


def normal_of(plane: Plane) -> NDArray[np.float64]:
    """(3,) LPS direction of growing slice position."""
    row, column = np.reshape(np.asarray(plane.orientation, np.float64), (2, 3))
    return np.cross(row, column)


def _slices(planes: Sequence[Plane]) -> list[list[Plane]]:
    normal = normal_of(planes[0])
    far = [float(np.dot(plane.position or (), normal)) for plane in planes]
    slices: list[list[Plane]] = []
    last = -np.inf
    for index in np.argsort(far, kind="stable").tolist():
        if far[index] - last > SAME_POSITION_MM:
            slices.append([])
        slices[-1].append(planes[index])
        last = far[index]
    return slices


def _clock(slices: Sequence[Sequence[Plane]], where: str) -> str | None:
    """The first attribute that tells every slice's images apart; None for a single time."""
    if all(len(planes) == 1 for planes in slices):
        return None
    for clock in (*CLOCKS_MS, *CLOCKS_ORDER):
        if all(_tells_apart(planes, clock) for planes in slices):
            return clock
    if len({len(planes) for planes in slices}) == 1:
        for clock in TIMES_OF_DAY:
            if all(_tells_apart(planes, clock) for planes in slices):
                return clock
    if len({p.name for planes in slices for p in planes}) == 1 and len(slices) == 1:
        return "frame"  # one loop in one file: its frames are in order by definition
    raise StudyError(
        where,
        got="several images of one slice and no trigger time that orders them",
        allowed="one of " + ", ".join((*CLOCKS_MS, *CLOCKS_ORDER)),
        do="export the series with its cardiac timing, or as separate series",
    )


def _without_repeats(slices: list[list[Plane]]) -> tuple[list[list[Plane]], list[str]]:
    """Where a slice was acquired again with the same trigger times, the later images stay."""
    for clock in CLOCKS_MS:
        if not all(clock in plane.clocks for planes in slices for plane in planes):
            continue
        kept = [_last_of_each_time(planes, clock) for planes in slices]
        if min(len(planes) for planes in kept) < 2:
            continue  # a clock that stands still
        notes = [
            f"slice {z} was acquired more than once: the last one is used"
            for z, (old, new) in enumerate(zip(slices, kept, strict=True), start=1)
            if len(new) < len(old)
        ]
        return kept, notes
    return slices, []


def _last_of_each_time(planes: Sequence[Plane], clock: str) -> list[Plane]:
    def taken(plane: Plane) -> tuple[float, ...]:
        return tuple(plane.clocks.get(name, 0.0) for name in TIMES_OF_DAY)

    return list({plane.clocks[clock]: plane for plane in sorted(planes, key=taken)}.values())


def _tells_apart(planes: Sequence[Plane], clock: str) -> bool:
    times = [plane.clocks[clock] for plane in planes if clock in plane.clocks]
    return len(times) == len(planes) == len(set(times))


def _ordered(planes: Sequence[Plane], clock: str | None) -> list[Plane]:
    return sorted(planes, key=lambda plane: _time(plane, clock))


def _time(plane: Plane, clock: str | None) -> float:
    if clock is None or clock == "frame":
        return float(plane.frame)
    return plane.clocks[clock]


def _aligned(
    slices: list[list[Plane]], clock: str | None
) -> tuple[list[tuple[Plane, ...]], tuple[float, ...], list[str]]:
    """Rows of one phase each, index by index or nearest in time where counts differ; times."""
    counts = Counter(len(planes) for planes in slices)
    frames = max(counts, key=lambda count: (count * counts[count], count))
    whole = [planes for planes in slices if len(planes) == frames]
    reference = np.array([[_time(p, clock) for p in planes] for planes in whole]).mean(axis=0)
    columns, notes = [], []
    for z, planes in enumerate(slices, start=1):
        if len(planes) == frames:
            columns.append(planes)
            continue
        times = np.array([_time(plane, clock) for plane in planes])
        nearest = np.abs(reference[:, None] - times).argmin(axis=1)
        columns.append([planes[index] for index in nearest.tolist()])
        notes.append(f"slice {z} has {len(planes)} phases, not {frames}: the nearest are used")
    rows = [tuple(row) for row in zip(*columns, strict=True)]
    return rows, tuple(reference.tolist()), notes


def _placed(
    header: Header, row: Sequence[Plane], spacing_mm: tuple[float, float, float] | None
) -> Geometry:
    first = row[0]
    positions = np.array([plane.position for plane in row], np.float64)
    if first.spacing is None and spacing_mm is None:
        raise GeometryError(
            header.name.rpartition("/")[2], got="no PixelSpacing", do="pass --spacing-mm"
        )
    require_spacing(header.name.rpartition("/")[2], first.spacing or (1.0, 1.0))
    geometry = Geometry.from_planes(
        positions,
        first.orientation or (),
        first.spacing or (1.0, 1.0),
        header.size,
        _thickness(header),
    )
    return geometry.respaced(spacing_mm) if spacing_mm else geometry


def _thickness(header: Header) -> float:
    """mm for a single slice: what lies between slices, else its thickness, else 1."""
    for keyword in ("SpacingBetweenSlices", "SliceThickness"):
        try:
            value = float(header.facts.get(keyword, ""))
        except ValueError:
            continue
        if value > 0:
            return value
    return 1.0


def _unplaced(
    header: Header, row: Sequence[Plane], spacing_mm: tuple[float, float, float] | None
) -> Geometry:
    spacing = row[0].spacing
    if spacing_mm is None and spacing is not None:
        spacing_mm = (_thickness(header), spacing[0], spacing[1])
    return Geometry.from_pixels((1, *header.size), spacing_mm)


def _dtype(headers: Sequence[Header]) -> np.dtype[np.generic]:
    planes = [plane for header in headers for plane in header.planes]
    if any((plane.slope, plane.intercept) != (1.0, 0.0) for plane in planes):
        return np.dtype(np.float32)
    if any(header.colour for header in headers):
        return np.dtype(np.uint8)
    return np.result_type(*{header.dtype for header in headers})


def _valued(stored: NDArray[Any], plane: Plane) -> NDArray[Any]:
    if (plane.slope, plane.intercept) == (1.0, 0.0):
        return stored
    values: NDArray[Any] = (stored * np.float64(plane.slope) + plane.intercept).astype(np.float32)
    return values
