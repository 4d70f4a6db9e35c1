"""One cell of known_truth.py: train, translate, compare with the truth, train on it, score."""

import csv
import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from cells import trained
from edges import done as train_and_judge
from edges_judged import BORDERS
from known_truth_data import pairs
from known_truth_judged import judged, keep_shown, prepared
from rows import ROOT

from heartseg.benchmark.grid import Grid, read_grid
from heartseg.benchmark.score import patients_of, score
from heartseg.config import load
from heartseg.core.errors import ConfigError
from heartseg.report.atomic import write_atomically
from heartseg.train.device import choose_device
from heartseg.train.record import read_record
from heartseg.train.settings import RunSettings
from heartseg.train.trained import TRAINED, Trained
from heartseg.train.translate.apply import Order, translate_set
from heartseg.train.translate.judges import Thresholds
from heartseg.train.translate.made import Making
from heartseg.train.translate.run import FOLDER, train_translator
from heartseg.train.translate.translator import load_translator

RUNS = ROOT / "runs" / "translate"
GRID = ROOT / "runs" / "grids" / "edges-phantom.toml"
RESULT = "result.json"
NOTHING_REFUSED = Thresholds(least_dice=None, most_border_px=None, most_moved_px=None)
"""Every arm trains on as many images: what a report would refuse is not the question here."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A line of the table: one seed, one direction, one arm; the ablation goes from CT to CT."""

    seed: int
    source: str
    target: str
    arm: str

    @property
    def name(self) -> str:
        """Of its folder."""
        return f"{self.source}-{self.target}-{self.arm}-{self.seed}"


@dataclass(frozen=True, kw_only=True)
class Lab:
    """Where everything lies, and the budgets; None for those of the run files."""

    out: Path
    train: int
    test: int
    steps: int | None
    segment_steps: int | None

    @property
    def data(self) -> Path:
        """The phantoms."""
        return self.out.resolve() / "data"

    def folder(self, cell: Cell) -> Path:
        """Of a cell."""
        return self.out.resolve() / "cells" / cell.name

    def result(self, cell: Cell) -> Mapping[str, Any] | None:
        """What a cell gave; None of one that is not done."""
        path = self.folder(cell) / RESULT
        if not path.exists():
            return None
        found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found

    def require_same(self) -> None:
        """Refuse a folder of other budgets.

        Raises:
            ConfigError: it holds cells of another number of patients or steps.
        """
        mine = {
            "train": self.train,
            "test": self.test,
            "steps": self.steps,
            "segment_steps": self.segment_steps,
        }
        path = self.out / "budget.json"
        if path.exists() and (there := json.loads(path.read_text(encoding="utf-8"))) != mine:
            raise ConfigError("OUT", got=f"{mine}", allowed=f"{there}", do="choose another folder")
        self.out.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(mine), encoding="utf-8")


def do(lab: Lab, cell: Cell) -> Mapping[str, Any]:
    """Do a cell, or go on with it, and keep its result; minutes are those of this go."""
    begun = time.process_time()
    lab.folder(cell).mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = _ablated(lab, cell) if cell.source == cell.target else _done(lab, cell)
    found["core_minutes"] = (time.process_time() - begun) / 60.0
    write_atomically(lab.folder(cell) / RESULT, json.dumps(found, indent=1).encode())
    return found


def _done(lab: Lab, cell: Cell) -> dict[str, Any]:
    if cell.arm == "supervised":
        return _segmented(lab, cell, lab.data / cell.target)
    some = list(pairs(lab.data, cell.source, cell.target))
    if cell.arm == "none":
        as_is = segmenter(lab.data / cell.target, cell.seed, None).preparation
        lines, _ = judged(some, lambda image: prepared(image, as_is), as_is)
        return {**_segmented(lab, cell, lab.data / cell.source), "translation": lines}
    folder, changes = lab.folder(cell), _sides(lab, cell)
    run = RUNS / f"phantom-{cell.arm}.toml"
    made = folder / "translate" / FOLDER
    if not (made / "translator.toml").exists():
        train_translator(run, folder / "translate", changes=changes, resume=True, device="cpu")
    translator = load_translator(made)
    making, target = Making(translator, threads=1), translator.text.target.preparation
    lines, shown = judged(
        some, lambda image: making.there(image, range(image.frames)).voxels, target
    )
    keep_shown(folder / "shown.npz", shown)
    trained_on = read_record(folder / "translate")["data"]["training"]["planes"]
    return {
        **_segmented(lab, cell, _translated(lab, cell, made)),
        "translation": lines,
        "steps": translator.text.training["steps"],
        "planes": trained_on,
    }


