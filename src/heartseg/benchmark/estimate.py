"""How long a grid may take: from its finished runs, else from a timed step of each network."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from heartseg.benchmark.cell import failure_reason
from heartseg.benchmark.grid import Cell, Grid
from heartseg.benchmark.ledger import RUNS, Row, read_rows
from heartseg.config import to_table
from heartseg.train.data import PreparedFrame
from heartseg.train.device import choose_device
from heartseg.train.run import build_task
from heartseg.train.schedule import Schedule
from heartseg.train.settings import RunSettings

TIMED_STEPS = 2
"""Of which the fastest counts; one more before them warms up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A line of the dry run.

    Attributes:
        cell: the run.
        status: "done", "failed" or "" for one that was not begun or not finished.
        seconds: that it took, or may take; None where that is not known.
        how: "measured", "as its repeat", "timed steps", or why there is no estimate.
    """

    cell: Cell
    status: str
    seconds: float | None
    how: str


def plan(grid: Grid, folder: Path, device: str = "auto") -> list[Planned]:
    """Every run of a grid in its order, with an estimate of its time; nothing is written.

    A finished run counts with what it took; another repeat of it is taken to last as long. Of what
    nobody has run, a few steps are timed here on noise: without reading images, validating,
    scoring, and the other workers' share of the machine.
    """
    rows = {(row["run"], row["split"]): row for row in read_rows(folder / RUNS)}
    found = {cell.run: rows.get((cell.run, grid.part)) for cell in grid.cells}
    taken = _taken(grid, found)
    steps: dict[str, tuple[float | None, str]] = {}
    return [_planned(grid, cell, found[cell.run], taken, steps, device) for cell in grid.cells]


def remaining_seconds(planned: Sequence[Planned], workers: int = 1) -> float | None:
    """Of all that is not done, on so many workers; None where one of the runs is not known."""
    open_ones = [one for one in planned if one.status != "done"]
    known = [one.seconds for one in open_ones if one.seconds is not None]
    return sum(known) / workers if len(known) == len(open_ones) else None


Taken = Mapping[tuple[str, ...], float]


def _method(grid: Grid, cell: Cell) -> tuple[str, ...]:
    return tuple(cell.labels[name] for name in grid.compared)


def _taken(grid: Grid, found: Mapping[str, Row | None]) -> Taken:
    """Mean seconds of the finished runs of each method."""
    seconds: dict[tuple[str, ...], list[float]] = {}
    for cell in grid.cells:
        row = found[cell.run]
        if row is not None and row["status"] == "done":
            seconds.setdefault(_method(grid, cell), []).append(_all_seconds(row))
    return {method: float(np.mean(values)) for method, values in seconds.items()}


def _all_seconds(row: Row) -> float:
    return float(row["training_seconds"]) + float(row["scoring_seconds"])


def _planned(
    grid: Grid,
    cell: Cell,
    row: Row | None,
    taken: Taken,
    steps: dict[str, tuple[float | None, str]],
    device: str,
) -> Planned:
    status = "" if row is None else row["status"]
    method = _method(grid, cell)
    seconds: float | None
    if row is not None and status == "done":
        seconds, how = _all_seconds(row), "measured"
    elif method in taken:
        seconds, how = taken[method], "as its repeat"
    else:
        key = str(_what_a_step_depends_on(cell.settings))
        if key not in steps:
            steps[key] = _timed_step(cell.settings, grid.root, device)
        one, how = steps[key]
        seconds = None if one is None else _whole(one, cell.settings.schedule)
    return Planned(cell=cell, status=status, seconds=seconds, how=how)


def _whole(step_s: float, schedule: Schedule) -> float:
    return step_s * schedule.steps if schedule.minutes is None else 60 * schedule.minutes


def _what_a_step_depends_on(settings: RunSettings) -> Mapping[str, object]:
    idle = ("name", "folder", "seed", "schedule", "train_on", "validate_on", "preparation", "split")
    told = {key: value for key, value in to_table(settings).items() if key not in idle}
    return {**told, "channels": settings.preparation.channels}


def _timed_step(settings: RunSettings, root: Path, device: str) -> tuple[float | None, str]:
    try:
        still = replace(settings, validate_on=())
        task = build_task(still, list(_noise(settings)), [], choose_device(device), root)
        task.step(0.0)
        times = []
        for _ in range(TIMED_STEPS):
            begun = time.perf_counter()
            task.step(0.0)
            times.append(time.perf_counter() - begun)
    # What fails here will fail in the run: it is shown in the list, and keeps no other from it.
    except Exception as fault:  # noqa: BLE001
        return None, failure_reason(fault)
    return min(times), "timed steps"


def _noise(settings: RunSettings) -> Iterator[PreparedFrame]:
    """A frame of one plane of the crop's size, every class in it."""
    random, side = np.random.default_rng(0), settings.spatial.size_px
    classes = random.integers(0, len(settings.classes()), (1, side, side)).astype(np.uint8)
    pixels = random.random((1, side, side), dtype=np.float32)
    yield PreparedFrame(patient="noise", phase=0, pixels=pixels, classes=classes)
