"""Somebody's label file for an image that is already read: on its grid, in a known scheme."""

from dataclasses import replace
from pathlib import Path

from heartseg.core.anatomy import Labels, Scheme, ventricles_swapped
from heartseg.core.errors import FormatError, GeometryError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image, Segmentation
from heartseg.formats.table import format_of
from heartseg.read.image_file import placed_like, read_labels
from heartseg.read.laid_labels import fits, laid_on


def read_labels_for(
    path: Path, scheme: Scheme, image: Image, source: Path | None = None
) -> tuple[Segmentation, tuple[str, ...]]:
    """The labels of a file on the grid and frames of `image`, and warnings.

    Args:
        path: the label file.
        scheme: what its numbers mean.
        image: what they belong to.
        source: the image's own file, whose header may give a spacing that the user knew better.

    Raises:
        FormatError: not a label file that heartseg can read.
        GeometryError: another grid, or another number of frames.
        LabelError: a number that the scheme does not know.
    """
    if not path.is_file():
        raise FormatError(path.name, got="no such file", do="check the path")
    seg = read_labels(path, scheme)
    seg = replace(seg, geometry=placed_like(path, seg.geometry, image.geometry))
    if source is not None and _one_header(path, source):
        seg = replace(seg, geometry=image.geometry)
    laid = laid_on(path, seg, image.geometry)
    if laid is None:
        raise GeometryError(
            path.name,
            got=f"labels on another grid: {_grid(seg.geometry)}",
            allowed=f"the image's: {_grid(image.geometry)}",
            do="resample the labels to the image (nearest neighbour), or name the right file",
        )
    if seg.frames != image.frames:
        raise GeometryError(
            path.name,
            got=f"{seg.frames} frames of labels",
            allowed=f"{image.frames}, as in the image",
            do="give one label volume for each frame, in one 4-D file",
        )
    seg = replace(seg, labels=laid, geometry=image.geometry, times_ms=image.times_ms)
    warning = swapped_warning(seg.labels, scheme.name)
    return seg, (f"{path.name}: {warning}",) if warning else ()


def swapped_warning(labels: Labels, scheme: str) -> str | None:
    """What to say when labels read with `scheme` have the ventricles exchanged; else None.

    Args:
        labels: (t, z, y, x) `Structure` values.
        scheme: name under which they were read.
    """
    if not ventricles_swapped(labels):
        return None
    return (
        f"read as '{scheme}', the myocardium surrounds the RV and not the LV: the file probably "
        "numbers them the other way round (acdc: 1 RV, 3 LV; mnms: 1 LV, 3 RV); pass --scheme"
    )


def _one_header(path: Path, source: Path) -> bool:
    """True for the NIfTI mask of a NIfTI image, which has the image's header as it is stored."""
    if any(
        (known := format_of(one.name)) is None or known.name != "nifti" for one in (path, source)
    ):
        return False
    from heartseg.formats import nifti

    return fits(nifti.read_info(path).geometry, nifti.read_info(source).geometry)


def _grid(geometry: Geometry) -> str:
    return f"{geometry.words} at {geometry.affine[:3, 3].round(2)}"