def _sides(lab: Lab, cell: Cell) -> list[str]:
    """What is said over a run file: where both kinds lie, and how much is done."""
    changes = [f"seed={cell.seed}"]
    for side, kind in (("source", cell.source), ("target", cell.target)):
        changes += [f"{side}.folder={lab.data / kind}", f"{side}.modality={kind.upper()}"]
    if lab.steps is not None:
        changes += [f"schedule.steps={lab.steps}", f"schedule.validate_every={lab.steps}"]
    return changes


def _translated(lab: Lab, cell: Cell, translator: Path) -> Path:
    """The set made of the source's images; one that was not finished is made again."""
    made = lab.folder(cell) / "set"
    if not (made / "split.csv").exists():
        shutil.rmtree(made, ignore_errors=True)
        order = Order(
            inputs=(lab.data / cell.source,),
            out=made,
            thresholds=NOTHING_REFUSED,
            assume_view=True,
            device="cpu",
        )
        translate_set(translator, order)
    return made


def _segmented(lab: Lab, cell: Cell, learns_from: Path) -> dict[str, Any]:
    """Train the segmenter on a set; score it on the target's test patients, whom nobody saw."""
    folder, device = lab.folder(cell) / "segment", choose_device("cpu")
    settings = segmenter(learns_from, cell.seed, lab.segment_steps)
    trained(settings, RUNS, folder, "cpu")
    tested = replace(settings, folder=str(lab.data / cell.target))
    patients = patients_of(tested, RUNS, ("test",))
    record = read_record(folder)
    network = Trained(settings, folder / TRAINED, device)
    scores = score(network.look, tested, patients, record["data"]["training"]["patients"])
    return {
        "segment_steps": network.steps,
        "segment_images": network.steps * settings.learning.images,
        "cases": [
            {"case": r.case, "phase": r.phase, "structure": r.structure, "dice": r.dice}
            for r in scores.cases
        ],
    }


def segmenter(folder: Path, seed: int, steps: int | None) -> RunSettings:
    """The settings that every set has in common."""
    changes = [f"folder={folder}", f"seed={seed}"]
    if steps is not None:
        changes += [f"schedule.steps={steps}", f"schedule.warm_up={min(40, steps // 10)}"]
    return load(RunSettings, RUNS / "phantom-segmenter.toml", changes)


@cache
def _grid() -> Grid:
    return read_grid(GRID)


def ablation() -> list[str]:
    """The arms of the grid."""
    return list(dict.fromkeys(cell.labels["arm"] for cell in _grid().cells))


def _ablated(lab: Lab, cell: Cell) -> dict[str, Any]:
    """A run of the grid with this lab's data, as benchmarks/edges.py does it."""
    like = next(one for one in _grid().cells if one.labels["arm"] == cell.arm)
    schedule = like.settings.schedule
    if lab.segment_steps is not None:
        steps = lab.segment_steps
        schedule = replace(schedule, steps=steps, warm_up=min(40, steps // 10))
    settings = replace(
        like.settings,
        name=cell.name,
        folder=str(lab.data / cell.target),
        seed=cell.seed,
        schedule=schedule,
    )
    mine = replace(like, run=cell.name, settings=settings)
    row = train_and_judge(_grid(), mine, lab.folder(cell))
    if row["status"] != "done":
        raise ConfigError(cell.name, got=row.get("reason", ""))
    borders = lab.folder(cell) / "runs" / cell.name / "test" / BORDERS
    with borders.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    return {
        "cases": lines,
        "segment_steps": schedule.steps,
        "segment_images": schedule.steps * settings.learning.images,
    }
