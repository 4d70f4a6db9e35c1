"""Time and memory of the command line, from the start of the process to the files on disk.

    python benchmarks/speed.py [--runs 5] [--further 9] [--only f32] [--dry-run]

Needs the real images (HEARTSEG_DATA, or ../shared/data beside the project); what is absent is
said and left out. Adds rows to benchmarks/results/speed.csv; protocol.md says how they are made.
"""

import argparse
import gzip
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rows import (
    ROOT,
    Row,
    append,
    as_installed,
    busy_share,
    cores,
    heartseg,
    real_images,
    timing_row,
)

SLICES = 10
MOST_BUSY = 0.1
"""Of the measured cores, before the measurement: a number from a busy machine is no number."""

WAYS: Mapping[str, Sequence[str]] = {
    "as shipped": heartseg(),
    "f32": [sys.executable, str(ROOT / "benchmarks" / "in_f32.py")],
}
"""How the command line is started: in the precision that it chooses, and in f32."""


@dataclass(frozen=True)
class Run:
    """What one run of a command took: seconds by the wall clock, and its largest memory in MB.

    `model` and `precision` are what its reports say.
    """

    seconds: float
    megabytes: float
    model: str = "-"
    precision: str = "-"

    @property
    def where(self) -> dict[str, str]:
        """What a row says of it."""
        return {"model": self.model, "configuration": f"segment, {self.precision}, with report"}


def main() -> None:
    """Measure all there is data for, print the rows and keep them."""
    options = _options()
    busy = busy_share(cores())
    if busy > MOST_BUSY and not options.dry_run:
        sys.exit(f"the cores are {busy:.0%} busy with something else: wait, or use --dry-run")
    rows = list(_help(options.runs))
    for way in [options.only] if options.only else WAYS:
        rows += [*_volumes(WAYS[way], options), *_cine(WAYS[way], options.runs)]
    for row in rows:
        print(f"{row.measure} ({row.configuration}): {row.value} {row.unit}", end=" ")
        print(f"({row.low} to {row.high})")
    if not options.dry_run:
        append("speed", rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="measure time and memory of heartseg")
    parser.add_argument("--runs", type=int, default=5, help="runs of each, after one to warm up")
    parser.add_argument("--further", type=int, default=9, help="further volumes in one call")
    parser.add_argument("--only", choices=WAYS, help="one precision")
    parser.add_argument("--dry-run", action="store_true", help="print the rows, keep none")
    return parser.parse_args()


def _help(runs: int) -> Iterator[Row]:
    taken = [_run([*heartseg(), "--help"]).seconds for _ in range(runs + 1)][1:]
    yield timing_row("heartseg --help", "s", taken, data="-", configuration="warm disk cache")


def _volumes(way: Sequence[str], options: argparse.Namespace) -> Iterator[Row]:
    volumes = _ten_slices(real_images() / "acdc" / "training", 1 + options.further)
    if len(volumes) < 2:
        print("no ACDC volumes of 10 slices: speed of a volume is left out")
        return
    one = [_segment(way, volumes[:1]) for _ in range(options.runs + 1)][1:]
    many = [_segment(way, volumes) for _ in range(options.runs + 1)][1:]
    further = len(volumes) - 1
    start = sorted(run.seconds for run in one)[len(one) // 2]
    seconds = [(run.seconds - start) / further for run in many]
    name = "a 10-slice short-axis volume"
    yield from _time_and_memory(name, one, data=f"ACDC, {volumes[0].parent.name}")
    where = {"data": f"ACDC, {further} further volumes", **many[0].where}
    yield timing_row(f"{name}, each further of the same call", "s", seconds, **where)


def _cine(way: Sequence[str], runs: int) -> Iterator[Row]:
    folder = real_images() / "sunnybrook" / "SC-HF-I-1" / "dicom"
    if not folder.is_dir():
        print("no Sunnybrook study: speed of a cine study is left out")
        return
    taken = [_segment(way, [folder]) for _ in range(runs + 1)][1:]
    name = "a cine study of 240 images with measures and report"
    yield from _time_and_memory(name, taken, data="Sunnybrook SC-HF-I-1")


def _time_and_memory(name: str, taken: Sequence[Run], data: str) -> Iterator[Row]:
    where = {"data": data, **taken[0].where}
    yield timing_row(f"{name}, start to files", "s", [run.seconds for run in taken], **where)
    yield timing_row(f"{name}, largest memory", "MB", [run.megabytes for run in taken], **where)


def _ten_slices(training: Path, count: int) -> list[Path]:
    """The first image of each patient that has exactly ten slices, up to `count` of them."""
    found: list[Path] = []
    for patient in sorted(training.glob("patient*")):
        frames = sorted(patient.glob("*_frame[0-9][0-9].nii.gz"))
        if frames and _slices(frames[0]) == SLICES:
            found.append(frames[0])
        if len(found) == count:
            break
    return found


def _slices(path: Path) -> int:
    """Third number of a NIfTI-1 header's dim, at byte 40."""
    with gzip.open(path) as file:
        header = file.read(56)
    return int(struct.unpack("<8h", header[40:56])[3])


def _segment(way: Sequence[str], inputs: Sequence[Path]) -> Run:
    out = Path(tempfile.mkdtemp(prefix="heartseg-speed-"))
    try:
        run = _run([*way, "segment", *map(str, inputs), "-o", str(out), "--device", "cpu"])
        written = list(out.rglob("report.json"))
        if len(written) != len(inputs):
            found = len(written)
            sys.exit(f"{len(inputs)} studies went in, {found} reports came out: nothing to time")
        model = json.loads(written[0].read_text(encoding="utf-8"))["model"]
        said = f"{model['name']} {model['version']}, sha256 {model['sha256']}"
        return Run(run.seconds, run.megabytes, said, model["precision"])
    finally:
        shutil.rmtree(out)


def _run(command: Sequence[str]) -> Run:
    """Run heartseg on the measured cores; a failing run ends the measurement."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=as_installed(),
        preexec_fn=lambda: os.sched_setaffinity(0, cores()),
    )
    said = process.stderr.read() if process.stderr else b""
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[-1]}: heartseg failed:\n{said.decode(errors='replace')}")
    return Run(seconds, usage.ru_maxrss / 1024)


if __name__ == "__main__":
    main()
