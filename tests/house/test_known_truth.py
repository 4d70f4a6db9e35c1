"""The experiment with known truth: its cells, its pairs, its measures and its sums."""

import argparse
import csv
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from heartseg.config import load
from heartseg.core.anatomy import Structure
from heartseg.core.errors import ConfigError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Segmentation
from tests.house.scripts import ROOT, script

pytest.importorskip("torch")
pytest.importorskip("skimage")
from heartseg.train.translate.methods import CycleGAN, FastCUT
from heartseg.train.translate.settings import TranslateSettings

RUNS = ROOT / "runs" / "translate"


@pytest.fixture(scope="module")
def known() -> ModuleType:
    return script(ROOT / "benchmarks" / "known_truth.py")


@pytest.fixture(scope="module")
def judged() -> ModuleType:
    return script(ROOT / "benchmarks" / "known_truth_judged.py")


@pytest.fixture(scope="module")
def data() -> ModuleType:
    return script(ROOT / "benchmarks" / "known_truth_data.py")


@pytest.fixture(scope="module")
def rows() -> ModuleType:
    return script(ROOT / "benchmarks" / "known_truth_rows.py")


def test_both_ends_of_a_direction_come_before_its_arms(known: ModuleType) -> None:
    order = list(known.in_turn([1, 2]))
    assert len({cell.name for cell in order}) == len(order) == 2 * (2 * 7 + 7)
    assert [cell.arm for cell in order[:3]] == ["none", "supervised", "cyclegan"]
    assert {(one.source, one.target) for one in order[:7]} == {("mr", "ct")}
    assert [cell.arm for cell in order[14:21]] == known.ablation()
    assert [cell.seed for cell in order] == [1] * 21 + [2] * 21


def test_arms_differ_in_their_method_alone(known: ModuleType) -> None:
    settings = {arm: load(TranslateSettings, RUNS / f"phantom-{arm}.toml") for arm in known.ARMS}
    plain = settings["cyclegan"]
    for arm, one in settings.items():
        like = replace(one, name=plain.name, cyclegan=None, fastcut=None, anatomy=None)
        assert like == plain, arm
    assert isinstance(settings["fastcut"].method, FastCUT)
    for arm, edges, anatomy in (
        ("cyclegan", 0, False),
        ("edges", 1, False),
        ("consistency", 0, True),
        ("all", 1, True),
    ):
        assert settings[arm].method == CycleGAN(edges=edges)
        assert (settings[arm].anatomy is not None) == anatomy
    assert settings["all"].anatomy == settings["consistency"].anatomy


def test_the_ablation_is_of_both_ideas_and_of_the_width(known: ModuleType) -> None:
    grid = script(ROOT / "benchmarks" / "known_truth_cells.py")._grid()
    models = {cell.labels["arm"]: cell.settings for cell in grid.cells}
    widths = {arm: one.loss.edges and one.loss.edges.width_px for arm, one in models.items()}
    assert widths == {
        "base": None,
        "edges": 2,
        "fusion": None,
        "both": 2,
        "both-1px": 1,
        "both-3px": 3,
        "both-5px": 5,
    }
    assert {one.model["name"] for arm, one in models.items() if arm.startswith("both")} == {
        "edge-attention"
    }
    assert not any(one.validate_on for one in models.values())
    assert grid.score_on == ("test",)


def test_nobody_trains_in_both_kinds_and_who_tests_is_in_both(data: ModuleType) -> None:
    mr, ct = (data.numbers(data.TRAINS[kind], 30) for kind in ("mr", "ct"))
    test = data.numbers(data.TESTS, 30)
    assert not set(mr) & set(ct)
    assert not (set(mr) | set(ct)) & set(test)
    assert [number % 5 for number in (*mr[:2], *ct[:2], *test[:2])] == [2, 2, 3, 3, 0, 0]
    assert 0 not in test
    assert len(test) == len(mr) == 30


