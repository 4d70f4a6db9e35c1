"""Every transfer syntax: a file is compressed here by a foreign encoder, and read back."""

import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom import uid

from heartseg.core.errors import FormatError
from tests.formats.dicom_files import (
    by_gdcm,
    data_set,
    enclosed,
    header_of,
    jpeg,
    pixels_of,
    save,
)

ROWS, COLUMNS = 46, 62


def picture(frames: int = 3, *, bits: int = 12, dtype: str = "uint16") -> NDArray:
    """Smooth, so that losses stay small, and without any symmetry."""
    t, y, x = np.mgrid[:frames, :ROWS, :COLUMNS]
    wave = np.sin(y / 7 + t) + np.cos(x / 11) + 0.3 * (y > 20) + 0.01 * x
    wave = (wave - wave.min()) / np.ptp(wave)
    top = 2**bits - 1
    low = -(2 ** (bits - 1)) if dtype.startswith("int") else 0
    return (wave * top + low).astype(dtype)


def test_uncompressed_and_deflated_files_are_read_exactly(tmp_path):
    expected = picture(dtype="int16", bits=16)
    for syntax in (
        uid.ImplicitVRLittleEndian,
        uid.ExplicitVRLittleEndian,
        uid.DeflatedExplicitVRLittleEndian,
    ):
        ds = data_set(expected)
        ds.file_meta.TransferSyntaxUID = syntax
        found = pixels_of(save(tmp_path / syntax, ds))
        assert np.array_equal(found, expected), syntax.name
        assert found.dtype == np.int16


def test_big_endian_is_read_exactly_and_in_the_machines_own_order(tmp_path):
    expected = picture()
    ds = data_set(expected, bits=12)
    ds.PixelData = expected.astype(">u2").tobytes()
    ds.file_meta.TransferSyntaxUID = uid.ExplicitVRBigEndian
    path = tmp_path / "a.dcm"
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    pydicom.dcmwrite(path, ds, enforce_file_format=True)
    found = pixels_of(path)
    assert np.array_equal(found, expected)
    assert found.dtype.isnative


def test_file_without_meta_information_is_read(tmp_path):
    ds = data_set(picture())
    del ds.file_meta
    ds.save_as(tmp_path / "a", implicit_vr=True, little_endian=True)
    assert (tmp_path / "a").read_bytes()[:2] == b"\x08\x00"
    assert np.array_equal(pixels_of(tmp_path / "a"), picture())
    whole = save(tmp_path / "b", data_set(picture())).read_bytes()
    (tmp_path / "c").write_bytes(whole[132:])  # meta information, and no preamble before it
    assert np.array_equal(pixels_of(tmp_path / "c"), picture())


LOSSLESS = [uid.RLELossless, uid.JPEGLSLossless, uid.JPEG2000Lossless]


KINDS = [(8, "uint8"), (12, "uint16"), (16, "uint16"), (16, "int16"), (12, "int16")]
ENCODED = [
    (syntax, bits, dtype)
    for syntax in LOSSLESS
    for bits, dtype in KINDS
    if (syntax, dtype) != (uid.JPEGLSLossless, "int16")  # pydicom's encoder takes none
]


@pytest.mark.parametrize(
    ("syntax", "bits", "dtype"), ENCODED, ids=lambda value: getattr(value, "name", str(value))[:12]
)
def test_lossless_frames_are_read_exactly(syntax, bits, dtype, tmp_path):
    expected = picture(bits=bits, dtype=dtype)
    ds = data_set(expected, bits=bits)
    ds.compress(syntax, generate_instance_uid=False)
    found = pixels_of(save(tmp_path / "a.dcm", ds))
    assert np.array_equal(found, expected)
    assert found.dtype == expected.dtype


@pytest.mark.parametrize("name", ["JPEGLosslessProcess14", "JPEGLosslessProcess14_1"])
@pytest.mark.parametrize(
    ("bits", "dtype"), [(8, "uint8"), (12, "uint16"), (16, "uint16"), (16, "int16")]
)
def test_lossless_jpeg_is_read_exactly(name, bits, dtype, tmp_path):
    import gdcm

    syntax = {"JPEGLosslessProcess14": uid.JPEGLossless}.get(name, uid.JPEGLosslessSV1)
    expected = picture(bits=bits, dtype=dtype)
    frames = [by_gdcm(frame, getattr(gdcm.TransferSyntax, name), bits) for frame in expected]
    ds = enclosed(data_set(expected, bits=bits), frames, syntax)
    assert np.array_equal(pixels_of(save(tmp_path / "a.dcm", ds)), expected)


def test_baseline_jpeg_is_read_within_its_losses(tmp_path):
    expected = picture(bits=8, dtype="uint8")
    ds = enclosed(data_set(expected), [jpeg(frame) for frame in expected], uid.JPEGBaseline8Bit)
    found = pixels_of(save(tmp_path / "a.dcm", ds)).astype(int)
    assert 0 < np.abs(found - expected).max() <= 6
    assert found.shape == expected.shape


