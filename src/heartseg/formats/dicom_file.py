"""A file as DICOM: is it one, in which transfer syntax, and its data set within bounds.

Standard: DICOM PS3.10 (7 File Format), PS3.5 (A Transfer Syntaxes). pydicom inflates a deflated
file without looking at its size, follows any nesting and keeps any length: this is the only place
that calls it on a file, and what it raises on files that are not what they promise is `DAMAGED`.
"""

import io
import logging
import os
import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO

import pydicom
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.errors import BytesLengthException, InvalidDicomError

from heartseg.formats.bounds import MAX_BYTES, MAX_INFLATION

DAMAGED = (
    InvalidDicomError, BytesLengthException, EOFError, OSError, ValueError, KeyError,
    AttributeError, TypeError, IndexError, NotImplementedError, RuntimeError, OverflowError,
    struct.error, RecursionError, LookupError, AssertionError, zlib.error,
)  # fmt: skip
"""What pydicom and its decoders raise on files that are not what they promise."""

IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
BIG_ENDIAN, DEFLATED = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
NATIVE = frozenset({IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED})
"""Transfer syntaxes whose pixels are stored as they are."""

MAX_VALUE_BYTES = 2**16
"""Of an attribute that heartseg looks at; sequences, tables of colours and pixels may have more."""

_LONG_READ = 2**20
_META_ELEMENTS = 64
_LONG = (b"OB", b"OD", b"OF", b"OL", b"OW", b"SQ", b"UC", b"UN", b"UR", b"UT", b"OV", b"SV", b"UV")


_META_START = b"\x02\0\0\0UL"
_FIRST_ELEMENTS = frozenset(
    b"\x08\0" + element.to_bytes(2, "little")
    for element in (0x00, 0x01, 0x05, 0x08, 0x12, 0x13, 0x14, 0x16, 0x18)
)
"""With what files begin that have no preamble, in little endian."""


@contextmanager
def quiet() -> Iterator[None]:
    """Without pydicom's remarks on values that are not legal: they are looked at here."""
    logger = logging.getLogger("pydicom")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def is_dicom(stream: BinaryIO) -> bool:
    """True when the content begins like a DICOM file, with or without its preamble."""
    start = stream.read(132)
    stream.seek(0)
    return start[128:132] == b"DICM" or start[:6] == _META_START or start[:4] in _FIRST_ELEMENTS


def tags_of(*keywords: str) -> tuple[int, ...]:
    """Tags of keywords, looked up once for many files."""
    return tuple(pydicom.tag.Tag(keyword) for keyword in keywords)


def read(
    stream: BinaryIO, tags: Sequence[int] | None = None, *, pixels: bool = True
) -> tuple[Any, int]:
    """The data set with the transfer syntax in its `file_meta`, and how many bytes follow it.

    Args:
        stream: at its start.
        tags: `tags_of` what is wanted, None for all.
        pixels: whether to go on to them.

    Raises:
        any of `DAMAGED`: not DICOM, or a value of the wrong kind.
    """
    syntax, start = _meta(stream)
    if syntax == DEFLATED:
        stream = _inflated(stream, start)
    ds = pydicom.dcmread(
        _Sober(stream),
        stop_before_pixels=not pixels,
        specific_tags=list(tags) if tags is not None else None,
        force=True,
    )
    if not getattr(ds.file_meta, "TransferSyntaxUID", ""):
        said = DEFLATED if syntax == DEFLATED else _guessed(ds)
        ds.file_meta.TransferSyntaxUID = pydicom.uid.UID(said)
    here, end = stream.tell(), stream.seek(0, os.SEEK_END)
    return bounded(ds), end - here


class _Sober:
    """A stream that takes no more memory for a read than it can fill, whatever a header claims."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self.tell, self.seek = stream, stream.tell, stream.seek
        here = stream.tell()
        self._end = stream.seek(0, os.SEEK_END)
        stream.seek(here)

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes."""
        if size > _LONG_READ:  # Python would take the memory before it sees the file's end
            size = max(0, min(size, self._end - self.tell()))
        return self._stream.read(size)


def bounded(ds: Any) -> Any:
    """The same data set without values longer than any that heartseg looks at."""
    long = [
        tag
        for tag, raw in ds.items()
        if isinstance(raw, RawDataElement)
        and (raw.length or 0) > MAX_VALUE_BYTES
        and not _may_be_long(tag)
    ]
    for tag in long:
        del ds[tag]
    return ds


def _may_be_long(tag: Any) -> bool:
    try:
        return dictionary_VR(tag)[:2] in ("SQ", "OB", "OW", "OF", "OD", "UN")
    except KeyError:
        return False


def _guessed(ds: Any) -> str:
    """The syntax of a file that does not say it, as pydicom read it."""
    implicit, little = ds.original_encoding
    if implicit:
        return IMPLICIT
    return EXPLICIT if little else BIG_ENDIAN


def _meta(stream: BinaryIO) -> tuple[str, int]:
    """TransferSyntaxUID of the file meta information, and where the data set begins.

    The stream goes back to its start.
    """
    beginning = io.BytesIO(stream.read(_META_BYTES))
    stream.seek(0)
    syntax, end = _walked(beginning)
    return (syntax, end) if syntax and end < _META_BYTES else _walked(stream)


_META_BYTES = 1024
"""Of most files; one read instead of many."""


def _walked(stream: BinaryIO) -> tuple[str, int]:
    syntax, end = "", 0
    try:
        bare = stream.read(6) == _META_START
        stream.seek(0 if bare else 128)
        for _ in range(_META_ELEMENTS if bare or stream.read(4) == b"DICM" else 0):
            end = stream.tell()
            group, element, kind = struct.unpack("<HH2s", stream.read(6))
            if group != 2:
                break
            length = _length(stream, kind)
            if element == 0x10:
                syntax = stream.read(min(length, 64)).decode("ascii", "replace").strip("\0 ")
            else:
                stream.seek(length, os.SEEK_CUR)
    except (struct.error, OverflowError, ValueError):
        return syntax, end
    finally:
        stream.seek(0)
    return syntax, end


def _length(stream: BinaryIO, kind: bytes) -> int:
    """Of an element's value, after its group, number and two more bytes."""
    if kind in _LONG:
        length: int = struct.unpack("<2xI", stream.read(6))[0]
    elif kind.isalpha() and kind.isupper():
        (length,) = struct.unpack("<H", stream.read(2))
    else:  # implicit: these two bytes were the length's first
        length = int.from_bytes(kind + stream.read(2), "little")
    return length


def _inflated(stream: BinaryIO, start: int) -> BinaryIO:
    """What follows the file meta information of a deflated file, as a file of its own.

    Raises:
        ValueError: it would grow beyond reason.
        zlib.error: it is damaged.
    """
    stream.seek(start)
    packed = stream.read()
    limit = min(MAX_BYTES, MAX_INFLATION * len(packed) + 2**20)
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    content = unpacker.decompress(packed, limit)
    if unpacker.unconsumed_tail:
        raise ValueError(f"deflated data that grow to more than {limit / 2**20:.0f} MB")
    return io.BytesIO(content)
