"""The exact numbers of a phantom, from the closed forms of its geometry."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from heartseg.phantom.heart import Heart, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What a perfect measurement of the frames would give; keys as in `report.json`.

    Attributes:
        ed, es: frames of the largest and the smallest LV volume (the first of equal ones).
        rv_es: frame of the smallest RV volume.
        lv_edv_ml ... rv_ef: LV at its ED and ES, papillary muscles in the cavity; RV at the LV's
            ED and at its own ES; fractions in [0, 1].
        lv_mass_g: without papillary muscles, 1.05 g/mL.
        papillary_ml: both muscles at ED.
        lv_ml, rv_ml: volume of each frame.
    """

    ed: int
    es: int
    rv_es: int
    lv_edv_ml: float
    lv_esv_ml: float
    lv_sv_ml: float
    lv_ef: float
    lv_mass_g: float
    rv_edv_ml: float
    rv_esv_ml: float
    rv_sv_ml: float
    rv_ef: float
    papillary_ml: float
    lv_ml: tuple[float, ...]
    rv_ml: tuple[float, ...]

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def truth(heart: Heart, phases: Sequence[float] | None = None) -> Truth:
    """The exact numbers of the frames at these phases.

    Args:
        heart: the heart.
        phases: of the frames, as `Acquisition.phases`; None for exact ED and ES of both
            ventricles, whatever frames a cine happens to catch.
    """
    if phases is None:
        motion = heart.motion
        phases = (0.0, motion.systole, motion.systole + motion.rv_delay)
    lv = [heart.lv_ml(float(phase)) for phase in phases]
    rv = [heart.rv_ml(float(phase)) for phase in phases]
    ed, es, rv_es = int(np.argmax(lv)), int(np.argmin(lv)), int(np.argmin(rv))
    return Truth(
        ed=ed,
        es=es,
        rv_es=rv_es,
        lv_edv_ml=lv[ed],
        lv_esv_ml=lv[es],
        lv_sv_ml=lv[ed] - lv[es],
        lv_ef=1.0 - lv[es] / lv[ed],
        lv_mass_g=heart.lv_mass_g,
        rv_edv_ml=rv[ed],
        rv_esv_ml=rv[rv_es],
        rv_sv_ml=rv[ed] - rv[rv_es],
        rv_ef=1.0 - rv[rv_es] / rv[ed],
        papillary_ml=State.at(heart, float(phases[ed])).papillary_ml,
        lv_ml=tuple(lv),
        rv_ml=tuple(rv),
    )
