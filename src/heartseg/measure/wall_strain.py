"""Circumferential and radial strain from the rings of a stack: the measures of `RINGS`.

The first line of each is the definition that the reference page prints; `short_axis_strain.py`
says what the strain is and what it is not.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from heartseg.core.anatomy import Labels, Structure
from heartseg.core.image import Segmentation
from heartseg.core.study import Modality, Phases, View
from heartseg.measure.long_axis import SINGLE_PHASE
from heartseg.measure.number import Number
from heartseg.measure.rings import WHOLE, Ring, rings
from heartseg.measure.table import NOT_INDEXED, Part
from heartseg.measure.volumes import around_heart, with_scar_as_myocardium
from heartseg.measure.wall import ring_slices

NO_RING = "no slice in which myocardium rings the LV"

Strains = tuple[float, float] | None
"""Circumferential and radial; None where no slice can be compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WallStrain:
    """What is known of how a stack's wall moves.

    Attributes:
        found: strains of every frame since end-diastole; empty where there are none.
        es: frame of end-systole.
        problem: why there are no strains; None when there are.
        modality: decides codes.
    """

    found: tuple[Strains, ...] = ()
    es: int | None = None
    problem: str | None = None
    modality: Modality = Modality.MR

    @property
    def surface(self) -> Number:
        """No strain is indexed."""
        return NOT_INDEXED

    @property
    def shown(self) -> tuple[View, ...]:
        """No long-axis view."""
        return ()

    def parts(self, place: str) -> Iterable[Part]:
        """A stack is measured as a whole."""
        return ()


def wall_strain(segmentation: Segmentation, phases: Phases | None) -> WallStrain:
    """What is known of a stack with these phases."""
    why = _why_not(segmentation, phases)
    if why or phases is None:
        return WallStrain(problem=why)
    labels = with_scar_as_myocardium(around_heart(segmentation.labels))
    return WallStrain(found=tuple(_since(labels, phases.ed, segmentation)), es=phases.es)


def lv_gcs(wall: WallStrain) -> Number:
    """Change of the radius of the middle of the wall from end-diastole to end-systole."""
    return _at_end_systole(wall, 0)


def lv_grs(wall: WallStrain) -> Number:
    """Change of the thickness of the wall from end-diastole to end-systole."""
    return _at_end_systole(wall, 1)


def _at_end_systole(wall: WallStrain, place: int) -> Number:
    if wall.problem or wall.es is None:
        return Number(None, wall.problem)
    at_es = wall.found[wall.es]
    if at_es is None:
        return Number(None, f"{NO_RING} at end-diastole and end-systole")
    return Number(at_es[place])


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
