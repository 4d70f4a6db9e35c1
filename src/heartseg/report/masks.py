"""The masks, back on the files' own grids."""

from collections.abc import Mapping
from pathlib import Path

from heartseg.core.anatomy import Scheme
from heartseg.core.errors import OutputError
from heartseg.core.image import Segmentation
from heartseg.core.study import Source, Study, View
from heartseg.formats.stored import STORED_XYZ
from heartseg.formats.table import FORMATS


def save_masks(
    study: Study, segmentations: Mapping[View, Segmentation], folder: Path, scheme: Scheme
) -> tuple[Path, ...]:
    """Write `<stem>_seg.nii.gz` (or `.png` for single pictures) for each file of the study.

    The NIfTI mask of a NIfTI file has its header, that of another file its axis order, so that
    every viewer lays it over the source.

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
            written.append(_save(part_of(segmentation, source), source, folder, scheme))
    return tuple(written)


def part_of(segmentation: Segmentation, source: Source) -> Segmentation:
    """The frames of a segmentation that a file holds, in the file's own order."""
    whole = source.frames == tuple(range(segmentation.frames))
    return segmentation if whole else segmentation.part(source.frames)


def _save(segmentation: Segmentation, source: Source, folder: Path, scheme: Scheme) -> Path:
    known = FORMATS.get(source.format)
    picture = known is not None and known.flat and segmentation.labels.shape[:2] == (1, 1)
    path = folder / f"{source.stem}_seg{'.png' if picture else '.nii.gz'}"
    try:
        if picture:
            from heartseg.formats import raster

            raster.write_labels(path, segmentation, scheme)
        else:
            from heartseg.formats import nifti

            like = source.path if source.format == "nifti" else None
            order = getattr(known and known.door, "stored_order", lambda _: STORED_XYZ)
            nifti.write_labels(path, segmentation, scheme, like, order(source.path))
    except OSError as fault:
        raise _unwritten(path, fault) from fault
    return path


def _unwritten(path: Path, fault: OSError) -> OutputError:
    got = fault.strerror or type(fault).__name__
    return OutputError(path.name, got=got, do="choose another folder with -o")
