"""Image files with label files beside them: what most published layouts are made of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from heartseg.core.anatomy import Labels, Structure
from heartseg.core.errors import GeometryError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image, Segmentation
from heartseg.core.study import Modality, Phases, Source, Study, View
from heartseg.read.candidate import require_picture, safe_id, stem_of
from heartseg.read.image_file import Spacing, grid_of, placed_like, read_noted, required_format
from heartseg.read.laid_labels import fits, laid_on

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

    def read(self) -> tuple[Image, tuple[Source, ...], tuple[str, ...]]:
        """All frames on one grid, where each came from, and what their readers assumed.

        Raises:
            FormatError: a file cannot be read or shows nothing.
            GeometryError: the files' grids differ.
        """
        images: list[Image] = []
        notes: list[str] = []
        for part in self.parts:
            image, said = read_noted(part.image, self.spacing_mm)
            require_picture(image.voxels, part.image.name)
            images.append(image)
            notes += said
            _require_grid(part.image, image.geometry, images[0].geometry)
        sources = _sources(self.parts, [image.frames for image in images])
        kept = tuple(dict.fromkeys(notes))
        if len(images) == 1:
            return images[0], sources, kept
        voxels = np.concatenate([image.voxels for image in images])
        return Image(voxels, images[0].geometry), sources, kept

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
        counts = [grid_of(part.image, self.spacing_mm)[1] for part in self.parts]
        sources = zip(_sources(self.parts, counts), self.parts, strict=True)
        frames = (frame for source, part in sources if part.labels for frame in source.frames)
        return dict.fromkeys(frames, self.structures)

    def _labels_of(self, part: Part) -> Labels:
        grid, frames = grid_of(part.image, self.spacing_mm)
        if part.labels is None:
            return np.zeros((frames, *grid.shape), np.uint8)
        seg = self.read_labels(part.labels)
        seg = replace(seg, geometry=placed_like(part.labels, seg.geometry, grid))
        laid = laid_on(part.labels, seg, grid)
        if laid is None:
            raise _strange(part.labels, seg.geometry, grid)
        if seg.frames != frames:
            raise GeometryError(
                part.labels.name,
                got=f"{seg.frames} frames of labels",
                allowed=f"{frames}, as {part.image.name} has",
                do="the copy may be damaged: get the file again",
            )
        return laid


def study_of(
    name: str,
    modality: Modality,
    views: Mapping[View, Labelled],
    phases: Mapping[View, Phases] = MappingProxyType({}),
    **known: Any,
) -> Study:
    """The study of these views.

    Args:
        name: its id.
        modality: of all views.
        views: their files.
        phases: where the data set tells them.
        known: `body`, `group`, and `notes` that follow those of the readers.

    Raises:
        InputError: as `Labelled.read`.
    """
    read = {view: one.read() for view, one in views.items()}
    said = dict.fromkeys(note for _, _, notes in read.values() for note in notes)
    notes = (*said, *known.pop("notes", ()))
    return Study(
        id=name,
        modality=modality,
        images={view: image for view, (image, _, _) in read.items()},
        sources={view: sources for view, (_, sources, _) in read.items()},
        phases=phases,
        notes=notes,
        **known,
    )


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


def _sources(parts: Sequence[Part], counts: Sequence[int]) -> tuple[Source, ...]:
    firsts = np.cumsum([0, *counts]).tolist()
    return tuple(
        Source(
            stem=safe_id(stem_of(part.image)),
            format=required_format(part.image).name,
            path=part.image,
            frames=tuple(range(first, first + count)),
        )
        for part, first, count in zip(parts, firsts, counts, strict=False)
    )


def _require_grid(file: Path, mine: Geometry, theirs: Geometry) -> None:
    if not fits(mine, theirs):
        raise _strange(file, mine, theirs)


def _strange(file: Path, mine: Geometry, theirs: Geometry) -> GeometryError:
    return GeometryError(
        file.name,
        got=f"another grid: {mine.words}",
        allowed=theirs.words,
        do="the copy may be damaged: get the file again, or resample it to the image",
    )
