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


def test_colour_is_refused_and_says_what_to_do(tmp_path):
    Pictures.fromarray(np.stack([GREY, GREY, GREY + 1], -1)).save(tmp_path / "a.png")
    with pytest.raises(FormatError, match="colour picture.*convert it to grey"):
        raster.read_image(tmp_path / "a.png")


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
