"""What every traditional method keeps: goes through the table, a new one is tested on arrival."""

import sys
from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest

from heartseg.classical import METHODS, method_named, segment_image
from heartseg.classical.method import HIGH, LOW, PlaneMethod
from heartseg.classical.scene import Scene, sight
from heartseg.core.anatomy import Structure
from heartseg.core.errors import ConfigError, FormatError, MissingExtraError, StudyError
from heartseg.core.geometry import Geometry, Orientation
from heartseg.core.image import Image
from heartseg.measure.overlap import dice

pytest.importorskip("skimage")
pytest.importorskip("SimpleITK")

FLOORS = {
    "otsu": 0.94,
    "k-means": 0.94,
    "gaussian-mixture": 0.87,
    "region-growing": 0.93,
    "watershed": 0.94,
    "snake": 0.85,
    "chan-vese": 0.94,
    "morphological-snake": 0.90,
    "random-walker": 0.93,
    "graph-cut": 0.90,
    "atlas": 0.80,
}
"""Of the Dice of the LV in the phantom's middle slice: what the method reaches, less a little."""

OTHERS = {("watershed", "myo"): 0.8, ("watershed", "rv"): 0.9, ("gaussian-mixture", "rv"): 0.8}
OTHERS |= {("gaussian-mixture", "myo"): 0.6, ("atlas", "myo"): 0.5, ("atlas", "rv"): 0.6}

EXACTLY_TURNED = {"otsu", "k-means", "gaussian-mixture"}
"""The others visit pixels in some order or step along the axes: nearly the same when turned."""

every_method = pytest.mark.parametrize("name", METHODS)


@pytest.fixture(scope="module")
def ready(atlas):
    """The method of a name; the atlas has a folder, and does not try hard."""

    def method(name):
        if name != "atlas":
            return METHODS[name]
        return replace(METHODS[name], folder=atlas, votes=2, affine_steps=30, spline_steps=5)

    return method


@pytest.fixture(scope="module")
def found(ready, heart):
    """What a method finds in the heart, computed once."""
    return cache(lambda name: segment_image(heart[0], ready(name), "short-axis"))


@every_method
def test_the_cavity_is_found_in_the_middle_of_a_phantom(name, found, heart):
    ours, truth = found(name), heart[1]
    score = dice(ours.mask(Structure.LV_CAVITY, 0)[1], truth.mask(Structure.LV_CAVITY, 0)[1])
    assert score >= FLOORS[name]


@pytest.mark.parametrize("name", [name for name in METHODS if name != "atlas"])
def test_a_dark_cavity_of_an_echo_is_found_too(name, echo, ready):
    ours = segment_image(echo[0], ready(name), "apical")
    assert ours.structures == (Structure.LV_CAVITY,)
    assert dice(ours.labels == Structure.LV_CAVITY, echo[1].labels > 0) > 0.9


@pytest.mark.parametrize(("name", "key"), OTHERS)
def test_what_else_a_method_says_it_finds_is_there(name, key, found, heart):
    ours, truth = found(name), heart[1]
    one = next(one for one in ours.structures if one.key == key)
    assert dice(ours.mask(one, 0), truth.mask(one, 0)) >= OTHERS[name, key]


@every_method
def test_labels_lie_on_the_image_s_grid_and_mean_what_the_method_finds(name, found, heart, ready):
    ours = found(name)
    assert ours.geometry is heart[0].geometry
    assert ours.labels.shape == heart[0].voxels.shape
    assert ours.structures == ready(name).finds("short-axis")
    assert set(np.unique(ours.labels)) <= {0, *ours.structures}


@every_method
def test_the_same_image_gives_the_same_labels_whatever_its_type(name, found, heart, ready):
    image = heart[0].like(heart[0].voxels.astype(np.uint16))
    again = segment_image(image, ready(name), "short-axis")
    np.testing.assert_array_equal(again.labels, found(name).labels)
    image = heart[0].like(heart[0].voxels.astype(np.float64))
    np.testing.assert_array_equal(
        segment_image(image, ready(name), "short-axis").labels, again.labels
    )


