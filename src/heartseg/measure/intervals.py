"""How far a measured number may lie from that of a person's contours: intervals on findings.

The same network looks again, in other ways; how far its answers lie from the first is the *spread*
s of a finding. The interval is value +- a * sqrt(s^2 + f^2). The *times* a and the *floor* f, two
numbers of each finding, come from patients that the network never trained on: a is the quantile of
|measured - drawn| / sqrt(s^2 + f^2) over them (conformal prediction with normalised errors,
Papadopoulos 2008; over the folds of a cross-validation, Vovk 2015, Barber 2021). The quantile is
taken of one patient more than there are, so that a further patient of the same kind lies within
with at least the probability asked for, whatever errors look like.

What the spread leaves out is in the floor: errors that every look repeats. What neither holds is
another reader, another examination of the same heart, another hospital.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import MeasureError
from heartseg.core.finding import Finding, Interval
from heartseg.core.image import Segmentation
from heartseg.core.study import Body, Phases, View
from heartseg.measure.calibration import KEYS, Calibration, Width
from heartseg.measure.function import heart_of
from heartseg.measure.measures import STACK
from heartseg.measure.table import PER_M2

IN_PROPORTION: Mapping[str, str] = {
    **{f"{key}{PER_M2}": key for key in KEYS},
    "co_l_min": "lv_sv_ml",
    f"co_l_min{PER_M2}": "lv_sv_ml",
}
"""Findings that are another one times a number that is not measured in the image."""

LV_EF_LIMITS = (0.35, 0.40, 0.50)
"""Where guidelines change what is done: devices, and heart failure with an ejection fraction that
is reduced (up to .40), mildly reduced (up to .49) or preserved."""

Values = Mapping[str, float | None]
"""Of findings, by key."""

_FLOORS = np.geomspace(0.1, 10.0, 41)
"""Floors that are tried, in mean errors: below, the spread alone counts; above, it no more does."""


def stack_values(look: Segmentation, phases: Phases) -> Values:
    """The findings of `KEYS` in one look at a short-axis stack, measured as the study itself is."""
    heart = heart_of(look, phases, Body())
    return {key: STACK[key].of(heart).value for key in KEYS}


VALUES: Mapping[View, Callable[[Segmentation, Phases], Values]] = {
    View.SAX: stack_values,
    View.UNKNOWN: stack_values,
}
"""How a look at a view is measured; a view that shall have intervals is a line here."""


def spreads(values: Values, looks: Sequence[Values]) -> dict[str, float]:
    """How far looks lie from the measured value, root mean square, by finding.

    Not from their own mean: where all looks agree on something else, that is the finding's doubt.
    A finding that one of them could not measure has no spread.
    """
    found = {}
    for key in KEYS:
        measured, others = values.get(key), [look.get(key) for look in looks]
        numbers = [value for value in others if value is not None]
        if measured is not None and numbers and len(numbers) == len(others):
            found[key] = float(np.sqrt(np.mean(np.square(np.subtract(numbers, measured)))))
    return found


def with_intervals(
    findings: Iterable[Finding], spread: Mapping[str, float], calibration: Calibration
) -> tuple[Finding, ...]:
    """The findings with intervals where there can be one, LV EF with what to mind about it.

    Args:
        findings: of a study.
        spread: of its looks, by key.
        calibration: of the model that made it.
    """
    every = tuple(findings)
    values = {one.key: one.value for one in every}
    halves = {
        key: width.half(spread[key]) for key, width in calibration.findings.items() if key in spread
    }
    for key, of in IN_PROPORTION.items():
        value, base = values.get(key), values.get(of)
        if of in halves and value is not None and base:
            halves[key] = halves[of] * abs(value / base)
    return tuple(_with(one, halves[one.key]) if one.key in halves else one for one in every)


def interval_of(value: float, half: float, *, share: bool) -> Interval:
    """value +- half, as far as a volume (0 or more) or a share of one (0 to 1) can go."""
    return max(0.0, value - half), min(1.0 if share else np.inf, value + half)


def _with(finding: Finding, half: float) -> Finding:
    if finding.value is None:
        return finding
    low, high = interval_of(finding.value, half, share=finding.unit == "1")
    if not low <= finding.value <= high:  # no volume or share at all: its quality says so
        return finding
    said = borderline((low, high)) if finding.key == "lv_ef" else None
    problem = "; ".join(part for part in (finding.problem, said) if part)
    return replace(finding, interval=(low, high), problem=problem or None)


def borderline(interval: Interval) -> str | None:
    """That an LV EF may lie on either side of a clinical limit; None where it lies on one."""
    low, high = interval
    held = [f"{100 * limit:.0f}" for limit in LV_EF_LIMITS if low <= limit <= high]
    return f"borderline: the interval holds {_listed(held)} %" if held else None


def _listed(words: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


def fitted(errors: NDArray[np.float64], spread: NDArray[np.float64], level: float) -> Width:
    """The width of one finding from patients that the model had not seen.

    The floor is the one that makes the errors likeliest, in units of sqrt(spread^2 + floor^2) and
    falling off exponentially (Laplace). The floor of the narrowest intervals would be chosen by the
    same few patients that decide the quantile: 40 of them hold 2 % too little then.

    Args:
        errors: (patients,) measured less drawn.
        spread: (patients,) of their looks.
        level: share of further patients that shall lie within.

    Raises:
        MeasureError: too few patients for the level, or none with an error.
    """
    size = np.abs(errors)
    if not size.any():
        raise MeasureError("intervals", got="no error in any patient", allowed="real contours")

    def surprise(floor: float) -> float:
        scales = np.hypot(spread, floor)
        return float(np.log(scales).mean() + np.log((size / scales).mean()))

    floor = min((_FLOORS * size.mean()).tolist(), key=surprise)
    return Width(times=quantile(size / np.hypot(spread, floor), level), floor=floor)


def quantile(scores: NDArray[np.float64], level: float) -> float:
    """The conformal quantile: the ceil((n + 1) level)-th smallest of n scores.

    Raises:
        MeasureError: it would be the largest of more patients than there are.
    """
    place = ceil((len(scores) + 1) * level - 1e-9)  # 0.9 * 10 is 9 in print, more in binary
    if place > len(scores):
        needed = ceil(level / (1 - level) - 1e-9)
        raise MeasureError("intervals", got=f"{len(scores)} patients", allowed=f"{needed} or more")
    return float(np.sort(scores)[place - 1])
