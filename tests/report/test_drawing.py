"""Lines around masks: drawn where they are, and the same whatever lies far away."""

import numpy as np
import pytest

from heartseg.report.drawing import (
    HALO_STRENGTH,
    HALO_WIDTH,
    LINE_WIDTH,
    Floats,
    Stretch,
    draw_contour,
    enlarge,
)

COLOUR = (230, 60, 20)


def everywhere(picture: Floats, mask: Floats) -> None:
    """The formula over the whole picture."""
    down, right = np.gradient(mask)
    distance = np.abs(mask - 0.5) / np.maximum(np.hypot(down, right), 1e-6)
    halo = np.clip(HALO_WIDTH / 2 + 0.5 - distance, 0.0, 1.0)[..., None]
    picture *= np.float32(1.0) - HALO_STRENGTH * halo
    line = np.clip(LINE_WIDTH / 2 + 0.5 - distance, 0.0, 1.0)[..., None]
    picture += line * (np.array(COLOUR, np.float32) - picture)


def pictures(step: float) -> tuple[Floats, Floats]:
    """A ring of voxels in a corner, and a lone one at the edge, at so many voxels a pixel."""
    voxels = np.zeros((1, 30, 40), bool)
    voxels[0, 3:12, 5:17] = True
    voxels[0, 6:9, 9:13] = False
    voxels[0, 29, 39] = True
    rows, columns = (Stretch(n, (n - 1) / 2, step, round(n / step)) for n in (30, 40))
    mask = enlarge(voxels, rows, columns, smooth=True)[0]
    grey = np.random.default_rng(2).uniform(0, 255, (*mask.shape, 3)).astype(np.float32)
    return grey, mask


@pytest.mark.parametrize("step", [0.2, 0.6, 1.0, 1.7])
def test_a_contour_is_what_the_whole_picture_would_give(step: float) -> None:
    picture, mask = pictures(step)
    whole = picture.copy()
    everywhere(whole, mask)
    before = picture.copy()
    draw_contour(picture, mask, COLOUR)
    assert np.array_equal(picture, whole)
    assert not np.array_equal(picture, before)


def test_a_mask_of_nothing_leaves_the_picture() -> None:
    picture, mask = pictures(0.5)
    before = picture.copy()
    draw_contour(picture, np.zeros_like(mask), COLOUR)
    assert np.array_equal(picture, before)
