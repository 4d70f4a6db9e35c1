"""Uncompressed grey pixels, read where the scan of the headers saw them.

Of a cine in hundreds of files the pixels alone are read the second time. What is compressed, in
colour, deflated, big-endian or odd in any way goes through pydicom (`dicom_pixels`).

Standard: DICOM PS3.5 (7.1 Data Elements, 8.1 Pixel Data), PS3.3 (C.7.5.1.1.2 Pixel Padding).
"""

import math
import os
import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from heartseg.formats.dicom_file import EXPLICIT, IMPLICIT
from heartseg.formats.dicom_values import number, text

_PIXEL_DATA = b"\xe0\x7f\x10\x00"
_PLAIN_BITS = (8, 16)


@dataclass(frozen=True, slots=True)
class Stored:
    """Where the pixels of a file lie.

    Attributes:
        start: the first one's byte.
        unused: bits above those that hold a value.
        padding: values between these are no picture; None where there are none.
    """

    start: int
    unused: int
    padding: tuple[float, float] | None


def stored_at(stream: BinaryIO, rest: int, ds: Any, shape: tuple[int, int, int]) -> Stored | None:
    """Where a file's pixels lie, if they can be read as they are.

    Args:
        stream: the file itself.
        rest: bytes that follow the header, from the pixels' element on.
        ds: the header.
        shape: (frames, rows, columns).
    """
    syntax = str(ds.file_meta.TransferSyntaxUID)
    allocated = int(ds.get("BitsAllocated", 0))
    used = int(ds.get("BitsStored", 0))
    plain = syntax in (IMPLICIT, EXPLICIT) and int(ds.get("SamplesPerPixel", 1) or 1) == 1
    grey = text(ds, "PhotometricInterpretation") in ("MONOCHROME1", "MONOCHROME2")
    signed = ds.get("PixelRepresentation") in (0, 1)
    if not (plain and grey and signed and allocated in _PLAIN_BITS and 0 < used <= allocated):
        return None
    start = stream.seek(0, os.SEEK_END) - rest
    stream.seek(start)
    head = stream.read(12)
    first, length = _length(head, syntax)
    frame = math.prod(shape[1:]) * allocated // 8
    if head[:4] != _PIXEL_DATA or not frame * shape[0] <= length < frame * (shape[0] + 1):
        return None  # for others to say what is wrong with it
    return Stored(start + first, allocated - used, padding_of(ds))


def _length(head: bytes, syntax: str) -> tuple[int, int]:
    """Where the value of an element begins after its own first byte, and how long it is: -1 where
    that is not to be seen."""
    if syntax == IMPLICIT and len(head) >= 8:
        return 8, struct.unpack("<I", head[4:8])[0]
    if syntax == EXPLICIT and head[4:6] in (b"OB", b"OW") and len(head) >= 12:
        return 12, struct.unpack("<I", head[8:12])[0]
    return 0, -1


def read_stored(
    stream: BinaryIO, stored: Stored, shape: tuple[int, int, int], dtype: np.dtype[Any]
) -> NDArray[Any]:
    """The values (frames, rows, columns), bits beside them cleared.

    Raises:
        ValueError: the file has become shorter.
    """
    kind = dtype.newbyteorder("<")
    wanted = math.prod(shape) * kind.itemsize
    stream.seek(stored.start)
    content = bytearray(stream.read(wanted))
    if len(content) < wanted:
        raise ValueError(f"{len(content)} bytes of pixels where there were {wanted}")
    pixels: NDArray[Any] = np.frombuffer(content, kind).reshape(shape)
    if stored.unused:
        np.left_shift(pixels, stored.unused, out=pixels)
        np.right_shift(pixels, stored.unused, out=pixels)
    return pixels.astype(dtype, copy=False)


def padding_of(ds: Any) -> tuple[float, float] | None:
    """Values that mean that nothing was imaged there; zero is black, and stays."""
    low = number(ds, "PixelPaddingValue")
    if not low:
        return None
    high = number(ds, "PixelPaddingRangeLimit")
    return (low, low) if high is None else (min(low, high), max(low, high))


def without_padding(pixels: NDArray[Any], padding: tuple[float, float] | None) -> NDArray[Any]:
    """Pixels outside of what was imaged become as dark as the darkest of the others."""
    if padding is None:
        return pixels
    outside = (pixels >= padding[0]) & (pixels <= padding[1])
    if outside.all() or not outside.any():
        return pixels
    darkest: NDArray[Any] = np.where(outside, pixels[~outside].min(), pixels)
    return darkest
