"""Against published examples, scipy, and simulation."""

import numpy as np
import pytest

from heartseg.core.errors import MeasureError
from heartseg.measure.concordance import clinical_agreement, concordance, intraclass

WRIGHT = np.array([494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423,
                   427], float)  # fmt: skip
MINI = np.array([512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350,
                 451], float)  # fmt: skip
"""Peak expiratory flow of 17 people by two meters, L/min (Bland and Altman, Lancet 1986;1:307)."""

JUDGES = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9],
                   [6, 2, 4, 7]], float)  # fmt: skip
"""Six targets by four judges (Shrout and Fleiss, Psychol Bull 1979;86:420, table 2)."""


def test_bland_and_altmans_own_example():
    """They print bias -2.1 (-22.0 to 17.8), SD 38.8, r .94; their intervals of the limits are 34.6
    to either side, by the rounder standard error of 1986."""
    found = clinical_agreement(WRIGHT.tolist(), MINI.tolist())

    assert found.bias == pytest.approx(-2.1, abs=0.05)
    assert found.bias_interval == pytest.approx((-22.0, 17.8), abs=0.1)
    assert found.limits == pytest.approx((-2.1 - 1.96 * 38.8, -2.1 + 1.96 * 38.8), abs=0.1)
    low, high = found.lower_limit_interval
    assert (high - low) / 2 == pytest.approx(34.6, abs=0.4)
    assert (low + high) / 2 == pytest.approx(found.limits[0])
    assert sum(found.upper_limit_interval) / 2 == pytest.approx(found.limits[1])
    assert found.pearson_r == pytest.approx(0.943, abs=5e-4)


def test_pearsons_interval_is_scipys():
    from scipy.stats import pearsonr

    found = clinical_agreement(WRIGHT.tolist(), MINI.tolist())
    other = pearsonr(WRIGHT, MINI)

    assert found.pearson_r == pytest.approx(other.statistic)
    assert found.pearson_interval == pytest.approx(tuple(other.confidence_interval()))


def test_shrout_and_fleiss_own_example():
    agreement, consistency = intraclass(JUDGES)

    assert agreement.value == pytest.approx(0.29, abs=0.005)
    assert agreement.interval == pytest.approx((0.02, 0.76), abs=0.005)
    assert consistency.value == pytest.approx(0.71, abs=0.005)
    assert consistency.interval == pytest.approx((0.34, 0.95), abs=0.005)


def test_bias_lowers_agreement_and_not_consistency():
    shifted = clinical_agreement((WRIGHT + 100).tolist(), WRIGHT.tolist())

    assert shifted.icc_3_1.value == pytest.approx(1.0)
    assert shifted.pearson_r == pytest.approx(1.0)
    assert shifted.icc_2_1.value < 0.8
    assert shifted.concordance.value < 0.8
    assert shifted.bias == pytest.approx(100)


def test_lins_coefficient_is_pearson_times_bias_correction():
    found = concordance(WRIGHT, MINI)
    r = np.corrcoef(WRIGHT, MINI)[0, 1]
    scale = WRIGHT.std() / MINI.std()
    shift = (WRIGHT.mean() - MINI.mean()) / np.sqrt(WRIGHT.std() * MINI.std())

    assert found.value == pytest.approx(r * 2 / (scale + 1 / scale + shift**2))


def test_lins_interval_covers_what_it_says():
    """True concordance of two normal variables known; 95 % of the intervals hold it."""
    rng = np.random.default_rng(4)
    rho, shift, scale = 0.8, 0.5, 1.3
    truth = 2 * rho * scale / (1 + scale**2 + shift**2)
    held = []
    for _ in range(600):
        first = rng.normal(size=50)
        second = shift + scale * (rho * first + np.sqrt(1 - rho**2) * rng.normal(size=50))
        low, high = concordance(first, second).interval
        held.append(low <= truth <= high)

    assert np.mean(held) == pytest.approx(0.95, abs=0.025)


@pytest.mark.parametrize("form", [0, 1])
def test_intraclass_intervals_cover_what_they_say(form):
    """Cases with SD 2, raters with SD 1, errors with SD 1: 4/6 of agreement, 4/5 of consistency."""
    rng = np.random.default_rng(11)
    truth = (4 / 6, 4 / 5)[form]
    held = []
    for _ in range(500):
        ratings = 2 * rng.normal(size=(20, 1)) + rng.normal(size=(1, 5)) + rng.normal(size=(20, 5))
        low, high = intraclass(ratings)[form].interval
        held.append(low <= truth <= high)

    assert np.mean(held) == pytest.approx(0.95, abs=0.03)


def test_bland_altman_by_hand():
    agreement = clinical_agreement([0.50, 0.62, None, 0.33], [0.48, 0.66, 0.5, 0.30])

    gaps = np.array([0.02, -0.04, 0.03])
    assert (agreement.cases, agreement.missing) == (3, 1)
    assert agreement.bias == pytest.approx(gaps.mean())
    assert agreement.mean_absolute_error == pytest.approx(0.03)
    assert agreement.limits == pytest.approx(
        (gaps.mean() - 1.96 * gaps.std(ddof=1), gaps.mean() + 1.96 * gaps.std(ddof=1))
    )
    expected = np.corrcoef([0.50, 0.62, 0.33], [0.48, 0.66, 0.30])[0, 1]
    assert agreement.pearson_r == pytest.approx(expected)


def test_too_few_pairs_have_no_limits_and_no_correlation():
    one = clinical_agreement([0.5], [0.4])

    assert one.bias == pytest.approx(0.1)
    assert one.limits is None
    assert one.pearson_r is one.icc_2_1 is one.concordance is one.bias_interval is None
    assert clinical_agreement([1.0, 1, 1], [1.0, 2, 3]).pearson_r is None


def test_nothing_to_compare_is_an_error():
    with pytest.raises(MeasureError, match="no case"):
        clinical_agreement([None], [0.5])
    with pytest.raises(MeasureError, match="one pair a case"):
        clinical_agreement([0.5], [0.5, 0.4])


def test_perfect_agreement_has_no_error():
    found = clinical_agreement([1.0, 2.0, 3.0, 5.0], [1.0, 2.0, 3.0, 5.0])

    assert found.limits == found.bias_interval == (0.0, 0.0)
    assert found.pearson_r == pytest.approx(1.0)
    assert found.concordance.value == pytest.approx(1.0)
    assert found.icc_2_1.value == found.icc_3_1.value == pytest.approx(1.0)


def test_what_does_not_vary_has_no_coefficients():
    found = clinical_agreement([2.0, 2.0, 2.0], [2.0, 2.0, 2.0])

    assert found.icc_2_1 is found.icc_3_1 is found.concordance is found.pearson_r is None


def test_ratings_need_cases_and_raters():
    with pytest.raises(MeasureError, match="2 or more"):
        intraclass(np.ones((5, 1)))
