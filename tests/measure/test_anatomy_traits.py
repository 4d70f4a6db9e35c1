from math import log, pi

import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.measure.anatomy_traits import beat_traits, frame_traits, solid_of
from tests.measure.hearts import LV, MYO, RV, SPACING_MM, boxes, oblique, round_heart

BOX_GRID = oblique(boxes().shape[1:], SPACING_MM)
GRID = oblique(round_heart().shape, SPACING_MM)


def of(labels: np.ndarray) -> dict[str, float]:
    return frame_traits(labels, GRID)


def test_a_box_has_the_numbers_that_are_worked_out_by_hand():
    found = frame_traits(boxes()[0], BOX_GRID)
    volume = 480 * 8.0 * 1.5 * 1.25

    assert found["size of the LV"] == pytest.approx(log(volume) / 3)
    assert found["length of the LV"] == pytest.approx(log(32.0) - log(volume) / 3)
    assert found["share of the wall"] == pytest.approx(log(416 / 480))
    assert found["size of the RV beside the LV"] == pytest.approx(log(189 / 480))
    assert found["slices of the RV beside the LV"] == pytest.approx(log(3 / 4))
    assert found["ring about the LV"] == 1
    # 10 x 12 pixels: 15 mm on either side; a rectangle's spread is side / sqrt(12)
    assert found["roundness of the LV"] == pytest.approx(1.0)
    assert found["roundness of the RV"] == pytest.approx((7 * 1.25) / (9 * 1.5))
    assert found["ends of the LV"] == 1
    assert found["largest step of the LV"] == 0
    # distance of the centres, over both radii
    away = np.hypot((13 - 14.5) * 1.5, (25 - 13.5) * 1.25)
    radii = np.sqrt(15 * 15 / pi) + np.sqrt(9 * 1.5 * 7 * 1.25 / pi)
    assert found["place of the RV"] == pytest.approx(log(away / radii))


def test_a_body_has_its_area_centre_and_border_in_millimetres():
    mask = np.zeros((3, 20, 30), bool)
    mask[1, 4:10, 5:13] = True
    solid = solid_of(mask, oblique(mask.shape, SPACING_MM))

    assert solid.slices.tolist() == [1]
    assert solid.areas[1] == pytest.approx(6 * 1.5 * 8 * 1.25)
    assert solid.borders[1] == pytest.approx(2 * (6 * 1.5 + 8 * 1.25))
    assert solid.centres[1] == pytest.approx((6.5 * 1.5, 8.5 * 1.25))
    assert solid.volume == pytest.approx(90 * 8.0)


def test_traits_do_not_depend_on_where_the_heart_lies_or_how_rows_are_numbered():
    labels = round_heart()
    moved = np.roll(labels, (4, -6), axis=(1, 2))
    turned = labels[::-1, ::-1]

    assert of(moved) == pytest.approx(of(labels))
    assert of(turned) == pytest.approx(of(labels))


def test_shuffled_slices_show_in_areas_and_steps():
    plain, mixed = of(round_heart()), of(round_heart()[[3, 0, 6, 1, 4, 2, 7, 5, 8]])

    assert mixed["areas of the LV"] > plain["areas of the LV"] + 0.5
    assert mixed["largest step of the LV"] > 2 * plain["largest step of the LV"]


def test_a_shifted_slice_shows_in_the_axis():
    labels = round_heart()
    labels[4] = np.roll(labels[4], 12, axis=1)

    assert of(labels)["axis of the LV"] > of(round_heart())["axis of the LV"] + 0.1


def test_lost_ends_show():
    cut = round_heart()
    cut[:4] = 0

    assert of(cut)["ends of the LV"] > of(round_heart())["ends of the LV"] + 0.3


def test_a_cavity_off_the_middle_of_its_ring_shows():
    labels = round_heart()
    wall = labels == MYO
    cavity = np.roll(labels == LV, 4, axis=2) & (wall | (labels == LV))
    labels[wall | (labels == LV)] = MYO
    labels[cavity] = LV

    assert of(labels)["middle of the ring"] > of(round_heart())["middle of the ring"] + 0.1


def test_what_is_absent_leaves_its_traits_out():
    alone = of(np.where(round_heart() == LV, LV, 0))

    assert "size of the LV" in alone
    assert not any("RV" in name or "wall" in name or "ring" in name for name in alone)
    assert of(np.zeros_like(round_heart())) == {}


def test_scar_is_wall():
    labels = round_heart()
    scarred = labels.copy()
    scarred[3:6, :40][labels[3:6, :40] == MYO] = Structure.SCAR

    assert of(scarred) == of(labels)


def test_the_beat_is_told_by_ratios():
    found = beat_traits(*boxes(), BOX_GRID)

    assert found["change of the LV cavity"] == pytest.approx(log(0.5))
    assert found["change of the LV myocardium"] == pytest.approx(log(656 / 416))
    assert found["change of the RV cavity"] == pytest.approx(log(126 / 189))
    assert found["change of the slices of the RV cavity"] == 0
    assert found["overlap of the LV cavity"] == 1
    assert found["overlap of the RV cavity"] == 1


def test_another_heart_at_end_systole_shows_in_the_overlap():
    ed, es = round_heart(), np.roll(round_heart(15, 12), 25, axis=2)

    assert beat_traits(ed, es, GRID)["overlap of the LV cavity"] < 0.7


def test_an_rv_that_is_there_once_has_no_beat():
    ed, es = round_heart(), np.where(round_heart() == RV, 0, round_heart())

    assert not any("RV" in name for name in beat_traits(ed, es, GRID))
