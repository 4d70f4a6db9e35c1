"""The metric of paper 003 beside the mean over patients, from the files of a grid."""

from pathlib import Path

import pytest

pytest.importorskip("torch")
from heartseg.benchmark.grid import read_grid
from heartseg.benchmark.pooled_table import pooled_table, pooled_values
from heartseg.benchmark.results import read_results
from heartseg.benchmark.tables import NAMES, all_tables
from tests.benchmark import test_tables

folder = test_tables.folder
"""Seven of eight runs; each counted 9 and 8 voxels right, 1 found wrongly, 2 missed."""


def test_a_line_a_method_and_both_readings(folder: Path) -> None:
    results = read_results(read_grid(folder / "grid.toml"), folder)
    table = pooled_table(results, NAMES)
    texts = [[cell.text for cell in row] for row in table.rows]
    assert len(texts) == 4
    assert all(len(line) == len(table.heads) == 2 + 1 + 2 * 5 for line in texts)
    assert table.heads[2:5] == (
        *("Dice, mean over patients", "Dice, pooled", "Dice, pooled with background"),
    )
    assert texts[0][2:5] == ["0.7000", f"{32 / 38:.4f}", "0.8500"]


def test_a_method_without_counts_has_no_values(folder: Path) -> None:
    for file in folder.glob("runs/*/test/confusion.csv"):
        other = "truth,background,rv\nbackground,9,1\nrv,2,8\n"
        if file.parent.parent.name.find("seed2") >= 0 or "2" in file.parent.parent.name[:8]:
            file.write_text(other, encoding="utf-8")
    results = read_results(read_grid(folder / "grid.toml"), folder)
    lost = [method for method in results.scored if method.confusion is None]
    assert lost
    assert pooled_values(lost[0]) == {}


def test_it_is_shown_only_where_the_grid_asks(folder: Path) -> None:
    text = (folder / "grid.toml").read_text(encoding="utf-8")

    def titles() -> list[str]:
        results = read_results(read_grid(folder / "grid.toml"), folder)
        return [table.title for table in all_tables(results)]

    assert "As paper 003 counts" not in titles()
    (folder / "grid.toml").write_text(f"{text}pooled = true\n", encoding="utf-8")
    assert "As paper 003 counts" in titles()
