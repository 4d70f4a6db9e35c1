"""TIFF: one picture or many, slices or frames as ImageJ and OME say, grey values or label numbers.

Millimetres only where the file states them in a unit of its own; a resolution in dots per inch is
for printing. There is no place in the patient.
"""

import logging
import struct
import warnings
import zlib
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Scheme
from heartseg.core.errors import FormatError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image, Segmentation
from heartseg.formats.bounds import require_memory, require_pixels, require_spacing
from heartseg.formats.brightness import CHROMA_NOISE, brightness, colour_note
from heartseg.formats.stored import NO_SPACING, ONE_PLANE, frame_times
from heartseg.formats.tiff_chain import count_pages
from heartseg.formats.tiff_words import Words, read_words

SUFFIXES = (".tif", ".tiff")

_MIN_IS_WHITE, _PALETTE = 0, 3
_PLAIN = {1, 8, 32773, 32946}
"""Compressions that tifffile undoes by itself; LZW, JPEG and fax are Pillow's."""

_LOSSY = {6, 7}

MAX_PACKING = 2000
"""Pixels are at most so many times their file: deflate packs emptiness 1000 times, LZW 1400."""

UNSAID = "the file does not say whether its pages are slices or frames: taken as slices"
NO_DEPTH = "the file gives no slice distance: lengths are in pixels"

