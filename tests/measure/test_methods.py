"""Several methods: who is better is said in the right direction, and only where it is clear."""

import numpy as np
import pytest

from heartseg.measure.agreement import AgreementRow
from heartseg.measure.methods import Method, against_readers, compare_methods
from heartseg.measure.statistics import holm, paired_wilcoxon
from tests.measure.hearts import LV, RV

CASES = [f"p{number:02}" for number in range(14)]
NOISE = np.random.default_rng(5).normal(0, 0.004, len(CASES))


def row(case: str, structure, phase: str, dice: float, far: float | None) -> AgreementRow:
    values = {"dice": dice, "hausdorff95_mm": far, "assd_mm": 1.0}
    return AgreementRow(case=case, frame=0, phase=phase, structure=structure, values=values)


def method(dice: float, far: float, ef_error: float, cases: list[str] = CASES) -> Method:
    """LV as said; the RV the same for all methods."""
    rows = [
        row(case, structure, phase, (dice if structure is LV else 0.8) + step + noise, far)
        for case, noise in zip(CASES, NOISE, strict=True)
        for structure in (LV, RV)
        for phase, step in (("ED", 0.01), ("ES", -0.01))
        if case in cases
    ]
    errors = {c: ef_error + abs(n) for c, n in zip(CASES, NOISE, strict=True) if c in cases}
    return Method(rows=rows, errors={"lv_ef": errors})


GOOD, POOR = method(0.95, 2.0, 0.01), method(0.90, 5.0, 0.06)


def test_the_better_one_is_named_whichever_comes_first_and_whatever_is_better():
    for methods in ({"good": GOOD, "poor": POOR}, {"poor": POOR, "good": GOOD}):
        found = {(d.measure, d.structure): d for d in compare_methods(methods)}

        assert found["dice", "lv"].better == "good"
        assert found["hausdorff95_mm", "lv"].better == "good"
        assert found["lv_ef", ""].better == "good"
        assert found["dice", "rv"].better == ""
        assert found["assd_mm", "lv"].p_value == 1.0


def test_a_case_counts_once_with_the_mean_of_its_phases():
    found = {(d.measure, d.structure): d for d in compare_methods({"a": GOOD, "b": POOR})}
    lv = found["dice", "lv"]

    assert lv.cases == len(CASES)
    assert lv.first_mean == pytest.approx(0.95 + NOISE.mean())
    assert lv.difference == pytest.approx(0.05)
    assert lv.p_value == pytest.approx(
        paired_wilcoxon([0.05] * len(CASES), [0.0] * len(CASES)).p_value
    )


def test_all_tests_are_corrected_together():
    found = compare_methods({"a": GOOD, "b": POOR, "c": GOOD})

    assert len(found) == 3 * (3 * 2 + 1)
    assert [d.p_holm for d in found] == list(holm([d.p_value for d in found]))
    assert {(d.first, d.second) for d in found} == {("a", "b"), ("a", "c"), ("b", "c")}


def test_only_cases_of_both_are_compared():
    found = compare_methods({"a": GOOD, "b": method(0.9, 5.0, 0.06, CASES[:4])})

    assert {d.cases for d in found} == {4}
    assert {(d.p_value, d.better) for d in found} == {(None, "")}
    assert compare_methods({"a": GOOD}) == ()
    assert compare_methods({"a": method(0.9, 1, 0.1, CASES[:3]),
                            "b": method(0.9, 1, 0.1, CASES[5:])}) == ()  # fmt: skip


def test_the_human_limit_is_the_pair_of_readers_that_agrees_best():
    found = {(h.method, h.measure, h.structure): h
             for h in against_readers({"good": GOOD, "poor": POOR})}  # fmt: skip

    assert found["good", "dice", "lv"].result.limit == 0.94
    assert found["good", "dice", "lv"].result.verdict == "not worse"
    assert found["poor", "dice", "lv"].result.verdict == "worse"
    assert found["good", "lv_ef", ""].result.limit == 0.046
    assert found["good", "lv_ef", ""].result.verdict == "not worse"
    assert found["poor", "lv_ef", ""].result.verdict == "worse"
    assert ("good", "dice", "myo") not in found
