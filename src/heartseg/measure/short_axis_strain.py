"""Geometric strain of the whole wall in the short axis: circumferential and radial, every frame.

Each slice is compared with itself at end-diastole, over the slices that myocardium rings then and
now: the radius of the middle of the wall for the circumferential strain, its thickness for the
radial one, both from areas. Masks do not follow tissue, nor slices the heart that moves through
them. Ratios need neither millimetres nor the patient's orientation.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from heartseg.core.anatomy import Labels, Structure
from heartseg.core.finding import Finding
from heartseg.core.image import Segmentation
from heartseg.core.study import Phases
from heartseg.measure.long_axis import SINGLE_PHASE
from heartseg.measure.number import Number
from heartseg.measure.phases import FEWEST_CURVE
from heartseg.measure.rings import WHOLE, Ring, rings
from heartseg.measure.strain_catalogue import short_axis, strain_findings
from heartseg.measure.volumes import around_heart, with_scar_as_myocardium
from heartseg.measure.wall import ring_slices

SAID = (
    "Geometric circumferential and radial strain: change of the radius of the middle of the wall"
    " and of its thickness since end-diastole, from areas, over slices with a closed ring. Tissue"
    " is not followed: normal values of tagging or feature tracking do not apply."
)

NO_RING = "no slice in which myocardium rings the LV"

Strains = tuple[float, float] | None
"""Circumferential and radial; None where no slice can be compared."""


@dataclass(frozen=True, slots=True)
class ShortAxisStrain:
    """`lv_gcs` and `lv_grs`: findings at end-systole, and curves where there are frames enough."""

    findings: tuple[Finding, ...]
    curves: Mapping[str, tuple[float | None, ...]]
    said: str


def short_axis_strain(segmentation: Segmentation, phases: Phases | None) -> ShortAxisStrain:
    """Strain of a stack.

    Args:
        segmentation: (t, z, y, x) labels.
        phases: of it; without an end-systole there are no values.
    """
    entries = short_axis()
    why = _why_not(segmentation, phases)
    if why or phases is None:
        findings = strain_findings(entries, dict.fromkeys(entries, Number(None, why)))
        return ShortAxisStrain(findings, {}, f"Geometric strain of the short axis: none ({why}).")
    labels = with_scar_as_myocardium(around_heart(segmentation.labels))
    found = _since(labels, phases.ed, segmentation)
    at_es = None if phases.es is None else found[phases.es]
    numbers = [Number(None, f"{NO_RING} at end-diastole and end-systole")] * 2
    if at_es is not None:
        numbers = [Number(value) for value in at_es]
    curves: dict[str, tuple[float | None, ...]] = {}
    if segmentation.frames >= FEWEST_CURVE:
        for place, key in enumerate(entries):
            curves[key] = tuple(None if one is None else one[place] for one in found)
    known = dict(zip(entries, numbers, strict=True))
    return ShortAxisStrain(strain_findings(entries, known), curves, SAID)


def _why_not(segmentation: Segmentation, phases: Phases | None) -> str | None:
    if phases is None:
        return "no LV cavity in any frame"
    for structure in (Structure.LV_CAVITY, Structure.LV_MYOCARDIUM):
        if structure not in segmentation.structures:
            return f"{structure.title} was not looked for"
    return SINGLE_PHASE if phases.es is None else None


def _since(labels: Labels, ed: int, segmentation: Segmentation) -> list[Strains]:
    """Of every frame, since end-diastole."""
    start = _closed(labels[ed])
    return [
        _strains(start, _closed(frame)) if segmentation.covers(number) else None
        for number, frame in enumerate(labels)
    ]


def _closed(frame: Labels) -> dict[int, Ring]:
    """The ring of each slice of a (z, y, x) frame that has a closed one."""
    found = {z: rings(frame[z], (WHOLE,), (1.0, 1.0))[0] for z in ring_slices(frame)}
    return {z: ring for z, ring in found.items() if ring is not None}


def _strains(start: Mapping[int, Ring], now: Mapping[int, Ring]) -> Strains:
    pairs = [(start[z], now[z]) for z in start if z in now]
    if not pairs:
        return None
    before, after = (np.mean([pair[i].thickness for pair in pairs]) for i in (0, 1))
    around = np.mean([new.middle / old.middle - 1.0 for old, new in pairs])
    return float(around), float(after / before - 1.0)
