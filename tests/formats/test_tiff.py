import struct
import subprocess
import sys

import numpy as np
import pytest
import tifffile
from PIL import Image as Pictures

from heartseg.core.anatomy import SCHEMES, Structure
from heartseg.core.errors import FormatError, GeometryError, HeartsegError, LabelError
from heartseg.formats import tiff

CINE = np.arange(2 * 3 * 5 * 7, dtype=np.uint16).reshape(2, 3, 5, 7)  # t z y x
MM = {"axes": "TZYX", "spacing": 8, "unit": "mm", "finterval": 0.04}


def test_hyperstack_of_imagej_has_slices_frames_and_millimetres(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, CINE, imagej=True, resolution=(1 / 1.25, 1 / 1.5), metadata=MM)
    image, notes = tiff.read_noted(path)
    assert np.array_equal(image.voxels, CINE)
    assert image.voxels.dtype == np.uint16
    assert image.geometry.spacing == pytest.approx((8, 1.5, 1.25))
    assert image.geometry.unit == "mm"
    assert image.times_ms == pytest.approx((0, 40))
    assert notes == ()


@pytest.mark.parametrize("axes", ["ZYX", "TYX"])
def test_imagej_says_which_a_stack_is(axes, tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, CINE[0], imagej=True, metadata={"axes": axes, "unit": "pixel"})
    image, notes = tiff.read_noted(path)
    assert image.voxels.shape == ((1, 3, 5, 7) if axes == "ZYX" else (3, 1, 5, 7))
    assert image.geometry.unit == "px"
    assert "in pixels" in notes[0]


@pytest.mark.parametrize("unit", [("µm", 1000.0), ("mm", 1.0)])
@pytest.mark.parametrize("axes", ["TZYX", "ZTYX"])
def test_ome_has_slices_frames_and_lengths(unit, axes, tmp_path):
    path = tmp_path / "a.ome.tif"
    name, scale = unit
    said = {f"PhysicalSize{a}": v * scale for a, v in zip("ZYX", (8, 1.5, 1.25), strict=True)}
    said |= {f"PhysicalSize{a}Unit": name for a in "ZYX"}
    said |= {"axes": axes, "TimeIncrement": 40, "TimeIncrementUnit": "ms"}
    stored = CINE if axes == "TZYX" else CINE.swapaxes(0, 1)
    tifffile.imwrite(path, stored, ome=True, metadata=said)
    image, notes = tiff.read_noted(path)
    assert np.array_equal(image.voxels, CINE)
    assert image.geometry.spacing == pytest.approx((8, 1.5, 1.25))
    assert image.times_ms == (0, 40)
    assert notes == ()


def test_pages_without_a_word_are_slices_and_it_is_said(tmp_path):
    pages = [Pictures.fromarray(page) for page in CINE[0]]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:], dpi=(72, 72))
    image, notes = tiff.read_noted(tmp_path / "a.tif")
    assert np.array_equal(image.voxels[0], CINE[0])
    assert image.geometry.unit == "px"  # dots per inch are for printing
    assert "in pixels" in notes[0]
    assert "taken as slices" in notes[1]
    assert tiff.read_image(tmp_path / "a.tif", (8, 2, 3)).geometry.spacing == (8, 2, 3)


def test_a_resolution_for_printing_is_no_spacing(tmp_path):
    for number, unit in enumerate(("INCH", "CENTIMETER", "NONE")):
        path = tmp_path / f"{number}.tif"
        tifffile.imwrite(path, CINE[0, 0], resolution=(28, 28), resolutionunit=unit)
        assert tiff.read_image(path).geometry.unit == "px"


def test_one_plane_without_a_depth_has_millimetres_and_a_stack_has_none(tmp_path):
    said = {"unit": "mm"}
    tifffile.imwrite(tmp_path / "a.tif", CINE[0, 0], imagej=True, resolution=(2, 4), metadata=said)
    image, notes = tiff.read_noted(tmp_path / "a.tif")
    assert image.geometry.spacing == (1, 0.25, 0.5)
    assert not image.geometry.depth_known
    assert "no slice distance" in notes[0]
    said["axes"] = "ZYX"
    tifffile.imwrite(tmp_path / "b.tif", CINE[0], imagej=True, resolution=(2, 4), metadata=said)
    image, notes = tiff.read_noted(tmp_path / "b.tif")
    assert image.geometry.unit == "px"
    assert "no slice distance" in notes[0]


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "u4", "i4", "f4", "f8", "i1"])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("packing", [None, "zlib"])
def test_values_keep_their_type(dtype, order, packing, tmp_path):
    values = (CINE[0] % 100).astype(dtype)
    tifffile.imwrite(
        tmp_path / "a.tif", values, byteorder=order, compression=packing, photometric="minisblack"
    )
    image = tiff.read_image(tmp_path / "a.tif")
    assert image.voxels.dtype == np.dtype(dtype)
    assert np.array_equal(image.voxels[0], values)


