"""`heartseg train`."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heartseg.core.errors import MissingExtraError


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where a training computes: device, processes on this computer, computers."""

    device: str = "auto"
    processes: int = 1
    nodes: int = 1


def run_training(
    source: Path, out: Path, changes: Sequence[str], resume: bool, machine: Machine
) -> None:
    """Train, then write `OUT/bundle`.

    Raises:
        MissingExtraError: torch is not installed.
        HeartsegError: as training says.
    """
    try:
        from heartseg.train.artefact import train_model
        from heartseg.train.ranks import leading
    except ModuleNotFoundError as fault:
        raise MissingExtraError("train", "train") from fault
    with Telling(out) as telling:
        bundle = train_model(
            source,
            out,
            changes=changes,
            resume=resume,
            device=machine.device,
            watch=telling,
            processes=machine.processes,
            nodes=machine.nodes,
        )
    if leading():
        print(f"wrote the model {bundle.name} {bundle.version} to {out / 'bundle'}")


def run_planning(folder: Path, out: Path | None, device: str) -> None:
    """Write a RUN.toml for a folder, and say where and how to go on.

    Raises:
        MissingExtraError: torch is not installed.
        HeartsegError: as planning says.
    """
    try:
        from heartseg.train.plan import write_plan
    except ModuleNotFoundError as fault:
        raise MissingExtraError("train --plan", "train") from fault
    path = write_plan(folder, out, device)
    print(f"wrote {path}; read it, then: heartseg train {path}")


class Telling:
    """Prints what is logged; on a terminal with a bar and the time that is left below.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> "Telling":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def __call__(self, step: int, numbers: Mapping[str, float]) -> None:
        """Tell what was logged."""
        said = "  ".join(f"{name} {_short(value)}" for name, value in numbers.items())
        line = f"{step:6d}  {said}"
        if not sys.stdout.isatty():
            print(line, flush=True)
            return
        if self._bar is None:  # not before: of several processes one alone is told
            self._begin(step)
        self._bar.console.print(line, highlight=False, markup=False, soft_wrap=True)
        self._bar.update(self._task, completed=step)

    def _begin(self, step: int) -> None:
        from rich import progress

        from heartseg.train.record import steps_of

        self._bar = progress.Progress(
            progress.MofNCompleteColumn(),
            progress.TextColumn("steps"),
            progress.BarColumn(),
            progress.TimeElapsedColumn(),
            progress.TextColumn("gone,"),
            progress.TimeRemainingColumn(elapsed_when_finished=True),
            progress.TextColumn("left"),
        )
        self._task = self._bar.add_task("", total=steps_of(self._folder), completed=step)
        self._bar.start()


def _short(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.4f}"
