import numpy as np
import pytest

from heartseg.core.errors import MeasureError
from heartseg.measure.statistics import (
    bootstrap_interval,
    bootstrap_mean,
    holm,
    non_inferiority,
    paired_wilcoxon,
)


def test_the_interval_is_about_the_standard_errors():
    values = np.random.default_rng(2).normal(0.9, 0.05, 400)

    low, high = bootstrap_mean(values)

    error = values.std() / 20
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.2 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.2 * error)
    assert bootstrap_mean(values) == (low, high)


def test_the_interval_of_any_statistic_is_scipys():
    """Another implementation draws other patients: the edges agree to some percent of the width."""
    from scipy.stats import bootstrap

    values = np.random.default_rng(7).gamma(2.0, 1.0, 60)
    for statistic in (np.mean, np.median):
        low, high = bootstrap_interval(values, statistic, level=0.9, resamples=4000, seed=3)
        other = bootstrap(
            (values,), statistic, confidence_level=0.9, n_resamples=4000, method="percentile",
            rng=np.random.default_rng(1),
        ).confidence_interval  # fmt: skip
        width = other.high - other.low
        assert low == pytest.approx(other.low, abs=0.08 * width)
        assert high == pytest.approx(other.high, abs=0.08 * width)


def test_rows_are_drawn_together():
    """Pairs stay pairs: the interval of a difference that never varies has no width."""
    pairs = np.column_stack([np.arange(9.0), np.arange(9.0) - 2])

    def gap(values, *, axis):
        return (values[..., 0] - values[..., 1]).mean(axis=axis)

    assert bootstrap_interval(pairs, gap) == (2.0, 2.0)


def test_a_bootstrap_needs_values_and_a_level():
    with pytest.raises(MeasureError, match="no values"):
        bootstrap_interval(np.zeros(0))
    with pytest.raises(MeasureError, match="in .0, 1."):
        bootstrap_interval(np.ones(3), level=95)


def test_wilcoxon_on_darwins_plants():
    """Heights of 15 pairs of plants, in eighths of an inch: W- = 24, exact two-sided p = .0413."""
    crossed_minus_selfed = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    found = paired_wilcoxon(crossed_minus_selfed, [0.0] * 15)

    assert found.p_value == pytest.approx(0.0413, abs=5e-5)
    assert found.mean_difference == pytest.approx(314 / 15)
    assert found.median_difference == 24
    back = paired_wilcoxon([0.0] * 15, crossed_minus_selfed)
    assert back.p_value == found.p_value
    assert back.mean_difference == -found.mean_difference


def test_wilcoxon_by_counting_all_signs():
    gaps = np.array([0.9, 0.1, -0.4, 1.2, 0.35, 0.7, 2.0])
    ranks = gaps.__abs__().argsort().argsort() + 1
    signs = np.array(np.meshgrid(*[[0, 1]] * len(gaps))).reshape(len(gaps), -1).T
    sums = signs @ ranks
    seen = ranks[gaps > 0].sum()
    by_hand = 2 * min((sums >= seen).mean(), (sums <= seen).mean())

    assert paired_wilcoxon(gaps.tolist(), [0.0] * 7).p_value == pytest.approx(by_hand)


def test_equal_pairs_keep_their_ranks():
    """Pratt: four of twelve do not differ; by all signs of the others 0.039, and 0.055 without."""
    gaps = [0.0, 0, 0, 0, 1, 2, 3, -4, 5, 6, 7, 8]

    assert paired_wilcoxon(gaps, [0.0] * 12).p_value == pytest.approx(0.039, abs=0.008)


def test_pairs_without_a_value_are_left_out_and_counted():
    found = paired_wilcoxon([0.9, None, 0.8, 0.7], [0.8, 0.5, None, 0.9])

    assert (found.pairs, found.missing) == (2, 2)
    assert found.mean_difference == pytest.approx(-0.05)
    assert found.p_value is None
    assert found.interval is not None
    assert paired_wilcoxon([0.9], [0.8]).interval is None


def test_equal_methods_have_p_one():
    same = [0.9, 0.8, 0.7, 0.95, 0.85, 0.6]

    assert paired_wilcoxon(same, same).p_value == 1.0
    assert paired_wilcoxon(same, [s + 1e-15 for s in same]).p_value == 1.0


def test_what_cannot_be_paired_is_an_error():
    with pytest.raises(MeasureError, match="one pair a case"):
        paired_wilcoxon([1.0], [1.0, 2.0])
    with pytest.raises(MeasureError, match="no case"):
        paired_wilcoxon([None], [1.0])
    with pytest.raises(MeasureError, match="not a number"):
        paired_wilcoxon([np.nan], [1.0])


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert holm([0.5, None, 0.9]) == (1.0, None, 1.0)
    assert holm([]) == ()
    with pytest.raises(MeasureError, match="p = 1.2"):
        holm([0.1, 1.2])


def test_non_inferiority_has_three_answers():
    good = np.array([0.94, 0.95, 0.93, 0.96, 0.94])

    assert non_inferiority(good, 0.92, higher_is_better=True).verdict == "not worse"
    assert non_inferiority(good, 0.94, higher_is_better=True).verdict == "open"
    assert non_inferiority(good, 0.97, higher_is_better=True).verdict == "worse"
    assert non_inferiority(good, 0.97, higher_is_better=False).verdict == "not worse"
    assert non_inferiority(good, 0.92, higher_is_better=False).verdict == "worse"
    found = non_inferiority(good, 0.92, higher_is_better=True)
    assert (found.cases, found.limit) == (5, 0.92)
    assert found.interval == bootstrap_mean(good)
    assert non_inferiority(good[:1], 0.5, higher_is_better=True) is None
