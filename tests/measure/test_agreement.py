import numpy as np
import pytest

from heartseg.core.errors import GeometryError
from heartseg.core.geometry import Geometry
from heartseg.core.study import Phases
from heartseg.measure.agreement import (
    BOTH_EMPTY,
    EMPTY_MASK_RULE,
    ONE_EMPTY,
    agreement_table,
)
from heartseg.measure.overlap import dice, jaccard, precision, recall
from heartseg.measure.pair import Pair, assd, hausdorff, hausdorff95
from heartseg.measure.surfaces import surface_distances
from tests.measure.hearts import (
    BOX_SHAPE,
    LV,
    MYO,
    RV,
    SPACING_MM,
    boxes,
    oblique,
    round_heart,
    segmentation,
)

EMPTY = np.zeros((4, 5, 6), bool)


def hausdorff_mm(pred, truth, spacing):
    return hausdorff(Pair(pred, truth, spacing))


def hausdorff95_mm(pred, truth, spacing):
    return hausdorff95(Pair(pred, truth, spacing))


def assd_mm(pred, truth, spacing):
    return assd(Pair(pred, truth, spacing))


def blobs(seed: int, shape: tuple[int, ...] = (6, 17, 23)) -> tuple[np.ndarray, np.ndarray]:
    """Two ragged masks that overlap in part and reach the border."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(seed)
    common = gaussian_filter(rng.normal(size=shape), 1.5)
    ours, theirs = (common + 0.4 * gaussian_filter(rng.normal(size=shape), 1) for _ in range(2))
    return ours > 0.05, theirs > 0.05


def brute_surface(mask: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """Surface voxels one by one: those with a direct neighbour that is not in the mask."""
    inside = {tuple(place) for place in np.argwhere(mask).tolist()}
    steps = [
        tuple(s * (a == b) for b in range(mask.ndim)) for a in range(mask.ndim) for s in (1, -1)
    ]
    surface = [
        place
        for place in sorted(inside)
        if any(
            tuple(p + d for p, d in zip(place, step, strict=True)) not in inside for step in steps
        )
    ]
    return np.array(surface) * np.array(spacing)


def brute_distances(pred, truth, spacing):
    """All pairs of surface voxels."""
    ours, theirs = brute_surface(pred, spacing), brute_surface(truth, spacing)
    pairs = np.sqrt(((ours[:, None] - theirs[None]) ** 2).sum(axis=-1))
    return pairs.min(axis=1), pairs.min(axis=0)


def test_overlap_by_hand():
    pred, truth = np.zeros((2, 3, 4), bool), np.zeros((2, 3, 4), bool)
    pred[0, 0, :3] = True
    truth[0, 0, 1:] = True
    truth[1, 2, :2] = True

    assert dice(pred, truth) == pytest.approx(2 * 2 / (3 + 5))
    assert jaccard(pred, truth) == pytest.approx(2 / 6)
    assert precision(pred, truth) == pytest.approx(2 / 3)
    assert recall(pred, truth) == pytest.approx(2 / 5)


def test_the_distance_of_two_voxels_by_hand():
    pred, truth = EMPTY.copy(), EMPTY.copy()
    pred[0, 1, 1] = True
    truth[2, 4, 1] = True
    by_hand = np.hypot(2 * 8.0, 3 * 1.5)

    for distance in (hausdorff_mm, hausdorff95_mm, assd_mm):
        assert distance(pred, truth, SPACING_MM) == pytest.approx(by_hand)


def test_a_shifted_slab_by_hand():
    """Two planes one voxel apart along each axis: every distance is that axis's spacing."""
    for axis, spacing in enumerate(SPACING_MM):
        pred, truth = np.zeros((9, 9, 9), bool), np.zeros((9, 9, 9), bool)
        pred[(slice(None),) * axis + (4,)] = True
        truth[(slice(None),) * axis + (5,)] = True

        assert assd_mm(pred, truth, SPACING_MM) == pytest.approx(spacing)
        assert hausdorff95_mm(pred, truth, SPACING_MM) == pytest.approx(spacing)


@pytest.mark.parametrize("seed", range(6))
def test_distances_equal_those_over_all_pairs(seed):
    pred, truth = blobs(seed)
    to_truth, to_pred = brute_distances(pred, truth, SPACING_MM)

    assert hausdorff_mm(pred, truth, SPACING_MM) == pytest.approx(
        max(to_truth.max(), to_pred.max())
    )
    assert hausdorff95_mm(pred, truth, SPACING_MM) == pytest.approx(
        max(np.percentile(to_truth, 95), np.percentile(to_pred, 95))
    )
    assert assd_mm(pred, truth, SPACING_MM) == pytest.approx(
        np.concatenate([to_truth, to_pred]).mean()
    )


