"""Keep what the runs of a grid found, so that another machine can go on, or draw the figures.

    python benchmarks/kept_runs.py keep OUT NAME
    python benchmarks/kept_runs.py restore NAME OUT

`keep` puts the numbers of the finished runs in OUT, the folder of a `heartseg benchmark`, into
results/runs/NAME.zip: scores by patient, the log of the training, the row of runs.csv. No
weights, no pixels. `restore` lays them out again: `heartseg benchmark GRID -o OUT --resume` then
does only the runs that are left, and `--tables` writes tables and curves (the gallery needs masks,
which stay where they were made). A run of OUT that the archive holds already stays as it was first
kept, and the same runs make the same file to the byte.
"""

import argparse
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from rows import RESULTS

from heartseg.benchmark.cell import CLOCK, RESULT
from heartseg.benchmark.ledger import RUNS, Ledger, read_rows
from heartseg.report.atomic import write_atomically
from heartseg.train.log import LOG

KEPT = RESULTS / "runs"
OF_A_RUN = (LOG, CLOCK)
OF_A_SCORE = ("cases.csv", "confusion.csv", RESULT)
LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The earliest time that an archive knows: files differ only where their contents do."""

Files = Mapping[str, bytes]


def main() -> None:
    """Keep, or restore."""
    parser = argparse.ArgumentParser(description="what the runs of a grid found")
    does = parser.add_subparsers(dest="does", required=True)
    keeps = does.add_parser("keep")
    keeps.add_argument("out", type=Path, help="folder of a benchmark")
    keeps.add_argument("name", help="of the archive, without .zip")
    restores = does.add_parser("restore")
    restores.add_argument("name", help="of the archive, without .zip")
    restores.add_argument("out", type=Path, help="folder of a benchmark, may be new")
    options = parser.parse_args()
    archive = KEPT / f"{options.name}.zip"
    done = (keep if options.does == "keep" else restore)(options.out, archive)
    print(f"{done} runs in {archive.relative_to(RESULTS)}")


def keep(out: Path, archive: Path) -> int:
    """Add the finished runs of a folder to an archive; how many it holds now."""
    files = dict(_found(out))
    if archive.exists():
        files |= _inside(archive)
    told = io.BytesIO()
    with zipfile.ZipFile(told, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for name in sorted(files):
            packed.writestr(zipfile.ZipInfo(name, LONG_AGO), files[name], zipfile.ZIP_DEFLATED)
    archive.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(archive, told.getvalue())
    return len(_results(files))


def restore(out: Path, archive: Path) -> int:
    """Lay the runs of an archive out in a folder, those it has already aside; how many."""
    files = _inside(archive)
    for name, data in files.items():
        path = out / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, data)
    ledger = Ledger(out)
    for data in _results(files).values():
        row = json.loads(data)
        if not ledger.done(row["run"], row["split"]):
            ledger.add(row)
    return len(_results(files))


def _found(out: Path) -> Iterator[tuple[str, bytes]]:
    """Names below the folder, and contents, of runs that are done."""
    for row in read_rows(out / RUNS):
        run = Path("runs") / row["run"]
        if row["status"] != "done":
            continue
        for name in (run / one for one in OF_A_RUN):
            yield name.as_posix(), (out / name).read_bytes()
        for name in (run / row["split"] / one for one in OF_A_SCORE):
            yield name.as_posix(), (out / name).read_bytes()


def _inside(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def _results(files: Files) -> dict[str, bytes]:
    return {name: data for name, data in files.items() if name.endswith(f"/{RESULT}")}


if __name__ == "__main__":
    main()
