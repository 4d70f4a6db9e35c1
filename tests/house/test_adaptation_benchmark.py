"""The experiment on real images: fair arms, who tests, what is kept, and its sums."""

import csv
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from heartseg.config import load
from heartseg.core.anatomy import Structure
from heartseg.core.geometry import Geometry
from heartseg.core.image import Segmentation
from heartseg.read import find_studies
from tests.house.scripts import ROOT, script

pytest.importorskip("torch")
from heartseg.train.selection import select
from heartseg.train.settings import RunSettings
from heartseg.train.translate.settings import TranslateSettings

RUNS = ROOT / "runs" / "translate"
LATE = sorted(RUNS.glob("late-*.toml"))
TO_LATE = sorted(RUNS.glob("to-late-*.toml"))
FIELDS = ("date", "commit", "hardware", "split", "budget", "run", "images_seen", "minutes")


@pytest.fixture(scope="module")
def arms() -> ModuleType:
    return script(ROOT / "benchmarks" / "adaptation_arms.py")


@pytest.fixture(scope="module")
def cases() -> ModuleType:
    return script(ROOT / "benchmarks" / "adaptation_cases.py")


@pytest.fixture(scope="module")
def rows() -> ModuleType:
    return script(ROOT / "benchmarks" / "adaptation_rows.py")


@pytest.fixture(scope="module")
def cells() -> ModuleType:
    return script(ROOT / "benchmarks" / "adaptation_cells.py")


@pytest.fixture(scope="module")
def tables() -> ModuleType:
    return script(ROOT / "benchmarks" / "translation_tables.py")


# What is compared


@pytest.mark.parametrize("path", LATE, ids=lambda path: path.stem)
def test_arms_share_box_augmentation_and_budget(path: Path) -> None:
    none, mine = (load(RunSettings, one) for one in (RUNS / "late-none.toml", path))
    for name in ("preparation", "spatial", "schedule", "learning", "structures", "split"):
        same = getattr(mine, name) == getattr(none, name)
        assert same or (name == "split" and "emidec" in mine.folder), name
    assert mine.preparation.locate is not None
    assert mine.preparation.locate.look == "content"
    assert mine.spatial.scaling == (0.5, 1.5)
    low, high = (1 - mine.spatial.stretch) ** 2, (1 + mine.spatial.stretch) ** 2
    assert (low, high) == pytest.approx((0.7, 1.4), abs=0.04)  # one axis against the other
    assert not mine.validate_on  # nothing chooses a checkpoint
    thesis = path.stem in ("late-fusion", "late-all", "late-fusion-alone", "late-self")
    assert mine.model["name"] == ("edge-attention" if thesis else "edge-attention-base")
    assert mine.model["widths"] == none.model["widths"]


@pytest.mark.parametrize("path", TO_LATE, ids=lambda path: path.stem)
def test_translators_share_budget_and_augmentation_with_the_arms(path: Path) -> None:
    plain = load(TranslateSettings, RUNS / "to-late-cyclegan.toml")
    mine, none = load(TranslateSettings, path), load(RunSettings, RUNS / "late-none.toml")
    for name in ("schedule", "spatial", "source", "target", "generator", "discriminator"):
        assert getattr(mine, name) == getattr(plain, name)
    assert mine.source.preparation == mine.target.preparation == none.preparation
    assert mine.spatial.scaling == none.spatial.scaling
    assert mine.spatial.stretch == none.spatial.stretch
    assert mine.spatial.size_px == none.spatial.size_px
    assert mine.target.train_on == ("train",)
    assert mine.target.split.file == "emidec.csv"


def test_only_supervision_and_the_curve_read_labels_of_the_target(arms: ModuleType) -> None:
    for arm in (*arms.ARMS, *arms.CURVE):
        settings = load(RunSettings, RUNS / f"late-{arm.run}.toml")
        also = settings.also
        reads = "emidec" in settings.folder or (also is not None and "emidec" in also.folder)
        assert reads == (arm.name == "supervised" or arm.annotated is not None), arm.name
        if reads:
            split = settings.split if "emidec" in settings.folder else also.split
            assert split.file == "emidec.csv"


def test_every_run_file_is_an_arm(arms: ModuleType) -> None:
    assert {path.stem for path in LATE} == {f"late-{arm.run}" for arm in (*arms.ARMS, *arms.CURVE)}
    assert {path.stem for path in TO_LATE} == {f"to-late-{name}" for name in arms.TRANSLATORS}
    folders = [arm.folder for arm in (*arms.ARMS, *arms.CURVE)]
    assert len(set(folders)) == len(folders)


def test_patients_are_divided_by_number_and_fixed() -> None:
    with (RUNS / "emidec.csv").open(encoding="utf-8", newline="") as file:
        parts = {line["patient"]: line["split"] for line in csv.DictReader(file)}
    by_number = {0: "test", 1: "validate"}
    assert all(by_number.get(int(p[-3:]) % 5, "train") == part for p, part in parts.items())
    assert list(parts.values()).count("test") == 17
    assert len(parts) == 85


