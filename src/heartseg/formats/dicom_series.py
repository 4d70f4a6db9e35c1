"""DICOM planes -> one stack: z along the normal, t by the clock, never by instance number."""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import GeometryError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.core.stack_order import stated_numbers
from heartseg.formats.bounds import require_memory, require_spacing
from heartseg.formats.box import Box
from heartseg.formats.dicom import Header, Plane
from heartseg.formats.dicom_pixels import read_pixels
from heartseg.formats.dicom_time import CLOCKS_MS, aligned, clock_of, ordered, without_repeats
from heartseg.formats.stored import ONE_PLANE

SAME_POSITION_MM = 0.1
"""Planes closer than this along their normal are one slice at several times."""

TILT_SAID = 0.1
"""Degrees from which slices that are not quite parallel are mentioned."""


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Where each plane goes.

    Attributes:
        planes: `planes[t][z]`.
        geometry: of a frame.
        times_ms: mean over the slices, None where the headers hold no milliseconds.
        clock: the attribute that ordered the frames.
        notes: what was merged, aligned or assumed.
        doubts: the notes for which a person should look before numbers are used.
    """

    planes: tuple[tuple[Plane, ...], ...]
    geometry: Geometry
    times_ms: tuple[float, ...] | None
    clock: str | None
    notes: tuple[str, ...]
    doubts: tuple[str, ...] = ()


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
    headers, notes = without_copies(headers)
    planes = [plane for header in headers for plane in header.planes]
    placed = all(p.position and p.orientation for p in planes)
    slices = _slices(planes, headers[0].size) if placed else [planes]
    slices, repeats = without_repeats(slices)
    clock = clock_of(slices, where)
    rows, times, aligning = aligned([ordered(s, clock) for s in slices], clock)
    if placed:
        geometry, said = _placed(headers[0], rows[0], spacing_mm)
    else:
        geometry, said = _unplaced(headers[0], rows[0], spacing_mm), []
    numbers = stated_numbers(geometry)
    slice_by_slice = [
        (f"slice {numbers[one.place]} {one.words}", one.doubt) for one in (*repeats, *aligning)
    ]
    notes += [words for words, _ in slice_by_slice]
    if geometry.unit == "mm":
        require_spacing(where, geometry.spacing)
    else:
        said = [*said, "no spacing in the header: lengths are in pixels"]
    if not geometry.depth_known and headers[0].modality in ("MR", "CT"):
        said = [*said, ONE_PLANE]
    if clock == "frame" and headers[0].modality in ("MR", "CT"):
        said = [*said, f"neither positions nor times: {len(rows)} frames in their stored order"]
    timed = times if clock in CLOCKS_MS and len(rows) > 1 else None
    return Stack(
        planes=tuple(rows),
        geometry=geometry,
        times_ms=timed,
        clock=clock,
        notes=(*notes, *said),
        doubts=tuple(words for words, doubt in slice_by_slice if doubt),
    )


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


def without_copies(headers: Sequence[Header]) -> tuple[list[Header], list[str]]:
    """The images without exact copies of others, and a note about those.

    A copy has the identifier, the places and the times of another; a shared identifier alone is
    what careless anonymisation leaves behind.
    """
    unique = {_identity(header): header for header in reversed(headers)}
    kept = [header for header in headers if unique[_identity(header)] is header]
    copies = len(headers) - len(kept)
    return kept, [f"{copies} copies of images were left out"] if copies else []


def _identity(header: Header) -> Hashable:
    what = tuple(
        (plane.frame, plane.position, plane.orientation, *sorted(plane.clocks.items()))
        for plane in header.planes
    )
    return header.instance or header.name, header.series, what


def normal_of(plane: Plane) -> NDArray[np.float64]:
    """(3,) LPS direction of growing slice position."""
    row, column = np.reshape(np.asarray(plane.orientation, np.float64), (2, 3))
    return np.cross(row, column)


def centre_of(plane: Plane, size: tuple[int, int]) -> NDArray[np.float64]:
    """(3,) LPS mm of the middle of a plane, which a small tilt does not move."""
    return _position(plane) + _half(plane, plane.orientation or (), size)


def _half(plane: Plane, orientation: Sequence[float], size: tuple[int, int]) -> NDArray[np.float64]:
    """From the first pixel to the middle of a plane in these directions."""
    row, column = np.reshape(np.asarray(orientation, np.float64), (2, 3))
    rows_mm, columns_mm = plane.spacing or (1.0, 1.0)
    half: NDArray[np.float64] = (
        row * columns_mm * (size[1] - 1) / 2 + column * rows_mm * (size[0] - 1) / 2
    )
    return half


def _position(plane: Plane) -> NDArray[np.float64]:
    return np.asarray(plane.position, np.float64)


def _slices(planes: Sequence[Plane], size: tuple[int, int]) -> list[list[Plane]]:
    normal = normal_of(planes[0])
    far = [float(np.dot(centre_of(plane, size), normal)) for plane in planes]
    slices: list[list[Plane]] = []
    last = -np.inf
    for index in np.argsort(far, kind="stable").tolist():
        if far[index] - last > SAME_POSITION_MM:
            slices.append([])
        slices[-1].append(planes[index])
        last = far[index]
    return slices


def _levelled(
    row: Sequence[Plane], size: tuple[int, int]
) -> tuple[tuple[float, ...], NDArray[np.float64], list[str]]:
    """The directions that most planes have, and where each begins when turned to them.

    Planes are turned about their middles: that moves no voxel near the heart by more than a
    fraction of a millimetre for the tilt of a degree that a stack may have.
    """
    common = Counter(_rounded(plane) for plane in row).most_common(1)[0][0]
    level = next(plane.orientation or () for plane in row if _rounded(plane) == common)
    tilts = [_tilt(plane.orientation or (), level) for plane in row]
    positions = [
        _position(plane) if tilt == 0.0 else centre_of(plane, size) - _half(plane, level, size)
        for plane, tilt in zip(row, tilts, strict=True)
    ]
    worst = max(tilts)
    tilted = sum(tilt >= TILT_SAID for tilt in tilts)
    said = [f"{tilted} slices are tilted by up to {worst:.1f} degrees: taken as parallel"]
    return level, np.array(positions), said if tilted else []


def _rounded(plane: Plane) -> tuple[float, ...]:
    return tuple(round(cosine, 4) for cosine in plane.orientation or ())


def _tilt(orientation: Sequence[float], level: Sequence[float]) -> float:
    """Largest angle between the directions of two planes, in degrees; 0 when they are equal."""
    if tuple(orientation) == tuple(level):
        return 0.0
    a, b = np.reshape(orientation, (2, 3)), np.reshape(level, (2, 3))
    return float(np.degrees(np.linalg.norm(a - b, axis=1).max()))


def _placed(
    header: Header, row: Sequence[Plane], spacing_mm: tuple[float, float, float] | None
) -> tuple[Geometry, list[str]]:
    first = row[0]
    level, positions, said = _levelled(row, header.size)
    if first.spacing is None and spacing_mm is None:
        raise GeometryError(
            header.name.rpartition("/")[2], got="no PixelSpacing", do="pass --spacing-mm"
        )
    require_spacing(header.name.rpartition("/")[2], first.spacing or (1.0, 1.0))
    geometry = Geometry.from_planes(
        positions,
        level,
        first.spacing or (1.0, 1.0),
        header.size,
        _thickness(header),
    )
    return geometry.respaced(spacing_mm) if spacing_mm else geometry, said


def _thickness(header: Header) -> float | None:
    """mm for a single slice: what lies between slices, else its thickness."""
    for keyword in ("SpacingBetweenSlices", "SliceThickness"):
        try:
            value = float(header.facts.get(keyword, ""))
        except ValueError:
            continue
        if 0 < value < np.inf:
            return value
    return None


def _unplaced(
    header: Header, row: Sequence[Plane], spacing_mm: tuple[float, float, float] | None
) -> Geometry:
    spacing = row[0].spacing
    if spacing_mm is None and spacing is not None:
        stated = (_thickness(header), spacing[0], spacing[1])
        return Geometry.from_pixels((1, *header.size), stated)
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
