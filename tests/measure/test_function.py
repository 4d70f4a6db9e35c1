import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.errors import MeasureError
from heartseg.core.geometry import Geometry
from heartseg.core.study import Body, Phases
from heartseg.measure.conventions import ACDC, Convention
from heartseg.measure.function import Function, measure_function
from heartseg.measure.plausibility import quality
from tests.measure.hearts import (
    BOX_SHAPE,
    LV,
    MYO,
    RV,
    VENTRICLES,
    beating,
    best_seconds,
    boxes,
    round_heart,
    segmentation,
)

VOXEL_ML = 0.015
PAIR = Phases(ed=0, es=1, how="given")


def by_key(measured: Function, key: str):
    return next(f for f in measured.findings if f.key == key)


def test_the_numbers_of_a_box_heart_by_hand():
    body = Body(height_cm=180, weight_kg=80, heart_rate_bpm=70)

    measured = measure_function(segmentation(boxes()), PAIR, body)

    by_hand = {
        "lv_edv_ml": 7.2,
        "lv_esv_ml": 3.6,
        "lv_sv_ml": 3.6,
        "lv_ef": 0.5,
        "co_l_min": 0.252,
        "lv_mass_g": 416 * VOXEL_ML * 1.05,
        "lv_mass_es_g": 656 * VOXEL_ML * 1.05,
        "lv_mass_volume_ratio": 416 * 1.05 / 480,
        "rv_edv_ml": 189 * VOXEL_ML,
        "rv_esv_ml": 126 * VOXEL_ML,
        "rv_sv_ml": 63 * VOXEL_ML,
        "rv_ef": 1 / 3,
        "sv_difference_ml": 3.6 - 63 * VOXEL_ML,
        "bsa_m2": 2.0,
        "lv_edv_ml_per_m2": 3.6,
        "lv_mass_g_per_m2": 416 * VOXEL_ML * 1.05 / 2,
        "co_l_min_per_m2": 0.126,
        "rv_sv_ml_per_m2": 63 * VOXEL_ML / 2,
    }
    assert {key: measured.value(key) for key in by_hand} == pytest.approx(by_hand)


def test_nothing_drawn_is_a_result_with_a_reason_for_every_finding():
    empty = measure_function(segmentation(np.zeros_like(boxes())))

    assert all(f.value is None and f.problem for f in empty.findings)
    assert empty.phases is None
    assert empty.slices == ()


def test_no_value_without_a_reason_and_no_reason_of_nothing():
    for labels in (boxes(), boxes()[:1], np.zeros_like(boxes()), beating()):
        for finding in measure_function(segmentation(labels)).findings:
            assert (finding.value is None) <= bool(finding.problem), finding.key
            assert finding.value is None or np.isfinite(finding.value)


def test_a_cine_is_measured_at_the_phases_of_each_ventricle():
    labels = beating(es=7, rv_es=9)

    measured = measure_function(segmentation(labels))

    count = [[np.count_nonzero(frame == s) for frame in labels] for s in (LV, RV)]
    assert measured.phases == Phases(ed=0, es=7, how="detected", rv_es=9)
    assert measured.value("lv_esv_ml") == pytest.approx(count[0][7] * VOXEL_ML)
    assert measured.value("rv_esv_ml") == pytest.approx(count[1][9] * VOXEL_ML)
    assert measured.value("rv_edv_ml") == pytest.approx(count[1][0] * VOXEL_ML)
    assert measured.value("rv_ef") == pytest.approx(1 - count[1][9] / count[1][0])
    assert "The RV has its own end-systole." in measured.conventions


def test_the_curves_hold_a_number_a_frame():
    labels = beating()
    labels[4][labels[4] == RV] = 0
    times = tuple(np.arange(20) * 45.0)

    curves = measure_function(segmentation(labels, times_ms=times)).curves

    assert curves["time_ms"] == times
    assert curves["lv_ml"] == pytest.approx(
        [np.count_nonzero(frame == LV) * VOXEL_ML for frame in labels]
    )
    assert curves["rv_ml"][4] is None
    assert len(curves["myo_ml"]) == 20


def test_times_that_are_not_numbers_become_absent():
    times = (0.0, float("nan"))

    assert measure_function(segmentation(boxes(), times_ms=times)).curves["time_ms"] == (0.0, None)


def test_the_slices_hold_areas_by_structure_and_phase():
    slices = measure_function(segmentation(boxes()), PAIR).slices

    assert [s.position_mm for s in slices] == pytest.approx([0, 8, 16, 24, 32, 40, 48])
    assert slices[2].areas_mm2 == pytest.approx(
        {
            "lv_ed": 120 * 1.875,
            "lv_es": 60 * 1.875,
            "myo_ed": 104 * 1.875,
            "myo_es": 164 * 1.875,
            "rv_ed": 63 * 1.875,
            "rv_es": 42 * 1.875,
        }
    )
    assert slices[0].areas_mm2["lv_ed"] == 0


