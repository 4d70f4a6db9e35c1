"""What every metric of the table has to keep; a new line there is tested by that alone."""

import numpy as np
import pytest

from heartseg.measure.metrics import METRICS, NO_MILLIMETRES, empty_mask_rule
from heartseg.measure.overlap import components, holes
from heartseg.measure.pair import Pair
from tests.measure.hearts import LV, MYO, SPACING_MM, round_heart

EMPTY = np.zeros((5, 12, 14), bool)
UNITS = {"1", "mm", "mL", "pieces"}

GRID_MM = (8.0, 1.5, 2.0)


def by_hand() -> Pair:
    """Two blocks in one plane, one with a speck and one with a hole; 0.024 mL a voxel."""
    pred, truth = EMPTY.copy(), EMPTY.copy()
    pred[2, 3:7, 2:6] = True
    pred[2, 10, 12] = True
    truth[2, 3:7, 3:8] = True
    truth[2, 4, 4] = False
    return Pair(pred, truth, GRID_MM)


# 17 predicted, 19 true, 11 shared, 14 wrong of 840 voxels. Of the block's 16 voxels the columns 3
# to 5 are shared but for the hole; column 2 is 2 mm from the truth, which reaches over to columns 6
# (2 mm) and 7 (4 mm). The hole lies 1.5 mm from the truth. In one plane of five every voxel is
# surface. The speck at (10, 12) is nearest to the truth at (6, 7): hypot(4 x 1.5, 5 x 2) mm.
FAR = float(np.hypot(6, 10))
KNOWN = {
    "dice": 22 / 36,
    "jaccard": 11 / 25,
    "accuracy": 1 - 14 / 840,
    "precision": 11 / 17,
    "recall": 11 / 19,
    "specificity": 815 / 821,
    "sa_pixels": 1 - 14 / 19,
    "sa_areas": 1 - 2 / 19,
    "volume_difference_ml": -2 * 0.024,
    "volume_difference": -2 / 19,
    "hausdorff_mm": FAR,
    "hausdorff95_mm": 4.0,  # of the truth's 19; of the predicted 17 it is 2 + 0.2 (FAR - 2)
    "assd_mm": (4 * 2 + 1.5 + FAR + 4 * 2 + 4 * 4) / 36,
    "surface_dice_2mm": (16 + 15) / 36,
    "boundary_iou_2mm": 11 / 25,
    "component_error": 1.0,
    "hole_error": 1.0,
}


def random_pairs(count: int = 12) -> list[Pair]:
    """Ragged masks of which neither is empty or full."""
    rng = np.random.default_rng(3)
    pairs = []
    for _ in range(count):
        pred, truth = rng.random((2, 4, 9, 11)) < rng.uniform(0.1, 0.9)
        pairs.append(Pair(pred, truth, tuple(rng.uniform(0.5, 9, 3))))
    return pairs


