"""Whether a person should look before the numbers are used, and why.

`reject`: there is nothing here to measure. `review`: something a reader would want to see first.
Thresholds are wide on purpose: at most one in twenty of expert contours may be sent to review
(a test measures that on the 100 patients of ACDC), since a warning that is always there is not
read. Disease is not a fault: a failing heart passes. Reasons count frames and slices from 1, slices
from the base, as the page does.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from heartseg.core.anatomy import Labels, Structure, enclosure, ventricles_swapped
from heartseg.core.finding import Finding, Quality
from heartseg.core.image import Segmentation
from heartseg.core.stack_order import slice_numbers
from heartseg.core.study import Phases
from heartseg.measure.phases import glitches, roughness
from heartseg.measure.volumes import Extents, around_heart, extents, with_scar_as_myocardium

LV_VOLUME_ML = (1.0, 600.0)
LV_MASS_G = (10.0, 700.0)
EJECTION_FRACTION = (0.05, 0.85)

MASS_ES_TO_ED = (0.6, 1.7)
"""Muscle does not vanish in systole; its ratio in ACDC's contours is 0.9 to 1.5."""

STROKE_DIFFERENCE_ML = 40.0
STROKE_DIFFERENCE_SHARE = 0.6
"""Both must be passed: valve disease and shunts make real differences, ACDC's RV rule others."""

MID_RING = 0.75
"""Least share of the cavity's border that touches myocardium in mid slices; experts draw 1."""

FEWEST_SLICES = 4
OPEN_ENDS = 0.5
"""Cavity at both ends of the stack above this share of the largest: the ventricle goes on."""

STRAY_PART = 0.05
"""A second piece of a structure larger than this share of it is worth a look."""

ROUGH_CURVE = 0.15
"""Usual departure of a frame from its neighbours' curve, as a share of the curve's range."""

