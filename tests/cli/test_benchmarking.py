"""`heartseg benchmark`: what it prints, and how it ends."""

import json
from pathlib import Path

import pytest

pytest.importorskip("torch")
from typer.testing import CliRunner

from heartseg.cli import app
from heartseg.cli.benchmarking import duration, workers_of
from heartseg.core.errors import ConfigError
from tests.benchmark.tiny import GRID, write_grid


def test_the_list_shows_the_runs_in_their_order_and_writes_nothing(tmp_path: Path):
    grid = write_grid(tmp_path, GRID)
    done = CliRunner().invoke(app, ["benchmark", str(grid), "-o", str(tmp_path / "o"), "--list"])
    assert done.exit_code == 0, done.output
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[1:3] for line in lines[1:5]] == [
        ["1", "narrow"],
        ["1", "wide"],
        ["2", "narrow"],
        ["2", "wide"],
    ]
    assert "4 runs, 4 to do; time left with 1 at once: about" in done.stdout
    assert not (tmp_path / "o").exists()


def test_failed_runs_are_exit_code_1_and_machines_get_the_rows(tmp_path: Path):
    """There are no phantoms: every run fails, and says why."""
    from heartseg.benchmark.ledger import Ledger

    grid, out = write_grid(tmp_path, GRID), tmp_path / "o"
    command = ["benchmark", str(grid), "-o", str(out), "--tables", "--json"]
    assert CliRunner().invoke(app, command).exit_code == 0  # nothing is done, nothing failed
    from heartseg.benchmark.grid import read_grid

    cell = read_grid(grid).cells[0]
    Ledger(out).add({"run": cell.run, "split": "test", "status": "failed", "reason": "no data"})
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 1
    said = json.loads(done.stdout)
    assert said["planned"] == 4
    assert said["rows"][0]["reason"] == "no data"


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", "http://x"])
def test_workers_are_a_number_or_a_cluster(text):
    with pytest.raises(ConfigError, match="--workers"):
        workers_of(text)
    assert workers_of("3") == 3
    assert workers_of("ray://local") == "ray://local"


def test_time_is_said_as_people_do():
    said = [duration(seconds) for seconds in (4, 89, 600, 5399, 12600)]
    assert said == ["4 s", "89 s", "10 min", "90 min", "3.5 h"]
