import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.errors import MeasureError
from heartseg.measure.simpson import DISCS, area_length, biplane, chamber, single_plane
from tests.measure.echoes import (
    BASE_MM,
    LA,
    LV,
    MYO,
    SHAPE,
    SLANT,
    SPACING_MM,
    frame,
    half_ellipsoid_ml,
)

PIXELS = SPACING_MM[1:]


def ventricle(labels, spacing=PIXELS):
    return chamber(labels[0], LV, LA, spacing)


def test_a_slanted_half_ellipse_has_the_long_axis_it_was_drawn_with():
    found = ventricle(frame(80, 46))

    assert found.length == pytest.approx(80, abs=0.5)
    assert found.base * PIXELS == pytest.approx(BASE_MM, abs=0.6)
    tip = np.array(BASE_MM) + 80 * np.array([-np.cos(SLANT), np.sin(SLANT)])
    # A round tip is flat across the axis: the furthest pixel may lie a little to its side.
    assert np.linalg.norm(found.apex * PIXELS - tip) < 3.0
    hinges = (found.hinges[1] - found.hinges[0]) * PIXELS
    assert np.linalg.norm(hinges) == pytest.approx(46, abs=1.0)
    assert found.area == pytest.approx(np.pi / 4 * 46 * 80, rel=0.005)


def test_twenty_discs_have_the_widths_of_the_ellipse():
    widths = ventricle(frame(80, 46)).widths

    share = (np.arange(DISCS) + 0.5) / DISCS
    assert len(widths) == 20
    assert widths[:-1] == pytest.approx(46 * np.sqrt(1 - share**2)[:-1], rel=0.03)


@pytest.mark.parametrize(("length", "width"), [(80, 46), (62, 51)])
def test_one_view_of_a_half_ellipsoid_of_revolution(length, width):
    found = ventricle(frame(length, width))

    expected = half_ellipsoid_ml(length, width)
    assert single_plane(found) / 1000 == pytest.approx(expected, rel=0.015)
    assert area_length(found, found) / 1000 == pytest.approx(expected, rel=0.015)


def test_a_cone_is_not_an_ellipsoid():
    found = ventricle(frame(80, 46, cone=True))

    assert single_plane(found) / 1000 == pytest.approx(np.pi * 46**2 * 80 / 12 / 1000, rel=0.015)
    assert area_length(found, found) / single_plane(found) == pytest.approx(8 / np.pi**2, rel=0.03)


def test_two_views_of_an_ellipsoid_that_is_not_round():
    four, two = ventricle(frame(80, 52)), ventricle(frame(80, 40))

    expected = half_ellipsoid_ml(80, 52, 40)
    assert biplane(four, two) / 1000 == pytest.approx(expected, rel=0.015)
    assert biplane(two, four) == pytest.approx(biplane(four, two))
    assert area_length(four, two) / 1000 == pytest.approx(expected, rel=0.015)


def test_of_two_long_axes_simpson_takes_the_longer_and_area_length_the_shorter():
    long, short = ventricle(frame(80, 46)), ventricle(frame(60, 46))

    assert biplane(long, short) / 1000 == pytest.approx(half_ellipsoid_ml(80, 46), rel=0.015)
    # 8 / (3 pi) A B / L with A and B of half ellipses, which are pi / 4 width length.
    by_hand = 8 / (3 * np.pi) * (np.pi / 4 * 46) ** 2 * 80 * 60 / 60 / 1000
    assert area_length(long, short) / 1000 == pytest.approx(by_hand, rel=0.015)


def test_coarse_pixels_give_the_same_volume():
    coarse = frame(80, 46)[:, ::6, ::4]

    found = ventricle(coarse, (3.0, 3.2))

    assert single_plane(found) / 1000 == pytest.approx(half_ellipsoid_ml(80, 46), rel=0.04)


def test_the_atrium_is_measured_from_the_same_base_the_other_way():
    labels = frame(80, 46, atrium_mm=30)

    found = chamber(labels[0], LA, LV, PIXELS)

    assert found.length == pytest.approx(30, abs=0.7)
    assert single_plane(found) / 1000 == pytest.approx(half_ellipsoid_ml(30, 46), rel=0.04)
    assert found.base == pytest.approx(ventricle(labels).base)


def test_mirroring_the_picture_changes_no_volume():
    labels = frame(80, 46)

    turned = chamber(np.ascontiguousarray(labels[0].T[::-1]), LV, LA, PIXELS[::-1])

    assert single_plane(turned) == pytest.approx(single_plane(ventricle(labels)), rel=1e-3)


def test_crumbs_beside_the_cavity_are_not_its_apex():
    labels = frame(80, 46)
    clean = ventricle(labels)
    labels[0, 2:6, 3:9] = LV
    labels[0, 250:254, 3:9] = LA

    found = ventricle(labels)

    assert found.apex == pytest.approx(clean.apex)
    assert found.hinges == pytest.approx(clean.hinges)
    assert found.area == clean.area


def test_a_cavity_at_the_pictures_edge_is_cut():
    whole = frame(80, 46)
    assert not ventricle(whole).cut
    top = int(np.flatnonzero((whole[0] == LV).any(axis=1))[0])

    assert ventricle(whole[:, top + 20 :]).cut
    assert not ventricle(whole[:, top - 1 :]).cut


@pytest.mark.parametrize(
    ("missing", "said"), [(LV, "no LV cavity"), (LA, "does not touch the left atrium")]
)
def test_what_is_missing_is_said(missing, said):
    labels = frame(80, 46)
    labels[labels == missing] = 0

    with pytest.raises(MeasureError, match=said):
        ventricle(labels)


@pytest.mark.parametrize("seam", [Structure.BACKGROUND, MYO])
def test_a_thin_seam_between_both_is_bridged(seam):
    labels = frame(80, 46)
    clean = ventricle(labels)
    atrium = labels[0] == LA
    near_lv = np.zeros_like(atrium)
    near_lv[1:] = labels[0, :-1] == LV
    near_lv[2:] |= labels[0, :-2] == LV
    labels[0][atrium & near_lv] = seam
    labels[0, 178:182, 70:71][labels[0, 178:182, 70:71] == seam] = LA  # they touch in places

    found = ventricle(labels)

    assert found.hinges * PIXELS == pytest.approx(clean.hinges * PIXELS, abs=2.5)
    assert single_plane(found) == pytest.approx(single_plane(clean), rel=0.03)


def test_a_gap_between_ventricle_and_atrium_leaves_no_hinges():
    labels = frame(80, 46)
    labels[0, :, :85][labels[0, :, :85] == LA] = Structure.BACKGROUND
    rows = np.flatnonzero((labels[0] == LA).any(axis=1))
    labels[0, : rows[0] + 40][labels[0, : rows[0] + 40] == LA] = Structure.BACKGROUND

    with pytest.raises(MeasureError, match="does not touch"):
        ventricle(labels)


def test_one_pixel_each_is_measured_without_complaint():
    labels = np.zeros((1, *SHAPE), np.uint8)
    labels[0, 4, 5], labels[0, 5, 5] = LV, LA

    found = ventricle(labels)

    assert found.length == pytest.approx(np.hypot(0.5, 0.0), abs=0.2)
    assert np.isfinite(single_plane(found))
