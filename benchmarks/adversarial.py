"""Adversaries in training (paper 002): none, perturbed images, judged masks, and both, on ACDC.

    python benchmarks/adversarial.py OUT [--part test] [--cells N] [--device cuda] [--set a.b=v]
                                     [--limit N] [--dry-run]

runs/adversarial/*.toml, three seeds, equal images seen (the adversaries cost more of a step, not
more images; minutes are kept beside). Each is scored on the images as they are, and on the same
images with another contrast, coil, noise or range: the strongest of disturbances.py that move
nothing, whose truth stays. The loss is the Dice of the same network on the same patient, clean less
shifted. Nothing chooses a checkpoint, the last one counts.

Seed by seed, arm by arm: killed and started again it goes on, started twice the two share the work.
`--cells` stops after so many that were left to do, 0 only sums up. Each cell's lines go to
results/adversarial/cases.csv when it is done; table.csv is written anew from them, over the seeds
that all arms have. With `--dry-run` or `--limit` (so many patients) they stay in OUT.
"""

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from adversarial_rows import ARMS, CLEAN, Case, rows_of, said_of
from cells import add_lines, each_left, number, read_lines, trained, write_table
from disturbances import DISTURBANCES, NONE, Disturbance
from disturbed_places import Scene
from rows import RESULTS, ROOT, commit, hardware, today

from heartseg.benchmark.score import patients_of, restored
from heartseg.config import load
from heartseg.core.errors import ModelError
from heartseg.core.image import Image, Segmentation
from heartseg.measure.metrics import METRICS
from heartseg.measure.pair import Pair
from heartseg.read import Candidate
from heartseg.refine import refine_cine
from heartseg.train.device import choose_device
from heartseg.train.record import read_record
from heartseg.train.settings import RunSettings
from heartseg.train.trained import TRAINED, Trained, card_name

RUNS = ROOT / "runs" / "adversarial"
SEEDS = ("1", "2", "3")
SHIFTS = (
    *("noise: signal to noise 5", "coil: 16 to 1", "contrast: gamma 0.4", "contrast: gamma 2.5"),
    *("contrast: negative", "grey values: 8 of them", "range: clipped at percentile 75"),
    "range: stripe 4 times as bright",
)
"""The strongest of each kind that moves nothing; of gamma both ways."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What all cells share; `limit` is patients that train and that are scored, None for all."""

    out: Path
    part: str
    device: str
    changes: tuple[str, ...]
    limit: int | None
    cases: Path

    @property
    def budget(self) -> str:
        """How it differs from the run files, in words."""
        few = () if self.limit is None else (f"{self.limit} patients",)
        return ", ".join((*self.changes, *few)) or "as the run files say"


def main() -> None:
    """Do the cells that are left, then sum up."""
    options = _options()
    asked = _asked(options)
    import torch

    torch.set_num_threads(1)
    cells = each_left(
        product(SEEDS, ARMS),
        lambda cell: asked.out / "locks" / "-".join(cell),
        lambda cell: _is_done(asked, *cell),
        options.cells,
    )
    for seed, arm in cells:
        lines = list(_cell(asked, seed, arm))
        add_lines(asked.cases, lines)
        print(f"seed {seed}: {arm}, {len(lines)} lines", flush=True)
    told(asked.cases)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="adversarial training, clean and shifted")
    parser.add_argument("out", type=Path, help="folder of the runs")
    parser.add_argument("--part", choices=("validate", "test"), default="validate")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--cells", type=int, default=-1, help="cells to do at most; none at 0")
    parser.add_argument("--set", action="append", default=[], help="a setting of all runs")
    parser.add_argument("--limit", type=int, help="so many patients only; implies --dry-run")
    parser.add_argument("--dry-run", action="store_true", help="everything stays in OUT")
    return parser.parse_args()


