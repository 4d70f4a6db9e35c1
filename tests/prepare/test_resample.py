"""Weights against numbers worked out by hand."""

import numpy as np
import pytest

from heartseg.prepare.resample import linear_weights, resample_planes


def test_the_same_grid_is_left_as_it_is():
    for filtered in (True, False):
        assert np.array_equal(linear_weights(5, 5, step=1, filtered=filtered), np.eye(5))


def test_halving_the_distance_interpolates_about_the_centre():
    weights = linear_weights(3, 4, step=0.5, filtered=True)  # places .25 .75 1.25 1.75
    wanted = [[0.75, 0.25, 0], [0.25, 0.75, 0], [0, 0.75, 0.25], [0, 0.25, 0.75]]
    np.testing.assert_allclose(weights, wanted, atol=1e-6)


def test_doubling_the_distance_averages_so_that_nothing_aliases():
    filtered = linear_weights(5, 3, step=2, filtered=True)  # places 0 2 4
    np.testing.assert_allclose(filtered[1], [0, 0.25, 0.5, 0.25, 0], atol=1e-6)
    np.testing.assert_allclose(filtered[0], [2 / 3, 1 / 3, 0, 0, 0], atol=1e-6)
    plain = linear_weights(5, 3, step=2, filtered=False)
    np.testing.assert_allclose(plain, np.eye(5)[[0, 2, 4]], atol=1e-6)


def test_outside_is_nothing_when_filtered_and_the_edge_when_not():
    filtered, plain = (linear_weights(2, 6, step=1, filtered=f) for f in (True, False))
    np.testing.assert_allclose(filtered.sum(1), [0, 0, 1, 1, 0, 0])
    np.testing.assert_allclose(plain.sum(1), 1)
    assert (plain[:3, 0] == 1).all()
    assert (plain[3:, 1] == 1).all()


def test_a_place_more_than_half_a_point_outside_sees_nothing_though_the_triangle_is_wide():
    weights = linear_weights(3, 4, step=1.25, filtered=True)  # places -.875 .375 1.625 2.875
    np.testing.assert_allclose(weights.sum(1), [0, 1, 1, 0], atol=1e-6)


@pytest.mark.parametrize("step", [0.3, 0.77, 1.0, 1.2, 2.6])
@pytest.mark.parametrize("filtered", [True, False])
def test_weights_are_shares_and_symmetric(step, filtered):
    weights = linear_weights(21, 9, step=step, filtered=filtered)
    assert weights.dtype == np.float32
    assert weights.min() >= 0
    sums = weights.sum(1)
    assert np.all((np.abs(sums - 1) < 1e-5) | (sums == 0))
    np.testing.assert_allclose(weights, weights[::-1, ::-1], atol=1e-6)


def test_rows_and_columns_are_not_confused():
    planes = np.random.default_rng(0).random((2, 3, 5, 7), dtype=np.float32)
    rows, columns = np.eye(5, dtype=np.float32)[[1]], np.eye(7, dtype=np.float32)[[2, 6, 0]]
    assert np.array_equal(
        resample_planes(planes, rows, columns), planes[..., [1], :][..., [2, 6, 0]]
    )
