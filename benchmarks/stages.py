"""Where the processor's time goes, stage by stage: of a volume, a further one, and a cine study.

    python benchmarks/stages.py [--runs 3] [--further 4] [--only NAME] [--dry-run]

Each run is a process of its own on one core, with one thread and a clock on every stage
(`clocked.py`). What counts is the processor's own time, so a busy machine may measure: it makes
caches cold, and numbers larger than on an idle one, but shares hold. The first run of a kind warms
the disk's cache and is not counted. Adds rows to benchmarks/results/speed/profile.csv.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rows import ROOT, Row, append, as_installed, cores, real_images, timing_row
from speed import SLICES, _ten_slices

VOLUME, FURTHER, CINE = (
    f"a {SLICES}-slice short-axis volume, start to files",
    f"a {SLICES}-slice short-axis volume, each further of the same call",
    "a cine study of 240 images with measures and report",
)
LEAST_S = 0.01
"""Stages below this are summed up."""

SMALL = "stages below 10 ms"

Spent = Mapping[str, float]


def main() -> None:
    """Measure, print, keep."""
    options = _options()
    rows: list[Row] = []
    for name, data, runs, precision in _kinds(options):
        rows += _rows(name, data, runs, precision)
        _print(rows, name)
    if not options.dry_run:
        append("speed/profile", rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="tell where the time of the main job goes")
    parser.add_argument("--runs", type=int, default=3, help="of each kind, after one to warm up")
    parser.add_argument("--further", type=int, default=4, help="further volumes in one call")
    parser.add_argument("--only", choices=("volumes", "cine"), help="one part")
    parser.add_argument("--dry-run", action="store_true", help="print the rows, keep none")
    return parser.parse_args()


def _kinds(options: argparse.Namespace) -> Iterator[tuple[str, str, list[Spent], str]]:
    """What was done, on what, what each run spent, and the precision."""
    volumes = _ten_slices(real_images() / "acdc" / "training", 1 + options.further)
    if len(volumes) > 1 and options.only != "cine":
        one, precision = _runs(volumes[:1], options.runs)
        yield VOLUME, f"ACDC, {volumes[0].parent.name}", one, precision
        many, _ = _runs(volumes, options.runs)
        start = {stage: statistics.median(run.get(stage, 0.0) for run in one) for stage in one[0]}
        further = len(volumes) - 1
        yield FURTHER, f"ACDC, {further} further volumes", [
            {stage: (spent - start.get(stage, 0.0)) / further for stage, spent in run.items()}
            for run in many
        ], precision  # fmt: skip
    folder = real_images() / "sunnybrook" / "SC-HF-I-1" / "dicom"
    if folder.is_dir() and options.only != "volumes":
        yield CINE, "Sunnybrook SC-HF-I-1", *_runs([folder], options.runs)


def _runs(inputs: Sequence[Path], runs: int) -> tuple[list[Spent], str]:
    """What each run spent, and the precision that they computed in."""
    done = [_run(inputs) for _ in range(runs + 1)][1:]
    return [spent for spent, _ in done], done[0][1]


def _run(inputs: Sequence[Path]) -> tuple[Spent, str]:
    with tempfile.TemporaryDirectory(prefix="heartseg-stages-") as name:
        spent, out = Path(name) / "spent.json", Path(name) / "out"
        command = [sys.executable, str(ROOT / "benchmarks" / "clocked.py"), str(spent), "segment"]
        subprocess.run(
            [*command, *map(str, inputs), "-o", str(out), "--device", "cpu"],
            check=True,
            stdout=subprocess.DEVNULL,
            env={**as_installed(), "OMP_NUM_THREADS": "1"},
            preexec_fn=lambda: os.sched_setaffinity(0, {min(cores())}),
        )
        report = json.loads(next(out.rglob("report.json")).read_text(encoding="utf-8"))
        found: dict[str, float] = json.loads(spent.read_text(encoding="utf-8"))
        return found, report["model"]["precision"]


def _rows(name: str, data: str, runs: Sequence[Spent], precision: str) -> Iterator[Row]:
    stages = sorted({stage for run in runs for stage in run})
    usual = {stage: statistics.median(run.get(stage, 0.0) for run in runs) for stage in stages}
    large = sorted((s for s in stages if usual[s] >= LEAST_S), key=lambda s: -usual[s])
    small = [stage for stage in stages if stage not in large]
    where = {"data": data, "configuration": f"segment, {precision}, one thread"}
    for stage in large:
        numbers = [run.get(stage, 0.0) for run in runs]
        yield timing_row(f"{name}: {stage}", "s by the processor", numbers, **where)
    rest = [sum(run.get(stage, 0.0) for stage in small) for run in runs]
    yield timing_row(f"{name}: {SMALL}", "s by the processor", rest, **where)
    whole = [sum(run.values()) for run in runs]
    yield timing_row(f"{name}: all", "s by the processor", whole, **where)


def _print(rows: Sequence[Row], name: str) -> None:
    mine = [row for row in rows if row.measure.startswith(name)]
    whole = float(mine[-1].value)
    print(f"\n{name} ({mine[-1].configuration})")
    for row in mine:
        stage = row.measure.removeprefix(f"{name}: ")
        print(f"  {float(row.value):8.3f} s  {float(row.value) / whole:5.1%}  {stage}")


if __name__ == "__main__":
    main()
