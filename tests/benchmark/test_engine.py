"""A grid from its file to rows: whatever is killed, the rest is done and nothing is done twice."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
import torch

from heartseg.augment import StackChange
from heartseg.benchmark import cell as cell_module
from heartseg.benchmark import engine
from heartseg.benchmark.cell import Job, _planes_a_step, do
from heartseg.benchmark.engine import report_benchmark, run_benchmark
from heartseg.benchmark.grid import read_grid
from heartseg.benchmark.ledger import alone_in, read_rows
from heartseg.benchmark.processes import run_in_processes
from heartseg.core.errors import ConfigError, OutputError
from heartseg.train.checkpoint import load_checkpoint
from heartseg.train.settings import RunSettings
from tests.benchmark.tiny import GRID, RUN, write_grid, write_phantoms

WHEN = ("date", "training_seconds", "scoring_seconds", "hardware", "commit")
"""Columns that tell when and where, and may differ."""

FAILING = GRID + "broken = { preparation.stride = 6, model.widths = [4, 6, 8] }\n"
"""A third network whose stride does not divide its planes: only a run can find that."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("benchmark")
    write_phantoms(folder / "phantoms")
    return folder


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Here and in what is started from here, so that sums keep their order: rows are compared."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def whole(data: Path) -> Path:
    """A grid with a network that cannot be trained, never interrupted, here in this process."""
    grid = write_grid(data, FAILING)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "_rows", lambda jobs, workers, folder: map(do, jobs))
        run_benchmark(grid, data / "whole", device="cpu")
    return data / "whole"


def results_of(folder: Path) -> list[dict[str, str]]:
    """Rows without what may differ, in the order of their ids."""
    rows = [
        {k: v for k, v in row.items() if k not in WHEN} for row in read_rows(folder / "runs.csv")
    ]
    return sorted(rows, key=lambda row: row["run"])


def lines_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_failing_run_is_a_row_with_its_reason_and_the_rest_is_done(whole):
    rows = read_rows(whole / "runs.csv")
    assert [row["axis.network"] for row in rows] == ["narrow", "wide", "broken"] * 2
    assert [row["status"] for row in rows] == ["done", "done", "failed"] * 2
    assert "preparation.stride" in rows[2]["reason"]
    assert "preparation.stride" in (whole / "scores.md").read_text(encoding="utf-8")


def test_images_of_every_batch_of_a_step_are_counted(tmp_path):
    write_phantoms(tmp_path / "phantoms")
    cell = read_grid(write_grid(tmp_path, GRID)).cells[0]
    learning = replace(cell.settings.learning, accumulate=2)
    row = do(job_of(tmp_path, tmp_path / "run", replace(cell.settings, learning=learning)))
    assert row["images_seen"] == str(2 * 4 * int(row["steps"]))


def test_of_a_network_of_volumes_every_slice_that_it_was_shown_is_counted():
    model = {"name": "unet-3d-anisotropic"}
    settings = RunSettings(name="a", folder="b", model=model, stack=StackChange(slices=6))
    assert _planes_a_step(settings) == 6 * settings.learning.images
    assert _planes_a_step(replace(settings, stack=None)) == 8 * settings.learning.images
    assert _planes_a_step(replace(settings, model={}, stack=None)) == settings.learning.images


def test_a_row_says_how_it_was_made(whole):
    row = read_rows(whole / "runs.csv")[0]
    assert (row["data"], row["split"], row["seed"]) == ("phantoms", "test", "1")
    assert row["configuration"] == "seed=1; network=narrow"
    assert row["patients_trained"] == "2"
    steps = int(row["steps"])
    assert 0 < steps <= 6
    assert row["images_seen"] == str(4 * steps)
    assert int(row["parameters"]) > 500
    assert float(row["training_seconds"]) > 0
    assert len(row["commit"]) in (7, 40)
    assert row["cases"] == "2"
    assert float(row["dice_low"]) <= float(row["dice"]) <= float(row["dice_high"])


