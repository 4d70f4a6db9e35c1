"""Distances of sets by hand: shifts of histograms, and of normal distributions."""

import numpy as np
import pytest

from heartseg.core.errors import MeasureError
from heartseg.train.translate.distances import (
    frechet_distance,
    histogram_distance,
    principal_axes,
)

RANDOM = np.random.default_rng(3)


def test_a_shift_of_all_intensities_is_the_distance() -> None:
    values = RANDOM.random((40, 50))
    assert histogram_distance(values, values[:, ::-1]) == pytest.approx(0)
    assert histogram_distance(values, values + 0.1) == pytest.approx(0.1)
    assert histogram_distance(np.zeros(3), np.array([0.0, 1.0])) == pytest.approx(0.5, abs=0.01)


def test_of_nothing_there_is_no_distance() -> None:
    with pytest.raises(MeasureError, match="no pixels"):
        histogram_distance(np.zeros(0), np.zeros(3))
    with pytest.raises(MeasureError, match="at least 8"):
        frechet_distance(np.zeros((7, 2)), np.zeros((9, 2)))


def test_frechet_of_uncorrelated_numbers_is_the_formula() -> None:
    """Of one number each: (m - n)^2 + (s - t)^2 for every direction."""
    one = RANDOM.normal(size=(400, 3))
    one = (one - one.mean(0)) / one.std(0, ddof=1)
    axes = np.linalg.svd(one, full_matrices=False)[2]
    one = one @ axes.T  # no covariance left
    spread = one.std(0, ddof=1)
    other = one * [2.0, 1.0, 0.5] + [0.0, 3.0, 0.0]
    wanted = 9 + (spread[0] * 1) ** 2 + (spread[2] * 0.5) ** 2
    assert frechet_distance(one, other) == pytest.approx(wanted)
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(one[:, :1], other[:, :1]) == pytest.approx(spread[0] ** 2)


def test_frechet_is_symmetric_and_blind_to_a_common_turn() -> None:
    one, other = RANDOM.normal(size=(30, 4)), RANDOM.normal(size=(40, 4)) @ RANDOM.random((4, 4))
    turn = np.linalg.qr(RANDOM.normal(size=(4, 4)))[0]
    far = frechet_distance(one, other)
    assert frechet_distance(other, one) == pytest.approx(far)
    assert frechet_distance(one @ turn, other @ turn) == pytest.approx(far)


def test_main_directions_are_those_of_most_spread() -> None:
    features = RANDOM.normal(size=(50, 3)) * [0.1, 5.0, 1.0] + 7
    axes = principal_axes(features, 2)
    assert axes.shape == (3, 2)
    assert np.abs(axes).argmax(0).tolist() == [1, 2]
    assert principal_axes(np.ones((5, 3)), 2).shape == (3, 1)
