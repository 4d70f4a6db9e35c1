import numpy as np
import pytest

from heartseg.core.errors import MeasureError
from heartseg.core.study import Phases
from heartseg.measure.phases import (
    beat,
    checked_phases,
    detect_phases,
    glitches,
    roughness,
    span_ms,
)
from heartseg.measure.volumes import extents
from tests.measure.hearts import LV, RV, beating, boxes, segmentation

CURVE = np.array([150, 146, 131, 108, 84, 68, 60, 62, 75, 95, 112, 122, 127, 130, 133, 141.0])


def test_the_phases_of_a_cine_are_found():
    phases = detect_phases(segmentation(beating(frames=20, es=7, rv_es=9)))

    assert phases == Phases(ed=0, es=7, how="detected", rv_es=9)


@pytest.mark.parametrize("shift", [3, 11, 19])
def test_the_phases_follow_where_the_cine_starts(shift):
    labels = np.roll(beating(), shift, axis=0)

    phases = detect_phases(segmentation(labels))

    assert (phases.ed, phases.es, phases.rv_es) == (shift, (7 + shift) % 20, (9 + shift) % 20)


@pytest.mark.parametrize("frame", [2, 5, 12, 15])
def test_a_frame_that_lost_its_lv_is_not_end_systole(frame):
    labels = beating()
    labels[frame][labels[frame] == LV] = 0
    labels[frame, 4, 30, 30] = LV

    assert detect_phases(segmentation(labels)).es == 7


@pytest.mark.parametrize("frame", [3, 10, 14])
def test_a_frame_with_a_leak_is_not_end_diastole(frame):
    labels = beating()
    labels[frame, 3:7, 5:65, 5:65] = LV

    assert detect_phases(segmentation(labels)).ed == 0


def test_a_frame_without_rv_is_not_the_rvs_end_systole():
    labels = beating()
    labels[4][labels[4] == RV] = 0

    assert detect_phases(segmentation(labels)).rv_es == 9


def test_true_extremes_are_no_glitches():
    assert glitches(CURVE) == ()
    assert glitches(CURVE[::2]) == ()
    assert roughness(CURVE) < 0.05


@pytest.mark.parametrize("frame", range(16))
def test_every_single_broken_frame_is_found_and_no_other(frame):
    broken = CURVE.copy()
    broken[frame] -= 45

    assert glitches(broken) == (frame,)


@pytest.mark.parametrize("frames", range(10, 16))
def test_the_first_frame_of_a_triggered_cine_that_ends_early_is_end_diastole(frames):
    curve, rng = CURVE[:frames], np.random.default_rng(3)

    assert glitches(curve) == ()
    assert sum(0 in glitches(curve + rng.normal(0, 2, frames)) for _ in range(300)) <= 3


@pytest.mark.parametrize("change_ml", [-45, 45])
@pytest.mark.parametrize("frames", [13, 14, 15])
def test_broken_frames_are_found_where_the_curve_does_not_close(frames, change_ml):
    for frame in range(frames):
        broken = CURVE[:frames].copy()
        broken[frame] += change_ml

        assert glitches(broken) == (frame,)


def test_phases_of_a_cine_that_ends_early():
    whole = beating()
    assert [detect_phases(segmentation(whole[:n])).ed for n in range(13, 20)] == [0] * 7


@pytest.mark.parametrize(("noise_ml", "at_most"), [(2, 0.02), (5, 0.06)])
def test_noise_is_not_taken_for_glitches(noise_ml, at_most):
    rng = np.random.default_rng(3)
    flagged = [len(glitches(CURVE + rng.normal(0, noise_ml, 16))) for _ in range(300)]

    assert np.mean([count > 0 for count in flagged]) < at_most


def test_contours_at_two_frames_only_are_no_broken_cine():
    labels = np.zeros_like(beating())
    labels[0], labels[7] = beating()[0], beating()[7]

    phases = detect_phases(segmentation(labels))

    assert (phases.ed, phases.es) == (0, 7)


def test_a_pair_is_ordered_by_volume_and_has_no_rv_phase_of_its_own():
    labels = boxes()[::-1].copy()

    assert detect_phases(segmentation(labels)) == Phases(ed=1, es=0, how="detected")


def test_a_single_phase_has_no_end_systole():
    assert detect_phases(segmentation(boxes()[:1])) == Phases(ed=0, es=None, how="detected")


def test_a_heart_that_does_not_beat_has_no_end_systole():
    still = np.repeat(boxes()[:1], 10, axis=0)

    assert detect_phases(segmentation(still)).es is None


def test_no_lv_in_any_frame_is_an_error():
    with pytest.raises(MeasureError, match="no LV cavity in any frame"):
        detect_phases(segmentation(np.zeros_like(boxes())))


def test_given_phases_stay_and_gain_the_rvs_own():
    given = Phases(ed=1, es=8, how="given")

    checked = checked_phases(given, extents(segmentation(beating())))

    assert checked == Phases(ed=1, es=8, how="given", rv_es=9)


@pytest.mark.parametrize("wrong", [{"ed": 2}, {"ed": -1}, {"ed": 0, "es": 7}])
def test_given_phases_must_be_frames(wrong):
    given = Phases(**{"es": 1, **wrong}, how="given")

    with pytest.raises(MeasureError, match="allowed: 0 to 1"):
        checked_phases(given, extents(segmentation(boxes())))


def test_span_counts_the_last_frames_own_duration():
    assert span_ms((0.0, 40.0, 80.0, 120.0)) == pytest.approx(160)


@pytest.mark.parametrize(
    "times", [None, (0.0,), (0.0, np.nan, 80.0), (0.0, 40.0, 40.0), (0.0, np.inf), (80.0, 40.0)]
)
def test_times_that_say_nothing_give_no_span(times):
    assert span_ms(times) is None


def test_coverage_is_the_cines_share_of_the_beat():
    times = tuple(np.arange(16) * 50.0)  # 800 ms

    heart = beat(times, 60.0, CURVE)

    assert heart.heart_rate_bpm == 60
    assert heart.coverage == pytest.approx(0.8)
    assert not heart.from_times


def test_a_closed_cine_tells_the_heart_rate():
    heart = beat(tuple(np.arange(16) * 50.0), None, CURVE)

    assert heart.heart_rate_bpm == pytest.approx(75)
    assert heart.from_times
    assert heart.coverage is None


@pytest.mark.parametrize(
    ("times", "curve"),
    [
        (tuple(np.arange(12) * 50.0), CURVE[:12]),  # ends in mid-diastole
        (tuple(np.arange(16) * 5.0), CURVE),  # 750 beats a minute
        (tuple(np.arange(4) * 250.0), CURVE[[0, 5, 8, 0]]),  # no cine
        (tuple(np.arange(16) * 50.0), np.where(np.arange(16) == 6, CURVE, 0)),  # unlabelled
        (None, CURVE),
    ],
)
def test_what_may_not_be_a_whole_beat_tells_no_heart_rate(times, curve):
    heart = beat(times, None, curve)

    assert heart.heart_rate_bpm is None
    assert "heart rate not known" in str(heart.problem)


@pytest.mark.parametrize("rate", [0.0, -60.0, 6.0, 700.0])
def test_an_absurd_heart_rate_is_asked_not_used(rate):
    heart = beat(None, rate, CURVE)

    assert heart.heart_rate_bpm is None
    assert "please check" in str(heart.problem)


def test_a_heart_rate_that_is_not_a_number_counts_as_unknown():
    assert beat(None, float("nan"), CURVE).problem == (
        "heart rate not known, and the frames have no usable times"
    )
