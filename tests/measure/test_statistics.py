import numpy as np
import pytest

from heartseg.core.errors import MeasureError
from heartseg.measure.agreement import AgreementRow
from heartseg.measure.statistics import Summary, bootstrap_mean, clinical_agreement, summarise
from tests.measure.hearts import LV, RV


def row(case, structure, phase, dice, hd95=2.0):
    return AgreementRow(
        case=case, frame=0, phase=phase, structure=structure, dice=dice, hausdorff95_mm=hd95,
        hausdorff_mm=hd95, assd_mm=1.0, volume_pred_ml=100.0, volume_truth_ml=99.0,
    )  # fmt: skip


def pick(summaries, metric, structure, phase) -> Summary:
    (found,) = [
        s for s in summaries if (s.metric, s.structure, s.phase) == (metric, structure, phase)
    ]
    return found


ROWS = [
    row("a", LV, "ED", 0.9), row("a", LV, "ES", 0.8), row("a", RV, "ED", 0.7),
    row("a", RV, "ES", 0.6), row("b", LV, "ED", 1.0), row("b", LV, "ES", 0.9),
    row("b", RV, "ED", 0.8), row("b", RV, "ES", 0.0, None), row("c", LV, "ED", 0.5),
]  # fmt: skip


def test_summaries_by_hand():
    summaries = summarise(ROWS)

    lv_ed = pick(summaries, "dice", "lv", "ED")
    assert (lv_ed.cases, lv_ed.missing) == (3, 0)
    assert lv_ed.mean == pytest.approx(0.8)
    assert lv_ed.sd == pytest.approx(np.std([0.9, 1.0, 0.5], ddof=1))
    assert lv_ed.median == pytest.approx(0.9)
    assert pick(summaries, "dice", "lv", "all").mean == pytest.approx((0.85 + 0.95 + 0.5) / 3)
    assert pick(summaries, "dice", "all", "all").mean == pytest.approx((0.75 + 0.675 + 0.5) / 3)


def test_missing_distances_are_counted_not_averaged():
    far = pick(summarise(ROWS), "hausdorff95_mm", "rv", "ES")

    assert (far.cases, far.missing, far.mean, far.interval) == (1, 1, 2.0, None)
    none = pick(summarise([row("b", RV, "ES", 0.0, None)]), "hausdorff95_mm", "rv", "ES")
    assert (none.cases, none.missing, none.mean, none.sd, none.median) == (0, 1, None, None, None)


def test_patients_are_resampled_not_images():
    """Ten frames of one patient are one patient: the interval does not shrink."""
    rng = np.random.default_rng(5)
    scores = rng.uniform(0.7, 0.95, 12)
    once = [row(f"p{i}", LV, "ED", s) for i, s in enumerate(scores)]
    often = [row(f"p{i}", LV, "ED", s) for i, s in enumerate(scores) for _ in range(10)]

    first, second = (pick(summarise(rows), "dice", "lv", "ED") for rows in (once, often))
    assert second.cases == first.cases == 12
    assert second.interval == pytest.approx(first.interval)


def test_the_interval_is_about_the_standard_errors():
    values = np.random.default_rng(2).normal(0.9, 0.05, 400)

    low, high = bootstrap_mean(values)

    error = values.std() / 20
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.2 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.2 * error)
    assert bootstrap_mean(values) == (low, high)


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
    assert one.pearson_r is None
    assert clinical_agreement([1.0, 1, 1], [1.0, 2, 3]).pearson_r is None


def test_nothing_to_compare_is_an_error():
    with pytest.raises(MeasureError, match="no case"):
        clinical_agreement([None], [0.5])
    with pytest.raises(MeasureError, match="one pair a case"):
        clinical_agreement([0.5], [0.5, 0.4])
