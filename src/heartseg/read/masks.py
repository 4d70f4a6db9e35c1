"""Somebody's labels for a study: published ones, or masks named like the study's files."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from heartseg.core.anatomy import Scheme, Structure, scheme
from heartseg.core.errors import LabelError, StudyError
from heartseg.core.image import Image, Segmentation
from heartseg.core.study import Source, Study, View
from heartseg.formats.table import LABEL_SUFFIXES
from heartseg.read.contour_table import ENDINGS as TABLE_ENDINGS
from heartseg.read.contour_table import is_contour_table, read_contours_for
from heartseg.read.dicom_labels import is_segmentation, read_segments_for
from heartseg.read.labels import read_labels_for

ENDINGS = ("_seg", "_gt", "_label", "_mask", "")
"""What is put between a file's stem and its suffix to name its mask, likeliest first."""


def study_masks(study: Study, place: Path, name: str) -> Mapping[View, Segmentation]:
    """The segmentation of a study's images that lies at `place`.

    Args:
        study: with its images.
        place: a mask (a DICOM Segmentation says by its codes what it holds, a table of contours by
            names: neither needs a scheme),
            a folder of masks named `<stem>_seg.nii.gz` and the like (or a folder of such folders,
            named by study).
        name: scheme of the label numbers.

    Raises:
        StudyError: no mask for a file of the study.
        GeometryError: a mask on another grid.
        LabelError: a number without meaning, or ventricles exchanged.
    """
    numbers = scheme(name)
    return {view: _of_view(study, view, place, numbers) for view in study.images}


def _of_view(study: Study, view: View, place: Path, numbers: Scheme) -> Segmentation:
    image = study.images[view]
    labels = np.zeros(image.voxels.shape, np.uint8)
    structures = tuple(s for _, s in sorted(numbers.numbers.items()) if s)
    covered: list[int] = []
    named: list[Structure] = []
    for source in study.sources[view]:
        file = mask_file(source, place, study.id)
        frames, part = list(source.frames), image.part(source.frames)
        if is_contour_table(file) or is_segmentation(file):
            seg = _named(file, part, source)
            labels[frames] = seg.labels
            named += seg.structures
            covered += [frame for at, frame in enumerate(frames) if seg.covers(at)]
            continue
        found, warnings = read_labels_for(file, numbers, part, source.path)
        if warnings:  # numbers from exchanged ventricles would look plausible
            raise LabelError("; ".join(warnings))
        labels[frames] = found.labels
        covered += frames
    drawn = tuple(sorted(covered)) if len(covered) < image.frames else None
    structures = tuple(dict.fromkeys(named)) or structures
    return Segmentation(labels, image.geometry, structures, image.times_ms, drawn)


def _named(file: Path, image: Image, source: Source) -> Segmentation:
    """Labels that say by themselves what they are."""
    if is_contour_table(file):
        return read_contours_for(file, image)
    return read_segments_for(file, image, source)


def mask_file(source: Source, place: Path, study: str) -> Path:
    """The mask of a file of a study at `place`.

    Raises:
        StudyError: there is none.
    """
    if place.is_file():
        return place
    for file in _names(source, place, study):
        if file.is_file() and file.resolve() != source.path.resolve():
            return file
    raise StudyError(
        place.name,
        got=f"no mask for {source.stem}",
        allowed=f"{source.stem}_seg.nii.gz, {source.stem}_gt.nii.gz or the like",
        do="name it so, or pass the file itself",
    )


def _names(source: Source, place: Path, study: str) -> Iterator[Path]:
    for folder in (place / study, place):
        for ending in ENDINGS:
            for suffix in LABEL_SUFFIXES:
                yield folder / f"{source.stem}{ending}{suffix}"
        for ending in TABLE_ENDINGS:
            yield folder / f"{source.stem}{ending}"
