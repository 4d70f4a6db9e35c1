"""A cohort through `heartseg segment --jobs`: volumes a minute, and memory as it grows.

    python benchmarks/cohort.py [--volumes 1000] [--jobs 1 2] [--work DIR] [--dry-run]

Makes a few small phantom volumes and lays them under as many names as are asked for; in the folder
of --work they are made once. For each number of jobs one run, watched from outside:

* memory of the first process and of its workers, at a tenth, at half and at the end of the cohort.
  It is flat when the last needs what the first did. What processes share is divided among them;
* volumes a minute of a core, by the processor's clock: flat over jobs when a volume costs the same;
* volumes a minute by the wall's clock, from a tenth of the cohort on, and of its last half over its
  first. Only on cores that do nothing else: elsewhere these rows are left out, and that is said.

Adds rows to benchmarks/results/speed/cohort.csv.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rows import Row, append, as_installed, busy_share, cores, heartseg, timing_row

from heartseg.core.study import View
from heartseg.formats.nifti import write_image
from heartseg.phantom import Acquisition, make_study

DIFFERENT = 20
"""Hearts in a cohort; their files are repeated under other names."""

SMALL: dict[str, object] = {
    "slices": 6,
    "frames": 1,
    "matrix": (112, 112),
    "slice_distance_mm": 15.0,
    "spacing_mm": (2.0, 2.0),
}
"""A volume that is quickly made, read and segmented: what does not grow with it is to be seen."""

LEAST = 20
"""Volumes that shares of them can be told of."""

EVERY_S = 0.5
MOST_BUSY = 0.1
"""Of the cores before a run: the wall's clock on a busy machine tells nothing."""

WHERE = {"a tenth": 0.1, "half": 0.5, "all": 1.0}
"""Of the cohort, where memory is told, each from the twentieth part of it about there."""


@dataclass(frozen=True)
class Seen:
    """A look at a run: seconds from its start, volumes done, and megabytes of its processes."""

    seconds: float
    done: int
    first: float
    workers: float


@dataclass(frozen=True)
class Run:
    """What was seen, the processor's seconds of all processes, and whether the cores were idle."""

    seen: Sequence[Seen]
    processor_s: float
    idle: bool


def main() -> None:
    """Make the cohort, run it, print, keep."""
    options = _options()
    rows: list[Row] = []
    with _folder(options.work) as work:
        cohort = _cohort(work / f"cohort-{options.volumes}", options.volumes)
        for jobs in options.jobs:
            rows += rows_of(options.volumes, jobs, _run(cohort, work / f"out-{jobs}", jobs))
    for row in rows:
        print(
            f"{row.measure} ({row.configuration}): {row.value} {row.unit} [{row.low}, {row.high}]"
        )
    if not options.dry_run:
        append("speed/cohort", rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="time and memory of many studies")
    parser.add_argument("--volumes", type=int, default=1000, help="in the cohort")
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2], help="at the same time")
    parser.add_argument("--work", type=Path, help="where the cohort is made once, and kept")
    parser.add_argument("--dry-run", action="store_true", help="print the rows, keep none")
    options = parser.parse_args()
    if options.volumes < LEAST:
        parser.error(f"--volumes {options.volumes}: shares of so few tell nothing, take {LEAST}")
    return options


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="heartseg-cohort-") as name:
        yield Path(name)


def _cohort(folder: Path, volumes: int) -> Path:
    """Small volumes of a few hearts, under many names; what is there already stays."""
    if folder.is_dir():
        return folder
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    made: list[Path] = []
    for number in range(volumes):
        path = unfinished / f"heart{number:05d}.nii.gz"
        if number < DIFFERENT:
            study, _, _ = make_study(number, acquisition=Acquisition(seed=number, **SMALL))
            write_image(path, study.images[View.SAX])
            made.append(path)
        else:
            shutil.copyfile(made[number % DIFFERENT], path)
    unfinished.rename(folder)
    return folder


