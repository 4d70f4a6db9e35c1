"""Rays through a plane: line integrals by hand, and the plane back from them."""

import numpy as np
import pytest

from heartseg.phantom.rays import Rays

SIDE, PIXEL_MM = 48, 2.5
RADIUS_MM, PER_MM = 30.0, 0.02


@pytest.fixture(scope="module")
def rays():
    return Rays.through(SIDE, 64, PIXEL_MM)


@pytest.fixture(scope="module")
def disc():
    y, x = (PIXEL_MM * (axis - 0.5 * (SIDE - 1)) for axis in np.mgrid[:SIDE, :SIDE])
    inside = np.clip((RADIUS_MM - np.hypot(x - 12.0, y + 7.0)) / PIXEL_MM + 0.5, 0.0, 1.0)
    return PER_MM * inside[None]


def test_a_ray_through_the_middle_of_a_disc_sums_its_diameter(rays, disc):
    sums = rays.sums(disc)
    assert sums.shape == (1, 64, SIDE)
    np.testing.assert_allclose(sums.max(-1), 2 * RADIUS_MM * PER_MM, rtol=0.03)
    np.testing.assert_allclose(sums.sum(-1) * PIXEL_MM, np.pi * RADIUS_MM**2 * PER_MM, rtol=0.01)


def test_a_disc_off_the_centre_throws_its_shadow_where_it_is(rays, disc):
    bins = PIXEL_MM * (np.arange(SIDE) - 0.5 * (SIDE - 1))
    sums = rays.sums(disc)[0]
    middles = (sums * bins).sum(-1) / sums.sum(-1)
    turns = np.pi * (np.arange(64) + 0.5) / 64
    np.testing.assert_allclose(middles, 12.0 * np.cos(turns) - 7.0 * np.sin(turns), atol=0.1)


def test_the_plane_comes_back_from_its_sums(rays, disc):
    back = rays.plane(rays.sums(disc))
    inner = disc[0] == PER_MM
    assert np.median(back[0][inner]) == pytest.approx(PER_MM, rel=0.02)
    assert abs(back[0][disc[0] == 0].mean()) < 0.03 * PER_MM
    assert back[0][inner].std() < 0.05 * PER_MM


def test_the_mean_over_rays_that_are_all_alike_is_theirs(rays):
    mean = rays.mean(np.full((2, 64, SIDE), 3.0))
    assert mean.shape == (2, SIDE, SIDE)
    np.testing.assert_allclose(mean[:, 20:28, 20:28], 3.0)
