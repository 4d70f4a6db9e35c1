"""Headers that lie: each is refused or read within seconds, and nothing is believed."""

import struct
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import ImplicitVRLittleEndian

from heartseg.core.errors import FormatError
from heartseg.formats.box import Box
from heartseg.formats.dicom import scan
from heartseg.formats.dicom_file import quiet
from heartseg.formats.dicom_pixels import read_pixels
from tests.formats.dicom_files import data_set, header_of, pixels_of, save

PICTURE = np.arange(4 * 8 * 9, dtype=np.uint16).reshape(4, 8, 9)
BEFORE = struct.pack("<HH", 0x28, 2)
"""Samples per Pixel: what is put before it comes before all that matters."""


@contextmanager
def soon() -> Iterator[None]:
    """Within 5 seconds and 200 MB."""
    tracemalloc.start()
    start = time.perf_counter()
    yield
    assert time.perf_counter() - start < 5
    assert tracemalloc.get_traced_memory()[1] < 200_000_000
    tracemalloc.stop()


def with_bytes(path: Path, extra: bytes, *, implicit: bool = False) -> Path:
    """A good file with some more bytes in its header."""
    ds = data_set(PICTURE)
    if implicit:
        ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    data = save(path, ds).read_bytes()
    at = data.index(BEFORE)
    path.write_bytes(data[:at] + extra + data[at:])
    return path


def nested(group: int, element: int, depth: int) -> bytes:
    """A sequence in a sequence in a sequence, of undefined lengths."""
    head = struct.pack("<HH2s2xI", group, element, b"SQ", 2**32 - 1)
    head += b"\xfe\xff\x00\xe0" + b"\xff" * 4
    tail = b"\xfe\xff\x0d\xe0" + bytes(4) + b"\xfe\xff\xdd\xe0" + bytes(4)
    return head * depth + tail * depth


@pytest.mark.parametrize("tag", [(0x0018, 0x6011), (0x0019, 0x1011)], ids=["known", "private"])
@pytest.mark.parametrize("depth", [1000, 100_000])
def test_sequences_in_sequences_end(tag, depth, tmp_path):
    path = with_bytes(tmp_path / "a.dcm", nested(*tag, depth))
    with soon(), pytest.raises(FormatError, match=r"a\.dcm: got a damaged DICOM header"):
        header_of(path)


def test_few_levels_are_no_harm(tmp_path):
    path = with_bytes(tmp_path / "a.dcm", nested(0x0019, 0x1011, 20))
    assert np.array_equal(pixels_of(path), PICTURE)


def test_attribute_of_millions_of_values_is_not_looked_at(tmp_path):
    many = b"1\\" * 8_000_000
    extra = struct.pack("<HHI", 0x20, 0x32, len(many)) + many  # ImagePositionPatient
    path = with_bytes(tmp_path / "a.dcm", extra, implicit=True)
    with soon():
        header, _ = header_of(path)
    assert header.planes[0].position is None


@pytest.mark.parametrize("length", [2**32 - 1, 2**32 - 16, 2**31])
def test_length_beyond_the_file_is_no_traceback(length, tmp_path):
    extra = struct.pack("<HHI", 0x20, 0x32, length)
    path = with_bytes(tmp_path / "a.dcm", extra, implicit=True)
    with soon(), Box(path) as box:
        try:
            headers, notes = scan(box)
        except FormatError as fault:
            headers, notes = [], [str(fault)]
    assert headers == []
    assert notes[0].startswith("a.dcm")


@pytest.mark.parametrize(
    ("keyword", "value", "said"),
    [
        ("Rows", 65535, "truncated file"),
        ("NumberOfFrames", 2_000_000_000, r"claims 2000000000 x 8 x 9 voxels, 268\.2 GB"),
        ("NumberOfFrames", 50_000_000, r"claims|frames; allowed"),
        ("NumberOfFrames", 5, "truncated file: .* need 720"),
        ("BitsAllocated", 12, "12 bits a value; allowed: 1, 8, 16, 32"),
        ("SamplesPerPixel", 60000, "truncated file"),
        ("Rows", 0, "a grid of 4 x 0 x 9 voxels"),
    ],
)
def test_sizes_that_cannot_be_are_refused_by_the_header(keyword, value, said, tmp_path):
    ds = data_set(PICTURE)
    setattr(ds, keyword, value)
    path = save(tmp_path / "a.dcm", ds)
    with soon(), pytest.raises(FormatError, match=said):
        header_of(path)