def _asked(options: argparse.Namespace) -> Asked:
    kept = options.out if options.dry_run or options.limit else RESULTS / "adversarial"
    return Asked(
        out=options.out,
        part=options.part,
        device=options.device,
        changes=tuple(options.set),
        limit=options.limit,
        cases=kept / "cases.csv",
    )


def told(cases: Path) -> None:
    """Write the table anew and print it."""
    rows = list(rows_of(list(read_lines(cases, Case))))
    write_table(cases.with_name("table.csv"), rows)
    for row in rows:
        if row.structure == "mean":
            print(said_of(row))


def _is_done(asked: Asked, seed: str, arm: str) -> bool:
    wanted = (asked.part, asked.budget, seed, arm)
    lines = read_lines(asked.cases, Case)
    return any((one.split, one.budget, one.seed, one.arm) == wanted for one in lines)


def _cell(asked: Asked, seed: str, arm: str) -> Iterator[Case]:
    """Train one run, or go on with it, and look at every patient through every shift."""
    settings = load(RunSettings, RUNS / f"{arm}.toml", asked.changes)
    split = replace(settings.split, patients=asked.limit)
    settings = replace(settings, seed=int(seed), split=split)
    folder = asked.out / seed / arm
    minutes = trained(settings, RUNS, folder, asked.device)
    patients = patients_of(settings, RUNS, (asked.part,))[: asked.limit]
    _require_unseen(folder, patients)
    device = choose_device(asked.device)
    network = Trained(settings, folder / TRAINED, device)
    where = {
        "date": today(),
        "commit": commit(),
        "hardware": card_name(device) or f"{hardware().rpartition(',')[0]}, 1 thread",
        "split": asked.part,
        "budget": asked.budget,
        "seed": seed,
        "arm": arm,
        "images_seen": str(settings.schedule.steps * settings.learning.images),
        "minutes": f"{minutes:.1f}",
    }
    for candidate in patients:
        read = frames_of(candidate, settings)
        for shift in (NONE, *(one for one in DISTURBANCES if one.name in SHIFTS)):
            for values in scored(network.look, settings, candidate.id, read, shift):
                yield Case(**where, case=candidate.id, shift=shift_name(shift), **values)


def shift_name(shift: Disturbance) -> str:
    """As it stands in the lines."""
    return CLEAN if shift is NONE else shift.name


def _require_unseen(folder: Path, patients: Sequence[Candidate]) -> None:
    seen = read_record(folder)["data"]["training"]["patients"]
    both = sorted({one.id for one in patients} & set(seen))
    if both:
        raise ModelError("score", got=f"{both[0]}, who trained", allowed="unseen patients")


Frames = tuple[Image, Segmentation, Sequence[str]]
"""Of a patient those that are scored, with their truth and the names of their phases."""


def scored(
    look: Any, settings: RunSettings, patient: str, read: Frames, shift: Disturbance
) -> Iterator[Mapping[str, str]]:
    """Each phase and structure of a patient, in the shifted image, by the truth of the clean."""
    image, truth, names = read
    scene = shift.of(Scene(image, (truth,)), patient)
    classes = settings.classes()
    labels = refine_cine(restored(look, settings, scene.image), classes, scene.image.geometry)
    found = truth.like(labels)
    for frame, phase in enumerate(names):
        for structure in classes[1:]:
            masks = found.mask(structure, frame), truth.mask(structure, frame)
            pair = Pair(*masks, truth.geometry.spacing)
            yield {
                "phase": phase,
                "structure": structure.key,
                "dice": number(METRICS["dice"].value(pair)[0]),
                "hausdorff95_mm": number(METRICS["hausdorff95_mm"].value(pair)[0]),
            }


def frames_of(candidate: Candidate, settings: RunSettings) -> Frames:
    """The frames of ED and ES."""
    study = candidate.load()
    truth = (candidate.reference() if candidate.reference else {})[settings.view]
    phases = study.phases[settings.view]
    frames = [one for one in (phases.ed, phases.es) if one is not None]
    return study.images[settings.view].part(frames), truth.part(frames), ("ED", "ES")[: len(frames)]


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
