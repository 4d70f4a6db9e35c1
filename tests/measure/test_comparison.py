"""Paired tests: against numbers by hand, and scipy's own."""

import numpy as np
import pytest

from heartseg.core.errors import MeasureError
from heartseg.measure.comparison import FEWEST_PAIRS, compare_paired, holm


def by_patient(values: list[float]) -> dict[str, float]:
    return {f"patient{number:03}": value for number, value in enumerate(values, start=1)}


def test_six_patients_that_all_agree_have_the_smallest_p_that_six_can_have():
    first = by_patient([0.91, 0.93, 0.90, 0.95, 0.88, 0.94])
    second = by_patient([0.90, 0.91, 0.87, 0.91, 0.83, 0.88])
    found = compare_paired(first, second)
    assert found.pairs == 6
    assert found.p == pytest.approx(2 / 2**6)  # one of 64 patterns of signs, both sides
    assert found.difference == pytest.approx(0.035)
    assert found.interval is not None
    assert 0.01 < found.interval[0] < 0.035 < found.interval[1] < 0.06


def test_one_patient_against_the_others_is_counted_by_its_rank():
    """Ranks 1..7, the smallest difference negative: patterns with a sum of ranks <= 1 are two."""
    gaps = [-0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07]
    found = compare_paired(by_patient(gaps), by_patient([0.0] * 7))
    assert found.p == pytest.approx(2 * 2 / 2**7)


def test_only_shared_patients_are_compared_whatever_their_order():
    first = {"c": 0.9, "a": 0.8, "x": 0.1}
    second = {"a": 0.7, "b": 0.0, "c": 0.6}
    found = compare_paired(first, second)
    assert (found.pairs, found.p) == (2, None)
    assert found.difference == pytest.approx(0.2)
    with pytest.raises(MeasureError, match="no patient in common"):
        compare_paired({"a": 1.0}, {"b": 1.0})


def test_methods_that_are_the_same_do_not_differ():
    values = by_patient([0.1 * n for n in range(8)])
    found = compare_paired(values, values)
    assert (found.p, found.difference) == (1.0, 0.0)


def test_fewer_patients_than_can_show_anything_are_not_tested():
    values = by_patient([0.5] * (FEWEST_PAIRS - 1))
    assert compare_paired(values, by_patient([0.4] * 9)).p is None


def test_chance_alone_is_found_significant_as_often_as_promised():
    random = np.random.default_rng(3)
    gaps = random.normal(0, 1, (400, 20))
    nothing = by_patient([0.0] * 20)
    hits = sum((compare_paired(by_patient(list(g)), nothing).p or 1) < 0.05 for g in gaps[:150])
    assert hits / 150 < 0.1


def test_holm_by_hand():
    """0.01 x 3; 0.02 x 2 = 0.04; 0.03 x 1 = 0.03, but never below the one before."""
    assert holm([0.03, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])


def test_holm_leaves_out_what_was_not_tested_and_stops_at_one():
    assert holm([None, 0.4, 0.9]) == [None, pytest.approx(0.8), pytest.approx(0.9)]
    assert holm([0.7, 0.6]) == [1.0, 1.0]
    assert holm([]) == []
