"""All channels in one count, as paper 003 scores: by hand, and against masks that are counted."""

import numpy as np
import pytest

from heartseg.core.errors import GeometryError
from heartseg.measure.overlap import accuracy, dice, jaccard, precision, recall
from heartseg.measure.pooled import Pooled, pooled

COUNTS = np.array([[80, 3, 1], [2, 7, 1], [0, 2, 4]])
"""100 voxels of background and two structures, true ones in rows."""


def test_the_channels_of_the_structures_by_hand() -> None:
    found = pooled(COUNTS, background=False)
    # Right: 7 + 4. Wrongly found: 3 + 2 and 1 + 1. Missed: 2 + 1 and 0 + 2. Two channels of 100.
    assert found == Pooled(tp=11, fp=7, fn=5, tn=177)
    assert found.dice == pytest.approx(22 / 34)
    assert found.jaccard == pytest.approx(11 / 23)
    assert found.accuracy == pytest.approx(188 / 200)
    assert found.precision == pytest.approx(11 / 18)
    assert found.recall == pytest.approx(11 / 16)


def test_with_the_background_dice_is_the_share_of_voxels_that_are_right() -> None:
    found = pooled(COUNTS, background=True)
    assert found.dice == found.precision == found.recall == pytest.approx(0.91)
    assert found.dice > pooled(COUNTS, background=False).dice


def test_it_is_what_the_masks_of_all_channels_laid_in_a_row_give() -> None:
    random = np.random.default_rng(3)
    truth, ours = random.integers(0, 4, (2, 5, 6, 7))
    counts = np.zeros((4, 4), np.int64)
    np.add.at(counts, (truth.ravel(), ours.ravel()), 1)
    for background in (False, True):
        keys = range(0 if background else 1, 4)
        masks = [np.stack([labels == key for key in keys]) for labels in (ours, truth)]
        found = pooled(counts, background=background)
        assert found.dice == pytest.approx(dice(*masks))
        assert found.jaccard == pytest.approx(jaccard(*masks))
        assert found.accuracy == pytest.approx(accuracy(*masks))
        assert found.precision == pytest.approx(precision(*masks))
        assert found.recall == pytest.approx(recall(*masks))


def test_nothing_to_find_and_nothing_found() -> None:
    found = pooled(np.array([[9, 0], [0, 0]]), background=False)
    assert (found.dice, found.jaccard, found.accuracy) == (1, 1, 1)
    assert found.precision is found.recall is None


@pytest.mark.parametrize("shape", [(3, 2), (1, 1), (4,)])
def test_what_is_no_confusion_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(GeometryError, match="classes x classes"):
        pooled(np.zeros(shape, np.int64), background=True)
