"""Statistics over patients: intervals, paired tests, non-inferiority.

Patients are resampled, never images: the phases of one patient are not independent. The same
patients are scored by both of two methods, so tests are paired; Dice is bounded and skewed, so they
are of ranks (Wilcoxon, Biometrics Bulletin 1945;1:80). Of many comparisons some look significant by
chance: Holm's steps (Scand J Stat 1979;6:65) bound the chance that any of them does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import MeasureError
from heartseg.core.finding import Interval

RESAMPLES = 2000
LEVEL = 0.95

FEWEST_PAIRS = 6
"""With fewer pairs even the clearest result has a two-sided p above 0.05, so none is given."""

SAME_WITHIN = 12
"""Decimals beyond which two differences are the same: they would only differ by rounding."""


class Statistic(Protocol):
    """A number of each resample, numpy's way: `np.mean`, `np.median`."""

    def __call__(self, values: NDArray[np.float64], /, *, axis: int) -> Any:
        """Along an axis."""
        ...


def bootstrap_interval(
    values: NDArray[np.float64],
    statistic: Statistic = np.mean,
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Percentile bootstrap interval of a statistic, with patients as the units that are drawn.

    Args:
        values: (patients, ...), one row a patient.
        statistic: of (resamples, patients, ...) values along axis 1.
        level: of the interval, in (0, 1).
        resamples: how often the patients are drawn, with replacement.
        seed: of the draws.

    Raises:
        MeasureError: no values, or a level that is none.
    """
    if len(values) == 0:
        raise MeasureError("bootstrap interval", got="no values", allowed="one a patient")
    if not 0 < level < 1:
        raise MeasureError("bootstrap interval", got=f"level {level}", allowed="in (0, 1)")
    drawn = np.random.default_rng(seed).integers(0, len(values), (resamples, len(values)))
    low, high = np.quantile(
        statistic(np.asarray(values)[drawn], axis=1), [(1 - level) / 2, (1 + level) / 2]
    )
    return float(low), float(high)


def bootstrap_mean(values: NDArray[np.float64], *, seed: int = 0) -> Interval:
    """Interval of the mean, at `LEVEL`, from one value a patient."""
    return bootstrap_interval(values, seed=seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedTest:
    """One method against another, over the patients that both have a value for.

    Attributes:
        pairs: patients with both values.
        missing: patients without one of them, left out.
        mean_difference: of first - second, in the unit of the values.
        median_difference: the same, of the median.
        interval: bootstrap interval of the mean difference; None for fewer than two pairs.
        p_value: two-sided Wilcoxon signed-rank test, differences of zero kept in the ranks (Pratt,
            J Am Stat Assoc 1959;54:655); None for fewer than `FEWEST_PAIRS` pairs.
    """

    pairs: int
    missing: int
    mean_difference: float
    median_difference: float
    interval: Interval | None
    p_value: float | None


def paired_wilcoxon(
    first: Sequence[float | None], second: Sequence[float | None], *, seed: int = 0
) -> PairedTest:
    """Compare two methods by one value a patient each, in the same order.

    Raises:
        MeasureError: sequences of different lengths, or no pair to compare.
    """
    ours, theirs = complete_pairs("paired test", first, second)
    gaps = np.round(ours - theirs, SAME_WITHIN)
    return PairedTest(
        pairs=len(gaps),
        missing=len(first) - len(gaps),
        mean_difference=float(gaps.mean()),
        median_difference=float(np.median(gaps)),
        interval=bootstrap_interval(gaps, seed=seed) if len(gaps) > 1 else None,
        p_value=_signed_rank(gaps) if len(gaps) >= FEWEST_PAIRS else None,
    )


def _signed_rank(gaps: NDArray[np.float64]) -> float:
    from scipy.stats import wilcoxon

    return float(wilcoxon(gaps, zero_method="pratt").pvalue) if gaps.any() else 1.0


def complete_pairs(
    what: str, first: Sequence[float | None], second: Sequence[float | None]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The values of those that have both.

    Raises:
        MeasureError: sequences of different lengths, a value that is no number, or no pair.
    """
    if len(first) != len(second):
        got = f"{len(first)} and {len(second)} values"
        raise MeasureError(what, got=got, allowed="one pair a case")
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    if not pairs:
        raise MeasureError(what, got="no case with both values")
    ours, theirs = np.array(pairs, np.float64).T
    if not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
        raise MeasureError(what, got="not a number", allowed="numbers, None where there is none")
    return ours, theirs


def holm(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Adjusted p values in the same order: all below 0.05 stand together at 5 % risk of an error.

    A None is no test: it stays None and does not count.

    Raises:
        MeasureError: a p value outside [0, 1].
    """
    tested = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    wrong = [p for p, _ in tested if not 0 <= p <= 1]
    if wrong:
        raise MeasureError("Holm's correction", got=f"p = {wrong[0]}", allowed="0 to 1")
    adjusted: list[float | None] = [None] * len(p_values)
    least = 0.0
    for rank, (p, place) in enumerate(tested):
        least = max(least, min(1.0, (len(tested) - rank) * p))
        adjusted[place] = least
    return tuple(adjusted)


Verdict = Literal["not worse", "worse", "open"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NonInferiority:
    """A method against a limit that it must keep.

    Attributes:
        cases: patients.
        mean: over them.
        interval: bootstrap interval of the mean at `LEVEL`.
        limit: as given.
        verdict: "not worse" when the whole interval lies on the good side of the limit (a
            one-sided test at 2.5 %), "worse" when none of it does, else "open".
    """

    cases: int
    mean: float
    interval: Interval
    limit: float
    verdict: Verdict


def non_inferiority(
    values: NDArray[np.float64], limit: float, *, higher_is_better: bool, seed: int = 0
) -> NonInferiority | None:
    """Whether the mean over patients is on the good side of a limit, e.g. of what readers reach.

    Args:
        values: one a patient: Dice, or the absolute error of a volume.
        limit: in their unit; a margin that one grants is already in it.
        higher_is_better: True for Dice, False for errors and distances.
        seed: of the bootstrap.

    Returns:
        None for fewer than two patients, who have no interval.
    """
    if len(values) < 2:
        return None
    low, high = bootstrap_interval(values, seed=seed)
    kept, broken = (
        (low >= limit, high < limit) if higher_is_better else (high <= limit, low > limit)
    )
    return NonInferiority(
        cases=len(values),
        mean=float(values.mean()),
        interval=(low, high),
        limit=limit,
        verdict="not worse" if kept else "worse" if broken else "open",
    )
