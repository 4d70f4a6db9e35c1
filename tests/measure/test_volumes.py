import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.discs import pixel_area_mm2, slice_distance_mm
from heartseg.core.errors import GeometryError
from heartseg.core.geometry import Geometry
from heartseg.measure.volumes import around_heart, extents
from tests.measure.hearts import BOX_SHAPE, LV, MYO, RV, SPACING_MM, boxes, oblique, segmentation


def test_volumes_of_boxes_are_voxels_times_spacing():
    found = extents(segmentation(boxes()))

    voxel_ml = 8.0 * 1.5 * 1.25 / 1000
    assert found.volumes_ml(LV) == pytest.approx([480 * voxel_ml, 240 * voxel_ml])
    assert found.volumes_ml(MYO) == pytest.approx([416 * voxel_ml, 656 * voxel_ml])
    assert found.volumes_ml(RV) == pytest.approx([189 * voxel_ml, 126 * voxel_ml])


def test_areas_are_of_each_slice():
    areas = extents(segmentation(boxes())).areas_mm2(LV)

    assert areas[0] == pytest.approx([0, 225, 225, 225, 225, 0, 0])
    assert areas[1] == pytest.approx([0, 112.5, 112.5, 112.5, 112.5, 0, 0])


@pytest.mark.parametrize("semi_axes_mm", [(40.0, 22.0, 25.0), (31.0, 18.0, 13.0)])
def test_ellipsoid_agrees_with_its_formula(semi_axes_mm):
    shape, spacing = (44, 60, 70), (2.0, 1.1, 0.9)
    places = np.indices(shape).astype(float)
    offsets = [
        (places[axis] - shape[axis] * 0.49) * spacing[axis] / semi_axes_mm[axis]
        for axis in range(3)
    ]
    labels = (sum(offset**2 for offset in offsets) <= 1).astype(np.uint8)[None]

    volume = extents(segmentation(labels * LV, oblique(shape, spacing))).volumes_ml(LV)[0]

    assert volume == pytest.approx(4 / 3 * np.pi * np.prod(semi_axes_mm) / 1000, rel=0.01)


def test_slice_distance_is_along_the_normal_of_a_sheared_stack():
    """Slices that each lie 3 mm further to the side are still 8 mm apart."""
    affine = np.eye(4)
    affine[:3, 0] = (3.0, 0.0, 8.0)
    affine[:3, 1] = (0.0, 1.5, 0.0)
    affine[:3, 2] = (1.25, 0.0, 0.0)
    sheared = Geometry(BOX_SHAPE, affine)

    assert slice_distance_mm(sheared) == pytest.approx(8.0)
    assert pixel_area_mm2(sheared) == pytest.approx(1.5 * 1.25)
    assert extents(segmentation(boxes(), sheared)).volumes_ml(LV)[0] == pytest.approx(480 * 0.015)


def test_scar_and_no_reflow_are_part_of_the_wall():
    labels = boxes()
    labels[0, 2, 8:10, 8:12] = Structure.SCAR
    labels[0, 2, 8, 8] = Structure.NO_REFLOW
    sought = (LV, MYO, Structure.SCAR, Structure.NO_REFLOW)

    found = extents(segmentation(labels, structures=sought))

    assert found.counts(MYO)[0] == 416


def test_a_structure_that_was_not_looked_for_is_not_counted():
    found = extents(segmentation(boxes(), structures=(LV, MYO)))

    assert not found.looked_for(RV)
    assert found.counts(RV).tolist() == [0, 0]


def test_no_millimetres_no_volume():
    pixels = extents(segmentation(boxes(), Geometry.from_pixels(BOX_SHAPE)))

    assert pixels.counts(LV).tolist() == [480, 240]
    with pytest.raises(GeometryError, match="without spacing"):
        pixels.volumes_ml(LV)
    with pytest.raises(GeometryError, match="without spacing"):
        pixels.areas_mm2(LV)


def test_volumes_do_not_depend_on_how_the_grid_lies():
    turned = oblique(BOX_SHAPE, SPACING_MM)
    straight = Geometry.from_pixels(BOX_SHAPE, SPACING_MM)

    there = extents(segmentation(boxes(), turned)).volumes_ml(RV)
    here = extents(segmentation(boxes(), straight)).volumes_ml(RV)

    assert there == pytest.approx(here)


def test_the_crop_keeps_the_heart_and_three_pixels():
    labels = np.zeros((2, 3, 20, 30), np.uint8)
    labels[0, 1, 5, 9], labels[1, 2, 11, 28] = LV, RV

    cropped = around_heart(labels)

    assert cropped.shape == (2, 3, 13, 24)
    assert (cropped == labels[..., 2:15, 6:30]).all()
    assert around_heart(labels * 0).shape == labels.shape


def revolved(radii_mm: list[float]) -> np.ndarray:
    """(1, z, y, x): discs of these radii, each about a centre of its own, on oblique slices."""
    shape = (len(radii_mm), 76, 92)
    y, x = np.indices(shape[1:])
    labels = np.zeros((1, *shape), np.uint8)
    for z, radius in enumerate(radii_mm):
        down, right = (y - 37 - 0.3 * z) * 1.5, (x - 44 + 0.4 * z) * 1.25
        labels[0, z][np.hypot(down, right) < radius] = LV
    return labels


@pytest.mark.parametrize(
    ("radius_mm", "by_hand_ml"),
    [
        # A half ellipsoid, 80 mm long and 50 mm wide at its base: 2/3 pi 25^2 80.
        (lambda along: 25 * np.sqrt(1 - (along / 80) ** 2), 2 / 3 * np.pi * 25**2 * 80 / 1000),
        # A truncated cone, 80 mm long, 28 and 12 mm of radius: pi/3 80 (28^2 + 28 12 + 12^2).
        (lambda along: 28 - 16 * along / 80, np.pi / 3 * 80 * (28**2 + 28 * 12 + 12**2) / 1000),
    ],
)
def test_discs_of_bodies_whose_volume_is_known(radius_mm, by_hand_ml):
    middles = (np.arange(10) + 0.5) * 8.0

    found = extents(segmentation(revolved([radius_mm(along) for along in middles])))

    assert found.volumes_ml(LV)[0] == pytest.approx(by_hand_ml, rel=0.01)
