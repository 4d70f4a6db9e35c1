"""Size of an installation without extras, and of the wheel.

    python benchmarks/size.py [--dry-run]

Makes a new environment in a temporary folder, installs the project into it, and adds up the files
of its site-packages, without pip. Adds rows to benchmarks/results/size.csv.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from rows import ROOT, append, timing_row

NOT_OURS = ("pip", "setuptools")
"""What a new environment holds before anything is installed."""


def main() -> None:
    """Install, add up, print and keep."""
    parser = argparse.ArgumentParser(description="measure the size of a core installation")
    parser.add_argument("--dry-run", action="store_true", help="print the rows, keep none")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="heartseg-size-") as name:
        folder = Path(name)
        wheel = _wheel(folder)
        installed = _installed(folder, wheel)
        sizes = {"core installation": installed, "wheel": wheel.stat().st_size / 1e6}
    where = {"data": "-", "configuration": f"no extras, Python {sys.version.split()[0]}"}
    rows = [timing_row(what, "MB", [size], **where) for what, size in sizes.items()]
    for row in rows:
        print(f"{row.measure}: {row.value} MB")
    if not options.dry_run:
        append("size", rows)


def _wheel(folder: Path) -> Path:
    python = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(folder)]
    subprocess.run([*python, str(ROOT)], check=True)
    return next(folder.glob("heartseg-*.whl"))


def _installed(folder: Path, wheel: Path) -> float:
    """MB in site-packages after installing the wheel."""
    environment = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    python = environment / "bin" / "python"
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", str(wheel)], check=True)
    packages = next(environment.glob("lib/python*/site-packages"))
    ours = (entry for entry in packages.iterdir() if not entry.name.startswith(NOT_OURS))
    return _bytes(ours) / 1e6


def _bytes(entries: Iterable[Path]) -> int:
    total = 0
    for entry in entries:
        files = entry.rglob("*") if entry.is_dir() else [entry]
        total += sum(os.lstat(file).st_size for file in files if not file.is_dir())
    return total


if __name__ == "__main__":
    main()
