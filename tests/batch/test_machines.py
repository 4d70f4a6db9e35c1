"""Studies on a real Ray cluster of two nodes, on loopback; and machines that see other files."""

import json
import os
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest

from heartseg.batch import Task, machines, tasks
from heartseg.batch.machines import Order, require_shared_files
from heartseg.core.errors import ConfigError
from heartseg.report.json_file import load_report
from tests.batch.runs import content, done, names, patients, summary
from tests.batch.test_processes import Deadly

# Ray leaves sockets and processes to the collector, and warns of its own plans.
RAYS_OWN = [
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def on_cluster(test):
    for mark in RAYS_OWN:
        test = mark(test)
    return test


def strewn(folder: Path) -> list[Path]:
    """Two good patients and a broken one between them, by relative paths."""
    first, second, third = patients(folder, 1, 2, 3)
    (second / "patient002_frame09.nii.gz").write_bytes(b"no image")
    return [Path(os.path.relpath(one)) for one in (first, second, third)]


@on_cluster
def test_two_nodes_do_what_one_process_does(two_nodes, plan, tmp_path, monkeypatch) -> None:
    """With paths that start in another folder than the workers', and a study that kills."""
    monkeypatch.chdir(tmp_path)
    good = plan(*strewn(tmp_path / "set"), out=Path("one"))
    alone = done(good)
    deadly = Task(Deadly(), "deadly", "deadly")
    monkeypatch.setattr(machines, "tasks", lambda plan: chain([deadly], tasks(plan)))
    together = done(replace(good, out=Path("two"), workers=two_nodes))
    assert set(together) == {"deadly", *alone}
    assert "died" in together["deadly"].said
    for name, one in alone.items():
        other = together[name]
        assert (one.status, one.said, one.row) == (other.status, other.said, other.row)
    assert [alone[name].status for name in alone] == ["done", "failed", "done"]
    assert together["patient003"].report == load_report(tmp_path / "two/patient003/report.json")
    assert summary(tmp_path / "two").keys() == together.keys()
    assert names(tmp_path / "two") == ["patient001", "patient003", "summary.csv"]
    masks = [
        {name: data for name, data in content(tmp_path / run).items() if name.endswith(".gz")}
        for run in ("one", "two")
    ]
    assert masks[0] == masks[1]


@on_cluster
def test_machines_with_other_files_are_said_before_any_work(two_nodes, plan, tmp_path) -> None:
    """A folder that every process sees differently stands for one that machines do not share."""
    with pytest.raises(ConfigError, match=r"machine 127.* does not see input task as it is"):
        done(plan(Path("/proc/self/task"), workers=two_nodes))
    assert names(tmp_path / "out") == ["summary.csv"]


class Told:
    """Stands for a cluster whose machines answer so."""

    def __init__(self, **answers: str | None) -> None:
        self._answers = answers

    def everywhere(self, *_: object) -> dict[str, str | None]:
        return self._answers


def test_each_way_to_differ_is_said_with_its_machine(plan, tmp_path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mark").touch()
    base = plan(*patients(tmp_path / "set", 1))
    paths = [str(path) for path in base.inputs]
    same = json.loads(machines._look(str(base.out), "mark", paths))
    assert same["out"] == ""
    require_shared_files(Told(good=json.dumps(same)), base, "mark")
    strangers = {
        "no heartseg": (None, "cannot run heartseg"),
        "older": (json.dumps({**same, "version": "0.0.1"}), "has heartseg 0.0.1, this one"),
        "elsewhere": (
            machines._look(str(tmp_path / "set"), "mark", paths),
            "no access to the output folder: another folder",
        ),
        "empty": (
            json.dumps({**same, "inputs": {paths[0]: machines._seen(tmp_path / "nowhere")}}),
            "does not see input patient001 as it is: No such file or directory there",
        ),
    }
    for name, (answer, said) in strangers.items():
        with pytest.raises(ConfigError, match=f"machine {name} .*{said}"):
            require_shared_files(Told(**{"good": json.dumps(same), name: answer}), base, "mark")


def test_folders_are_told_apart_by_the_names_in_them(tmp_path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.nii").touch()
    assert machines._seen(tmp_path / "a") != machines._seen(tmp_path / "b")
    before = machines._seen(tmp_path / "a")
    (tmp_path / "a" / ".heartseg-run-1").touch()  # results may lie beside the images
    assert machines._seen(tmp_path / "a") == before
    assert machines._seen(tmp_path / "a" / "a.nii") == "0 bytes"


def test_a_machine_that_joins_late_without_the_folder_fails_its_study_only(
    plan, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(machines, "_worker", None)
    (patient,) = patients(tmp_path / "set", 1)
    order = Order(plan(patient), tmp_path, "mark of another folder")
    told = json.loads(machines._do(order, Task(patient, "patient001", "patient001")))
    assert told["status"] == "failed"
    assert "a machine that does not see it" in told["said"]
    assert not (tmp_path / "out" / "patient001").exists()
