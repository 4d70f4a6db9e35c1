"""Each measure of long-axis views: a function of what is known of the heart.

The first line of each is the definition that the reference page prints; their lines stand in
`measures.LONG_AXIS`. Several beats are measured one by one and averaged (ASE/EACVI 2015). Ratios
of one view need no millimetres, two views need the same scale.
"""

from heartseg.measure.apical import Apical
from heartseg.measure.echo_words import foreshortening
from heartseg.measure.long_axis import SINGLE_PHASE, Method, atrial_volume, volume
from heartseg.measure.number import (
    NO_MILLIMETRES,
    Number,
    difference,
    ejected_share,
    mean_of_beats,
)
from heartseg.measure.rates import Rates, peak_rates
from heartseg.measure.simpson import area_length, biplane

_ED, _ES = 0, 1


def lv_edv(seen: Apical) -> Number:
    """LV volume at end-diastole: biplane Simpson, or single plane of the one view that is there."""
    return _end_diastolic(seen, biplane).minded(_unlike_axes(seen, _ED))


def lv_esv(seen: Apical) -> Number:
    """LV volume at end-systole: biplane Simpson, or single plane of the one view that is there."""
    return _mean_volume(seen, _ES, biplane).minded(_unlike_axes(seen, _ES))


def lv_sv(seen: Apical) -> Number:
    """LV end-diastolic less end-systolic volume."""
    return difference(lv_edv(seen), lv_esv(seen))


def lv_ef(seen: Apical) -> Number:
    """Share of the LV's end-diastolic volume that is ejected, by the same discs; mean of beats."""
    fraction = _ejection_fraction(seen, biplane)
    for phase in (_ED, _ES):
        remark = _unlike_axes(seen, phase) or ""
        fraction = fraction.minded(remark.partition(":")[0])
    return fraction


def lv_ef_of_beat(seen: Apical) -> Number:
    """Share of the LV's end-diastolic volume that is ejected in one beat of a loop of several."""
    return _ejection_fraction(seen, biplane)


def lv_edv_of_view(seen: Apical) -> Number:
    """LV volume at end-diastole by the discs of one view, each taken for round."""
    return _end_diastolic(seen, biplane)


def lv_esv_of_view(seen: Apical) -> Number:
    """LV volume at end-systole by the discs of one view, each taken for round."""
    return _mean_volume(seen, _ES, biplane)


def lv_ef_of_view(seen: Apical) -> Number:
    """Share of the LV's end-diastolic volume that is ejected, by the discs of one view."""
    return _ejection_fraction(seen, biplane)


def cardiac_output(seen: Apical) -> Number:
    """LV stroke volume times heart rate, which is given or from the times of the loop."""
    stroke, heart = lv_sv(seen), seen.beat
    if stroke.value is None:
        return stroke
    if heart.heart_rate_bpm is None:
        return Number(None, heart.problem)
    remark = "heart rate from the times of the loop" if heart.from_times else None
    return stroke.times(heart.heart_rate_bpm / 1000.0).minded(remark)


def lv_length_ed(seen: Apical) -> Number:
    """Base to apex of the LV at end-diastole, in one view."""
    return _length(seen, _ED)


def lv_length_es(seen: Apical) -> Number:
    """Base to apex of the LV at end-systole, in one view."""
    return _length(seen, _ES)


def lv_edv_area_length(seen: Apical) -> Number:
    """LV volume at end-diastole by area-length, 8 A B / (3 pi L) with the shorter long axis."""
    return _end_diastolic(seen, area_length)


def lv_esv_area_length(seen: Apical) -> Number:
    """LV volume at end-systole by area-length, 8 A B / (3 pi L) with the shorter long axis."""
    return _mean_volume(seen, _ES, area_length)


def lv_ef_area_length(seen: Apical) -> Number:
    """Share of the LV's end-diastolic volume that is ejected, by area-length; mean of beats."""
    return _ejection_fraction(seen, area_length)


def lv_peak_ejection_rate(seen: Apical) -> Number:
    """Steepest fall of the first view's single-plane volume curve over the beat (`rates.py`)."""
    return _rates(seen).ejection


def lv_peak_filling_rate(seen: Apical) -> Number:
    """Steepest rise of the first view's single-plane volume curve over the beat (`rates.py`)."""
    return _rates(seen).filling


def la_esv(seen: Apical) -> Number:
    """Volume of the left atrium at LV end-systole, by discs along the atrium's own axis."""
    problem = seen.without_beats or (None if seen.calibrated else NO_MILLIMETRES)
    if problem:
        return Number(None, problem)
    of_beats = [atrial_volume(seen.views, frames, biplane) for frames in seen.frames(_ES)]
    return seen.in_ml(mean_of_beats(of_beats))


def body_surface(seen: Apical) -> Number:
    """Body surface area by Mosteller."""
    return seen.surface


def _of_beats(seen: Apical, phase: int, method: Method) -> list[Number]:
    """The volume in every beat, in mm3 (or px3)."""
    return [volume(seen.views, frames, method) for frames in seen.frames(phase)]


def _mean_volume(seen: Apical, phase: int, method: Method) -> Number:
    problem = seen.without_volumes
    if problem:
        return Number(None, problem)
    return seen.in_ml(mean_of_beats(_of_beats(seen, phase, method)))


def _end_diastolic(seen: Apical, method: Method) -> Number:
    single = _mean_volume(seen, _ES, method).problem == SINGLE_PHASE
    said = "a single phase, taken as end-diastole" if single else None
    return _mean_volume(seen, _ED, method).minded(said)


def _ejection_fraction(seen: Apical, method: Method) -> Number:
    problem = seen.without_volumes
    if problem:
        return Number(None, problem)
    both = (_of_beats(seen, phase, method) for phase in (_ED, _ES))
    return mean_of_beats([ejected_share(edv, esv) for edv, esv in zip(*both, strict=True)])


def _length(seen: Apical, phase: int) -> Number:
    if seen.without_beats:
        return Number(None, seen.without_beats)
    mean = mean_of_beats(_of_beats(seen, phase, lambda one, _: one.length))
    return mean if mean.value is None or seen.calibrated else Number(None, NO_MILLIMETRES)


def _unlike_axes(seen: Apical, phase: int) -> str | None:
    return foreshortening(_length(one.seen, phase).value for one in seen.parts("view"))


def _rates(seen: Apical) -> Rates:
    first = seen.views[0]
    if not first.calibrated:
        return Rates(Number(None, NO_MILLIMETRES), Number(None, NO_MILLIMETRES))
    return peak_rates(first.curve / 1000.0, first.segmentation.times_ms)
