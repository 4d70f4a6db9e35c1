"""Masks against reference masks, through the files."""

import csv
import io
import shutil
from pathlib import Path

import numpy as np
import pytest

from heartseg.batch import Plan, run
from heartseg.core.errors import StudyError
from heartseg.evaluation import CLINICAL, compare, evaluate, rows_as_csv
from heartseg.pipeline import Settings
from tests import doors


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    doors.write_patient(tmp_path / "truth" / "patient001")
    doors.write_patient(tmp_path / "truth" / "patient002", radii=(9, 6))
    return tmp_path / "truth"


@pytest.fixture
def segmented(truth: Path, gauge: Path, tmp_path: Path) -> Path:
    settings = Settings(model=str(gauge), formats=("nifti", "json"))
    run(Plan(inputs=(truth,), out=tmp_path / "out", settings=settings), lambda _: None)
    return tmp_path / "out"


def test_exact_masks_agree_in_everything(segmented: Path, truth: Path) -> None:
    result = evaluate(segmented, truth)
    assert len(result.rows) == 2 * 2 * 3  # patients, phases, structures
    assert {(row.dice, row.hausdorff95_mm, row.assd_mm) for row in result.rows} == {(1.0, 0.0, 0.0)}
    assert {(row.case, row.phase) for row in result.rows} == {
        (case, phase) for case in ("patient001", "patient002") for phase in ("ED", "ES")
    }
    assert set(result.clinical) == set(CLINICAL)
    for agreement in result.clinical.values():
        assert agreement.mean_absolute_error == 0.0
        assert agreement.cases == 2
    assert not result.problems
    overall = [s for s in result.summary if (s.structure, s.phase) == ("all", "all")]
    assert overall[0].mean == 1.0


def test_published_labels_agree_with_themselves(truth: Path) -> None:
    assert {row.dice for row in evaluate(truth, truth).rows} == {1.0}
    assert {row.dice for row in evaluate(truth / "patient002", truth / "patient002").rows} == {1.0}


def test_a_smaller_cavity_is_measured_as_such(truth: Path, segmented: Path) -> None:
    name = "patient001_frame01"
    doors.save_nifti(segmented / "patient001" / f"{name}_seg.nii.gz", doors.heart(7))
    row = next(
        row
        for row in evaluate(segmented, truth).rows
        if (row.case, row.phase, row.structure.key) == ("patient001", "ED", "lv")
    )
    ours, theirs = doors.heart(7) == 3, doors.heart(8) == 3
    assert row.dice == pytest.approx(2 * (ours & theirs).sum() / (ours.sum() + theirs.sum()))
    assert row.volume_pred_ml == pytest.approx(doors.volume_ml(doors.heart(7), 3))
    assert row.volume_truth_ml == pytest.approx(doors.volume_ml(doors.heart(8), 3))
    assert row.dice < 0.95
    ef = evaluate(segmented, truth).clinical["lv_ef"]
    assert ef.mean_absolute_error > 0.01
    assert ef.bias == pytest.approx(-ef.mean_absolute_error)


def test_one_that_cannot_be_compared_stops_none(truth: Path, segmented: Path) -> None:
    doors.save_nifti(
        segmented / "patient001" / "patient001_frame09_seg.nii.gz", doors.heart()[:, 1:]
    )
    result = evaluate(segmented, truth)
    assert {row.case for row in result.rows} == {"patient002"}
    assert "another grid" in result.problems["patient001"]
    assert result.clinical["lv_ef"].cases == 1


def test_what_nobody_foresaw_stops_none(truth: Path, segmented: Path, monkeypatch) -> None:
    from heartseg import evaluation

    real = evaluation.study_masks

    def strange(study, *others):
        if study.id == "patient002":
            raise ZeroDivisionError("Doe^Jane")
        return real(study, *others)

    monkeypatch.setattr(evaluation, "study_masks", strange)
    result = evaluate(segmented, truth)
    assert {row.case for row in result.rows} == {"patient001"}
    assert result.problems["patient002"].startswith("ZeroDivisionError in evaluation.py:")
    assert "Doe" not in result.problems["patient002"]


