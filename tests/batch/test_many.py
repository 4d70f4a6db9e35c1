"""Many studies: what is written, what is left alone, and what a fault in one does to the others."""

import os
import resource
import signal
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from heartseg import pipeline
from heartseg.batch import Outcome, Plan, Tally, many, rows_without_study, run, tasks, worker
from heartseg.core.errors import OutputError
from heartseg.core.study import Body
from heartseg.report import growing_summary
from heartseg.report.json_file import load_report
from tests import doors
from tests.batch.runs import content, done, names, patients, summary


def test_a_folder_of_patients_becomes_a_folder_and_a_row_each(plan, tmp_path) -> None:
    patients(tmp_path / "set", 1, 2)
    outcomes = done(plan(tmp_path / "set"))
    assert names(tmp_path / "out") == ["patient001", "patient002", "summary.csv"]
    assert {outcome.status for outcome in outcomes.values()} == {"done"}
    rows = summary(tmp_path / "out")
    assert list(rows) == ["patient001", "patient002"]
    edv = doors.volume_ml(doors.heart(8), 3)
    assert float(rows["patient002"]["lv_edv_ml"]) == pytest.approx(edv)
    assert rows["patient002"]["error"] == ""


def test_one_that_fails_stops_none_of_the_others(plan, tmp_path) -> None:
    first, second, third = patients(tmp_path / "set", 1, 2, 3)
    (second / "patient002_frame09.nii.gz").write_bytes(b"no image")
    outcomes = done(plan(first, tmp_path / "missing.nii.gz", second, third))
    assert [outcome.status for outcome in outcomes.values()] == ["done", "failed", "failed", "done"]
    assert names(tmp_path / "out") == ["patient001", "patient003", "summary.csv"]
    rows = summary(tmp_path / "out")
    assert list(rows) == ["patient001", "missing", "patient002", "patient003"]
    assert "patient002_frame09.nii.gz: got" in rows["patient002"]["error"]
    assert rows["missing"]["error"] == "missing.nii.gz: got no such file or folder; check the path"
    assert rows["missing"]["lv_edv_ml"] == ""


def test_what_nobody_foresaw_stops_none_and_tells_no_secret(plan, tmp_path, monkeypatch) -> None:
    first, second = patients(tmp_path / "set", 1, 2)
    real = pipeline.measure

    def strange(study, *others):
        if study.id == "patient001":
            raise ValueError(f"Doe^Jane 19600101 in {tmp_path}")
        return real(study, *others)

    monkeypatch.setattr(pipeline, "measure", strange)
    outcomes = done(plan(first, second))
    assert outcomes["patient002"].status == "done"
    said = summary(tmp_path / "out")["patient001"]["error"]
    assert said == outcomes["patient001"].said
    assert said.startswith("ValueError in pipeline.py:")
    assert "report this line" in said
    assert "Doe" not in said
    assert str(tmp_path) not in said


def test_a_fault_while_looking_stops_none_either(plan, tmp_path, monkeypatch) -> None:
    import heartseg.read

    (patient,) = patients(tmp_path / "set", 1)
    real = heartseg.read.find_studies

    def strange(path, **more):
        if path.name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, **more)

    monkeypatch.setattr(heartseg.read, "find_studies", strange)
    outcomes = done(plan(tmp_path / "locked", patient))
    assert "PermissionError (Permission denied)" in outcomes["locked"].said
    assert str(tmp_path) not in outcomes["locked"].said
    assert outcomes["patient001"].status == "done"


def test_a_finished_study_is_skipped_and_keeps_its_row(plan, tmp_path) -> None:
    first, second = patients(tmp_path / "set", 1, 2)
    done(plan(first))
    before = content(tmp_path / "out" / "patient001")
    (tmp_path / "out" / "summary.csv").unlink()  # as when the run ended just before it
    outcomes = done(plan(first, second))
    assert outcomes["patient001"].status == "skipped"
    assert "--overwrite" in outcomes["patient001"].said
    assert content(tmp_path / "out" / "patient001") == before
    rows = summary(tmp_path / "out")
    assert float(rows["patient001"]["lv_ef"]) > 0
    assert list(rows) == ["patient001", "patient002"]


def test_overwrite_replaces_what_is_ours_and_nothing_else(plan, tmp_path) -> None:
    (patient,) = patients(tmp_path / "set", 1)
    done(plan(patient))
    folder = tmp_path / "out" / "patient001"
    (folder / "notes of the reader.txt").write_text("mine")
    (folder / "overview.png").write_bytes(b"of an older run")
    (folder / "patient001_frame01_seg.nii.gz").write_bytes(b"old")
    (folder / "patient001_frame01_prob.nii.gz").write_bytes(b"of masks that are gone")
    (folder / "patient001_frame01_prob.json").write_bytes(b"{}")
    assert done(plan(patient, overwrite=True))["patient001"].status == "done"
    assert names(folder) == [
        "notes of the reader.txt",
        "patient001_frame01_seg.nii.gz",
        "patient001_frame09_seg.nii.gz",
        "report.json",
    ]
    assert (folder / "patient001_frame01_seg.nii.gz").read_bytes() != b"old"