def test_extended_jpeg_of_12_bits_is_read_within_its_losses(tmp_path):
    import gdcm

    expected = picture(bits=12)
    syntax = gdcm.TransferSyntax.JPEGExtendedProcess2_4
    frames = [by_gdcm(frame, syntax, 12, lossy=True) for frame in expected]
    ds = enclosed(data_set(expected, bits=12), frames, uid.JPEGExtended12Bit)
    found = pixels_of(save(tmp_path / "a.dcm", ds)).astype(int)
    assert np.abs(found - expected).max() <= 8  # of 4095
    assert found.max() > 4000


def test_lossy_jpeg_2000_and_near_lossless_jpeg_ls_are_read_within_their_losses(tmp_path):
    expected = picture(bits=8, dtype="uint8")
    for syntax, options in (
        (uid.JPEG2000, {"j2k_cr": [6]}),
        (uid.JPEGLSNearLossless, {"jls_error": 3}),
    ):
        ds = data_set(expected)
        ds.compress(syntax, generate_instance_uid=False, **options)
        found = pixels_of(save(tmp_path / syntax, ds)).astype(int)
        assert 0 < np.abs(found - expected).max() <= 12, syntax.name


@pytest.mark.parametrize(("fragments", "table"), [(1, True), (1, False), (3, True)])
def test_frames_in_fragments_with_or_without_their_offsets(fragments, table, tmp_path):
    expected = picture(bits=8, dtype="uint8")
    ds = data_set(expected)
    ds.compress(uid.JPEG2000Lossless, generate_instance_uid=False)
    frames = list(pydicom.encaps.generate_frames(ds.PixelData, number_of_frames=3))
    ds = enclosed(ds, frames, uid.JPEG2000Lossless, fragments=fragments, table=table)
    assert np.array_equal(pixels_of(save(tmp_path / "a.dcm", ds)), expected)


def test_one_frame_in_many_fragments_without_offsets(tmp_path):
    expected = picture(1, bits=8, dtype="uint8")
    ds = enclosed(
        data_set(expected), [jpeg(expected[0])], uid.JPEGBaseline8Bit, fragments=5, table=False
    )
    assert np.abs(pixels_of(save(tmp_path / "a.dcm", ds)).astype(int) - expected).max() <= 6


def test_high_throughput_jpeg_2000_reaches_its_decoder(tmp_path):
    """No free encoder is at hand: a grey frame without coefficients, marked as HTJ2K."""
    expected = np.full((1, ROWS, COLUMNS), 128, np.uint8)
    ds = data_set(expected)
    ds.compress(uid.JPEG2000Lossless, generate_instance_uid=False)
    (frame,) = pydicom.encaps.generate_frames(ds.PixelData, number_of_frames=1)
    coded = bytearray(frame)
    size = struct.unpack(">H", coded[4:6])[0]
    coded[6:8] = struct.pack(">H", struct.unpack(">H", coded[6:8])[0] | 0x4000)
    at = coded.index(b"\xff\x52")
    coded[at + 12] |= 0x40  # code blocks in high throughput
    coded[4 + size : 4 + size] = b"\xff\x50\x00\x08\x00\x02\x00\x00\x00\x00"
    ds = enclosed(ds, [bytes(coded)], uid.HTJ2KLossless)
    assert np.array_equal(pixels_of(save(tmp_path / "a.dcm", ds)), expected)


@pytest.mark.parametrize(
    "syntax",
    [
        uid.MPEG4HP41,
        uid.HEVCMP51,
        uid.MPEG2MPML,
        uid.UID("1.2.840.10008.1.2.4.94"),
        uid.UID("1.2.9.9"),
    ],
)
def test_unreadable_syntax_is_named(syntax, tmp_path):
    ds = enclosed(data_set(picture(1)), [b"\0\0\0\x18ftyp"], uid.MPEG4HP41)
    ds.file_meta.TransferSyntaxUID = syntax
    ds.set_original_encoding(is_implicit_vr=False, is_little_endian=True)
    with pytest.raises(FormatError, match="transfer syntax") as caught:
        header_of(save(tmp_path / "a.dcm", ds))
    assert syntax.name in str(caught.value)


# Frames that are not what the data set says


def test_codestream_of_another_size_is_refused_before_it_is_decoded(tmp_path):
    small, large = np.zeros((1, 8, 8), np.uint8), picture(1, bits=8, dtype="uint8")
    for number, syntax in enumerate((uid.JPEG2000Lossless, uid.JPEGLSLossless)):
        ds = data_set(large)
        ds.compress(syntax, generate_instance_uid=False)
        ds.Rows = ds.Columns = small.shape[1]
        path = save(tmp_path / f"{number}", ds)
        with pytest.raises(FormatError, match="46 x 62 x 1 where the header says 8 x 8 x 1"):
            pixels_of(path)
    ds = enclosed(data_set(small), [jpeg(large[0])], uid.JPEGBaseline8Bit)
    with pytest.raises(FormatError, match="46 x 62 x 1 where the header says 8 x 8 x 1"):
        pixels_of(save(tmp_path / "jpeg", ds))


