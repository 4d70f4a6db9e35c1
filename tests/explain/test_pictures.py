"""Colours are fair, and a picture shows what the map holds."""

import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image, Segmentation
from heartseg.core.study import Phases, View
from heartseg.explain.colours import colours, cover, lightness
from heartseg.explain.picture import Scene, crop, largest, map_picture, outside_share
from heartseg.explain.target import target_of
from heartseg.explain.view import Map


@pytest.mark.parametrize("signed", [True, False])
def test_equal_steps_of_a_map_are_equal_steps_to_the_eye(signed: bool) -> None:
    light = lightness(colours(np.linspace(0.02, 1, 50), signed=signed))
    steps = np.diff(light)
    assert (steps > 0).all()
    assert steps.max() < 1.3 * steps.min()


def test_up_weighs_as_much_as_down() -> None:
    size = np.linspace(0.02, 1, 50)
    up, down = colours(size, signed=True), colours(-size, signed=True)
    assert np.abs(lightness(up) - lightness(down)).max() < 0.01
    assert (up[:, 1] > up[:, 0]).all(), "green raises"
    assert (down[:, 0] > down[:, 1]).all(), "magenta lowers"


def test_colours_have_no_jumps_and_are_on_the_screen() -> None:
    for signed, low in ((True, -1.0), (False, 0.0)):
        shades = colours(np.linspace(low, 1, 2001), signed=signed)
        shades = shades if not signed else shades[1002:]
        assert np.abs(np.diff(shades, axis=0)).max() < 3
        assert shades.min() >= 0
        assert shades.max() <= 255


def test_no_map_hides_nothing() -> None:
    hidden = cover(np.array([0.0, 0.5, -0.5, 1.0, 9.0]))
    assert hidden[0] == 0
    assert hidden[1] == hidden[2]
    assert hidden[3] == hidden[4] < 1


def test_lightness_is_that_of_black_and_white() -> None:
    assert lightness(np.array([[0, 0, 0], [255, 255, 255]])) == pytest.approx([0, 1], abs=1e-4)


@pytest.fixture
def scene() -> Scene:
    """A plane and a half of grey with a square LV, seen as it lies."""
    geometry = Geometry.from_pixels((2, 40, 48), (8.0, 1.5, 1.5))
    grey = np.random.default_rng(1).random((2, 2, 40, 48)).astype(np.float32)
    labels = np.zeros((2, 2, 40, 48), np.uint8)
    labels[:, :, 16:24, 20:28] = Structure.LV_CAVITY
    seg = Segmentation(labels, geometry, (Structure.LV_CAVITY,))
    phases = Phases(ed=0, es=1, how="given")
    return Scene(Image(grey, geometry), seg, phases, target_of("lv"), "a study", "tiny 1")


def a_map(values: np.ndarray, *, signed: bool = True) -> Map:
    return Map("saliency", View.SAX, (0, 1), (0, 1), values, "mL per unit of grey", signed, True)


def test_a_picture_is_green_where_the_map_raises_and_magenta_where_it_lowers(scene: Scene) -> None:
    values = np.zeros((2, 2, 40, 48), np.float32)
    values[0, :, 16:20] = 2.0
    values[1, :, 16:20] = -2.0
    with_map = np.asarray(map_picture(a_map(values), scene)).astype(int)
    none = np.asarray(map_picture(a_map(values * 0), scene)).astype(int)
    tiles = slice(84, 84 + 2 * 236)
    ed, es = (slice(74 + row * 236, 74 + row * 236 + 232) for row in (0, 1))
    changed = with_map - none
    assert changed[ed, tiles, 1].max() > 60
    assert changed[ed, tiles, 1].sum() > changed[ed, tiles, 0].sum()
    assert changed[es, tiles, 0].sum() > changed[es, tiles, 1].sum()


def test_the_strongest_colour_is_that_of_nearly_the_largest_value() -> None:
    values = np.full((1, 1, 20, 20), np.nan, np.float32)
    values[0, 0, :10] = 0.0
    values[0, 0, 0, :] = np.arange(1, 21)
    assert largest(a_map(values)) == pytest.approx(19.905)
    assert largest(a_map(values * 0)) == 1.0


def test_what_lies_outside_of_the_picture_is_counted(scene: Scene) -> None:
    values = np.zeros((2, 2, 40, 48), np.float32)
    values[:, :, 20, 24] = 3.0
    values[0, 0, 0, 0] = -4.0
    values[1, 1] = np.nan
    place = crop(scene, 232)
    assert outside_share(a_map(values), scene.image, place) == pytest.approx(4 / 13)
