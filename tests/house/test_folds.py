"""Folds are scored once each, by patients who did not train them, and told together at the end."""

import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.measure.agreement import AgreementRow
from heartseg.measure.breakdown import breakdown
from heartseg.measure.worst import Failure
from tests.house.scripts import ROOT, script


@pytest.fixture(scope="module")
def folds() -> ModuleType:
    return script(ROOT / "benchmarks" / "folds.py")


@pytest.fixture(scope="module")
def failures() -> ModuleType:
    return script(ROOT / "benchmarks" / "failures.py")


def row(case: str, phase: str, level: str, dice: float) -> AgreementRow:
    return AgreementRow(
        case=case,
        frame=int(phase == "ES"),
        phase=phase,  # type: ignore[arg-type]
        structure=Structure.LV_CAVITY,
        level=level,  # type: ignore[arg-type]
        values={"dice": dice, "hausdorff95_mm": 4.0, "assd_mm": None, "recall": 1.0},
        volume_pred_ml=90.123456,
        volume_truth_ml=100.0,
        note=None,
    )


def judged(folds: ModuleType, fold: Any) -> Any:
    """Two patients, the second worse at ES; of one the EF is not known."""
    first, second = fold.test
    rows = tuple(
        row(case, phase, level, 0.9 - 0.2 * (case == second and phase == "ES"))
        for case in fold.test
        for phase in ("ED", "ES")
        for level in ("", "apex")
    )
    pairs = {first: ({"lv_ef": 0.5}, {"lv_ef": 0.54}), second: ({"lv_ef": None}, {"lv_ef": 0.3})}
    return folds.Tested(rows=rows, pairs=pairs, groups={first: "DCM", second: "NOR"})


