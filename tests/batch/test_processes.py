"""Studies side by side: the same results, and a process that dies takes none with it."""

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from heartseg.batch import Outcome, Plan, Task, many, processes, tasks, worker
from heartseg.choice import Models
from heartseg.report.json_file import load_report
from tests import doors
from tests.batch.runs import content, done, patients, summary


def test_side_by_side_gives_what_one_after_another_gives(plan, tmp_path) -> None:
    first, second = patients(tmp_path / "set", 1, 2)
    (second / "Info.cfg").write_text("ED: 1\nES: 7\n")
    third = doors.save_nifti(tmp_path / "scan.nii", doors.painted(doors.cine((8, 5))))
    alone = list(done(plan(first, second, third, out=tmp_path / "one")).values())
    both = list(done(plan(first, second, third, out=tmp_path / "two", jobs=2)).values())
    assert [outcome.status for outcome in both] == ["done", "failed", "done"]
    for one, other in zip(alone, both, strict=True):
        assert (one.id, one.status, one.said) == (other.id, other.status, other.said)
        assert one.row == other.row
    assert both[0].report == load_report(tmp_path / "two" / "patient001" / "report.json")
    assert summary(tmp_path / "one") == summary(tmp_path / "two")
    masks = [
        {name: data for name, data in content(tmp_path / run).items() if name.endswith(".gz")}
        for run in ("one", "two")
    ]
    assert masks[0] == masks[1]


class Deadly:
    """Ends the process that unpickles it."""

    def __reduce__(self):
        return os._exit, (9,)


def test_a_process_that_dies_takes_no_other_study_with_it(plan, tmp_path, monkeypatch) -> None:
    (patient,) = patients(tmp_path / "set", 1)
    found = [Task(Deadly(), "deadly", "deadly"), Task(patient, "patient001", "patient001")]
    monkeypatch.setattr(many, "tasks", lambda _: iter(found))
    outcomes = done(plan(patient, jobs=2))
    assert outcomes["patient001"].status == "done"
    assert outcomes["deadly"].status == "failed"
    assert "its process died" in summary(tmp_path / "out")["deadly"]["error"]


def test_after_a_death_the_others_go_on_side_by_side(plan, tmp_path, monkeypatch) -> None:
    folder = tmp_path / "set"
    paths = patients(folder, 1, 2, 3)
    found = [Task(path, path.name, path.name) for path in paths]
    found.insert(1, Task(Deadly(), "deadly", "deadly"))
    alone: list[str] = []
    in_own_process = processes._alone

    def counted(plan: Plan, task: Task) -> Outcome:
        alone.append(task.id)
        return in_own_process(plan, task)

    monkeypatch.setattr(processes, "_alone", counted)
    outcomes = list(processes.side_by_side(plan(folder, jobs=1), found))
    assert {one.id: one.status for one in outcomes} == {
        **dict.fromkeys(["patient001", "patient002", "patient003"], "done"),
        "deadly": "failed",
    }
    assert len(alone) == 1, "a thousand studies must not wait for one process each"


def test_processes_share_the_cores(plan, tmp_path, monkeypatch) -> None:
    asked = []

    class Noted(Models):
        def __init__(self, device, threads, later) -> None:
            asked.append(threads)

        def begin(self, names) -> None:
            pass

    monkeypatch.setattr(worker, "Models", Noted)
    monkeypatch.setattr(processes, "_worker", None)
    monkeypatch.setattr(processes.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    for jobs in (2, 8, 20):
        processes._begin(plan(tmp_path, jobs=jobs))
    assert asked == [4, 1, 1]


def test_an_input_that_goes_away_is_said(plan, tmp_path) -> None:
    folder = tmp_path / "set"
    patients(folder, 1, 2)
    base = plan(folder)
    todo = list(tasks(base))
    shutil.rmtree(folder / "patient001")
    outcomes = list(processes.side_by_side(base, todo))
    assert [outcome.status for outcome in outcomes] == ["failed", "done"]
    assert outcomes[1].report.value("lv_edv_ml") == pytest.approx(
        doors.volume_ml(doors.heart(8), 3)
    )


def test_no_more_is_begun_than_a_few_studies_a_process(plan, tmp_path, monkeypatch) -> None:
    """A slow first study must not let the answers of a thousand others pile up."""
    looked_at = []

    class Pool:
        def submit(self, _: object, task: Task) -> "Future[Outcome]":
            future: Future[Outcome] = Future()
            future.set_result(Outcome(task.id, "failed", "", {}))
            return future

        def shutdown(self, **_: object) -> None:
            pass

    def studies() -> Iterator[Task]:
        for number in range(100):
            looked_at.append(number)
            yield Task(tmp_path, f"s{number}", "s")

    monkeypatch.setattr(processes, "_pool", lambda *_: Pool())
    for heard, outcome in enumerate(processes.side_by_side(plan(tmp_path, jobs=2), studies())):
        assert outcome.id == f"s{heard}"
        assert len(looked_at) - heard <= 2 * processes.HANDED_OUT
    assert len(looked_at) == 100
