"""How well a measured number agrees with its reference: what method comparisons report.

* Bias and limits of agreement: Bland and Altman, Lancet 1986;1:307; their intervals with the
  standard errors of Stat Methods Med Res 1999;8:135 and Student's t. The limits are approximate
  below some forty cases.
* Pearson's r with Fisher's interval. A high r is no agreement: it forgives any bias and scale.
* Concordance: Lin, Biometrics 1989;45:255, with its interval on Fisher's scale as corrected in
  Biometrics 2000;56:324. Variances are divided by n there.
* Intraclass correlations of single measurements: Shrout and Fleiss, Psychol Bull 1979;86:420. Form
  (2,1), two-way random, absolute agreement, is lowered by bias; form (3,1), two-way mixed,
  consistency, is not. Both with their intervals.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import MeasureError
from heartseg.core.finding import Interval
from heartseg.measure.statistics import LEVEL, bootstrap_mean, complete_pairs

LIMITS_SD = 1.96
"""The limits of agreement are bias +- 1.96 SD."""

FEWEST_FOR_CORRELATION = 4
"""Fisher's scale has a standard error of 1/sqrt(n - 3)."""

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficient:
    """A coefficient between -1 and 1, with its interval at `LEVEL`; None where it has none."""

    value: float
    interval: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicalAgreement:
    """Agreement of a measured number with its reference, over cases, in the number's unit.

    Attributes:
        cases: pairs where both values are there.
        missing: pairs where one is not.
        bias: mean of measured - reference.
        bias_interval: of the bias; None for fewer than two cases, as the four below.
        mean_absolute_error: mean of its size.
        error_interval: of that mean, by bootstrap over patients.
        limits: Bland-Altman limits of agreement.
        lower_limit_interval: of the lower one.
        upper_limit_interval: of the upper one.
        pearson_r: None where it is not defined, as the three below.
        pearson_interval: None also for fewer than four cases.
        concordance: Lin's.
        icc_2_1: of absolute agreement.
        icc_3_1: of consistency.
    """

    cases: int
    missing: int
    bias: float
    bias_interval: Interval | None
    mean_absolute_error: float
    error_interval: Interval | None
    limits: Interval | None
    lower_limit_interval: Interval | None
    upper_limit_interval: Interval | None
    pearson_r: float | None
    pearson_interval: Interval | None
    concordance: Coefficient | None
    icc_2_1: Coefficient | None
    icc_3_1: Coefficient | None


def clinical_agreement(
    measured: Sequence[float | None], reference: Sequence[float | None]
) -> ClinicalAgreement:
    """Compare one number a case, e.g. LV ejection fractions, with its reference.

    Raises:
        MeasureError: sequences of different lengths, or no pair to compare.
    """
    ours, theirs = complete_pairs("clinical agreement", measured, reference)
    gaps = ours - theirs
    many = len(gaps) > 1
    limits, around = limits_of_agreement(gaps) if many else (None, None)
    pearson = _pearson(ours, theirs)
    icc = intraclass(np.column_stack([ours, theirs])) if many else (None, None)
    return ClinicalAgreement(
        cases=len(gaps),
        missing=len(measured) - len(gaps),
        bias=float(gaps.mean()),
        bias_interval=_about(float(gaps.mean()), _standard_error(gaps), gaps) if many else None,
        mean_absolute_error=float(np.abs(gaps).mean()),
        error_interval=bootstrap_mean(np.abs(gaps)) if many else None,
        limits=limits,
        lower_limit_interval=None if around is None else around[0],
        upper_limit_interval=None if around is None else around[1],
        pearson_r=None if pearson is None else pearson.value,
        pearson_interval=None if pearson is None else pearson.interval,
        concordance=concordance(ours, theirs),
        icc_2_1=icc[0],
        icc_3_1=icc[1],
    )


def limits_of_agreement(gaps: Values) -> tuple[Interval, tuple[Interval, Interval]]:
    """Bland and Altman's limits, and the intervals of the lower and the upper one.

    Args:
        gaps: measured - reference, of two cases at least.
    """
    spread = float(gaps.std(ddof=1))
    limits = tuple(float(gaps.mean()) + side * LIMITS_SD * spread for side in (-1, 1))
    error = spread * float(np.sqrt(1 / len(gaps) + LIMITS_SD**2 / (2 * (len(gaps) - 1))))
    low, high = (_about(limit, error, gaps) for limit in limits)
    return (limits[0], limits[1]), (low, high)


def _standard_error(gaps: Values) -> float:
    return float(gaps.std(ddof=1) / np.sqrt(len(gaps)))


def _about(value: float, error: float, gaps: Values) -> Interval:
    from scipy.special import stdtrit

    reach = float(stdtrit(len(gaps) - 1, (1 + LEVEL) / 2)) * error
    return value - reach, value + reach


