"""heartseg's side of throughput.py: the loop of `heartseg train`, or its loader alone, in turns.

    python benchmarks/throughput_heartseg.py FOLDER STEP [CHANGE...]

Learns from the patients of FOLDER by runs/acdc/cine-mr.toml in f32, with changes as `--set` has
them. STEP is what a batch is:

- *train*: a step of `loop.fit`, as `heartseg train` calls it;
- *plain*: the same without augmentation: crops are cut out of the prepared planes as they are;
- *load*: a batch drawn and augmented, without a network;
- *network*: one batch forward and backward, for ever the same, and nothing else;
- *epochs*: as *train*; after as many steps as show every plane once the loop validates on two
  of the patients and writes its checkpoints.
"""

import argparse
import os
import tempfile
from pathlib import Path

import torch
from rows import ROOT
from torch import Tensor
from turns import Pace

from heartseg.augment import SpatialChange, change_intensity
from heartseg.config import load
from heartseg.models.answer import regions_of
from heartseg.read import find_studies
from heartseg.train import segment_task
from heartseg.train.batches import Planes
from heartseg.train.data import PreparedSet
from heartseg.train.frames import frames_of
from heartseg.train.loop import fit
from heartseg.train.run import build_task
from heartseg.train.schedule import Schedule
from heartseg.train.segment_task import Segment
from heartseg.train.settings import RunSettings
from heartseg.train.task import Numbers

RECIPE = ROOT / "runs" / "acdc" / "cine-mr.toml"
ALWAYS = 10**9
CPU = torch.device("cpu")
VALIDATED = 4
"""Frames: end-diastole and end-systole of two patients."""


class Paced:
    """A task whose steps are made in turns."""

    def __init__(self, task: Segment, pace: Pace) -> None:
        self._task, self._pace = task, pace
        self.validate, self.state, self.restore = task.validate, task.state, task.restore

    def step(self, rate: float) -> Numbers:
        """As the task's."""
        numbers = self._task.step(rate)
        self._pace.batch()
        return numbers


class Cut(Planes):
    """Crops about the heart, cut out as they are: the least that a loader can do."""

    def draw(
        self,
        count: int,
        away: float,
        change: SpatialChange,
        classes: int,
        generator: torch.Generator,
    ) -> tuple[Tensor, Tensor]:
        """Crops (n, 1, s, s) and truth (n, s, s), s = `change.size_px`."""
        planes, labels, centres = self._prepared.draw(count, away, generator)
        side = change.size_px
        corners = (centres - side / 2).round().long().clamp(0, planes.shape[-1] - side).tolist()
        places = [(slice(y, y + side), slice(x, x + side)) for y, x in corners]
        crops = [plane[:, y, x] for plane, (y, x) in zip(planes, places, strict=True)]
        truth = [label[y, x] for label, (y, x) in zip(labels, places, strict=True)]
        return torch.stack(crops), torch.stack(truth).long()


def main() -> None:
    """Prepare, then work in turns until nobody asks any more."""
    parser = argparse.ArgumentParser(description="heartseg's side of throughput.py")
    parser.add_argument("folder", type=Path)
    parser.add_argument("step", choices=("train", "plain", "load", "network", "epochs"))
    parser.add_argument("changes", nargs="*")
    options = parser.parse_args()
    pace = Pace()
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    settings = load(RunSettings, RECIPE, ["learning.precision=f32", *options.changes])
    frames = frames_of(find_studies(options.folder), settings)
    kept = frames[:VALIDATED] if options.step == "epochs" else []
    task = build_task(settings, frames, kept, CPU, ROOT)
    print(f"{sum(one.numel() for one in task.network.parameters())} parameters")
    if options.step == "load":
        _load(task, settings, pace)
    if options.step == "network":
        _work(task, settings, pace)
    if options.step == "plain":
        task = _without_augmentation(settings, task, PreparedSet(frames, CPU))
    epoch = sum(len(one.pixels) for one in frames) // settings.learning.batch
    print(f"{epoch} batches an epoch", flush=True)
    schedule = Schedule(steps=ALWAYS, validate_every=epoch if kept else ALWAYS)
    with tempfile.TemporaryDirectory(prefix="heartseg-throughput-") as folder:
        fit(Paced(task, pace), schedule, Path(folder), resume=False)


def _load(task: Segment, settings: RunSettings, pace: Pace) -> None:
    """Batches as the task draws them, for ever."""
    generator = torch.Generator().manual_seed(settings.seed)
    learning, classes = settings.learning, len(settings.classes())
    while True:
        crops, _ = task._data.draw(
            learning.batch, learning.away, settings.spatial, classes, generator
        )
        task._data.as_input(change_intensity(crops, settings.intensity, generator))
        pace.batch()


def _work(task: Segment, settings: RunSettings, pace: Pace) -> None:
    """The network on one batch of noise, for ever."""
    side = settings.spatial.size_px
    noise = torch.rand((settings.learning.batch, 1, side, side))
    pixels, network = task._data.as_input(noise), task.network.train()
    while True:
        network.zero_grad(set_to_none=True)
        with settings.learning.autocast(CPU):
            answer = network(pixels)
        sum(level.mean() for level in regions_of(answer)).backward()
        pace.batch()


def _without_augmentation(settings: RunSettings, task: Segment, prepared: PreparedSet) -> Segment:
    segment_task.change_intensity = lambda planes, change, generator: planes
    task._data = Cut(prepared)
    return task


if __name__ == "__main__":
    main()
