"""The base is number 1, however a file stores its stack."""

import numpy as np
import pytest

from heartseg.core.geometry import BASE_LPS, Geometry, Orientation
from heartseg.core.stack_order import base_comes_first, directions_contradicted, slice_numbers
from tests import foreign

GRID = Geometry(foreign.SHAPE, foreign.affine_lps())
STORED = [
    Orientation((0, *order), (turned, *flips))
    for order in ((1, 2), (2, 1))
    for turned in (False, True)
    for flips in ((False, False), (True, False))
]


def column(areas: tuple[int, ...]) -> np.ndarray:
    """Labels (z, y, x) with so many pixels in each slice."""
    labels = np.zeros(foreign.SHAPE, np.uint8)
    for z, area in enumerate(areas):
        labels[z].ravel()[:area] = 1 + z % 3
    return labels


def numbers_in_the_grid_s_own_order(orientation: Orientation, labels: np.ndarray) -> list[int]:
    numbers = slice_numbers(GRID.oriented(orientation), orientation.apply(labels))
    return list(numbers[::-1] if orientation.flip[0] else numbers)


@pytest.mark.parametrize("orientation", STORED)
def test_slices_count_from_the_base_of_the_patient(orientation):
    assert GRID.directions[:, 0] @ BASE_LPS > 0.9  # the last slice lies at the base
    even = column((40, 40, 40, 40, 40))
    assert numbers_in_the_grid_s_own_order(orientation, even) == [5, 4, 3, 2, 1]
    assert numbers_in_the_grid_s_own_order(orientation, np.zeros_like(even)) == [5, 4, 3, 2, 1]


@pytest.mark.parametrize("orientation", STORED)
def test_a_heart_that_clearly_tapers_is_believed_more_than_directions(orientation):
    tapered = column((60, 50, 40, 20, 5))
    assert numbers_in_the_grid_s_own_order(orientation, tapered) == [1, 2, 3, 4, 5]
    assert numbers_in_the_grid_s_own_order(orientation, tapered[::-1]) == [5, 4, 3, 2, 1]


@pytest.mark.parametrize("areas", [(60, 50, 40, 0, 0), (44, 43, 42, 41, 40), (60, 50, 40, 20, 0)])
def test_part_of_a_heart_or_a_slight_taper_is_no_evidence_against_directions(areas):
    assert numbers_in_the_grid_s_own_order(Orientation(), column(areas)) == [5, 4, 3, 2, 1]


def test_a_file_that_knows_no_patient_is_told_by_the_heart():
    pictures = Geometry.from_pixels(foreign.SHAPE, (8.0, 1.5, 1.25))
    tapered = column((60, 50, 40, 20, 5))
    assert base_comes_first(pictures, tapered)
    assert not base_comes_first(pictures, tapered[::-1])
    slight = column((0, 44, 43, 42, 0))
    assert base_comes_first(pictures, slight)
    assert not base_comes_first(pictures, slight[::-1])


def test_a_contradiction_is_told():
    tapered = column((60, 50, 40, 20, 5))
    assert directions_contradicted(GRID, tapered)
    assert not directions_contradicted(GRID, tapered[::-1])
