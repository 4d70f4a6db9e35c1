"""DICOM Segmentation objects as labels of a study, and what is in them."""

from collections.abc import Mapping
from pathlib import Path

from heartseg.core.errors import FormatError
from heartseg.core.image import Image, Segmentation
from heartseg.core.study import Source
from heartseg.formats.box import Box
from heartseg.formats.table import format_of


def is_segmentation(path: Path) -> bool:
    """True for a DICOM Segmentation; other files are told apart without loading pydicom."""
    if not path.is_file() or format_of(path.name) is not None or path.suffix.lower() == ".zip":
        return False
    with path.open("rb") as stream:
        if stream.read(132)[128:] != b"DICM":
            return False
    from heartseg.formats.dicom_seg import is_seg

    return is_seg(path)


def read_segments_for(path: Path, image: Image, source: Source) -> Segmentation:
    """The heart structures of a DICOM Segmentation on the grid and frames of `image`.

    Args:
        path: of the segmentation.
        image: that it belongs to.
        source: of the image; segments of a cine may only name its files.

    Raises:
        FormatError, GeometryError, LabelError: as `formats.dicom_seg.read_labels`.
    """
    from heartseg.formats.dicom_seg import read_labels

    clocks = _clocks(source) if source.format == "dicom" and image.frames > 1 else {}
    return read_labels(path, image, clocks)


def segments_in(path: Path) -> tuple[str, ...]:
    """A line for each segment of a file: number, label, code, voxels, heart structure.

    Raises:
        FormatError: damaged.
    """
    from heartseg.formats.dicom_seg import THRESHOLD, read_seg

    seg = read_seg(path)
    kind = f"{seg.kind} segments in {len(seg.planes)} planes"
    if seg.kind == "fractional":
        kind += f", counted from {THRESHOLD:g} on"
    return (kind, *(str(one) for one in seg.segments.values()))


def require_image(path: Path) -> None:
    """Say of a segmentation where it belongs.

    Raises:
        FormatError: the file is one.
    """
    if is_segmentation(path):
        raise FormatError(
            path.name,
            got="a DICOM segmentation and no image (" + "; ".join(segments_in(path)[1:6]) + ")",
            do="name the images, and pass this file with --labels-from",
        )


def _clocks(source: Source) -> Mapping[str, Mapping[str, float]]:
    """Times of the image's files by SOP instance."""
    from heartseg.formats.dicom import scan

    with Box(source.path) as box:
        headers, _ = scan(box)
    return {header.instance: header.planes[0].clocks for header in headers}
