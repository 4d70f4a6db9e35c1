"""summary.csv: a row a study, for spreadsheets and statistics.

UTF-8, comma-separated, one heading. The columns below always come first and in this order; other
findings follow by name, among them the ends of intervals (`lv_ef_low`, `lv_ef_high`). Fractions
are fractions. Absent is an empty cell, and `problems` says why; a failed study has a row with its
`error`. A study that is done again replaces its row.

A cell that a spreadsheet would run as a formula (it starts with = + - @, also in full width, a tab
or a carriage return) gets a leading apostrophe. Plain numbers keep their minus: they are harmless,
and a difference may be negative.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

from heartseg.core.errors import OutputError
from heartseg.core.finding import Report
from heartseg.report.atomic import write_atomically
from heartseg.report.json_file import as_json
from heartseg.report.words import clean

Row = Mapping[str, str]

NAME = "summary.csv"

_ABOUT = ("study", "modality", "views", "model", "model_version", "verdict", "reasons")
_PHASES = ("ed_frame", "es_frame", "rv_es_frame")
_MEASURES = (
    *("lv_edv_ml", "lv_esv_ml", "lv_sv_ml", "lv_ef", "lv_mass_g"),
    *("rv_edv_ml", "rv_esv_ml", "rv_sv_ml", "rv_ef", "co_l_min", "sv_difference_ml"),
)
_INDEXED = (
    *("lv_edv_ml_per_m2", "lv_esv_ml_per_m2", "lv_sv_ml_per_m2", "lv_mass_g_per_m2"),
    *("rv_edv_ml_per_m2", "rv_esv_ml_per_m2", "rv_sv_ml_per_m2", "co_l_min_per_m2"),
)
_LAST = ("problems", "error")

COLUMNS = (*_ABOUT, *_PHASES, *_MEASURES, *_INDEXED, *_LAST)
"""The columns that every summary has; other findings stand between the last two groups."""

_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_FORMULA = tuple("=+-@\t\r＝＋－＠")


def summary_row(report: Report) -> Row:
    """The row of a finished study; frames count from 0, as in report.json."""
    said = as_json(report)
    phases: Mapping[str, int] = next(iter(said["phases"].values()), {})
    row = {
        "study": said["study"],
        "modality": said["modality"],
        "views": " ".join(said["views"]),
        "model": said["model"]["name"],
        "model_version": said["model"]["version"],
        "verdict": said["quality"]["verdict"],
        "reasons": "; ".join(said["quality"]["reasons"]),
        "ed_frame": _cell(phases.get("ed")),
        "es_frame": _cell(phases.get("es")),
        "rv_es_frame": _cell(phases.get("rv_es")),
    }
    problems = [f"{f['key']}: {f['problem']}" for f in said["findings"] if f["problem"]]
    row |= {f["key"]: _cell(f["value"]) for f in said["findings"] if f["key"] not in row}
    for one in said["findings"]:
        if one["interval"] is not None:
            row |= dict(zip(_ends(one["key"]), map(_cell, one["interval"]), strict=True))
    return {**row, "problems": "; ".join(problems), "error": ""}


def failed_row(study: str, error: object) -> Row:
    """The row of a study that could not be done: its id and why."""
    return {"study": clean(study), "error": clean(error)}


def write_summary(path: Path, rows: Iterable[Row]) -> None:
    """Add rows to the summary, or make it; rows of the same studies are replaced.

    Those that are there pass through one by one: a large cohort's would fill the memory.

    Raises:
        OutputError: it could not be written (the old one then stays as it was), or the file
            there is not a summary of ours.
    """
    new = {_harmless(row["study"]): row for row in rows}
    old = _existing(path)
    first = next(old, None)  # of a table, so its names are those of all
    old = old if first is None else chain([first], old)
    columns = _columns(chain(first or (), *new.values()))
    write_atomically(path, _text(columns, _merged(old, new)).encode())


def csv_text(rows: Sequence[Row]) -> str:
    """The whole summary as text."""
    return _text(_columns(chain.from_iterable(rows)), rows)


def _columns(names: Iterable[str]) -> list[str]:
    others = sorted(set(names) - set(COLUMNS))
    return [*COLUMNS[: -len(_LAST)], *others, *_LAST]


def _text(columns: Sequence[str], rows: Iterable[Row]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([_harmless(column) for column in columns])
    writer.writerows([_harmless(row.get(column, "")) for column in columns] for row in rows)
    return out.getvalue()


def _merged(old: Iterable[Row], new: Mapping[str, Row]) -> Iterator[Row]:
    """The old rows in their order, with new ones in their place or behind them."""
    left = dict(new)
    for row in old:
        if row["study"] not in new:
            yield row
        elif row["study"] in left:
            yield left.pop(row["study"])
    yield from left.values()


def _harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula; doing it twice changes nothing more."""
    if not text.startswith(_FORMULA) or _NUMBER.fullmatch(text):
        return text
    return "'" + text


def _ends(key: str) -> tuple[str, str]:
    """Columns of the ends of a finding's interval."""
    return f"{key}_low", f"{key}_high"


def _cell(value: float | None) -> str:
    return "" if value is None else repr(value)


def _existing(path: Path) -> Iterator[Row]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, restval="", strict=True)
            columns = set(reader.fieldnames or ())
            if columns and not columns >= {"study", "error"}:
                raise _not_ours(path, "other columns")
            for row in reader:
                yield {name: cell for name, cell in row.items() if name is not None}
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise _not_ours(path, clean(fault, longest=200)) from fault


def _not_ours(path: Path, got: str) -> OutputError:
    return OutputError(
        path.name,
        got=got,
        allowed="a summary that heartseg wrote",
        do="move that file away, or choose another folder with -o",
    )
