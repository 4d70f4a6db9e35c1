"""The evidence is made as the protocol says: rows with every column, patients as units."""

import csv
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from heartseg.core.anatomy import Structure
from heartseg.measure.agreement import AgreementRow
from heartseg.segment import load_bundle, write_bundle
from tests.house.scripts import ROOT, script


@pytest.fixture(scope="module")
def accuracy() -> ModuleType:
    return script(ROOT / "benchmarks" / "accuracy.py")


def agreement(case: str, phase: str, structure: Structure, dice: float) -> AgreementRow:
    return AgreementRow(
        case=case,
        frame=0 if phase == "ED" else 1,
        phase=phase,  # type: ignore[arg-type]
        structure=structure,
        values={"dice": dice, "hausdorff95_mm": 4.0, "hausdorff_mm": 9.0, "assd_mm": 1.0},
        volume_pred_ml=90.0,
        volume_truth_ml=100.0,
    )


@pytest.fixture(scope="module")
def scores(accuracy: ModuleType) -> object:
    """Three patients; the LV of one is worse at ES."""
    parts = (Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY)
    cases = [
        agreement(case, phase, part, 0.9 - 0.3 * (case == "p3" and phase == "ES" and part == 1))
        for case in ("p1", "p2", "p3")
        for phase in ("ED", "ES")
        for part in parts
    ]
    efs = {"p1": (0.50, 0.53), "p2": (0.30, 0.28), "p3": (0.61, 0.62)}
    findings = {case: ({"lv_ef": a}, {"lv_ef": b}) for case, (a, b) in efs.items()}
    return accuracy.Scores(cases=tuple(cases), findings=findings)


@pytest.fixture(scope="module")
def where(accuracy: ModuleType) -> dict[str, str]:
    conditions: dict[str, str] = accuracy._conditions(load_bundle("cine-mr"), 1)
    return {**conditions, "data": "ACDC", "split": "test"}


def test_rows_hold_the_mean_over_patients_with_its_interval(
    accuracy: ModuleType, scores: object, where: dict[str, str]
) -> None:
    rows = {(r.measure, r.structure, r.phase): r for r in accuracy._rows_of_many(scores, where)}
    worst = rows["Dice", "lv", "ES"]
    assert (worst.value, worst.runs) == ("0.8", "3")
    assert float(worst.low) < 0.8 < float(worst.high)
    assert rows["Dice", "mean", "all"].value == f"{(17 * 0.9 + 0.6) / 18:.4g}"
    assert rows["lv_ef, MAE", "-", "-"].value == "0.02"
    assert rows["lv_ef, bias", "-", "-"].value == "-0.006667"
    assert rows["lv_ef, r", "-", "-"].unit == "1"


def test_rows_say_which_weights_and_which_commit(
    accuracy: ModuleType, scores: object, where: dict[str, str]
) -> None:
    row = next(accuracy._rows_of_many(scores, where))
    assert row.model.endswith(load_bundle("cine-mr").sha256)
    assert row.commit
    assert row.hardware


def test_the_scores_go_into_the_bundle_and_its_card(
    accuracy: ModuleType, scores: object, tmp_path: Path
) -> None:
    shipped = load_bundle("cine-mr")
    copy = write_bundle(tmp_path / "copy", shipped.onnx, replace(shipped, scores={"old": 1}))
    accuracy._into_bundle(copy, scores)
    again = load_bundle(tmp_path / "copy")
    assert again.sha256 == shipped.sha256
    assert again.scores["old"] == 1
    assert again.scores["test_dice_lv"] == 0.85
    assert again.scores["test_lv_ef_mean_absolute_error"] == 0.02
    assert "test_dice_lv | 0.85" in (tmp_path / "copy" / "card.md").read_text(encoding="utf-8")


def test_every_patient_is_listed(accuracy: ModuleType, scores: object, tmp_path: Path) -> None:
    accuracy._write_findings(tmp_path / "cases.csv", scores)
    text = (tmp_path / "cases.csv").read_text(encoding="utf-8")
    lines = list(csv.DictReader(text.splitlines()))
    assert [line["case"] for line in lines] == ["p1", "p2", "p3"]
    assert lines[1]["lv_ef_measured"] == "0.3"
    assert lines[1]["lv_ef_reference"] == "0.28"
    assert lines[1]["rv_ef_measured"] == ""