@pytest.mark.parametrize("packing", ["tiff_lzw", "packbits", "tiff_adobe_deflate"])
@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
def test_packings_of_other_programs_are_read(packing, dtype, tmp_path):
    pages = [Pictures.fromarray(page.astype(dtype)) for page in CINE[0]]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:], compression=packing)
    image = tiff.read_image(tmp_path / "a.tif")
    assert np.array_equal(image.voxels[0], CINE[0].astype(dtype))


def test_tiles_are_read(tmp_path):
    values = np.arange(40 * 56, dtype=np.uint16).reshape(40, 56)
    tifffile.imwrite(tmp_path / "a.tif", values, tile=(16, 32))
    assert np.array_equal(tiff.read_image(tmp_path / "a.tif").voxels[0, 0], values)


def test_white_for_low_numbers_is_turned_and_two_grey_levels_are_numbers(tmp_path):
    values = (CINE[0, 0] % 256).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="miniswhite")
    assert np.array_equal(tiff.read_image(tmp_path / "a.tif").voxels[0, 0], 255 - values)
    Pictures.fromarray(values > 9).save(tmp_path / "b.tif", compression="group4")
    found = tiff.read_image(tmp_path / "b.tif").voxels[0, 0]
    assert np.array_equal(found > 0, values > 9)


@pytest.mark.parametrize("planes", ["contig", "separate"])
def test_colour_becomes_brightness_and_equal_channels_are_grey(planes, tmp_path):
    grey = np.repeat((CINE[0, 0] % 256).astype(np.uint8)[..., None], 3, -1)
    coloured = grey.copy()
    coloured[2, 3] = (200, 0, 0)
    for name, picture in (("grey", grey), ("coloured", coloured)):
        stored = picture if planes == "contig" else np.moveaxis(picture, -1, 0)
        tifffile.imwrite(tmp_path / f"{name}.tif", stored, photometric="rgb", planarconfig=planes)
    image, notes = tiff.read_noted(tmp_path / "grey.tif")
    assert np.array_equal(image.voxels[0, 0], grey[..., 0])
    assert len(notes) == 1
    image, notes = tiff.read_noted(tmp_path / "coloured.tif")
    assert image.voxels[0, 0, 2, 3] == 60
    assert "in colour" in notes[1]


def test_labels_are_numbers_and_a_palette_only_shows_them(tmp_path):
    labels = (CINE % 4).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", labels, imagej=True, metadata={"axes": "TZYX"})
    found = tiff.read_labels(tmp_path / "a.tif", SCHEMES["acdc"])
    assert np.array_equal(found.labels == Structure.LV_CAVITY, labels == 3)
    colours = np.zeros((3, 256), np.uint16)
    colours[:, 1:4] = 60000, 30000, 7
    tifffile.imwrite(tmp_path / "b.tif", labels[0, 0], photometric="palette", colormap=colours)
    found = tiff.read_labels(tmp_path / "b.tif", SCHEMES["acdc"])
    assert np.array_equal(found.labels[0, 0] == Structure.LV_CAVITY, labels[0, 0] == 3)
    tifffile.imwrite(tmp_path / "c.tif", CINE, photometric="minisblack")
    with pytest.raises(LabelError, match=r"c\.tif.*mean nothing"):
        tiff.read_labels(tmp_path / "c.tif", SCHEMES["acdc"])
    picture = np.stack([labels[0, 0], labels[0, 0], labels[0, 0] * 2], -1)
    tifffile.imwrite(tmp_path / "d.tif", picture, photometric="rgb")
    with pytest.raises(FormatError, match="labels in colours"):
        tiff.read_labels(tmp_path / "d.tif", SCHEMES["acdc"])


# Hostile and damaged files


def test_channels_previews_and_missing_pages_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", CINE, imagej=True, metadata={"axes": "TCYX"})
    with pytest.raises(FormatError, match="3 channels"):
        tiff.read_image(tmp_path / "a.tif")
    with tifffile.TiffWriter(tmp_path / "b.tif") as file:
        file.write(CINE[0, 0])
        file.write(CINE[0, 0, :3])
    with pytest.raises(FormatError, match=r"pages of \(5, 7\) and of \(3, 7\)"):
        tiff.read_image(tmp_path / "b.tif")
    text = "ImageJ=1.54\nimages=6\nslices=3\nframes=2\n"
    tifffile.imwrite(
        tmp_path / "c.tif", CINE[0], description=text, metadata=None, photometric="minisblack"
    )
    with pytest.raises(FormatError, match="3 pages for 2 frames of 3 slices"):
        tiff.read_image(tmp_path / "c.tif")


def edit(path, tag: str, value: int, page: int = 0) -> None:
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages[page].tags[tag].overwrite(value)


