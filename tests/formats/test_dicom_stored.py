"""Pixels that are read as they lie are those that pydicom reads."""

from dataclasses import replace

import numpy as np
import pydicom
import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from heartseg.core.errors import FormatError
from heartseg.formats.box import Box
from heartseg.formats.dicom_pixels import read_pixels
from tests.formats.dicom_files import data_set, header_of, save

SHAPE = (3, 5, 7)
"""Frames, rows, columns: no two alike."""


def values(dtype: str, bits: int) -> np.ndarray:
    """Every sign and the bits above a value, which overlays of old were kept in."""
    kind = np.dtype(dtype)
    few = np.random.default_rng(0).integers(0, 2 ** (kind.itemsize * 8), SHAPE)
    assert (few >> bits).any() or bits == kind.itemsize * 8
    return few.astype(kind.str.replace("i", "u")).view(kind)


def both_ways(path):
    """By the short way, and by pydicom."""
    header, _ = header_of(path)
    assert header.stored is not None
    with Box(path) as box:
        return read_pixels(box, header), read_pixels(box, replace(header, stored=None))


@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("kind", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize(
    ("dtype", "bits"), [("<u2", 16), ("<u2", 12), ("<i2", 16), ("<i2", 12), ("u1", 8), ("i1", 7)]
)
def test_the_short_way_gives_what_pydicom_gives(dtype, bits, kind, implicit, tmp_path):
    ds = data_set(values(dtype, bits), bits=bits, kind=kind)
    if implicit:
        ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    short, long = both_ways(save(tmp_path / "a.dcm", ds))
    assert short.shape == SHAPE
    assert short.dtype == long.dtype
    np.testing.assert_array_equal(short, long)


@pytest.mark.parametrize("limit", [None, 4])
def test_padding_is_dark_by_both_ways(limit, tmp_path):
    pixels = np.arange(60, dtype=np.uint16).reshape(3, 4, 5) + 5
    pixels[:, :2] = 3
    ds = data_set(pixels, PixelPaddingValue=3)
    if limit is not None:
        ds.PixelPaddingRangeLimit = limit
    short, long = both_ways(save(tmp_path / "a.dcm", ds))
    assert short.min() == pixels[pixels > 3].min()
    np.testing.assert_array_equal(short, long)


def test_padding_that_is_no_number_is_none(tmp_path):
    ds = data_set(np.arange(105, dtype=np.uint16).reshape(SHAPE))
    ds.add_new("PixelPaddingValue", "LO", "black")
    short, long = both_ways(save(tmp_path / "a.dcm", ds))
    np.testing.assert_array_equal(short, long)


def colour():
    return data_set(np.zeros((*SHAPE, 3), np.uint8), kind="RGB")


def palette():
    return data_set(np.zeros(SHAPE, np.uint8), kind="PALETTE COLOR")


def wide():
    return data_set(np.zeros(SHAPE, np.uint32))


def surplus():
    """A frame more than the header tells of: refused by name, and not here."""
    ds = data_set(np.zeros(SHAPE, np.uint16))
    ds.PixelData = bytes(2 * 5 * 7 * 4)
    return ds


@pytest.mark.parametrize("made", [colour, palette, wide, surplus])
def test_what_is_odd_goes_through_pydicom(made, tmp_path):
    header, _ = header_of(save(tmp_path / "a.dcm", made()))
    assert header.stored is None


@pytest.mark.parametrize(
    "syntax", [ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian, RLELossless]
)
def test_other_syntaxes_go_through_pydicom(syntax, tmp_path):
    pixels = np.arange(35, dtype=np.uint16).reshape(1, 5, 7)
    ds = data_set(pixels)
    if syntax == RLELossless:
        ds.compress(RLELossless, generate_instance_uid=False)
    elif syntax == ExplicitVRBigEndian:
        ds.PixelData = pixels.astype(">u2").tobytes()
    ds.file_meta.TransferSyntaxUID = syntax
    path = tmp_path / "a.dcm"
    if syntax == ExplicitVRBigEndian:
        ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        pydicom.dcmwrite(path, ds, enforce_file_format=True)
    else:
        save(path, ds)
    header, _ = header_of(path)
    assert header.stored is None
    with Box(path) as box:
        np.testing.assert_array_equal(read_pixels(box, header), pixels)


def test_a_file_that_became_shorter_since_is_refused(tmp_path):
    path = save(tmp_path / "a.dcm", data_set(np.zeros(SHAPE, np.uint16)))
    header, _ = header_of(path)
    path.write_bytes(path.read_bytes()[:-20])
    with Box(path) as box, pytest.raises(FormatError, match="190 bytes of pixels where .* 210"):
        read_pixels(box, header)
