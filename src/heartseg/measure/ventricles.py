"""Each measure of a short-axis stack: a function of what is known of the heart.

The first line of each is the definition that the reference page prints; their lines stand in
`measures.STACK`. Ratios that need no millimetres stay available on grids without calibration.
"""

from heartseg.core.anatomy import Structure
from heartseg.measure.conventions import EDV_MAY_BE_LOW
from heartseg.measure.heart import NO_PHASES, Heart
from heartseg.measure.number import NO_MILLIMETRES, Number, difference
from heartseg.measure.phases import WHOLE_CYCLE
from heartseg.measure.rates import Rates, peak_rates
from heartseg.measure.volumes import (
    MYOCARDIAL_DENSITY_G_PER_ML,
    SCARRED,
    around_heart,
    with_scar_as_myocardium,
)
from heartseg.measure.wall import largest_wall_mm

_LV, _MYO, _RV = Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY


def lv_edv(heart: Heart) -> Number:
    """Volume of the LV cavity at end-diastole, by summation of discs."""
    return _end_diastolic(heart, _LV)


def lv_esv(heart: Heart) -> Number:
    """Volume of the LV cavity at end-systole, by summation of discs."""
    return heart.volume(_LV, heart.es)


def lv_sv(heart: Heart) -> Number:
    """LV end-diastolic less end-systolic volume."""
    return _stroke(heart, _LV)


def lv_ef(heart: Heart) -> Number:
    """Share of the LV's end-diastolic volume that is ejected; needs no millimetres."""
    return _ejection_fraction(heart, _LV)


def rv_edv(heart: Heart) -> Number:
    """Volume of the RV cavity at end-diastole, by summation of discs."""
    return _end_diastolic(heart, _RV)


def rv_esv(heart: Heart) -> Number:
    """Volume of the RV cavity at its own end-systole, by summation of discs."""
    return heart.volume(_RV, heart.es_of(_RV))


def rv_sv(heart: Heart) -> Number:
    """RV end-diastolic less end-systolic volume."""
    return _stroke(heart, _RV)


def rv_ef(heart: Heart) -> Number:
    """Share of the RV's end-diastolic volume that is ejected; needs no millimetres."""
    return _ejection_fraction(heart, _RV)


def sv_difference(heart: Heart) -> Number:
    """LV less RV stroke volume: two measurements, of which no valve disease can be read alone."""
    return difference(lv_sv(heart), rv_sv(heart))


def cardiac_output(heart: Heart) -> Number:
    """LV stroke volume times heart rate, which is given or that of a cine of a whole beat."""
    stroke = lv_sv(heart)
    if stroke.value is None:
        return stroke
    if heart.beat.heart_rate_bpm is None:
        return Number(None, heart.beat.problem)
    remark = "heart rate from the times of the cine" if heart.beat.from_times else None
    return Number(stroke.value * heart.beat.heart_rate_bpm / 1000.0, remark)


def lv_mass(heart: Heart) -> Number:
    """Volume of the LV myocardium at end-diastole times 1.05 g/mL; scar counts as myocardium."""
    return heart.volume(_MYO, heart.ed).times(MYOCARDIAL_DENSITY_G_PER_ML)


def lv_mass_es(heart: Heart) -> Number:
    """Volume of the LV myocardium at end-systole times 1.05 g/mL, to check that at end-diastole."""
    return heart.volume(_MYO, heart.es).times(MYOCARDIAL_DENSITY_G_PER_ML)


def lv_mass_to_volume(heart: Heart) -> Number:
    """LV mass over LV cavity volume, both at end-diastole; needs no millimetres."""
    ed = heart.ed
    problem = heart.absence(_MYO, ed) or heart.absence(_LV, ed)
    if problem or ed is None:
        return Number(None, problem)
    myocardium, cavity = heart.found.counts(_MYO)[ed], heart.found.counts(_LV)[ed]
    return Number(float(MYOCARDIAL_DENSITY_G_PER_ML * myocardium / cavity))


