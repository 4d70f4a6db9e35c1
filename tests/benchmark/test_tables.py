"""Tables and figures: numbers by hand, from rows and files that were written for them."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
from heartseg.benchmark.cell import SIGHT
from heartseg.benchmark.grid import read_grid
from heartseg.benchmark.ledger import RUNS, Ledger, write_table
from heartseg.benchmark.results import against_best, best_of, read_results
from heartseg.benchmark.tables import all_tables, as_latex, as_markdown, scores_table
from heartseg.core.errors import ConfigError
from tests.benchmark.tiny import write_grid

GRID = """
run = "run.toml"
title = "Small & neat"
score_on = ["test"]
[axes]
seed = [1, 2]
[axes.network]
a = { model.widths = [4, 6] }
b_1 = { model.widths = [6, 8] }
[axes.size]
few = { learning.batch = 2 }
many = { learning.batch = 3 }
[report]
metrics = ["dice", "hausdorff95_mm"]
columns = ["size"]
curve = "size"
"""
CASES = [f"patient{number:03}" for number in range(5, 40, 5)]  # seven


def dice_of(network: str, size: str, seed: str, place: int, phase: str) -> float:
    """0.80 at ED, 0.70 at ES, and what each label adds; patients differ by hundredths."""
    value = 0.80 if phase == "ED" else 0.70
    value += 0.05 * (network == "b_1") + 0.02 * (size == "many")
    return value + (0.01 if seed == "1" else -0.01) + 0.01 * (place - 3)


def write_run(folder: Path, labels: dict[str, str]) -> None:
    """cases.csv as a run would: LV and RV at ED and ES; the RV is 0.1 worse."""
    lines = []
    for place, case in enumerate(CASES):
        for phase in ("ED", "ES"):
            for key, worse in (("lv", 0.0), ("rv", 0.1)):
                value = dice_of(**labels, place=place, phase=phase) - worse
                far = "" if case == CASES[0] and key == "rv" and labels["network"] == "a" else 4.0
                distance = far if labels["network"] == "a" or not far else 5.0
                lines.append([case, phase, key, f"{value:.4f}", 0.5, 0.5, 0.5, distance, 1.0])
    heads = ("case", "phase", "structure", "dice", "jaccard", "precision", "recall")
    write_table(folder / "cases.csv", (*heads, "hausdorff95_mm", "assd_mm"), lines)
    write_table(
        folder / "confusion.csv",
        ("truth", "background", "lv"),
        [["background", 9, 1], ["lv", 2, 8]],
    )
    plane = np.zeros((2, 12, 14), np.uint8)
    plane[:, 4:8, 3:9] = 1
    np.savez(
        folder / SIGHT,
        pixels=np.random.default_rng(0).random(plane.shape).astype(np.float32),
        truth=plane,
        found=plane,
        spacing=np.array([1.5, 1.5]),
        case=np.array(CASES[0]),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Seven of eight runs: the last one failed."""
    grid = read_grid(write_grid(tmp_path, GRID))
    ledger = Ledger(tmp_path)
    for cell in grid.cells:
        row = {"run": cell.run, "split": "test", "status": "done", "data": "drawn"}
        row |= {f"axis.{axis}": label for axis, label in cell.labels.items()}
        if cell is grid.cells[-1]:
            ledger.add({**row, "status": "failed", "reason": "the disk | was full"})
            continue
        seed = int(cell.labels["seed"])
        ledger.add(
            {
                **row,
                **{"parameters": "12345", "training_seconds": str(60 * seed)},
                **{"lv_ef_mae": "0.031", "hardware": "a card", "commit": "abc"},
            }
        )
        write_run(tmp_path / "runs" / cell.run / "test", dict(cell.labels))
    return tmp_path


def cells_of(text: str, start: str) -> list[str]:
    """Cells of the first line of a Markdown table that starts so."""
    line = next(line for line in text.splitlines() if line.startswith(f"| {start}"))
    return [cell.strip() for cell in line.strip("|").split(" | ")]


def test_the_mean_is_over_patients_and_their_interval_is_theirs(folder):
    """a, few: (0.80 + 0.70) / 2 - 0.05 for the RV, seeds and patients cancel: 0.70."""
    results = read_results(read_grid(folder / "grid.toml"), folder)
    mean = results.methods[0].mean("dice")
    assert mean is not None
    assert mean.value == pytest.approx(0.70)
    assert mean.cases == 7
    assert mean.interval is not None
    spread = 0.02 / np.sqrt(7)  # patients are 0.67 ... 0.73: SD 0.02, both seeds averaged first
    assert mean.interval[0] == pytest.approx(0.70 - 1.96 * spread, abs=0.003)
    assert mean.interval[1] == pytest.approx(0.70 + 1.96 * spread, abs=0.003)


def test_the_table_by_hand(folder):
    grid = read_grid(folder / "grid.toml")
    text = as_markdown([scores_table(read_results(grid, folder))])
    few, many = cells_of(text, "a | few"), cells_of(text, "b_1 | many")
    assert few[:4] == ["a", "few", "2 of 2", "7"]
    assert few[4] == "0.700"
    # 0.70 + 0.05 + 0.02, and of the second seed, which is 0.02 worse, nothing is there.
    assert many[:5] == ["b_1", "many", "1 of 2", "7", "**0.780**"]
    assert many[6] == "best"
    assert few[6] == "0.047"  # 7 patients, all on one side: 2 / 2^7 = 0.0156, three of them
    assert few[7] == "**4.0 (4 none)**"
    assert few[8:] == ["3.1", "12,345", "1.5"]
    assert cells_of(text, "b_1 | few")[7] == "5.0"
    human = cells_of(text, "human readers")
    assert human[4] == "0.895 to 0.915"  # LV .92 to .94, RV .87 to .89
    assert human[8] == "4.6 to 7.5"
    assert "Not finished: 1 of 8 runs" in text


