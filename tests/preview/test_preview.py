"""The picture of a study: what is shown where, and that it tells what preparation does."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image as Pictures

from heartseg.core.errors import OutputError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.core.study import Modality, Phases, Source, Study, View
from heartseg.prepare import Preparation
from heartseg.preview import Use, keep, preview_file, preview_picture
from heartseg.preview.canvas import tile
from heartseg.preview.gallery import MOST, Place, caption, places, tiles
from heartseg.preview.page import _edges, _facts, _panels

USE = Use(Preparation(spacing_mm=2.0, stride=8), "of a test")
TURNED = np.array([[0.0, 0.0, 1.0], [0.6, 0.8, 0.0], [-0.8, 0.6, 0.0]])
"""Columns: the patient directions of z, y and x."""


def image(frames=3, slices=5, rows=24, columns=37, unit="mm"):
    affine = np.eye(4)
    affine[:3, :3] = TURNED * (8.0, 1.5, 1.25)
    affine[:3, 3] = (10.0, -20.0, 30.0)
    voxels = np.random.default_rng(5).integers(0, 900, (frames, slices, rows, columns))
    geometry = Geometry((slices, rows, columns), affine)
    if unit == "px":
        geometry = Geometry.from_pixels(geometry.shape)
    return Image(voxels.astype(np.int16), geometry)


def study(*images, phases=None):
    views = (View.SAX, View.LAX_2CH)[: len(images)]
    source = Source(stem="a", format="nifti", path=None, frames=(0,))  # type: ignore[arg-type]
    return Study(
        id="a",
        modality=Modality.MR,
        images=dict(zip(views, images, strict=True)),
        sources=dict.fromkeys(views, (source,)),
        phases={View.SAX: phases} if phases else {},
    )


def test_padding_does_not_wash_out_what_was_imaged():
    """Late enhancement in a rim of zeros: its darkest muscle is black all the same."""
    grey = np.zeros((40, 50), np.int16)
    grey[8:-8, 10:-10] = np.random.default_rng(2).integers(100, 200, (24, 30))
    padded = Image(grey[None, None], Geometry.from_pixels((1, 40, 50)))
    (shown,) = tiles(padded, [Place(0, 0)], 100, ())
    pixels = np.asarray(shown.picture)[32:68, 32:68, 0]
    assert pixels.min() < 30
    assert pixels.max() > 225
    flat = Image(np.full((1, 1, 8, 9), 7, np.int16), Geometry.from_pixels((1, 8, 9)))
    assert tiles(flat, [Place(0, 0)], 100, ())


def test_slices_without_millimetres_have_no_distance():
    assert _facts(image(1, 5, unit="px")) == "5 slices  ·  24 x 37 pixels, without millimetres"
    assert "5 slices 8 mm apart" in _facts(image(1, 5))


@pytest.mark.parametrize(
    ("frames", "slices", "phases", "lines"),
    [
        (2, 10, Phases(ed=1, es=0, how="given"), [6, 6]),
        (20, 12, None, [6, 6]),
        (1, 10, None, [6, 4]),
        (1, 40, None, [6, 6]),
        (30, 1, None, [6, 6]),
        (1, 1, None, [1]),
        (4, 1, None, [4]),
    ],
)
def test_up_to_twelve_tiles_spread_over_slices_and_frames(frames, slices, phases, lines):
    shown = places(image(frames, slices, 4, 5), phases)
    assert [len(line) for line in shown] == lines
    flat = [place for line in shown for place in line]
    assert len(flat) <= MOST
    assert {place.slice for place in flat} >= {0, slices - 1}
    assert all(place.frame < frames and place.slice < slices for place in flat)
    if phases:
        assert [line[0].frame for line in shown] == [1, 0]
        assert caption(flat[0], image(frames, slices, 4, 5)) == "ED · frame 2 · slice 1"


def test_the_phases_of_a_single_plane_are_named():
    one = image(3, 1, 4, 5)
    ((first, second, third),) = places(one, Phases(ed=2, es=0, how="given"))
    shown = [caption(place, one) for place in (first, second, third)]
    assert shown == ["ES · frame 1", "frame 2", "ED · frame 3"]


def test_a_tile_has_true_proportions_and_counts_pixels_a_millimetre():
    shown = tile(np.ones((20, 30)), (3.0, 1.0), 120, window=(0.0, 2.0))
    assert shown.per_unit == 2.0  # 60 mm high in 120 pixels
    assert shown.box == (30, 0, 90, 120)
    assert shown.picture.getpixel((60, 60)) == (128, 128, 128)
    assert shown.picture.getpixel((10, 60)) == (0, 0, 0)


def test_labels_get_a_colour_each_and_no_others():
    plane = np.array([[0, 1], [5, 5]])
    shown = tile(plane, (1.0, 1.0), 40, window=(0.0, 1.0), numbers=(0, 1, 5))
    assert len(shown.picture.getcolors()) == 3
    assert shown.picture.getpixel((5, 5)) == (0, 0, 0)


def test_the_panels_are_the_steps_of_the_preparation_of_the_same_slice():
    one = image()
    sample = USE.preparation.sample(one)
    panels = list(_panels(one, Place(1, 3), USE))
    assert [panel.name for panel in panels] == [step.name for step in sample.steps(1)]
    np.testing.assert_array_equal(panels[0].plane, one.voxels[1, 3])
    assert panels[0].marks == sample.intensities
    flipped = sample.orientation.flip[0]
    np.testing.assert_array_equal(panels[-1].plane, sample.frame(1)[1 if flipped else 3])
    assert panels[-1].spacing == pytest.approx((2.0, 2.0))
    assert panels[-1].marks == ()


def test_letters_stand_at_the_edges_only_where_the_patient_is_known():
    edges = _edges(image().geometry, View.SAX)
    assert len(edges) == 4
    assert {edges[0], edges[2]} in ({"A", "P"}, {"H", "F"}, {"L", "R"})
    assert {edges[0], edges[2]} != {edges[1], edges[3]}
    assert _edges(image(unit="px").geometry, View.SAX) == ""


def test_every_kind_of_image_makes_a_picture():
    kinds = {
        "cine": study(image()),
        "two views": study(image(), image(4, 1)),
        "pair": study(image(2), phases=Phases(ed=0, es=1, how="given")),
        "picture": study(image(1, 1, unit="px")),
        "floats": study(replace(image(), voxels=image().voxels / 7.0)),
        "wide": study(image(1, 2, 8, 300)),
        "labels": study(image().like((image().voxels % 4).astype(np.uint8))),
    }
    for name, one in kinds.items():
        picture = preview_picture(one, dict.fromkeys(one.images, USE))
        assert picture.width == 1400, name
        assert len(picture.resize((70, 60)).getcolors(5000) or ()) > 20, name


def test_one_file_is_for_one_study_and_a_folder_for_many(tmp_path):
    assert preview_file(tmp_path / "a.png", "x", alone=True) == tmp_path / "a.png"
    assert preview_file(tmp_path, "x", alone=True) == tmp_path / "x.png"
    assert preview_file(tmp_path / "new", "x", alone=False) == tmp_path / "new" / "x.png"
    with pytest.raises(OutputError, match="several studies"):
        preview_file(tmp_path / "a.png", "x", alone=False)


def test_only_an_older_preview_is_replaced(tmp_path):
    file = tmp_path / "in" / "a.png"
    for colour in ("red", "blue"):
        keep(Pictures.new("RGB", (4, 3), colour), file)
    with Pictures.open(file) as picture:
        assert picture.getpixel((0, 0)) == (0, 0, 255)
    Pictures.new("L", (4, 3)).save(file)  # somebody's image
    before = file.read_bytes()
    with pytest.raises(OutputError, match="it is kept"):
        keep(Pictures.new("RGB", (4, 3)), file)
    (tmp_path / "b.png").write_text("no picture")
    with pytest.raises(OutputError, match="it is kept"):
        keep(Pictures.new("RGB", (4, 3)), tmp_path / "b.png")
    assert file.read_bytes() == before
