import numpy as np
import pytest

from heartseg.measure.agreement import level_table
from heartseg.measure.levels import levels_of
from tests.measure.hearts import LV, MYO, RV, boxes, round_heart, segmentation


def stack(*sizes: int) -> np.ndarray:
    """(1, z, y, x): a row of so many voxels in each slice."""
    labels = np.zeros((1, len(sizes), 3, 40), np.uint8)
    for z, size in enumerate(sizes):
        labels[0, z, 1, :size] = LV
    return labels


def said(labels: np.ndarray) -> dict[str, list[int]]:
    return {level: planes.tolist() for level, planes in levels_of(labels)[0].items()}


def test_the_larger_end_is_the_base_and_has_the_odd_slice():
    tapering = stack(0, 9, 8, 7, 6, 5, 4, 3, 0)

    assert said(tapering) == {"base": [0, 1, 2, 3], "mid": [4, 5], "apex": [6, 7, 8]}
    assert said(tapering[:, ::-1]) == {"base": [5, 6, 7, 8], "mid": [3, 4], "apex": [0, 1, 2]}
    assert said(stack(9, 8, 7, 6, 5, 4, 3)) == {"base": [0, 1, 2], "mid": [3, 4], "apex": [5, 6]}


def test_every_slice_is_in_one_level():
    parts = said(stack(0, 0, 3, 5, 7, 8, 9, 9, 0))

    assert sorted(z for planes in parts.values() for z in planes) == list(range(9))


def test_a_stack_that_does_not_taper_has_no_levels():
    assert said(stack(9, 9, 9, 9)) == {}
    assert said(stack(9, 5)) == {}
    assert said(stack(0, 0, 0)) == {}


def test_each_frame_has_its_own_slices():
    """The base moves down in systole: its slices are found where the heart then is."""
    both = np.concatenate([stack(9, 8, 7, 6, 5, 4), stack(0, 8, 6, 4, 0, 0)])

    ed, es = levels_of(both)
    assert ed["base"].tolist() == [0, 1]
    assert (es["base"].tolist(), es["apex"].tolist()) == ([0, 1], [3, 4, 5])


def test_the_table_has_a_row_for_each_level():
    truth = round_heart()[None]
    pred = truth.copy()
    pred[0, 7:] = np.roll(pred[0, 7:], 4, axis=2)
    rows = level_table(segmentation(pred), segmentation(truth), case="p1")

    assert [(r.structure, r.level) for r in rows] == [
        (s, level) for s in (LV, MYO, RV) for level in ("base", "mid", "apex")
    ]
    by_level = {row.level: row for row in rows if row.structure is MYO}
    assert by_level["apex"].dice == by_level["mid"].dice == 1.0
    assert by_level["base"].dice < 0.99
    assert by_level["base"].hausdorff_mm > by_level["mid"].hausdorff_mm
    assert sum(r.volume_truth_ml for r in by_level.values()) == pytest.approx(
        np.count_nonzero(truth == MYO) * 0.015
    )


def test_a_heart_without_taper_has_no_rows():
    assert level_table(segmentation(boxes()[:, 1:3]), segmentation(boxes()[:, 1:3])) == ()