@every_method
def test_how_a_file_stores_the_planes_changes_nothing(name, found, heart, ready):
    turn = Orientation((0, 2, 1), (False, True, False))
    image = Image(turn.apply(heart[0].voxels), heart[0].geometry.oriented(turn))
    ours = segment_image(image, ready(name), "short-axis")
    np.testing.assert_array_equal(turn.undo(ours.labels), found(name).labels)


@every_method
def test_a_scene_that_is_turned_gives_turned_labels(name, heart, ready):
    scene = sight(heart[0], "short-axis").scene(0)
    columns = scene.planes.shape[2]
    turned = Scene(
        np.ascontiguousarray(np.rot90(scene.planes, axes=(1, 2))),
        tuple(None if s is None else (columns - 1 - s[1], s[0]) for s in scene.seeds),
        scene.look,
        scene.spacing_mm,
    )
    method = ready(name)
    upright, other = method.segment(scene), np.rot90(method.segment(turned), -1, axes=(1, 2))
    score = dice(upright == Structure.LV_CAVITY, other == Structure.LV_CAVITY)
    if name in EXACTLY_TURNED:
        np.testing.assert_array_equal(upright, other)
    elif name != "atlas":  # a map that is found step by step, over hearts that were not turned
        assert score > 0.97


@every_method
def test_a_single_plane_is_enough(name, heart, ready):
    geometry = heart[0].geometry
    plane = Geometry((1, *geometry.shape[1:]), geometry.affine, depth_known=False)
    ours = segment_image(Image(heart[0].voxels[:, 1:2], plane), ready(name), "short-axis")
    truth = heart[1].mask(Structure.LV_CAVITY, 0)[1:2]
    if name != "atlas":  # its atlases are volumes
        assert dice(ours.mask(Structure.LV_CAVITY, 0), truth) > FLOORS[name] - 0.06


@every_method
@pytest.mark.parametrize("value", [np.nan, 7.0])
def test_an_image_that_shows_nothing_is_refused(name, value, heart, ready):
    image = heart[0].like(np.full(heart[0].voxels.shape, value, np.float32))
    with pytest.raises(FormatError, match="NaN|everywhere"):
        segment_image(image, ready(name), "short-axis")


@every_method
def test_no_ventricle_is_said_and_is_no_empty_mask(name, heart, ready):
    noise = np.random.default_rng(1).random((1, 1, 260, 250), dtype=np.float32)
    plane = Geometry((1, 260, 250), heart[0].geometry.affine)
    with pytest.raises(StudyError, match="left ventricle: got n"):
        segment_image(Image(noise, plane), ready(name), "short-axis")


def test_a_method_that_finds_nothing_is_an_error_and_no_empty_mask(heart):
    class Blind(PlaneMethod):
        paper = "nobody 2026"

        def label(self, plane):
            return np.zeros(plane.grey.shape, np.uint8)

    with pytest.raises(StudyError, match="none found by nobody 2026"):
        segment_image(heart[0], Blind(), "short-axis")


@every_method
def test_settings_have_bounds_and_a_paper(name):
    method = METHODS[name]
    assert method.paper
    assert (type(method).__doc__ or "").count("seeds: as every method's") == 1
    for one in fields(method):
        if LOW not in one.metadata:
            assert one.name in {"seeds", "folder"}
            continue
        for bound in (LOW, HIGH):
            edge = one.metadata[bound]
            replace(method, **{one.name: edge})
            beyond = edge - 1 if bound == LOW else edge + 1
            with pytest.raises(ConfigError, match=one.name):
                replace(method, **{one.name: beyond})
        assert f"{one.name}:" in (type(method).__doc__ or "")


@pytest.mark.parametrize("name", [name for name in METHODS if METHODS[name].extra])
def test_what_has_to_be_installed_is_said(name, heart, ready, monkeypatch):
    for part in [one for one in sys.modules if one.split(".")[0] in ("skimage", "SimpleITK")]:
        monkeypatch.delitem(sys.modules, part)
    monkeypatch.setitem(sys.modules, "skimage", None)
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    with pytest.raises(MissingExtraError, match=rf"heartseg\[{METHODS[name].extra}\]"):
        segment_image(heart[0], ready(name), "short-axis")


@every_method
def test_a_method_is_had_by_its_name(name):
    assert method_named(f"classical:{name}") == METHODS[name]


def test_every_method_has_a_floor():
    assert set(FLOORS) == set(METHODS)
