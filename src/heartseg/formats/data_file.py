"""The voxels that a text header describes: in its own file, in another one, or in several.

A header is a stranger's text. The files it names must lie in its own folder, sizes are compared
with what is there before memory is taken, and packed data never grow beyond what was claimed.
"""

import bz2
import gzip
import re
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import FormatError
from heartseg.formats.bounds import DEFLATE_RATIO, require_memory

Packing = Literal["raw", "zlib", "gzip", "bzip2", "text", "hex"]

MAX_HEADER_BYTES = 2**20
"""A header with a list of a thousand files has 30 kB."""

MAX_TEXT_BYTES = 2**26
"""Voxels as text take ten times their size in memory: 64 MB is more than anybody has written."""

BZIP2_RATIO = 50_000
"""An empty 3-D label map in bzip2 reaches some thousands."""

_CHUNK = 2**24


def beside(header: Path, name: str) -> Path:
    """The file that a header names, which must lie in the header's own folder or below.

    Raises:
        FormatError: the name leads elsewhere, by `..`, by an absolute path or by a link; or there
            is no such file.
    """
    parts = re.split(r"[/\\]", name)
    file = None if ".." in parts or not parts[0] or ":" in name else _inside(header.parent, parts)
    if file is None:
        raise FormatError(
            header.name,
            got="a data file outside of its own folder",
            allowed="a file beside the header",
            do="copy the data file into the folder and name it in the header",
        )
    if not file.is_file():
        raise FormatError(
            header.name,
            got=f"a header whose data file {parts[-1][:60]!r} is not there",
            do="copy the data file beside it, with the name that the header gives",
        )
    return file


def _inside(folder: Path, parts: Sequence[str]) -> Path | None:
    """The file without links; None where it is not in the folder, or no name of a file."""
    try:
        file = folder.joinpath(*parts).resolve()
        file.is_file()
    except (OSError, RuntimeError, ValueError):  # a link to itself, a name too long or with a NUL
        return None
    return file if file.is_relative_to(folder.resolve()) else None


def numbered(header: str, pattern: str, first: int, last: int, step: int) -> list[str]:
    """File names of a printf pattern with one number, e.g. `slice%03d.raw`.

    Raises:
        FormatError: another pattern, or a range without an end.
    """
    match = re.fullmatch(r"([^%]*)%(0?)(\d?)d([^%]*)", pattern)
    if match is None or step < 1 or not 0 <= last - first < MAX_HEADER_BYTES:
        raise FormatError(
            header,
            got=f"a pattern of data files {pattern[:40]!r}, {first} to {last} by {step}",
            allowed="one number, as in slice%03d.raw 1 20 1",
        )
    before, zero, width, after = match.groups()
    form = f"{zero}{width}d"
    return [f"{before}{number:{form}}{after}" for number in range(first, last + 1, step)]


def read_text_header(path: Path) -> bytes:
    """The beginning of a file, as much as a header may have; FormatError if absent or empty."""
    try:
        with path.open("rb") as stream:
            start = stream.read(MAX_HEADER_BYTES)
    except OSError as fault:
        raise FormatError(path.name, got=f"{fault.strerror}", do="check the path") from fault
    if not start:
        raise FormatError(path.name, got="an empty file", do="copy or export it again")
    return start


def read_voxels(
    files: Sequence[Path], skip: int, sizes: Sequence[int], dtype: np.dtype[Any], packing: Packing
) -> NDArray[Any]:
    """An array of `sizes`, first axis fastest, in native byte order.

    Args:
        files: one, or several with an equal share each, in their order.
        skip: bytes before the data of each; -1 when the data are its end.
        sizes: voxels along each axis.
        dtype: as stored.
        packing: how the bytes were put down.

    Raises:
        FormatError: more claimed than there is or than memory takes, or damaged.
    """
    where = files[0].name
    total = require_memory(where, sizes, dtype.itemsize)
    share, rest = divmod(total, len(files) * dtype.itemsize)
    if rest:
        raise FormatError(where, got=f"{len(files)} data files", allowed="an equal share each")
    share *= dtype.itemsize
    for file in files:
        _require_there(file, skip, share, dtype, packing)
    data = bytearray()
    for file in files:
        data += _read(file, skip, share, dtype, packing)
    stored = np.frombuffer(data, dtype).reshape(tuple(sizes), order="F")
    return stored.astype(dtype.newbyteorder("="), copy=False)


def _require_there(
    file: Path, skip: int, share: int, dtype: np.dtype[Any], packing: Packing
) -> None:
    """Refuse a file that could never hold what was claimed, before any byte is taken."""
    size = file.stat().st_size
    there = size - max(skip, 0)
    grows = {"zlib": DEFLATE_RATIO, "gzip": DEFLATE_RATIO, "bzip2": BZIP2_RATIO}.get(packing, 1)
    count = share // dtype.itemsize
    least = {"text": 2 * count - 1, "hex": 2 * share}.get(packing, share)
    if there * grows < least:
        raise too_short(file, share)
    if packing in ("text", "hex") and size > MAX_TEXT_BYTES:
        raise FormatError(
            file.name,
            got=f"{size / 2**20:.0f} MB of voxels as text",
            allowed=f"{MAX_TEXT_BYTES / 2**20:.0f} MB",
            do="write them as raw or gzip",
        )


def _read(file: Path, skip: int, share: int, dtype: np.dtype[Any], packing: Packing) -> bytearray:
    try:
        with file.open("rb") as stream:
            stream.seek(file.stat().st_size - share if skip < 0 else skip)
            data = _unpacked(stream, share, dtype, packing)
    except (OSError, EOFError, zlib.error, ValueError, OverflowError) as fault:
        raise FormatError(
            file.name,
            got=f"damaged or truncated data ({type(fault).__name__})",
            do="copy or export it again",
        ) from fault
    if len(data) != share:
        raise too_short(file, share)
    return data


def _unpacked(stream: BinaryIO, share: int, dtype: np.dtype[Any], packing: Packing) -> bytearray:
    if packing == "zlib":
        return _inflated(stream, share)
    if packing == "text":
        return bytearray(np.array(stream.read().split(), dtype).tobytes())
    if packing == "hex":
        return bytearray.fromhex(stream.read().decode("ascii"))
    unpacked: Any = stream
    if packing == "gzip":
        unpacked = gzip.GzipFile(fileobj=stream)
    elif packing == "bzip2":
        unpacked = bz2.BZ2File(stream)
    data = _up_to(unpacked, share)
    if packing != "raw" and unpacked.read(1):  # which also checks the checksum at the end
        raise ValueError("more data than claimed")
    return data


def _up_to(stream: Any, count: int) -> bytearray:
    """In chunks: memory is taken only for what is really there."""
    data = bytearray()
    while len(data) < count:
        part = stream.read(min(_CHUNK, count - len(data)))
        if not part:
            break
        data += part
    return data


def _inflated(stream: BinaryIO, count: int) -> bytearray:
    """A zlib or gzip stream of `count` bytes, which must end there with its checksum."""
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)
    data = bytearray()
    while not unpacker.eof:
        packed = unpacker.unconsumed_tail or stream.read(_CHUNK)
        part = unpacker.decompress(packed, max(1, count - len(data)))
        if not packed and not part:
            raise EOFError
        data += part
        if len(data) > count:
            raise ValueError("more data than claimed")
    return data


def too_short(file: Path, claimed: int) -> FormatError:
    """The error for a file with fewer voxels than its header claims."""
    return FormatError(
        file.name,
        got=f"fewer bytes than the {claimed} of voxels that its header claims",
        do="the file is truncated: copy or export it again",
    )
