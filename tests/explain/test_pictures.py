"""Colours are fair, and a picture shows what the map holds."""

import numpy as np
import pytest

from heartseg.explain.colours import colours, cover, lightness


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
