"""Areas and volumes against the textbook and against plain numerical integration."""

import numpy as np
import pytest

from heartseg.phantom.shape import Profile, bump, dome, wobble

WOBBLE = ((2, 0.2, 0.6), (3, 0.11, 1.9), (5, 0.04, -2.0))


def test_a_half_ellipsoid_has_two_thirds_of_the_cylinder():
    # Semi-axes 25, 25, 80 mm: 2/3 pi 25^2 80 = 104.72 mL
    profile = Profile(7.0, 87.0, 1.0, np.pi * 25.0**2)
    assert profile.volume_ml == pytest.approx(104.7198, abs=1e-3)
    assert Profile.of_volume(104.7198, 7.0, 87.0, 1.0).area_mm2 == pytest.approx(1963.495, abs=1e-2)


def test_an_ellipsoid_cut_above_its_equator_by_hand():
    # Half-axis 60 mm below the equator, cut 20 mm above it: pi r^2 (80 - (60^3 + 20^3) / (3 60^2))
    r, expected_ml = 22.0, np.pi * 22.0**2 * (80.0 - (60.0**3 + 20.0**3) / (3.0 * 60.0**2)) / 1000.0
    profile = Profile(0.0, 80.0, 0.75, np.pi * r**2)
    assert profile.volume_ml == pytest.approx(expected_ml, rel=1e-12)
    assert profile.area(np.array([60.0]))[0] == pytest.approx(np.pi * r**2)
    assert profile.area(np.array([80.0]))[0] == pytest.approx(np.pi * r**2 * (1 - (20 / 60) ** 2))


def test_the_integral_of_the_areas_is_the_volume():
    profile = Profile.of_volume(131.0, 6.5, 88.0, 0.71)
    along = np.linspace(0.0, 88.0, 400_001)
    assert np.trapezoid(profile.area(along), along) / 1000.0 == pytest.approx(131.0, rel=1e-6)


def test_nothing_lies_below_the_apex():
    profile = Profile.of_volume(131.0, 6.5, 88.0, 0.71)
    assert (profile.area(np.array([-3.0, 0.0, 6.4])) == 0).all()


def test_a_wobbly_curve_keeps_its_area():
    angle = np.linspace(0.0, 2.0 * np.pi, 20_001)
    squared = 700.0 / np.pi * wobble(angle, WOBBLE)
    x, y = np.sqrt(squared) * np.cos(angle), np.sqrt(squared) * np.sin(angle)
    shoelace = 0.5 * np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])
    assert shoelace == pytest.approx(700.0, rel=1e-6)
    assert np.ptp(squared) > 100.0


@pytest.mark.parametrize("curve", [bump, dome])
@pytest.mark.parametrize("centre", [0.3, 3.1, -2.9, 9.0])
def test_a_lobe_has_unit_integral_wherever_it_lies(curve, centre):
    angle = np.linspace(-np.pi, np.pi, 200_001)
    lobe = curve(angle, centre, 1.1)
    assert np.trapezoid(lobe, angle) == pytest.approx(1.0, abs=1e-5)
    assert lobe.min() == 0.0
    away = abs((angle[lobe.argmax()] - centre + np.pi) % (2 * np.pi) - np.pi)
    assert away < 1e-3
