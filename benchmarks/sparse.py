"""Sparse annotation (paper 004, Çiçek 2016) on ACDC: what few annotated slices are worth.

    python benchmarks/sparse.py folds -o OUT [--only PATTERN] [--dry-run] [--set a.b=v]
    python benchmarks/sparse.py slices -o OUT [--dry-run]

`folds` is the paper's semi-automatic setting: the slices of each stack are dealt out to three
parts; a network learns from two and fills in the third. Fifteen training patients, three of each
diagnosis, ED and ES. Three networks, as in the paper's table 1: the 3-D U-Net with and without
batch normalisation, and a 2-D U-Net that sees each annotated slice alone. One fold after the other,
so that networks are never more than one run apart. A row a run goes to results/sparse/folds.csv
(Dice and IoU of the slices that were left out, pooled over each stack, then the mean over
patients), every stack to results/sparse/folds-cases.csv; when a network has its three folds, a row
over all of its slices. A run with rows is not done again, one that was stopped goes on.

`slices` runs runs/grids/sparse.toml: the same two networks from 1, 2, 4 and all slices of whole
stacks, and from the scribbles, scored on patients whom nobody has seen. When the grid is done its
rows go to results/sparse/slices.csv.

A run takes less than 20 minutes of one core: networks are small and pixels coarse, on purpose. The
paper's slices lie in three directions, those of ACDC in one; so the numbers are not the paper's.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np
from grid_rows import append_rows
from rows import RESULTS, ROOT, Row, append, hardware, mean_row, read, today

FOLDS = 3
PATIENTS = 15
VOLUMES, PLANES = "acdc/sparse.toml", "acdc/sparse-planes.toml"
NETWORKS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "3-D U-Net": (VOLUMES, ()),
    "2-D U-Net": (PLANES, ()),
    "3-D U-Net, no normalisation": (VOLUMES, ("model.normalisation=none",)),
}
"""Run file, and what differs from it."""

NAME = "sparse/folds"
GRID = ROOT / "runs" / "grids" / "sparse.toml"


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A line of folds-cases.csv: a structure of one stack, in the slices that were left out."""

    model: str
    configuration: str
    fold: int
    case: str
    frame: int
    structure: str
    slices: int
    annotated: int
    dice: float
    jaccard: float


def main() -> None:
    """Do what is asked for."""
    options = _options()
    import torch

    torch.set_num_threads(1)
    if options.part == "folds":
        _folds(options)
    else:
        _slices(options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="train from sparse annotation")
    parser.add_argument("part", choices=("folds", "slices"))
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--only", default="*", help="names of networks, with * and ?")
    parser.add_argument("--dry-run", action="store_true", help="print the rows, keep none")
    parser.add_argument("--set", action="append", default=[], help="a setting of the runs")
    return parser.parse_args()


def _slices(options: argparse.Namespace) -> None:
    from heartseg.benchmark.engine import run_benchmark

    done = run_benchmark(
        GRID, options.out, resume=True, device="cpu", watch=lambda row: print(row["run"])
    )
    whole = len(done.rows) == done.planned and not done.failed
    if whole and not options.dry_run:
        append_rows(GRID, options.out, "sparse/slices")
    elif not whole:
        sys.exit(f"{done.planned - len(done.rows)} runs to do, {len(done.failed)} failed")


def _folds(options: argparse.Namespace) -> None:
    for fold in range(FOLDS):
        for name, (file, changes) in NETWORKS.items():
            if not fnmatch(name, options.only):
                continue
            settings = _settings(file, (*changes, *options.set), fold)
            about = _about(name, file, settings, options.set)
            if not options.dry_run and _done(about, str(fold)):
                continue
            folder = options.out / f"{name.replace(' ', '-').replace(',', '')}-{fold}"
            stacks = _scored(name, settings, folder, fold, about["configuration"])
            rows = list(_rows(stacks, about, str(fold)))
            for row in rows:
                print(f"{name}, fold {fold}: {row.measure} {row.structure} {row.value}", flush=True)
            if not options.dry_run:
                append(f"{NAME}-cases", stacks)  # type: ignore[arg-type]
                append(NAME, rows)
                _pool(name, about)


def _settings(file: str, changes: Sequence[str], fold: int) -> Any:
    from heartseg.config import load
    from heartseg.train.settings import RunSettings
    from heartseg.train.sparse import Sparse

    settings = load(RunSettings, ROOT / "runs" / file, changes)
    return replace(
        settings,
        split=replace(settings.split, patients=PATIENTS),
        sparse=Sparse(folds=FOLDS, fold=fold),
    )


