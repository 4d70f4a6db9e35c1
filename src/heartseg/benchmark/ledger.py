"""runs.csv: a row a run, as it finishes; and the files of numbers beside each run.

The whole file is written anew beside its place and renamed over it: a reader never sees half a
row, and a kill at any moment loses none that was there. A run that is done again after a failure
replaces its row; a run that is done is never done again.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

from heartseg.core.errors import FormatError, OutputError
from heartseg.evaluation import CLINICAL
from heartseg.report.atomic import write_atomically
from heartseg.report.csv_text import csv_text
from heartseg.report.words import clean

Row = Mapping[str, str]
Line = TypeVar("Line")

RUNS = "runs.csv"
LOCK = ".lock"
AXIS = "axis."
METRICS = (
    *("dice", "jaccard", "precision", "recall", "hausdorff95_mm", "assd_mm"),
    *("accuracy", "boundary_iou_2mm", "soft_dice", "two_class_iou", "hausdorff95_px"),
)
"""What is known of every run; the second line came later, and older files do not hold it."""

ABOUT = (
    *("run", "status", "reason", "date", "commit", "data", "split", "seed", "configuration"),
    *("patients_trained", "images_seen", "steps", "parameters", "hardware"),
    *("training_seconds", "scoring_seconds", "cases"),
)
SCORES = tuple(f"{metric}{edge}" for metric in METRICS for edge in ("", "_low", "_high"))
ERRORS = tuple(f"{key}_mae" for key in CLINICAL)
COLUMNS = (*ABOUT, *SCORES, *ERRORS)
"""Of every runs.csv; a column `axis.NAME` for each axis of the grid follows."""


class Ledger:
    """The rows of a benchmark's folder.

    Raises:
        OutputError: a runs.csv that is none of ours.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / RUNS
        self._rows = {(row["run"], row["split"]): row for row in read_rows(self.path)}

    def __len__(self) -> int:
        return len(self._rows)

    def done(self, run: str, part: str) -> bool:
        """True when that run was scored on that part."""
        return self._rows.get((run, part), {}).get("status") == "done"

    def add(self, row: Row) -> None:
        """Write it down now.

        Raises:
            OutputError: it could not be written; the rows that were there are there still.
        """
        key = (row["run"], row["split"])
        kept = {one: old for one, old in self._rows.items() if one != key}
        rows = {**kept, key: row}
        write_atomically(self.path, _text(list(rows.values())).encode())
        self._rows = rows


def read_rows(path: Path) -> list[Row]:
    """The rows of a runs.csv, in the order in which the runs ended; none where there is no file.

    Raises:
        OutputError: another kind of file.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, restval="", strict=True)
            columns = tuple(reader.fieldnames or ())
            rows: list[Row] = [dict(row) for row in reader]
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise OutputError(path.name, got=clean(fault, longest=200)) from fault
    if not {"run", "split", "status"} <= set(columns):
        raise OutputError(
            path.name, got="other columns", allowed="what heartseg benchmark wrote there before"
        )
    return rows


def _text(rows: Sequence[Row]) -> str:
    axes = list(dict.fromkeys(key for row in rows for key in row if key.startswith(AXIS)))
    out = io.StringIO()
    writer = csv.DictWriter(out, [*COLUMNS, *axes], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: clean(value) for key, value in row.items()} for row in rows)
    return out.getvalue()


def write_lines(path: Path, kind: type[Line], lines: Iterable[Line]) -> None:
    """A CSV of dataclasses, whole or not at all; absent is an empty cell.

    Raises:
        OutputError: it could not be written.
    """
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    write_table(path, names, ([asdict(line)[n] for n in names] for line in lines))  # type: ignore[call-overload]


def write_table(path: Path, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A CSV under these heads, whole or not at all.

    Raises:
        OutputError: it could not be written.
    """
    write_atomically(path, csv_text(heads, rows).encode())


def read_table(path: Path) -> Iterator[Row]:
    """The lines of such a CSV.

    Raises:
        FormatError: it is not there, or not one.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file, strict=True)
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise FormatError(f"{path.parent.name}/{path.name}", got=type(fault).__name__) from fault


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Only one benchmark may run in a folder; the lock goes with its process, however that ends.

    Raises:
        OutputError: another one is running there, or the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / LOCK).open("w", encoding="utf-8")
    except OSError as fault:
        raise OutputError(f"folder {folder.name}", got=fault.strerror or str(fault)) from fault
    with file:
        if not locked(file.fileno()):
            got = "another heartseg benchmark that is running in it"
            raise OutputError(f"folder {folder.name}", got=got, do="wait for it, or stop it")
        yield


def locked(descriptor: int, *, wait: bool = False) -> bool:
    """Lock an open file or folder for this process; False where another one has it.

    Args:
        descriptor: of what is open.
        wait: until the other one lets go.
    """
    try:
        import fcntl
    except ModuleNotFoundError:  # Windows has no such locks: two at once are the user's to avoid
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True