def test_scores_are_kept_by_case_structure_phase_and_slice(whole):
    folder = whole / "runs" / read_rows(whole / "runs.csv")[1]["run"]
    cases = lines_of(folder / "test" / "cases.csv")
    assert len(cases) == 2 * 2 * 3
    assert {line["phase"] for line in cases} == {"ED", "ES"}
    mean = sum(float(line["dice"]) for line in cases) / len(cases)
    assert float(read_rows(whole / "runs.csv")[1]["dice"]) == pytest.approx(mean, rel=1e-4)
    slices = lines_of(folder / "test" / "slices.csv")
    assert {line["structure"] for line in slices} == {"lv", "myo", "rv"}
    assert {int(line["slice"]) for line in slices} <= set(range(4))
    split = lines_of(folder / "split.csv")
    parts = {
        part: [x["patient"][:12] for x in split if x["part"] == part]
        for part in ("train", "choose", "score test")
    }
    assert parts == {
        "train": ["phantom-0002", "phantom-0003"],
        "choose": ["phantom-0001"],
        "score test": ["phantom-0005", "phantom-0010"],
    }
    (keys, *counts) = [list(line.values()) for line in lines_of(folder / "test" / "confusion.csv")]
    assert keys[0] == "background"
    voxels = 2 * 2 * 4 * 48 * 48  # patients, phases, slices, rows, columns
    assert sum(int(n) for line in (keys, *counts) for n in line[1:]) == voxels


def test_a_finished_run_keeps_its_weights_only(whole):
    folder = whole / "runs" / read_rows(whole / "runs.csv")[0]["run"]
    assert not (folder / "last.pt").exists()
    assert set(load_checkpoint(folder / "trained.pt")["task"]) == {"average"}


def test_a_bundle_can_be_made_of_a_finished_run(whole, tmp_path):
    from heartseg.config import load
    from heartseg.segment import load_bundle
    from heartseg.train.artefact import write_artefact

    folder = whole / "runs" / read_rows(whole / "runs.csv")[0]["run"]
    settings = load(RunSettings, folder / "settings.toml")
    write_artefact(settings, whole.parent, folder / "trained.pt", tmp_path / "bundle")
    assert load_bundle(tmp_path / "bundle").name == settings.name


def test_what_is_done_is_never_done_again(data, whole, monkeypatch):
    asked: list[str] = []
    monkeypatch.setattr(engine, "_rows", lambda jobs, *_: asked.extend(j.run for j in jobs) or ())
    with pytest.raises(OutputError, match="--resume"):
        run_benchmark(data / "grid.toml", whole, device="cpu")
    done = run_benchmark(data / "grid.toml", whole, device="cpu", resume=True)
    assert len(asked) == 2  # the failed ones are tried again
    assert all("broken" in run for run in asked)
    assert (done.planned, len(done.rows), len(done.failed)) == (6, 6, 2)


def test_another_part_is_scored_without_training(data, whole, monkeypatch):
    monkeypatch.setattr(cell_module, "train", None)
    grid = write_grid(data / "again", GRID.replace('["test"]', '["validate"]'), RUN)
    cell = read_grid(grid).cells[0]
    before = (whole / "runs" / cell.run / "test" / "cases.csv").read_bytes()
    job = job_of(data, whole / "runs" / cell.run, cell.settings, part="validate")
    row = do(job)
    assert (row["status"], row["split"], row["cases"]) == ("done", "validate", "1")
    assert (whole / "runs" / cell.run / "test" / "cases.csv").read_bytes() == before


def job_of(root: Path, folder: Path, settings: Any, part: str = "test") -> Job:
    from heartseg.config import to_table

    return Job(
        run=folder.name,
        labels={"seed": "1"},
        settings=to_table(settings),
        root=str(root),
        folder=str(folder),
        score_on=(part,),
        device="cpu",
    )


def test_patients_that_were_trained_on_are_not_scored(data, whole, tmp_path):
    settings = read_grid(write_grid(data, FAILING)).cells[0].settings
    row = do(job_of(data, tmp_path / "run", settings, part="train"))
    assert row["status"] == "failed"
    assert "trained on, phantom-0002" in row["reason"]


def test_a_killed_worker_costs_only_its_run(data, tmp_path):
    """The first run's worker is killed at its first log line; the second run gets a new one."""
    cells = read_grid(write_grid(data, FAILING)).cells[:2]
    jobs = [job_of(data, tmp_path / cell.run, cell.settings) for cell in cells]
    slow = {**jobs[0].settings, "schedule": {**jobs[0].settings["schedule"], "steps": 100_000}}
    jobs[0] = Job(**{**_plain(jobs[0]), "settings": slow})
    rows = run_in_processes(jobs, 1, tmp_path)
    killed = _Killer(Path(jobs[0].folder) / "log.jsonl")
    first = next(rows)
    killed.join()
    assert first["status"] == "failed"
    assert "signal 9" in first["reason"]
    second = next(rows)
    assert second["status"] == "done"
    assert list(rows) == []


def _plain(job: Job) -> dict[str, Any]:
    return {name: getattr(job, name) for name in job.__dataclass_fields__}


class _Killer:
    """Waits for a file to grow, then kills this process's worker."""

    def __init__(self, file: Path) -> None:
        import threading

        self._file = file
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        self.join = self._thread.join

    def _watch(self) -> None:
        wait_for(lambda: self._file.exists() and self._file.stat().st_size > 0)
        os.kill(worker_of(os.getpid()), signal.SIGKILL)


