"""Masks whose voxels are the image's, however their file arranges or cuts them."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
from numpy.typing import NDArray

from heartseg.core.anatomy import SCHEMES
from heartseg.core.errors import GeometryError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.read.labels import read_labels_for
from tests import foreign

GRID = Geometry(foreign.SHAPE, foreign.affine_lps())
IMAGE = Image(foreign.voxels()[None], GRID)
DRAWN = np.zeros(foreign.SHAPE, np.uint8)
DRAWN[1:3, 4:11, 5:16] = foreign.voxels()[1:3, 4:11, 5:16] % 4
"""ACDC numbers without symmetry, away from every border."""

Size = tuple[int, int, int]


def read(path: Path) -> NDArray[np.uint8]:
    """ACDC numbers on the image's grid."""
    seg, _ = read_labels_for(path, SCHEMES["acdc"], IMAGE)
    assert seg.geometry is GRID
    return SCHEMES["acdc"].write(seg.labels)[0]


def as_itk(numbers: NDArray[np.uint8] = DRAWN, grid: Geometry = GRID) -> SimpleITK.Image:
    image = SimpleITK.GetImageFromArray(numbers)
    spacing, origin, direction = grid.to_itk()
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    image.SetDirection(direction)
    return image


def cut(first: Size, size: Size) -> SimpleITK.Image:
    """A part, both (x, y, z)."""
    return SimpleITK.RegionOfInterest(as_itk(), size, first)


def saved(image: SimpleITK.Image, path: Path) -> Path:
    SimpleITK.WriteImage(image, str(path))
    return path


@pytest.mark.parametrize(("order", "flips"), foreign.STORED)
def test_axes_may_be_stored_in_any_order_and_direction(
    order: tuple[int, ...], flips: tuple[bool, ...], tmp_path: Path
) -> None:
    _, affine = foreign.stored(order, flips)
    array = DRAWN.transpose(order)[tuple(slice(None, None, -1 if f else 1) for f in flips)]
    path = tmp_path / "mask.nii.gz"
    nib.save(nib.Nifti1Image(array, foreign.TO_RAS @ affine), path)
    assert np.array_equal(read(path), DRAWN)


@pytest.mark.parametrize(
    ("first", "size"), [((5, 4, 1), (11, 7, 2)), ((0, 3, 1), (19, 9, 4)), ((4, 0, 0), (13, 14, 3))]
)
def test_3d_slicer_s_cut_segmentation_is_laid_where_it_was(
    first: Size, size: Size, tmp_path: Path
) -> None:
    assert np.array_equal(read(saved(cut(first, size), tmp_path / "a.seg.nrrd")), DRAWN)


def test_a_cut_segmentation_may_be_turned_and_reach_beyond_the_image(tmp_path: Path) -> None:
    wide = SimpleITK.ConstantPad(as_itk(), (2, 0, 1), (0, 3, 1))
    turned = SimpleITK.Flip(SimpleITK.PermuteAxes(wide, (1, 0, 2)), (True, False, True))
    assert np.array_equal(read(saved(turned, tmp_path / "A.SEG.NRRD")), DRAWN)


@pytest.mark.parametrize("name", ["part.nrrd", "part.nii.gz", "part.mha"])
def test_any_other_part_of_the_image_is_refused(name: str, tmp_path: Path) -> None:
    part = saved(cut((5, 4, 1), (11, 7, 2)), tmp_path / name)
    with pytest.raises(GeometryError, match=r"another grid: 2 x 7 x 11 voxels.*resample"):
        read(part)


def test_what_is_drawn_outside_of_the_image_is_not_lost_in_silence(tmp_path: Path) -> None:
    wide = SimpleITK.ConstantPad(as_itk(), (0, 0, 0), (0, 0, 1), 3)
    with pytest.raises(GeometryError, match="another grid"):
        read(saved(wide, tmp_path / "a.seg.nrrd"))


@pytest.mark.parametrize("far", [(40, 0, 0), (20, 0, 0), (0, -30, 0), (0, 0, 9)])
def test_what_lies_beside_the_image_is_empty_or_refused(far: Size, tmp_path: Path) -> None:
    x, y, z = far
    moved = Geometry(GRID.shape, np.array(GRID.affine))
    moved.affine[:3, 3] = GRID.point((z, y, x))
    with pytest.raises(GeometryError, match="another grid"):
        read(saved(as_itk(DRAWN, moved), tmp_path / "a.seg.nrrd"))
    empty = np.zeros_like(DRAWN)
    assert not read(saved(as_itk(empty, moved), tmp_path / "b.seg.nrrd")).any()


@pytest.mark.parametrize("share", [0.5, 0.01])
def test_voxels_between_those_of_the_image_are_refused(share: float, tmp_path: Path) -> None:
    part = cut((5, 4, 1), (11, 7, 2))
    part.SetOrigin(part.TransformContinuousIndexToPhysicalPoint((share, 0.0, 0.0)))
    with pytest.raises(GeometryError, match="another grid"):
        read(saved(part, tmp_path / "a.seg.nrrd"))


def test_one_voxel_says_that_nothing_is_drawn(tmp_path: Path) -> None:
    nothing = SimpleITK.GetImageFromArray(np.zeros((1, 1, 1), np.uint8))
    assert not read(saved(nothing, tmp_path / "a.seg.nrrd")).any()
    something = SimpleITK.GetImageFromArray(np.ones((1, 1, 1), np.uint8))
    with pytest.raises(GeometryError, match="another grid"):
        read(saved(something, tmp_path / "b.seg.nrrd"))
