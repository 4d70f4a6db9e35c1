"""Robustness is measured as its page says: paired, patient by patient, worst named, resumable."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from heartseg.core.anatomy import SCHEMES
from heartseg.core.finding import Quality
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.core.study import Modality, Phases, Study, View
from tests.doors import SHAPE, SPACING_MM, heart, painted
from tests.house.scripts import ROOT, script

BENCHMARKS = ROOT / "benchmarks"


@pytest.fixture(scope="module")
def robustness() -> ModuleType:
    return script(BENCHMARKS / "robustness.py")


@pytest.fixture(scope="module")
def summed() -> ModuleType:
    return script(BENCHMARKS / "robustness_table.py")


@pytest.fixture(scope="module")
def pages() -> ModuleType:
    return script(ROOT / "docs" / "robustness_lines.py")


@pytest.fixture
def bench(
    robustness: ModuleType, gauge: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """A bench whose only patient is painted, and whose model reads the paint."""
    drawn = np.stack([heart(6), heart(4)])
    geometry = Geometry(SHAPE, np.diag([*SPACING_MM, 1.0]))
    truth = Image(drawn, geometry).labelled(SCHEMES["acdc"], "painted")
    study = Study(
        id="patient5",
        modality=Modality.MR,
        images={View.SAX: Image(painted(drawn), geometry)},
        sources={View.SAX: ()},
        phases={View.SAX: Phases(ed=0, es=1, how="given")},
    )
    patient = robustness.Patient(study, truth)
    monkeypatch.setattr(robustness, "patient_of", lambda name: {"patient5": patient}[name])
    monkeypatch.setattr(robustness, "CACHE", tmp_path / "cache")
    return robustness.Bench(str(gauge), kept=True)


def disturbance(robustness: ModuleType, level: str) -> Any:
    (one,) = (one for one in robustness.DISTURBANCES if one.level == level)
    return one


def dice(case: Any, what: str = "dice") -> list[float]:
    return [float(value) for key, value in asdict(case).items() if key.startswith(f"{what}_")]


def test_the_undisturbed_study_loses_nothing(robustness: ModuleType, bench: Any) -> None:
    case = bench.case("patient5", robustness.NONE)
    assert dice(case) == dice(case, "before") == [1.0] * 6
    assert (case.changed_voxels, case.hd95_lv_ed, case.problem) == ("0", "0", "")
    assert float(case.lv_ef) == pytest.approx(float(case.lv_ef_true))
    assert 0.3 < float(case.lv_ef) < 0.9


def test_storage_changes_no_voxel(robustness: ModuleType, bench: Any) -> None:
    for level in ("rows as columns", "upside down"):
        case = bench.case("patient5", disturbance(robustness, level))
        assert (case.changed_voxels, dice(case)) == ("0", [1.0] * 6)


def test_what_is_lost_is_lost_from_the_mask_before(robustness: ModuleType, bench: Any) -> None:
    case = bench.case("patient5", disturbance(robustness, "middle one black"))
    assert dice(case, "before") == [1.0] * 6
    assert all(value < 1 for value in dice(case))
    assert int(case.changed_voxels) > 0
    negative = bench.case("patient5", disturbance(robustness, "negative"))
    assert negative.verdict in ("review", "reject")
    assert negative.reasons


def test_a_study_that_gives_no_numbers_is_an_error_and_a_total_loss(
    robustness: ModuleType, bench: Any
) -> None:
    bench.case("patient5", robustness.NONE)
    blank = replace(
        robustness.NONE,
        family="blank",
        change=lambda scene, _: replace(
            scene, image=scene.image.like(np.zeros_like(scene.image.voxels))
        ),
    )
    case = bench.case("patient5", blank)
    assert (case.verdict, dice(case), case.lv_ef) == ("error", [0.0] * 6, "")
    assert "contrast" in case.problem


def test_verdicts_are_given_again_without_the_network(
    robustness: ModuleType, bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [
        bench.case("patient5", disturbance(robustness, level))
        for level in ("as it is", "75 degrees", "basal")
    ]

    def broken(*_: object) -> None:
        raise AssertionError("the network was asked again")

    for _, runtime in bench._models._remembering.values():
        monkeypatch.setattr(runtime._runtime, "infer", broken)
    again = [bench.judged_again(replace(case, verdict="?", reasons="?")) for case in cases]
    assert again == cases

    real = robustness.examine

    def strict(*given: object) -> object:
        found = real(*given)
        quality = Quality(verdict="reject", reasons=("a new rule", "another"))
        return replace(found, report=replace(found.report, quality=quality))

    monkeypatch.setattr(robustness, "examine", strict)
    newer = bench.judged_again(cases[0])
    assert newer == replace(cases[0], verdict="reject", reasons="a new rule; another")


def test_masks_of_an_earlier_run_are_the_masks_before(
    robustness: ModuleType, bench: Any, gauge: Path
) -> None:
    bench.case("patient5", robustness.NONE)
    other = robustness.Bench(str(gauge), kept=True)
    case = other.case("patient5", disturbance(robustness, "quarter turn"))
    assert dice(case, "before") == [1.0] * 6


def test_cases_survive_the_file(robustness: ModuleType, bench: Any, tmp_path: Path) -> None:
    case = replace(bench.case("patient5", robustness.NONE), reasons="one, two; three")
    path = tmp_path / "folder" / "cases.csv"
    assert list(robustness.read_cases(path)) == []
    robustness.add_case(path, case)
    robustness.add_case(path, replace(case, patient="patient10"))
    robustness.write_cases(path, [*robustness.read_cases(path), case])
    found = list(robustness.read_cases(path))
    assert [one.patient for one in found] == ["patient5", "patient10", "patient5"]
    assert found[0] == case


# The table.


def line(patient: int, level: str, found: float, **more: str) -> dict[str, str]:
    """A case whose six Dice are equal, `found`, and were 0.9 before."""
    parts = [f"{one}_{phase}" for one in ("lv", "myo", "rv") for phase in ("ed", "es")]
    usual = {"date": "2026-01-02", "commit": "abc", "hardware": "1 core", "data": "ACDC"}
    usual |= {"part": "test", "model": "m 1", "seed": "0", "judged": "def", "verdict": "pass"}
    usual |= {f"dice_{part}": str(found) for part in parts}
    usual |= {f"before_{part}": "0.9" for part in parts} | {f"hd95_{part}": "" for part in parts}
    usual |= {"patient": f"patient{patient}", "level": level, "changed_voxels": str(patient)}
    family = "none" if level == "as it is" else "noise"
    return {**usual, "family": family, "lv_ef": "0.6", **more}


@pytest.fixture
def lines() -> list[dict[str, str]]:
    """Five patients without noise, and with much; two of these are poor, one of them flagged."""
    much = [
        line(0, "much", 0.9),
        line(1, "much", 0.85, lv_ef="0.5", hd95_lv_ed="8", hd95_rv_es="4"),
        line(2, "much", 0.7, verdict="review", lv_ef="0.9"),
        line(3, "much", 0.2, lv_ef=""),
        line(4, "much", 0.81, verdict="error", dice_lv_ed="0.87", dice_lv_es="0.87"),
    ]
    return [*(line(n, "as it is", 0.9) for n in range(5)), *much, line(0, "more", 0.1)]


def test_the_table_holds_what_the_cases_say(
    summed: ModuleType, lines: list[dict[str, str]]
) -> None:
    rows = {
        (row.configuration, row.measure, row.structure, row.statistic.partition(" ")[0]): row
        for row in summed.rows_of(lines)
    }
    much = {key[1:]: row for key, row in rows.items() if key[0] == "noise: much"}
    lost = much["Dice lost", "mean", "mean"]
    assert float(lost.value) == pytest.approx((0 + 0.05 + 0.2 + 0.7 + 0.07) / 5)
    assert float(lost.low) < float(lost.value) < float(lost.high)
    assert float(much["Dice lost", "lv", "mean"].value) == pytest.approx(0.98 / 5)
    worst = much["Dice lost", "mean", "largest"]
    assert (worst.value, worst.statistic) == ("0.7", "largest (patient3, pass)")
    assert much["HD95", "mean", "mean"].value == "6"
    change = much["lv_ef, change", "-", "largest"]
    assert (change.value, change.statistic) == ("0.3", "largest (patient2, review)")
    assert float(much["lv_ef, change", "-", "mean"].value) == pytest.approx(0.4 / 3, abs=1e-4)
    unseen = much["lv_ef, change that passes", "-", "largest"]
    assert (unseen.value, unseen.statistic) == ("0.1", "largest (patient1, pass)")
    assert much["no lv_ef", "-", "count"].value == "2"
    assert much["flagged", "-", "count"].value == "2"
    assert much["Dice below 0.8", "-", "count"].value == "2"
    assert much["flagged, Dice below 0.8", "-", "count"].value == "1"
    assert much["voxels that differ from before", "-", "largest"].value == "4"
    assert (lost.commit, much["flagged", "-", "count"].commit) == ("abc", "def")


def test_too_few_patients_are_not_summed_up(
    summed: ModuleType, lines: list[dict[str, str]]
) -> None:
    assert {row.configuration for row in summed.rows_of(lines)} == {"none: as it is", "noise: much"}


def test_the_page_names_the_worst_of_each_family(
    summed: ModuleType, pages: ModuleType, lines: list[dict[str, str]]
) -> None:
    little = [line(n, "little", 0.9 - (0.75 if n == 2 else 0)) for n in range(5)]
    rows: list[Mapping[str, str]] = [asdict(row) for row in summed.rows_of([*lines, *little])]
    (worst,) = pages.families(rows)
    loss = next(row for row in rows if row["value"] == "0.204")
    interval = f"{float(loss['low']):.3f} to {float(loss['high']):.3f}"
    assert worst[:4] == ["noise", "much", "5", "0.900 → 0.696"]
    assert worst[4:] == [f"0.204 ({interval})", "0.750 (little)", "patient2", "no"]
    assert pages._shown(-0.0002) == "0.000"
    unharmed = summed.rows_of([line(n, "little", 0.9) for n in range(5)])
    ((*_, patient, verdict),) = pages.families([asdict(row) for row in unharmed])
    assert (patient, verdict) == ("-", "-")
    strengths = {one[0]: one[1:] for one in pages.strengths(rows)}
    assert list(strengths) == ["none: as it is", "noise: much", "noise: little"]
    assert strengths["noise: much"][-3:] == ["2 of 5", "2", "1 of 2"]
    assert strengths["noise: much"][-4] == "13.3, 30.0, 10.0 (2 without EF)"
    assert strengths["noise: little"][-3:] == ["0 of 5", "1", "0 of 1"]
    assert strengths["none: as it is"][-3:] == ["0 of 5", "0", "-"]
    assert pages.gate(rows) == (3, 1)


def test_results_in_the_project_are_of_disturbances_that_exist(robustness: ModuleType) -> None:
    known = {one.name for one in robustness.DISTURBANCES}
    cases = list(robustness.read_cases(robustness.CASES))
    assert {f"{one.family}: {one.level}" for one in cases} <= known
    assert all(one.judged and one.commit and one.hardware for one in cases)
