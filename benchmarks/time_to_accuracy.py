"""Minutes of training to a mean Dice, on the test patients that nobody learnt from.

    python benchmarks/time_to_accuracy.py runs/acdc/quick-coarse.toml runs/acdc/quick-fine.toml
        --work FOLDER [--every 5] [--score-only] [--dry-run]

A recipe is one RUN.toml, or several of which each goes on from the model of the one before. They
are trained in turn on one thread, the weights are put aside every few minutes, and every such stop
is made a bundle and scored on the 20 test patients of ACDC by `heartseg segment --locate`, in 3-D.
Runs that are done in FOLDER are not trained again, so a recipe can be a longer one's beginning.
Minutes are those of the training loops, validation and checkpoints included; reading the data and
scoring are not counted. Nothing is chosen by these scores: the recipe was written before.

Rows go to results/time/time.csv: the mean Dice after so many minutes, the minutes to .90 and .92,
and which share of the processor's matrix peak, measured beside it, training achieved.
"""

import argparse
import shutil
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accuracy import patients_of, scored
from rows import Row, append, commit, hardware, today
from torch.utils.flop_counter import FlopCounterMode

from heartseg.config import load
from heartseg.measure.statistics import bootstrap_mean
from heartseg.models import architecture
from heartseg.segment.ensemble import RUN_BUNDLE
from heartseg.train.artefact import train_model, write_artefact
from heartseg.train.checkpoint import load_checkpoint
from heartseg.train.loop import LAST
from heartseg.train.settings import RunSettings

GOALS = (0.90, 0.92)
PEAK_SIDE, PEAK_TIMES = 2048, 5
STOPS = "stops"


@dataclass(frozen=True, kw_only=True)
class Stop:
    """Weights that were put aside.

    Attributes:
        bundle: made of them.
        minutes: of training that led to them, earlier runs of the recipe included.
        images: planes that were learnt from.
    """

    bundle: Path
    minutes: float
    images: int


class Keeper:
    """Puts a run's newest checkpoint aside every few minutes; called as numbers are logged."""

    def __init__(self, run: Path, every_s: float) -> None:
        self._run, self._every, self._kept = run, every_s, 0.0

    def __call__(self, step: int, numbers: Mapping[str, float]) -> None:
        """Copy what is there when it is time."""
        del step, numbers
        last = self._run / LAST
        if not last.is_file():
            return
        seconds = _seconds(last)
        if seconds - self._kept >= self._every:
            place = self._run / STOPS
            place.mkdir(exist_ok=True)
            shutil.copy(last, place / f"{seconds:08.1f}.pt")
            self._kept = seconds


def main() -> None:
    """Train, put aside, score, keep."""
    options = _options()
    torch.set_num_threads(1)
    stops: list[Stop] = []
    for run in options.runs:
        stops += _trained(run, stops[-1] if stops else None, options)
    recipe = " + ".join(run.name for run in options.runs)
    rows, reached = [], dict.fromkeys(GOALS, "")
    for stop in stops:
        mean = _mean_dice(stop.bundle)
        value = statistics.fmean(mean)
        for goal in GOALS:
            reached[goal] = reached[goal] or (f"{stop.minutes:.1f}" if value >= goal else "")
        low, high = bootstrap_mean(mean)
        numbers = [f"{number:.4f}" for number in (value, low, high)]
        how = f"{recipe}, {stop.minutes:.1f} min"
        print(f"{how}: mean Dice {' '.join(numbers)}", flush=True)
        rows.append(
            _row("mean Dice after training", "1", how, stop.images, numbers, runs=len(mean))
        )
    for goal, minutes in reached.items():
        told = [minutes or "not reached", "-", "-"]
        measure = f"minutes of training to a mean Dice of {goal:.2f}"
        rows.append(_row(measure, "min", recipe, stops[-1].images, told))
    rows += list(_share_of_peak(options.runs[-1], stops))
    if not options.dry_run:
        append("time/time", rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="how soon training is good enough")
    parser.add_argument("runs", type=Path, nargs="+", help="RUN.toml, each goes on from the last")
    parser.add_argument("--work", type=Path, required=True, help="where the runs are kept")
    parser.add_argument("--every", type=float, default=5.0, help="minutes between stops")
    parser.add_argument("--score-only", action="store_true", help="the runs are done")
    parser.add_argument("--dry-run", action="store_true", help="print, keep nothing")
    return parser.parse_args()