def test_the_list_holds_every_patient_at_hand(real_data: Path) -> None:
    settings = load(RunSettings, RUNS / "late-supervised.toml")
    chosen = select(settings, RUNS, find_studies(real_data / "emidec"))
    assert len(chosen.parts) == len(chosen.found) == 85
    assert len(chosen.training) == 50
    few = replace(settings, split=replace(settings.split, patients=2))
    assert {one.id for one in select(few, RUNS, chosen.found).training} < {
        one.id for one in chosen.training
    }


def test_any_number_of_cells_is_a_fair_table(arms: ModuleType) -> None:
    order = list(arms.in_turn())
    assert len(order) == 3 * (len(arms.ARMS) + len(arms.CURVE))
    assert [seed for seed, _ in order] == sorted(seed for seed, _ in order)
    assert [arm.name for _, arm in order[:2]] == ["none", "supervised"]
    assert [arm.name for _, arm in arms.in_turn(["FastCUT"])] == ["FastCUT"] * 3
    assert [seed for seed, _ in arms.in_turn(["FastCUT"], ["2"])] == ["2"]


def test_a_cell_has_its_own_folders_and_few_patients(
    cells: ModuleType, arms: ModuleType, tmp_path: Path
) -> None:
    asked = cells.Experiment(
        out=tmp_path,
        part="validate",
        device="cpu",
        segmenter=("schedule.steps=3",),
        translator=(),
        limit=None,
        hardware="somewhere",
        cases=tmp_path / "cases.csv",
        made=tmp_path / "sets.csv",
    )
    by_name = {arm.name: arm for arm in (*arms.ARMS, *arms.CURVE)}
    few = cells.settings_of(asked, "2", by_name["5 annotated + translated"])
    assert few.seed == 2
    assert few.folder == str(tmp_path / "2" / "translated" / "all")
    assert few.also.split.patients == 5
    assert few.split.patients is None
    alone = cells.settings_of(asked, "2", by_name["5 annotated"])
    assert alone.split.patients == 5
    itself = cells.settings_of(asked, "3", by_name["all + self-training"])
    assert itself.also.folder == str(tmp_path / "3" / "seen")
    assert itself.schedule.steps == 3
    assert cells.settings_of(asked, "1", by_name["supervised"]).split.patients is None
    toy = replace(asked, limit=2)
    assert cells.settings_of(toy, "1", by_name["histogram matching"]).matched.split.patients == 2
    assert toy.budget == "schedule.steps=3, 2 patients"


# What is measured


def drawn(place: slice, planes: int = 2) -> Segmentation:
    labels = np.zeros((1, 3, 30, 40), np.uint8)
    labels[0, :planes, 5:25, place] = Structure.LV_CAVITY
    structures = (Structure.LV_CAVITY, Structure.LV_MYOCARDIUM)
    return Segmentation(labels, Geometry.from_pixels((3, 30, 40)), structures)


def test_distances_run_in_the_planes(cases: ModuleType) -> None:
    values = cases.judged(drawn(slice(10, 30), planes=2), drawn(slice(10, 33), planes=3))["lv"]
    assert float(values["dice"]) == pytest.approx(2 * 2 * 20 / (2 * 20 + 3 * 23), abs=1e-4)
    assert values["hausdorff95"] == "3"  # in the third plane nothing is found, and Dice counts it
    assert 0.3 < float(values["boundary_iou"]) < 0.6
    nothing = cases.judged(drawn(slice(10, 30)), drawn(slice(10, 30)))["myo"]
    assert (nothing["hausdorff95"], nothing["boundary_iou"]) == ("", "")


def test_lines_are_added_whole_and_read_back(cases: ModuleType, tmp_path: Path) -> None:
    kept = script(ROOT / "benchmarks" / "cells.py")
    one = cases.Case(**dict.fromkeys(FIELDS, "x"), seed="1", arm="none", case="a", dice="0.5")
    path = tmp_path / "deep" / "cases.csv"
    kept.add_lines(path, [one])
    kept.add_lines(path, [replace(one, case="b"), replace(one, case="c")])
    assert list(kept.read_lines(path, cases.Case)) == [
        one,
        replace(one, case="b"),
        replace(one, case="c"),
    ]
    assert [file.name for file in path.parent.iterdir()] == ["cases.csv"]
    assert not list(kept.read_lines(tmp_path / "none.csv", cases.Case))


def test_time_is_that_of_all_goes(tmp_path: Path) -> None:
    kept = script(ROOT / "benchmarks" / "cells.py")
    assert kept.minutes_of(tmp_path) == 0.0
    (tmp_path / kept.CLOCK).write_text('{"minutes": 4.5}', encoding="utf-8")
    with pytest.raises(ValueError, match="stopped"), kept.clock(tmp_path):
        raise ValueError("stopped")
    assert 4.5 < kept.minutes_of(tmp_path) < 4.6


# Its sums


