from dataclasses import replace

import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.errors import MeasureError
from heartseg.core.study import Body, Modality, Phases, View
from heartseg.measure.echo import LongAxisFunction, measure_long_axis
from tests.measure.echoes import LA, LV, frame, half_ellipsoid_ml, view

FOUR, TWO = View.LAX_4CH, View.LAX_2CH
PAIR = Phases(ed=0, es=1, how="given")
ADULT = Body(sex="M", age_years=52, height_cm=180, weight_kg=80, heart_rate_bpm=70)
ED, ES = (80, 50), (66, 36)
"""Length and width of the 4-chamber view's LV; the 2-chamber's is 4 mm narrower."""


def four(**more):
    return view(frame(*ED), frame(*ES), **more)


def two(length_es: float = 66, **more):
    return view(frame(80, 46), frame(length_es, 32), **more)


def by_key(measured: LongAxisFunction, key: str):
    return next(finding for finding in measured.findings if finding.key == key)


def measure(segmentations, body=None, phases=PAIR, **more) -> LongAxisFunction:
    given = dict.fromkeys(segmentations, phases) if phases else {}
    return measure_long_axis(segmentations, given, body, **more)


def values(measured: LongAxisFunction) -> dict[str, float | None]:
    return {finding.key: finding.value for finding in measured.findings}


def test_the_numbers_of_two_views_by_hand():
    edv, esv = half_ellipsoid_ml(80, 50, 46), half_ellipsoid_ml(66, 36, 32)

    found = values(measure({TWO: two(), FOUR: four()}, ADULT))

    by_hand = {
        "lv_edv_ml": edv,
        "lv_esv_ml": esv,
        "lv_sv_ml": edv - esv,
        "lv_ef": 1 - esv / edv,
        "co_l_min": (edv - esv) * 0.07,
        "lv_edv_4ch_ml": half_ellipsoid_ml(80, 50),
        "lv_esv_2ch_ml": half_ellipsoid_ml(66, 32),
        "lv_ef_4ch": 1 - (66 * 36**2) / (80 * 50**2),
        "lv_length_ed_4ch_mm": 80,
        "lv_length_es_2ch_mm": 66,
        "lv_edv_area_length_ml": edv,
        "lv_ef_area_length": 1 - esv / edv,
        "lv_edv_ml_per_m2": edv / 2,
    }
    assert {key: found[key] for key in by_hand} == pytest.approx(by_hand, rel=0.025)
    assert found["bsa_m2"] == pytest.approx(2)
    assert found["lv_ef"] == pytest.approx(1 - esv / edv, abs=0.005)


def test_the_atrium_is_measured_at_the_ventricles_end_systole():
    views = {
        FOUR: view(frame(*ED, atrium_mm=22), frame(66, 42, atrium_mm=40)),
        TWO: view(frame(*ED, atrium_mm=22), frame(66, 38, atrium_mm=40)),
    }

    found = values(measure(views))

    assert found["la_esv_ml"] == pytest.approx(half_ellipsoid_ml(40, 42, 38), rel=0.04)


def test_one_view_is_a_single_plane_and_said():
    measured = measure({TWO: two()})

    assert values(measured)["lv_ef"] == values(measured)["lv_ef_2ch"]
    assert "lv_ef_4ch" not in values(measured)
    assert any("single plane, the 2-chamber view" in said for said in measured.conventions)
    assert by_key(measured, "lv_ef").code.value == "79992-4"


def test_pixels_without_millimetres_give_the_fraction_of_one_view():
    measured = measure({FOUR: four(unit="px")}, ADULT)

    found = values(measured)
    # The pixels are taken as square here: the fixture's are not, and a ratio does not mind.
    assert found["lv_ef"] == pytest.approx(1 - (66 * 36**2) / (80 * 50**2), abs=0.02)
    for key in ("lv_edv_ml", "lv_sv_ml", "la_esv_ml", "lv_length_ed_4ch_mm", "co_l_min"):
        assert found[key] is None
        assert "--spacing-mm" in by_key(measured, key).problem, key
    assert "lv_ml" not in measured.curves


def test_two_views_without_millimetres_have_no_common_scale():
    measured = measure({FOUR: four(unit="px"), TWO: two(unit="px")})

    assert values(measured)["lv_ef"] is None
    assert "no common scale" in by_key(measured, "lv_ef").problem
    assert values(measured)["lv_ef_area_length"] is None
    assert values(measured)["lv_ef_4ch"] == pytest.approx(0.57, abs=0.02)
    assert values(measured)["lv_ef_2ch"] == pytest.approx(0.60, abs=0.02)


def test_one_of_two_views_without_millimetres_keeps_the_others_millilitres():
    found = values(measure({FOUR: four(), TWO: two(unit="px")}))

    assert found["lv_edv_ml"] is None
    assert found["lv_edv_4ch_ml"] == pytest.approx(half_ellipsoid_ml(80, 50), rel=0.02)
    assert found["lv_edv_2ch_ml"] is None


