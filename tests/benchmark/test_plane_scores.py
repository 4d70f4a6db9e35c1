"""What the tables of thesis 001 hold, on masks whose pixels can be counted."""

import numpy as np
import pytest

from heartseg.benchmark.plane_scores import hausdorff95_px, soft_dice, two_class_iou
from heartseg.measure.overlap import dice, jaccard


def plane(*rows: str) -> np.ndarray:
    return np.array([[[mark == "x" for mark in row] for row in rows]])


TRUTH = plane("xx..", "xx..", "....")
FOUND = plane(".xx.", ".xx.", "....")


def test_soft_dice_of_certain_answers_is_dice():
    assert soft_dice(FOUND.astype(np.float32), TRUTH) == dice(FOUND, TRUTH) == 0.5


def test_soft_dice_counts_how_sure_an_answer_is():
    half = np.where(TRUTH, 0.75, 0.25).astype(np.float32)
    assert soft_dice(half, TRUTH) == pytest.approx(2 * 4 * 0.75 / (4 * 0.75 + 8 * 0.25 + 4))
    assert soft_dice(np.zeros((1, 2, 2), np.float32), np.zeros((1, 2, 2), bool)) == 1


def test_two_classes_are_the_structure_and_the_rest():
    assert jaccard(FOUND, TRUTH) == pytest.approx(2 / 6)
    assert two_class_iou(FOUND, TRUTH) == pytest.approx((2 / 6 + 6 / 10) / 2)
    assert two_class_iou(TRUTH, TRUTH) == 1


def test_two_classes_are_bounded_as_the_page_says():
    """(D / (2 - D) + 1) / 2, whatever the masks: what rules out hard Dice for the thesis."""
    random = np.random.default_rng(1)
    for share in (0.02, 0.1, 0.4):
        truth = random.random((1, 40, 50)) < share
        found = truth ^ (random.random(truth.shape) < 0.02)
        overlap = dice(found, truth)
        assert jaccard(found, truth) == pytest.approx(overlap / (2 - overlap))
        assert two_class_iou(found, truth) < (overlap / (2 - overlap) + 1) / 2


def test_distances_are_in_pixels_of_one_plane():
    assert hausdorff95_px(FOUND, TRUTH) == 1
    assert hausdorff95_px(TRUTH, np.roll(TRUTH, 2, axis=2)) == 2
    assert hausdorff95_px(FOUND & False, TRUTH) is None
    assert hausdorff95_px(np.repeat(FOUND, 2, 0), np.repeat(TRUTH, 2, 0)) is None