def test_the_areas_of_the_rv_are_those_of_its_own_end_systole():
    labels = beating(es=7, rv_es=9)

    slices = measure_function(segmentation(labels)).slices

    assert slices[5].areas_mm2["rv_es"] == pytest.approx(
        np.count_nonzero(labels[9, 5] == RV) * 1.875
    )
    assert slices[5].areas_mm2["lv_es"] == pytest.approx(
        np.count_nonzero(labels[7, 5] == LV) * 1.875
    )


def test_areas_times_distance_are_the_volume():
    measured = measure_function(segmentation(beating()))

    summed = sum(s.areas_mm2["lv_ed"] for s in measured.slices) * 8.0 / 1000
    assert summed == pytest.approx(measured.value("lv_edv_ml"))


def test_a_single_phase_has_volumes_but_no_function():
    measured = measure_function(segmentation(boxes()[:1]))

    assert measured.value("lv_edv_ml") == pytest.approx(7.2)
    assert measured.value("lv_mass_g") == pytest.approx(416 * VOXEL_ML * 1.05)
    for key in ("lv_esv_ml", "lv_sv_ml", "lv_ef", "rv_ef", "co_l_min", "sv_difference_ml"):
        assert "single phase" in str(by_key(measured, key).problem), key
        assert measured.value(key) is None
    assert "single phase" in str(by_key(measured, "lv_edv_ml").problem)


def test_without_millimetres_ratios_remain():
    pixels = segmentation(boxes(), Geometry.from_pixels(BOX_SHAPE))

    measured = measure_function(pixels, PAIR, Body(height_cm=180, weight_kg=80, heart_rate_bpm=60))

    assert measured.value("lv_ef") == pytest.approx(0.5)
    assert measured.value("rv_ef") == pytest.approx(1 / 3)
    assert measured.value("lv_mass_volume_ratio") == pytest.approx(416 * 1.05 / 480)
    for key in ("lv_edv_ml", "lv_mass_g", "lv_wall_max_mm", "co_l_min", "lv_edv_ml_per_m2"):
        assert measured.value(key) is None
        assert "--spacing-mm" in str(by_key(measured, key).problem), key
    assert measured.slices == ()
    assert set(measured.curves) == {"time_ms"}


def test_one_plane_of_unsaid_thickness_has_areas_and_ratios_but_no_volume():
    labels = boxes()[:, 2:3]
    flat = Geometry.from_pixels((1, *BOX_SHAPE[1:]), (None, 1.5, 1.25))
    body = Body(height_cm=180, weight_kg=80, heart_rate_bpm=60)

    measured = measure_function(segmentation(labels, flat), PAIR, body)

    assert measured.value("lv_ef") == pytest.approx(0.5)
    assert measured.value("lv_wall_max_mm") is not None
    for key in ("lv_edv_ml", "lv_esv_ml", "lv_mass_g", "co_l_min", "rv_edv_ml_per_m2"):
        assert measured.value(key) is None
        assert "areas and no volume" in str(by_key(measured, key).problem), key
    (plane,) = measured.slices
    assert plane.areas_mm2["lv_ed"] == pytest.approx(120 * 1.5 * 1.25)
    assert set(measured.curves) == {"time_ms"}
    reasons = quality(segmentation(labels, flat), PAIR, measured.findings).reasons
    assert "LV in one slice only, of unknown thickness: no volumes" in reasons
    known = measure_function(segmentation(labels, flat.respaced((8, 1.5, 1.25))), PAIR, body)
    assert known.value("lv_edv_ml") == pytest.approx(120 * VOXEL_ML)


def test_absent_is_not_zero():
    labels = boxes()
    labels[1][labels[1] == RV] = 0

    measured = measure_function(segmentation(labels), PAIR)

    assert measured.value("rv_esv_ml") is None
    assert by_key(measured, "rv_ef").problem == "no RV cavity at frame 2: nothing to measure"
    assert measured.value("sv_difference_ml") is None
    assert measured.value("lv_ef") == pytest.approx(0.5)


def test_what_was_not_looked_for_is_not_missing():
    only_lv = segmentation(boxes(), structures=(LV,))

    measured = measure_function(only_lv, PAIR)

    assert by_key(measured, "rv_edv_ml").problem == "RV cavity was not looked for"
    assert by_key(measured, "lv_mass_g").problem == "LV myocardium was not looked for"
    assert "not both looked for" in str(by_key(measured, "lv_wall_max_mm").problem)
    assert set(measured.slices[0].areas_mm2) == {"lv_ed", "lv_es"}


def test_the_wall_is_measured_at_end_diastole():
    labels = np.stack([round_heart(22, 8), round_heart(14, 15)])

    measured = measure_function(segmentation(labels), PAIR)

    assert measured.value("lv_wall_max_mm") == pytest.approx(8, abs=1.2)


