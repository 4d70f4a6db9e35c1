import numpy as np
import pytest

from heartseg.core.finding import Quality
from heartseg.core.study import Phases
from heartseg.measure.function import measure_function
from heartseg.measure.plausibility import quality
from tests.measure.hearts import LV, MYO, RV, beating, round_heart, segmentation


def pair() -> np.ndarray:
    return np.stack([round_heart(), round_heart(15, 12, 0.7)])


def judged(labels: np.ndarray, structures=(LV, MYO, RV)) -> Quality:
    phases = Phases(ed=0, es=1, how="given") if len(labels) == 2 else None
    seen = segmentation(labels, structures=structures)
    measured = measure_function(seen, phases)
    return quality(seen, measured.phases, measured.findings)


@pytest.mark.parametrize("labels", [pair(), beating(), np.roll(beating(), 6, axis=0)])
def test_a_good_heart_passes_without_a_word(labels):
    assert judged(labels) == Quality(verdict="pass")


def test_an_empty_segmentation_is_rejected():
    labels = np.zeros((10, 4, 8, 9), np.uint8)

    assert judged(labels) == Quality(verdict="reject", reasons=("no LV cavity in any frame",))


def test_a_phase_without_lv_is_rejected():
    labels = pair()
    labels[1][labels[1] == LV] = 0

    assert judged(labels) == Quality(verdict="reject", reasons=("no LV cavity at end-systole",))


def test_swapped_ventricles_are_rejected():
    labels = pair()
    swapped = np.where(labels == LV, RV, np.where(labels == RV, LV, labels)).astype(np.uint8)

    found = judged(swapped)

    assert found.verdict == "reject"
    assert "swapped labels?" in found.reasons[0]


def test_a_volume_of_no_human_is_rejected():
    labels = np.zeros((2, 9, 70, 96), np.uint8)
    labels[:, 4, 30, 40] = LV

    found = judged(labels)

    assert found.verdict == "reject"
    assert "LV EDV 0.0 mL" in found.reasons[0]


def test_a_ventricle_of_a_litre_is_rejected():
    labels = np.full((2, 9, 80, 96), LV, np.uint8)

    assert "LV EDV 1036.8 mL" in judged(labels).reasons[0]


def without_rv(labels):
    labels[1][labels[1] == RV] = 0
    return labels


def open_ring(labels):
    wall = labels[0, 4]
    wall[:30][wall[:30] == MYO] = 0
    return labels


def gap(labels):
    labels[1, 4][labels[1, 4] == RV] = 0
    return labels


def rv_far_off(labels):
    labels[labels == RV] = 0
    labels[:, 2:7, 2:20, 78:94] = RV
    labels[1, 2:7, 2:9, 78:94] = 0
    return labels


def second_lv(labels):
    labels[0, 2:7, 55:69, 80:94] = LV
    return labels


def two_slices(labels):
    labels[:, :5] = 0
    labels[:, 7:] = 0
    return labels


def cut_stack(labels):
    return labels[:, 3:8]


def vanishing_muscle(labels):
    labels[1] = round_heart(15, 4, 0.7)
    return labels


def racing(labels):
    labels[1] = round_heart(7, 16, 0.6)
    return labels


def no_beat(labels):
    labels[1] = round_heart(21.6, 9.2, 0.97)
    return labels


def strokes_apart(labels):
    labels[1] = round_heart(13, 13, 0.98)
    return labels


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (without_rv, "no RV cavity at end-systole"),
        (open_ring, "myocardium does not ring the LV in mid slice 5"),
        (gap, "RV cavity missing between slices (at 5) at end-systole"),
        (rv_far_off, "the RV does not lie beside the LV's wall in any slice"),
        (second_lv, "LV cavity is in several pieces at end-diastole"),
        (two_slices, "LV in 2 slices only: volumes are rough estimates"),
        (cut_stack, "both ends of the stack lie inside the LV: volumes are too low"),
        (vanishing_muscle, "LV mass changes from"),
        (racing, "LV EF 89 % is outside 5 to 85 %"),
        (no_beat, "LV EF 4 % is outside 5 to 85 %"),
        (strokes_apart, "LV and RV stroke volumes are far apart"),
    ],
)
def test_what_a_reader_would_want_to_see_is_sent_to_review(spoil, reason):
    found = judged(spoil(pair()))

    assert found.verdict == "review"
    assert any(said.startswith(reason) for said in found.reasons), found.reasons


@pytest.mark.parametrize("stored", [False, True])
def test_slices_are_named_as_the_page_counts_them(stored):
    """`round_heart` has its apex first: slice 2 from there is the 7th from the base."""
    labels = pair()
    labels[1, 2][labels[1, 2] == LV] = MYO
    seen = segmentation(labels[:, ::-1] if stored else labels)
    measured = measure_function(seen, Phases(ed=0, es=1, how="given"))

    reasons = quality(seen, measured.phases, measured.findings).reasons

    assert "LV cavity missing between slices (at 7) at end-systole" in reasons


def test_a_frame_that_breaks_the_curve_is_named():
    labels = beating()
    labels[12, 4:][labels[12, 4:] == LV] = MYO

    found = judged(labels)

    assert found.reasons == ("LV volume breaks its curve in frame 13",)


def test_a_frame_without_lv_is_named():
    labels = beating()
    labels[12][labels[12] == LV] = MYO

    assert "no LV cavity in frame 13" in judged(labels).reasons


def test_a_file_with_contours_at_two_frames_is_not_blamed_for_the_others():
    labels = np.zeros_like(beating())
    labels[0], labels[7] = beating()[0], beating()[7]

    assert judged(labels) == Quality(verdict="pass")


def test_a_trembling_curve_is_noticed():
    rng = np.random.default_rng(4)
    cine = beating()
    order = np.clip(np.arange(20) + rng.integers(-5, 6, 20), 0, 19)

    assert "the LV volume curve is not smooth" in judged(cine[order]).reasons


def test_what_was_not_looked_for_is_not_missed():
    labels = pair()
    labels[labels == RV] = 0

    assert judged(labels, structures=(LV, MYO)).verdict == "pass"
    assert judged(np.where(labels == MYO, 0, labels), structures=(LV,)).verdict == "pass"
