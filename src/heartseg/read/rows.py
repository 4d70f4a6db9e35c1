"""A small table that comes with a data set: CSV, read as text and never trusted.

Cells stay text: a formula is not run, and a file name in a cell is only ever compared with the
names that a folder really holds, so no cell leads outside of it.
"""

import csv
from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path

from heartseg.core.errors import FormatError

MAX_BYTES = 128 * 2**20
"""EchoNet-Dynamic's tracings, the largest table known here, have 28 MB."""

MAX_ROWS = 2_000_000

Row = dict[str, str]


def has_columns(path: Path, columns: Sequence[str]) -> bool:
    """True when the file is a table that has these columns; reads its first line only."""
    try:
        with path.open("rb") as stream:
            first = stream.readline(4096).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return False
    return _delimiter(first, columns) is not None


def read_rows(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    """The rows of a table as text by column, one after another.

    Args:
        path: UTF-8, with commas, semicolons or tabs.
        columns: that it must have; there may be others.

    Raises:
        FormatError: too large, not UTF-8, not a table, or a column is missing.
    """
    lines = _lines(path, columns)
    names = [name.strip() for name in next(lines)]
    for line in lines:
        cells = [cell.strip() for cell in line]
        yield dict.fromkeys(names, "") | dict(zip(names, cells, strict=False))


def read_cells(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The cells of these columns only, as they are: for tables of hundreds of thousands of rows.

    Raises:
        FormatError: as `read_rows`; or a row that ends before one of the columns.
    """
    lines = _lines(path, columns)
    names = [name.strip() for name in next(lines)]
    chosen = itemgetter(*(names.index(column) for column in columns))
    for line in lines:
        try:
            yield chosen(line)
        except IndexError as fault:
            raise _unfit(path, f"a row of {len(line)} cells") from fault


def _lines(path: Path, columns: Sequence[str]) -> Iterator[list[str]]:
    """The cells of each line that has any, the names of the columns first."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _unfit(path, f"{path.stat().st_size / 2**20:.0f} MB")
        with path.open(encoding="utf-8-sig", newline="") as stream:
            delimiter = _delimiter(stream.readline(4096), columns)
            if delimiter is None:
                raise _unfit(path, "no column " + ", ".join(columns))
            stream.seek(0)
            for count, line in enumerate(csv.reader(stream, delimiter=delimiter)):
                if count > MAX_ROWS:
                    raise _unfit(path, f"more than {MAX_ROWS} rows")
                if line:
                    yield line
    except UnicodeDecodeError as fault:
        raise _unfit(path, "text that is not UTF-8") from fault
    except (OSError, csv.Error) as fault:
        raise _unfit(path, f"a table that cannot be read ({type(fault).__name__})") from fault


def whole_number(text: str) -> int | None:
    """A count or index from a cell, also written as `12.0`; None for anything else."""
    head, _, tail = text.partition(".")
    plain = head.isdecimal() and head.isascii() and len(head) < 10
    return int(head) if plain and not tail.strip("0") else None


def _delimiter(first: str, columns: Sequence[str]) -> str | None:
    for delimiter in (",", ";", "\t"):
        names = {name.strip().strip('"') for name in first.strip().split(delimiter)}
        if names.issuperset(columns):
            return delimiter
    return None


def _unfit(path: Path, got: str) -> FormatError:
    return FormatError(
        path.name,
        got=got,
        allowed=f"a UTF-8 table of at most {MAX_BYTES // 2**20} MB and {MAX_ROWS} rows",
        do="export it again as CSV (UTF-8), with the columns' names in the first line",
    )
