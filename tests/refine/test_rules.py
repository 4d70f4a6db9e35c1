"""Each rule: what it mends, and that it leaves a good heart alone."""

import numpy as np
import pytest

from heartseg.core.anatomy import Labels, Structure
from heartseg.core.geometry import Geometry
from heartseg.refine import rules
from heartseg.refine.pieces import main_piece, near, one_piece_a_slice
from heartseg.refine.time import FEWEST_FRAMES, no_flicker
from tests.refine.hearts import CENTRE, SHAPE, disc, geometry, heart

BACKGROUND, LV, MYO, RV = (
    Structure.BACKGROUND,
    Structure.LV_CAVITY,
    Structure.LV_MYOCARDIUM,
    Structure.RV_CAVITY,
)


def with_patch(labels: Labels, where: tuple[object, ...], value: Structure) -> Labels:
    """The labels with a region changed."""
    out = labels.copy()
    out[where] = value
    return out


FAR = np.s_[2, 2:6, 60:70]


def test_a_second_ventricle_far_away_goes() -> None:
    for value in (LV, MYO, Structure.SCAR):
        spoilt = with_patch(heart(), FAR, value)
        np.testing.assert_array_equal(rules.one_left_ventricle(spoilt, geometry()), heart())


def test_of_two_equal_ventricles_one_stays() -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[2, 5:9, 5:9] = labels[2, 40:44, 40:44] = LV
    kept = rules.one_left_ventricle(labels, geometry())
    assert np.count_nonzero(kept) == 16


def test_beyond_the_cavity_wall_lies_over_the_ventricle() -> None:
    labels = heart()
    labels[4][labels[4] == LV] = MYO  # an apex without cavity
    labels[5][disc(CENTRE, 6)] = MYO
    np.testing.assert_array_equal(rules.no_wall_aside_of_the_ventricle(labels, geometry()), labels)
    for plane in (0, 5):  # at both ends; in slice 4 of 14 px, 17.5 mm, from the centre outwards
        spoilt = with_patch(labels, np.s_[plane, 30:34, 54:72], MYO)
        cleaned = rules.no_wall_aside_of_the_ventricle(spoilt, geometry())
        np.testing.assert_array_equal(cleaned, labels)
    near_enough = with_patch(labels, np.s_[0, 30:34, 48:58], MYO)
    same = rules.no_wall_aside_of_the_ventricle(near_enough, geometry())
    np.testing.assert_array_equal(same, near_enough)


def test_wall_without_any_cavity_is_left_alone() -> None:
    labels = heart()
    labels[labels == LV] = BACKGROUND
    assert rules.no_wall_aside_of_the_ventricle(labels, geometry()) is labels


def test_a_second_pool_goes_in_the_plane_and_through_it() -> None:
    beside = with_patch(heart(), np.s_[3, 44, 40], LV)  # within the wall
    assert (rules.one_cavity(beside, geometry())[3] == LV).sum() == (heart()[3] == LV).sum()
    far = with_patch(heart(), FAR, LV)
    np.testing.assert_array_equal(rules.one_cavity(far, geometry()), heart())


def test_of_two_pools_the_ringed_one_stays_even_when_it_is_the_smaller() -> None:
    labels = heart()
    labels[labels == RV] = BACKGROUND
    spoilt = with_patch(labels, np.s_[1:5, 20:44, 4:26], LV)
    assert (spoilt == LV).sum() > 2 * (labels == LV).sum()
    np.testing.assert_array_equal(rules.one_cavity(spoilt, geometry()), labels)


def test_pools_joined_through_another_slice_are_still_two_in_theirs() -> None:
    labels = with_patch(heart(), np.s_[2, 32, 20:40], LV)  # a bridge to a second pool
    labels[3, 30:34, 18:22] = LV
    kept = rules.one_cavity(labels, geometry())
    assert not (kept[3, 30:34, 18:22] == LV).any()
    assert (kept[3] == LV).sum() == (heart()[3] == LV).sum()


def test_a_right_ventricle_elsewhere_goes_even_when_it_is_the_larger() -> None:
    labels = heart()
    labels[labels == RV] = BACKGROUND
    small = with_patch(labels, np.s_[2, 30:34, 24:27], RV)
    spoilt = with_patch(small, np.s_[1:5, 0:8, 50:72], RV)
    kept = rules.right_ventricle_beside_left(spoilt, geometry())
    np.testing.assert_array_equal(kept, small)


def test_a_right_ventricle_stays_when_there_is_no_left() -> None:
    labels = np.where(heart() == RV, np.uint8(RV), np.uint8(0))
    np.testing.assert_array_equal(rules.right_ventricle_beside_left(labels, geometry()), labels)


