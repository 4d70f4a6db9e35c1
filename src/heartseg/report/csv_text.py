"""A table as comma-separated text."""

import csv
import io
from collections.abc import Iterable, Sequence

Cell = str | int | float | None


def csv_text(heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Rows under their heads; cells are numbers and names of ours, None is an empty one."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows(rows)
    return out.getvalue()
