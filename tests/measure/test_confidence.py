import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.probability import Region
from heartseg.core.study import Phases
from heartseg.measure.confidence import (
    LEAST_EXPECTED,
    MENDED,
    Standing,
    Sureness,
    Watching,
    mended_share,
    standings,
    unsureness,
)
from tests.measure.hearts import LV, MYO, RV, round_heart, segmentation

ORDER = (Structure.BACKGROUND, RV, MYO, LV)
"""Another order than the values', as a model may have it."""

BOTH = Phases(ed=0, es=1, how="given")


def frame(labels: np.ndarray, sure: float) -> np.ndarray:
    """(structures, z, y, x): `sure` of each voxel's label, the rest is background's or the RV's."""
    out = np.zeros((len(ORDER), *labels.shape), np.float32)
    for channel, structure in enumerate(ORDER):
        out[channel][labels == structure] = sure
    out[0][labels != 0] = 1 - sure
    out[0][labels == 0] = 1
    return out


def watched(*frames: np.ndarray) -> Sureness:
    watching = Watching(map(Region.whole, frames), ORDER)
    passed = list(watching)
    assert all(one.values is given for one, given in zip(passed, frames, strict=True))
    return watching.seen()


def test_a_model_that_is_sure_expects_a_perfect_dice():
    seen = watched(frame(round_heart(), 1.0))

    assert [seen.expected_dice(one, 0) for one in (LV, MYO, RV)] == [1, 1, 1]


def test_the_expected_dice_is_that_of_the_formula():
    seen = watched(frame(round_heart(), 0.75))

    assert seen.expected_dice(LV, 0) == pytest.approx(2 * 0.75 / (1 + 0.75))


def test_probability_beside_the_mask_lowers_it_too():
    """Ten voxels at 0.6, ten more at 0.4 that the background wins: 2*6 / (10 + 10)."""
    planes = np.zeros((len(ORDER), 2, 8, 9), np.float32)
    planes[0] = 1
    for columns, chance in ((slice(0, 5), 0.6), (slice(5, 9), 0.0)):
        planes[3, 1, 2:4, columns], planes[0, 1, 2:4, columns] = chance, 1 - chance
    planes[3, 1, 4:6, :5], planes[0, 1, 4:6, :5] = 0.4, 0.6
    seen = watched(planes)

    assert seen.expected_dice(LV, 0) == pytest.approx(0.6)
    assert seen.chosen(LV, 0).tolist() == [0, 10]


def test_what_is_nowhere_has_no_expectation():
    seen = watched(frame(np.where(round_heart() == RV, 0, round_heart()), 0.9))

    assert seen.expected_dice(RV, 0) is None
    assert seen.expected_dice(Structure.AORTA, 0) is None


def test_what_nowhere_wins_expects_nothing():
    planes = frame(round_heart(), 0.9)
    planes[3], planes[0] = 0.3 * (planes[3] > 0), np.where(planes[3] > 0, 0.7, planes[0])

    assert watched(planes).expected_dice(LV, 0) == 0


def test_frames_are_told_apart_and_the_order_of_channels_is_the_models():
    seen = watched(frame(round_heart(), 1.0), frame(round_heart(15, 12), 0.8))

    assert seen.structures == ORDER[1:]
    assert seen.expected_dice(LV, 0) == 1
    assert seen.expected_dice(LV, 1) == pytest.approx(1.6 / 1.8)
    assert seen.chosen(LV, 0).sum() == np.count_nonzero(round_heart() == LV)


def stood(sure: float, labels: np.ndarray | None = None) -> tuple[Standing, ...]:
    drawn = np.stack([round_heart(), round_heart(15, 12)])
    seen = watched(frame(drawn[0], 1.0), frame(drawn[1], sure))
    kept = drawn if labels is None else labels
    return standings(seen, segmentation(kept), BOTH)


def test_a_sure_model_gives_no_reason():
    assert unsureness(stood(1.0)) == ()
    assert len(stood(1.0)) == 6


def test_an_unsure_one_is_told_by_structure_and_phase():
    assert unsureness(stood(0.6)) == (
        "the model is unsure of the LV cavity at end-systole",
        "the model is unsure of the LV myocardium at end-systole",
        "the model is unsure of the RV cavity at end-systole",
    )


@pytest.mark.parametrize("structure", LEAST_EXPECTED)
def test_each_structure_has_its_own_limit(structure):
    def one(expected: float) -> Standing:
        return Standing(structure=structure, phase="end-diastole", expected=expected, mended=0.0)

    limit = LEAST_EXPECTED[structure]
    assert unsureness([one(limit + 1e-6)]) == ()
    assert len(unsureness([one(limit - 1e-6)])) == 1
    assert unsureness([one(limit - 0.02)], {structure: limit - 0.03}) == ()


def test_what_the_rules_of_anatomy_took_is_told():
    labels = np.stack([round_heart(), round_heart(15, 12)])
    labels[0, 2:5][labels[0, 2:5] == RV] = 0
    shares = {(one.structure, one.phase): one.mended for one in stood(1.0, labels)}

    assert shares[RV, "end-diastole"] > MENDED
    assert shares[RV, "end-systole"] == 0
    assert unsureness(stood(1.0, labels)) == (
        "much of what the model drew as RV cavity at end-diastole broke the rules of anatomy",
    )


def test_what_moved_from_slice_to_slice_counts_as_changed():
    seen = watched(frame(round_heart(), 1.0))
    turned = segmentation(round_heart()[None, ::-1])

    assert mended_share(seen, turned, LV, 0) > 0
    assert mended_share(seen, segmentation(round_heart()[None]), LV, 0) == 0


def test_a_single_phase_is_judged_alone():
    seen = watched(frame(round_heart(), 0.6))
    alone = Phases(ed=0, es=None, how="detected")

    found = unsureness(standings(seen, segmentation(round_heart()[None]), alone))

    assert all("end-diastole" in reason for reason in found)
    assert len(found) == 3


def test_a_structure_that_was_not_sought_is_not_missed():
    watching = Watching(
        [Region.whole(frame(round_heart(), 0.6)[[0, 3]])], (Structure.BACKGROUND, LV)
    )
    list(watching)
    alone = Phases(ed=0, es=None, how="detected")
    drawn = segmentation(round_heart()[None], structures=(LV,))

    assert [one.structure for one in standings(watching.seen(), drawn, alone)] == [LV]


def test_the_background_wins_a_tie():
    planes = frame(round_heart(), 0.5)

    assert watched(planes).chosen(LV, 0).sum() == 0