def test_pairs_are_of_one_heart_on_one_grid(
    data: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "SIDE_PX", 40)
    monkeypatch.setattr(data, "PIXEL_MM", 5.0)
    monkeypatch.setattr(data, "FRAMES", 1)
    monkeypatch.setattr(data, "SLICES", 2)
    data.write_data(tmp_path, train=1, test=1)
    names = {kind: sorted(p.name for p in (tmp_path / kind).iterdir()) for kind in ("mr", "ct")}
    assert names["mr"] == ["labels.toml", "phantom-0002", "phantom-0005"]
    assert names["ct"] == ["labels.toml", "phantom-0003", "phantom-0005"]
    written = (tmp_path / "mr" / "phantom-0005" / "truth.json").stat().st_mtime_ns
    data.write_data(tmp_path, train=1, test=1)
    assert (tmp_path / "mr" / "phantom-0005" / "truth.json").stat().st_mtime_ns == written
    ((name, mr, ct, labels),) = data.pairs(tmp_path, "mr", "ct")
    assert name == "phantom-0005"
    assert mr.geometry.same_grid(ct.geometry)
    lv = labels.labels == Structure.LV_CAVITY
    assert np.median(ct.voxels[lv]) > 250  # Hounsfield units of blood with contrast agent
    assert np.median(mr.voxels[lv]) > 2 * np.median(mr.voxels)


def drawn(side: int = 40) -> Segmentation:
    labels = np.zeros((1, 2, side, side), np.uint8)
    labels[0, 0, 15:25, 12:28] = Structure.LV_CAVITY
    geometry = Geometry((2, side, side), np.diag([10.0, 2.0, 2.0, 1.0]))
    return Segmentation(labels, geometry, (Structure.LV_CAVITY,))


def test_likeness_is_known_by_hand(judged: ModuleType) -> None:
    truth = np.random.default_rng(0).random((1, 2, 40, 40)).astype(np.float32)
    same = judged.likeness(truth, truth, drawn())
    assert same == {"psnr": 100.0, "ssim": 1.0, "psnr_heart": 100.0, "ssim_heart": 1.0}
    grey = np.full_like(truth, 0.5)
    off = judged.likeness(grey + 0.1, grey, drawn())
    assert off["psnr"] == pytest.approx(20.0, abs=1e-4)
    # Of flat planes SSIM is (2 a b + c) / (a^2 + b^2 + c), c = 0.01^2.
    assert off["ssim"] == pytest.approx((2 * 0.3 + 1e-4) / (0.36 + 0.25 + 1e-4), abs=1e-5)


def test_near_the_ventricles_is_near_the_ventricles(judged: ModuleType) -> None:
    truth = np.full((1, 2, 40, 40), 0.5, np.float32)
    far, near = truth.copy(), truth.copy()
    far[0, 0, :5] += 0.2  # 20 mm and more from what is drawn
    near[0, 0, 10] += 0.2  # 10 mm
    assert judged.likeness(far, truth, drawn())["psnr_heart"] == 100.0
    assert judged.likeness(near, truth, drawn())["psnr_heart"] < 40.0
    far[0, 1] += 0.3  # a plane where nothing is drawn
    assert judged.likeness(far, truth, drawn())["psnr_heart"] == 100.0
    assert judged.likeness(far, truth, drawn())["psnr"] < 60.0


def test_the_sheet_has_a_row_an_arm(judged: ModuleType, tmp_path: Path) -> None:
    from PIL import Image

    plane = np.random.default_rng(0).random((24, 24)).astype(np.float32)
    shown = [judged.Shown(case="p5", source=plane, made=plane, truth=1 - plane)]
    judged.keep_shown(tmp_path / "shown.npz", shown)
    (back,) = judged.kept_shown(tmp_path / "shown.npz")
    np.testing.assert_array_equal(back.truth, shown[0].truth)
    sizes = []
    for arms in (("a",), ("a", "b")):
        judged.draw_sheet(tmp_path / "sheet.png", dict.fromkeys(arms, (back,)), "title")
        with Image.open(tmp_path / "sheet.png") as sheet:
            sizes.append(sheet.size)
    assert sizes[0][0] == sizes[1][0]
    assert sizes[1][1] > sizes[0][1]


def cases(values: Sequence[float]) -> list[dict[str, Any]]:
    return [
        {"case": f"p{n}", "phase": "ED", "structure": structure, "dice": value + more}
        for n, value in enumerate(values)
        for structure, more in (("lv", 0.05), ("myo", -0.05))
    ]


