"""The boundary of a mask as polygons."""

import numpy as np
import pytest

from heartseg.core.outline import area_of, joined, outlines
from heartseg.read.contour import polygon_mask


def ragged(seed: int, share: float = 0.5, shape: tuple[int, int] = (9, 13)) -> np.ndarray:
    return np.random.default_rng(seed).random(shape) < share


def test_the_outline_of_three_pixels_by_hand() -> None:
    mask = np.zeros((4, 5), bool)
    mask[1, 2:4] = mask[2, 3] = True
    (ring,) = outlines(mask)
    corners = {(1.5, 1), (2, 0.5), (3, 0.5), (3.5, 1), (3.5, 2), (3, 2.5), (2.5, 2), (2, 1.5)}
    assert {tuple(point) for point in ring.tolist()} == corners
    assert len(ring) == len(corners)
    assert area_of(ring) == 3 - 1 / 2


@pytest.mark.parametrize("seed", range(8))
def test_a_pixel_is_in_the_mask_when_its_centre_is_in_an_odd_number_of_rings(seed: int) -> None:
    mask = ragged(seed, 0.2 + 0.08 * seed)
    inside = [polygon_mask(ring, mask.shape) for ring in outlines(mask)]
    assert np.array_equal(np.logical_xor.reduce(inside), mask)
    assert np.array_equal(polygon_mask(joined(outlines(mask)), mask.shape), mask)


def test_rings_lose_half_a_pixel_and_holes_win_it_back() -> None:
    mask = np.ones((6, 9), bool)  # to the border of the image
    mask[2, 3:5] = mask[4, 7] = False
    rings = outlines(mask)
    assert sorted(area_of(ring) for ring in rings) == [-1.5, -0.5, 54 - 0.5]


def test_pixels_that_touch_by_a_corner_are_apart_and_nothing_has_no_ring() -> None:
    mask = np.zeros((3, 4), bool)
    assert outlines(mask) == ()
    mask[0, 1] = mask[1, 2] = True
    assert [area_of(ring) for ring in outlines(mask)] == [0.5, 0.5]
