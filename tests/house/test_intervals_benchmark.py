"""Coverage is counted with constants of other folds, and everything kept is what was counted."""

import csv
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from heartseg.measure.calibration import KEYS
from tests.house.scripts import ROOT, script


@pytest.fixture(scope="module")
def intervals() -> ModuleType:
    return script(ROOT / "benchmarks" / "intervals.py")


def people(module: ModuleType, fold: int, count: int, noise: float = 1.0) -> list[object]:
    """Patients whose errors are as large as the spread of their looks."""
    rng = np.random.default_rng(fold)
    made = []
    for number in range(count):
        doubt = float(rng.gamma(2.0, 1.0))
        drawn = {key: 0.45 if key.endswith("ef") else 100.0 for key in KEYS}
        scale = {key: (0.01 if key.endswith("ef") else 1.0) * doubt for key in KEYS}
        measured = {key: drawn[key] + noise * rng.normal() * scale[key] for key in KEYS}
        looks = [{key: measured[key] + side * scale[key] for key in KEYS} for side in [1, -1] * 2]
        bins = [[[10.0, 9.0, 8.0]] + [[0.0, 0.0, 0.0]] * (module.BINS - 1)] * len(
            module.TEMPERATURES
        )
        made.append(
            module.Looked(
                patient=f"patient{100 * fold + number:03d}",
                group=("DCM", "NOR")[number % 2],
                sha256=f"{fold:064d}",
                drawn=drawn,
                measured=measured,
                looks=looks,
                log_loss=[abs(t - 1.5) for t in module.TEMPERATURES],
                voxels=10,
                bins=bins,
            )
        )
    return made


@pytest.fixture(scope="module")
def folds(intervals: ModuleType) -> dict[str, list[object]]:
    return {f"fold-{fold}": people(intervals, fold, 20) for fold in range(3)}


def test_a_fold_is_judged_by_constants_of_the_others_only(
    intervals: ModuleType, folds: dict[str, list[object]]
) -> None:
    wild = {**folds, "fold-0": people(intervals, 0, 20, noise=30.0)}
    calm = {name: widths_of(intervals, folds, name) for name in folds}
    cases = {name: widths_of(intervals, wild, name) for name in folds}
    assert cases["fold-0"] == pytest.approx(calm["fold-0"])
    assert cases["fold-1"] > 3 * calm["fold-1"]
    within = [one.within for one in intervals.crossed(wild) if one.fold == "fold-0"]
    assert np.mean(within) < 0.3


def widths_of(module: ModuleType, folds: dict[str, list[object]], name: str) -> float:
    """Half of an interval in its spread, so that other patients may be compared."""
    mine = [o for o in module.crossed(folds) if (o.fold, o.key) == (name, "lv_edv_ml")]
    return float(np.median([(one.high - one.low) / 2 / one.spread for one in mine]))


def test_the_rows_count_the_cases(intervals: ModuleType, folds: dict[str, list[object]]) -> None:
    cases = list(intervals.crossed(folds))
    where = intervals._conditions(folds, 4)
    rows = {(r.measure, r.data): r for r in intervals.coverage_rows(cases, where)}
    row = rows["lv_ef, coverage", "ACDC"]
    mine = [one for one in cases if one.key == "lv_ef"]
    assert (row.runs, float(row.value)) == ("60", pytest.approx(np.mean([o.within for o in mine])))
    assert float(row.low) < float(row.value) < float(row.high)
    assert rows["lv_ef, coverage", "ACDC, group NOR"].runs == "30"
    assert rows["rv_edv_ml, interval width", "ACDC"].unit == "mL"
    assert rows["lv_mass_g, MAE", "ACDC"].unit == "g"
    assert float(rows["lv_ef, borderline", "ACDC"].value) > 0


def test_an_exact_interval_is_that_of_clopper_and_pearson(intervals: ModuleType) -> None:
    row = intervals._share_row("x", [True] * 9 + [False], intervals_where(intervals))
    assert (row.value, row.low, row.high) == ("0.9", "0.555", "0.9975")  # published tables


def intervals_where(module: ModuleType) -> dict[str, str]:
    where: dict[str, str] = {**module._conditions({"a": people(module, 1, 1)}, 4), "data": "-"}
    return where


def test_the_temperature_is_that_of_the_least_loss(
    intervals: ModuleType, folds: dict[str, list[object]]
) -> None:
    before, after, chosen = intervals.sure_bins(folds)
    nearest = min(intervals.TEMPERATURES, key=lambda t: abs(t - 1.5))
    assert chosen == [nearest] * 3
    assert intervals.calibration_error(before) == pytest.approx(0.1)
    assert before[0].tolist() == after[0].tolist() == [600.0, 540.0, 480.0]


def test_the_second_record_of_one_examination_does_not_count(intervals: ModuleType) -> None:
    twins = people(intervals, 0, 77)[74:77]
    assert [one.patient for one in intervals._once(twins)] == ["patient074", "patient075"]


def test_another_model_is_checked_without_its_own_patients_in_either_way(
    intervals: ModuleType, folds: dict[str, list[object]]
) -> None:
    everybody = [one for fold in folds.values() for one in fold]
    small = people(intervals, 1, 20, noise=0.2)  # the patients of fold-1, and a better model
    (first, by_folds), (second, by_own) = intervals.checked(small, everybody)
    assert (first, second) == (intervals.TEST, intervals.OWN)
    others = [one for name in ("fold-0", "fold-2") for one in folds[name]]
    constants = intervals.widths(others)
    case = next(one for one in by_folds if one.key == "rv_edv_ml")
    assert (case.high - case.low) / 2 == pytest.approx(constants["rv_edv_ml"].half(case.spread))
    wide, narrow = (np.mean([one.high - one.low for one in some]) for some in (by_folds, by_own))
    assert narrow < 0.5 * wide
    assert 0.8 < np.mean([one.within for one in by_own]) < 1
    assert len(by_own) == len(by_folds) == 20 * len(KEYS)


def test_constants_and_cases_are_kept_and_the_page_has_their_table(
    intervals: ModuleType,
    folds: dict[str, list[object]],
    tmp_path: Path,
) -> None:
    cases = list(intervals.crossed(folds))
    calibration = intervals.calibrated([one for f in folds.values() for one in f], "three")
    assert (calibration.patients, calibration.looks, set(calibration.findings)) == (60, 4, {*KEYS})
    intervals._write(tmp_path / "cases.csv", map(intervals._as_line, cases))
    intervals._write(tmp_path / "constants.csv", intervals.constants({"folds": calibration}))
    kept = list(csv.DictReader((tmp_path / "cases.csv").read_text("utf-8").splitlines()))
    assert len(kept) == len(cases) == 60 * len(KEYS)
    assert {line["within"] for line in kept} == {"0", "1"}
    rows = intervals.coverage_rows(cases, intervals._conditions(folds, 4))
    page = tmp_path / "page.md"
    marks = ("<!-- written by benchmarks/intervals.py -->", "<!-- end of table -->")
    page.write_text(f"a\n{marks[0]}\nstale\n{marks[1]}\nz\n", encoding="utf-8")
    intervals.write_table(page, "intervals.py", intervals.table(rows))
    text = page.read_text(encoding="utf-8")
    assert "stale" not in text
    assert text.startswith("a\n")
    assert text.endswith(f"{marks[1]}\nz\n")
    assert text.count("| `") == len(KEYS)
    assert "| `lv_ef` | 60 | 3 folds |" in text