def _run(cohort: Path, out: Path, jobs: int) -> Run:
    """One run of the command, and what was seen on the way."""
    shutil.rmtree(out, ignore_errors=True)
    idle = busy_share(cores()) <= MOST_BUSY
    command = [*heartseg(), "segment", str(cohort), "-o", str(out), "--jobs", str(jobs)]
    start = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--formats", "nifti,json", "--device", "cpu"],
        stdout=subprocess.DEVNULL,
        env=as_installed(),
        preexec_fn=lambda: os.sched_setaffinity(0, cores()),
    )
    seen: list[Seen] = []
    while True:
        found, status, usage = os.wait4(process.pid, os.WNOHANG)
        if found:
            break
        first, workers = _megabytes(process.pid)
        seen.append(Seen(time.perf_counter() - start, _done(out), first, workers))
        time.sleep(EVERY_S)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"--jobs {jobs}: heartseg failed")
    shutil.rmtree(out)
    return Run(seen, usage.ru_utime + usage.ru_stime, idle)


def _done(out: Path) -> int:
    summary = out / "summary.csv"
    return max(0, summary.read_bytes().count(b"\n") - 1) if summary.exists() else 0


def _megabytes(root: int) -> tuple[float, float]:
    """Of a process, and of all that it started."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue
    family, grown = {root}, True
    while grown:
        more = {child for child, parent in parents.items() if parent in family} - family
        family |= more
        grown = bool(more)
    return _share(root), sum(_share(process) for process in family - {root})


def _share(process: int) -> float:
    """Megabytes of a process; what it shares counts in part."""
    try:
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return float(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def rows_of(volumes: int, jobs: int, run: Run) -> Iterator[Row]:
    """What is kept of a run."""
    where = {
        "data": f"{volumes} phantom volumes, {min(volumes, DIFFERENT)} of them different",
        "configuration": f"segment --jobs {jobs}, nifti and json",
    }
    a_minute = 60 * volumes / run.processor_s
    yield timing_row("volumes a minute of a core, by the processor", "1/min", [a_minute], **where)
    if run.idle:
        yield from _by_the_wall(volumes, run.seen, where)
    else:
        print(f"--jobs {jobs}: the cores were busy, so nothing is said by the wall's clock")
    processes = {"the first process": [one.first for one in run.seen]}
    if jobs > 1:
        processes["its workers"] = [one.workers for one in run.seen]
    for who, megabytes in processes.items():
        parts = {
            place: _about(share, volumes, run.seen, megabytes) for place, share in WHERE.items()
        }
        for place, part in parts.items():
            yield timing_row(f"memory of {who}, {place} of the cohort done", "MB", part, **where)
        ends = [statistics.median(parts[place]) for place in ("a tenth", "all")]
        name = f"memory of {who}, all of the cohort done over a tenth"
        yield timing_row(name, "1", [ends[1] / ends[0]], **where)


def _about(
    share: float, volumes: int, seen: Sequence[Seen], megabytes: Sequence[float]
) -> Sequence[float]:
    """Megabytes when about that share was done; at the end, of the last looks before it."""
    place = min(share, 0.975)
    away = {  # the processes end when all is done
        index: abs(one.done / volumes - place)
        for index, one in enumerate(seen)
        if one.done < volumes
    }
    near = [megabytes[index] for index, far in away.items() if far <= 0.025]
    return near or [megabytes[min(away, key=away.__getitem__)]]


def _by_the_wall(volumes: int, seen: Sequence[Seen], where: dict[str, str]) -> Iterator[Row]:
    """Rates from a tenth on: what starting costs is told by speed.py."""
    begin, middle, end = (_when(share * volumes, seen) for share in (0.1, 0.55, 1.0))
    a_minute = 60 * (end.done - begin.done) / (end.seconds - begin.seconds)
    yield timing_row("volumes a minute, by the wall", "1/min", [a_minute], **where)
    each = a_minute / len(cores())
    yield timing_row("volumes a minute of each core there, by the wall", "1/min", [each], **where)
    halves = [
        (late.done - early.done) / (late.seconds - early.seconds)
        for early, late in ((begin, middle), (middle, end))
    ]
    name = "volumes a minute, last half over first, by the wall"
    yield timing_row(name, "1", [halves[1] / halves[0]], **where)


def _when(done: float, seen: Sequence[Seen]) -> Seen:
    """The first look at which so many were done, or the last look of all."""
    return next((one for one in seen if one.done >= done), seen[-1])


if __name__ == "__main__":
    main()
