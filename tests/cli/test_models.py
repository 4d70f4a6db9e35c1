"""`models` tells cards and checklists; `evaluate --card` writes what was measured into a card."""

import json
from pathlib import Path

import pytest

from heartseg.segment import load_bundle
from heartseg.segment.appraisal import EXTERNAL, INTERNAL, read_appraisals
from tests import doors
from tests.cli.door import heartseg


def test_a_model_of_a_folder_tells_its_card(gauge: Path) -> None:
    done = heartseg("models", gauge)
    assert done.code == 0, done.err
    assert done.out == (gauge / "card.md").read_text(encoding="utf-8")
    row = heartseg("models", gauge, "--json").json()
    assert row["name"] == "gauge"
    assert row["card"]["details"]["parameters"] == 8


def test_a_checklist_is_a_table_or_rows(gauge: Path) -> None:
    assert "| 44 |" in heartseg("models", gauge, "--checklist", "claim").out
    rows = heartseg("models", gauge, "--checklist", "tripod-ai", "--json").json()
    assert len(rows) == 52


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--checklist", "claim"), 2, "heartseg models MODEL"),
        (("nowhere",), 1, "no such model"),
        (("GAUGE", "--checklist", "stard"), 2, "claim, tripod-ai"),
    ],
)
def test_what_cannot_be_told_is_said(
    gauge: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = heartseg("models", *(gauge if one == "GAUGE" else one for one in arguments))
    assert done.code == code
    assert said in done.err


def test_an_evaluation_is_written_into_the_card_of_the_model_that_drew(tmp_path: Path) -> None:
    model = doors.write_gauge(tmp_path / "mine")
    for number, radii in ((1, (8, 5)), (2, (9, 4))):
        doors.write_patient(tmp_path / "set" / f"patient00{number}", radii=radii)
    out, truth = tmp_path / "out", tmp_path / "set"
    asked = ("--model", model, "--formats", "nifti,json")
    assert heartseg("segment", truth, "-o", out, *asked).code == 0
    for _ in range(2):
        done = heartseg("evaluate", out, truth, "--card", model)
        assert done.code == 0, done.err
    assert heartseg("evaluate", out, truth, "--card", model, "--elsewhere").code == 0
    inside, outside = read_appraisals(model, load_bundle(model).sha256)
    assert (inside.split, outside.split) == (INTERNAL, EXTERNAL)
    assert (inside.cases, inside.data_set) == (2, "acdc")
    dice = inside.score("dice", "mean", structure="all", phase="all")
    assert dice is not None
    assert dice.value == pytest.approx(1, abs=0.02)
    card = (model / "card.md").read_text(encoding="utf-8")
    assert "ACDC: short-axis cine MR" in card
    assert "Tested on 2 patients, one training run" in card

    report = out / "patient002" / "report.json"
    table = json.loads(report.read_text(encoding="utf-8"))
    report.write_text(json.dumps({**table, "model": {"sha256": "00"}}), encoding="utf-8")
    done = heartseg("evaluate", out, truth, "--card", model)
    assert done.code == 2
    assert "patient002: got masks of another model" in done.err


def test_a_card_is_written_for_one_folder_of_masks_and_a_bundle_alone(tmp_path: Path) -> None:
    truth = doors.write_patient(tmp_path / "set" / "patient001")
    usage = heartseg("evaluate", truth, truth, truth, "--card", tmp_path)
    assert usage.code == 2
    assert heartseg("evaluate", truth, truth, "--elsewhere").code == 2
