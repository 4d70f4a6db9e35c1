"""How many pages a TIFF has: each directory names the next, and the last names none (TIFF 6.0).

Libraries end quietly where that chain leads out of the file, and go round where it leads back: a
truncated stack would come out shorter, and nobody would know.
"""

import struct
from pathlib import Path
from typing import BinaryIO

from heartseg.core.errors import FormatError

MAX_PAGES = 20_000
"""More than the frames of any cine."""

_MOST_TAGS = 200

_KINDS = {42: (4, "I", "H", 12), 43: (8, "Q", "Q", 20)}
"""TIFF and BigTIFF: where the first offset stands, offset, count of tags, bytes of a tag."""


_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 16: 8}
"""Of a value, by the type of a tag."""

_WORDS = (270, 282, 283)
"""ImageDescription, XResolution, YResolution: slices, frames and lengths stand there, often at the
end of the file, and libraries go on without them."""


def count_pages(path: Path, stream: BinaryIO) -> int:
    """Walk the chain to its end.

    Raises:
        FormatError: no TIFF, or a chain that leads out of the file, in a circle or too far.
    """
    start = stream.read(16)
    order = {b"II": "<", b"MM": ">"}.get(start[:2], "")
    kind = (
        _KINDS.get(struct.unpack(order + "H", start[2:4])[0]) if order and len(start) > 7 else None
    )
    if kind is None:
        raise _broken(path, "a file that is no whole TIFF" if start else "an empty file")
    at, offset_form, count_form, tag_bytes = kind
    try:
        (offset,) = struct.unpack_from(order + offset_form, start, at)
        seen: set[int] = set()
        while offset:
            if offset in seen or len(seen) >= MAX_PAGES:
                raise _broken(path, f"pages in a circle, or over {MAX_PAGES} of them")
            seen.add(offset)
            count = _number(stream, offset, order + count_form)
            tags = offset + struct.calcsize(count_form)
            for tag in range(tags, tags + min(count, _MOST_TAGS) * tag_bytes, tag_bytes):
                _require_value(stream, tag, order, offset_form)
            after = tags + count * tag_bytes
            offset = _number(stream, after, order + offset_form)
    except (struct.error, OSError, EOFError, OverflowError, ValueError) as fault:
        raise _broken(path, "a file that is no whole TIFF (a page is missing)") from fault
    return len(seen)


def _require_value(stream: BinaryIO, tag: int, order: str, offset_form: str) -> None:
    """EOFError where the words of a tag lie beyond the end of the file."""
    stream.seek(tag)
    form = f"{order}HH{offset_form}{offset_form}"
    code, kind, count, value = struct.unpack(form, stream.read(struct.calcsize(form)))
    length = _BYTES.get(kind, 0) * count
    if code in _WORDS and length > struct.calcsize(offset_form):
        stream.seek(0, 2)
        if value + length > stream.tell():
            raise EOFError


def _number(stream: BinaryIO, at: int, form: str) -> int:
    stream.seek(at)
    number: int = struct.unpack(form, stream.read(struct.calcsize(form)))[0]
    return number


def _broken(path: Path, got: str) -> FormatError:
    return FormatError(path.name, got=got, allowed=".tif, .tiff", do="copy or export it again")
