"""One image or label file of any format of the table, by its name."""

from functools import lru_cache
from pathlib import Path

import numpy as np

from heartseg.core.anatomy import Scheme
from heartseg.core.errors import FormatError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image, Segmentation
from heartseg.formats.table import LABEL_SUFFIXES, SUFFIXES, Format, format_of

Spacing = tuple[float, float, float] | None


def suffix_of(name: str) -> str | None:
    """The ending by which a file is known to be an image, as it is written; else None."""
    low = name.lower()
    known = max((one for one in SUFFIXES if low.endswith(one)), key=len, default="")
    return name[len(name) - len(known) :] if 0 < len(known) < len(name) else None


def required_format(path: Path) -> Format:
    """The format of a file.

    Raises:
        FormatError: of none that heartseg knows.
    """
    known = format_of(path.name)
    if known is None:
        raise FormatError(path.name, got="no reader for this format", allowed=", ".join(SUFFIXES))
    return known


def read_noted(path: Path, spacing_mm: Spacing = None) -> tuple[Image, tuple[str, ...]]:
    """Read an image, and what a reader should know about it.

    Raises:
        FormatError, GeometryError: as the format's reader.
    """
    noted: tuple[Image, tuple[str, ...]] = required_format(path).door.read_noted(path, spacing_mm)
    return noted


def read_labels(path: Path, scheme: Scheme, spacing_mm: Spacing = None) -> Segmentation:
    """Read labels whose numbers mean what `scheme` says, on the file's own grid.

    Raises:
        FormatError: a format that changes numbers, or none of ours; and as the format's reader.
        GeometryError, LabelError: as the format's reader.
    """
    known = format_of(path.name)
    if known is None or not known.labels:
        raise FormatError(
            path.name,
            got=f"labels in {known.name}, which changes them" if known else "no known format",
            allowed=", ".join(LABEL_SUFFIXES),
            do="export the labels as one of these",
        )
    labels: Segmentation = known.door.read_labels(path, scheme, spacing_mm)
    return labels


def placed_like(file: Path, mine: Geometry, theirs: Geometry) -> Geometry:
    """Where labels lie: those without a place of their own at the image's, if as many and as large.

    Pictures and TIFF have none, even with millimetres; neither have files that know no spacing.

    Args:
        file: of the labels.
        mine: their grid as it was read.
        theirs: the image's.
    """
    known = format_of(file.name)
    placeless = mine.unit == "px" or (known is not None and known.flat)
    # The depth of a single plane is compared only where both files say it.
    first = 0 if mine.depth_known and theirs.depth_known else 1
    large = np.allclose(mine.spacing[first:], theirs.spacing[first:], rtol=1e-3)
    alike = mine.shape == theirs.shape and (mine.unit == "px" or large)
    return theirs if placeless and alike else mine


def grid_of(path: Path, spacing_mm: Spacing = None) -> tuple[Geometry, int]:
    """The grid of a frame and the number of frames; of NIfTI only the header is read.

    Raises:
        FormatError, GeometryError: as the format's reader.
    """
    if required_format(path).name == "nifti":
        from heartseg.formats import nifti

        info = nifti.read_info(path, spacing_mm)
        return info.geometry, info.sizes[3]
    return _grid_as_read(path, spacing_mm, path.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _grid_as_read(path: Path, spacing_mm: Spacing, changed: int) -> tuple[Geometry, int]:
    del changed  # part of the key only: a file that was written anew is read again
    image, _ = read_noted(path, spacing_mm)
    return image.geometry, image.frames
