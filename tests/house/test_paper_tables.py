"""Tables of the papers from small invented rows: right cells, honest gaps, verdicts by the rule."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.house.scripts import ROOT, script

HEADS = (
    *("measure", "structure", "configuration", "images_seen", "value"),
    *("model", "split", "data", "low", "high"),
)


@pytest.fixture(scope="module")
def tables() -> ModuleType:
    return script(ROOT / "docs" / "paper_tables.py")


@pytest.fixture(scope="module")
def rows() -> ModuleType:
    return script(ROOT / "docs" / "paper_rows.py")


@pytest.fixture(scope="module")
def thesis() -> ModuleType:
    return script(ROOT / "docs" / "thesis_tables.py")


def row(labels: str, value: float, measure: str = "Dice", structure: str = "lv") -> dict[str, str]:
    said = {"measure": measure, "structure": structure, "value": str(value)}
    return {**said, "configuration": f"runs/grids/x.toml: {labels}", "images_seen": "2400"}


def write(path: Path, lines: list[dict[str, str]], heads: tuple[str, ...] = HEADS) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, heads, restval="")
        writer.writeheader()
        writer.writerows(lines)


def thesis_rows(gain: float) -> Iterator[dict[str, str]]:
    """Three decoders, three encoders; augmented data are better by `gain`, U-Net++ by 0.02."""
    for d, decoder in enumerate(("unet", "unetplusplus", "deeplabv3plus")):
        for e, encoder in enumerate(("plain", "resnet34", "mobilenetv2")):
            for kind in ("initial", "augmented"):
                labels = f"model.encoder {encoder}, model.decoder {decoder}, data {kind}"
                value = 0.8 + 0.02 * d + 0.001 * e + (gain + 0.001 * d if kind[0] == "a" else 0)
                yield row(labels, value)
                yield row(labels, 4.0, "training time", "-")


def found_of(rows: ModuleType, lines: list[dict[str, str]], costs: Any = ()) -> Any:
    return rows.Found(lines, rows.Plan(2400, 128), costs)


def test_a_cell_is_its_newest_row_and_the_rest_says_what_it_would_take(
    rows: ModuleType, thesis: ModuleType
) -> None:
    lines = [row("model.encoder plain, model.decoder unet, data initial", 0.1), *thesis_rows(0.03)]
    text = "\n".join(thesis.thesis_tables(found_of(rows, lines)))
    first = text.partition("### Table 2")[0]
    [line] = [one for one in first.splitlines() if one.startswith("| plain ")]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[:5] == ["plain", "not run", "not run", "0.800", "0.830"]
    assert cells[-1] == "2400"
    [line] = [one for one in first.splitlines() if one.startswith("| resnet50 ")]
    assert line.endswith("not run (about 4 min) |")
    assert text.count("### Table ") == 9 + 3  # b3, ResNet-34, and MobileNetV2, which has rows


def test_time_is_that_of_the_likest_run_else_of_the_network_else_not_known(
    rows: ModuleType,
) -> None:
    lines = [
        row("model.encoder a, model.decoder unet", 3.0, "training time", "-"),
        row("model.encoder b, model.decoder fpn", 50.0, "training time", "-"),
    ]
    cost = {"network": "pan-c", "training_ms": "100", "precision": "f32", "compiled": "no"}
    cost |= {"problem": "", "hardware": "a processor"}
    found = found_of(rows, lines, [cost])
    assert found.take("unet-c", {"encoder": "c", "decoder": "unet"}) == "about 3 min"
    assert found.take("fpn-b", {"encoder": "b", "decoder": "fpn"}) == "about 50 min"
    # 2,400 images of 100 ms at 256 x 256 are 4 minutes, of 128 x 128 one.
    assert found.take("pan-c", {"encoder": "c", "decoder": "pan"}) == "about 1 min"
    assert found.take("linknet-c", {"encoder": "c", "decoder": "linknet"}) == "time not known"


def verdicts(thesis: ModuleType, found: Any) -> dict[str, str]:
    return {said: word for said, word, _ in thesis.conclusions(found)}


@pytest.mark.parametrize(("gain", "word"), [(0.03, "holds"), (-0.03, "does not")])
def test_a_conclusion_is_computed_from_the_pairs(
    rows: ModuleType, thesis: ModuleType, gain: float, word: str
) -> None:
    found = found_of(rows, list(thesis_rows(gain)))
    told = verdicts(thesis, found)
    assert told["Augmented data are better"] == word
    assert told["A backbone is better than none"] == "holds"  # six pairs: by 0.0015 each
    assert told["Of the ResNets, ResNet-34 is best; -50 and -101 take longer"].startswith("cannot")
    assert thesis.better(found, "decoder", "unetplusplus", "unet")[0] == "holds"
    assert told["U-Net++ is better than U-Net, DeepLabv3+ than DeepLabv3"].startswith("cannot")


def test_the_rule_needs_pairs_and_a_clear_interval(thesis: ModuleType) -> None:
    assert thesis.judged("x", [0.1] * 5)[0] == "cannot be said yet"
    assert thesis.judged("x", [0.1] * 6)[0] == "holds"
    assert thesis.judged("x", [-0.1] * 6)[0] == "does not"
    assert thesis.judged("x", [0.1, -0.1] * 4)[0] == "cannot be said yet"
    assert thesis._together([("holds", "a"), ("cannot be said yet", "b")])[0].startswith("cannot")
    assert thesis._together([("cannot be said yet", "a"), ("does not", "b")])[0] == "does not"
    assert thesis._together([("holds", "a"), ("holds", "b")])[0] == "holds"


def test_without_any_row_nothing_is_claimed_and_nothing_is_drawn(
    tables: ModuleType, tmp_path: Path
) -> None:
    for text in (tables.page(tmp_path), tables.study_page(tmp_path)):
        assert "not run" in text
        assert "| holds" not in text
        assert "| does not" not in text
    assert not tables.figures(tmp_path)


def test_the_study_of_003_shows_both_metrics_and_its_curve(
    tables: ModuleType, tmp_path: Path
) -> None:
    lines = []
    for size, dice in (("20", 0.4), ("1120", 0.9)):
        labels = f"slices {size}, data augmented, model.name cmr-fcn"
        lines += [
            row(labels, dice, structure="mean"),
            row(labels, 0.95 + dice / 20, "Dice, pooled with background", "all"),
            row(labels, 7697379, "parameters", "-"),
        ]
    write(tmp_path / "study003/grid.csv", lines)
    text = tables.study_page(tmp_path)
    assert "| FCN | 20 | augmented | 0.400 | not run (time not known) | 0.9700 |" in text
    assert "Of 2 networks, Dice by patient spans 0.400 to 0.900" in text
    assert "0.970 and 0.995 when pooled" in text
    [picture] = tables.figures(tmp_path).items()
    assert picture[0] == "study-003.svg"
    assert "FCN, augmented" in picture[1]
    assert "ResUNet" not in picture[1]
    assert f"]({picture[0]})" in text


def test_folds_isbi_and_the_review_find_their_rows(tables: ModuleType, tmp_path: Path) -> None:
    fold: Mapping[str, str] = {
        **{"model": "3-D U-Net", "split": "fold 0-2", "measure": "IoU of slices left out"},
        **{"structure": "mean", "value": "0.81"},
    }
    write(tmp_path / "sparse/folds.csv", [dict(fold)])
    isbi = row("weights border, deformation none", 0.125, "pixel error", "cell")
    write(tmp_path / "isbi2012/grid.csv", [isbi])
    write(tmp_path / "review/grid.csv", [row("network fcn-8s", 5.25, "HD95, mm", "mean")])
    text = tables.page(tmp_path)
    [line] = [one for one in text.splitlines() if one.startswith("| 3-D U-Net |")]
    assert line.endswith("| 0.810 |")
    assert "| border | none | not run (time not known) | 0.125 |" in text
    [line] = [one for one in text.splitlines() if one.startswith("| fcn-8s |")]
    assert "| 5.2 |" in line


def test_what_a_run_sees_is_read_from_its_files(rows: ModuleType) -> None:
    grids = ROOT / "runs" / "grids"
    assert rows.plan_of(grids / "thesis.toml") == rows.Plan(2400, 128)
    assert rows.plan_of(grids / "study003.toml") == rows.Plan(2000, 128)
