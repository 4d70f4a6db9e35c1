"""Colour to brightness, against pydicom's own colours and numbers by hand."""

import numpy as np
import pytest
from pydicom.pixels.processing import apply_color_lut
from pydicom.uid import ExplicitVRBigEndian

from heartseg.core.errors import FormatError
from heartseg.formats.dicom_colour import brightness, palette_of, unfolded
from tests.formats.dicom_files import data_set, enclosed, jpeg, pixels_of, save

BT601 = np.array([0.299, 0.587, 0.114])


def colours(frames: int = 2) -> np.ndarray:
    """(frames, rows, columns, 3) 8-bit, every channel another pattern."""
    t, y, x = np.mgrid[:frames, :14, :18]
    return np.stack([(13 * y + t) % 256, (x * 14) % 256, (5 * y + 7 * x) % 256], -1).astype("u1")


def test_weights_are_those_of_bt601():
    shown = brightness(np.array([[200, 100, 50], [255, 255, 255], [0, 0, 0]], np.uint8))
    assert shown.tolist() == [124, 255, 0]
    assert brightness(np.array([[65535, 65535, 65535]], np.uint16), 16).tolist() == [255]
    assert brightness(np.array([[4095, 0, 0]], np.uint16), 12).tolist() == [76]


@pytest.mark.parametrize("planar", [0, 1])
def test_rgb_in_either_order_of_its_planes(planar, tmp_path):
    ds = data_set(colours(), kind="RGB")
    if planar:
        ds.PlanarConfiguration = 1
        ds.PixelData = np.moveaxis(colours(), -1, 1).tobytes()
    found = pixels_of(save(tmp_path / "a.dcm", ds))
    assert np.array_equal(found, np.rint(colours() @ BT601))
    assert found.dtype == np.uint8


def test_luminance_of_ybr_full_is_its_brightness(tmp_path):
    luma = (np.arange(2 * 14 * 18).reshape(2, 14, 18) % 200 + 20).astype(np.uint8)
    ybr = np.stack([luma, np.full_like(luma, 131), np.full_like(luma, 125)], -1)
    found = pixels_of(save(tmp_path / "a.dcm", data_set(ybr, kind="YBR_FULL")))
    assert np.abs(found.astype(int) - luma).max() <= 1


def test_luminance_of_uncompressed_ybr_422(tmp_path):
    luma = (np.arange(2 * 14 * 18).reshape(2, 14, 18) % 200 + 20).astype(np.uint8)
    ds = data_set(np.stack([luma] * 3, -1), kind="YBR_FULL_422")
    pairs = luma.reshape(-1, 2)
    chroma = np.full((len(pairs), 2), 128, np.uint8)
    ds.PixelData = np.concatenate([pairs, chroma], 1).tobytes()  # Y Y Cb Cr
    found = pixels_of(save(tmp_path / "a.dcm", ds))
    assert np.abs(found.astype(int) - luma).max() <= 1


def test_colour_jpeg_is_brightness_within_its_losses(tmp_path):
    y, x = np.mgrid[:40, :56]
    smooth = np.stack([y * 6, x * 4, 255 - y * 3 - x], -1).astype(np.uint8)[None]
    ds = data_set(smooth, kind="YBR_FULL_422")
    ds = enclosed(ds, [jpeg(smooth[0])], "1.2.840.10008.1.2.4.50")
    found = pixels_of(save(tmp_path / "a.dcm", ds))
    assert np.abs(found - smooth @ BT601).max() < 6


def with_palette(tables: np.ndarray, *, first: int = 0, bits: int = 16, signed: bool = False):
    """An 8- or 16-bit picture with a palette of (3, n) entries."""
    stored = np.arange(-20, 14 * 18 - 20).reshape(1, 14, 18) + (0 if signed else 20)
    ds = data_set(stored.astype("i2" if signed else "u2"), kind="PALETTE COLOR")
    for colour, table in zip(("Red", "Green", "Blue"), tables, strict=True):
        descriptor = [tables.shape[1] % 65536, first, bits]
        ds.add_new(_TAGS[colour], "SS" if signed else "US", descriptor)
        data = table.astype("<u2").tobytes()
        setattr(ds, f"{colour}PaletteColorLookupTableData", data)
    return ds


