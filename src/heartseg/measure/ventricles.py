"""Each number of a ventricle, or the reason why there is none.

Absent is not zero. Ratios that need no millimetres stay available on grids without calibration.
"""

from heartseg.core.anatomy import Structure
from heartseg.core.image import Segmentation
from heartseg.core.study import Phases
from heartseg.measure.conventions import EDV_MAY_BE_LOW
from heartseg.measure.number import NO_MILLIMETRES, Number, difference
from heartseg.measure.phases import WHOLE_CYCLE, Beat
from heartseg.measure.rates import peak_rates
from heartseg.measure.volumes import (
    MYOCARDIAL_DENSITY_G_PER_ML,
    SCARRED,
    Extents,
    around_heart,
    with_scar_as_myocardium,
)
from heartseg.measure.wall import largest_wall_mm

NO_DEPTH = "one plane without a slice distance: areas and no volume; pass --spacing-mm if known"
SINGLE_PHASE = "a single phase: there is no end-systole to compare with"
NO_PHASES = f"no {Structure.LV_CAVITY.title} in any frame: end-diastole cannot be told"

_LV, _MYO, _RV = Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY
_CHAMBERS = {"lv": _LV, "rv": _RV}


def numbers(
    segmentation: Segmentation, found: Extents, phases: Phases | None, heart: Beat
) -> dict[str, Number]:
    """Every number that needs no knowledge of the body, by its finding's key.

    Args:
        segmentation: (t, z, y, x) labels.
        found: the same, counted.
        phases: frames to measure; None when there is no LV to tell them by.
        heart: heart rate and coverage of the cycle.
    """
    ed, es = (phases.ed, phases.es) if phases else (None, None)
    known = _ventricle("lv", found, phases) | _ventricle("rv", found, phases)
    if heart.coverage is not None and heart.coverage < WHOLE_CYCLE:
        for key in ("lv_edv_ml", "rv_edv_ml"):
            known[key] = known[key].minded(EDV_MAY_BE_LOW)
    known["co_l_min"] = _output(known["lv_sv_ml"], heart)
    known["lv_mass_g"] = _mass(found, ed)
    known["lv_mass_es_g"] = _mass(found, es)
    known["lv_mass_volume_ratio"] = _mass_to_volume(found, ed)
    known["lv_wall_max_mm"] = _wall(segmentation, phases)
    known["lv_scar_fraction"] = _scar(found, ed)
    known["la_esv_ml"] = _volume(found, Structure.LEFT_ATRIUM, es)
    known |= _rates("lv", segmentation, found) | _rates("rv", segmentation, found)
    known["sv_difference_ml"] = difference(known["lv_sv_ml"], known["rv_sv_ml"])
    return known


def _ventricle(side: str, found: Extents, phases: Phases | None) -> dict[str, Number]:
    """Volumes and ejection fraction of one ventricle."""
    structure = _CHAMBERS[side]
    ed, es = (phases.ed, phases.es) if phases else (None, None)
    if side == "rv" and phases is not None and phases.rv_es is not None:
        es = phases.rv_es
    edv, esv = _volume(found, structure, ed), _volume(found, structure, es)
    if edv.value is not None and phases is not None and phases.es is None:
        edv = Number(edv.value, "a single phase, taken as end-diastole")
    return {
        f"{side}_edv_ml": edv,
        f"{side}_esv_ml": esv,
        f"{side}_sv_ml": difference(edv, esv) if es is not None else esv,
        f"{side}_ef": _ejection_fraction(found, structure, ed, es),
    }


def _absence(found: Extents, structure: Structure, frame: int | None) -> str | None:
    """Why a structure cannot be measured in a frame; None when it is there."""
    if not found.looked_for(structure):
        return f"{structure.title} was not looked for"
    if not found.counts(structure).any():
        return f"no {structure.title} in any frame"
    if frame is None:
        return SINGLE_PHASE if found.counts(_LV).any() else NO_PHASES
    if not found.counts(structure)[frame]:
        return f"no {structure.title} at frame {frame}: nothing to measure"
    return None


