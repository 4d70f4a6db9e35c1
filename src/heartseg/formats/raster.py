"""PNG: a 2-D grey picture, or label numbers as pixel values. It holds no place in the patient."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Scheme, Structure
from heartseg.core.errors import FormatError, OutputError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image, Segmentation
from heartseg.formats.bounds import require_memory, require_spacing

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

SUFFIXES = (".png",)


def read_image(path: Path, spacing_mm: tuple[float, float, float] | None = None) -> Image:
    """Read a grey picture as (1, 1, y, x); without `spacing_mm` (z, y, x) its unit is "px".

    Raises:
        FormatError: not a PNG, truncated, or really in colour.
        GeometryError: a spacing that cannot be.
    """
    pixels = _pixels(path, _grey)
    if spacing_mm is not None:
        require_spacing(path.name, spacing_mm)
    rows, columns = pixels.shape
    return Image(pixels[None, None], Geometry.from_pixels((1, rows, columns), spacing_mm))


def read_labels(path: Path, scheme: Scheme) -> Segmentation:
    """Read label numbers; a palette is only how they are shown.

    Raises:
        FormatError: as `read_image`.
        LabelError: a number that the scheme does not know.
    """
    pixels = _pixels(path, _numbers)
    labels = scheme.read(pixels, where=path.name)
    found = tuple(s for s in scheme.numbers.values() if s != Structure.BACKGROUND)
    return Segmentation(labels[None, None], Geometry.from_pixels((1, *labels.shape)), found)


def write_labels(path: Path, seg: Segmentation, scheme: Scheme) -> None:
    """Write one plane of labels as `scheme`'s numbers.

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


def _pixels(path: Path, values: Any) -> NDArray[Any]:
    from PIL import Image as Pictures
    from PIL import UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Pictures.DecompressionBombWarning)
            with Pictures.open(path, formats=("PNG",)) as picture:
                require_memory(path.name, picture.size, 4)
                pixels: NDArray[Any] = values(path, picture)
    except (
        UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError,
        Pictures.DecompressionBombError,
    ) as fault:  # fmt: skip
        raise FormatError(
            path.name,
            got=f"a file that is no whole PNG picture ({type(fault).__name__})",
            allowed=", ".join(SUFFIXES),
            do="copy or export it again",
        ) from fault
    return pixels


def _grey(path: Path, picture: "Picture") -> NDArray[Any]:
    """Grey as it is; colour where all channels are equal; else refused."""
    if picture.mode in ("L", "I", "I;16", "F"):
        return np.array(picture)
    if picture.mode in ("1", "LA"):
        return np.array(picture.convert("L"))
    channels = np.array(picture.convert("RGB"))
    if (channels == channels[..., :1]).all():
        return channels[..., 0]
    raise FormatError(
        path.name,
        got=f"a colour picture ({picture.mode})",
        allowed="grey values",
        do="convert it to grey, and crop coloured overlays away",
    )


def _numbers(path: Path, picture: "Picture") -> NDArray[Any]:
    if picture.mode in ("L", "P", "I", "I;16"):
        return np.array(picture)
    if picture.mode == "1":
        return np.array(picture).astype(np.uint8)
    return _grey(path, picture)