@pytest.fixture
def runs(tmp_path: Path, folds: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two folds of three that are done; no image and no weight."""
    names = [f"patient00{n}" for n in range(1, 7)]
    for number in (1, 0):
        folder = tmp_path / "runs" / f"fold-{number}"
        (folder / "bundle").mkdir(parents=True)
        (folder / "bundle" / "model.toml").write_text("")
        test = names[2 * number : 2 * number + 2]
        trained = [name for name in names if name not in test]
        split = {"test": test, "trained_on": trained, "validated_on": []}
        (folder / "split.json").write_text(json.dumps(split))
        settings = {"split": {"by": "fold", "fold": number, "folds": 3}}
        (folder / "run.json").write_text(json.dumps({"settings": settings}))
    (tmp_path / "runs" / "fold-2").mkdir()
    asked: list[int] = []

    def bundle(folder: Path) -> Any:
        sha = f"weights of {folder.parent.name}"
        return SimpleNamespace(name="m", version="1", sha256=sha, training={}, folder=folder)

    def appraised(fold: Any, _: object) -> Any:
        asked.append(fold.number)
        return judged(folds, fold)

    monkeypatch.setattr(folds, "load_bundle", bundle)
    monkeypatch.setattr(folds, "_appraised", appraised)
    monkeypatch.setattr(folds, "_patients", lambda: dict.fromkeys(names))
    monkeypatch.setattr(folds, "RESULTS", tmp_path / "results")
    monkeypatch.setattr("sys.argv", ["folds.py", str(tmp_path / "runs"), "--name", "m"])
    monkeypatch.setattr(folds, "asked", asked, raising=False)
    return tmp_path / "runs"


def test_each_fold_is_scored_once_and_all_of_them_are_told_from_the_files(
    folds: ModuleType, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folds.main()
    folds.main()
    assert folds.asked == [0, 1]
    assert "2 of 3 folds" in capsys.readouterr().out
    done = folds.read_scored("m")
    assert sorted(done.pairs) == [f"patient00{n}" for n in range(1, 5)]
    assert done.groups["patient003"] == "DCM"
    assert done.pairs["patient002"][0]["lv_ef"] is None
    assert done.rows[0].values == {"dice": 0.9, "hausdorff95_mm": 4.0, "assd_mm": None}
    scores = breakdown(done.rows, done.pairs, done.groups)
    whole = next(
        s for s in scores if (s.structure, s.phase, s.group, s.level) == ("lv", "ES", "", "")
    )
    assert whole.value == pytest.approx(0.8)
    assert whole.cases == 4


def test_other_weights_are_no_fold_that_was_scored(
    folds: ModuleType, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folds.main()
    load = folds.load_bundle
    monkeypatch.setattr(
        folds, "load_bundle", lambda f: SimpleNamespace(**{**vars(load(f)), "sha256": "new"})
    )
    with pytest.raises(SystemExit, match="other weights"):
        folds.main()


def test_who_trained_a_fold_does_not_test_it(folds: ModuleType, runs: Path) -> None:
    file = runs / "fold-1" / "split.json"
    split = json.loads(file.read_text())
    split["trained_on"].append(split["test"][0])
    file.write_text(json.dumps(split))
    with pytest.raises(SystemExit, match="patient003"):
        folds.finished(runs)


def test_patients_are_tested_once_and_twins_together(folds: ModuleType) -> None:
    def fold(number: int, *test: str) -> Any:
        return folds.Fold(number=number, count=3, bundle=None, test=test)

    known = ["patient074", "patient076", "a", "b"]
    folds.require_apart([fold(0, "patient074", "patient076"), fold(1, "a")], known)
    folds.require_apart([fold(1, "a", "b")], known)
    for wrong, said in (
        ([fold(0, "a"), fold(1, "a")], "tested twice"),
        ([fold(0, "c")], "not among the images"),
        ([fold(0, "patient074"), fold(1, "patient076")], "one examination"),
    ):
        with pytest.raises(SystemExit, match=said):
            folds.require_apart(wrong, known)


def test_rows_of_parts_say_group_level_and_conditions(folds: ModuleType) -> None:
    fold = folds.Fold(number=0, count=3, bundle=None, test=("p1", "p2"))
    done = judged(folds, fold)
    where = dict.fromkeys(
        ("date", "commit", "data", "split", "model", "configuration", "hardware"), "x"
    )
    rows = folds.part_rows(breakdown(done.rows, done.pairs, done.groups), where)
    (one,) = [
        r
        for r in rows
        if (r.group, r.level, r.measure, r.structure) == ("NOR", "apex", "Dice", "lv")
    ]
    assert (one.value, one.unit, one.runs, one.phase) == ("0.8", "1", "1", "all")
    (bias,) = [r for r in rows if r.measure == "lv_ef, bias" and r.group == "-"]
    assert (bias.value, bias.low, bias.runs) == ("-0.04", "-", "1")


def drawn(failures: ModuleType) -> Any:
    labels = np.zeros((40, 30), np.uint8)
    labels[10:20, 8:18] = Structure.LV_CAVITY
    found = np.roll(labels, 3, axis=1)
    told = Failure(
        case="p<1>",
        group="DCM",
        phase="ES",
        frame=1,
        slice=2,
        slices=9,
        structure="lv",
        wrong_ml=1.2,
        missed_ml=0.6,
        added_ml=0.6,
        dice=0.7,
        how="drawn elsewhere",
    )
    pixels = np.random.default_rng(1).integers(0, 900, (40, 30))
    return failures.Slice(
        told=told, pixels=pixels, reference=labels, model=found, spacing_mm=(2.0, 1.0)
    )


def test_the_drawing_has_outlines_words_and_terms_and_no_pixel(failures: ModuleType) -> None:
    one = drawn(failures)
    text = failures.sheet([one, one], "From labels of us: CC BY-NC-SA 4.0.")
    assert text.count("<path") == 4
    assert text.count("stroke-dasharray") == 2
    assert "<image" not in text
    assert "p&lt;1&gt; · DCM · ES · slice 2 of 9" in text
    assert "CC BY-NC-SA 4.0" in text
    other = replace(one, pixels=one.pixels[::-1])
    assert failures.sheet([other, other], "From labels of us: CC BY-NC-SA 4.0.") == text


def test_outlines_keep_millimetres_and_fit_the_square(failures: ModuleType) -> None:
    one = drawn(failures)
    row, column, side = one.window
    assert (row, column) == (14.5, 14.0)
    assert side == pytest.approx(20 * 1.3)  # 10 rows of 2 mm, and a margin on both sides
    path = script(ROOT / "benchmarks" / "outlines.py").path_of(
        one.reference == Structure.LV_CAVITY, one
    )
    points = np.array([p.split(",") for p in path[1:-1].split()], float)
    wide, high = np.ptp(points, axis=0)
    assert high == pytest.approx(2 * wide, rel=0.01)
    assert points.min() >= 0
    assert points.max() <= failures.TILE_PX


def test_outlines_of_large_pictures_have_no_more_corners_than_can_be_seen(
    failures: ModuleType,
) -> None:
    small = drawn(failures)
    large = replace(
        small,
        reference=small.reference.repeat(60, 0).repeat(60, 1),
        model=small.model.repeat(60, 0).repeat(60, 1),
    )
    outlines = script(ROOT / "benchmarks" / "outlines.py")
    corners = [
        outlines.path_of(one.reference == Structure.LV_CAVITY, one).count(",")
        for one in (small, large)
    ]
    assert corners[0] < corners[1] < 800


def test_the_pictures_show_image_reference_and_model(failures: ModuleType) -> None:
    picture = np.asarray(failures.page([drawn(failures)]))
    step = failures.TILE_PX + failures.GAP_PX
    tiles = [
        picture[failures.GAP_PX :][: failures.TILE_PX, failures.GAP_PX + k * step :][
            :, : failures.TILE_PX
        ]
        for k in range(3)
    ]
    coloured = [(np.ptp(tile.astype(int), axis=2) > 60).any() for tile in tiles]
    assert coloured == [False, True, True]
    assert (tiles[1] != tiles[2]).any()