_TAGS = {"Red": 0x00281101, "Green": 0x00281102, "Blue": 0x00281103}


@pytest.mark.parametrize(("first", "signed"), [(0, False), (30, False), (-8, True)])
def test_palette_is_as_pydicom_colours_it(first, signed, tmp_path):
    tables = np.random.default_rng(1).integers(0, 65536, (3, 180))
    ds = with_palette(tables, first=first, signed=signed)
    expected = apply_color_lut(ds.pixel_array, ds) @ BT601 * (255 / 65535)
    found = pixels_of(save(tmp_path / "a.dcm", ds))
    assert np.array_equal(found[0], np.rint(expected))


def test_palette_of_8_bits_in_words_or_in_bytes():
    tables = np.random.default_rng(2).integers(0, 256, (3, 256))
    words = with_palette(tables, bits=8)
    expected = np.rint(BT601 @ tables)
    assert np.array_equal(palette_of(words, "a").grey, expected)
    for colour, table in zip(("Red", "Green", "Blue"), tables, strict=True):
        setattr(words, f"{colour}PaletteColorLookupTableData", table.astype("u1").tobytes())
    assert np.array_equal(palette_of(words, "a").grey, expected)


def test_palette_in_big_endian():
    tables = np.random.default_rng(2).integers(0, 65536, (3, 200))
    ds = with_palette(tables)
    expected = palette_of(ds, "a").grey
    ds.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    for colour, table in zip(("Red", "Green", "Blue"), tables, strict=True):
        setattr(ds, f"{colour}PaletteColorLookupTableData", table.astype(">u2").tobytes())
    assert np.array_equal(palette_of(ds, "a").grey, expected)


def test_palette_of_another_length_than_stated_is_refused(tmp_path):
    ds = with_palette(np.zeros((3, 100), int))
    ds.GreenPaletteColorLookupTableData = ds.GreenPaletteColorLookupTableData[:-10]
    with pytest.raises(FormatError, match=r"palette with \[95\] entries"):
        pixels_of(save(tmp_path / "a.dcm", ds))


SEGMENTED = np.array([0, 3, 100, 110, 130, 1, 4, 210, 1, 5, 10, 2, 1, 10, 0, 0, 2, 7, 9], np.uint16)
"""3 values, a rise to 210 in 4, a fall to 10 in 5, the segment at byte 10 again, 2 values."""


def test_segmented_palette_unfolds_as_the_standard_says():
    expected = [100, 110, 130, 150, 170, 190, 210, 170, 130, 90, 50, 10]
    found = unfolded(SEGMENTED, 18).tolist()
    assert found[:12] == expected
    assert found[-2:] == [7, 9]
    assert len(found) == 12 + 4 + 2
    assert found[12:16] == [60, 110, 160, 210]  # the rise starts from where the table stands


def test_segmented_palette_is_as_pydicom_unfolds_it(tmp_path):
    flat = np.array([0, 2, 500, 900, 1, 100, 60000, 1, 78, 20], np.uint16)
    ds = with_palette(np.zeros((3, 180), int))
    for colour in ("Red", "Green", "Blue"):
        del ds[f"{colour}PaletteColorLookupTableData"]
        setattr(ds, f"Segmented{colour}PaletteColorLookupTableData", flat.tobytes())
    expected = apply_color_lut(ds.pixel_array, ds) @ BT601 * (255 / 65535)
    found = pixels_of(save(tmp_path / "a.dcm", ds))
    assert np.abs(found[0] - expected).max() <= 1


def test_palette_that_repeats_itself_does_not_grow_without_end():
    circle = np.array([0, 1, 5, 2, 9, 6, 0], np.uint16)  # the indirect segment names itself
    with pytest.raises(ValueError, match="palette segment"):
        unfolded(circle, 65536)
    long = np.tile(np.array([1, 65535, 9], np.uint16), 20_000)
    assert len(unfolded(long, 65536)) == 65536
