import dataclasses

import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.errors import (
    FormatError,
    GeometryError,
    HeartsegError,
    InputError,
    LabelError,
    MissingExtraError,
)
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image, Segmentation

GRID = Geometry((2, 3, 4), np.eye(4))


@pytest.mark.parametrize("shape", [(2, 3, 4), (1, 4, 3, 2), (0, 2, 3, 4), (1, 1, 2, 3, 4)])
def test_voxels_that_do_not_fill_the_grid_are_refused(shape):
    with pytest.raises(GeometryError, match=r"allowed: \(t, 2, 3, 4\)"):
        Image(np.zeros(shape), GRID)


def test_times_are_one_a_frame():
    assert Image(np.zeros((2, 2, 3, 4)), GRID, (0.0, 40.0)).frames == 2
    with pytest.raises(GeometryError, match="3 for 2 frames"):
        Image(np.zeros((2, 2, 3, 4)), GRID, (0.0, 40.0, 80.0))


def test_labels_are_uint8():
    with pytest.raises(GeometryError, match="allowed: uint8"):
        Segmentation(np.zeros((1, 2, 3, 4)), GRID, ())  # type: ignore[arg-type]


def test_images_do_not_change_but_have_likes():
    image = Image(np.zeros((1, 2, 3, 4)), GRID, (5.0,))
    other = image.like(np.ones((1, 2, 3, 4)))
    assert other.geometry is GRID
    assert other.times_ms == (5.0,)
    with pytest.raises(dataclasses.FrozenInstanceError):
        image.voxels = other.voxels  # type: ignore[misc]


def test_mask_is_one_structure_in_one_frame():
    labels = np.zeros((2, 2, 3, 4), np.uint8)
    labels[1, 0, 1, 2] = Structure.RV_CAVITY
    seg = Segmentation(labels, GRID, (Structure.RV_CAVITY,))
    assert np.argwhere(seg.mask(Structure.RV_CAVITY, 1)).tolist() == [[0, 1, 2]]
    assert not seg.mask(Structure.RV_CAVITY, 0).any()
    assert not seg.mask(Structure.LV_CAVITY, 1).any()


def test_an_error_says_what_got_allowed_and_what_to_do_in_that_order():
    said = str(FormatError("a.nii", got="rubbish", allowed="images", do="send one"))
    assert said == "a.nii: got rubbish; allowed: images; send one"
    assert str(FormatError("a.nii")) == "a.nii"
    assert str(MissingExtraError("video", "video")).endswith("pip install 'heartseg[video]'")


def test_errors_form_one_tree():
    for kind in (FormatError, GeometryError, LabelError):
        assert issubclass(kind, InputError)
        assert issubclass(kind, HeartsegError)


def test_a_scar_may_be_taken_for_the_muscle_that_it_was():
    lv, myo, scar = Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.SCAR
    labels = np.zeros((1, 2, 3, 4), np.uint8)
    labels[0, 0, 0, :3] = [lv, myo, scar]
    drawn = Segmentation(labels, GRID, (lv, myo, scar))
    merged = drawn.taken_for({scar: myo})
    assert merged.labels[0, 0, 0].tolist() == [lv, myo, myo, 0]
    assert merged.structures == (lv, myo)
    assert drawn.labels[0, 0, 0, 2] == scar  # itself it does not change
    assert drawn.taken_for({}).structures == drawn.structures
