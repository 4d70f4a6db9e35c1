"""PNG and JPEG: one plane of grey values, PNG also label numbers; without a place in the patient.

Neither states millimetres: what they can hold is a resolution for printing.
"""

import io
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Scheme
from heartseg.core.errors import FormatError, OutputError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image, Segmentation
from heartseg.formats.bounds import DEFLATE_RATIO, MAX_PIXELS, require_pixels, require_spacing
from heartseg.formats.brightness import CHROMA_NOISE, brightness, colour_note
from heartseg.formats.stored import NO_SPACING

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

SUFFIXES = (".png", ".jpg", ".jpeg")


def read_noted(
    path: Path, spacing_mm: Sequence[float] | None = None
) -> tuple[Image, tuple[str, ...]]:
    """Read a picture as (1, 1, y, x) grey values, and what a reader should know about it.

    Colour becomes brightness; a JPEG is turned as its EXIF orientation says. Without `spacing_mm`
    (z, y, x) the unit is "px".

    Raises:
        FormatError: neither PNG nor JPEG, truncated, animated, or larger than a picture can be.
        GeometryError: a spacing that cannot be.
    """
    pixels, notes = _opened(path, ("PNG", "JPEG"), _grey)
    if spacing_mm is not None:
        require_spacing(path.name, spacing_mm)
        z, y, x = spacing_mm
        return Image(pixels[None, None], Geometry.from_pixels((1, *pixels.shape), (z, y, x))), notes
    return Image(pixels[None, None], Geometry.from_pixels((1, *pixels.shape))), (NO_SPACING, *notes)


def read_image(path: Path, spacing_mm: Sequence[float] | None = None) -> Image:
    """Read a picture; as `read_noted`."""
    return read_noted(path, spacing_mm)[0]


def read_labels(
    path: Path, scheme: Scheme, spacing_mm: Sequence[float] | None = None
) -> Segmentation:
    """Read the label numbers of a PNG; a palette is only how they are shown.

    Raises:
        FormatError: as `read_noted`; a JPEG, whose packing changes numbers; or colours for numbers.
        LabelError: a number that the scheme does not know.
    """
    pixels = _opened(path, ("PNG",), _numbers)
    given = None if spacing_mm is None else (spacing_mm[0], spacing_mm[1], spacing_mm[2])
    grid = Geometry.from_pixels((1, *pixels.shape), given)
    return Image(pixels[None, None], grid).labelled(scheme, path.name)


def write_labels(path: Path, seg: Segmentation, scheme: Scheme) -> None:
    """Write one plane of labels as `scheme`'s numbers, PNG.

    Raises:
        OutputError: more than one plane, or the file cannot be written.
        LabelError: a structure that the scheme has no number for.
    """
    from PIL import Image as Pictures

    if seg.labels.shape[:2] != (1, 1):
        raise OutputError(
            path.name, got=f"labels of shape {seg.labels.shape}", allowed="one plane", do="use .nii"
        )
    numbers = scheme.write(seg.labels[0, 0], where=path.name)
    try:
        Pictures.fromarray(numbers).save(path, format="PNG")
    except OSError as fault:
        raise OutputError(
            path.name, got=f"{fault.strerror}", do="choose a folder that can be written"
        ) from fault


def _opened(path: Path, formats: tuple[str, ...], values: "Callable[[Path, Picture], Any]") -> Any:
    """What `values` makes of the picture, whose size was checked before it is decoded."""
    from PIL import Image as Pictures
    from PIL import UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # our own limit is below Pillow's; odd EXIF is no news
            with Pictures.open(_content(path), formats=formats) as picture:
                require_pixels(path.name, picture.size)
                _require_there(path, picture)
                _require_still(path, picture)
                return values(path, picture)
    except Pictures.DecompressionBombError as fault:
        raise FormatError(
            path.name,
            got="a picture that claims more pixels than any has",
            allowed=f"{MAX_PIXELS // 2**20} million",
            do="crop it to the heart, or export it again",
        ) from fault
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as fault:
        raise FormatError(
            path.name,
            got=f"a file that is no whole {' or '.join(formats)} picture ({type(fault).__name__})",
            allowed=", ".join(SUFFIXES[: 3 if len(formats) > 1 else 1]),
            do="copy or export it again",
        ) from fault


def _content(path: Path) -> io.BytesIO:
    """The whole file: of a file on disk Pillow asks for as many bytes as a damaged one claims."""
    if path.stat().st_size > MAX_PIXELS * 8:
        raise FormatError(path.name, got="a file too large for a picture", do="export it again")
    return io.BytesIO(path.read_bytes())


def _require_there(path: Path, picture: "Picture") -> None:
    """Refuse a PNG that is too small for what it claims, however well it is packed."""
    bits = {"RGB": 24, "RGBA": 32, "LA": 16, "I;16": 16, "I": 16}.get(picture.mode, 1)
    claimed = picture.width * picture.height * bits // 8
    if picture.format == "PNG" and claimed > path.stat().st_size * DEFLATE_RATIO:
        raise EOFError


def _require_still(path: Path, picture: "Picture") -> None:
    """A PNG may be animated; to read its first frame in silence would be a lie."""
    frames = getattr(picture, "n_frames", 1) if picture.format == "PNG" else 1
    if frames > 1:
        raise FormatError(
            path.name,
            got=f"an animated picture of {frames} frames",
            allowed="one picture a file",
            do="export the frames as a video or a multi-page TIFF",
        )


def _grey(path: Path, picture: "Picture") -> tuple[NDArray[Any], tuple[str, ...]]:
    """Grey values as they are, colour as brightness, and notes."""
    lossy = picture.format != "PNG"
    picture = _upright(picture) if lossy else picture
    if picture.mode in ("L", "I", "I;16", "F"):
        return np.array(picture), ()
    if picture.mode in ("1", "LA"):
        return np.array(picture.convert("L")), ()
    grey, coloured = brightness(np.array(picture.convert("RGB")), CHROMA_NOISE if lossy else 0)
    return grey, colour_note(coloured, grey.size)


def _upright(picture: "Picture") -> "Picture":
    """Turned as EXIF says; as it is where its EXIF makes no sense."""
    import struct

    from PIL import ImageOps

    picture.load()
    try:
        return ImageOps.exif_transpose(picture)
    except (SyntaxError, ValueError, TypeError, KeyError, IndexError, OSError, struct.error):
        return picture


def _numbers(path: Path, picture: "Picture") -> NDArray[Any]:
    if picture.mode in ("L", "P", "I", "I;16"):
        return np.array(picture)
    if picture.mode == "1":
        return np.array(picture).astype(np.uint8)
    grey, coloured = brightness(np.array(picture.convert("RGB")))
    if coloured:
        raise FormatError(
            path.name,
            got=f"labels in colours ({picture.mode})",
            allowed="a number for each structure, as grey values or in a palette",
            do="export the labels as numbers",
        )
    return grey