def _volume(found: Extents, structure: Structure, frame: int | None) -> Number:
    problem = _absence(found, structure, frame)
    if problem or frame is None:
        return Number(None, problem)
    if found.geometry.unit != "mm":
        return Number(None, NO_MILLIMETRES)
    if not found.geometry.depth_known:
        return Number(None, NO_DEPTH)
    return Number(float(found.volumes_ml(structure)[frame]))


def _ejection_fraction(
    found: Extents, structure: Structure, ed: int | None, es: int | None
) -> Number:
    problem = _absence(found, structure, ed) or _absence(found, structure, es)
    if problem or ed is None or es is None:
        return Number(None, problem)
    curve = found.counts(structure)  # voxels do: a ratio of volumes needs no millimetres
    return Number(float(1.0 - curve[es] / curve[ed]))


def _output(stroke: Number, heart: Beat) -> Number:
    if stroke.value is None:
        return stroke
    if heart.heart_rate_bpm is None:
        return Number(None, heart.problem)
    remark = "heart rate from the times of the cine" if heart.from_times else None
    return Number(stroke.value * heart.heart_rate_bpm / 1000.0, remark)


def _mass(found: Extents, frame: int | None) -> Number:
    volume = _volume(found, _MYO, frame)
    if volume.value is None:
        return volume
    return Number(volume.value * MYOCARDIAL_DENSITY_G_PER_ML)


def _mass_to_volume(found: Extents, ed: int | None) -> Number:
    problem = _absence(found, _MYO, ed) or _absence(found, _LV, ed)
    if problem or ed is None:
        return Number(None, problem)
    myocardium, cavity = found.counts(_MYO)[ed], found.counts(_LV)[ed]
    return Number(float(MYOCARDIAL_DENSITY_G_PER_ML * myocardium / cavity))


def _scar(found: Extents, ed: int | None) -> Number:
    """Infarct, what is obstructed in it included, as a share of the whole wall."""
    if not set(SCARRED) & set(found.structures):
        return Number(None, f"{Structure.SCAR.title} was not looked for")
    problem = _absence(found, _MYO, ed)
    if problem or ed is None:
        return Number(None, problem)
    scarred = sum(found.counts(part)[ed] for part in SCARRED)
    return Number(float(scarred / found.counts(_MYO)[ed]))


def _rates(side: str, segmentation: Segmentation, found: Extents) -> dict[str, Number]:
    """Peak ejection and filling rate of one ventricle."""
    structure = _CHAMBERS[side]
    keys = (f"{side}_peak_ejection_rate_ml_s", f"{side}_peak_filling_rate_ml_s")
    if not found.looked_for(structure):
        return dict.fromkeys(keys, Number(None, f"{structure.title} was not looked for"))
    if found.geometry.unit != "mm" or not found.geometry.depth_known:
        problem = NO_MILLIMETRES if found.geometry.unit != "mm" else NO_DEPTH
        return dict.fromkeys(keys, Number(None, problem))
    rates = peak_rates(found.volumes_ml(structure), segmentation.times_ms)
    return dict(zip(keys, (rates.ejection, rates.filling), strict=True))


def _wall(segmentation: Segmentation, phases: Phases | None) -> Number:
    if phases is None:
        return Number(None, NO_PHASES)
    if not {_LV, _MYO} <= set(segmentation.structures):
        return Number(None, f"{_LV.title} and {_MYO.title} were not both looked for")
    if segmentation.geometry.unit != "mm":
        return Number(None, NO_MILLIMETRES)
    labels = with_scar_as_myocardium(around_heart(segmentation.labels[phases.ed]))
    largest = largest_wall_mm(labels, segmentation.geometry.spacing)
    problem = "no slice with a closed ring of myocardium" if largest is None else None
    return Number(largest, problem)
