"""One image or label file of any format, chosen by its name."""

from pathlib import Path

from heartseg.core.anatomy import Scheme
from heartseg.core.errors import FormatError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image, Segmentation

Spacing = tuple[float, float, float] | None

_FORMATS = {".nii.gz": "nifti", ".nii": "nifti", ".png": "raster"}

SUFFIXES = tuple(_FORMATS)
"""Endings of image files, the longest first where one ends with another."""


def suffix_of(name: str) -> str | None:
    """The ending by which a file is known to be an image, as it is written; else None."""
    low = name.lower()
    known = next((suffix for suffix in SUFFIXES if low.endswith(suffix)), None)
    return name[len(name) - len(known) :] if known and len(name) > len(known) else None


def format_of(path: Path) -> str:
    """Name of the format, as in `Source.format`.

    Raises:
        FormatError: of no format that heartseg knows.
    """
    suffix = suffix_of(path.name)
    if suffix is None:
        raise FormatError(path.name, got="no reader for this format", allowed=", ".join(SUFFIXES))
    return _FORMATS[suffix.lower()]


def read_image(path: Path, spacing_mm: Spacing = None) -> Image:
    """Read an image.

    Raises:
        FormatError, GeometryError: as the format's reader.
    """
    if format_of(path) == "raster":
        from heartseg.formats import raster

        return raster.read_image(path, spacing_mm)
    from heartseg.formats import nifti

    return nifti.read_image(path, spacing_mm)


def read_labels(path: Path, scheme: Scheme, spacing_mm: Spacing = None) -> Segmentation:
    """Read labels whose numbers mean what `scheme` says.

    Raises:
        FormatError, GeometryError, LabelError: as the format's reader.
    """
    if format_of(path) == "raster":
        from heartseg.formats import raster

        return raster.read_labels(path, scheme)
    from heartseg.formats import nifti

    return nifti.read_labels(path, scheme, spacing_mm)


def grid_of(path: Path, spacing_mm: Spacing = None) -> tuple[Geometry, int]:
    """The grid of a frame and the number of frames; reads no voxels where the header tells.

    Raises:
        FormatError, GeometryError: as the format's reader.
    """
    if format_of(path) == "nifti":
        from heartseg.formats import nifti

        info = nifti.read_info(path, spacing_mm)
        return info.geometry, info.sizes[3]
    image = read_image(path, spacing_mm)
    return image.geometry, image.frames


def notes_of(path: Path, spacing_mm: Spacing = None) -> tuple[str, ...]:
    """What the format's reader assumed.

    Raises:
        FormatError, GeometryError: as the format's reader.
    """
    if format_of(path) != "nifti":
        return ()
    from heartseg.formats import nifti

    return nifti.read_info(path, spacing_mm).notes