def some(cases: ModuleType, dice: dict[str, list[float]], seed: str = "1") -> list[Any]:
    """Lines of patients p0, p1, ...: LV as given, myocardium 0.1 worse."""
    return [
        cases.Case(
            **{**dict.fromkeys(FIELDS, "x"), "split": "test", "run": arm},
            seed=seed,
            arm=arm,
            case=f"p{number}",
            structure=structure,
            dice=str(value - worse),
            boundary_iou="0.5",
        )
        for arm, values in dice.items()
        for number, value in enumerate(values)
        for structure, worse in (("lv", 0.0), ("myo", 0.1))
    ]


DICE = {
    "none": [0.2, 0.4, 0.3, 0.1],
    "supervised": [0.8, 0.9, 0.9, 0.8],
    "CycleGAN": [0.5, 0.6, 0.5, 0.4],
    "all": [0.7, 0.8, 0.7, 0.6],
}


def test_the_share_is_of_means_over_the_same_patients(cases: ModuleType, rows: ModuleType) -> None:
    made = {(r.model, r.measure, r.structure): r for r in rows.rows_of(some(cases, DICE))}
    share = made["all", rows.SHARE, "mean"]
    assert float(share.value) == pytest.approx((0.7 - 0.25) / (0.85 - 0.25))
    assert float(share.low) < float(share.value) < float(share.high) < 1
    assert float(made["CycleGAN", rows.SHARE, "lv"].value) == pytest.approx(0.25 / 0.6, abs=1e-3)
    assert ("none", rows.SHARE, "mean") not in made
    assert float(made["all", rows.GAIN, "mean"].value) == pytest.approx(0.2)
    assert made["all", "Dice", "myo"].value == "0.6"
    assert made["all", "Dice", "mean"].runs == "4"
    assert ("all", "HD95", "mean") not in made  # nobody has one


def test_without_a_gap_there_is_no_share(cases: ModuleType, rows: ModuleType) -> None:
    flat = {**DICE, "supervised": DICE["none"]}
    assert not [r for r in rows.rows_of(some(cases, flat)) if r.measure == rows.SHARE]


def test_only_seeds_that_all_arms_have_are_summed(cases: ModuleType, rows: ModuleType) -> None:
    second = {"none": [0.9] * 4, "supervised": [0.9] * 4}
    both = [*some(cases, DICE), *some(cases, second, "2")]
    made = {(r.model, r.measure, r.structure): r for r in rows.rows_of(both)}
    assert made["none", "Dice", "lv"].value == "0.25"
    assert made["none", "Dice", "lv"].seed == "1"
    whole = [*both, *some(cases, {"CycleGAN": [0.9] * 4, "all": [0.9] * 4}, "2")]
    made = {(r.model, r.measure, r.structure): r for r in rows.rows_of(whole)}
    assert made["none", "Dice", "lv"].value == "0.575"
    assert made["none", "Dice", "lv"].seed == "1 2"


def test_an_arm_that_could_not_train_is_said(cases: ModuleType, rows: ModuleType) -> None:
    failed = cases.Case(
        **{**dict.fromkeys(FIELDS, "x"), "split": "test"},
        seed="1",
        arm="FastCUT",
        problem="every translated image was rejected",
    )
    (row,) = (r for r in rows.rows_of([*some(cases, DICE), failed]) if r.model == "FastCUT")
    assert (row.measure, row.value, row.runs) == ("trained", "0", "0")
    assert "rejected" in row.statistic


# The page


def test_the_page_shows_the_rows_at_hand(tables: ModuleType) -> None:
    text = tables.PAGE.read_text(encoding="utf-8")
    assert tables.with_tables(text, tables.RESULTS) == text, "run benchmarks/translation_tables.py"


def test_what_was_not_run_is_said(tables: ModuleType, tmp_path: Path) -> None:
    page = tables.with_tables(tables.PAGE.read_text(encoding="utf-8"), tmp_path)
    assert page.count("Not run yet.") == 2
    assert "| CycleGAN | not run | not run |" in page
    assert "| plain | not run |" in page
    assert "| 2 | not run | not run |" in page


def test_numbers_of_the_page_are_those_of_the_rows(
    tables: ModuleType, cases: ModuleType, rows: ModuleType, tmp_path: Path
) -> None:
    kept = script(ROOT / "benchmarks" / "cells.py")
    path = tmp_path / "translation" / "adaptation.csv"
    kept.add_lines(path, list(rows.rows_of(some(cases, DICE))))
    page = tables.with_tables(tables.PAGE.read_text(encoding="utf-8"), tmp_path)
    (line,) = (one for one in page.splitlines() if one.startswith("| all | 0"))
    cells_of = [cell.strip() for cell in line.split("|")[2:-1]]
    assert cells_of[:2] == ["0.700", "0.600"]
    assert cells_of[5] == "0.75"
    assert "ACDC to EMIDEC, the test part; seeds 1" in page
    assert "| FastCUT | not run |" in page
