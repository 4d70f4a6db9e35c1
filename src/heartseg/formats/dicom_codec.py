"""Compressed pixels: which transfer syntaxes are read, by which decoder, and within which bounds.

Standard: DICOM PS3.5 (8.2, A.4), ISO 10918-1 (JPEG), 14495-1 (JPEG-LS), 15444-1 (JPEG 2000).
A compressed frame has a header of its own, which decoders believe: it is compared with the data
set's before anything is decoded. No syntax is decoded by GPL code.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray

from heartseg.core.errors import FormatError
from heartseg.formats.dicom_file import NATIVE

JPEG_BASELINE, JPEG_EXTENDED = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"
RLE = "1.2.840.10008.1.2.5"

_DECODERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        JPEG_BASELINE: ("pillow", "gdcm"),
        JPEG_EXTENDED: ("pillow", "gdcm"),
        "1.2.840.10008.1.2.4.57": ("gdcm",),  # JPEG lossless, process 14
        "1.2.840.10008.1.2.4.70": ("gdcm",),  # JPEG lossless, selection value 1
        "1.2.840.10008.1.2.4.80": ("pyjpegls", "gdcm"),  # JPEG-LS lossless
        "1.2.840.10008.1.2.4.81": ("pyjpegls", "gdcm"),  # JPEG-LS near-lossless
        "1.2.840.10008.1.2.4.90": ("pylibjpeg", "gdcm"),  # JPEG 2000 lossless
        "1.2.840.10008.1.2.4.91": ("pylibjpeg", "gdcm"),  # JPEG 2000
        "1.2.840.10008.1.2.4.201": ("pylibjpeg",),  # high-throughput JPEG 2000, lossless
        "1.2.840.10008.1.2.4.202": ("pylibjpeg",),  # the same, RPCL
        "1.2.840.10008.1.2.4.203": ("pylibjpeg",),  # high-throughput JPEG 2000
        RLE: ("pylibjpeg", "pydicom"),
    }
)
"""pydicom's names of the decoders for a syntax, the most careful with damaged data first."""


def require_readable(where: str, syntax: str) -> None:
    """Refuse a transfer syntax that nothing here decodes.

    Raises:
        FormatError: its name, and what to do.
    """
    if syntax not in NATIVE and syntax not in _DECODERS:
        name = pydicom.uid.UID(syntax).name
        raise FormatError(
            where,
            got=f"the transfer syntax {name}, which cannot be read" + _known(name, syntax),
            allowed="uncompressed, deflated, RLE, JPEG, JPEG-LS, JPEG 2000",
            do="export the images uncompressed, or a video as a file of its own",
        )


def _known(name: str, syntax: str) -> str:
    return "" if name == syntax else f" ({syntax})"


def frames_of(ds: Any, frames: int) -> Iterator[NDArray[Any]]:
    """The frames of compressed pixels, (rows, columns) or (rows, columns, 3) RGB.

    Raises:
        ValueError, RuntimeError: another number of frames, frames that are not what the data set
            says, or damaged ones.
    """
    from pydicom.encaps import generate_frames
    from pydicom.pixels.decoders.base import get_decoder

    syntax = str(ds.file_meta.TransferSyntaxUID)
    coded = list(generate_frames(ds.PixelData, number_of_frames=frames))
    if len(coded) != frames:
        raise ValueError(f"{len(coded)} frames where the header says {frames}")
    wide = False
    for frame in coded:
        wide = _checked(frame, ds, syntax) or wide
    if wide:
        yield from (_extended_jpeg(frame, ds) for frame in coded)
        return
    decoder = get_decoder(ds.file_meta.TransferSyntaxUID)
    ready = [one for one in _DECODERS[syntax] if one in decoder.available_plugins]
    if not ready:
        raise RuntimeError(f"no decoder is installed: {' or '.join(_DECODERS[syntax])}")
    for pixels, _ in decoder.iter_array(ds, decoding_plugin=ready[0]):
        yield pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """What a compressed frame says of itself."""

    rows: int
    columns: int
    samples: int
    bits: int


