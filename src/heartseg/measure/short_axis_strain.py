"""Geometric strain of the whole wall in the short axis: circumferential and radial, every frame.

Each slice is compared with itself at end-diastole, over the slices that myocardium rings then and
now: the radius of the middle of the wall for the circumferential strain, its thickness for the
radial one, both from areas. Masks do not follow tissue, nor slices the heart that moves through
them. Ratios need neither millimetres nor the patient's orientation.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from heartseg.core.finding import Finding
from heartseg.core.image import Segmentation
from heartseg.core.study import Phases
from heartseg.measure.measures import RINGS
from heartseg.measure.phases import FEWEST_CURVE
from heartseg.measure.table import measured
from heartseg.measure.wall_strain import wall_strain

SAID = (
    "Geometric circumferential and radial strain: change of the radius of the middle of the wall"
    " and of its thickness since end-diastole, from areas, over slices with a closed ring. Tissue"
    " is not followed: normal values of tagging or feature tracking do not apply."
)


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
    wall = wall_strain(segmentation, phases)
    findings = measured(RINGS, wall, lambda key: None)
    if wall.problem:
        said = f"Geometric strain of the short axis: none ({wall.problem})."
        return ShortAxisStrain(findings, {}, said)
    curves: dict[str, tuple[float | None, ...]] = {}
    if segmentation.frames >= FEWEST_CURVE:
        for place, key in enumerate(RINGS):
            curves[key] = tuple(None if one is None else one[place] for one in wall.found)
    return ShortAxisStrain(findings, curves, SAID)