@pytest.mark.parametrize("seed", range(4))
def test_overlap_and_hausdorff_agree_with_simpleitk(seed):
    sitk = pytest.importorskip("SimpleITK")
    pred, truth = blobs(seed, (7, 19, 26))
    images = []
    for mask in (pred, truth):
        image = sitk.GetImageFromArray(mask.astype(np.uint8))
        image.SetSpacing(SPACING_MM[::-1])
        images.append(image)
    overlap = sitk.LabelOverlapMeasuresImageFilter()
    overlap.Execute(*images)
    hausdorff = sitk.HausdorffDistanceImageFilter()
    hausdorff.Execute(*images)

    assert dice(pred, truth) == pytest.approx(overlap.GetDiceCoefficient())
    assert jaccard(pred, truth) == pytest.approx(overlap.GetJaccardCoefficient())
    # ITK measures to the other mask, not to its surface: what lies inside it counts as 0.
    assert hausdorff_mm(pred, truth, SPACING_MM) >= hausdorff.GetHausdorffDistance() - 1e-4


def test_hausdorff_of_masks_that_do_not_meet_is_simpleitks():
    sitk = pytest.importorskip("SimpleITK")
    pred, truth = np.zeros((7, 19, 26), bool), np.zeros((7, 19, 26), bool)
    pred[1:3, 2:7, 3:9] = True
    truth[4:6, 9:18, 11:24] = True
    images = [sitk.GetImageFromArray(mask.astype(np.uint8)) for mask in (pred, truth)]
    for image in images:
        image.SetSpacing(SPACING_MM[::-1])
    hausdorff = sitk.HausdorffDistanceImageFilter()
    hausdorff.Execute(*images)

    assert hausdorff_mm(pred, truth, SPACING_MM) == pytest.approx(
        hausdorff.GetHausdorffDistance(), rel=1e-5
    )


@pytest.mark.parametrize("seed", range(3))
def test_surface_distances_agree_with_distance_maps(seed):
    """A third way: distance maps to the eroded-away shell."""
    from scipy.ndimage import binary_erosion, distance_transform_edt

    pred, truth = blobs(seed)
    shells = [mask & ~binary_erosion(mask) for mask in (pred, truth)]
    maps = [distance_transform_edt(~shell, sampling=SPACING_MM) for shell in shells]

    found = surface_distances(pred, truth, SPACING_MM)

    assert found is not None
    assert np.sort(found.to_truth) == pytest.approx(np.sort(maps[1][shells[0]]))
    assert np.sort(found.to_pred) == pytest.approx(np.sort(maps[0][shells[1]]))


def test_perfect_is_perfect_and_order_does_not_matter():
    pred, truth = blobs(11)

    assert dice(pred, pred) == jaccard(pred, pred) == precision(pred, pred) == 1.0
    assert hausdorff_mm(pred, pred, SPACING_MM) == assd_mm(pred, pred, SPACING_MM) == 0.0
    for metric in (hausdorff_mm, hausdorff95_mm, assd_mm):
        assert metric(pred, truth, SPACING_MM) == metric(truth, pred, SPACING_MM)
    assert dice(pred, truth) == dice(truth, pred)


def test_a_far_speck_moves_hausdorff_but_not_its_95th_percentile():
    truth = round_heart() == LV
    pred = truth.copy()
    pred[4, 68, 94] = True

    assert hausdorff_mm(pred, truth, SPACING_MM) > 40
    assert hausdorff95_mm(pred, truth, SPACING_MM) == 0.0


def test_the_empty_mask_rule():
    one = EMPTY.copy()
    one[2, 2, 2] = True

    assert dice(EMPTY, EMPTY) == jaccard(EMPTY, EMPTY) == 1.0
    assert dice(one, EMPTY) == dice(EMPTY, one) == 0.0
    assert precision(EMPTY, one) is None
    assert recall(one, EMPTY) is None
    for metric in (hausdorff_mm, hausdorff95_mm, assd_mm):
        assert metric(EMPTY, EMPTY, SPACING_MM) is None
        assert metric(one, EMPTY, SPACING_MM) is None
        assert metric(EMPTY, one, SPACING_MM) is None
    assert "Dice: both empty 1, nothing predicted 0, nothing to find 0." in EMPTY_MASK_RULE
    assert "HD95, ASSD: no value when either is empty." in EMPTY_MASK_RULE


def test_a_single_slice_is_flat():
    """One slice has an outline, not two faces: its inside is no surface."""
    flat = np.zeros((1, 20, 30), bool)
    flat[0, 4:14, 5:20] = True
    moved = np.roll(flat, 3, axis=2)

    thick = hausdorff_mm(flat, moved, SPACING_MM)

    assert thick == hausdorff_mm(flat[0], moved[0], SPACING_MM[1:]) == pytest.approx(3 * 1.25)
    found = surface_distances(flat, moved, SPACING_MM)
    assert found is not None
    assert len(found.to_truth) == 2 * (10 + 15) - 4


