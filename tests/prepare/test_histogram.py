"""An image takes the greys of another, in its own order."""

import numpy as np
import pytest

from heartseg.prepare.histogram import LEVELS, matched, quantiles_of

RANDOM = np.random.default_rng(4)
BRIGHT = RANDOM.beta(5, 2, (3, 40, 50)).astype(np.float32)
DIM = (0.4 * RANDOM.beta(2, 6, (2, 30, 30))).astype(np.float32)


def test_greys_become_as_frequent_as_the_other_images() -> None:
    out = matched(BRIGHT, quantiles_of(DIM))
    assert out.shape == BRIGHT.shape
    assert out.dtype == np.float32
    np.testing.assert_allclose(quantiles_of(out), quantiles_of(DIM), atol=0.01)
    assert abs(float(out.mean() - DIM.mean())) < 0.003


def test_order_stays() -> None:
    out = matched(BRIGHT, quantiles_of(DIM))
    order = BRIGHT.ravel().argsort()
    assert (np.diff(out.ravel()[order]) >= -1e-6).all()


def test_its_own_histogram_changes_little() -> None:
    np.testing.assert_allclose(matched(BRIGHT, quantiles_of(BRIGHT)), BRIGHT, atol=0.004)


@pytest.mark.parametrize("black", [0.4, 0.7])
def test_much_black_takes_the_middle_of_its_share(black: float) -> None:
    pixels = BRIGHT.ravel().copy()
    pixels[: int(black * pixels.size)] = 0.0
    out = matched(pixels, np.linspace(0, 1, LEVELS).astype(np.float32))
    np.testing.assert_allclose(out[0], black / 2, atol=0.01)  # not its end, nor its beginning
    assert len(set(out[: int(black * pixels.size)].tolist())) == 1


def test_an_image_of_one_grey_takes_the_middle_one() -> None:
    out = matched(np.full((2, 3), 0.7, np.float32), quantiles_of(DIM))
    np.testing.assert_allclose(out, np.median(DIM), atol=0.002)
