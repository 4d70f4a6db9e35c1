"""What is known of a heart from its short-axis stack: what the measures of a stack look at."""

from collections.abc import Iterable
from dataclasses import dataclass

from heartseg.core.anatomy import Structure
from heartseg.core.image import Segmentation
from heartseg.core.study import Body, Modality, Phases, View
from heartseg.measure.body import Formula, body_surface
from heartseg.measure.number import NO_MILLIMETRES, Number
from heartseg.measure.phases import Beat
from heartseg.measure.table import Part
from heartseg.measure.volumes import Extents

NO_DEPTH = "one plane without a slice distance: areas and no volume; pass --spacing-mm if known"
SINGLE_PHASE = "a single phase: there is no end-systole to compare with"
NO_PHASES = f"no {Structure.LV_CAVITY.title} in any frame: end-diastole cannot be told"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Heart:
    """A stack, counted, with the phases and the body.

    Attributes:
        segmentation: (t, z, y, x) labels.
        found: the same, counted.
        phases: frames to measure; None when there is no LV to tell them by.
        beat: heart rate and coverage of the cycle.
        body: whose heart it is.
        formula: of the body surface area.
        modality: decides codes.
    """

    segmentation: Segmentation
    found: Extents
    phases: Phases | None
    beat: Beat
    body: Body
    formula: Formula = "mosteller"
    modality: Modality = Modality.MR

    @property
    def surface(self) -> Number:
        """Of the body, in m2; or the reason why it is not known."""
        return body_surface(self.body, self.formula)

    @property
    def shown(self) -> tuple[View, ...]:
        """No long-axis view."""
        return ()

    def parts(self, place: str) -> Iterable[Part]:
        """A stack is measured as a whole."""
        return ()

    @property
    def ed(self) -> int | None:
        """Frame of end-diastole."""
        return self.phases.ed if self.phases else None

    @property
    def es(self) -> int | None:
        """Frame of end-systole, which is the LV's; None in a single phase."""
        return self.phases.es if self.phases else None

    def es_of(self, cavity: Structure) -> int | None:
        """Frame of a ventricle's end-systole: the RV has its own on a cine."""
        own = self.phases.rv_es if self.phases and cavity is Structure.RV_CAVITY else None
        return self.es if own is None else own

    def absence(self, structure: Structure, frame: int | None) -> str | None:
        """Why a structure cannot be measured in a frame; None when it is there."""
        if not self.found.looked_for(structure):
            return f"{structure.title} was not looked for"
        if not self.found.counts(structure).any():
            return f"no {structure.title} in any frame"
        if frame is None:
            return SINGLE_PHASE if self.found.counts(Structure.LV_CAVITY).any() else NO_PHASES
        if not self.found.counts(structure)[frame]:
            return f"no {structure.title} at frame {frame + 1}: nothing to measure"
        return None

    def volume(self, structure: Structure, frame: int | None) -> Number:
        """Volume of a structure in a frame, in mL, by summation of discs."""
        problem = self.absence(structure, frame)
        if problem or frame is None:
            return Number(None, problem)
        problem = self.without_volumes
        return Number(None if problem else float(self.found.volumes_ml(structure)[frame]), problem)

    @property
    def without_volumes(self) -> str | None:
        """Why the grid gives no volumes; None when it does."""
        if self.found.geometry.unit != "mm":
            return NO_MILLIMETRES
        return None if self.found.geometry.depth_known else NO_DEPTH