@pytest.mark.parametrize(("length_es", "noted"), [(61, False), (56, True)])
def test_long_axes_that_differ_by_more_than_a_tenth_are_noted(length_es, noted):
    measured = measure({FOUR: four(), TWO: two(length_es)})

    said = str(by_key(measured, "lv_esv_ml").problem)
    assert ("possible foreshortening" in said) == noted
    assert ("possible foreshortening" in str(by_key(measured, "lv_ef").problem)) == noted
    assert by_key(measured, "lv_edv_ml").problem is None
    assert measured.quality.verdict == "pass"
    if noted:
        assert "15 % (66 and 56 mm)" in said


def beating(es_frames=(8, 24), frames: int = 33, beat_ms: float = 800.0):
    """A loop of two beats, the second with a smaller stroke."""
    steps = np.arange(frames)
    depth = [0.5 - 0.5 * np.cos(2 * np.pi * t / 16) for t in steps]
    small = [1.0 if t < 16 else 0.7 for t in steps]
    planes = [frame(80 - 14 * d * s, 50 - 14 * d * s) for d, s in zip(depth, small, strict=True)]
    return view(*planes, times_ms=tuple(steps * beat_ms / 16))


@pytest.fixture(scope="module")
def two_beats() -> LongAxisFunction:
    return measure_long_axis({FOUR: beating()}, {})


def test_several_beats_are_measured_one_by_one_and_averaged(two_beats):
    found = values(two_beats)
    first = 1 - (66 * 36**2) / (80 * 50**2)
    second = 1 - (70.2 * 40.2**2) / (80 * 50**2)

    assert found["lv_ef_beat_1"] == pytest.approx(first, abs=0.01)
    assert found["lv_ef_beat_2"] == pytest.approx(second, abs=0.01)
    assert "lv_ef_beat_3" not in found
    assert found["lv_ef"] == pytest.approx((first + second) / 2, abs=0.01)
    assert by_key(two_beats, "lv_ef").problem == "mean of 2 beats"
    assert any("Means of 2 beats" in said for said in two_beats.conventions)
    assert two_beats.phases == {FOUR: Phases(ed=0, es=8, how="detected")}


def test_the_rate_is_that_from_one_end_systole_to_the_next(two_beats):
    found = values(two_beats)

    assert found["co_l_min"] == pytest.approx(found["lv_sv_ml"] * 75 / 1000)
    assert by_key(two_beats, "co_l_min").problem == "heart rate from the times of the loop"


def test_a_loop_has_curves_and_rates(two_beats):
    curves = two_beats.curves

    assert curves["lv_ml"][8] == pytest.approx(half_ellipsoid_ml(66, 36), rel=0.02)
    assert len(curves["la_ml"]) == len(curves["time_ms"]) == 33
    # The width goes 50 - 14 d, the length 80 - 14 d, d = (1 - cos) / 2 in 800 ms.
    time = np.linspace(0, 0.8, 2000)
    depth = 0.5 - 0.5 * np.cos(2 * np.pi * time / 0.8)
    slope = np.gradient(half_ellipsoid_ml(80 - 14 * depth, 50 - 14 * depth), time)
    found = values(two_beats)
    assert found["lv_peak_ejection_rate_ml_s"] == pytest.approx(-slope.min(), rel=0.06)
    assert found["lv_peak_filling_rate_ml_s"] == pytest.approx(slope.max(), rel=0.06)


def test_a_still_has_volumes_but_no_function():
    measured = measure({FOUR: view(frame(*ED))}, phases=None)

    assert values(measured)["lv_edv_ml"] == pytest.approx(half_ellipsoid_ml(80, 50), rel=0.02)
    assert "single phase" in by_key(measured, "lv_edv_ml").problem
    for key in ("lv_esv_ml", "lv_sv_ml", "lv_ef", "la_esv_ml", "lv_length_es_4ch_mm"):
        assert values(measured)[key] is None
        assert "single phase" in by_key(measured, key).problem, key


def test_views_that_were_recorded_at_other_phases_lack_what_one_lacks():
    given = {FOUR: PAIR, TWO: Phases(ed=0, es=None, how="given")}

    measured = measure_long_axis({FOUR: four(), TWO: view(frame(80, 46))}, given)

    assert values(measured)["lv_edv_ml"] == pytest.approx(half_ellipsoid_ml(80, 50, 46), rel=0.02)
    assert values(measured)["lv_ef"] is None
    assert values(measured)["lv_ef_4ch"] == pytest.approx(0.573, abs=0.01)


def test_absent_is_not_zero():
    plane = frame(*ES)
    plane[plane == LV] = 0

    measured = measure({FOUR: view(frame(*ED), plane), TWO: two()})

    assert values(measured)["lv_ef"] is None
    assert by_key(measured, "lv_ef").problem == "4ch: no LV cavity at frame 2"
    assert measured.quality.verdict == "review"
    assert values(measured)["lv_ef_2ch"] == pytest.approx(0.60, abs=0.02)


