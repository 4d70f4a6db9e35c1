"""What is kept of a grid's runs, and how another machine goes on with it."""

import json
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("torch")
from heartseg.benchmark.grid import read_grid
from heartseg.benchmark.ledger import Ledger, read_rows
from heartseg.benchmark.results import read_results
from tests.benchmark import test_tables
from tests.house.scripts import ROOT, script

drawn = test_tables.folder
"""Seven of eight runs of a small grid, without the files that no table reads."""


@pytest.fixture(scope="module")
def kept() -> ModuleType:
    return script(ROOT / "benchmarks" / "kept_runs.py")


@pytest.fixture
def folder(drawn: Path) -> Path:
    """The same, whole."""
    for row in read_rows(drawn / "runs.csv"):
        run = drawn / "runs" / row["run"]
        if row["status"] != "done":
            continue
        (run / "test" / "result.json").write_text(json.dumps(row), encoding="utf-8")
        (run / "trained.pt").write_bytes(b"weights")
        for name in ("log.jsonl", "seconds.json"):
            (run / name).write_text(f"{name} of {row['run']}\n", encoding="utf-8")
    return drawn


def test_another_folder_has_the_same_results_and_does_the_rest(
    kept: ModuleType, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    there = tmp_path_factory.mktemp("there")
    archive = there / "deep" / "grid.zip"
    assert kept.keep(folder, archive) == 7
    assert kept.restore(there / "out", archive) == 7
    assert kept.restore(there / "out", archive) == 7  # again: nothing changes
    assert not list(there.rglob("trained.pt"))
    assert not list(there.rglob("sight.npz"))
    grid = read_grid(folder / "grid.toml")
    ours, theirs = read_results(grid, folder), read_results(grid, there / "out")
    assert [one.mean("dice") for one in theirs.methods] == [
        one.mean("dice") for one in ours.methods
    ]
    assert [one.sight for one in theirs.methods] == [None] * 4  # no masks: no gallery
    done = [cell.run for cell in grid.cells if Ledger(there / "out").done(cell.run, "test")]
    assert done == [cell.run for cell in grid.cells[:-1]]  # the one that failed is tried again
    log = f"runs/{done[0]}/log.jsonl"
    assert (there / "out" / log).read_text() == (folder / log).read_text()


def test_an_archive_is_the_same_to_the_byte_and_loses_nothing(
    kept: ModuleType, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    there = tmp_path_factory.mktemp("there")
    first, second = there / "first.zip", there / "second.zip"
    kept.keep(folder, first)
    kept.restore(there / "out", first)
    kept.keep(there / "out", second)
    assert first.read_bytes() == second.read_bytes()
    with_one = there / "one"
    row = read_rows(folder / "runs.csv")[0]
    Ledger(with_one).add(row)
    for name in [*kept.OF_A_RUN, *(f"test/{one}" for one in kept.OF_A_SCORE)]:
        path = with_one / "runs" / row["run"] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"a later go")
    assert kept.keep(with_one, second) == 7  # six others stay, and so does what this one was first
    assert first.read_bytes() == second.read_bytes()