def test_the_recovered_share_lies_between_the_ends(known: ModuleType, rows: ModuleType) -> None:
    lab = known.Lab(out=Path("out"), train=4, test=3, steps=7, segment_steps=9)
    some = {
        arm: known.Cell(seed=1, source="mr", target="ct", arm=arm)
        for arm in ("none", "supervised", "all")
    }
    done: dict[Any, dict[str, Any]] = {
        some["none"]: {"cases": cases([0.2, 0.3, 0.4])},
        some["supervised"]: {"cases": cases([0.8, 0.9, 0.7])},
        some["all"]: {
            "cases": cases([0.7, 0.6, 0.65]),
            "translation": [
                {"case": f"p{n}", **dict.fromkeys(rows.LIKENESS, 20.0 + n)} for n in range(3)
            ],
            "steps": 7,
        },
    }
    done[some["none"]]["translation"] = done[some["all"]]["translation"]
    for found in done.values():
        found |= {"segment_steps": 9, "segment_images": 72}
    made = list(rows.cell_rows(lab, some["all"], done[some["all"]], done))
    by = {(row.measure, row.structure): row for row in made}
    share = by[rows.RECOVERED, "mean"]
    assert float(share.value) == pytest.approx((0.65 - 0.3) / (0.8 - 0.3), abs=1e-3)
    assert float(share.low) < float(share.value) < float(share.high)
    assert by["PSNR of the translation", "-"].value == "21"
    assert by["Dice on true images of the target", "lv"].value == "0.7"
    assert "7 steps of a translator, 9 steps of a segmenter" in share.configuration
    assert share.data.startswith("phantom MR -> CT, 4 patients")
    assert (share.runs, share.model, share.seed) == ("3", "all", "1")
    ends = list(rows.cell_rows(lab, some["none"], done[some["none"]], done))
    assert rows.RECOVERED not in {row.measure for row in ends}
    assert {row.measure for row in ends} > {"PSNR of the translation"}
    ends = list(rows.cell_rows(lab, some["supervised"], done[some["supervised"]], done))
    assert {row.measure for row in ends} == {"Dice on true images of the target"}
    alone = {some["all"]: done[some["all"]]}
    assert rows.RECOVERED not in {
        row.measure for row in rows.cell_rows(lab, some["all"], done[some["all"]], alone)
    }


def test_a_folder_keeps_to_its_budget(known: ModuleType, tmp_path: Path) -> None:
    lab = known.Lab(out=tmp_path / "new", train=4, test=3, steps=7, segment_steps=None)
    lab.require_same()
    lab.require_same()
    with pytest.raises(ConfigError, match="another folder"):
        replace(lab, steps=8).require_same()


def test_chosen_arms_are_done_alone(known: ModuleType) -> None:
    cells = list(known.in_turn([1]))
    asked = argparse.Namespace(arms=["none", "both"], ablation=False)
    wanted = [cell.name for cell in cells if known._wanted(cell, asked)]
    assert wanted == ["mr-ct-none-1", "ct-mr-none-1", "ct-ct-both-1"]
    asked.ablation = True
    assert [cell.name for cell in cells if known._wanted(cell, asked)] == ["ct-ct-both-1"]
    assert all(known._wanted(cell, argparse.Namespace(arms=(), ablation=False)) for cell in cells)


def test_a_misspelt_arm_is_refused_with_those_there_are(
    known: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["known_truth.py", "out", "--arms", "both", "cycelgan"])
    with pytest.raises(SystemExit):
        known._options()
    said = capsys.readouterr().err
    assert "cycelgan" in said
    assert all(arm in said for arm in (*known.ENDS, *known.ARMS, *known.ablation()))


def test_what_was_measured_is_not_added_again(
    known: ModuleType, rows: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(known.append_new.__globals__, "RESULTS", tmp_path)
    lab = known.Lab(out=Path("out"), train=4, test=3, steps=7, segment_steps=9)
    cell = known.Cell(seed=1, source="mr", target="ct", arm="none")
    found = {"cases": cases([0.2, 0.3]), "segment_steps": 9, "segment_images": 72}
    first, *others = rows.cell_rows(lab, cell, found, {cell: found})
    known.append_new("x", [first, *others])
    known.append_new("x", [replace(first, date="1999-01-01", commit="x", value="1"), *others])
    kept = list(csv.DictReader((tmp_path / "x.csv").read_text("utf-8").splitlines()))
    assert [line["value"] for line in kept] == [row.value for row in (first, *others)]
    known.append_new("x", [replace(first, configuration="another budget")])
    kept = list(csv.DictReader((tmp_path / "x.csv").read_text("utf-8").splitlines()))
    assert (len(kept), kept[-1]["configuration"]) == (2 + len(others), "another budget")