def _about(name: str, file: str, settings: Any, extra: Sequence[str]) -> dict[str, str]:
    """What every row of a network says."""
    from heartseg.augment import StackChange
    from heartseg.models import architecture

    planes = settings.learning.images * settings.schedule.steps
    if architecture(settings.model).dimensions == 3:
        planes *= (settings.stack or StackChange()).slices
    changed = "".join(f", {one}" for one in extra)
    return {
        "data": f"ACDC, {PATIENTS} training patients",
        "model": name,
        "seed": str(settings.seed),
        "configuration": f"sparse.py folds, runs/{file}{changed}",
        "images_seen": str(planes),
        "hardware": f"{hardware().rpartition(',')[0]}, 1 thread",
    }


def _done(about: Mapping[str, str], split: str) -> bool:
    path = RESULTS / f"{NAME}.csv"
    return path.exists() and any(
        (row.model, row.configuration, row.split)
        == (about["model"], about["configuration"], f"fold {split}")
        for row in read(path)
    )


def _scored(name: str, settings: Any, folder: Path, fold: int, said: str) -> list[Stack]:
    """Train, or go on; then fill in the slices that were left out."""
    from heartseg.segment.runtime import require_device
    from heartseg.train.device import choose_device
    from heartseg.train.run import train
    from heartseg.train.selection import select
    from heartseg.train.trained import TRAINED, Trained, keep_weights

    root, device = ROOT / "runs" / "acdc", choose_device("cpu")
    require_device("cpu")
    if not (folder / TRAINED).exists():
        keep_weights(train(settings, root, folder, device=device, resume=True))
    network = Trained(settings, folder / TRAINED, device)
    patients = select(settings, root).training
    return [
        replace(stack, model=name, fold=fold, configuration=said)
        for patient in patients
        for stack in _stacks(network.look, settings, patient)
    ]


def _stacks(look: Any, settings: Any, patient: Any) -> Iterator[Stack]:
    from heartseg.benchmark.score import restored
    from heartseg.core.image import Segmentation
    from heartseg.measure.overlap import dice, jaccard
    from heartseg.refine import refine_cine
    from heartseg.train.sparse import frame_name

    image = patient.load().images[settings.view]
    truth: Segmentation = patient.reference()[settings.view]
    classes = settings.classes()
    labels = refine_cine(restored(look, settings, image), classes, image.geometry)
    found = truth.like(labels)
    sample = settings.preparation.sample(image)
    for frame in range(image.frames):
        # Slices are numbered as the network is shown them; the masks lie as the file's.
        name = frame_name(patient.id, frame)
        out = settings.sparse.left_out(name, len(sample.frame(frame)))
        there = np.broadcast_to(out[:, None, None], sample.turned.shape)
        held = sample.orientation.undo(there)
        for structure in classes[1:]:
            ours, theirs = (one.mask(structure, frame) & held for one in (found, truth))
            yield Stack(
                model="",
                configuration="",
                fold=0,
                case=patient.id,
                frame=frame,
                structure=structure.key,
                slices=int(out.sum()),
                annotated=int((~out).sum()),
                dice=dice(ours, theirs),
                jaccard=jaccard(ours, theirs),
            )


def _rows(stacks: Sequence[Stack], about: Mapping[str, str], fold: str) -> Iterator[Row]:
    """Dice and IoU by structure and their mean; a patient counts once."""
    from heartseg.core.provenance import source_commit

    keys = list(dict.fromkeys(stack.structure for stack in stacks))
    for measure, metric in (
        ("Dice of slices left out", "dice"),
        ("IoU of slices left out", "jaccard"),
    ):
        for key in (*keys, "mean"):
            by_case: dict[str, list[float]] = {}
            for stack in stacks:
                if key in (stack.structure, "mean"):
                    by_case.setdefault(stack.case, []).append(getattr(stack, metric))
            yield mean_row(
                measure,
                "1",
                [float(np.mean(one)) for one in by_case.values()],
                date=today(),
                commit=source_commit() or "unknown",
                structure=key,
                phase="all",
                split=f"fold {fold}",
                **about,
            )


def _pool(name: str, about: Mapping[str, str]) -> None:
    """Rows over all slices of the stacks, when each was left out once."""
    import csv

    with (RESULTS / f"{NAME}-cases.csv").open(encoding="utf-8", newline="") as file:
        lines = [
            line
            for line in csv.DictReader(file)
            if (line["model"], line["configuration"]) == (name, about["configuration"])
        ]
    if {line["fold"] for line in lines} == {str(fold) for fold in range(FOLDS)}:
        append(NAME, list(_rows([_stack(line) for line in lines], about, f"0-{FOLDS - 1}")))


def _stack(line: Mapping[str, str]) -> Stack:
    numbers: dict[str, Any] = {k: int(line[k]) for k in ("fold", "frame", "slices", "annotated")}
    numbers |= {key: float(line[key]) for key in ("dice", "jaccard")}
    return Stack(**{**line, **numbers})


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
