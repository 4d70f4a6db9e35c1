"""Rows of evidence: what is measured, under which conditions, where it is kept (protocol.md)."""

import csv
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from heartseg.benchmark.hardware import processor

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
CORES = 2
"""What a laptop can be asked for: every timing is pinned to this many."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a results file; the columns are explained in protocol.md."""

    date: str
    commit: str
    measure: str
    structure: str = "-"
    phase: str = "-"
    unit: str
    data: str
    split: str = "-"
    model: str = "-"
    seed: str = "-"
    configuration: str
    images_seen: str = "-"
    hardware: str
    runs: str
    statistic: str
    value: str
    low: str
    high: str


@dataclass(frozen=True, kw_only=True)
class PartRow(Row):
    """A row of some of the patients or slices: a group by diagnosis, a level of the stack."""

    group: str = "-"
    level: str = "-"


AnyRow = TypeVar("AnyRow", bound=Row)


def timing_row(measure: str, unit: str, numbers: Sequence[float], **where: str) -> Row:
    """The row of repeated runs: their median, minimum and maximum.

    Args:
        measure: in words.
        unit: of the numbers.
        numbers: one a run.
        where: `data`, `configuration` and, where there is one, `model`.
    """
    middle, low, high = statistics.median(numbers), min(numbers), max(numbers)
    return Row(
        date=today(),
        commit=commit(),
        measure=measure,
        unit=unit,
        hardware=hardware(),
        runs=str(len(numbers)),
        statistic="median (min, max)",
        value=f"{middle:.4g}",
        low=f"{low:.4g}",
        high=f"{high:.4g}",
        **where,
    )


def mean_row(
    measure: str,
    unit: str,
    values: Sequence[float] | NDArray[np.float64],
    *,
    kind: type[AnyRow] = Row,  # type: ignore[assignment]
    statistic: str = "mean (95 % interval)",
    **where: str,
) -> AnyRow:
    """The row of a mean over patients, each of whom counts once, with its bootstrap interval.

    Args:
        measure: in words.
        unit: of the values.
        values: one a patient; one alone has no interval, and none no mean.
        kind: of row.
        statistic: in words.
        where: the other columns, `date` and `commit` too.
    """
    from heartseg.measure.statistics import bootstrap_mean

    numbers = np.asarray(values, np.float64)
    mean = [numbers.mean()] if len(numbers) else [np.nan]
    ends = bootstrap_mean(numbers) if len(numbers) > 1 else (np.nan, np.nan)
    return kind(
        measure=measure,
        unit=unit,
        runs=str(len(numbers)),
        statistic=statistic,
        **dict(zip(("value", "low", "high"), map(number, (*mean, *ends)), strict=True)),
        **where,
    )


def number(value: float | None) -> str:
    """As a row has it: four digits, a dash where there is none."""
    return "-" if value is None or not np.isfinite(value) else f"{value:.4g}"


def append(name: str, rows: Sequence[Row]) -> None:
    """Add rows of one kind to results/NAME.csv, with a heading when the file is new."""
    path = RESULTS / f"{name}.csv"
    new = not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8", newline="") as file:
        columns = [field.name for field in fields(rows[0] if rows else Row)]
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


FOUND = ("date", "commit", "hardware", "runs", "statistic", "value", "low", "high", "p", "holm")
"""Columns that say what came out, when and where; the others say what was asked."""


def append_new(name: str, rows: Sequence[Row]) -> None:
    """Add those rows of one kind that ask what no row of results/NAME.csv asks yet."""
    there = {_asked(line) for line in csv_lines(RESULTS / f"{name}.csv")}
    append(name, [row for row in rows if _asked(asdict(row)) not in there])


def _asked(line: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(value for column, value in line.items() if column not in FOUND)


def read(path: Path) -> Iterator[Row]:
    """The rows of a results file, oldest first.

    Raises:
        TypeError: its columns are not those of protocol.md.
    """
    with path.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            yield Row(**line)


def csv_lines(path: Path) -> list[dict[str, str]]:
    """The lines of any CSV, by its headings; none where there is no file."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def today() -> str:
    """The day, ISO 8601 in UTC."""
    return datetime.now(UTC).date().isoformat()


def real_images() -> Path:
    """The folder of the real images, which are no part of the project."""
    return Path(os.environ.get("HEARTSEG_DATA", ROOT.parent / "shared" / "data"))


def heartseg() -> list[str]:
    """How the command line is started: the installed command, or the source folder's own."""
    installed = Path(sys.executable).with_name("heartseg")
    return [str(installed)] if installed.exists() else [sys.executable, "-m", "heartseg"]


def as_installed() -> dict[str, str]:
    """The environment in which a measured process may keep compiled Python files, as users have."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def commit() -> str:
    """Short hash of the source tree; `+` when it differs from the commit."""
    head = _git("rev-parse", "--short=10", "HEAD")
    changed = _git("status", "--porcelain", "--", "src", "pyproject.toml")
    return f"{head}+" if changed else head


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def hardware() -> str:
    """The processor by its own name, and how many of its cores were used."""
    return f"{processor()}, {len(cores())} cores"


def cores() -> set[int]:
    """The cores that a measured process may use."""
    return set(sorted(os.sched_getaffinity(0))[:CORES])


def busy_share(cores: set[int], seconds: float = 1.0) -> float:
    """Share of time in which these cores work, 0 to 1; 0 where the system does not tell."""
    before = _clock_ticks(cores)
    time.sleep(seconds)
    after = _clock_ticks(cores)
    idle, total = after[0] - before[0], after[1] - before[1]
    return 1 - idle / total if total else 0.0


def _clock_ticks(cores: set[int]) -> tuple[int, int]:
    """(idle, all) ticks of these cores since the start of the machine."""
    listing = Path("/proc/stat")
    lines = listing.read_text(encoding="utf-8").splitlines() if listing.exists() else []
    idle = total = 0
    for line in lines:
        name, *ticks = line.split()
        if name in {f"cpu{core}" for core in cores}:
            numbers = [int(tick) for tick in ticks[:8]]
            idle, total = idle + numbers[3] + numbers[4], total + sum(numbers)
    return idle, total
