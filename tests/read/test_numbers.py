"""What label numbers mean follows from the anatomy that they make."""

import nibabel as nib
import numpy as np
import pytest
from PIL import Image as Pictures

from heartseg.read.numbers import few_numbers, guess_schemes, meaning_of
from tests import doors

ACDC = doors.heart()
"""(z, y, x), 1 RV, 2 myocardium, 3 LV."""


def renumbered(values: np.ndarray, swap: dict[int, int]) -> np.ndarray:
    out = values.copy()
    for old, new in swap.items():
        out[values == old] = new
    return out


MNMS = renumbered(ACDC, {1: 3, 3: 1})


@pytest.mark.parametrize(
    ("values", "expected"),
    [((0, 500, 205), ("mmwhs",)), ((0, 9), ()), ((0, 4), ("emidec", "totalsegmentator"))],
)
def test_schemes_are_those_that_know_every_number(values, expected):
    assert guess_schemes(values) == expected


def test_acdc_and_mnms_are_told_apart_in_both_directions():
    meaning = meaning_of(ACDC)
    assert (meaning.schemes, meaning.swapped) == (("acdc",), ("mnms",))
    meaning = meaning_of(MNMS)
    assert (meaning.schemes, meaning.swapped) == (("mnms",), ("acdc",))


@pytest.mark.parametrize("absent", [1, 3])
def test_one_ventricle_is_enough(absent):
    meaning = meaning_of(renumbered(ACDC, {absent: 0}))
    assert "acdc" in meaning.schemes
    assert "mnms" not in meaning.schemes
    meaning = meaning_of(renumbered(MNMS, {absent: 0}))
    assert "mnms" in meaning.schemes
    assert "acdc" not in meaning.schemes


def test_cavities_without_a_wall_tell_nothing():
    meaning = meaning_of(renumbered(ACDC, {2: 0}))
    assert {"acdc", "mnms"} <= set(meaning.schemes)
    assert not meaning.swapped


def test_numbers_without_a_meaning_are_listed():
    assert meaning_of(renumbered(ACDC, {1: 77})).unknown == (77,)
    odd = meaning_of(renumbered(ACDC.astype(int), {1: 500}))  # of two schemes
    assert (odd.schemes, odd.unknown) == ((), ())


def test_labels_are_few_whole_numbers_with_a_background():
    assert few_numbers(ACDC[None]) == (0, 1, 2, 3)
    assert few_numbers(doors.painted(ACDC)[None] + 1) == ()
    assert few_numbers(ACDC[None] / 2) == ()
    assert few_numbers(np.arange(4 * 38 * 46).reshape(1, 4, 38, 46)) == ()


# Real masks


@pytest.mark.parametrize("number", [1, 8, 21, 37, 44, 62, 85, 99])
def test_real_acdc_masks_and_each_of_their_slices_are_never_called_mnms(real_data, number):
    folder = real_data / "acdc" / "training" / f"patient{number:03d}"
    for file in sorted(folder.glob("*_gt.nii.gz")):
        values = np.moveaxis(np.asarray(nib.load(file).dataobj), (0, 1, 2), (2, 1, 0))
        values = np.ascontiguousarray(values).astype(np.uint8)
        meaning = meaning_of(values)
        assert (meaning.schemes, meaning.swapped) == (("acdc",), ("mnms",))
        meaning = meaning_of(renumbered(values, {1: 3, 3: 1}))
        assert (meaning.schemes, meaning.swapped) == (("mnms",), ("acdc",))
        for plane in values:
            if {2, 3} <= set(np.unique(plane).tolist()):  # also where the RV is absent
                meaning = meaning_of(plane)
                assert "acdc" in meaning.schemes
                assert "mnms" not in meaning.schemes


def test_real_echo_masks_are_never_called_acdc(real_data):
    files = sorted((real_data / "camus").rglob("*.png"))
    masks = [file for file in files if "mask" in file.as_posix() or "label" in file.as_posix()]
    assert masks
    for file in masks[::40]:
        with Pictures.open(file) as picture:
            meaning = meaning_of(np.array(picture))
        assert "camus" in meaning.schemes or "emidec" in meaning.schemes, file.name
        assert "acdc" not in meaning.schemes, file.name


def test_a_stack_of_slices_is_not_camus_and_a_plane_may_be():
    assert meaning_of(MNMS).schemes == ("mnms",)
    assert meaning_of(MNMS[1]).schemes == ("mnms", "camus")
