"""The masks, back on the files' own grids."""

from collections.abc import Mapping
from pathlib import Path

from heartseg.core.anatomy import Scheme
from heartseg.core.errors import OutputError
from heartseg.core.image import Segmentation
from heartseg.core.study import Source, Study, View

PICTURES = "raster"
"""The format of sources whose masks are pictures too, label numbers as pixel values."""


def save_masks(
    study: Study, segmentations: Mapping[View, Segmentation], folder: Path, scheme: Scheme
) -> tuple[Path, ...]:
    """Write `<stem>_seg.nii.gz` (or `.png` for pictures) for each file of the study.

    Raises:
        LabelError: a structure that the scheme has no number for.
        OutputError: a mask could not be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise _unwritten(folder, fault) from fault
    written = []
    for view, segmentation in segmentations.items():
        for source in study.sources[view]:
            written.append(_save(_part(segmentation, source), source, folder, scheme))
    return tuple(written)


def _part(segmentation: Segmentation, source: Source) -> Segmentation:
    frames = list(source.frames)
    if frames == list(range(segmentation.frames)):
        return segmentation
    times = segmentation.times_ms
    return Segmentation(
        segmentation.labels[frames],
        segmentation.geometry,
        segmentation.structures,
        None if times is None else tuple(times[frame] for frame in frames),
    )


def _save(segmentation: Segmentation, source: Source, folder: Path, scheme: Scheme) -> Path:
    picture = source.format == PICTURES
    path = folder / f"{source.stem}_seg{'.png' if picture else '.nii.gz'}"
    try:
        if picture:
            from heartseg.formats import raster

            raster.write_labels(path, segmentation, scheme)
        else:
            from heartseg.formats import nifti

            like = source.path if source.format == "nifti" else None
            nifti.write_labels(path, segmentation, scheme, like=like)
    except OSError as fault:
        raise _unwritten(path, fault) from fault
    return path


def _unwritten(path: Path, fault: OSError) -> OutputError:
    got = fault.strerror or type(fault).__name__
    return OutputError(path.name, got=got, do="choose another folder with -o")