def test_a_picture_larger_than_any_is_refused_before_memory_is_taken(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, CINE[0, 0].astype(np.uint32))
    edit(path, "ImageWidth", 60000)
    edit(path, "ImageLength", 60000)
    with pytest.raises(FormatError, match="60000 x 60000 pixels"):
        tiff.read_image(path)
    edit(path, "ImageLength", 60)
    with pytest.raises(FormatError, match="no whole TIFF"):
        tiff.read_image(path)


def test_pixels_that_the_file_cannot_hold_are_refused_before_they_are_made(tmp_path):
    """A strip that is too short would be filled up with zeros."""
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, CINE[0, 0].astype(np.uint8))
    for name in ("ImageWidth", "ImageLength", "RowsPerStrip"):
        edit(path, name, 7_000)
    with pytest.raises(FormatError, match="47 MB of pixels in a file of 0.00"):
        tiff.read_image(path)
    black = tmp_path / "black.tif"  # as empty as a whole picture gets
    tifffile.imwrite(black, np.zeros((5000, 5000), np.uint8), compression="zlib")
    assert black.stat().st_size < 30_000
    assert tiff.read_image(black).voxels.shape == (1, 1, 5000, 5000)


@pytest.mark.parametrize("back_to", [0, 1])
def test_pages_in_a_circle_come_to_an_end(back_to, tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, CINE[0, 0])
    data = bytearray(path.read_bytes())
    (start,) = struct.unpack_from("<I", data, 4)
    (tags,) = struct.unpack_from("<H", data, start)
    second = len(data)
    data += data[start : start + 6 + 12 * tags]
    after = start + 2 + 12 * tags
    struct.pack_into("<I", data, after, second)
    struct.pack_into("<I", data, second + 2 + 12 * tags, (start, second)[back_to])
    path.write_bytes(data)
    with pytest.raises(FormatError, match="circle"):
        tiff.read_image(path)


def test_ome_that_names_another_file_never_opens_it(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    secret = tmp_path / "secret.tif"
    tifffile.imwrite(secret, CINE[0, 0] + 1000)
    text = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        '<Image ID="Image:0"><Pixels DimensionOrder="XYCZT" Type="uint16" SizeX="7" SizeY="5" '
        'SizeC="1" SizeZ="1" SizeT="1"><TiffData IFD="0"><UUID FileName="../secret.tif">'
        "urn:uuid:1</UUID></TiffData></Pixels></Image></OME>"
    )
    tifffile.imwrite(folder / "a.ome.tif", CINE[0, 0], description=text, metadata=None)
    assert np.array_equal(tiff.read_image(folder / "a.ome.tif").voxels[0, 0], CINE[0, 0])


@pytest.mark.parametrize("packing", [None, "zlib", "tiff_lzw"])
def test_truncated_anywhere_is_said(packing, tmp_path):
    noise = np.random.default_rng(1).integers(0, 60000, (5, 7)).astype(np.uint16)
    if packing == "tiff_lzw":
        Pictures.fromarray(noise).save(tmp_path / "a.tif", compression=packing)
    else:
        tifffile.imwrite(tmp_path / "a.tif", noise, compression=packing)
    whole = (tmp_path / "a.tif").read_bytes()
    for length in range(0, len(whole) - 8, 3):
        (tmp_path / "a.tif").write_bytes(whole[:length])
        with pytest.raises(FormatError):
            tiff.read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("packing", [None, "tiff_lzw"])
def test_damage_is_said_or_read_in_silence(packing, tmp_path, capfd):
    Pictures.fromarray(CINE[0, 0]).save(tmp_path / "a.tif", compression=packing)
    whole = (tmp_path / "a.tif").read_bytes()
    random = np.random.default_rng(2)
    for _ in range(400):
        data = bytearray(whole)
        for at in random.integers(0, len(data), 3):
            data[at] = random.integers(256)
        (tmp_path / "a.tif").write_bytes(data)
        try:
            tiff.read_image(tmp_path / "a.tif")
        except HeartsegError:
            continue
    if packing is None:  # libtiff, which unpacks LZW, speaks of tags on its own
        assert capfd.readouterr() == ("", "")


def test_absurd_lengths_are_refused(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif",
        CINE[0],
        imagej=True,
        resolution=(1e-6, 1e-6),
        metadata={"axes": "ZYX", "unit": "mm", "spacing": 8},
    )
    with pytest.raises(GeometryError, match="spacing"):
        tiff.read_image(tmp_path / "a.tif")


def test_what_tifffile_would_log_stays_out_of_the_terminal(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, CINE[0, 0])
    edit(path, "ImageLength", 700)
    code = (
        "from pathlib import Path\nfrom heartseg.formats import tiff\n"
        "from heartseg.core.errors import FormatError\n"
        f"try:\n    tiff.read_image(Path({str(path)!r}))\nexcept FormatError:\n    pass\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""