def _checked(frame: bytes, ds: Any, syntax: str) -> bool:
    """Whether a frame is JPEG of more than 8 bits with losses, after comparing its header."""
    samples = int(ds.get("SamplesPerPixel", 1))
    if syntax == RLE:
        raw = int(ds.Rows) * int(ds.Columns) * samples * int(ds.BitsAllocated) // 8
        if len(frame) > 2 * raw + 1024:  # the worst case grows by 1/128
            raise ValueError(f"{len(frame)} bytes of RLE for {raw} bytes of pixels")
        return False
    coded = described(frame)
    if (coded.rows, coded.columns, coded.samples) != (int(ds.Rows), int(ds.Columns), samples):
        raise ValueError(
            f"a compressed frame of {coded.rows} x {coded.columns} x {coded.samples} where the "
            f"header says {ds.Rows} x {ds.Columns} x {samples}"
        )
    if coded.bits > int(ds.BitsAllocated):
        raise ValueError(f"{coded.bits} bits in {ds.BitsAllocated} allocated ones")
    return syntax in (JPEG_BASELINE, JPEG_EXTENDED) and coded.bits > 8


def described(frame: bytes) -> Coded:
    """Size, samples and bits of a JPEG, JPEG-LS or JPEG 2000 stream, from its own header.

    Raises:
        ValueError: there is none.
    """
    if frame.startswith(b"\xff\xd8"):
        return _jpeg(frame)
    return _jpeg_2000(_codestream(frame))


_START_OF_FRAME = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xF7})


def _jpeg(frame: bytes) -> Coded:
    at = 2
    while at + 10 <= len(frame) and frame[at] == 0xFF:
        marker = frame[at + 1]
        if marker == 0xFF:  # fill
            at += 1
        elif marker in _START_OF_FRAME:
            rows, columns = _two(frame, at + 5), _two(frame, at + 7)
            return Coded(rows=rows, columns=columns, samples=frame[at + 9], bits=frame[at + 4])
        else:
            at += 2 + _two(frame, at + 2)
    raise ValueError("a JPEG frame without its header")


def _two(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big")


def _four(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")


def _codestream(frame: bytes) -> bytes:
    """What a JP2 file holds around its codestream is stepped over; a bare one is itself."""
    at = 0
    while frame[:4] != b"\xff\x4f\xff\x51" and at + 16 <= len(frame):
        length, kind = _four(frame, at), frame[at + 4 : at + 8]
        if kind == b"jp2c":
            return frame[at + (16 if length == 1 else 8) :]
        if length < 8:
            break
        at += length
    return frame


_MAX_TILES = 4096


def _jpeg_2000(stream: bytes) -> Coded:
    if stream[:4] != b"\xff\x4f\xff\x51" or len(stream) < 43:
        raise ValueError("a compressed frame that is neither JPEG nor JPEG 2000")
    right, bottom, left, top, width, height = (_four(stream, at) for at in range(8, 32, 4))
    if right <= left or bottom <= top or not width or not height:
        raise ValueError("a JPEG 2000 frame of no size")
    if -(-right // width) * -(-bottom // height) > _MAX_TILES:
        raise ValueError("a JPEG 2000 frame of too many tiles")
    return Coded(
        rows=bottom - top,
        columns=right - left,
        samples=_two(stream, 40),
        bits=(stream[42] & 0x7F) + 1,
    )


def _extended_jpeg(frame: bytes, ds: Any) -> NDArray[Any]:
    """JPEG process 4, 12 bits, which pydicom's own way to GDCM refuses."""
    import gdcm

    if int(ds.get("SamplesPerPixel", 1)) != 1 or int(ds.BitsAllocated) != 16:
        raise ValueError("JPEG of 12 bits that is not grey in 16 allocated ones")
    # The order matters: GDCM's Python objects must be released as they were made.
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(frame)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((int(ds.Columns), int(ds.Rows), 1))
    image.SetDataElement(element)
    kind = gdcm.PhotometricInterpretation
    image.SetPhotometricInterpretation(kind(kind.MONOCHROME2))
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGExtendedProcess2_4))
    image.SetPixelFormat(gdcm.PixelFormat(1, 16, 12, 11, 0))
    decoded = image.GetBuffer()
    if decoded is None:
        raise ValueError("a damaged JPEG frame")
    pixels = np.frombuffer(decoded.encode("utf-8", "surrogateescape"), "<u2")
    return pixels.reshape(int(ds.Rows), int(ds.Columns))
