"""A worker process: a row for each job, also when it begins anew between them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
from heartseg.benchmark.cell import Job
from heartseg.benchmark.worker import held

CODE = "from heartseg.benchmark import worker; worker.MOST = {most}; worker.main()"


def answered(jobs: list[Job], most: int) -> tuple[list[str], list[str]]:
    """Runs of the rows that a worker with this limit gives, and its commands after each."""
    command = [sys.executable, "-c", CODE.format(most=most)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    rows, commands = [], []
    with subprocess.Popen(command, text=True, **pipes) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for job in jobs:
            process.stdin.write(job.to_json() + "\n")
            process.stdin.flush()
            row = json.loads(process.stdout.readline())
            rows.append(f"{row['run']} {row['status']}")
            commands.append(Path(f"/proc/{process.pid}/cmdline").read_text().split("\0")[1])
        process.stdin.close()
        assert process.wait(60) == 0
    return rows, commands


@pytest.fixture
def jobs(tmp_path: Path) -> list[Job]:
    """Runs that fail before they begin: their settings are none."""
    where = {"labels": {}, "root": str(tmp_path), "score_on": ("test",), "device": "cpu"}
    return [
        Job(run=name, settings={"folder": "x", "no such": 1}, folder=str(tmp_path / name), **where)
        for name in ("first", "second", "third")
    ]


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc here")
def test_a_worker_that_holds_too_much_begins_anew_and_no_row_is_lost(jobs: list[Job]) -> None:
    rows, commands = answered(jobs, most=0)
    assert rows == ["first failed", "second failed", "third failed"]
    assert commands == ["-m"] * 3  # the first row comes from the second start already


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc here")
def test_else_it_goes_on(jobs: list[Job]) -> None:
    rows, commands = answered(jobs[:2], most=2**40)
    assert rows == ["first failed", "second failed"]
    assert commands == ["-c"] * 2


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc here")
def test_what_is_held_grows_with_what_is_taken() -> None:
    before = held()
    taken = bytearray(64 * 2**20)
    assert 2**20 < before < held() - 32 * 2**20 < 2**40
    del taken
