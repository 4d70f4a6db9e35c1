"""Agreement over many cases: means with bootstrap intervals, and Bland-Altman for the numbers.

Patients are resampled, never images: the phases of one patient are not independent.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import MeasureError
from heartseg.core.finding import Interval
from heartseg.measure.agreement import AgreementRow

RESAMPLES = 2000
LEVEL = 0.95

LIMITS_SD = 1.96
"""Bland and Altman, Lancet 1986;1:307: limits of agreement are bias +- 1.96 SD."""

READERS_DIFFER: Mapping[str, Interval] = MappingProxyType(
    {
        "lv_edv_ml": (15.2, 28.4),
        "lv_esv_ml": (14.0, 21.5),
        "lv_mass_g": (20.2, 34.5),
        "lv_ef": (0.046, 0.075),
    }
)
"""The human limit: how far expert readers of seven core laboratories differ from each other on the
same 15 cine studies (Suinesiaputra et al., J Cardiovasc Magn Reson 2015;17:63, abstract)."""

METRICS: Mapping[str, Callable[[AgreementRow], float | None]] = MappingProxyType(
    {
        "dice": lambda row: row.dice,
        "hausdorff95_mm": lambda row: row.hausdorff95_mm,
        "assd_mm": lambda row: row.assd_mm,
    }
)
ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One metric of one structure in one phase, over cases.

    Attributes:
        structure: key, or "all" for the mean over the structures of a case.
        phase: "ED", "ES", "", or "all".
        cases: how many had a value.
        missing: rows without one (empty masks, no millimetres).
        interval: bootstrap interval of the mean at `LEVEL`; None for fewer than two cases.
    """

    metric: str
    structure: str
    phase: str
    cases: int
    missing: int
    mean: float | None
    sd: float | None
    median: float | None
    interval: Interval | None


def summarise(rows: Iterable[AgreementRow], *, seed: int = 0) -> tuple[Summary, ...]:
    """Summaries over cases, by structure and phase and over all of them.

    A case counts once in each summary: its own rows are averaged first.
    """
    table = tuple(rows)
    structures = [*dict.fromkeys(row.structure.key for row in table), ALL]
    phases = list(dict.fromkeys([*(row.phase for row in table), ALL]))
    return tuple(
        _summary(metric, structure, phase, table, seed)
        for metric in METRICS
        for structure in structures
        for phase in phases
    )


def _summary(
    metric: str, structure: str, phase: str, table: Sequence[AgreementRow], seed: int
) -> Summary:
    by_case: dict[str, list[float]] = {}
    missing = 0
    for row in table:
        if structure in (ALL, row.structure.key) and phase in (ALL, row.phase):
            value = METRICS[metric](row)
            missing += value is None
            if value is not None:
                by_case.setdefault(row.case, []).append(value)
    values = np.array([np.mean(own) for own in by_case.values()])
    many = len(values) > 1
    return Summary(
        metric=metric,
        structure=structure,
        phase=phase,
        cases=len(values),
        missing=missing,
        mean=float(values.mean()) if len(values) else None,
        sd=float(values.std(ddof=1)) if many else None,
        median=float(np.median(values)) if len(values) else None,
        interval=bootstrap_mean(values, seed=seed) if many else None,
    )


def bootstrap_mean(values: NDArray[np.float64], *, seed: int = 0) -> Interval:
    """Percentile bootstrap interval of the mean, at `LEVEL`, from one value a case."""
    drawn = np.random.default_rng(seed).integers(0, len(values), (RESAMPLES, len(values)))
    means = values[drawn].mean(axis=1)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicalAgreement:
    """Agreement of a measured number with its reference, over cases, in the number's unit.

    Attributes:
        cases: pairs where both values are there.
        missing: pairs where one is not.
        bias: mean of measured - reference.
        mean_absolute_error: mean of its size.
        limits: Bland-Altman limits of agreement; None for fewer than two cases.
        pearson_r: None where it is not defined.
    """

    cases: int
    missing: int
    bias: float
    mean_absolute_error: float
    limits: Interval | None
    pearson_r: float | None


def clinical_agreement(
    measured: Sequence[float | None], reference: Sequence[float | None]
) -> ClinicalAgreement:
    """Compare one number a case, e.g. LV ejection fractions, with its reference.

    Raises:
        MeasureError: sequences of different lengths, or no pair to compare.
    """
    if len(measured) != len(reference):
        got = f"{len(measured)} and {len(reference)} values"
        raise MeasureError("clinical agreement", got=got, allowed="one pair a case")
    pairs = [
        (m, r) for m, r in zip(measured, reference, strict=True) if m is not None and r is not None
    ]
    if not pairs:
        raise MeasureError("clinical agreement", got="no case with both values")
    ours, theirs = np.array(pairs, np.float64).T
    gap = ours - theirs
    bias = float(gap.mean())
    spread = LIMITS_SD * float(gap.std(ddof=1)) if len(pairs) > 1 else None
    return ClinicalAgreement(
        cases=len(pairs),
        missing=len(measured) - len(pairs),
        bias=bias,
        mean_absolute_error=float(np.abs(gap).mean()),
        limits=None if spread is None else (bias - spread, bias + spread),
        pearson_r=_pearson(ours, theirs),
    )


def _pearson(first: NDArray[np.float64], second: NDArray[np.float64]) -> float | None:
    if len(first) < 3 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return float(np.corrcoef(first, second)[0, 1])
