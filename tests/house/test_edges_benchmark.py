"""The ablation of edges and fusion: its runs, their order, what is kept of them and its sums."""

import csv
from argparse import Namespace
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from heartseg.config import load
from heartseg.core.anatomy import Structure
from heartseg.core.errors import ModelError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Segmentation
from tests.house.scripts import ROOT, script

pytest.importorskip("torch")
from heartseg.benchmark.grid import Grid, read_grid
from heartseg.train.settings import RunSettings
from tests.benchmark.tiny import RUN, write_grid, write_phantoms

ARMS = ("base", "edges", "fusion", "both")
LV, MYO = Structure.LV_CAVITY, Structure.LV_MYOCARDIUM


@pytest.fixture(scope="module")
def edges() -> ModuleType:
    return script(ROOT / "benchmarks" / "edges.py")


@pytest.fixture(scope="module")
def judged() -> ModuleType:
    return script(ROOT / "benchmarks" / "edges_judged.py")


@pytest.mark.parametrize("data", ["acdc", "camus"])
def test_every_run_of_the_grid_is_a_run_of_its_own_too(edges: ModuleType, data: str) -> None:
    grid = edges.grid_of(data, "test", None)
    assert grid.score_on == ("test",)
    assert len(grid.cells) == 12
    for cell in grid.cells:
        alone = load(RunSettings, ROOT / "runs" / "edges" / f"{data}-{cell.labels['arm']}.toml")
        assert replace(cell.settings, name="", seed=0) == replace(alone, name="", seed=0)
        assert cell.settings.model["name"] == edges.network_of(cell.labels["arm"])
        assert str(cell.settings.seed) == cell.labels["seed"]
        assert not cell.settings.validate_on  # nothing is chosen by patients that are scored


def test_pictures_of_four_chambers_are_divided_by_number() -> None:
    lines = (ROOT / "runs" / "edges" / "camus-4ch.csv").read_text(encoding="utf-8").split()
    parts = dict(line.split(",") for line in lines[1:])
    by_number = {0: "test", 1: "validate"}
    assert all(by_number.get(int(p[-4:]) % 5, "train") == part for p, part in parts.items())
    assert set(parts.values()) == {"train", "validate", "test"}


def test_any_number_of_runs_is_a_fair_table(edges: ModuleType) -> None:
    grids = {data: edges.grid_of(data, "validate", None) for data in ("acdc", "camus")}
    order = [(c.labels["seed"], data, c.labels["arm"]) for data, c in edges.in_turn(grids)]
    assert order[:8] == [("1", data, arm) for data in ("acdc", "camus") for arm in ARMS]
    assert len(order) == 24
    assert [seed for seed, *_ in order] == sorted(seed for seed, *_ in order)


def test_another_budget_is_another_run(edges: ModuleType) -> None:
    usual, short = (edges.grid_of("acdc", "validate", steps).cells[1] for steps in (None, 40))
    assert short.settings.schedule.steps == 40
    assert short.settings.schedule.warm_up == 4
    assert short.run == f"{usual.run}-40" == short.settings.name
    assert short.settings.model == usual.settings.model


def lines(dice: dict[str, float], distance: str = "3.0") -> list[dict[str, str]]:
    """Two structures of each patient at ED, the second 0.2 worse and without a distance."""
    return [
        {
            "case": case,
            "phase": "ED",
            "structure": structure,
            "dice": str(value - worse),
            "boundary_iou": "0.5",
            "hausdorff95": "" if worse else distance,
            "assd": "1.0",
        }
        for case, value in dice.items()
        for structure, worse in (("lv", 0.0), ("myo", 0.2))
    ]


@pytest.fixture
def where(edges: ModuleType) -> dict[str, str]:
    grid = edges.grid_of("acdc", "validate", 600)
    options = Namespace(part="validate", device="cpu")
    conditions: dict[str, str] = edges.conditions("acdc", grid.cells[0], ["1", "2"], options)
    return conditions


