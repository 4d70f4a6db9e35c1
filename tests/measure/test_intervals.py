"""Intervals are as wide as their constants say, and hold what they promise."""

from dataclasses import replace

import numpy as np
import pytest

from heartseg.core.errors import ConfigError, MeasureError
from heartseg.core.finding import Finding
from heartseg.core.study import Phases, View
from heartseg.measure.calibration import KEYS, Calibration, Width
from heartseg.measure.intervals import (
    VALUES,
    borderline,
    fitted,
    interval_of,
    quantile,
    spreads,
    with_intervals,
)
from heartseg.measure.measures import STACK
from tests.measure.hearts import boxes, segmentation

CALIBRATION = Calibration(
    level=0.9,
    looks=4,
    patients=99,
    calibrated="by hand",
    findings={
        "lv_edv_ml": Width(times=2.0, floor=4.0),
        "lv_sv_ml": Width(times=1.5, floor=3.0),
        "lv_ef": Width(times=1.0, floor=0.04),
    },
)


def finding(key: str, value: float | None, unit: str = "mL") -> Finding:
    return Finding(key=key, name=key, value=value, unit=unit)


def given(*findings: Finding, **spread: float) -> dict[str, Finding]:
    return {one.key: one for one in with_intervals(findings, spread, CALIBRATION)}


def test_half_of_an_interval_grows_with_the_spread_and_never_shrinks_below_the_floor() -> None:
    found = given(finding("lv_edv_ml", 120.0), lv_edv_ml=3.0)
    assert found["lv_edv_ml"].interval == pytest.approx((110.0, 130.0))
    found = given(finding("lv_edv_ml", 120.0), lv_edv_ml=0.0)
    assert found["lv_edv_ml"].interval == pytest.approx((112.0, 128.0))


def test_what_is_in_proportion_has_an_interval_in_proportion() -> None:
    findings = (
        finding("lv_edv_ml", 120.0),
        finding("lv_sv_ml", 60.0),
        finding("lv_edv_ml_per_m2", 60.0, "mL/m2"),
        finding("co_l_min", 4.2, "L/min"),
        finding("co_l_min_per_m2", 2.1, "L/min/m2"),
    )
    found = given(*findings, lv_edv_ml=3.0, lv_sv_ml=4.0)
    assert found["lv_edv_ml_per_m2"].interval == pytest.approx((55.0, 65.0))
    assert found["lv_sv_ml"].interval == pytest.approx((52.5, 67.5))
    assert found["co_l_min"].interval == pytest.approx((4.2 * 52.5 / 60, 4.2 * 67.5 / 60))
    assert found["co_l_min_per_m2"].interval == pytest.approx((2.1 * 52.5 / 60, 2.1 * 67.5 / 60))


def test_an_interval_stays_where_volumes_and_shares_can_be() -> None:
    assert interval_of(3.0, 10.0, share=False) == (0.0, 13.0)
    assert interval_of(0.97, 0.1, share=True) == pytest.approx((0.87, 1.0))
    assert interval_of(0.02, 0.1, share=True) == pytest.approx((0.0, 0.12))


def test_without_value_spread_or_constants_there_is_none() -> None:
    absent = finding("lv_ef", None, "1")
    impossible = finding("lv_edv_ml", -3.0)
    found = given(absent, impossible, finding("rv_edv_ml", 90.0), lv_ef=0.01, rv_edv_ml=1.0)
    assert found["lv_ef"] == absent
    assert found["lv_edv_ml"].interval is None
    assert found["rv_edv_ml"].interval is None
    assert given(finding("lv_sv_ml", 60.0), lv_edv_ml=1.0)["lv_sv_ml"].interval is None
    assert given(impossible, lv_edv_ml=1.0)["lv_edv_ml"] == impossible


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.41, 0.49, None),
        (0.36, 0.39, None),
        (0.51, 0.60, None),
        (0.33, 0.34, None),
        (0.47, 0.53, "borderline: the interval holds 50 %"),
        (0.36, 0.42, "borderline: the interval holds 40 %"),
        (0.33, 0.42, "borderline: the interval holds 35 and 40 %"),
        (0.30, 0.55, "borderline: the interval holds 35, 40 and 50 %"),
    ],
)
def test_an_ejection_fraction_about_a_limit_is_borderline(
    low: float, high: float, said: str | None
) -> None:
    assert borderline((low, high)) == said


