"""Small things to learn from, and a run that other processes can be asked to do."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from heartseg.augment import IntensityChange, SpatialChange
from heartseg.models import build_network
from heartseg.train.batches import Planes
from heartseg.train.checkpoint import load_checkpoint
from heartseg.train.data import PreparedFrame, PreparedSet
from heartseg.train.loop import LAST, Schedule, fit
from heartseg.train.objective import Criterion, Objective
from heartseg.train.segment_task import Learning, Segment

CPU = torch.device("cpu")
SCHEDULE = Schedule(steps=24, warm_up=3, validate_every=2, log_every=3)


def frame(number: int, rows: int = 32, columns: int = 40, planes: int = 2) -> PreparedFrame:
    """A dim ring round a bright disc, off the centre, with noise."""
    random = np.random.default_rng(number)
    y, x = np.mgrid[:rows, :columns]
    at = (rows / 2 - 4 + random.integers(0, 5), columns / 2 + 3 + random.integers(0, 4))
    distance = np.hypot(y - at[0], x - at[1])
    classes = np.select([distance < 5, distance < 9], [1, 2], 0).astype(np.uint8)
    classes = np.stack([classes] * planes)
    pixels = np.choose(classes, [0.2, 0.9, 0.5]) + 0.05 * random.standard_normal(classes.shape)
    return PreparedFrame(
        patient=f"patient{number:03}",
        phase=0,
        pixels=pixels.astype(np.float32).clip(0, 1),
        classes=classes,
    )


def task(
    seed: int = 5,
    widths: tuple[int, ...] = (4, 6),
    validation: int = 1,
    dropout: float = 0.0,
    prepare: Callable[[Any], None] = lambda network: None,
    objective: Objective = Objective(),  # noqa: B008
    **learning: Any,
) -> Segment:
    """A task that learns the frames above."""
    torch.manual_seed(seed)
    network = build_network("unet", 1, objective.channels(3), widths=widths)
    if dropout:
        network.encoder[-1].append(torch.nn.Dropout(dropout))  # type: ignore[operator, union-attr]
    prepare(network)
    return Segment(
        network,
        Planes(PreparedSet([frame(number) for number in (2, 3, 4)], CPU)),
        [frame(number) for number in range(10, 10 + validation)],
        criterion=Criterion(objective, 3),
        learning=Learning(**{"batch": 4, "average": 0.9, **learning}),
        spatial=SpatialChange(size_px=16, shift_px=4.0, elastic_px=0.5),
        intensity=IntensityChange(),
        seed=seed,
    )


HARD: dict[str, Any] = {
    "learning": {"precision": "f16", "accumulate": 2, "optimiser": "sgd", "dropout": 0.5},
    "schedule": {"shape": "plateau", "plateau": 1, "drop_to": 0.5, "patience": 9},
}
"""Everything that a step may depend on besides weights and chance."""


def run(folder: Path, seed: int = 5, hard: bool = False, halt: str = "") -> None:
    """Go on with the run in a folder, to its end; one thread, so that sums keep their order.

    `halt` names a file that, while it is written, waits half done for a kill.
    """
    torch.set_num_threads(1)
    chosen = HARD if hard else {"learning": {}, "schedule": {}}
    if halt:
        _halt_in(folder / halt)
    schedule = replace(SCHEDULE, **chosen["schedule"])
    fit(task(seed, **chosen["learning"]), schedule, folder, resume=True)


def _halt_in(path: Path) -> None:
    """Write the third checkpoint under that name by half, say so, and wait."""
    saved, count = torch.save, [0]

    def save(state: Any, file: Any) -> None:
        saved(state, file)
        if Path(file.name).stem != path.stem:
            return
        count[0] += 1
        if count[0] == 3:
            file.flush()
            file.truncate(file.tell() // 2)
            (path.parent / "halted").touch()
            time.sleep(120)

    torch.save = save


def last(folder: Path) -> dict[str, Any]:
    """The last checkpoint of a run."""
    return load_checkpoint(folder / LAST)


def difference(one: Any, other: Any, where: str = "state") -> str:
    """Where two states differ, to the bit; empty where they do not."""
    if isinstance(one, torch.Tensor):
        same = one.dtype == other.dtype and torch.equal(one, other)
        return "" if same else where
    if isinstance(one, dict):
        if one.keys() != other.keys():
            return f"{where} keys"
        pairs = [(key, one[key], other[key]) for key in one]
    elif isinstance(one, (list, tuple)):
        if len(one) != len(other):
            return f"{where} length"
        pairs = list(zip(range(len(one)), one, other, strict=True))
    else:
        return "" if one == other else where
    return next((d for key, a, b in pairs if (d := difference(a, b, f"{where}.{key}"))), "")
