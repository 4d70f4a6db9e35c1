"""Images and segmentations: voxels with their place in the patient and in time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Labels, Scheme, Structure
from heartseg.core.errors import GeometryError
from heartseg.core.geometry import Geometry


def _require_fit(shape: tuple[int, ...], geometry: Geometry, times: int | None) -> None:
    if len(shape) != 4 or shape[1:] != geometry.shape or shape[0] < 1:
        allowed = "(t, " + ", ".join(map(str, geometry.shape)) + ")"
        raise GeometryError("array", got=f"shape {shape}", allowed=allowed)
    if times is not None and times != shape[0]:
        raise GeometryError("times", got=f"{times} for {shape[0]} frames", allowed="one a frame")


def _part_of(times: tuple[float, ...] | None, frames: Sequence[int]) -> tuple[float, ...] | None:
    return None if times is None else tuple(times[frame] for frame in frames)


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """Intensities on a grid.

    Attributes:
        voxels: (t, z, y, x), always four axes, any real type; a still has t = 1.
        geometry: the grid of every frame.
        times_ms: time of each frame in the heart's cycle, None where the file does not say.
    """

    voxels: NDArray[Any]
    geometry: Geometry
    times_ms: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        times = None if self.times_ms is None else len(self.times_ms)
        _require_fit(self.voxels.shape, self.geometry, times)

    @property
    def frames(self) -> int:
        """Number of frames."""
        return int(self.voxels.shape[0])

    def like(self, voxels: NDArray[Any]) -> Self:
        """Other voxels on the same grid and at the same times."""
        return replace(self, voxels=voxels)

    def part(self, frames: Sequence[int]) -> Self:
        """Some frames, with their times."""
        times = _part_of(self.times_ms, frames)
        return replace(self, voxels=self.voxels[list(frames)], times_ms=times)

    def labelled(self, scheme: Scheme, where: str) -> "Segmentation":
        """The anatomy of an image whose voxels are the numbers of a scheme.

        Raises:
            LabelError: a number that the scheme does not know; `where` is for the message.
        """
        labels = scheme.read(self.voxels, where=where)
        return Segmentation(labels, self.geometry, scheme.structures, self.times_ms)


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """Anatomy on a grid.

    Attributes:
        labels: (t, z, y, x) uint8 of `Structure` values.
        geometry: the grid of every frame, the same as the image's.
        structures: what the maker could have found; absent voxels of one mean "none there",
            a structure not listed was not looked for.
        times_ms: as the image's.
        covered: the frames that somebody drew, rising; None for all. The background of the others
            means nothing.
    """

    labels: Labels
    geometry: Geometry
    structures: tuple[Structure, ...]
    times_ms: tuple[float, ...] | None = None
    covered: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        times = None if self.times_ms is None else len(self.times_ms)
        _require_fit(self.labels.shape, self.geometry, times)
        if self.labels.dtype != np.uint8:
            raise GeometryError("labels", got=str(self.labels.dtype), allowed="uint8")

    @property
    def frames(self) -> int:
        """Number of frames."""
        return int(self.labels.shape[0])

    def like(self, labels: Labels) -> Self:
        """Other labels on the same grid and at the same times."""
        return replace(self, labels=labels)

    def taken_for(self, others: Mapping[Structure, Structure]) -> Self:
        """With some structures taken for others, a scar for the muscle that it was.

        Args:
            others: by structure, what its voxels become. What was looked for is then the other.
        """
        table = np.arange(256, dtype=np.uint8)
        table[list(others)] = list(others.values())
        named = tuple(dict.fromkeys(others.get(one, one) for one in self.structures))
        return replace(self, labels=table[self.labels], structures=named)

    def part(self, frames: Sequence[int]) -> Self:
        """Some frames, with their times."""
        times = _part_of(self.times_ms, frames)
        kept = tuple(at for at, frame in enumerate(frames) if self.covers(frame))
        covered = None if self.covered is None else kept
        return replace(self, labels=self.labels[list(frames)], times_ms=times, covered=covered)

    def covers(self, frame: int) -> bool:
        """Whether a frame was drawn, so that its background says what is not there."""
        return self.covered is None or frame in self.covered

    def mask(self, structure: Structure, frame: int) -> NDArray[np.bool_]:
        """(z, y, x) voxels of a structure in a frame."""
        found: NDArray[np.bool_] = self.labels[frame] == structure
        return found


@dataclass(frozen=True, slots=True, eq=False)
class SparseSegmentation:
    """Anatomy that was drawn in some voxels only, as scribbles are.

    Attributes:
        segmentation: background where nothing was drawn, which says nothing of what is there.
        annotated: (t, z, y, x), True where somebody said what the voxel is, background included.
    """

    segmentation: Segmentation
    annotated: NDArray[np.bool_]

    def __post_init__(self) -> None:
        if self.annotated.shape != self.segmentation.labels.shape:
            raise GeometryError(
                "annotated voxels",
                got=f"shape {self.annotated.shape}",
                allowed=str(self.segmentation.labels.shape),
            )
