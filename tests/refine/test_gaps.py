"""A missed slice is drawn between its neighbours, in millimetres."""

import numpy as np

from heartseg.core.anatomy import Structure
from heartseg.refine import rules
from heartseg.refine.gaps import between, missed_slices
from tests.refine.hearts import CENTRE, SHAPE, disc, geometry, heart

LV, MYO, RV = Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY


def stack(**discs: tuple[tuple[float, float], float]) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    for name, (centre, radius) in discs.items():
        mask[int(name[1:])] = disc(centre, radius)
    return mask


def test_only_one_slice_between_two_is_missed() -> None:
    assert missed_slices(stack(z0=(CENTRE, 5), z2=(CENTRE, 5), z5=(CENTRE, 5))) == [1]
    assert missed_slices(stack(z2=(CENTRE, 5), z3=(CENTRE, 5))) == []
    assert missed_slices(np.zeros(SHAPE, bool)) == []


def test_the_outline_lies_between_its_neighbours() -> None:
    mask = stack(z1=(CENTRE, 12), z3=(CENTRE, 6))
    found = between(mask, [2], geometry())
    assert not found[[0, 1, 3, 4, 5]].any()
    area = np.count_nonzero(disc(CENTRE, 9))
    assert abs(np.count_nonzero(found[2]) - area) < 0.12 * area
    assert (mask[3] <= found[2]).all()
    assert (found[2] <= mask[1]).all()


def test_a_shape_that_moves_is_half_way() -> None:
    found = between(stack(z1=((32, 36), 9), z3=((32, 44), 9)), [2], geometry())
    assert abs(np.argwhere(found[2])[:, 1].mean() - 40) < 0.1


def test_distances_are_millimetres() -> None:
    """A bar that turns: half way it ends where it is as deep in one as it is far off the other."""
    mask = np.zeros(SHAPE, bool)
    mask[1, 20:44, 30:50] = True  # 24 rows of 1.5 mm, 20 pixels of 1.25 mm
    mask[3, 28:36, 30:66] = True
    found = between(mask, [2], geometry())[2]
    rows, pixels = np.flatnonzero(found.any(axis=1)), np.flatnonzero(found.any(axis=0))
    assert (rows[0], rows[-1]) == (24, 39)
    assert pixels[-1] == 53  # by pixels in place of millimetres it would be 52
    assert found[32, 53]


def test_a_left_ventricle_passes_through_the_slice_between() -> None:
    labels = heart()
    labels[2] = 0
    labels[2][disc(CENTRE, 9)] = RV  # where the ventricle must be
    labels[2, 5, 5] = MYO
    filled = rules.no_gap_in_left_ventricle(labels, geometry())
    for structure in (LV, MYO):
        there = filled[2] == structure
        wanted = heart()[2] == structure
        assert 2 * (there & wanted).sum() > 0.85 * (there.sum() + wanted.sum())
    assert filled[2, 5, 5] == 0
    np.testing.assert_array_equal(np.delete(filled, 2, 0), np.delete(labels, 2, 0))


def test_a_heart_without_a_gap_stays_as_it_is() -> None:
    labels = heart()
    assert rules.no_gap_in_left_ventricle(labels, geometry()) is labels
    labels[4] = 0  # it ends earlier: nothing is missed
    assert rules.no_gap_in_left_ventricle(labels, geometry()) is labels


def test_the_apex_beyond_a_missed_slice_is_kept() -> None:
    labels = heart()
    labels[3] = 0
    kept = rules.one_left_ventricle(labels, geometry())
    np.testing.assert_array_equal(kept, labels)
    labels[2] = 0  # two slices are too many to jump over
    cavity = rules.one_cavity(labels, geometry()) == LV
    assert np.flatnonzero(cavity.any(axis=(1, 2))).tolist() == [4]


def test_what_lies_aside_beyond_a_missed_slice_goes() -> None:
    labels = heart()
    labels[4, :, :] = 0
    labels[5][disc((CENTRE[0], CENTRE[1] + 5), 4)] = MYO  # over the ventricle of slice 3
    labels[3][disc(CENTRE, 20)] = MYO
    assert (rules.one_left_ventricle(labels, geometry())[5] == MYO).any()
    labels[3] = heart()[3]
    labels[5] = 0
    labels[5][disc((CENTRE[0], CENTRE[1] + 15), 4)] = MYO  # beside it, within reach in the plane
    assert not (rules.one_left_ventricle(labels, geometry())[5] == MYO).any()
