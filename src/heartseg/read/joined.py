"""One image from files that hold a frame or a slice of it each."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import GeometryError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image, Segmentation

Number = TypeVar("Number", bound=np.generic)


def joined_frames(files: Sequence[Path], images: Sequence[Image]) -> Image:
    """Stills of one grid, one after the other in time.

    Raises:
        GeometryError: one has several frames, or lies on another grid than the first.
    """
    first = images[0]
    for file, image in zip(files, images, strict=True):
        if image.frames != 1:
            raise GeometryError(file.name, got=f"{image.frames} frames", allowed="one frame")
        if not image.geometry.same_grid(first.geometry):
            raise _other_grid(file, image.geometry, f"the grid of {files[0].name}", first.geometry)
    return Image(np.concatenate([image.voxels for image in images]), first.geometry)


def joined_labels(
    files: Sequence[Path], labels: Sequence[Segmentation], grids: Sequence[tuple[int, Geometry]]
) -> Segmentation:
    """Labels of one grid, one after the other in time, each checked against its image.

    Args:
        files: of the labels, for messages.
        labels: as read from them.
        grids: number of frames and grid of the image that each belongs to.

    Raises:
        GeometryError: labels on another grid, or of another number of frames.
    """
    for file, seg, (frames, grid) in zip(files, labels, grids, strict=True):
        if seg.frames != frames:
            raise GeometryError(
                file.name,
                got=f"{seg.frames} frames of labels",
                allowed=f"{frames}, as its image",
                do="download the patient again",
            )
        if not seg.geometry.same_grid(grid):
            raise _other_grid(file, seg.geometry, "its image's grid", grid)
    first = labels[0]
    joined = np.concatenate([seg.labels for seg in labels])
    return Segmentation(joined, first.geometry, first.structures)


def joined_slices(
    files: Sequence[Path],
    planes: Sequence[NDArray[Number]],
    spacing_mm: tuple[float, float, float] | None,
) -> tuple[NDArray[Number], Geometry]:
    """Planes (1, 1, y, x) without a place of their own, stacked in the order given.

    Returns:
        Voxels (1, z, y, x) and their grid, in pixels unless (z, y, x) spacing is given.

    Raises:
        GeometryError: one is of another size than the first.
    """
    first = planes[0].shape
    for file, plane in zip(files, planes, strict=True):
        if plane.shape != first:
            raise GeometryError(
                file.name,
                got="a slice of {} x {} pixels".format(*plane.shape[-2:]),
                allowed="{} x {}, as {}".format(*first[-2:], files[0].name),
                do="copy or export it again",
            )
    voxels = np.concatenate(planes, axis=1)
    return voxels, Geometry.from_pixels((len(planes), *first[-2:]), spacing_mm)


def _other_grid(file: Path, got: Geometry, whose: str, wanted: Geometry) -> GeometryError:
    return GeometryError(
        file.name,
        got=f"another grid: {_words(got)}",
        allowed=f"{whose}: {_words(wanted)}",
        do="download the patient again",
    )


def _words(grid: Geometry) -> str:
    size = " x ".join(map(str, grid.shape))
    spacing = " x ".join(f"{value:.4g}" for value in grid.spacing)
    return f"{size} voxels of {spacing} {grid.unit} at {grid.affine[:3, 3].round(2).tolist()}"
