"""Rows of a finished grid: what its tables say, with where it comes from."""

import json
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("torch")
from tests.benchmark import test_tables
from tests.house.scripts import ROOT, script

folder = test_tables.folder
"""Seven of eight runs of a small grid."""


@pytest.fixture(scope="module")
def grid_rows() -> ModuleType:
    return script(ROOT / "benchmarks" / "grid_rows.py")


def test_a_row_a_method_metric_and_structure(grid_rows: ModuleType, folder: Path) -> None:
    rows = list(grid_rows.rows_of(folder / "grid.toml", folder))
    by = {(row.model, row.measure, row.structure): row for row in rows}
    # Methods; metrics of structures and their mean, time and size.
    assert len(rows) == len(by) == 4 * (2 * 3 + 2)
    row = by["a, few", "Dice", "mean"]
    assert row.value == "0.7"
    assert float(row.low) < 0.7 < float(row.high)
    assert by["a, few", "Dice", "lv"].value == "0.75"
    assert by["a, few", "HD95, mm", "lv"].unit == "mm"
    assert (row.commit, row.data, row.split, row.hardware) == ("abc", "drawn", "test", "a card")
    assert row.configuration == "runs/grids/grid.toml: network a, size few"
    assert row.runs == "7"


def test_wrong_pixels_are_told_where_one_structure_is_judged_by_accuracy(
    grid_rows: ModuleType, folder: Path
) -> None:
    text = (folder / "grid.toml").read_text(encoding="utf-8")
    changed = text.replace('"dice", "hausdorff95_mm"', '"accuracy"')
    (folder / "grid.toml").write_text(changed, encoding="utf-8")
    for file in folder.glob("runs/*/test/cases.csv"):
        head, *lines = file.read_text(encoding="utf-8").splitlines()
        kept = [f"{line},0.{90 + n}" for n, line in enumerate(lines) if ",lv," in line]
        file.write_text("\n".join([f"{head},accuracy", *kept[:8]]) + "\n", encoding="utf-8")
    rows = list(grid_rows.rows_of(folder / "grid.toml", folder))
    right, wrong = ([r for r in rows if r.measure == name] for name in ("accuracy", "pixel error"))
    assert len(right) == len(wrong) == 4
    for one, other in zip(right, wrong, strict=True):
        assert float(one.value) + float(other.value) == pytest.approx(1, abs=1e-3)
        assert float(other.low) <= float(other.value) <= float(other.high)


def test_what_a_method_costs_and_how_far_validation_lies_from_training(
    grid_rows: ModuleType, folder: Path
) -> None:
    first = next(folder.glob("runs/*seed1*a-few*"), None) or sorted(folder.glob("runs/*"))[0]
    training = [{"step": step, "loss": 0.5} for step in range(1, 9)]
    lines = [*training, {"step": 8, "validation_loss": 0.8}]
    (first / "log.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n", encoding="utf-8")
    rows = list(grid_rows.rows_of(folder / "grid.toml", folder))
    by = {(row.model, row.measure): row for row in rows if row.structure == "-"}
    time = by["a, few", "training time"]
    assert (time.value, time.low, time.high, time.unit) == ("1.5", "1", "2", "min")
    assert by["a, few", "parameters"].value == "12345"
    [gap] = [row for row in rows if row.measure == "validation less training loss"]
    assert (gap.value, gap.runs) == ("0.3", "1")


def test_the_metrics_of_paper_003_where_the_grid_asks_for_them(
    grid_rows: ModuleType, folder: Path
) -> None:
    text = (folder / "grid.toml").read_text(encoding="utf-8")
    (folder / "grid.toml").write_text(f"{text}pooled = true\n", encoding="utf-8")
    rows = list(grid_rows.rows_of(folder / "grid.toml", folder))
    by = {(row.model, row.measure): row for row in rows if row.structure == "all"}
    # Two runs of 9 right, 1 found wrongly, 2 missed, 8 right.
    row = by["a, few", "Dice, pooled"]
    assert float(row.value) == pytest.approx(32 / 38, abs=1e-6)
    assert (row.low, row.high, row.statistic) == ("-", "-", "all patients at once")
    assert float(by["a, few", "Dice, pooled with background"].value) == pytest.approx(0.85)
    assert len(by) == 4 * 2 * 5


def test_a_grid_is_told_as_far_as_it_is_and_each_row_once(
    grid_rows: ModuleType, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(grid_rows.append_new.__globals__, "RESULTS", tmp_path / "results")
    kept = tmp_path / "results" / "grid.csv"
    runs = (folder / "runs.csv").read_text(encoding="utf-8").splitlines()
    waiting = [line for line in runs if not line.endswith(",2,a,few")]
    assert len(waiting) == len(runs) - 1
    (folder / "runs.csv").write_text("\n".join(waiting) + "\n", encoding="utf-8")
    assert grid_rows.append_rows(folder / "grid.toml", folder, "grid") == 3 * 8
    (folder / "runs.csv").write_text("\n".join(runs) + "\n", encoding="utf-8")
    for _ in range(2):
        assert grid_rows.append_rows(folder / "grid.toml", folder, "grid") == 4 * 8
        assert len(kept.read_text(encoding="utf-8").splitlines()) == 1 + 4 * 8