def test_scar_counts_as_wall():
    labels = np.stack([round_heart(22, 8), round_heart(14, 11)])
    scarred = labels.copy()
    scarred[:, :, :25][scarred[:, :, :25] == MYO] = Structure.SCAR
    assert (scarred == Structure.SCAR).any()

    plain = measure_function(segmentation(labels), PAIR)
    with_scar = segmentation(scarred, structures=(*VENTRICLES, Structure.SCAR))
    measured = measure_function(with_scar, PAIR)

    for key in ("lv_mass_g", "lv_wall_max_mm"):
        assert measured.value(key) == plain.value(key)


def test_a_cine_that_misses_the_end_of_the_beat_says_edv_may_be_low():
    short = segmentation(beating()[:17], times_ms=tuple(np.arange(17) * 50.0))

    measured = measure_function(short, None, Body(heart_rate_bpm=60))

    assert "EDV may be low" in str(by_key(measured, "lv_edv_ml").problem)
    assert any("EDV may be low" in said for said in measured.conventions)
    whole = measure_function(short, None, Body(heart_rate_bpm=66))
    assert by_key(whole, "lv_edv_ml").problem is None


def test_output_uses_the_times_of_a_whole_beat_where_no_rate_is_known():
    cine = segmentation(beating(), times_ms=tuple(np.arange(20) * 40.0))

    measured = measure_function(cine)

    stroke = measured.value("lv_sv_ml")
    assert stroke is not None
    assert measured.value("co_l_min") == pytest.approx(stroke * 75 / 1000)
    assert by_key(measured, "co_l_min").problem == "heart rate from the times of the cine"


def test_output_needs_a_heart_rate():
    measured = measure_function(segmentation(boxes()), PAIR)

    assert "heart rate not known" in str(by_key(measured, "co_l_min").problem)
    assert "heart rate not known" in str(by_key(measured, "co_l_min_per_m2").problem) or (
        by_key(measured, "co_l_min_per_m2").problem == "height not known"
    )


def test_a_height_in_metres_is_asked_not_used():
    measured = measure_function(segmentation(boxes()), PAIR, Body(height_cm=1.8, weight_kg=80))

    assert measured.value("lv_edv_ml_per_m2") is None
    assert "please check" in str(by_key(measured, "lv_edv_ml_per_m2").problem)
    assert measured.value("lv_edv_ml") is not None


def test_ranges_come_with_a_matching_body_only():
    woman = Body(sex="F", age_years=60, height_cm=165, weight_kg=60)

    measured = measure_function(segmentation(boxes()), PAIR, woman)
    child = measure_function(segmentation(boxes()), PAIR, Body(sex="F", age_years=12))

    assert by_key(measured, "lv_ef").reference == (0.51, 0.71)
    assert by_key(measured, "lv_edv_ml").reference is None
    assert by_key(measured, "rv_edv_ml").reference is None
    assert any("Petersen 2017" in said for said in measured.conventions)
    assert all(f.reference is None for f in child.findings)
    assert any("under 18" in said for said in child.conventions)


def test_the_convention_is_printed():
    mass = Convention(papillary_in_cavity=False, rv_outflow_tract=True, formula="dubois")

    def said(convention: Convention) -> str:
        body = Body(height_cm=170, weight_kg=70)
        found = measure_function(segmentation(boxes()), PAIR, body, convention=convention)
        return " ".join(found.conventions)

    default, other = said(ACDC), said(mass)

    assert "count as LV cavity" in default
    assert "without its outflow tract" in default
    assert "Mosteller" in default
    assert "as the data say" in default
    assert "count as LV mass" in other
    assert "includes its outflow tract" in other
    assert "Du Bois" in other


def test_nothing_is_said_of_what_was_not_measured():
    only_lv = segmentation(boxes(), structures=(LV, MYO))

    said = " ".join(measure_function(only_lv, PAIR).conventions)

    assert "RV" not in said
    assert "surface" not in said


def test_given_phases_outside_the_frames_are_an_error():
    with pytest.raises(MeasureError, match="frame 9"):
        measure_function(segmentation(boxes()), Phases(ed=0, es=9, how="given"))


def test_the_stroke_difference_is_never_called_a_disease():
    measured = measure_function(segmentation(boxes()), PAIR)
    words = " ".join([*(finding.name for finding in measured.findings), *measured.conventions])

    assert "regurgitation" not in words.lower()
    assert "shunt" not in words.lower()


def test_one_voxel_and_a_heart_at_the_border_are_measured_without_complaint():
    speck = np.zeros((2, 3, 5, 4), np.uint8)
    speck[:, 0, 0, 0] = LV
    full = np.full((2, 3, 5, 4), LV, np.uint8)

    for labels in (speck, full):
        assert measure_function(segmentation(labels), PAIR).value("lv_ef") == 0.0


def test_measuring_changes_nothing():
    labels = boxes()
    before = labels.copy()

    measure_function(segmentation(labels), PAIR)

    assert (labels == before).all()


def test_a_real_sized_cine_takes_less_than_a_fifth_of_a_second():
    labels = np.zeros((20, 12, 256, 256), np.uint8)
    labels[:, 2:11, 80:150, 70:166] = beating()[:, :9]
    cine = segmentation(labels)

    assert best_seconds(lambda: measure_function(cine), tries=3) < 0.2
