"""Ventricular function from a short-axis stack: volumes, ejection fractions, mass, output, wall.

Absent is not zero: what cannot be had is None with the reason. Ratios that need no millimetres
stay available on grids without calibration.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from heartseg.core.anatomy import Structure
from heartseg.core.discs import slice_distance_mm
from heartseg.core.errors import MeasureError
from heartseg.core.finding import Finding, SliceAreas
from heartseg.core.image import Segmentation
from heartseg.core.study import Body, Modality, Phases
from heartseg.measure.body import Formula, body_problem
from heartseg.measure.conventions import ACDC, Convention, sentences
from heartseg.measure.heart import Heart
from heartseg.measure.measures import STACK
from heartseg.measure.offered import STACK_GROUP, with_offers
from heartseg.measure.phases import Beat, beat, checked_phases, phases_of
from heartseg.measure.ranges import SOURCE, reference, why_none
from heartseg.measure.table import measured
from heartseg.measure.volumes import Extents, extents

_LV, _MYO, _RV = Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """What a short-axis stack says of the ventricles.

    Attributes:
        findings: every one of the table `measures.STACK`, in its order, and what packages offer.
        phases: frames that were measured; None when there is no LV to tell them by.
        curves: `time_ms`, `lv_ml`, `rv_ml`, `myo_ml`, a number a frame, None where there is no
            such voxel or no time; without calibration or slice distance the volumes are missing.
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
    heart = heart_of(segmentation, phases, body or Body(), modality, convention.formula)
    body = heart.body
    offered = with_offers(STACK, STACK_GROUP)
    why = why_none(body, modality, convention)
    said = f"Reference ranges: none ({why})." if why else SOURCE
    told = _told(convention, heart)
    return Function(
        findings=measured(
            offered.measures,
            heart,
            lambda key: reference(key, body, modality, convention)[0],
        ),
        phases=heart.phases,
        curves=_curves(segmentation, heart.found),
        slices=_slices(heart.found, heart.phases),
        conventions=(*told, *offered.said, said),
        beat=heart.beat,
    )


def heart_of(
    segmentation: Segmentation,
    phases: Phases | None,
    body: Body,
    modality: Modality = Modality.MR,
    formula: Formula = "mosteller",
) -> Heart:
    """What is known of a heart before anything is measured; arguments as of `measure_function`."""
    found = extents(segmentation)
    return Heart(
        segmentation=segmentation,
        found=found,
        phases=_phases(phases, found),
        beat=beat(segmentation.times_ms, body.heart_rate_bpm, found.counts(_LV)),
        body=body,
        formula=formula,
        modality=modality,
    )


def _told(convention: Convention, heart: Heart) -> tuple[str, ...]:
    if heart.phases is None:
        return ()
    return sentences(
        convention,
        heart.phases,
        heart.beat,
        right_ventricle=heart.found.looked_for(_RV),
        body=body_problem(heart.body) is None,
    )


def _phases(given: Phases | None, found: Extents) -> Phases | None:
    if given is not None:
        return checked_phases(given, found)
    try:
        return phases_of(found)
    except MeasureError:  # an empty segmentation is a result too: every finding then says why
        return None


def _curves(segmentation: Segmentation, found: Extents) -> dict[str, tuple[float | None, ...]]:
    times = segmentation.times_ms or (None,) * segmentation.frames
    curves: dict[str, tuple[float | None, ...]] = {
        "time_ms": tuple(t if t is not None and np.isfinite(t) else None for t in times)
    }
    if found.geometry.unit != "mm" or not found.geometry.depth_known:
        return curves
    for structure in (_LV, _RV, _MYO):
        if found.looked_for(structure):
            volumes = found.volumes_ml(structure).tolist()
            curves[f"{structure.key}_ml"] = tuple(volume or None for volume in volumes)
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
