"""Where the frames of a segmentation lie on the grid of an image, in space and in time."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import GeometryError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.formats.dicom_planes import Plane

OFF_GRID = 0.1
"""Share of a voxel by which a plane's corners may miss the image's voxels."""

Voxels = tuple[NDArray[np.intp], ...]
"""(t, z, y, x) of some voxels, for indexing."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placed:
    """One plane of one segment.

    Attributes:
        source: SOP instance and frame that it was drawn on.
        segment: number.
        mask: (rows, columns) bool.
    """

    plane: Plane
    source: tuple[str, int] | None
    segment: int
    mask: NDArray[np.bool_]


def place(
    frames: Iterable[Placed],
    image: Image,
    clocks: Mapping[str, Mapping[str, float]],
    where: str,
) -> Iterator[tuple[int, int, Voxels]]:
    """For each plane its segment's number, its frame and its voxels in the image.

    Args:
        frames: in any order; planes without a voxel may be absent.
        image: with its grid and times.
        clocks: the image's files' times, by SOP instance.
        where: the file, for messages.

    Raises:
        GeometryError: another grid; a cine of which frames are not told; or two planes of a segment
            at one place and time: then they are of other times than the image's.
    """
    taken = set()
    for one in frames:
        t = _time(one, image, clocks, where)
        here = one.segment, t, tuple(round(value, 2) for value in one.plane.position or ())
        if here in taken:
            raise GeometryError(
                where,
                got=f"two planes of segment {one.segment} at one place in frame {t + 1} of "
                f"{image.frames}",
                allowed="one",
                do="name the images that they were drawn on, with the same times",
            )
        taken.add(here)
        z, y, x = _voxels(one, image.geometry, where)
        yield one.segment, t, (np.full(z.shape, t), z, y, x)


def _voxels(one: Placed, geometry: Geometry, where: str) -> Voxels:
    rows, columns = np.nonzero(one.mask)
    plane = one.plane
    if plane.position is None or plane.orientation is None or plane.spacing is None:
        if geometry.shape != (1, *one.mask.shape):
            raise _another(where, one, geometry)
        return np.zeros_like(rows), rows, columns
    start, down, right = _steps(plane, geometry)
    last = np.array(one.mask.shape) - 1
    corners = [start + down * y + right * x for y in (0, last[0]) for x in (0, last[1])]
    down_, right_ = np.rint(down), np.rint(right)
    ideal = [np.rint(start) + down_ * y + right_ * x for y in (0, last[0]) for x in (0, last[1])]
    if np.abs(np.array(corners) - ideal).max() > OFF_GRID or np.dot(down_, right_) != 0:
        raise _another(where, one, geometry)
    found = np.rint(start) + rows[:, None] * down_ + columns[:, None] * right_
    index = found.astype(np.intp)
    if ((index < 0) | (index >= geometry.shape)).any():
        raise _another(where, one, geometry)
    return tuple(index.T)


def _steps(plane: Plane, geometry: Geometry) -> tuple[NDArray[np.float64], ...]:
    """(z, y, x) in the image of a plane's first pixel, and of a step down and to the right."""
    to_index = np.linalg.inv(geometry.affine)
    row, column = np.reshape(np.asarray(plane.orientation, np.float64), (2, 3))
    spacing = plane.spacing or (1.0, 1.0)
    start = (to_index @ [*(plane.position or ()), 1.0])[:3]
    return start, to_index[:3, :3] @ column * spacing[0], to_index[:3, :3] @ row * spacing[1]


def _another(where: str, one: Placed, geometry: Geometry) -> GeometryError:
    shape = " x ".join(map(str, geometry.shape))
    size = " x ".join(map(str, one.mask.shape))
    place = [round(value, 2) for value in one.plane.position or ()]
    return GeometryError(
        where,
        got=f"a plane of {size} at {place or 'no position'}, outside of the image's voxels",
        allowed=f"planes of the image's grid of {shape} voxels",
        do="resample the segments to the image (nearest neighbour), or name the right file",
    )


_MS = ("NominalCardiacTriggerDelayTime", "TriggerTime", "FrameTime")


def _time(one: Placed, image: Image, clocks: Mapping[str, Mapping[str, float]], where: str) -> int:
    """Frame of the image: by the plane's own time, by its source's, by its source's number."""
    if image.frames == 1:
        return 0
    instance, frame = one.source or ("", 0)
    for said in (one.plane.clocks, clocks.get(instance, {})):
        found = _nearest(said, image)
        if found is not None:
            return found
    if one.plane.position is None and one.source is not None and 0 <= frame < image.frames:
        return frame
    raise GeometryError(
        where,
        got=f"a plane that does not say which of the image's {image.frames} frames it belongs to",
        allowed="NominalCardiacTriggerDelayTime, TemporalPositionIndex, or the source image",
        do="give segments with the time in the cycle, or an image of one frame",
    )


def _nearest(said: Mapping[str, float], image: Image) -> int | None:
    if image.times_ms is not None:
        times = np.array(image.times_ms)
        apart = float(np.diff(np.sort(times)).min())
        for name in _MS:
            if name in said:
                away = np.abs(times - said[name])
                return int(away.argmin()) if away.min() <= apart / 2 else None
    index = said.get("TemporalPositionIndex", said.get("TemporalPositionIdentifier"))
    usable = index is not None and 1 <= index <= image.frames and index == int(index)
    return int(index) - 1 if usable and index is not None else None