def _pearson(first: Values, second: Values) -> Coefficient | None:
    if len(first) < 3 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    r = float(np.clip(np.corrcoef(first, second)[0, 1], -1.0, 1.0))
    error = 1 / np.sqrt(len(first) - 3) if len(first) >= FEWEST_FOR_CORRELATION else None
    return Coefficient(value=r, interval=None if error is None else _fisher(r, float(error)))


def concordance(first: Values, second: Values) -> Coefficient | None:
    """Lin's coefficient; None for fewer than three pairs or where either does not vary."""
    pearson = _pearson(first, second)
    if pearson is None:
        return None
    r, n = pearson.value, len(first)
    u = (first.mean() - second.mean()) ** 2 / (first.std() * second.std())
    shared = np.mean((first - first.mean()) * (second - second.mean()))
    value = float(2 * shared / (first.var() + second.var() + (first.mean() - second.mean()) ** 2))
    if n < FEWEST_FOR_CORRELATION or not 0 < abs(value) < 1 or r == 0 or abs(r) == 1:
        return Coefficient(value=value, interval=None)
    c2 = value**2
    spread = (
        (1 - r**2) * c2 / ((1 - c2) * r**2)
        + 2 * value**3 * (1 - value) * u / (r * (1 - c2) ** 2)
        - value**4 * u**2 / (2 * r**2 * (1 - c2) ** 2)
    ) / (n - 2)
    interval = _fisher(value, float(np.sqrt(spread))) if spread >= 0 else None
    return Coefficient(value=value, interval=interval)


def _fisher(value: float, error: float) -> Interval:
    """About a coefficient, from its standard error on Fisher's scale."""
    from scipy.special import ndtri

    if abs(value) == 1:
        return value, value
    reach = float(ndtri((1 + LEVEL) / 2)) * error
    centre = float(np.arctanh(value))
    return float(np.tanh(centre - reach)), float(np.tanh(centre + reach))


def intraclass(ratings: Values) -> tuple[Coefficient | None, Coefficient | None]:
    """The intraclass correlations (2,1) and (3,1) of Shrout and Fleiss.

    Args:
        ratings: (cases, raters), two of each at least.

    Returns:
        Absolute agreement and consistency of single ratings; None where nothing varies.

    Raises:
        MeasureError: fewer than two cases or raters.
    """
    if ratings.ndim != 2 or min(ratings.shape) < 2:
        got = f"shape {ratings.shape}"
        raise MeasureError("intraclass correlation", got=got, allowed="2 or more cases and raters")
    n, k = ratings.shape
    cases = k * float(ratings.mean(axis=1).var(ddof=1))
    raters = n * float(ratings.mean(axis=0).var(ddof=1))
    centred = ratings - ratings.mean(axis=1, keepdims=True) - ratings.mean(axis=0) + ratings.mean()
    error = float((centred**2).sum()) / ((n - 1) * (k - 1))
    if cases + (k - 1) * error == 0:
        return None, None
    squares = _Squares(n, k, cases, raters, error)
    return squares.agreement(), squares.consistency()


@dataclass(frozen=True, slots=True)
class _Squares:
    """Mean squares of a two-way table of n cases by k raters."""

    n: int
    k: int
    cases: float
    raters: float
    error: float

    def agreement(self) -> Coefficient:
        """Form (2,1), with Satterthwaite's degrees of freedom for its interval."""
        n, k, error = self.n, self.k, self.error
        total = self.cases + (k - 1) * error + k * (self.raters - error) / n
        value = (self.cases - error) / total
        if error == 0:
            return Coefficient(value=value, interval=None)
        ratio = self.raters / error
        a = k * ratio * value
        b = n * (1 + (k - 1) * value) - k * value
        freedom = (k - 1) * (n - 1) * (a + b) ** 2 / ((n - 1) * a**2 + b**2)
        low_f, high_f = _f_quantile(n - 1, freedom), _f_quantile(freedom, n - 1)
        rest = k * self.raters + (k * n - k - n) * error
        return Coefficient(
            value=value,
            interval=(
                n * (self.cases - low_f * error) / (low_f * rest + n * self.cases),
                n * (high_f * self.cases - error) / (rest + n * high_f * self.cases),
            ),
        )

    def consistency(self) -> Coefficient:
        """Form (3,1)."""
        n, k, error = self.n, self.k, self.error
        value = (self.cases - error) / (self.cases + (k - 1) * error)
        if error == 0:
            return Coefficient(value=value, interval=None)
        ratio, freedom = self.cases / error, (n - 1) * (k - 1)
        low = ratio / _f_quantile(n - 1, freedom)
        high = ratio * _f_quantile(freedom, n - 1)
        return Coefficient(
            value=value, interval=((low - 1) / (low + k - 1), (high - 1) / (high + k - 1))
        )


def _f_quantile(above: float, below: float) -> float:
    from scipy.special import fdtri

    return float(fdtri(above, below, (1 + LEVEL) / 2))