def test_borderline_is_said_beside_the_lv_ejection_fraction_and_what_else_is_to_mind() -> None:
    minded = replace(finding("lv_ef", 0.48, "1"), problem="EDV may be low")
    found = given(minded, lv_ef=0.03)["lv_ef"]
    assert found.interval == pytest.approx((0.43, 0.53))
    assert found.problem == "EDV may be low; borderline: the interval holds 50 %"
    assert given(finding("lv_ef", 0.6, "1"), lv_ef=0.03)["lv_ef"].problem is None


def test_spread_is_how_far_looks_lie_from_the_value_not_from_each_other() -> None:
    values = {"lv_edv_ml": 100.0, "lv_ef": 0.5, "rv_ef": None, "rv_edv_ml": 80.0}
    looks = [
        {"lv_edv_ml": 103.0, "lv_ef": 0.5, "rv_ef": 0.4, "rv_edv_ml": 80.0},
        {"lv_edv_ml": 104.0, "lv_ef": 0.5, "rv_ef": 0.4, "rv_edv_ml": None},
    ]
    found = spreads(values, looks)
    assert found["lv_edv_ml"] == pytest.approx(np.sqrt((9 + 16) / 2))
    assert found["lv_ef"] == 0
    assert set(found) == {"lv_edv_ml", "lv_ef"}
    assert spreads(values, []) == {}


def test_a_look_is_measured_as_a_stack_is() -> None:
    found = VALUES[View.SAX](segmentation(boxes()), Phases(ed=0, es=1, how="given"))
    assert set(found) == set(KEYS) <= set(STACK)
    ml = 8.0 * 1.5 * 1.25 / 1000
    assert found["lv_edv_ml"] == pytest.approx(480 * ml)
    assert found["lv_ef"] == pytest.approx(0.5)
    assert found["lv_mass_g"] == pytest.approx(416 * ml * 1.05)
    assert found["rv_sv_ml"] == pytest.approx(63 * ml)


def test_the_quantile_is_that_of_one_patient_more() -> None:
    scores = np.random.default_rng(0).permutation(np.arange(1.0, 20.0))  # 1 to 19
    assert quantile(scores, 0.9) == 18.0
    assert quantile(scores, 0.95) == 19.0
    assert quantile(scores[:9], 0.9) == scores[:9].max()
    with pytest.raises(MeasureError, match="8 patients; allowed: 9 or more"):
        quantile(scores[:8], 0.9)


def test_constants_hold_further_patients_of_the_same_kind() -> None:
    rng = np.random.default_rng(1)
    within = []
    for _ in range(150):
        spread = rng.gamma(2.0, 2.0, 240)
        errors = rng.standard_t(4, 240) * np.hypot(spread, 2.0)
        width = fitted(errors[:40], spread[:40], 0.9)
        halves = width.half(0.0) * np.hypot(spread[40:] / width.floor, 1.0)
        within.append(np.mean(np.abs(errors[40:]) <= halves))
    assert 0.885 < np.mean(within) < 0.915


def test_the_floor_is_high_where_the_spread_says_nothing_and_low_where_it_says_all() -> None:
    rng = np.random.default_rng(2)
    spread = rng.gamma(2.0, 2.0, 400)
    blind = fitted(rng.normal(0, 5, 400), spread, 0.9)
    telling = fitted(rng.normal(0, 1, 400) * spread, spread, 0.9)
    assert blind.half(0.0) == pytest.approx(5 * 1.645, rel=0.15)
    assert blind.half(12.0) < 1.3 * blind.half(0.0)
    assert telling.half(8.0) > 4 * telling.half(0.0)
    assert telling.half(8.0) == pytest.approx(8 * 1.645, rel=0.2)


def test_constants_of_a_model_without_errors_are_refused() -> None:
    with pytest.raises(MeasureError, match="no error in any patient"):
        fitted(np.zeros(20), np.ones(20), 0.9)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"level": 1.0}, "level: got 1"),
        ({"level": float("nan")}, "level"),
        ({"looks": 0}, "looks: got 0; allowed: 1 to 8"),
        ({"looks": 9}, "looks: got 9"),
        ({"findings": {"lv_gls": Width(times=1.0, floor=1.0)}}, "findings: got lv_gls"),
    ],
)
def test_constants_that_make_no_sense_are_refused(
    changed: dict[str, object], complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        replace(CALIBRATION, **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize(("times", "floor"), [(0.0, 1.0), (1.0, -1.0), (float("inf"), 1.0)])
def test_widths_that_are_none_are_refused(times: float, floor: float) -> None:
    with pytest.raises(ConfigError, match="above 0"):
        Width(times=times, floor=floor)


def test_what_the_intervals_cover_is_said_with_their_level() -> None:
    assert CALIBRATION.covers == (
        "90 % segmentation interval; reader and rescan variation not included"
    )
