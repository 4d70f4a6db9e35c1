"""A table as it is read from a CSV, and as it is written in Markdown."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path


def csv_lines(path: Path) -> list[dict[str, str]]:
    """Of a CSV; none where there is no file."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Markdown; a bar or the end of a line within a cell does not end the cell."""
    every = [heads, ["---"] * len(heads), *rows]
    cells = [[cell.replace("|", "\\|").replace("\n", " ") for cell in line] for line in every]
    return "\n".join("| " + " | ".join(line) + " |" for line in cells)