def test_a_gap_at_the_septum_does_not_cost_the_right_ventricle() -> None:
    labels = heart()
    labels[:, :, 28:32] = BACKGROUND  # 5 mm
    labels[:, :, 31:33][labels[:, :, 31:33] == RV] = BACKGROUND
    kept = rules.right_ventricle_beside_left(labels, geometry())
    assert (kept == RV).sum() == (labels == RV).sum() > 0


@pytest.mark.parametrize("structure", [RV, MYO])
def test_a_crumb_beside_a_large_piece_goes_and_a_second_large_piece_stays(
    structure: Structure,
) -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[1, 10:20, 10:20] = structure  # 100 voxels
    labels[1, 30:34, 30:35] = structure  # 20: not less than a fifth
    labels[3, 5:8, 5:8] = structure  # alone in its slice, however small
    crumbs = with_patch(labels, np.s_[1, 40, 20:39], structure)  # 19
    np.testing.assert_array_equal(rules.no_crumbs(crumbs), labels)


def test_the_cavity_is_left_to_its_own_rule() -> None:
    labels = with_patch(heart(), np.s_[3, 2, 2], LV)
    np.testing.assert_array_equal(rules.no_crumbs(labels), labels)


def test_one_atrium_is_enough() -> None:
    labels = with_patch(heart(), np.s_[5, 10:20, 10:20], Structure.LEFT_ATRIUM)
    spoilt = with_patch(labels, np.s_[5, 50:53, 60:63], Structure.LEFT_ATRIUM)
    np.testing.assert_array_equal(rules.one_of_each(spoilt, geometry()), labels)


def test_what_the_cavity_surrounds_is_cavity() -> None:
    for value in (MYO, BACKGROUND):
        spoilt = with_patch(heart(), np.s_[3, 31:33, 39:41], value)
        np.testing.assert_array_equal(rules.papillary_muscles_in_cavity(spoilt), heart())


def test_what_the_cavity_does_not_surround_stays() -> None:
    notch = with_patch(heart(), np.s_[3, 32, 40:50], MYO)  # attached to the wall
    np.testing.assert_array_equal(rules.papillary_muscles_in_cavity(notch), notch)


def test_scar_is_not_taken_for_a_papillary_muscle() -> None:
    scar = with_patch(heart(), np.s_[3, 31:33, 39:41], Structure.SCAR)
    np.testing.assert_array_equal(rules.papillary_muscles_in_cavity(scar), scar)


@pytest.mark.parametrize(("cavity_likelier", "filling"), [(True, LV), (False, MYO)])
def test_a_hole_in_the_ventricle_becomes_what_was_likelier(
    cavity_likelier: bool, filling: Structure
) -> None:
    hole = np.s_[3, 32, 49:51]  # across the endocardium
    spoilt = with_patch(heart(), hole, BACKGROUND)
    filled = rules.no_hole_in_left_ventricle(spoilt, np.full(SHAPE, cavity_likelier))
    np.testing.assert_array_equal(filled, with_patch(heart(), hole, filling))


def test_no_cavity_is_invented_in_a_slice_without() -> None:
    labels = with_patch(heart(), (4, heart()[4] == LV), BACKGROUND)
    filled = rules.no_hole_in_left_ventricle(labels, np.ones(SHAPE, bool))
    assert not (filled[4] == LV).any()


def test_a_hole_in_the_right_ventricle_is_filled_and_a_bay_is_not() -> None:
    assert heart()[3, 32, 21] == RV
    hole = with_patch(heart(), np.s_[3, 32, 21], BACKGROUND)
    np.testing.assert_array_equal(rules.no_hole_in_right_ventricle(hole), heart())
    bay = with_patch(heart(), np.s_[3, 32, 10:22], BACKGROUND)
    np.testing.assert_array_equal(rules.no_hole_in_right_ventricle(bay), bay)


def test_holes_at_the_edge_of_the_picture_are_none() -> None:
    mask = np.zeros((2, 5, 6), bool)
    mask[0, 1, :3] = mask[0, :2, 2] = True  # cuts off a corner
    assert not rules.holes(mask).any()
    mask[1, 1:4, 1:4] = True
    mask[1, 2, 2] = False
    assert np.argwhere(rules.holes(mask)).tolist() == [[1, 2, 2]]