def test_the_old_result_stays_when_doing_it_again_fails(plan, tmp_path) -> None:
    (patient,) = patients(tmp_path / "set", 1)
    done(plan(patient))
    before = content(tmp_path / "out" / "patient001")
    (patient / "patient001_frame01.nii.gz").write_bytes(b"")
    assert done(plan(patient, overwrite=True))["patient001"].status == "failed"
    assert content(tmp_path / "out" / "patient001") == before
    assert names(tmp_path / "out") == ["patient001", "summary.csv"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_results_beside_the_images_touch_no_image(plan, tmp_path, overwrite) -> None:
    """OUT holds the patient's own folder: its name is taken."""
    (patient,) = patients(tmp_path, 1)
    before = content(patient)
    outcomes = done(plan(patient, out=tmp_path, overwrite=overwrite))
    assert content(patient) == before
    assert list(outcomes) == ["patient001-2"]
    assert load_report(tmp_path / "patient001-2" / "report.json").study == "patient001-2"
    again = done(plan(patient, out=tmp_path))
    assert again["patient001-2"].status == "skipped"


def test_ids_that_collide_get_a_suffix_whatever_the_case(plan, tmp_path) -> None:
    paths = []
    for folder, name, radius in (
        ("a", "Scan.nii", 8),
        ("b", "Scan.nii.gz", 7),
        ("c", "scan.nii", 6),
    ):
        labels = doors.cine((radius, radius - 2))
        paths.append(doors.save_nifti(tmp_path / folder / name, doors.painted(labels)))
    done(plan(*paths))
    rows = summary(tmp_path / "out")
    assert list(rows) == ["Scan", "Scan-2", "scan-3"]
    for name, radius in (("Scan", 8), ("Scan-2", 7), ("scan-3", 6)):
        assert float(rows[name]["lv_edv_ml"]) == pytest.approx(
            doors.volume_ml(doors.heart(radius), 3)
        )
        assert load_report(tmp_path / "out" / name / "report.json").study == name


def test_a_failed_input_does_not_take_the_row_of_a_good_one(plan, tmp_path) -> None:
    good = doors.save_nifti(tmp_path / "a" / "scan.nii", doors.painted(doors.cine()))
    done(plan(tmp_path / "b" / "scan.nii", good, tmp_path / "c" / "scan.nii"))
    rows = summary(tmp_path / "out")
    assert list(rows) == ["scan", "scan-2", "scan-3"]
    assert [bool(row["error"]) for row in rows.values()] == [True, False, True]


def test_long_names_and_the_summarys_own_are_no_trouble(plan, tmp_path) -> None:
    long = "x" * 80 + ".nii"
    paths = [tmp_path / "a" / long, tmp_path / "b" / long, tmp_path / "summary.csv.nii"]
    for path in paths:
        doors.save_nifti(path, doors.painted(doors.cine((8, 5))))
    outcomes = done(plan(*paths))
    assert list(outcomes) == ["x" * 64, "x" * 62 + "-2", "summary.csv-2"]
    assert {outcome.status for outcome in outcomes.values()} == {"done"}


def test_results_below_the_images_are_not_taken_for_images(plan, tmp_path) -> None:
    doors.save_nifti(tmp_path / "data" / "scan.nii", doors.painted(doors.cine((8, 5))))
    first = plan(tmp_path / "data", out=tmp_path / "data" / "out")
    kept = replace(first.settings, formats=("nifti", "json", "png"), save_probabilities=True)
    first = replace(first, settings=kept)
    assert list(done(first)) == ["scan"]
    for name in ("overview.png", "scan_prob.nii.gz", "scan_prob.json"):
        assert (tmp_path / "data" / "out" / "scan" / name).is_file()
    assert [task.id for task in tasks(first)] == ["scan"]


def test_what_the_user_says_for_all_goes_before_the_table_and_that_before_files(
    plan, tmp_path
) -> None:
    first, second = patients(tmp_path / "set", 1, 2)
    row = Body(weight_kg=50.0, age_years=33.0, sources={"age_years": "table"})
    base = plan(first, second, bodies={"patient001": row, "patient01": row})
    base = replace(base, settings=replace(base.settings, body=Body(sex="F", weight_kg=99.0)))
    outcomes = done(base)
    bodies = {name: outcome.report.body for name, outcome in outcomes.items()}
    assert bodies["patient001"] == Body(sex="F", age_years=33.0, height_cm=180.0, weight_kg=99.0)
    assert bodies["patient002"] == Body(sex="F", height_cm=180.0, weight_kg=99.0)
    assert bodies["patient001"].sources == {"age_years": "table", "height_cm": "Info.cfg"}
    assert outcomes["patient001"].said == ""
    assert outcomes["patient002"].said == "no row for it in the table of bodies"
    assert rows_without_study(base, Tally(tuple(outcomes), 0)) == ("patient01",)


def test_an_interrupt_leaves_nothing_that_looks_finished(plan, tmp_path, monkeypatch) -> None:
    first, second = patients(tmp_path / "set", 1, 2)
    real = pipeline.save

    def interrupted(analysis, *others):
        real(analysis, *others)
        if analysis.study.id == "patient002":
            raise KeyboardInterrupt

    monkeypatch.setattr(worker, "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(plan(first, second), lambda _: None)
    assert names(tmp_path / "out") == ["patient001", "summary.csv"]
    monkeypatch.setattr(worker, "save", real)
    outcomes = done(plan(first, second))
    assert [outcome.status for outcome in outcomes.values()] == ["skipped", "done"]


def test_what_a_killed_run_left_is_cleared_away(plan, tmp_path) -> None:
    (patient,) = patients(tmp_path / "set", 1)
    left = tmp_path / "out" / ".patient001.unfinished"
    left.mkdir(parents=True)
    (left / "report.json").write_text("half")
    assert done(plan(patient))["patient001"].status == "done"
    assert names(tmp_path / "out") == ["patient001", "summary.csv"]


def test_a_report_that_is_broken_is_not_taken_for_done(plan, tmp_path) -> None:
    (patient,) = patients(tmp_path / "set", 1)
    done(plan(patient))
    (tmp_path / "out" / "patient001" / "report.json").write_text("{")
    outcome = done(plan(patient))["patient001"]
    assert outcome.status == "failed"
    assert "--overwrite" in outcome.said
    assert done(plan(patient, overwrite=True))["patient001"].status == "done"


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The kernel refuses to let a file grow further: as real as a full disk.

    Lifted before pytest writes its own line, which may go to a file that is larger already.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def test_a_full_disk_leaves_no_half_study(plan, tmp_path) -> None:
    first, second = patients(tmp_path / "set", 1, 2)
    with files_of_at_most(3000):  # the masks and the summary fit, the report does not
        outcomes = list(done(plan(first, second)).values())
    assert [outcome.status for outcome in outcomes] == ["failed", "failed"]
    assert "report.json: got File too large; free some space" in outcomes[0].said
    assert names(tmp_path / "out") == ["summary.csv"]
    assert set(summary(tmp_path / "out")) == {"patient001", "patient002"}


def test_a_disk_without_any_room_is_an_error_and_leaves_nothing(plan, tmp_path) -> None:
    (patient,) = patients(tmp_path / "set", 1)
    with (
        files_of_at_most(100),
        pytest.raises(OutputError, match=r"summary\.csv: got File too large"),
    ):
        run(plan(patient), lambda _: None)
    assert names(tmp_path / "out") == []


def test_a_folder_that_cannot_be_written_is_said_before_any_work(plan, tmp_path) -> None:
    (tmp_path / "taken").write_text("x")
    for out in (tmp_path / "taken", tmp_path / "taken" / "deeper"):
        with pytest.raises(OutputError, match=r"output folder .*choose a folder.*-o"):
            run(plan(tmp_path, out=out), lambda _: None)


def test_a_folder_without_permission_is_said(plan, tmp_path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    root = os.geteuid() == 0
    if root:  # who may write anywhere, and so becomes nobody
        os.seteuid(65534)
    try:
        with pytest.raises(OutputError, match="Permission denied.*-o"):
            run(plan(tmp_path, out=tmp_path / "locked"), lambda _: None)
    finally:
        if root:
            os.seteuid(0)


def test_a_foreign_summary_is_said_before_any_work(plan, tmp_path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "summary.csv").write_text("patient,price\nx,1\n")
    (patient,) = patients(tmp_path / "set", 1)
    with pytest.raises(OutputError, match=r"summary\.csv: got other columns"):
        run(plan(patient), lambda _: None)
    assert names(tmp_path / "out") == ["summary.csv"]


def test_nothing_of_a_study_is_kept_when_it_was_heard_of(plan, tmp_path, monkeypatch) -> None:
    """Rows and reports of a cohort would fill the memory."""

    class Cells(dict[str, str]):
        """A row that can be asked whether anybody keeps it."""

    alive: list[weakref.ref[Cells]] = []

    def outcomes(_: Plan) -> Iterator[Outcome]:
        for number in range(20):
            assert sum(one() is not None for one in alive) <= 2, "the last ones, on their way"
            row = Cells(study=f"s{number}", error="no")
            alive.append(weakref.ref(row))
            yield Outcome(row["study"], "failed", "no", row)

    monkeypatch.setattr(growing_summary, "SHARE", 1e9)  # no row waits to be written
    monkeypatch.setattr(many, "_outcomes", outcomes)
    tally = run(plan(tmp_path), lambda _: None)
    assert tally.failed == len(tally.studies) == 20