def wait_for(condition: Any, seconds: float = 400.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


def is_gone(process: int) -> bool:
    """True when it ended; where nobody collects what ended, it stays in the table, dead."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def worker_of(parent: int) -> int:
    """The worker process that this process started."""
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            words = dict(x.split(":\t", 1) for x in status.read_text().splitlines() if ":\t" in x)
            line = (status.parent / "cmdline").read_bytes()
        except (OSError, ValueError):
            continue
        if words.get("PPid") == str(parent) and b"heartseg.benchmark.worker" in line:
            return int(status.parent.name)
    raise AssertionError("no worker")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc here")
def test_kill_9_in_the_middle_and_resume_give_the_same_rows(data, whole, tmp_path):
    out, grid = tmp_path / "out", write_grid(data, FAILING)
    command = [sys.executable, "-m", "heartseg", "benchmark", str(grid), "-o", str(out)]
    command += ["--device", "cpu"]
    begun = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: len(read_rows(out / "runs.csv")) >= 1)
        worker = worker_of(begun.pid)
    finally:
        begun.kill()  # -9
        begun.wait()
    wait_for(lambda: is_gone(worker))  # nobody is left in the folder
    before = len(read_rows(out / "runs.csv"))
    assert before < 6
    done = run_benchmark(grid, out, device="cpu", resume=True)
    assert len(done.rows) == 6
    assert results_of(out) == results_of(whole)
    for row in read_rows(out / "runs.csv"):
        if row["status"] == "done":
            names = [folder / "runs" / row["run"] / "test" / "cases.csv" for folder in (out, whole)]
            assert names[0].read_bytes() == names[1].read_bytes()


def test_two_benchmarks_do_not_share_a_folder(data, tmp_path):
    with (
        alone_in(tmp_path),
        pytest.raises(OutputError, match="is running in it"),
    ):
        run_benchmark(data / "grid.toml", tmp_path, device="cpu")


@pytest.mark.parametrize("workers", [0, "four", "ray:/x"])
def test_workers_that_cannot_be_are_refused(data, tmp_path, workers):
    with pytest.raises(ConfigError, match="workers"):
        run_benchmark(data / "grid.toml", tmp_path, workers=workers)


def test_a_foreign_table_is_not_overwritten(data, tmp_path):
    (tmp_path / "runs.csv").write_text("a,b\n1,2\n")
    with pytest.raises(OutputError, match="other columns"):
        run_benchmark(data / "grid.toml", tmp_path, resume=True)
    assert (tmp_path / "runs.csv").read_text() == "a,b\n1,2\n"


def test_tables_can_be_had_while_others_run(data, whole):
    with alone_in(whole):
        done = report_benchmark(write_grid(data, FAILING), whole)
    names = {file.name for file in done.files}
    assert names == {"scores.md", "scores.tex", "scores.png", "confusion.png", "gallery.png"}


def test_the_plan_counts_what_was_measured_and_times_the_rest(data, whole, tmp_path):
    from heartseg.benchmark.estimate import plan, remaining_seconds

    more = write_grid(data, FAILING.replace("[1, 2]", "[1, 2, 3]"))
    planned = plan(read_grid(more), whole, "cpu")
    by_label = {tuple(one.cell.labels.values()): one for one in planned}
    assert by_label["1", "narrow"].how == "measured"
    again = by_label["3", "narrow"]
    assert (again.status, again.how) == ("", "as its repeat")
    assert again.seconds == pytest.approx(
        (by_label["1", "narrow"].seconds + by_label["2", "narrow"].seconds) / 2
    )
    assert by_label["1", "broken"].status == "failed"
    assert "preparation.stride" in by_label["3", "broken"].how
    assert remaining_seconds(planned) is None
    known = [one for one in planned if one.seconds is not None]
    left = sum(one.seconds or 0 for one in known if one.status != "done")
    assert remaining_seconds(known, 2) == pytest.approx(left / 2)
    fresh = plan(read_grid(write_grid(data, GRID)), tmp_path, "cpu")
    assert {one.how for one in fresh} == {"timed steps"}
    assert all(one.seconds and one.seconds > 0 for one in fresh)


def test_a_job_travels_as_text(data, whole):
    settings = read_grid(write_grid(data, FAILING)).cells[0].settings
    job = job_of(data, whole / "runs" / "x", settings)
    again = Job.from_json(json.dumps(json.loads(job.to_json())))
    assert again.to_json() == job.to_json()
    assert isinstance(again.settings, Mapping)
