import numpy as np
import pytest

from heartseg.measure.agreement import AgreementRow
from heartseg.measure.summary import Summary, summarise
from tests.measure.hearts import LV, RV


def row(case, structure, phase, dice, hd95=2.0):
    return AgreementRow(
        case=case, frame=0, phase=phase, structure=structure,
        values={"dice": dice, "hausdorff95_mm": hd95, "hausdorff_mm": hd95, "assd_mm": 1.0},
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
