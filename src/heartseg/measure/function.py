"""Ventricular function from a short-axis stack: volumes, ejection fractions, mass, output, wall.

Absent is not zero: what cannot be had is None with the reason. Ratios that need no millimetres
stay available on grids without calibration.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from heartseg.core.anatomy import Structure
from heartseg.core.errors import MeasureError
from heartseg.core.finding import Finding, SliceAreas
from heartseg.core.image import Segmentation
from heartseg.core.study import Body, Modality, Phases
from heartseg.measure.body import body_problem, body_surface_m2
from heartseg.measure.catalogue import ENTRIES, INDEXED, finding
from heartseg.measure.conventions import ACDC, EDV_MAY_BE_LOW, Convention, sentences
from heartseg.measure.phases import WHOLE_CYCLE, Beat, beat, checked_phases, phases_of
from heartseg.measure.ranges import SOURCE, reference, why_none
from heartseg.measure.volumes import (
    MYOCARDIAL_DENSITY_G_PER_ML,
    Extents,
    extents,
    slice_distance_mm,
    with_scar_as_myocardium,
)
from heartseg.measure.wall import largest_wall_mm

NO_MILLIMETRES = "the image has no spacing: pass its pixel size with --spacing-mm"
SINGLE_PHASE = "a single phase: there is no end-systole to compare with"

_LV, _MYO, _RV = Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY
_CHAMBERS = {"lv": _LV, "rv": _RV}


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """What a short-axis stack says of the ventricles.

    Attributes:
        findings: in the catalogue's order, every one of it.
        phases: frames that were measured; None when there is no LV to tell them by.
        curves: `time_ms`, `lv_ml`, `rv_ml`, `myo_ml`, a number a frame; without calibration the
            volumes are missing, and times are None where the file has none.
        slices: areas of every slice in mm2, keys `lv_ed`, `lv_es`, `myo_ed`, `rv_ed`, ...
        conventions: sentences for the page.
        beat: heart rate and coverage of the cycle.
    """

    findings: tuple[Finding, ...]
    phases: Phases | None
    curves: Mapping[str, tuple[float | None, ...]]
    slices: tuple[SliceAreas, ...]
    conventions: tuple[str, ...]
    beat: Beat

    def value(self, key: str) -> float | None:
        """The value of the finding of that key; None when it has none."""
        return next((f.value for f in self.findings if f.key == key), None)


@dataclass(frozen=True, slots=True)
class Number:
    """A value, or the reason why there is none; `problem` may also qualify a value."""

    value: float | None
    problem: str | None = None


def measure_function(
    segmentation: Segmentation,
    phases: Phases | None = None,
    body: Body | None = None,
    *,
    modality: Modality = Modality.MR,
    convention: Convention = ACDC,
) -> Function:
    """Measure a short-axis stack, a cine or a pair of phases or a single one.

    Args:
        segmentation: (t, z, y, x) labels.
        phases: where the file says them; else the volume curve does.
        body: for indexed values, cardiac output and reference ranges.
        modality: decides codes and reference ranges.
        convention: how the contours were drawn.

    Raises:
        MeasureError: given phases that are not frames of this segmentation.
    """
    body = body or Body()
    found = extents(segmentation)
    chosen = _phases(phases, found)
    heart = beat(segmentation.times_ms, body.heart_rate_bpm, found.counts(_LV))
    numbers = _numbers(segmentation, found, chosen, heart)
    numbers |= _indexed(numbers, body, convention)
    why = why_none(body, modality, convention)
    said = f"Reference ranges: none ({why})." if why else SOURCE
    told = sentences(convention, chosen, heart) if chosen else ()
    return Function(
        findings=tuple(_findings(numbers, body, modality, convention)),
        phases=chosen,
        curves=_curves(segmentation, found),
        slices=_slices(found, chosen),
        conventions=(*told, said),
        beat=heart,
    )


def _phases(given: Phases | None, found: Extents) -> Phases | None:
    if given is not None:
        return checked_phases(given, found)
    try:
        return phases_of(found)
    except MeasureError:  # an empty segmentation is a result too: every finding then says why
        return None


def _numbers(
    segmentation: Segmentation, found: Extents, phases: Phases | None, heart: Beat
) -> dict[str, Number]:
    numbers = _ventricle("lv", found, phases) | _ventricle("rv", found, phases)
    if heart.coverage is not None and heart.coverage < WHOLE_CYCLE:
        for key in ("lv_edv_ml", "rv_edv_ml"):
            numbers[key] = _minded(numbers[key], EDV_MAY_BE_LOW)
    numbers["co_l_min"] = _output(numbers["lv_sv_ml"], heart)
    numbers["lv_mass_g"] = _mass(found, phases and phases.ed)
    numbers["lv_mass_es_g"] = _mass(found, phases and phases.es)
    numbers["lv_mass_volume_ratio"] = _mass_to_volume(found, phases)
    numbers["lv_wall_max_mm"] = _wall(segmentation, phases)
    numbers["sv_difference_ml"] = _difference(numbers["lv_sv_ml"], numbers["rv_sv_ml"])
    return numbers


def _minded(number: Number, remark: str) -> Number:
    return number if number.value is None else Number(number.value, remark)


def _ventricle(side: str, found: Extents, phases: Phases | None) -> dict[str, Number]:
    """Volumes and ejection fraction of one ventricle."""
    structure = _CHAMBERS[side]
    ed = phases and phases.ed
    es = phases and phases.es
    if side == "rv" and phases is not None and phases.rv_es is not None:
        es = phases.rv_es
    edv, esv = _volume(found, structure, ed), _volume(found, structure, es)
    if edv.value is not None and phases is not None and phases.es is None:
        edv = Number(edv.value, "a single phase, taken as end-diastole")
    sv = Number(None, edv.problem if edv.value is None else esv.problem)
    if edv.value is not None and esv.value is not None:
        sv = Number(edv.value - esv.value)
    return {
        f"{side}_edv_ml": edv,
        f"{side}_esv_ml": esv,
        f"{side}_sv_ml": sv,
        f"{side}_ef": _ejection_fraction(found, structure, ed, es),
    }


def _absence(found: Extents, structure: Structure, frame: int | None) -> str | None:
    """Why a structure cannot be measured in a frame; None when it is there."""
    if not found.looked_for(structure):
        return f"{structure.title} was not looked for"
    if not found.counts(structure).any():
        return f"no {structure.title} in any frame"
    if frame is None:
        return SINGLE_PHASE if found.counts(_LV).any() else f"no {_LV.title}: no phases"
    if not found.counts(structure)[frame]:
        return f"no {structure.title} at frame {frame}: nothing to measure"
    return None


def _volume(found: Extents, structure: Structure, frame: int | None) -> Number:
    problem = _absence(found, structure, frame)
    if problem or frame is None:
        return Number(None, problem)
    if found.geometry.unit != "mm":
        return Number(None, NO_MILLIMETRES)
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


def _mass_to_volume(found: Extents, phases: Phases | None) -> Number:
    ed = phases and phases.ed
    problem = _absence(found, _MYO, ed) or _absence(found, _LV, ed)
    if problem or ed is None:
        return Number(None, problem)
    myocardium, cavity = found.counts(_MYO)[ed], found.counts(_LV)[ed]
    return Number(float(MYOCARDIAL_DENSITY_G_PER_ML * myocardium / cavity))


def _wall(segmentation: Segmentation, phases: Phases | None) -> Number:
    if phases is None:
        return Number(None, f"no {_LV.title}: no phases")
    if not {_LV, _MYO} <= set(segmentation.structures):
        return Number(None, f"{_LV.title} and {_MYO.title} were not both looked for")
    if segmentation.geometry.unit != "mm":
        return Number(None, NO_MILLIMETRES)
    labels = with_scar_as_myocardium(segmentation.labels[phases.ed])
    largest = largest_wall_mm(labels, segmentation.geometry.spacing)
    problem = "no slice with a closed ring of myocardium" if largest is None else None
    return Number(largest, problem)


def _difference(left: Number, right: Number) -> Number:
    if left.value is None or right.value is None:
        return Number(None, left.problem if left.value is None else right.problem)
    return Number(left.value - right.value)


def _indexed(
    numbers: Mapping[str, Number], body: Body, convention: Convention
) -> dict[str, Number]:
    problem = body_problem(body)
    if problem or body.height_cm is None or body.weight_kg is None:
        none = {f"{key}_per_m2": Number(None, problem) for key in INDEXED}
        return none | {"bsa_m2": Number(None, problem)}
    surface = body_surface_m2(body.height_cm, body.weight_kg, convention.formula)
    indexed = {"bsa_m2": Number(surface)}
    for key in INDEXED:
        plain = numbers[key]
        value = None if plain.value is None else plain.value / surface
        indexed[f"{key}_per_m2"] = Number(value, plain.problem)
    return indexed


def _findings(
    numbers: Mapping[str, Number], body: Body, modality: Modality, convention: Convention
) -> list[Finding]:
    found = []
    for key in ENTRIES:
        number = numbers[key]
        normal = None
        if number.value is not None:
            normal, _ = reference(key, body, modality, convention)
        found.append(finding(key, number.value, modality, problem=number.problem, reference=normal))
    return found


def _curves(segmentation: Segmentation, found: Extents) -> dict[str, tuple[float | None, ...]]:
    times = segmentation.times_ms or (None,) * segmentation.frames
    curves: dict[str, tuple[float | None, ...]] = {
        "time_ms": tuple(t if t is not None and np.isfinite(t) else None for t in times)
    }
    if found.geometry.unit != "mm":
        return curves
    for structure in (_LV, _RV, _MYO):
        if found.looked_for(structure):
            volumes = found.volumes_ml(structure).tolist()
            curves[f"{structure.key}_ml"] = tuple(volumes)
    return curves


def _slices(found: Extents, phases: Phases | None) -> tuple[SliceAreas, ...]:
    if phases is None or found.geometry.unit != "mm":
        return ()
    areas: dict[str, list[float]] = {}
    for structure in (_LV, _MYO, _RV):
        frames = {"ed": phases.ed, "es": phases.es}
        if structure is _RV and phases.rv_es is not None:
            frames["es"] = phases.rv_es
        for phase, frame in frames.items():
            if frame is not None and found.looked_for(structure):
                areas[f"{structure.key}_{phase}"] = found.areas_mm2(structure)[frame].tolist()
    distance = slice_distance_mm(found.geometry)
    return tuple(
        SliceAreas(position_mm=z * distance, areas_mm2={key: a[z] for key, a in areas.items()})
        for z in range(found.geometry.shape[0])
    )