_LV, _MYO, _RV = Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What the checks look at: counts of all frames, ED and ES around the heart, the findings."""

    found: Extents
    phases: Phases
    frames: Mapping[str, Labels]
    values: Mapping[str, float | None]

    @property
    def ed(self) -> Labels:
        """(z, y, x) labels at end-diastole."""
        return self.frames["end-diastole"]

    @property
    def numbers(self) -> tuple[int, ...]:
        """Of the slices, as the page counts them."""
        return slice_numbers(self.found.geometry, self.ed)

    def sought(self, *structures: Structure) -> bool:
        """True when all of them could have been found."""
        return all(self.found.looked_for(s) for s in structures)


def quality(
    segmentation: Segmentation, phases: Phases | None, findings: Iterable[Finding]
) -> Quality:
    """Judge a short-axis segmentation and its numbers.

    Args:
        segmentation: (t, z, y, x) labels.
        phases: the frames that were measured; None when there was no LV.
        findings: as measured from them.
    """
    if phases is None:
        return Quality(verdict="reject", reasons=("no LV cavity in any frame",))
    named = {"end-diastole": phases.ed, "end-systole": phases.es}
    frames = {
        name: with_scar_as_myocardium(around_heart(segmentation.labels[frame]))
        for name, frame in named.items()
        if frame is not None
    }
    values = {finding.key: finding.value for finding in findings}
    evidence = Evidence(extents(segmentation), phases, frames, values)
    fatal = [reason for check in _FATAL for reason in check(evidence)]
    if fatal:
        return Quality(verdict="reject", reasons=tuple(fatal))
    doubts = [reason for check in _DOUBTS for reason in check(evidence)]
    return Quality(verdict="review" if doubts else "pass", reasons=tuple(doubts))


# Without these there is nothing to measure.


def _no_lv(seen: Evidence) -> list[str]:
    return [
        f"no LV cavity at {name}"
        for name, labels in seen.frames.items()
        if not (labels == _LV).any()
    ]


def _swapped(seen: Evidence) -> list[str]:
    swapped = ventricles_swapped(seen.ed)
    return ["the myocardium rings the RV, not the LV: swapped labels?"] if swapped else []


def _impossible_volume(seen: Evidence) -> list[str]:
    reasons = []
    for key, name in (("lv_edv_ml", "LV EDV"), ("lv_esv_ml", "LV ESV")):
        value = seen.values.get(key)
        if value is not None and not LV_VOLUME_ML[0] <= value <= LV_VOLUME_ML[1]:
            reasons.append(f"{name} {value:.1f} mL is not a human ventricle's")
    return reasons


# With these there is, but a person should look.


def _no_other_structure(seen: Evidence) -> list[str]:
    return [
        f"no {structure.title} at {name}"
        for structure in (_MYO, _RV)
        if seen.sought(structure)
        for name, labels in seen.frames.items()
        if not (labels == structure).any()
    ]


def _few_slices(seen: Evidence) -> list[str]:
    slices = len(_bearing(seen.ed, _LV))
    if slices >= FEWEST_SLICES:
        return []
    if not seen.found.geometry.depth_known:
        return ["LV in one slice only, of unknown thickness: no volumes"]
    return [f"LV in {slices} slice{'s' if slices > 1 else ''} only: volumes are rough estimates"]


def _open_ends(seen: Evidence) -> list[str]:
    areas = np.count_nonzero(seen.ed == _LV, axis=(1, 2))
    if len(areas) < 2 or min(areas[0], areas[-1]) <= OPEN_ENDS * areas.max():
        return []
    return ["both ends of the stack lie inside the LV: volumes are too low"]


def _gaps(seen: Evidence) -> list[str]:
    reasons = []
    for name, labels in seen.frames.items():
        for structure in (_LV, _MYO, _RV):
            slices = _bearing(labels, structure)
            if len(slices) and slices[-1] - slices[0] + 1 > len(slices):
                missing = set(range(slices[0], slices[-1])) - set(slices)
                where = _listed(sorted(seen.numbers[z] for z in missing))
                reasons.append(f"{structure.title} missing between slices (at {where}) at {name}")
    return reasons


def _open_ring(seen: Evidence) -> list[str]:
    if not seen.sought(_LV, _MYO):
        return []
    open_at = [
        seen.numbers[z]
        for z in _middle(_bearing(seen.ed, _LV))
        if (enclosure(seen.ed[z], _LV) or 0.0) < MID_RING
    ]
    listed = _listed(sorted(open_at))
    return [f"myocardium does not ring the LV in mid slice {listed}"] if open_at else []


def _rv_apart(seen: Evidence) -> list[str]:
    if not seen.sought(_MYO, _RV):
        return []
    both = [z for z in _bearing(seen.ed, _RV) if (seen.ed[z] == _MYO).any()]
    if not len(_bearing(seen.ed, _RV)) or any(_beside(seen.ed[z]) for z in both):
        return []
    return ["the RV does not lie beside the LV's wall in any slice"]


def _pieces(seen: Evidence) -> list[str]:
    from scipy.ndimage import label

    reasons = []
    for name, labels in seen.frames.items():
        for structure in (_LV, _MYO, _RV):
            parts, count = label(labels == structure, structure=np.ones((3, 3, 3)))
            sizes = np.sort(np.bincount(parts.ravel())[1:])
            if count > 1 and sizes[-2] > STRAY_PART * sizes.sum():
                reasons.append(f"{structure.title} is in several pieces at {name}")
    return reasons


def _odd_fraction(seen: Evidence) -> list[str]:
    value, (low, high) = seen.values.get("lv_ef"), EJECTION_FRACTION
    if value is None or low <= value <= high:
        return []
    return [f"LV EF {100 * value:.0f} % is outside {100 * low:.0f} to {100 * high:.0f} %"]


def _odd_mass(seen: Evidence) -> list[str]:
    ed, es = seen.values.get("lv_mass_g"), seen.values.get("lv_mass_es_g")
    reasons = []
    if ed is not None and not LV_MASS_G[0] <= ed <= LV_MASS_G[1]:
        reasons.append(f"LV mass {ed:.0f} g is not plausible")
    if ed and es is not None and not MASS_ES_TO_ED[0] <= es / ed <= MASS_ES_TO_ED[1]:
        reasons.append(f"LV mass changes from {ed:.0f} g at ED to {es:.0f} g at ES")
    return reasons


def _stroke_volumes_apart(seen: Evidence) -> list[str]:
    left, right = seen.values.get("lv_sv_ml"), seen.values.get("rv_sv_ml")
    if left is None or right is None:
        return []
    apart = abs(left - right)
    if apart <= max(STROKE_DIFFERENCE_ML, STROKE_DIFFERENCE_SHARE * max(left, right)):
        return []
    return [f"LV and RV stroke volumes are far apart ({left:.0f} and {right:.0f} mL)"]


def _rough_curve(seen: Evidence) -> list[str]:
    curve = seen.found.counts(_LV)
    reasons = []
    absent = np.flatnonzero(curve == 0)
    if 0 < len(absent) <= len(curve) / 2:  # more: a file that holds contours of few frames
        reasons.append(f"no LV cavity in frame {_listed(absent + 1)}")
    broken = [frame + 1 for frame in glitches(curve) if curve[frame] > 0]
    if broken:
        reasons.append(f"LV volume breaks its curve in frame {_listed(broken)}")
    if roughness(curve) > ROUGH_CURVE:
        reasons.append("the LV volume curve is not smooth")
    return reasons


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(str(int(number)) for number in numbers)


def _bearing(labels: Labels, structure: Structure) -> list[int]:
    """Slices that hold the structure."""
    slices: list[int] = np.flatnonzero((labels == structure).any(axis=(1, 2))).tolist()
    return slices


def _middle(slices: list[int]) -> list[int]:
    """The middle third of them, at least one."""
    third = len(slices) // 3
    return slices[third : max(third + 1, len(slices) - third)]


def _beside(plane: Labels) -> bool:
    """True when RV and myocardium of a (y, x) slice touch, or lie at most two pixels apart."""
    from scipy.ndimage import binary_dilation

    return bool((binary_dilation(plane == _RV, iterations=2) & (plane == _MYO)).any())


_Check = Callable[[Evidence], list[str]]

_FATAL: tuple[_Check, ...] = (_no_lv, _swapped, _impossible_volume)
_DOUBTS: tuple[_Check, ...] = (
    _no_other_structure,
    _few_slices,
    _open_ends,
    _gaps,
    _open_ring,
    _rv_apart,
    _pieces,
    _odd_fraction,
    _odd_mass,
    _stroke_volumes_apart,
    _rough_curve,
)