@pytest.fixture(params=METRICS)
def key(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_known_value_by_hand(key: str) -> None:
    assert METRICS[key].value(by_hand())[0] == pytest.approx(KNOWN[key])


def test_perfect_is_perfect(key: str) -> None:
    metric = METRICS[key]
    for structure in (LV, MYO):
        mask = round_heart() == structure
        assert metric.value(Pair(mask, mask.copy(), SPACING_MM)) == (metric.perfect, None)
    assert metric.perfect in (0.0, 1.0)


def test_nothing_is_better_than_perfect(key: str) -> None:
    metric = METRICS[key]
    for pair in random_pairs():
        value, _ = metric.value(pair)
        assert value is not None
        if metric.better == "higher":
            assert value <= metric.perfect
        elif metric.better == "lower":
            assert value >= metric.perfect


def test_exchanging_the_masks_does_what_the_table_says(key: str) -> None:
    metric = METRICS[key]
    values = [(metric.value(p)[0], metric.value(Pair(p.truth, p.pred, p.spacing_mm))[0])
              for p in random_pairs()]  # fmt: skip
    ours, theirs = np.array(values).T
    if metric.exchange == "same":
        assert ours == pytest.approx(theirs)
    elif metric.exchange == "negated":
        assert ours == pytest.approx(-theirs)
    else:
        assert ours != pytest.approx(theirs)


@pytest.mark.parametrize("which", ["both", "pred", "truth"])
def test_empty_masks_follow_the_rule(key: str, which: str) -> None:
    metric, some = METRICS[key], by_hand().truth
    pair = Pair(
        EMPTY if which in ("both", "pred") else some,
        EMPTY if which in ("both", "truth") else some,
        GRID_MM,
    )
    value, reason = metric.value(pair)
    rule = getattr(metric.empty, which)
    assert pair.empty == which
    if rule == "as defined":
        assert value is not None
    else:
        assert value == rule
    assert (reason is None) == (value is not None)
    assert reason != ""


def test_without_millimetres_it_says_so_or_needs_none(key: str) -> None:
    metric, pair = METRICS[key], by_hand()
    value, reason = metric.value(Pair(pair.pred, pair.truth))
    if metric.calibrated:
        assert (value, reason) == (None, NO_MILLIMETRES)
    else:
        assert value == metric.value(pair)[0]


def test_the_unit_is_known_and_scales_as_it_should(key: str) -> None:
    metric, pair = METRICS[key], by_hand()
    power = {"1": 0, "pieces": 0, "mm": 1, "mL": 3}[metric.unit]
    half = Pair(pair.pred, pair.truth, tuple(s / 2 for s in GRID_MM))
    twice = Pair(pair.pred, pair.truth, tuple(s / 4 for s in GRID_MM))
    assert metric.unit in UNITS
    if metric.unit in ("mm", "mL"):
        assert key.endswith(f"_{metric.unit.lower()}")
    if "2mm" not in key:  # a tolerance in mm does not scale with the grid
        assert metric.value(half)[0] == pytest.approx(metric.value(twice)[0] * 2**power)


def test_hostile_masks_give_a_number_or_a_reason(key: str) -> None:
    metric = METRICS[key]
    full, one = np.ones((3, 4, 5), bool), np.zeros((3, 4, 5), bool)
    one[0, 0, 0] = True
    masks = [full, one, np.flip(one), ~one, np.zeros_like(one)]
    for pred in masks:
        for truth in masks:
            value, reason = metric.value(Pair(pred, truth, (30.0, 0.01, 1.0)))
            assert (value is None) == bool(reason)
            assert value is None or np.isfinite(value)


def test_a_part_of_the_stack_is_judged_with_the_surfaces_of_the_whole(key: str) -> None:
    """All planes are the whole; an empty level follows the rule of empty masks."""
    metric = METRICS[key]
    pair = Pair(round_heart() == LV, np.roll(round_heart() == LV, 1, 2), SPACING_MM)
    assert metric.value(pair.at(np.arange(9)))[0] == pytest.approx(metric.value(pair)[0])
    value, _ = metric.value(pair.at(np.array([0, 8])))
    rule = metric.empty.both
    assert value == (metric.value(Pair(EMPTY, EMPTY, GRID_MM))[0] if rule == "as defined" else rule)


def test_cutting_a_stack_makes_no_surface() -> None:
    """The middle of a slab that is 1 pixel too wide is judged by its sides, not by the cuts."""
    truth = np.zeros((9, 20, 20), bool)
    truth[1:8, 5:15, 5:15] = True
    pred = truth.copy()
    pred[1:8, 5:15, 15] = True
    middle = Pair(pred, truth, (8.0, 1.0, 1.0)).at(np.array([3, 4, 5]))
    # Each plane has 38 surface voxels predicted (10 of them 1 mm off) and 36 true (10 hidden ones,
    # whose column 14 is inside: the rows' ends of it are shared).
    assert METRICS["assd_mm"].value(middle)[0] == pytest.approx((10 + 8) / (38 + 36))
    assert METRICS["hausdorff_mm"].value(middle)[0] == 1.0


def test_a_level_is_judged_in_its_own_planes() -> None:
    """Wrong in one plane alone, which is the seventh of the stack and the sixth of its box."""
    truth = np.zeros((9, 20, 20), bool)
    truth[1:8, 5:15, 5:15] = True
    pred = truth.copy()
    pred[6, 5:15, 15:18] = True
    for ours, theirs in ((pred, truth), (truth, pred)):
        whole = Pair(ours, theirs, (8.0, 1.0, 1.0))
        far = [METRICS["hausdorff_mm"].value(whole.at(np.array([z])))[0] for z in range(1, 8)]
        assert far == [0, 0, 0, 0, 0, 3, 0]


def test_every_metric_has_its_value_by_hand_and_the_rule_names_all() -> None:
    assert set(KNOWN) == set(METRICS)
    assert all(metric.title in empty_mask_rule() for metric in METRICS.values())


def test_pieces_hang_by_faces_and_holes_open_by_corners() -> None:
    mask = np.zeros((2, 6, 7), bool)
    assert (components(mask), holes(mask)) == (0, 0)
    assert (components(~mask), holes(~mask)) == (1, 0)  # the whole image, in two planes
    mask[0, 1:5, 1:6] = True
    mask[0, 2, 2] = False  # a hole
    mask[0, 4, 5] = mask[0, 3, 4] = False  # opened to the outside by a corner: none
    mask[1, 5, 6] = mask[1, 4, 5] = True  # two pieces that touch by a corner
    assert (components(mask), holes(mask)) == (3, 1)
    edge = np.zeros((1, 5, 5), bool)
    edge[0, 1:4, 1:] = True
    edge[0, 2, 3:] = False  # a bay at the edge of the image
    assert holes(edge) == 0
