"""Agreement broken down: by structure, phase, level of the stack and group of patients.

A mean over all patients hides who is served worse. Each group and level stands beside the whole
with the number of its patients and the interval of its mean (Mitchell et al., FAT* 2019: results by
factor and by factors together). What is in no group counts in the whole alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from heartseg.measure.agreement import AgreementRow
from heartseg.measure.concordance import clinical_agreement
from heartseg.measure.metrics import METRICS
from heartseg.measure.summary import ALL, Summary, summarise

MEASURES = ("dice", "hausdorff95_mm")
"""Metrics of the breakdown, keys of `metrics.METRICS`."""

BY_GROUP = ("lv_ef", "rv_ef")
"""Findings that are broken down by group; the others are given for all patients only."""

MEAN, BIAS, ERROR, CORRELATION = "mean", "bias", "mean_absolute_error", "pearson_r"

Numbers = Mapping[str, float | None]
Pairs = Mapping[str, tuple[Numbers, Numbers]]
"""By case: the findings measured, and those of the reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One number of a breakdown.

    Attributes:
        measure: key of a metric, or of a finding.
        statistic: `mean`, of a metric over patients; `bias`, `mean_absolute_error` or `pearson_r`
            of measured and reference findings.
        structure: key, `all` for the mean over a patient's structures; "" for a finding.
        phase: `ED`, `ES` or `all`; "" for a finding.
        group: "" for all patients.
        level: `base`, `mid` or `apex`; "" for the whole stack.
        cases: patients that have a value.
        value: in the unit of the measure; a fraction for Dice and EF.
        low, high: 95 % interval by bootstrap over patients; Bland-Altman limits of a bias; Fisher's
            interval of a correlation. None where there are too few patients.
    """

    measure: str
    statistic: str
    structure: str = ""
    phase: str = ""
    group: str = ""
    level: str = ""
    cases: int
    value: float
    low: float | None = None
    high: float | None = None


def breakdown(
    rows: Sequence[AgreementRow],
    pairs: Pairs,
    groups: Mapping[str, str],
    findings: Sequence[str] = BY_GROUP,
) -> tuple[Score, ...]:
    """All scores of one method.

    Args:
        rows: of `agreement_table` and `level_table`.
        pairs: findings by case.
        groups: of the cases that are in one, e.g. by diagnosis.
        findings: keys to compare over all patients.
    """
    scores = list(_of_masks(rows, ""))
    scores += _of_findings(pairs, findings, "")
    everyone = {row.case for row in rows} | pairs.keys()
    for group in sorted(set(groups.values())):
        own = {case for case, mine in groups.items() if mine == group}
        if own >= everyone:  # the whole once more
            continue
        scores += _of_masks([row for row in rows if row.case in own], group)
        held = {case: pair for case, pair in pairs.items() if case in own}
        scores += _of_findings(held, [key for key in findings if key in BY_GROUP], group)
    return tuple(scores)


def _of_masks(rows: Sequence[AgreementRow], group: str) -> Iterator[Score]:
    for line in summarise(rows, MEASURES):
        if line.mean is not None and not (group and line.level and line.phase != ALL):
            yield _score(line, line.mean, group)


def _score(line: Summary, mean: float, group: str) -> Score:
    low, high = line.interval or (None, None)
    return Score(
        measure=line.metric,
        statistic=MEAN,
        structure=line.structure,
        phase=line.phase,
        group=group,
        level=line.level,
        cases=line.cases,
        value=mean,
        low=low,
        high=high,
    )


def _of_findings(pairs: Pairs, findings: Sequence[str], group: str) -> Iterator[Score]:
    for key in findings:
        ours, theirs = ([pair[side].get(key) for pair in pairs.values()] for side in (0, 1))
        if not any(a is not None and b is not None for a, b in zip(ours, theirs, strict=True)):
            continue
        agreed = clinical_agreement(ours, theirs)
        for statistic, value, interval in (
            (BIAS, agreed.bias, agreed.limits),
            (ERROR, agreed.mean_absolute_error, agreed.error_interval),
            (CORRELATION, agreed.pearson_r, agreed.pearson_interval),
        ):
            if value is not None:
                low, high = interval or (None, None)
                yield Score(
                    measure=key,
                    statistic=statistic,
                    group=group,
                    cases=agreed.cases,
                    value=value,
                    low=low,
                    high=high,
                )


def unit_of(measure: str) -> str:
    """`1` of a fraction, else `mm`, `mL`, `g`: of a metric, or of a finding by its key."""
    if measure in METRICS:
        return METRICS[measure].unit
    return "1" if measure.endswith("_ef") else {"ml": "mL"}.get(measure[-2:], measure[-1:])
