"""What scripts share that train networks cell by cell and may be killed at any moment.

The same command may run several times at once on one machine: each process does cells that no other
has in hand. Locks are of folders and go with their process, however that ends.
"""

import csv
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Protocol, TypeVar

from heartseg.benchmark.ledger import locked
from heartseg.report.atomic import write_atomically
from heartseg.train.device import choose_device
from heartseg.train.run import train
from heartseg.train.settings import RunSettings
from heartseg.train.trained import TRAINED, keep_weights

CLOCK = "minutes.json"
Line = TypeVar("Line")
Cell = TypeVar("Cell")


class Scored(Protocol):
    """Whose a line is: part of the split, budget, seed and arm."""

    @property
    def split(self) -> str:
        """Part of it that is scored."""
        ...

    @property
    def budget(self) -> str:
        """How it differs from the run files."""
        ...

    @property
    def seed(self) -> str:
        """Of the run."""
        ...

    @property
    def arm(self) -> str:
        """What is compared."""
        ...


Reached = TypeVar("Reached", bound=Scored)


def read_lines(path: Path, kind: type[Line]) -> Iterator[Line]:
    """The lines of a file of dataclasses; none where there is no file."""
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            for line in csv.DictReader(file):
                yield kind(**line)


def add_lines(path: Path, lines: Sequence[Any]) -> None:
    """Write the lines of one cell at once, all or none: the next cell may never come."""
    with held(path.parent):
        _write(path, [*read_lines(path, type(lines[0])), *lines])


def write_table(path: Path, rows: Sequence[Any]) -> None:
    """Write a file of these rows alone; without any there is none."""
    with held(path.parent):
        if rows:
            _write(path, rows)
        else:
            path.unlink(missing_ok=True)


def _write(path: Path, lines: Sequence[Any]) -> None:
    unfinished = path.with_suffix(".part")
    with unfinished.open("w", encoding="utf-8", newline="") as file:
        names = [one.name for one in fields(lines[0])]
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(one) for one in lines)
    unfinished.replace(path)


def each_left(
    cells: Iterable[Cell], lock: Callable[[Cell], Path], done: Callable[[Cell], bool], most: int
) -> Iterator[Cell]:
    """The cells that are left and that no other process has in hand, each locked while it is used.

    Args:
        cells: in their order.
        lock: the folder that is locked for a cell.
        done: whether there is nothing to do.
        most: cells to hand out; below 0 all.
    """
    for cell in cells:
        if most == 0:
            return
        with claimed(lock(cell)) as ours:
            if ours and not done(cell):
                most -= 1
                yield cell


@contextmanager
def claimed(folder: Path) -> Iterator[bool]:
    """Whether a folder, which is made for it, is locked for us while the block runs."""
    with _opened(folder) as descriptor:
        yield locked(descriptor)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """The same lock, waited for where another process has it."""
    with _opened(folder) as descriptor:
        locked(descriptor, wait=True)
        yield


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def trained(settings: RunSettings, root: Path, folder: Path, device: str) -> float:
    """Train in a folder, or go on, or only read; minutes that it took in all."""
    if not (folder / TRAINED).exists():
        with clock(folder):
            keep_weights(train(settings, root, folder, device=choose_device(device), resume=True))
    return minutes_of(folder)


@contextmanager
def clock(folder: Path) -> Iterator[None]:
    """Adds the time of its block to what the folder's earlier goes took."""
    begun = time.monotonic()
    try:
        yield
    finally:
        if folder.is_dir():
            minutes = minutes_of(folder) + (time.monotonic() - begun) / 60
            write_atomically(folder / CLOCK, json.dumps({"minutes": minutes}).encode())


def minutes_of(folder: Path) -> float:
    """Of the goes that ended or failed; one that was killed is not counted."""
    file = folder / CLOCK
    return json.loads(file.read_text(encoding="utf-8"))["minutes"] if file.exists() else 0.0


def fair_groups(cases: Sequence[Reached]) -> Iterator[list[Reached]]:
    """The lines of each part and budget, of the seeds that all arms of it have; none is empty."""
    groups: dict[tuple[str, str], list[Reached]] = {}
    for one in cases:
        groups.setdefault((one.split, one.budget), []).append(one)
    for some in groups.values():
        seeds = common_seeds(some)
        if seeds:
            yield [one for one in some if one.seed in seeds]


def common_seeds(cases: Sequence[Scored]) -> list[str]:
    """Seeds of every arm that has any: what is compared has seen the same chance."""
    by_arm: dict[str, set[str]] = {}
    for one in cases:
        by_arm.setdefault(one.arm, set()).add(one.seed)
    return sorted(set.intersection(*by_arm.values())) if by_arm else []


def number(value: float | None) -> str:
    """Five digits; empty is none."""
    return "" if value is None else f"{value:.5g}"