def test_one_voxel_images_have_no_distance():
    assert hausdorff_mm(np.ones((1, 1, 1), bool), np.ones((1, 1, 1), bool), SPACING_MM) == 0.0


@pytest.mark.parametrize("spacing", [(8.0, 1.5), (8.0, 0.0, 1.0), (8.0, np.nan, 1.0), (-8, 1, 1)])
def test_a_spacing_must_fit(spacing):
    with pytest.raises(GeometryError, match="spacing"):
        hausdorff_mm(EMPTY, EMPTY, spacing)


def test_masks_must_be_alike():
    with pytest.raises(GeometryError, match="shapes"):
        dice(EMPTY, EMPTY[1:])
    with pytest.raises(GeometryError, match="bool"):
        dice(EMPTY, EMPTY.astype(np.uint8))


def test_the_table_has_a_row_for_each_phase_and_structure():
    truth = segmentation(boxes())
    shifted = boxes()
    shifted[1] = np.roll(shifted[1], 1, axis=2)
    phases = Phases(ed=0, es=1, how="given")

    rows = agreement_table(segmentation(shifted), truth, case="p7", phases=phases)

    assert [(r.phase, r.structure) for r in rows] == [
        ("ED", LV), ("ED", MYO), ("ED", RV), ("ES", LV), ("ES", MYO), ("ES", RV),
    ]  # fmt: skip
    assert {r.case for r in rows} == {"p7"}
    assert [r.dice for r in rows[:3]] == [1, 1, 1]
    assert rows[3].dice == pytest.approx(dice(shifted[1] == LV, boxes()[1] == LV))
    assert rows[3].hausdorff95_mm == pytest.approx(1.25)
    by_masks = assd_mm(shifted[1] == LV, boxes()[1] == LV, SPACING_MM)
    assert rows[3].assd_mm == pytest.approx(by_masks)
    assert rows[4].volume_truth_ml == pytest.approx(656 * 0.015)
    assert rows[2].volume_pred_ml == pytest.approx(189 * 0.015)
    assert all(r.note is None for r in rows)


def test_without_phases_every_frame_is_compared():
    rows = agreement_table(segmentation(boxes()), segmentation(boxes()))

    assert [(r.frame, r.phase) for r in rows] == [(0, "")] * 3 + [(1, "")] * 3


def test_the_table_says_what_is_empty():
    gone = boxes()
    gone[gone == RV] = 0
    truth = boxes()
    truth[1][truth[1] == RV] = 0

    rows = agreement_table(segmentation(gone), segmentation(truth))

    first, second = (row for row in rows if row.structure is RV)
    assert (first.dice, first.hausdorff95_mm, first.note) == (0.0, None, ONE_EMPTY)
    assert (second.dice, second.assd_mm, second.note) == (1.0, None, BOTH_EMPTY)


def test_without_millimetres_there_is_dice_only():
    pixels = Geometry.from_pixels(BOX_SHAPE)

    row = agreement_table(segmentation(boxes(), pixels), segmentation(boxes(), pixels))[0]

    assert row.dice == 1
    assert row.hausdorff95_mm is row.assd_mm is row.volume_pred_ml is None
    assert "no millimetres" in str(row.note)


def test_plane_of_unsaid_thickness_has_distances_and_no_volume():
    flat = Geometry.from_pixels((1, *BOX_SHAPE[1:]), (None, 1.5, 1.25))
    labels = boxes()[:, 2:3]

    row = agreement_table(segmentation(labels, flat), segmentation(labels, flat))[0]

    assert (row.dice, row.hausdorff95_mm, row.note) == (1, 0, None)
    assert row.volume_pred_ml is row.volume_truth_ml is None


def test_structures_that_one_side_did_not_look_for_are_left_out():
    rows = agreement_table(segmentation(boxes(), structures=(MYO, LV)), segmentation(boxes()))

    assert {row.structure for row in rows} == {LV, MYO}
    with pytest.raises(GeometryError, match="none in common"):
        agreement_table(segmentation(boxes(), structures=(RV,)),
                        segmentation(boxes(), structures=(LV,)))  # fmt: skip


def test_another_grid_is_an_error():
    elsewhere = oblique(BOX_SHAPE, (8.0, 1.5, 1.3))

    with pytest.raises(GeometryError, match="resample"):
        agreement_table(segmentation(boxes()), segmentation(boxes(), elsewhere))
    with pytest.raises(GeometryError, match="frames"):
        agreement_table(segmentation(boxes()), segmentation(boxes()[:1]))
    late = Phases(ed=0, es=5, how="given")
    with pytest.raises(GeometryError, match="0 to 1"):
        agreement_table(segmentation(boxes()), segmentation(boxes()), phases=late)
