"""The pixels of a DICOM file, one plane a frame."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import FormatError
from heartseg.formats.box import Box
from heartseg.formats.dicom import Header, base_name, left_out
from heartseg.formats.dicom_codec import frames_of
from heartseg.formats.dicom_colour import brightness, palette_of
from heartseg.formats.dicom_file import DAMAGED, NATIVE, quiet, read, tags_of
from heartseg.formats.dicom_stored import padding_of, read_stored, without_padding
from heartseg.formats.dicom_values import printable

_TAGS = tags_of(
    "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames",
    "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    "PixelPaddingValue", "PixelPaddingRangeLimit", "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths", "PixelData", "FloatPixelData", "DoubleFloatPixelData",
    "RedPaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableData", "BluePaletteColorLookupTableData",
    "SegmentedRedPaletteColorLookupTableData", "SegmentedGreenPaletteColorLookupTableData",
    "SegmentedBluePaletteColorLookupTableData",
)  # fmt: skip


def read_pixels(box: Box, header: Header) -> NDArray[Any]:
    """(frames, rows, columns) stored values of a file; colour becomes brightness.

    Bits beside the value (overlays of old) are cleared, inverted grey is turned, padding becomes
    the darkest pixel.

    Raises:
        FormatError: truncated, or compressed in a way that cannot be read.
    """
    base = base_name(header.name)
    with quiet(), box.open(header.name) as stream:
        try:
            if header.stored is not None:
                pixels = read_stored(stream, header.stored, header.shape, header.dtype)
                padding = header.stored.padding
            else:
                ds, _ = read(stream, _TAGS)
                pixels, padding = _decoded(ds, header), padding_of(ds)
        except DAMAGED as fault:
            raise FormatError(
                base,
                got=f"pixels that cannot be read ({type(fault).__name__}: "
                f"{printable(' '.join(str(fault).split()))[:120]})",
                do="the file may be truncated: copy or export the study again",
            ) from fault
        pixels = without_padding(pixels, padding)
    return _turned(pixels, header) if header.inverted else pixels


def readable(box: Box, headers: Sequence[Header]) -> tuple[list[Header], list[str]]:
    """The files whose pixels can be read, and what to say of the others."""
    good, faults = [], []
    for header in headers:
        try:
            read_pixels(box, header)
        except FormatError as fault:
            faults.append(fault)
        else:
            good.append(header)
    return good, left_out(faults)


def _decoded(ds: Any, header: Header) -> NDArray[Any]:
    """Frame by frame, so that colour never takes more memory than a frame of it."""
    grey = _grey(ds, header)
    native = str(ds.file_meta.TransferSyntaxUID) in NATIVE
    if native and not header.colour:
        return _stored(ds, header)
    frames = _native_colour(ds, header) if native else frames_of(ds, header.frames)
    pixels: NDArray[Any] | None = None
    count = 0
    for count, stored in enumerate(frames, start=1):
        frame = grey(stored)
        if frame.shape != header.size or count > header.frames:
            raise ValueError(f"a frame {count} of {frame.shape} pixels in {header.frames} frames")
        if pixels is None:
            pixels = np.empty((header.frames, *header.size), frame.dtype.newbyteorder("="))
        pixels[count - 1] = frame
    if pixels is None or count != header.frames:
        raise ValueError(f"{count} frames where the header says {header.frames}")
    return pixels


def _grey(ds: Any, header: Header) -> Callable[[NDArray[Any]], NDArray[Any]]:
    if not header.colour:
        return lambda stored: stored
    if str(ds.PhotometricInterpretation).startswith("PALETTE"):
        return palette_of(ds, base_name(header.name)).look_up
    return lambda stored: brightness(stored, header.bits)


def _stored(ds: Any, header: Header) -> NDArray[Any]:
    """Uncompressed values of one sample a pixel, in the machine's byte order."""
    _require_no_more(ds, header)
    pixels: NDArray[Any] = ds.pixel_array.reshape(header.frames, *header.size)
    return pixels.astype(pixels.dtype.newbyteorder("="), copy=False)


def _native_colour(ds: Any, header: Header) -> Iterator[NDArray[Any]]:
    """Uncompressed frames as RGB, or as entries of a palette."""
    if int(ds.get("SamplesPerPixel", 1)) == 1:
        yield from _stored(ds, header)
        return
    from pydicom.pixels.decoders.base import get_decoder

    _require_no_more(ds, header)
    decoder = get_decoder(ds.file_meta.TransferSyntaxUID)
    for index in range(header.frames):  # its own loop loses count of YBR_FULL_422
        yield decoder.as_array(ds, index=index)[0]


def _require_no_more(ds: Any, header: Header) -> None:
    """Frames that the header does not tell of would be lost without a word."""
    bits = math.prod((*header.size, int(ds.get("SamplesPerPixel", 1)), int(ds.BitsAllocated)))
    stored = len(ds.get("PixelData", b"")) * 8
    if stored >= bits * (header.frames + 1):
        raise ValueError(f"{stored // bits} frames where the header says {header.frames}")


def _turned(pixels: NDArray[Any], header: Header) -> NDArray[Any]:
    """MONOCHROME1 as MONOCHROME2: the brightest and the darkest value change places."""
    if header.dtype.kind == "f":
        turned: NDArray[Any] = pixels.min() + pixels.max() - pixels
    elif header.dtype.kind == "i":
        turned = ~pixels
    else:
        turned = pixels.dtype.type(2**header.bits - 1) - pixels
    return turned
