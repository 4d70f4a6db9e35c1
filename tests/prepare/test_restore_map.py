"""Maps on prepared pixels go back to the image's own grid, however it lies."""

import numpy as np
import pytest

from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.prepare import Preparation

SHAPE = (3, 26, 38)
TURNED = -np.array([[0.0, 0.8, 0.6], [0.28, -0.576, 0.768], [0.96, 0.168, -0.224]]).T


def image(spacing: tuple[float, float, float] = (8.0, 2.0, 2.0)) -> Image:
    """Random grey with the brightest voxel at (1, 9, 20)."""
    affine = np.eye(4)
    affine[:3, :3] = TURNED * np.array(spacing)
    voxels = np.random.default_rng(2).random((1, *SHAPE)).astype(np.float32)
    voxels[0, 1, 9, 20] = 4.0
    return Image(voxels, Geometry(SHAPE, affine))


@pytest.mark.parametrize("spacing_mm", [2.0, 1.0, 1.5])
def test_what_is_bright_when_prepared_is_bright_at_its_own_place(spacing_mm: float) -> None:
    how = Preparation(spacing_mm=spacing_mm, stride=8, percentiles=(0.0, 100.0))
    sample = how.sample(image())
    back = sample.restore_map(sample.frame(0), outside=-1.0)
    assert back.shape == SHAPE
    assert np.unravel_index(int(back.argmax()), SHAPE) == (1, 9, 20)
    assert back.min() >= 0, "all of it was shown"


def test_it_is_the_way_back_of_probabilities() -> None:
    sample = Preparation(spacing_mm=1.5, stride=8).sample(image())
    planes = np.random.default_rng(1).random(sample.geometry.shape).astype(np.float32)
    wanted = sample.restore(planes[:, None])[0]
    assert np.abs(sample.restore_map(planes, outside=9.0) - wanted).max() < 1e-6


def test_what_was_cut_off_gets_the_value_of_outside() -> None:
    sample = Preparation(spacing_mm=2.0, stride=8, field_px=16).sample(image())
    back = sample.restore_map(np.ones(sample.geometry.shape, np.float32), outside=-1.0)
    shown = back == 1
    assert (back[~shown] == -1).all()
    assert (shown == shown[:1]).all()
    rows, columns = (np.flatnonzero(shown[0].any(axis=one)) for one in (1, 0))
    assert (rows[0], rows[-1]) == (5, 20), "sixteen in the middle of 26"
    assert (columns[0], columns[-1]) == (11, 26), "sixteen in the middle of 38"
