"""How the heart was measured, in sentences for the report.

Two laboratories differ by more than two networks do: whether papillary muscles are blood, whether
the RV has its outflow tract, where the base ends. So every report prints what was done.
"""

from dataclasses import dataclass

from heartseg.core.study import Phases
from heartseg.measure.body import Formula
from heartseg.measure.phases import WHOLE_CYCLE, Beat
from heartseg.measure.volumes import MYOCARDIAL_DENSITY_G_PER_ML


@dataclass(frozen=True, slots=True, kw_only=True)
class Convention:
    """How the contours were drawn: a property of the model or the file they come from.

    Attributes:
        papillary_in_cavity: papillary muscles and trabeculae count as blood, not as mass.
        rv_outflow_tract: the RV's outflow tract belongs to the RV.
        formula: of the body surface area.
    """

    papillary_in_cavity: bool = True
    rv_outflow_tract: bool = False
    formula: Formula = "mosteller"


ACDC = Convention()
"""As ACDC's contours are drawn, and so as a model trained on them draws: the default."""

EDV_MAY_BE_LOW = (
    f"EDV may be low: the cine covers less than {100 * WHOLE_CYCLE:.0f} % of the heart cycle"
)


def sentences(convention: Convention, phases: Phases, beat: Beat) -> tuple[str, ...]:
    """What the page says about how its numbers came about."""
    return (
        "Volumes by summation of discs; the slice distance follows from the slice positions.",
        *_phase_sentences(phases, beat),
        _PAPILLARY[convention.papillary_in_cavity],
        _OUTFLOW[convention.rv_outflow_tract],
        f"LV mass at end-diastole, {MYOCARDIAL_DENSITY_G_PER_ML} g/mL.",
        "Largest wall thickness at end-diastole over slices with a closed ring of myocardium,"
        " without the first and last LV slice and the apical cap; 30 degree sectors.",
        f"Body surface area by {_FORMULAS[convention.formula]}.",
        "The LV-RV stroke volume difference is the difference of two measurements; no valve"
        " disease can be read from it alone.",
    )


_PAPILLARY = {
    True: "Papillary muscles and trabeculae count as LV cavity.",
    False: "Papillary muscles and trabeculae count as LV mass.",
}
_OUTFLOW = {
    True: "The RV includes its outflow tract.",
    False: "The RV is measured without its outflow tract (as in ACDC): no reference range.",
}
_FORMULAS = {"mosteller": "Mosteller", "dubois": "Du Bois"}
_HOW = {"given": "as the data say", "detected": "the largest and smallest total LV cavity"}


def _phase_sentences(phases: Phases, beat: Beat) -> list[str]:
    said = [f"One end-diastole and end-systole for the whole stack: {_HOW[phases.how]}."]
    if phases.es is None:
        said = ["A single phase: it is taken as end-diastole."]
    if phases.rv_es is not None:
        said.append("The RV has its own end-systole.")
    if beat.coverage is not None and beat.coverage < WHOLE_CYCLE:
        said.append(EDV_MAY_BE_LOW + ".")
    if beat.from_times:
        said.append("The heart rate is taken from the times of a cine that covers a whole beat.")
    return said
