"""Image files with label files beside them: what most published layouts are made of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from heartseg.core.anatomy import Labels, Structure
from heartseg.core.errors import GeometryError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image, Segmentation
from heartseg.core.study import Source, View
from heartseg.read.candidate import require_picture, safe_id, stem_of
from heartseg.read.image_file import Spacing, format_of, grid_of, notes_of, read_image

ReadLabels = Callable[[Path], Segmentation]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """An image file, and the file of its labels where there is one."""

    image: Path
    labels: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """One view of a study.

    Attributes:
        parts: one file or several; their frames follow each other.
        read_labels: how a label file becomes anatomy.
        structures: what was drawn.
        spacing_mm: (z, y, x) instead of what the files say.
    """

    parts: tuple[Part, ...]
    read_labels: ReadLabels
    structures: tuple[Structure, ...]
    spacing_mm: Spacing = None

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file, images and labels."""
        named = (file for part in self.parts for file in (part.image, part.labels))
        return tuple(file for file in named if file is not None)

    @property
    def has_labels(self) -> bool:
        """True when some part has labels."""
        return any(part.labels for part in self.parts)

    def image(self) -> Image:
        """All frames on one grid.

        Raises:
            FormatError: a file cannot be read or shows nothing.
            GeometryError: the files' grids differ.
        """
        images = [read_image(part.image, self.spacing_mm) for part in self.parts]
        for image, part in zip(images, self.parts, strict=True):
            require_picture(image.voxels, part.image.name)
            _require_grid(part.image, image.geometry, images[0].geometry)
        if len(images) == 1:
            return images[0]
        return Image(np.concatenate([image.voxels for image in images]), images[0].geometry)

    def sources(self) -> tuple[Source, ...]:
        """Where each frame came from.

        Raises:
            FormatError, GeometryError: a file's header cannot be read.
        """
        found, first = [], 0
        for part in self.parts:
            _, frames = grid_of(part.image, self.spacing_mm)
            found.append(
                Source(
                    stem=safe_id(stem_of(part.image)),
                    format=format_of(part.image),
                    path=part.image,
                    frames=tuple(range(first, first + frames)),
                )
            )
            first += frames
        return tuple(found)

    def notes(self) -> tuple[str, ...]:
        """What the reader of the first file assumed."""
        return notes_of(self.parts[0].image, self.spacing_mm)

    def reference(self) -> Segmentation:
        """The labels on the image's grid and frames; empty where no file has any.

        Raises:
            FormatError, LabelError: a label file cannot be read or understood.
            GeometryError: one lies on another grid or has another number of frames.
        """
        grid, _ = grid_of(self.parts[0].image, self.spacing_mm)
        labels = [self._labels_of(part) for part in self.parts]
        return Segmentation(np.concatenate(labels), grid, self.structures)

    def covered(self) -> dict[int, tuple[Structure, ...]]:
        """The frames that a label file describes, and what was drawn there."""
        sources = zip(self.sources(), self.parts, strict=True)
        frames = (frame for source, part in sources if part.labels for frame in source.frames)
        return dict.fromkeys(frames, self.structures)

    def _labels_of(self, part: Part) -> Labels:
        grid, frames = grid_of(part.image, self.spacing_mm)
        if part.labels is None:
            return np.zeros((frames, *grid.shape), np.uint8)
        seg = self.read_labels(part.labels)
        _require_grid(part.labels, _placed(seg.geometry, grid), grid)
        if seg.frames != frames:
            raise GeometryError(
                part.labels.name,
                got=f"{seg.frames} frames of labels",
                allowed=f"{frames}, as {part.image.name} has",
                do="the copy may be damaged: get the file again",
            )
        return seg.labels


def references(views: Mapping[View, Labelled]) -> dict[View, Segmentation]:
    """The labels of every view that has some.

    Raises:
        InputError: as `Labelled.reference`.
    """
    return {view: one.reference() for view, one in views.items() if one.has_labels}


def coverage(views: Mapping[View, Labelled]) -> dict[View, dict[int, tuple[Structure, ...]]]:
    """The frames with labels of every view that has some."""
    return {view: one.covered() for view, one in views.items() if one.has_labels}


def fully_labelled(views: Sequence[Labelled]) -> bool:
    """True when every file of every view has its labels."""
    return all(part.labels for view in views for part in view.parts)


def _placed(labels: Geometry, image: Geometry) -> Geometry:
    """A picture has no place of its own: it takes the image's."""
    same = labels.unit == "px" and labels.shape == image.shape
    return image if same else labels


def _require_grid(file: Path, mine: Geometry, theirs: Geometry) -> None:
    if mine.unit == theirs.unit and mine.same_grid(theirs):
        return
    raise GeometryError(
        file.name,
        got=f"another grid: {_said(mine)}",
        allowed=_said(theirs),
        do="the copy may be damaged: get the file again, or resample it to the image",
    )


def _said(grid: Geometry) -> str:
    size = " x ".join(map(str, grid.shape))
    spacing = " x ".join(f"{value:.4g}" for value in grid.spacing)
    return f"{size} voxels of {spacing} {grid.unit}"
