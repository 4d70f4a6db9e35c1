"""A cohort through `heartseg segment --jobs`: processor time a volume, and memory as it grows.

    python benchmarks/cohort.py [--volumes 1000] [--jobs 1 2] [--dry-run]

Makes a few small phantoms and lays copies of them under as many names as are asked for. For each
number of jobs one run: the processor's time of all its processes, divided by the volumes, and the
memory of all its processes, read while it works. Memory is flat when the last quarter of the
volumes needs what the second one did; time scales when a volume costs the same at every number of
jobs. Seconds of the processor can be counted on a busy machine, the wall's cannot. Adds rows to
benchmarks/results/speed/cohort.csv.
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
from pathlib import Path

from rows import Row, append, cores, heartseg, timing_row

from heartseg.core.image import Image
from heartseg.core.study import View
from heartseg.formats.nifti import write_image
from heartseg.read import find_studies

PHANTOMS = 2
"""Different ones; a cohort repeats them."""

EVERY_S = 0.5

Seen = tuple[int, float]
"""Volumes done, and megabytes of all processes."""


def main() -> None:
    """Make the cohort, run it, print, keep."""
    options = _options()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="heartseg-cohort-") as name:
        folder = Path(name)
        _cohort(folder, options.volumes)
        for jobs in options.jobs:
            out = folder / f"out-{jobs}"
            seconds, seen = _run([folder / "cohort"], out, jobs)
            shutil.rmtree(out)
            rows += _rows(options.volumes, jobs, seconds, seen)
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
    parser.add_argument("--dry-run", action="store_true", help="print the rows, keep none")
    return parser.parse_args()


def _cohort(folder: Path, volumes: int) -> None:
    """The first frame of each phantom under many names."""
    made, cohort = folder / "made", folder / "cohort"
    command = [*heartseg(), "phantom", "-o", str(made), "-n", str(PHANTOMS), "--seed", "3"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    cohort.mkdir()
    single = []
    for candidate in find_studies(made):
        image = candidate.load().images[View.SAX]
        single.append(folder / f"{candidate.id}.nii.gz")
        write_image(single[-1], Image(image.voxels[:1], image.geometry))
    for number in range(volumes):
        os.link(single[number % len(single)], cohort / f"heart{number:04d}.nii.gz")


def _run(inputs: Sequence[Path], out: Path, jobs: int) -> tuple[float, list[Seen]]:
    """Seconds of the processor in all, and what was seen on the way."""
    command = [*heartseg(), "segment", *map(str, inputs), "-o", str(out), "--jobs", str(jobs)]
    process = subprocess.Popen(
        [*command, "--formats", "nifti,json", "--device", "cpu"],
        stdout=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        preexec_fn=lambda: os.sched_setaffinity(0, cores()),
    )
    seen: list[Seen] = []
    while True:
        found, status, usage = os.wait4(process.pid, os.WNOHANG)
        if found:
            break
        seen.append((_done(out), _megabytes(process.pid)))
        time.sleep(EVERY_S)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"--jobs {jobs}: heartseg failed")
    return usage.ru_utime + usage.ru_stime, seen


def _done(out: Path) -> int:
    summary = out / "summary.csv"
    return max(0, summary.read_bytes().count(b"\n") - 1) if summary.exists() else 0


def _megabytes(root: int) -> float:
    """Of a process and all that it started; what they share is counted once."""
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
    return sum(_share(pid) for pid in family) / 1024


def _share(pid: int) -> float:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return float(line.split()[1])
    except OSError:
        pass
    return 0.0


def _rows(volumes: int, jobs: int, seconds: float, seen: Sequence[Seen]) -> Iterator[Row]:
    where = {
        "data": f"{volumes} phantom volumes, {PHANTOMS} of them different",
        "configuration": f"segment --jobs {jobs}, nifti and json",
    }
    unit = "s by the processor"
    yield timing_row("a volume of a cohort", unit, [seconds / volumes], **where)
    for quarter in range(4):
        least, most = quarter * volumes / 4, (quarter + 1) * volumes / 4
        memory = [megabytes for done, megabytes in seen if least <= done < most]
        if memory:
            name = f"memory of all processes, volumes {least:.0f} to {most:.0f}"
            yield timing_row(name, "MB", memory, **where)
    ends = [statistics.median(part) for part in (_part(seen, volumes, 1), _part(seen, volumes, 3))]
    yield timing_row("memory, last quarter over second", "1", [ends[1] / ends[0]], **where)


def _part(seen: Sequence[Seen], volumes: int, quarter: int) -> list[float]:
    inside = [mb for done, mb in seen if quarter <= 4 * done / volumes < quarter + 1]
    return inside or [seen[-1][1]]


if __name__ == "__main__":
    main()