def test_two_masks_are_compared_frame_by_frame(tmp_path: Path) -> None:
    ours = doors.save_nifti(tmp_path / "ours.nii.gz", doors.cine((7, 5)))
    theirs = doors.save_nifti(tmp_path / "theirs.nii.gz", doors.cine((8, 5)))
    rows = evaluate(ours, theirs).rows
    lv = {row.frame: row for row in rows if row.structure.key == "lv"}
    assert set(lv) == {0, 1}
    assert lv[0].dice < 1.0
    assert lv[1].dice == 1.0
    assert {row.dice for row in evaluate(theirs, theirs).rows} == {1.0}


def test_the_scheme_is_that_of_both_masks(tmp_path: Path) -> None:
    swapped = np.array([0, 3, 2, 1], np.uint8)
    mask = doors.save_nifti(tmp_path / "m.nii.gz", swapped[doors.heart()])
    rows = evaluate(mask, mask, "mnms").rows
    volumes = {row.structure.key: row.volume_pred_ml for row in rows}
    assert volumes["lv"] == pytest.approx(doors.volume_ml(doors.heart(), 3))
    with pytest.raises(StudyError, match="read as 'acdc'.*pass --scheme"):
        evaluate(mask, mask, "acdc")


def test_nothing_to_compare_with_is_said(segmented: Path, truth: Path, tmp_path: Path) -> None:
    image = doors.save_nifti(tmp_path / "images" / "scan.nii", doors.painted(doors.cine()))
    with pytest.raises(StudyError, match="no reference labels"):
        evaluate(segmented, image.parent)
    with pytest.raises(StudyError, match="no case to compare: .*no mask for patient001_frame01"):
        evaluate(tmp_path / "images", truth)


def test_the_csv_has_a_line_a_row_and_empty_cells_for_what_is_not(tmp_path: Path) -> None:
    without = doors.heart().copy()
    without[without == 1] = 0
    ours = doors.save_nifti(tmp_path / "ours.nii.gz", without)
    theirs = doors.save_nifti(tmp_path / "theirs.nii.gz", doors.heart())
    rows = list(csv.DictReader(io.StringIO(rows_as_csv(evaluate(ours, theirs).rows))))
    by = {row["structure"]: row for row in rows}
    assert set(by) == {"lv", "myo", "rv"}
    assert (by["lv"]["dice"], by["rv"]["dice"]) == ("1.0", "0.0")
    assert (by["rv"]["hausdorff95_mm"], by["rv"]["assd_mm"]) == ("", "")
    assert by["rv"]["note"]


def test_several_predictions_are_compared_by_their_names(
    truth: Path, segmented: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other" / "out"
    shutil.copytree(segmented, other)
    worse = other / "patient001" / "patient001_frame01_seg.nii.gz"
    doors.save_nifti(worse, doors.heart(7))
    result = compare([segmented, other], truth)
    assert list(result.evaluations) == ["out", "out-2"]
    found = {(d.measure, d.structure): d for d in result.differences}
    lv = found["dice", "lv"]
    assert (lv.first, lv.second, lv.cases, lv.first_mean) == ("out", "out-2", 2, 1.0)
    assert lv.difference > 0
    assert (lv.p_value, lv.better) == (None, "")  # two patients decide nothing
    assert found["lv_ef", ""].difference < 0
    assert {h.method for h in result.human} == {"out", "out-2"}
    assert compare([segmented], truth).differences == ()


def test_findings_of_every_case_are_kept(segmented: Path, truth: Path) -> None:
    result = evaluate(segmented, truth)
    assert set(result.numbers) == {"patient001", "patient002"}
    ours, theirs = result.numbers["patient002"]
    assert (
        ours["lv_edv_ml"]
        == theirs["lv_edv_ml"]
        == pytest.approx(doors.volume_ml(doors.heart(9), 3))
    )


def test_the_human_limit_is_not_held_against_masks_of_nobody_knows_what(tmp_path: Path) -> None:
    mask = doors.save_nifti(tmp_path / "m.nii.gz", doors.heart())
    assert not evaluate(mask, mask).cine
    assert compare([mask], mask).human == ()


def test_the_human_limit_is_for_short_axis_cine_mr(truth: Path) -> None:
    assert evaluate(truth, truth).cine
