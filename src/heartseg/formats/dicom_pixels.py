"""The pixels of a DICOM file, one plane a frame.

Decoders: pydicom's own, pyjpegls, pylibjpeg (openjpeg, rle) and GDCM, whichever knows the syntax.
"""

from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray

from heartseg.core.errors import FormatError
from heartseg.formats.box import Box
from heartseg.formats.dicom import DAMAGED, Header, quiet


def read_pixels(box: Box, header: Header) -> NDArray[Any]:
    """(frames, rows, columns) stored values of a file; colour becomes brightness.

    Raises:
        FormatError: truncated, or compressed in a way that cannot be read.
    """
    base = header.name.rpartition("/")[2]
    with quiet(), box.open(header.name) as stream:
        try:
            ds = pydicom.dcmread(stream, force=True)
            pixels = _grey(ds) if header.colour else ds.pixel_array
        except DAMAGED as fault:
            raise FormatError(
                base,
                got=f"pixels that cannot be read ({type(fault).__name__}: {str(fault)[:120]})",
                do="the file may be truncated: copy or export the study again",
            ) from fault
    expected = (header.frames, *header.size)
    if pixels.size != np.prod(expected):
        raise FormatError(base, got=f"pixels {pixels.shape}", allowed=f"{expected}")
    pixels = pixels.reshape(expected)
    if header.inverted:
        top = 0 if header.dtype.kind == "i" else 2**header.bits - 1
        pixels = (top - pixels.astype(np.int32)).astype(pixels.dtype)
    return pixels


_BRIGHTNESS = (0.299, 0.587, 0.114)
"""Rec. ITU-R BT.601."""


def _grey(ds: Any) -> NDArray[Any]:
    from pydicom.pixels.processing import apply_color_lut
    from pydicom.pixels.utils import pixel_array

    if str(ds.PhotometricInterpretation).startswith("PALETTE"):
        colours = apply_color_lut(ds.pixel_array, ds)
        colours = colours // 257 if colours.dtype.itemsize == 2 else colours
    else:
        colours = pixel_array(ds)  # RGB, also from YBR
    brightness: NDArray[Any] = np.rint(colours[..., :3] @ np.array(_BRIGHTNESS)).astype(np.uint8)
    return brightness