def test_frames_of_one_pixel_are_counted(tmp_path):
    ds = data_set(np.zeros((1, 1, 1), np.uint8))
    ds.NumberOfFrames, ds.PixelData = 3_000_000, bytes(3_000_000)
    path = save(tmp_path / "a.dcm", ds)
    with soon(), pytest.raises(FormatError, match="3000000 frames; allowed: at most 20000"):
        header_of(path)


def test_wrong_kind_of_value_is_damage(tmp_path):
    for number, extra in enumerate(
        (
            struct.pack("<HH2sH", 0x28, 0x08, b"IS", 4) + b"many",  # NumberOfFrames
            struct.pack("<HH2sH", 0x28, 0x10, b"DS", 4) + b"zzzz",  # Rows
        )
    ):
        data = with_bytes(tmp_path / f"{number}", b"").read_bytes()
        tag = extra[:4]
        at = data.index(tag)
        length = struct.unpack("<H", data[at + 6 : at + 8])[0]
        (tmp_path / f"{number}").write_bytes(data[:at] + extra + data[at + 8 + length :])
        with pytest.raises(FormatError, match="damaged DICOM header"):
            header_of(tmp_path / f"{number}")


def test_text_is_cut_and_cannot_steer_a_terminal(tmp_path):
    hostile = "=cmd|' /C calc'!A0 <script>alert(1)</script>\x1b[31m\x07" + "a" * 300
    ds = data_set(PICTURE)
    with quiet():
        ds.add_new("SeriesDescription", "LO", hostile)
        ds.add_new("SeriesNumber", "LO", "7\x1b]0;x\x07")
        path = save(tmp_path / "a.dcm", ds)
    header, _ = header_of(path)
    assert header.facts["SeriesDescription"].isprintable()
    assert len(header.facts["SeriesDescription"]) <= 256
    assert header.facts["SeriesNumber"].isprintable()


def test_name_of_a_file_cannot_steer_a_terminal_either(tmp_path):
    path = tmp_path / "a\x1b[31m.dcm"
    ds = data_set(PICTURE)
    ds.NumberOfFrames = 9
    save(path, ds)
    with pytest.raises(FormatError, match=r"^a\[31m\.dcm: got"):
        header_of(path)


@pytest.mark.parametrize(
    "name", ["ISO_IR 999", "ISO 2022 IR 87\\ISO 2022 IR 149", "\\\\", "x" * 60]
)
def test_odd_character_sets_are_no_harm(name, tmp_path):
    ds = data_set(PICTURE)
    data = save(tmp_path / "a.dcm", ds).read_bytes()
    at = data.index(struct.pack("<HH", 0x08, 0x16))
    text = name.encode() + b" " * (len(name) % 2)
    extra = struct.pack("<HH2sH", 0x08, 0x05, b"CS", len(text)) + text
    extra_name = struct.pack("<HH2sH", 0x08, 0x103E, b"LO", 6) + b"\xe9\x1b$B\xff\xfe"
    data = data[:at] + extra + data[at:]
    at = data.index(struct.pack("<HH", 0x20, 0x0D))
    (tmp_path / "a.dcm").write_bytes(data[:at] + extra_name + data[at:])
    header, _ = header_of(tmp_path / "a.dcm")
    assert np.array_equal(pixels_of(tmp_path / "a.dcm"), PICTURE)
    assert header.facts.get("SeriesDescription", "").isprintable()


def test_every_file_cut_anywhere_is_read_or_refused(tmp_path):
    whole = save(tmp_path / "whole.dcm", data_set(PICTURE)).read_bytes()
    path = tmp_path / "a.dcm"
    for end in range(133, len(whole), 7):
        path.write_bytes(whole[:end])
        with Box(path) as box, suppress(FormatError):
            for header in scan(box)[0]:  # cut in the last few bytes: found when it is decoded
                with pytest.raises(FormatError, match="^a.dcm: got pixels that cannot be read"):
                    read_pixels(box, header)
