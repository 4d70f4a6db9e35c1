"""Is one method better than another: paired tests over patients, corrected for their number.

The same patients are scored by both methods, so the test is paired; Dice is bounded and skewed, so
it is of ranks (Wilcoxon, Biometrics Bulletin 1945;1:80). Of many comparisons some look significant
by chance: Holm's steps (Scand J Stat 1979;6:65) bound the chance that any of them does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from heartseg.core.errors import MeasureError
from heartseg.core.finding import Interval
from heartseg.measure.statistics import bootstrap_mean

READERS_DICE: Mapping[str, Interval] = MappingProxyType(
    {"lv": (0.92, 0.94), "myo": (0.87, 0.88), "rv": (0.87, 0.89)}
)
"""The human limit: mean Dice between two of three expert readers of the same 50 short-axis cine
studies (Bai et al., J Cardiovasc Magn Reson 2018;20:65), by key of the structure."""

FEWEST_PAIRS = 6
"""Of fewer patients even the clearest result has a two-sided p above 0.05: no test is made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """One method against another over the patients that both have.

    Attributes:
        pairs: patients with both values.
        difference: mean of first - second, in the metric's unit.
        interval: bootstrap interval of that mean over patients; None for fewer than two.
        p: two-sided Wilcoxon signed-rank test; None for fewer than `FEWEST_PAIRS` patients.
    """

    pairs: int
    difference: float
    interval: Interval | None
    p: float | None


def compare_paired(first: Mapping[str, float], second: Mapping[str, float]) -> Paired:
    """Compare one value a patient of two methods, by the patients' ids.

    Differences of zero count for neither side (Pratt 1959: they keep their ranks).

    Raises:
        MeasureError: no patient in common.
    """
    shared = [case for case in first if case in second]
    if not shared:
        raise MeasureError("paired comparison", got="no patient in common")
    gaps = np.array([first[case] - second[case] for case in shared], np.float64)
    return Paired(
        pairs=len(gaps),
        difference=float(gaps.mean()),
        interval=bootstrap_mean(gaps) if len(gaps) > 1 else None,
        p=_signed_rank(gaps) if len(gaps) >= FEWEST_PAIRS else None,
    )


def _signed_rank(gaps: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    from scipy.stats import wilcoxon

    if not gaps.any():
        return 1.0
    # Differences of scores as text differ in the last bits: ties are ties.
    return float(wilcoxon(np.round(gaps, 12), zero_method="pratt").pvalue)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjusted p values in the same order: below 0.05 all together with 5 % risk of any error.

    A None was no test; it is kept and not counted.
    """
    tested = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    least = 0.0
    for rank, (p, place) in enumerate(tested):
        least = max(least, min(1.0, (len(tested) - rank) * p))
        adjusted[place] = least
    return adjusted