def test_structures_and_phases_stand_apart(folder):
    grid = read_grid(folder / "grid.toml")
    text = as_markdown([*all_tables(read_results(grid, folder))][1:2])
    assert cells_of(text, "| network".strip("| "))[2:] == ["LV cavity", "RV cavity", "ED", "ES"]
    assert cells_of(text, "a | few")[2:] == ["0.750", "0.650", "0.750", "0.650"]
    assert cells_of(text, "human readers")[2:4] == ["0.920 to 0.940", "0.870 to 0.890"]


def test_columns_stand_side_by_side(folder):
    grid = read_grid(folder / "grid.toml")
    text = as_markdown([*all_tables(read_results(grid, folder))][2:3])
    assert cells_of(text, "network")[1:3] == ["Dice (few)", "Dice (many)"]
    assert cells_of(text, "a |")[1:3] == ["0.700", "0.720"]
    assert cells_of(text, "b_1 |")[1:3] == ["**0.750**", "**0.780**"]


def test_a_failed_run_is_listed_with_its_reason(folder):
    grid = read_grid(folder / "grid.toml")
    text = as_markdown([*all_tables(read_results(grid, folder))])
    assert "the disk \\| was full |" in text


def test_less_is_better_for_distances_and_equals_go_to_the_first(folder):
    results = read_results(read_grid(folder / "grid.toml"), folder)
    assert best_of(results.methods, "hausdorff95_mm") is results.methods[0]
    assert best_of(results.methods, "dice") is results.methods[3]
    found = against_best(results.methods, "dice")
    assert set(found) == {"a, few", "a, many", "b_1, few"}
    assert found["a, few"].paired.mean_difference == pytest.approx(0.08)


def test_latex_escapes_and_keeps_the_columns(folder):
    grid = read_grid(folder / "grid.toml")
    text = as_latex([*all_tables(read_results(grid, folder))])
    assert r"\caption{Small \& neat: test}" in text
    assert r"b\_1 & few & 2 of 2" in text
    assert r"\textbf{0.780}" in text
    heads = text.split(r"\toprule")[1].split(r"\\")[0].count("&")
    assert text.split("b\\_1 & few & 2 of 2")[1].split(r"\\")[0].count("&") == heads - 2


def test_every_picture_is_drawn(folder):
    from PIL import Image

    from heartseg.benchmark.figures import write_figures

    results = read_results(read_grid(folder / "grid.toml"), folder)
    files = write_figures(results, folder)
    assert [file.stem for file in files] == ["scores", "curve", "confusion", "gallery"]
    for file in files:
        with Image.open(file) as picture:
            assert picture.width > 300
            assert np.asarray(picture.convert("L")).std() > 5


def test_rows_of_other_grids_are_left_alone(folder):
    grid = read_grid(write_grid(folder, GRID.replace("seed = [1, 2]", "seed = [1]")))
    results = read_results(grid, folder)
    assert len(results.rows) == 4
    assert results.methods[0].planned == 1


def test_nothing_finished_is_a_table_of_nothing(tmp_path):
    grid = read_grid(write_grid(tmp_path, GRID))
    text = as_markdown([*all_tables(read_results(grid, tmp_path))])
    assert cells_of(text, "a | few")[2:5] == ["0 of 2", "0", "-"]


def test_a_cell_that_a_spreadsheet_could_run_and_line_breaks_stay_in_their_cell(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.add({"run": "a", "split": "test", "status": "failed", "reason": 'two\nlines, "quoted"'})
    (row,) = csv.DictReader(io.StringIO((tmp_path / RUNS).read_text(encoding="utf-8")))
    assert row["reason"] == 'two lines, "quoted"'


def test_each_value_of_an_axis_has_a_table_of_its_own(folder):
    text = (folder / "grid.toml").read_text(encoding="utf-8")
    (folder / "grid.toml").write_text(text + 'apart = ["network"]\n', encoding="utf-8")
    tables = {t.title: t for t in all_tables(read_results(read_grid(folder / "grid.toml"), folder))}
    mine, whole = tables["network b_1"], tables["By size"]
    assert mine.heads == whole.heads[1:]
    (line,) = mine.rows
    assert [cell.text for cell in line] == [cell.text for cell in whole.rows[1][1:]]
    assert "1 of 4 runs are not done" in mine.notes[0]
    assert "network a" in tables


def test_files_from_before_a_metric_was_kept_are_read(folder):
    results = read_results(read_grid(folder / "grid.toml"), folder)
    assert results.methods[0].mean("soft_dice") is None


@pytest.mark.parametrize(
    ("line", "message"),
    [('apart = ["size"]', "not in report.columns"), ('apart = ["colour"]', "report.apart.*colour")],
)
def test_tables_apart_are_of_axes_that_do_not_stand_side_by_side(tmp_path, line, message):
    with pytest.raises(ConfigError, match=message):
        read_grid(write_grid(tmp_path, f"{GRID}{line}\n"))