def test_rows_say_under_which_conditions(edges: ModuleType, where: dict[str, str]) -> None:
    assert where["images_seen"] == "2400"
    assert where["seed"] == "1 2"
    assert "acdc-*.toml, 600 steps of 4" in where["configuration"]
    found = list(edges.score_rows({"both": lines({"a": 0.9, "b": 0.8})}, where))
    rows = {(row.measure, row.structure): row for row in found}
    mean = rows["Dice", "mean"]
    assert (mean.value, mean.runs, mean.model) == ("0.75", "2", "edge-attention")
    assert float(mean.low) <= 0.75 <= float(mean.high)
    assert rows["Dice", "myo"].value == "0.65"
    far = rows["HD95", "mean"]
    assert (far.value, far.unit) == ("3", "mm")
    assert "2 of 4 without a value" in far.statistic
    assert rows["boundary IoU, 2 mm", "lv"].unit == "1"


def test_arms_are_compared_over_the_same_patients(edges: ModuleType, where: dict[str, str]) -> None:
    cases = {f"p{n}": 0.7 + n / 100 for n in range(8)}
    better = {case: value + 0.02 + n / 1000 for n, (case, value) in enumerate(cases.items())}
    some = {
        "base": lines(cases),
        "edges": lines({**better, "only here": 0.1}),
        "fusion": lines(cases),
        "both": lines(better, distance="2.0"),
    }
    rows = {(r.measure, r.model, r.against): r for r in edges.compared_rows(some, where)}
    gained = rows["Dice", "edge-attention", "edge-attention-base"]
    assert gained.value == "0.0235"
    assert gained.runs == "8"
    assert float(gained.p) == pytest.approx(2 / 2**8, rel=1e-3)
    assert float(gained.holm) > float(gained.p)
    assert rows["Dice", "edge-attention-edges", "edge-attention-base"].runs == "8"
    assert rows["HD95", "edge-attention", "edge-attention-edges"].value == "-1"
    assert rows["Dice", "edge-attention-fusion", "edge-attention-base"].p == "1"
    assert len(rows) == 4 * 5


@pytest.fixture(scope="module")
def tables(edges: ModuleType) -> ModuleType:
    return script(ROOT / "benchmarks" / "edges_tables.py")


def test_the_page_shows_the_rows_at_hand(tables: ModuleType) -> None:
    text = tables.PAGE.read_text(encoding="utf-8")
    fresh = tables.with_tables(text, tables.RESULTS / "edges")
    assert fresh == text, "run benchmarks/edges_tables.py"


def test_the_page_says_what_was_not_run(tables: ModuleType, tmp_path: Path) -> None:
    text = tables.with_tables(tables.PAGE.read_text(encoding="utf-8"), tmp_path)
    assert "ACDC: not run yet." in text
    assert "CAMUS, four chambers: not run yet." in text


def test_the_page_has_a_table_of_arms_and_one_of_differences(
    edges: ModuleType, tables: ModuleType, where: dict[str, str]
) -> None:
    some = {arm: lines({f"p{n}": 0.7 + n / 100 for n in range(8)}) for arm in ARMS}
    older = [asdict(row) for row in edges.score_rows(some, {**where, "seed": "1"})]
    rows = [*older, *(asdict(row) for row in edges.score_rows(some, where))]
    newest = tables.newest(rows, "acdc")
    assert {row["seed"] for row in newest} == {"1 2"}
    assert tables.newest(rows, "camus") == []
    assert "8 patients; seeds 1, 2;" in tables.conditions(newest)
    table = tables.arms(newest, "acdc").splitlines()
    assert table[0] == (
        "| network | Dice | boundary IoU, 2 mm | HD95, mm | ASSD, mm | Dice lv | Dice myo |"
    )
    assert table[2].startswith("| `edge-attention-base` | 0.635 (")
    assert table[2].endswith(" | 0.735 | 0.535 |")
    assert len(table) == 2 + len(ARMS)
    pairs = [asdict(row) for row in edges.compared_rows(some, where)]
    told = tables.differences(tables.newest(pairs, "acdc"), "acdc").splitlines()
    assert told[2].startswith("| `edge-attention-edges` less `edge-attention-base` | 0.000")
    assert told[2].split(" | ")[1].endswith("; 1")
    assert "not run" in tables.differences(pairs[:1], "acdc")


def segmentation(place: slice, unit: str) -> Segmentation:
    labels = np.zeros((1, 1, 20, 30), np.uint8)
    labels[0, 0, 5:15, place] = LV
    affine = np.diag([8.0, 2.0, 1.0, 1.0])
    return Segmentation(labels, Geometry((1, 20, 30), affine, unit=unit), (LV, MYO))