def lv_wall_max(heart: Heart) -> Number:
    """Largest end-diastolic thickness of the LV wall over slices with a closed ring (`wall.py`)."""
    if heart.phases is None:
        return Number(None, NO_PHASES)
    labels = heart.segmentation
    if not {_LV, _MYO} <= set(labels.structures):
        return Number(None, f"{_LV.title} and {_MYO.title} were not both looked for")
    if labels.geometry.unit != "mm":
        return Number(None, NO_MILLIMETRES)
    frame = with_scar_as_myocardium(around_heart(labels.labels[heart.phases.ed]))
    largest = largest_wall_mm(frame, labels.geometry.spacing)
    problem = "no slice with a closed ring of myocardium" if largest is None else None
    return Number(largest, problem)


def lv_scar_fraction(heart: Heart) -> Number:
    """Infarct, what is obstructed in it included, as a share of the whole LV wall."""
    if not set(SCARRED) & set(heart.found.structures):
        return Number(None, f"{Structure.SCAR.title} was not looked for")
    problem = heart.absence(_MYO, heart.ed)
    if problem or heart.ed is None:
        return Number(None, problem)
    scarred = sum(heart.found.counts(part)[heart.ed] for part in SCARRED)
    return Number(float(scarred / heart.found.counts(_MYO)[heart.ed]))


def la_esv(heart: Heart) -> Number:
    """Volume of the left atrium at the LV's end-systole, by summation of discs."""
    return heart.volume(Structure.LEFT_ATRIUM, heart.es)


def lv_peak_ejection_rate(heart: Heart) -> Number:
    """Steepest fall of the LV's volume curve over the beat (`rates.py`)."""
    return _rates(heart, _LV).ejection


def lv_peak_filling_rate(heart: Heart) -> Number:
    """Steepest rise of the LV's volume curve over the beat (`rates.py`)."""
    return _rates(heart, _LV).filling


def rv_peak_ejection_rate(heart: Heart) -> Number:
    """Steepest fall of the RV's volume curve over the beat (`rates.py`)."""
    return _rates(heart, _RV).ejection


def rv_peak_filling_rate(heart: Heart) -> Number:
    """Steepest rise of the RV's volume curve over the beat (`rates.py`)."""
    return _rates(heart, _RV).filling


def body_surface(heart: Heart) -> Number:
    """Body surface area by Mosteller (or Du Bois, where the laboratory chose it)."""
    return heart.surface


def _end_diastolic(heart: Heart, cavity: Structure) -> Number:
    found = heart.volume(cavity, heart.ed)
    if heart.phases is not None and heart.phases.es is None:
        found = found.minded("a single phase, taken as end-diastole")
    missed = heart.beat.coverage is not None and heart.beat.coverage < WHOLE_CYCLE
    return found.minded(EDV_MAY_BE_LOW if missed else None)


def _stroke(heart: Heart, cavity: Structure) -> Number:
    es = heart.es_of(cavity)
    end_systolic = heart.volume(cavity, es)
    if es is None:  # that reason says more than what may be wrong at end-diastole
        return end_systolic
    return difference(heart.volume(cavity, heart.ed), end_systolic)


def _ejection_fraction(heart: Heart, cavity: Structure) -> Number:
    ed, es = heart.ed, heart.es_of(cavity)
    problem = heart.absence(cavity, ed) or heart.absence(cavity, es)
    if problem or ed is None or es is None:
        return Number(None, problem)
    curve = heart.found.counts(cavity)  # voxels do: a ratio of volumes needs no millimetres
    return Number(float(1.0 - curve[es] / curve[ed]))


def _rates(heart: Heart, cavity: Structure) -> Rates:
    problem = heart.without_volumes
    if not heart.found.looked_for(cavity):
        problem = f"{cavity.title} was not looked for"
    if problem:
        return Rates(Number(None, problem), Number(None, problem))
    return peak_rates(heart.found.volumes_ml(cavity), heart.segmentation.times_ms)
