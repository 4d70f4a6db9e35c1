"""A shift is found to a fraction of a pixel, whatever happened to the grey values."""

import numpy as np
import pytest
from scipy import ndimage

from heartseg.train.translate.moved import FARTHEST_PX, moved


def heart(shift: tuple[float, float] = (0, 0)) -> np.ndarray:
    """(z, y, x): rings off the middle, another radius in each slice."""
    y, x = np.mgrid[:40, :52]
    away = np.hypot(y - 19 - shift[0], x - 30 - shift[1])
    planes = [0.2 + 0.6 / (1 + np.exp(2 * (away - r))) + 0.1 * (away < r / 2) for r in (7, 9, 11)]
    return np.stack(planes).astype(np.float32)


WHOLE = np.ones((3, 40, 52), bool)


@pytest.mark.parametrize("shift", [(0, 0), (3, -2), (0.5, 1.25), (-6, 0)])
def test_the_shift_is_found_in_another_contrast(shift: tuple[float, float]) -> None:
    found = moved(heart(), 1 - heart(shift), WHOLE)
    assert found is not None
    assert found.pixels == pytest.approx(np.hypot(*shift), abs=0.15)


def test_edges_correlate_where_they_are_the_same() -> None:
    same, away = moved(heart(), 1 - heart(), WHOLE), moved(heart(), 1 - heart((5, 0)), WHOLE)
    assert same is not None
    assert away is not None
    assert same.edges == pytest.approx(1, abs=0.02)
    assert away.edges < 0.4


def test_what_was_cut_off_is_no_edge() -> None:
    cut = 1 - heart()
    cut[:, :, :12] = 0
    shown = WHOLE.copy()
    shown[:, :, :12] = False
    found, fooled = moved(heart(), cut, shown), moved(heart(), cut, WHOLE)
    assert found is not None
    assert fooled is not None
    assert found.pixels < 0.1
    assert found.edges > 0.9 > fooled.edges


def test_noise_does_not_move_it() -> None:
    noise = np.random.default_rng(1).normal(0, 0.03, (3, 40, 52)).astype(np.float32)
    found = moved(heart(), ndimage.gaussian_filter(heart(), (0, 1, 1)) + noise, WHOLE)
    assert found is not None
    assert found.pixels < 0.3


def test_no_shift_is_farther_than_it_is_looked_for_and_none_is_of_nothing() -> None:
    found = moved(heart(), heart((14, 0)), WHOLE)
    assert found is None or found.pixels <= FARTHEST_PX * np.sqrt(2)
    assert moved(heart(), np.full_like(heart(), 0.5), WHOLE) is None
