import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.measure.wall import largest_wall_mm, ring_slices, sector_thickness_mm, wall_slices
from tests.measure.hearts import LV, MYO, SPACING_MM, round_heart


def ring(
    wall_mm: float,
    spacing_mm: tuple[float, float],
    bulge_mm: float = 0.0,
    half_width: float = np.pi / 4,
) -> np.ndarray:
    """(y, x) ring round a cavity of 20 mm, thicker over a part of it."""
    y, x = np.indices((110, 130))
    y_mm, x_mm = (y - 54.3) * spacing_mm[0], (x - 61.7) * spacing_mm[1]
    far = np.hypot(y_mm, x_mm)
    angle = np.arctan2(y_mm, x_mm)
    outer = 20 + wall_mm + bulge_mm * (np.abs(angle - 0.7) < half_width)
    return np.where(far < 20, LV, np.where(far < outer, MYO, 0)).astype(np.uint8)


@pytest.mark.parametrize("wall_mm", [6.0, 9.0, 14.0])
@pytest.mark.parametrize("spacing_mm", [(1.5, 1.25), (0.8, 0.8), (1.0, 1.9)])
def test_the_thickness_of_an_even_ring(wall_mm, spacing_mm):
    thickness = sector_thickness_mm(ring(wall_mm, spacing_mm), spacing_mm)

    pixel = np.sqrt(np.prod(spacing_mm))
    assert np.nanmedian(thickness) == pytest.approx(wall_mm - 0.4 * pixel, abs=0.3 * pixel)
    assert np.nanmax(thickness) == pytest.approx(wall_mm, abs=0.9 * pixel)


def test_the_largest_thickness_of_even_rings_is_right_on_average():
    """In pixels: the largest of 36 noisy sectors would lie 0.2 too high without their median."""
    spacings = ((1.5, 1.25), (0.8, 0.8), (1.0, 1.9), (1.5, 1.5), (1.9, 1.9))
    errors = [
        (np.nanmax(sector_thickness_mm(ring(wall, s), s)) - wall) / np.sqrt(np.prod(s))
        for s in spacings
        for wall in (5, 6, 8, 9, 11, 14, 18)
    ]

    assert np.mean(errors) == pytest.approx(0, abs=0.1)


def test_a_thick_quarter_is_found_and_only_there():
    thickness = sector_thickness_mm(ring(8.0, (1.0, 1.2), bulge_mm=8.0), (1.0, 1.2))

    assert np.nanmax(thickness) == pytest.approx(16, abs=1.5)
    assert np.nanpercentile(thickness, 60) == pytest.approx(8, abs=1.0)


def test_the_sectors_are_those_of_the_patient_not_of_the_pixels():
    """The bulge is centred on 40 degrees; sector 22 reaches from there to 50."""
    thickness = sector_thickness_mm(ring(8.0, (0.9, 1.9), bulge_mm=8.0), (0.9, 1.9))

    thick = np.flatnonzero(thickness > 12)
    assert len(thick) >= 5
    assert thick.mean() == pytest.approx(21.5, abs=0.25)
    assert not np.isnan(thickness).any()


def test_a_ridge_of_one_sector_does_not_count():
    """A ridge of 10 degrees is a papillary muscle or a slip of the contour."""
    ridge = sector_thickness_mm(ring(8.0, (0.8, 0.8), 8.0, half_width=0.1), (0.8, 0.8))

    assert np.nanmax(ridge) < 10


def test_a_spur_of_two_pixels_is_not_the_largest_wall():
    plane = ring(8.0, (1.2, 1.2))
    smooth = np.nanmax(sector_thickness_mm(plane, (1.2, 1.2)))
    row = 54
    edge = int(np.flatnonzero(plane[row] == MYO)[-1])
    plane[row, edge + 1 : edge + 9] = MYO

    assert np.nanmax(sector_thickness_mm(plane, (1.2, 1.2))) == pytest.approx(smooth, abs=0.7)


def test_a_wall_at_the_edge_of_the_image_ends_there():
    plane = ring(8.0, (1.2, 1.2))
    columns = np.flatnonzero((plane == MYO).any(axis=0))
    cut = plane[:, columns[0] :]

    assert np.nanmax(sector_thickness_mm(cut, (1.2, 1.2))) < 9.5


def test_slices_that_do_not_show_the_wall_are_left_out():
    labels = round_heart()
    gap = labels[6]
    gap[: gap.shape[0] // 2][gap[: gap.shape[0] // 2] == MYO] = 0

    assert ring_slices(labels) == (1, 2, 3, 4, 5, 7)
    # 1 is the apical end, 7 the basal end, 6 is open; slice 2's cavity is large enough
    assert wall_slices(labels) == (2, 3, 4, 5)


def test_an_apical_cap_is_left_out():
    labels = round_heart()
    labels[0, 25:35, 30:40] = MYO
    labels[0, 29:31, 34:36] = LV  # now the end; slice 1 with its 9 % of the largest area is a cap

    assert wall_slices(labels) == (2, 3, 4, 5, 6)


def test_the_largest_wall_of_a_heart():
    labels = round_heart(radius_mm=22, wall_mm=11)

    assert largest_wall_mm(labels, SPACING_MM) == pytest.approx(11, abs=1.2)


def test_without_a_ring_there_is_no_thickness():
    labels = round_heart()
    labels[labels == MYO] = 0

    assert largest_wall_mm(labels, SPACING_MM) is None
    assert largest_wall_mm(np.zeros((3, 8, 9), np.uint8), SPACING_MM) is None


def test_one_voxel_of_cavity_in_a_ring_is_measured_without_complaint():
    labels = np.zeros((1, 9, 11), np.uint8)
    labels[0, 3:6, 4:7] = MYO
    labels[0, 4, 5] = LV

    assert largest_wall_mm(labels, SPACING_MM) == pytest.approx(1.4, abs=0.6)


def test_rv_beside_the_wall_does_not_thicken_it():
    labels = round_heart(wall_mm=9)
    alone = labels.copy()
    alone[alone == Structure.RV_CAVITY] = 0

    assert largest_wall_mm(labels, SPACING_MM) == largest_wall_mm(alone, SPACING_MM)


def test_a_cavity_without_any_wall_has_no_thickness_in_any_sector():
    plane = np.zeros((20, 20), np.uint8)
    plane[8:12, 8:12] = LV
    assert np.isnan(sector_thickness_mm(plane, (1.0, 1.0))).all()