def test_a_hole_open_at_a_corner_only_is_a_hole() -> None:
    mask = np.zeros((1, 5, 5), bool)
    mask[0, 1, 2] = mask[0, 3, 2] = mask[0, 2, 1] = mask[0, 2, 3] = True
    assert np.argwhere(rules.holes(mask)).tolist() == [[0, 2, 2]]


def test_rules_do_not_change_what_they_are_given() -> None:
    labels = with_patch(heart(), FAR, LV)
    labels[3, 32, 21] = labels[3, 32, 40] = labels[3, 32, 49] = BACKGROUND
    labels.setflags(write=False)
    rules.one_left_ventricle(labels, geometry())
    rules.one_cavity(labels, geometry())
    rules.right_ventricle_beside_left(labels, geometry())
    rules.papillary_muscles_in_cavity(labels)
    rules.no_hole_in_left_ventricle(labels, labels == LV)
    rules.no_hole_in_right_ventricle(labels)
    cine = np.stack([labels] * FEWEST_FRAMES)
    cine[3, 5, 10:14, 10:14] = RV
    cine.setflags(write=False)
    no_flicker(cine)


# Pieces.


def test_a_piece_that_carries_on_into_the_next_slice_stays() -> None:
    mask = np.zeros(SHAPE, bool)
    mask[1:3, 10:20, 10:20] = True
    slipped = mask.copy()
    slipped[3, 24:28, 12:16] = True  # 5 rows of 1.5 mm aside
    np.testing.assert_array_equal(main_piece(slipped, geometry()), slipped)
    chain = slipped.copy()
    chain[4, 31:35, 12:16] = True
    np.testing.assert_array_equal(main_piece(chain, geometry()), chain)
    np.testing.assert_array_equal(main_piece(chain[::-1], geometry()), chain[::-1])


@pytest.mark.parametrize(
    "stray",
    [
        np.s_[2, 24:28, 12:16],  # beside it, in a slice where it is already
        np.s_[3, 28:32, 12:16],  # in the next slice, 9 rows aside
        np.s_[4, 12:16, 12:16],  # two slices on
    ],
)
def test_a_piece_that_does_not_carry_on_goes(stray: tuple[object, ...]) -> None:
    mask = np.zeros(SHAPE, bool)
    mask[1:3, 10:20, 10:20] = True
    spoilt = mask.copy()
    spoilt[stray] = True
    np.testing.assert_array_equal(main_piece(spoilt, geometry()), mask)


def test_pixels_are_the_measure_where_there_are_no_millimetres() -> None:
    pixels = Geometry.from_pixels(SHAPE)
    mask = np.zeros(SHAPE, bool)
    mask[1, 10:20, 10:20] = True
    mask[2, 26:30, 10:20] = True  # 7 pixels
    np.testing.assert_array_equal(main_piece(mask, pixels), mask)
    mask[2] = False
    mask[2, 28:30, 10:20] = True  # 9 pixels
    assert not main_piece(mask, pixels)[2].any()


def test_distance_is_measured_in_the_plane_in_millimetres() -> None:
    anchor, mask = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    anchor[2, 10:12, 10:12] = True
    mask[2, 10, 19] = True  # 8 columns of 1.25 mm: 10 mm
    assert near(mask, anchor, geometry()).any()
    mask[2, 10, 19], mask[2, 18, 10] = False, True  # 7 rows of 1.5 mm: 10.5 mm
    assert not near(mask, anchor, geometry()).any()


def test_empty_masks_stay_empty() -> None:
    empty = np.zeros(SHAPE, bool)
    assert not main_piece(empty, geometry()).any()
    assert not one_piece_a_slice(empty).any()
    assert not near(empty, disc(CENTRE, 3)[None].repeat(6, 0), geometry()).any()


# Time.


def cine(frames: int = FEWEST_FRAMES) -> Labels:
    """The same heart in every frame."""
    return np.stack([heart()] * frames)


def test_what_shows_up_in_one_frame_alone_goes() -> None:
    labels = cine()
    labels[3, 5, 10:14, 10:14] = RV
    np.testing.assert_array_equal(no_flicker(labels), cine())


def test_what_stays_for_two_frames_or_stands_at_an_end_stays() -> None:
    labels = cine()
    labels[3:5, 5, 10:14, 10:14] = RV
    labels[0, 0, 10:14, 10:14] = LV
    labels[-1, 0, 10:14, 10:14] = MYO
    np.testing.assert_array_equal(no_flicker(labels), labels)


def test_a_few_frames_are_no_cine() -> None:
    labels = cine(FEWEST_FRAMES - 1)
    labels[3, 5, 10:14, 10:14] = RV
    np.testing.assert_array_equal(no_flicker(labels), labels)