Spacing = tuple[float | None, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Pages:
    """The pages of a file, in their order.

    Attributes:
        values: (pages, y, x), or (pages, y, x, 3) in colour.
        words: what the file says about them.
        white_is_low: whether small numbers are bright.
        palette: (256, 3) colours of the numbers, None where they are grey values.
        lossy: whether grey may have come back as a faint colour.
        resolution: pixels per unit along (y, x); None where the file does not say.
    """

    values: NDArray[Any]
    words: Words
    white_is_low: bool
    palette: NDArray[Any] | None
    lossy: bool
    resolution: tuple[float, float] | None


def read_noted(
    path: Path, spacing_mm: Sequence[float] | None = None
) -> tuple[Image, tuple[str, ...]]:
    """Read (t, z, y, x) grey values in the file's own type, and what a reader should know.

    Raises:
        FormatError: no TIFF, truncated, several channels, pages of different sizes, or a size that
            cannot be.
        GeometryError: a spacing that cannot be.
    """
    pages = _read(path)
    values, notes = _grey(pages)
    voxels, said = _arranged(path, values, pages.words)
    geometry, measured = _placed(path, voxels.shape[1:], pages, spacing_mm)
    step = float("nan") if pages.words.step_ms is None else pages.words.step_ms
    times, timed = frame_times(len(voxels), step, 0.0, 1.0)
    return Image(voxels, geometry, times), (*measured, *said, *timed, *notes)


def read_image(path: Path, spacing_mm: Sequence[float] | None = None) -> Image:
    """Read an image; as `read_noted`."""
    return read_noted(path, spacing_mm)[0]


def read_channels(path: Path) -> NDArray[Any]:
    """Read one picture as it is stored: (y, x) numbers, or (y, x, 3) where it has channels.

    Three pages are three channels too: some programs write a stack of masks so.

    Raises:
        FormatError: as `read_noted`; or another number of pages, or packed with loss.
    """
    pages = _read(path)
    values = np.stack(list(pages.values), axis=-1) if len(pages.values) == 3 else pages.values[0]
    if len(pages.values) not in (1, 3) or values.ndim > 3 or pages.lossy:
        raise FormatError(
            path.name,
            got=f"{len(pages.values)} pages" + (" packed with loss" if pages.lossy else ""),
            allowed="one page of numbers or of three channels, or three pages of one",
            do="export the mask without loss",
        )
    return values


def read_labels(
    path: Path, scheme: Scheme, spacing_mm: Sequence[float] | None = None
) -> Segmentation:
    """Read label numbers; a palette is only how they are shown.

    Raises:
        FormatError: as `read_noted`; or colours for numbers.
        GeometryError: a spacing that cannot be.
        LabelError: a number that the scheme does not know.
    """
    pages = _read(path)
    numbers, coloured = (pages.values, 0) if pages.values.ndim == 3 else brightness(pages.values)
    if coloured or pages.lossy:
        raise FormatError(
            path.name,
            got="labels in colours or packed with loss",
            allowed="a number for each structure",
            do="export the labels as numbers",
        )
    voxels, _ = _arranged(path, numbers, pages.words)
    geometry, _ = _placed(path, voxels.shape[1:], pages, spacing_mm)
    return Image(voxels, geometry).labelled(scheme, path.name)


def _grey(pages: Pages) -> tuple[NDArray[Any], tuple[str, ...]]:
    """(pages, y, x) brightness, and notes."""
    values = pages.values
    if pages.palette is not None:
        values = pages.palette[values]
    if values.ndim == 4:
        grey, coloured = brightness(values, CHROMA_NOISE if pages.lossy else 0)
        return grey, colour_note(coloured, grey.size)
    if pages.white_is_low and values.dtype.kind in "bu":
        top = 1 if values.dtype.kind == "b" else np.iinfo(values.dtype).max
        values = (top - values).astype(values.dtype)
    return values.astype(np.uint8) if values.dtype.kind == "b" else values, ()


def _arranged(
    path: Path, values: NDArray[Any], words: Words
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """(t, z, y, x) of the pages, and a note where the file leaves open what they are."""
    count, rows, columns = values.shape
    if words.slices is None or words.frames is None:
        return values[None], (UNSAID,) if count > 1 else ()
    if words.channels > 1:
        raise FormatError(
            path.name,
            got=f"{words.channels} channels or images",
            allowed="one",
            do="save each channel as a file of its own",
        )
    if words.slices * words.frames != count:
        raise FormatError(
            path.name,
            got=f"{count} pages for {words.frames} frames of {words.slices} slices",
            allowed="all of them in this file",
            do="save the whole stack as one file",
        )
    if words.slices_first:
        return values.reshape(words.frames, words.slices, rows, columns), ()
    return values.reshape(words.slices, words.frames, rows, columns).swapaxes(0, 1), ()


def _placed(
    path: Path, shape: tuple[int, ...], pages: Pages, spacing_mm: Sequence[float] | None
) -> tuple[Geometry, tuple[str, ...]]:
    slices, rows, columns = shape
    notes: tuple[str, ...] = ()
    if spacing_mm is not None:
        spacing: Spacing | None = (spacing_mm[0], spacing_mm[1], spacing_mm[2])
    else:
        spacing, notes = _stated(pages, slices)
    if spacing is not None:
        require_spacing(path.name, (spacing[0] or 1.0, *spacing[1:]))
    return Geometry.from_pixels((slices, rows, columns), spacing), notes


def _stated(pages: Pages, slices: int) -> tuple[Spacing | None, tuple[str, ...]]:
    """The spacing that the file states, and notes about what it leaves out."""
    z, y, x = pages.words.spacing_mm
    if pages.words.unit_mm is not None and pages.resolution is not None:
        y, x = (pages.words.unit_mm / per_unit for per_unit in pages.resolution)
    if y is None or x is None:
        return None, (NO_SPACING,)
    if z is None and slices > 1:
        return None, (NO_DEPTH,)
    return (z, y, x), (ONE_PLANE,) if z is None else ()


# Reading


def _read(path: Path) -> Pages:
    import tifffile

    # Its warnings quote the file, and go to the terminal where nobody listens to them.
    logging.getLogger("tifffile").addFilter(_SILENT)
    try:
        with warnings.catch_warnings(), path.open("rb") as stream:
            warnings.simplefilter("ignore")
            count = count_pages(path, stream)
            stream.seek(0)
            with tifffile.TiffFile(stream, _multifile=False) as file:
                return _pages(path, file, count)
    except (
        tifffile.TiffFileError, OSError, ValueError, TypeError, KeyError, IndexError, EOFError,
        AttributeError, ArithmeticError, RuntimeError, AssertionError, MemoryError, struct.error,
        zlib.error,
    ) as fault:  # fmt: skip
        # tifffile meets damaged structures wherever they lead: each of these is such a file.
        raise FormatError(
            path.name,
            got=f"a file that is no whole TIFF ({type(fault).__name__})",
            allowed=", ".join(SUFFIXES),
            do="copy or export it again",
        ) from fault


class _Silent(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return False


_SILENT = _Silent()


def _pages(path: Path, file: Any, count: int) -> Pages:
    pages: list[Any] = []
    for page in file.pages:
        pages.append(_same_as_first(path, page.aspage(), pages))
    if len(pages) != count or not pages:
        raise EOFError
    first = pages[0]
    samples = int(first.samplesperpixel)
    if samples not in (1, 2, 3, 4):
        raise FormatError(path.name, got=f"{samples} channels", allowed="grey or RGB")
    require_memory(path.name, (len(pages), *first.shape), first.dtype.itemsize)
    _require_plausible(path, len(pages) * int(np.prod(first.shape)) * first.dtype.itemsize)
    decode = _by_tifffile if int(first.compression) in _PLAIN else _by_pillow
    return Pages(
        values=decode(path, pages),
        words=read_words(first.description or "", samples),
        white_is_low=int(first.photometric) == _MIN_IS_WHITE and decode is _by_tifffile,
        palette=_palette(first) if int(first.photometric) == _PALETTE else None,
        lossy=int(first.compression) in _LOSSY,
        resolution=_resolution(first),
    )


def _require_plausible(path: Path, unpacked: int) -> None:
    """Refuse pixels that so small a file cannot hold: strips that all lie at one place."""
    packed = path.stat().st_size
    if unpacked > MAX_PACKING * packed + 2**24:
        raise FormatError(
            path.name,
            got=f"{unpacked / 2**20:.0f} MB of pixels in a file of {packed / 2**20:.3f} MB",
            allowed=f"{MAX_PACKING} times its size",
            do="copy or export it again",
        )


def _same_as_first(path: Path, page: Any, pages: list[Any]) -> Any:
    """The page, whose size is one that can be and the same as that of those before it."""
    require_pixels(path.name, (page.imagewidth, page.imagelength))
    if page.dtype is None or page.dtype.kind not in "biuf" or page.imagedepth != 1:
        raise FormatError(path.name, got=f"pages of type {page.dtype}", allowed="real numbers")
    if pages and (page.shape, page.dtype) != (pages[0].shape, pages[0].dtype):
        raise FormatError(
            path.name,
            got=f"pages of {pages[0].shape} and of {page.shape} pixels",
            allowed="one size",
            do="save the pages of one size as a file of their own, without previews",
        )
    return page


def _by_tifffile(path: Path, pages: list[Any]) -> NDArray[Any]:
    size = path.stat().st_size
    for page in pages:
        ends = [o + n for o, n in zip(page.dataoffsets, page.databytecounts, strict=True)]
        if not ends or max(ends) > size or min(page.databytecounts) < 1:
            raise EOFError
    first = pages[0].asarray(maxworkers=1)
    values = np.empty((len(pages), *_flat(pages[0], first).shape), first.dtype)
    for index, page in enumerate(pages):
        values[index] = _flat(page, page.asarray(maxworkers=1))
    return values


def _flat(page: Any, values: NDArray[Any]) -> NDArray[Any]:
    """(y, x) or (y, x, 3): opacity is left out, and planes of colour come last."""
    samples = int(page.samplesperpixel)
    if samples == 1:
        return values.reshape(page.imagelength, page.imagewidth)
    last = values if int(page.planarconfig) == 1 else np.moveaxis(values, 0, -1)
    return last[..., 0] if samples == 2 else last[..., :3]


def _by_pillow(path: Path, pages: list[Any]) -> NDArray[Any]:
    from PIL import Image as Pictures

    values = []
    with closing(Pictures.open(path, formats=("TIFF",))) as picture:
        for index, page in enumerate(pages):
            picture.seek(index)
            require_pixels(path.name, picture.size)
            kept = ("L", "P", "I", "F", "I;16", "I;16B", "1")
            grey = picture.mode in kept
            values.append(np.array(picture if grey else picture.convert("RGB")))
            if values[-1].shape[:2] != (page.imagelength, page.imagewidth):
                raise EOFError
    stacked = np.stack(values)
    return stacked.astype(stacked.dtype.newbyteorder("="), copy=False)


def _palette(page: Any) -> NDArray[Any]:
    """(numbers, 3) colours of 16 bits."""
    colours = np.asarray(page.colormap)
    if colours.ndim != 2 or colours.shape[0] != 3:
        raise ValueError("no palette")
    return colours.T


def _resolution(page: Any) -> tuple[float, float] | None:
    found = []
    for name in ("YResolution", "XResolution"):
        tag = page.tags.get(name)
        above, below = (0, 0) if tag is None else tag.value
        if not (above > 0 and below > 0):
            return None
        found.append(above / below)
    return found[0], found[1]
