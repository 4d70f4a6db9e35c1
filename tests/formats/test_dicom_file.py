"""A DICOM file costs no more memory than it has bytes, whatever its lengths claim."""

import io
import tracemalloc

from heartseg.formats.dicom_file import DAMAGED, quiet, read

UID = b"1.2.840.10008.1.2.1\0"


def test_a_length_of_two_gigabytes_takes_no_memory():
    meta = b"\x02\0\x10\0UI" + len(UID).to_bytes(2, "little") + UID
    start = bytes(128) + b"DICM" + meta
    claim = b"\x08\0\x08\0UC\0\0" + (2**31 - 2).to_bytes(4, "little") + b"ORIGINAL"
    stream = _Honest(start + claim)
    tracemalloc.start()
    try:
        with quiet():
            read(stream)
    except DAMAGED:
        pass  # it may be refused: at what price is the question
    finally:
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert stream.asked
    assert max(stream.asked) < 2**21
    assert most < 2**22


class _Honest(io.BytesIO):
    """Remembers what it was asked for: a file on a disk would take that much."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.asked: list[int] = []

    def read(self, size: int | None = -1, /) -> bytes:
        self.asked.append(size or 0)
        return super().read(size)