@pytest.mark.parametrize(("unit", "covered"), [("mm", False), ("px", True)])
def test_distances_are_in_the_unit_that_there_is(
    judged: ModuleType, unit: str, covered: bool
) -> None:
    found, truth = segmentation(slice(4, 14), unit), segmentation(slice(4, 16), unit)
    lv, myo = judged.lines_of("p", found, truth, ["ED"])
    assert float(lv.dice) == pytest.approx(20 / 22)
    assert float(lv.hausdorff95) == 2.0  # two columns of 1 mm, or two pixels
    # Bands of 2 mm leave the middle out, those of 6 pixels do not: then it is the Jaccard index.
    assert (float(lv.boundary_iou) == pytest.approx(10 / 12)) == covered
    assert (myo.dice, myo.hausdorff95) == ("1.0", "")


def test_the_drawing_shows_both_answers_to_the_worst_slices_of_either(
    edges: ModuleType, judged: ModuleType
) -> None:
    truth = np.zeros((2, 3, 20, 30), np.uint8)
    truth[:, :, 5:15, 8:20] = LV
    before, after = truth.copy(), truth.copy()
    before[1, 2, 5:15, 15:] = 0
    after[0, 1, 5:7] = 0
    cases = ("a", "b", "c", "d", "e")

    def masks(labels: Any) -> Any:
        return judged.Masks(
            found=dict.fromkeys(cases, labels),
            truth=dict.fromkeys(cases, truth),
            spacing=dict.fromkeys(cases, (1.5, 1.5)),
        )

    values = dict(zip(cases, (0.9, 0.5, 0.8, 0.6, 0.7), strict=True))
    some = {"base": lines(values), "both": lines({c: 1 - v for c, v in values.items()})}
    found = list(edges.squares(some, masks(before), masks(after)))
    assert [one.captions[0][0] for one in found] == list("bbddeeccaa")  # each once, in pairs
    assert found[0].captions == (
        "b · ES · slice 3 of 3",
        "edge-attention-base: 50 pixels wrong",
        "hard for edge-attention-base",
    )
    assert found[1].captions[1] == "edge-attention: 0 pixels wrong"
    assert found[2].captions[2] == found[6].captions[2] == "hard for both"
    assert found[8].captions[0] == "a · ED · slice 2 of 3"  # where edge-attention is worst
    assert found[8].captions[2] == "hard for edge-attention"
    text = edges.sheet(found, edges._legend("1", 3), "Hardest")
    assert "<image" not in text
    assert "chance alone" in text.replace("\n", " ")


TINY = RUN.replace("widths = [4, 8]", "widths = [4, 6]").replace('"unet"', '"edge-attention"')


def test_a_run_is_trained_scored_and_looked_at_again(
    edges: ModuleType, judged: ModuleType, tmp_path: Path
) -> None:
    write_phantoms(tmp_path / "phantoms")
    path = write_grid(tmp_path, grid='run = "run.toml"\n[axes]\nseed = [1, 2]\n', run=TINY)
    grid: Grid = replace(read_grid(path), score_on=("test",))
    cell = grid.cells[0]
    row = edges.done(grid, cell, tmp_path / "out")
    assert (row["status"], row.get("reason", "")) == ("done", "")
    scored = tmp_path / "out" / "runs" / cell.run / "test"
    with (scored / judged.BORDERS).open(encoding="utf-8", newline="") as file:
        kept = list(csv.DictReader(file))
    assert {line["case"] for line in kept} == {"phantom-0005_sax", "phantom-0010_sax"}
    assert {line["structure"] for line in kept} == {"lv", "myo", "rv"}
    assert {line["phase"] for line in kept} == {"ED", "ES"}
    masks = judged.read_masks(scored)
    assert set(masks.truth) == {line["case"] for line in kept}
    first = next(iter(masks.truth))
    assert masks.truth[first].shape == masks.found[first].shape
    assert masks.spacing[first] == pytest.approx((4.0, 4.0))
    spoilt = (scored / "cases.csv").read_text(encoding="utf-8").replace(",0.", ",1.")
    (scored / "cases.csv").write_text(spoilt, encoding="utf-8")
    with pytest.raises(ModelError, match="the engine's"):
        edges.done(grid, cell, tmp_path / "out")