def _trained(run: Path, before: Stop | None, options: argparse.Namespace) -> list[Stop]:
    """The stops of one run, its end the last of them."""
    out = options.work / run.stem
    changes = [] if before is None else [f"start.weights_from={before.bundle.resolve()}"]
    if not options.score_only:
        watch = Keeper(out, 60 * options.every)
        train_model(run, out, changes=changes, resume=out.exists(), watch=watch)
    settings = load(RunSettings, run, changes)
    spent, seen = (0.0, 0) if before is None else (before.minutes, before.images)
    ends = [*sorted((out / STOPS).glob("*.pt")), out / LAST]
    found = []
    for checkpoint in ends:
        steps, seconds = int(load_checkpoint(checkpoint)["step"]), _seconds(checkpoint)
        bundle = out / RUN_BUNDLE
        if checkpoint.name != LAST:
            bundle = checkpoint.with_suffix("")
            if not bundle.is_dir():
                write_artefact(settings, run.parent, checkpoint, bundle)
        images = seen + steps * settings.learning.images
        found.append(Stop(bundle=bundle, minutes=spent + seconds / 60, images=images))
    return found


def _seconds(checkpoint: Path) -> float:
    state: dict[str, Any] = load_checkpoint(checkpoint)
    return float(state["course"]["seconds"])


def _mean_dice(bundle: Path) -> list[float]:
    """Of each test patient, over structures and both phases."""
    scores = scored(patients_of("test", None), str(bundle), 1, locate=True)
    each: dict[str, list[float]] = {}
    for case in scores.cases:
        if not case.level:
            each.setdefault(case.case, []).append(case.dice)
    return [statistics.fmean(values) for values in each.values()]


def _share_of_peak(run: Path, stops: Sequence[Stop]) -> Iterator[Row]:
    """Arithmetic of the network's steps by the clock, over that of a product of large matrices."""
    settings = load(RunSettings, run)
    side, batch = settings.spatial.size_px, settings.learning.batch
    channels = settings.loss.channels(len(settings.classes()))
    network = architecture(settings.model).build(settings.preparation.channels, channels)
    pixels = torch.zeros(batch, settings.preparation.channels, side, side)
    with FlopCounterMode(display=False) as counted:
        torch.as_tensor(network(pixels)).sum().backward()
    last, first = stops[-1], next((one for one in reversed(stops) if _another(one, stops)), None)
    images = last.images - (first.images if first else 0)
    seconds = 60 * (last.minutes - (first.minutes if first else 0.0))
    achieved = counted.get_total_flops() / batch * images / seconds
    share = achieved / _peak()
    yield _row(
        "share of the processor's measured matrix peak",
        "1",
        f"{run.name}, {achieved / 1e9:.1f} GFLOP/s on one thread",
        last.images,
        [f"{share:.3f}", "-", "-"],
    )


def _another(stop: Stop, stops: Sequence[Stop]) -> bool:
    """Of an earlier run than the last stop's."""
    return stops[-1].bundle.parent not in stop.bundle.parents


def _peak() -> float:
    """Operations a second of a product of two large matrices in f32, the best of some."""
    left, right = torch.rand(PEAK_SIDE, PEAK_SIDE), torch.rand(PEAK_SIDE, PEAK_SIDE)
    times = []
    for _ in range(PEAK_TIMES):
        begun = time.perf_counter()
        left @ right
        times.append(time.perf_counter() - begun)
    return float(2 * PEAK_SIDE**3 / min(times))


def _row(
    measure: str, unit: str, how: str, images: int, numbers: Sequence[str], runs: int = 1
) -> Row:
    value, low, high = numbers
    return Row(
        date=today(),
        commit=commit(),
        measure=measure,
        structure="mean" if "Dice after" in measure else "-",
        phase="all" if "Dice after" in measure else "-",
        unit=unit,
        data="ACDC",
        split="test",
        seed="0",
        configuration=f"{how}, f32, 1 thread",
        images_seen=str(images),
        hardware=hardware(),
        runs=str(runs),
        statistic="mean (95 % interval)" if runs > 1 else "one run",
        value=value,
        low=low,
        high=high,
    )


if __name__ == "__main__":
    sys.exit(main())