def test_jpeg_2000_of_a_million_tiles_is_refused(tmp_path):
    ds = data_set(picture(1, bits=8, dtype="uint8"))
    ds.compress(uid.JPEG2000Lossless, generate_instance_uid=False)
    (frame,) = pydicom.encaps.generate_frames(ds.PixelData, number_of_frames=1)
    coded = bytearray(frame)
    ds.Rows = ds.Columns = 2000
    coded[8:16] = struct.pack(">II", 2000, 2000)
    coded[24:32] = struct.pack(">II", 1, 1)
    with pytest.raises(FormatError, match="too many tiles"):
        pixels_of(save(tmp_path / "b", enclosed(ds, [bytes(coded)], uid.JPEG2000Lossless)))


def test_more_or_fewer_frames_than_stated_are_refused(tmp_path):
    expected = picture(bits=8, dtype="uint8")
    frames = [jpeg(frame) for frame in expected]
    for stated in (2, 5):
        ds = enclosed(data_set(expected), frames, uid.JPEGBaseline8Bit)
        ds.NumberOfFrames = stated
        with pytest.raises(FormatError, match="cannot be read"):
            pixels_of(save(tmp_path / f"{stated}", ds))
    ds = data_set(expected)
    ds.NumberOfFrames = 2
    with pytest.raises(FormatError, match="3 frames where the header says 2"):
        pixels_of(save(tmp_path / "raw", ds))


def test_rle_that_is_longer_than_any_is_refused(tmp_path):
    expected = picture(1, bits=8, dtype="uint8")
    ds = enclosed(data_set(expected), [bytes(3 * expected.size + 2000)], uid.RLELossless)
    with pytest.raises(FormatError, match="bytes of RLE"):
        pixels_of(save(tmp_path / "a", ds))


@pytest.mark.parametrize("syntax", [uid.JPEG2000Lossless, uid.JPEGLSLossless, uid.RLELossless])
def test_damaged_frames_are_said(syntax, tmp_path):
    ds = data_set(picture(1, bits=8, dtype="uint8"))
    ds.compress(syntax, generate_instance_uid=False)
    (frame,) = pydicom.encaps.generate_frames(ds.PixelData, number_of_frames=1)
    ds = enclosed(ds, [frame[: len(frame) // 4]], syntax)
    with pytest.raises(FormatError, match="cannot be read"):
        pixels_of(save(tmp_path / "a", ds))


def test_deflated_bomb_is_refused_before_it_grows(tmp_path):
    ds = data_set(np.zeros((400, 512, 512), np.uint8))
    ds.file_meta.TransferSyntaxUID = uid.DeflatedExplicitVRLittleEndian
    path = save(tmp_path / "a.dcm", ds)
    assert path.stat().st_size < 200_000
    with pytest.raises(FormatError, match="damaged"):
        header_of(path)


def test_decoders_survive_rubbish(tmp_path):
    """In a process of its own: a decoder in C that falls would take the tests with it."""
    done = subprocess.run(
        [sys.executable, "-c", _RUBBISH, str(tmp_path)], capture_output=True, text=True, timeout=90
    )
    assert done.returncode == 0, done.stderr[-500:]
    assert "tried 40" in done.stdout


_RUBBISH = """
import sys, warnings
from pathlib import Path
import numpy as np, gdcm
from heartseg.core.errors import FormatError
from tests.formats import test_dicom_codec as t
warnings.simplefilter("ignore")
rng, image, tried = np.random.default_rng(5), t.picture(1, bits=8, dtype="uint8"), 0
p14 = t.by_gdcm(image[0], gdcm.TransferSyntax.JPEGLosslessProcess14_1, 8)
for syntax, whole in ((t.uid.JPEGBaseline8Bit, t.jpeg(image[0])), (t.uid.JPEGLosslessSV1, p14)):
    for _ in range(20):
        data = bytearray(whole)
        for at in rng.integers(20, len(data), 8):
            data[at] = rng.integers(256)
        ds = t.enclosed(t.data_set(image), [bytes(data)], syntax)
        try:
            t.pixels_of(t.save(Path(sys.argv[1]) / "a.dcm", ds))
        except FormatError:
            pass
        tried += 1
print("tried", tried)
"""


# Files made by others


@pytest.mark.parametrize(
    "name",
    ["JPGExtended.dcm", "SC_rgb_jpeg_dcmtk.dcm", "JPEGLSNearLossless_16.dcm", "JPEG2000.dcm"],
)
def test_files_shipped_with_pydicom_are_read(name):
    from pydicom.data import get_testdata_file

    path = Path(str(get_testdata_file(name, download=False)))
    found = pixels_of(path)
    assert found.min() < found.max()
