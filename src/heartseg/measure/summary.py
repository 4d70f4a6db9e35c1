"""Agreement over cases: a metric's mean, spread and interval by level, structure and phase."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from heartseg.core.finding import Interval
from heartseg.measure.agreement import AgreementRow
from heartseg.measure.metrics import HEADLINE
from heartseg.measure.statistics import bootstrap_mean

ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One metric of one structure in one phase, over cases.

    Attributes:
        level: "" for the whole stack, else "base", "mid" or "apex".
        structure: key, or "all" for the mean over the structures of a case.
        phase: "ED", "ES", "", or "all".
        cases: how many had a value.
        missing: rows without one (empty masks, no millimetres).
        interval: bootstrap interval of the mean at `LEVEL`; None for fewer than two cases.
    """

    metric: str
    level: str
    structure: str
    phase: str
    cases: int
    missing: int
    mean: float | None
    sd: float | None
    median: float | None
    interval: Interval | None


def summarise(
    rows: Iterable[AgreementRow], metrics: Sequence[str] = HEADLINE, *, seed: int = 0
) -> tuple[Summary, ...]:
    """Summaries over cases, by level, structure and phase and over all of the last two.

    A case counts once in each summary: its own rows are averaged first.

    Args:
        rows: of one method.
        metrics: keys of `metrics.METRICS`.
        seed: of the bootstrap.
    """
    table = tuple(rows)
    structures = [*dict.fromkeys(row.structure.key for row in table), ALL]
    phases = list(dict.fromkeys([*(row.phase for row in table), ALL]))
    levels = list(dict.fromkeys(row.level for row in table))
    return tuple(
        _summary(metric, Selection(level, structure, phase), table, seed)
        for metric in metrics
        for level in levels
        for structure in structures
        for phase in phases
    )


class Selection(NamedTuple):
    """Which rows: of a level, and of a structure and phase or of all."""

    level: str
    structure: str
    phase: str

    def holds(self, row: AgreementRow) -> bool:
        """Whether a row is one of them."""
        same = self.level == row.level
        return (
            same and self.structure in (ALL, row.structure.key) and self.phase in (ALL, row.phase)
        )


def by_case(
    rows: Iterable[AgreementRow], metric: str, chosen: Selection
) -> tuple[dict[str, float], int]:
    """One value a case, the mean of its chosen rows, and how many of these rows have none."""
    found: dict[str, list[float]] = {}
    missing = 0
    for row in filter(chosen.holds, rows):
        value = row.values[metric]
        if value is None:
            missing += 1
        else:
            found.setdefault(row.case, []).append(value)
    return {case: float(np.mean(own)) for case, own in found.items()}, missing


def _summary(metric: str, chosen: Selection, table: Sequence[AgreementRow], seed: int) -> Summary:
    cases, missing = by_case(table, metric, chosen)
    values = np.array(list(cases.values()))
    many = len(values) > 1
    return Summary(
        metric=metric,
        level=chosen.level,
        structure=chosen.structure,
        phase=chosen.phase,
        cases=len(values),
        missing=missing,
        mean=float(values.mean()) if len(values) else None,
        sd=float(values.std(ddof=1)) if many else None,
        median=float(np.median(values)) if len(values) else None,
        interval=bootstrap_mean(values, seed=seed) if many else None,
    )
