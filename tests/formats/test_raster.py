import numpy as np
import pytest
from PIL import Image as Pictures

from heartseg.core.anatomy import SCHEMES, Structure
from heartseg.core.errors import FormatError, LabelError, OutputError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Segmentation
from heartseg.formats import raster

GREY = (np.arange(35).reshape(5, 7) * 7).astype(np.uint8)


@pytest.mark.parametrize("values", [GREY, GREY.astype(np.uint16) * 200])
def test_grey_picture_keeps_its_values_and_has_no_millimetres(values, tmp_path):
    Pictures.fromarray(values).save(tmp_path / "a.png")
    image = raster.read_image(tmp_path / "a.png")
    assert np.array_equal(image.voxels[0, 0], values)
    assert image.geometry.unit == "px"
    assert raster.read_image(tmp_path / "a.png", (1, 0.5, 0.25)).geometry.spacing == (1, 0.5, 0.25)


def test_grey_stored_as_colour_is_grey(tmp_path):
    Pictures.fromarray(np.repeat(GREY[..., None], 3, -1)).save(tmp_path / "a.png")
    assert np.array_equal(raster.read_image(tmp_path / "a.png").voxels[0, 0], GREY)


def test_colour_becomes_the_brightness_of_bt_601_and_says_so(tmp_path):
    picture = np.zeros((5, 8, 3), np.uint8)
    picture[0, :4] = (200, 0, 0), (0, 200, 0), (0, 0, 200), (10, 20, 30)
    Pictures.fromarray(picture).save(tmp_path / "a.png")
    image, notes = raster.read_noted(tmp_path / "a.png")
    assert image.voxels.dtype == np.uint8
    assert image.voxels[0, 0, 0].tolist() == [60, 117, 23, 18, 0, 0, 0, 0]  # by hand
    assert notes[1].startswith("10.0 % of the pixels are in colour")
    assert "stay in the picture as grey" in notes[1]


def noisy(shape=(64, 80)):
    random = np.random.default_rng(3)
    smooth = np.kron(random.integers(0, 255, (shape[0] // 8, shape[1] // 8)), np.ones((8, 8)))
    return np.clip(smooth + random.normal(0, 20, shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("quality", [30, 95])
def test_jpeg_of_a_grey_picture_is_grey_without_a_note(mode, quality, tmp_path):
    Pictures.fromarray(noisy()).convert(mode).save(tmp_path / "a.jpg", quality=quality)
    image, notes = raster.read_noted(tmp_path / "a.jpg")
    assert np.abs(image.voxels[0, 0].astype(int) - noisy()).mean() < 20
    assert notes == ("no spacing in the header: lengths are in pixels",)


def test_jpeg_with_coloured_lines_says_so(tmp_path):
    picture = np.repeat(noisy()[..., None], 3, -1)
    picture[30:34] = (0, 255, 0)
    Pictures.fromarray(picture).save(tmp_path / "a.jpg", quality=90)
    assert "in colour" in raster.read_noted(tmp_path / "a.jpg")[1][1]


@pytest.mark.parametrize("code", range(1, 9))
def test_jpeg_lies_as_its_exif_says(code, tmp_path):
    upright = np.zeros((40, 64), np.uint8)
    upright[:16, :24] = 220  # a block in the corner above left
    turned = {
        1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1],
        5: upright.T, 6: np.rot90(upright), 7: upright[::-1, ::-1].T, 8: np.rot90(upright, -1),
    }[code]  # fmt: skip
    exif = Pictures.Exif()
    exif[0x0112] = code
    Pictures.fromarray(np.ascontiguousarray(turned)).save(tmp_path / "a.jpg", exif=exif)
    shown = raster.read_image(tmp_path / "a.jpg").voxels[0, 0]
    assert shown.shape == upright.shape
    assert np.abs(shown.astype(int) - upright).max() < 20


def test_jpeg_and_colours_hold_no_labels(tmp_path):
    Pictures.fromarray(GREY % 4).save(tmp_path / "a.jpg")
    Pictures.fromarray(np.stack([GREY, GREY, GREY + 1], -1)).save(tmp_path / "b.png")
    for name, said in (("a.jpg", "no whole PNG"), ("b.png", "labels in colours")):
        with pytest.raises(FormatError, match=said):
            raster.read_labels(tmp_path / name, SCHEMES["acdc"])


def test_a_picture_larger_than_any_is_refused_before_it_is_decoded(tmp_path):
    Pictures.fromarray(np.zeros((9000, 9000), bool)).save(tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size < 20_000
    with pytest.raises(FormatError, match="9000 x 9000 pixels; allowed: 64 million"):
        raster.read_image(tmp_path / "a.png")


def test_an_animation_is_not_read_as_its_first_frame(tmp_path):
    first, *others = (Pictures.fromarray(GREY + n) for n in range(3))
    first.save(tmp_path / "a.png", save_all=True, append_images=others)
    with pytest.raises(FormatError, match="3 frames.*video"):
        raster.read_image(tmp_path / "a.png")


def test_damaged_jpegs_are_said_or_read(tmp_path):
    exif = Pictures.Exif()
    exif[0x0112] = 6
    Pictures.fromarray(noisy()).save(tmp_path / "a.jpg", exif=exif)
    whole = (tmp_path / "a.jpg").read_bytes()
    random = np.random.default_rng(4)
    for _ in range(200):
        data = bytearray(whole)
        for at in random.integers(0, len(data), 3):
            data[at] = random.integers(256)
        (tmp_path / "a.jpg").write_bytes(data)
        try:
            raster.read_image(tmp_path / "a.jpg")
        except FormatError:
            continue
    for length in range(0, len(whole) - 200, 37):
        (tmp_path / "a.jpg").write_bytes(whole[:length])
        with pytest.raises(FormatError, match="again"):
            raster.read_image(tmp_path / "a.jpg")


@pytest.mark.parametrize("palette", [False, True])
def test_labels_come_back_as_written(palette, tmp_path):
    labels = (GREY % 4).astype(np.uint8)
    seg = Segmentation(labels[None, None], Geometry.from_pixels((1, 5, 7)), ())
    path = tmp_path / "a.png"
    raster.write_labels(path, seg, SCHEMES["acdc"])
    assert np.array_equal(np.array(Pictures.open(path)), SCHEMES["acdc"].write(labels))
    if palette:  # colours are only how the numbers are shown
        picture = Pictures.open(path)
        picture.putpalette([9, 9, 9, 200, 0, 0, 0, 200, 0, 0, 0, 200])
        picture.save(path)
    assert np.array_equal(raster.read_labels(path, SCHEMES["acdc"]).labels, seg.labels)


def test_unknown_number_is_an_error(tmp_path):
    Pictures.fromarray(GREY).save(tmp_path / "a.png")
    with pytest.raises(LabelError, match="mean nothing"):
        raster.read_labels(tmp_path / "a.png", SCHEMES["acdc"])


def test_several_planes_are_no_picture(tmp_path):
    seg = Segmentation(
        np.zeros((2, 1, 5, 7), np.uint8), Geometry.from_pixels((1, 5, 7)), (Structure(1),)
    )
    with pytest.raises(OutputError, match="one plane"):
        raster.write_labels(tmp_path / "a.png", seg, SCHEMES["acdc"])


def test_truncated_and_foreign_files_are_said(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (40, 50)).astype(np.uint8)
    Pictures.fromarray(noise).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:800])
    (tmp_path / "c.png").write_text("no picture")
    for name in ("b.png", "c.png"):
        with pytest.raises(FormatError, match="no whole PNG"):
            raster.read_image(tmp_path / name)