def test_frames_that_nobody_drew_are_no_phases():
    empty = np.zeros_like(frame(*ED))
    seen = view(*[empty] * 3, frame(*ED), *[empty] * 5, frame(*ES), empty)

    measured = measure({FOUR: replace(seen, covered=(3, 9))}, phases=None)
    elsewhere = measure(
        {FOUR: replace(seen, covered=(3, 9))}, phases=Phases(ed=3, es=5, how="given")
    )

    assert measured.phases == {FOUR: Phases(ed=3, es=9, how="detected")}
    assert values(measured)["lv_ef"] == pytest.approx(0.573, abs=0.01)
    assert measured.quality.verdict == "pass"
    assert by_key(elsewhere, "lv_ef").problem == "4ch: frame 6 was not drawn"


@pytest.mark.parametrize("broken", [(50, 30), (90, 60)])
def test_a_loop_from_end_diastole_to_end_systole_is_not_measured_at_a_broken_frame(broken):
    depth = 0.5 - 0.5 * np.cos(np.linspace(0, np.pi, 14))
    planes = [frame(80 - 14 * d, 50 - 14 * d) for d in depth]
    planes[5] = frame(*broken)

    measured = measure({FOUR: view(*planes)}, phases=None)

    assert measured.phases == {FOUR: Phases(ed=0, es=13, how="detected")}


def test_nothing_drawn_is_a_result_not_a_crash():
    empty = view(np.zeros_like(frame(*ED)))

    measured = measure({FOUR: empty}, ADULT, phases=None)

    assert measured.quality.verdict == "reject"
    assert measured.phases == {}
    assert all(
        one.value is None and one.problem for one in measured.findings if one.key != "bsa_m2"
    )


def test_no_value_without_a_reason():
    for views in ({FOUR: four()}, {FOUR: four(), TWO: two()}, {TWO: two(unit="px")}):
        for finding in measure(views).findings:
            assert (finding.value is None) <= bool(finding.problem), finding.key


def test_without_an_atrium_the_hinges_cannot_be_told():
    labels = frame(*ED)
    labels[labels == LA] = 0

    measured = measure({FOUR: view(labels, labels)})

    assert "does not touch the left atrium" in by_key(measured, "lv_edv_ml").problem
    assert measured.quality.verdict == "reject"


def test_a_stack_of_planes_is_no_long_axis():
    planes = np.concatenate([frame(*ED), frame(*ED)])

    measured = measure({FOUR: view(planes, planes)})

    assert "2 planes" in by_key(measured, "lv_ef").problem


def test_given_phases_outside_the_frames_are_an_error():
    with pytest.raises(MeasureError, match="frame 7"):
        measure({FOUR: four()}, phases=Phases(ed=0, es=7, how="given"))


def test_landmarks_are_indices_of_the_picture():
    marks = measure({FOUR: four(), TWO: two()}).landmarks

    assert set(marks) == {f"{v}_{p}_{n}" for v in ("4ch", "2ch") for p in ("ed", "es")
                          for n in ("apex", "hinge_1", "hinge_2")}  # fmt: skip
    z, y, x = marks["4ch_ed_apex"]
    assert z == 0
    nearby = frame(*ED)[0, int(y) - 1 : int(y) + 3, int(x) - 1 : int(x) + 3]
    assert (nearby == LV).any()
    assert (nearby == Structure.BACKGROUND).any()


def test_a_ventricle_that_leaves_the_picture_is_sent_to_review():
    top = 45
    measured = measure({FOUR: view(frame(*ED)[:, top:], frame(*ES)[:, top:])})

    assert measured.quality.verdict == "review"
    assert "picture's edge" in measured.quality.reasons[0]


def test_ranges_are_those_of_the_biplane_method_in_adults():
    views = {FOUR: four(), TWO: two()}
    woman = Body(sex="F", age_years=40, height_cm=165, weight_kg=60)

    assert by_key(measure(views, ADULT), "lv_ef").reference == (0.52, 0.72)
    assert by_key(measure(views, woman), "lv_ef").reference == (0.54, 0.74)
    assert by_key(measure(views, woman), "lv_ef_4ch").reference is None
    for body, more in ((Body(sex="F", age_years=12), {}), (ADULT, {"modality": Modality.MR})):
        assert all(one.reference is None for one in measure(views, body, **more).findings)
    assert all(one.reference is None for one in measure({FOUR: four()}, ADULT).findings)


def test_the_pages_words_name_the_method():
    said = " ".join(measure({FOUR: four(), TWO: two()}).conventions)

    assert "Biplane Simpson, 4-chamber and 2-chamber view: 20 discs" in said
    assert "as the data say" in said
    assert "count as LV cavity" in said
