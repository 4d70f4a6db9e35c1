"""Tables in the pages of the documentation, between marks that name the script that writes them.

    <!-- written by benchmarks/NAME.py -->

    | ... |

    <!-- end of table -->

A page may hold several tables of one script: then the name of the table follows, after a colon.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

END = "<!-- end of table -->"
NOT_RUN = "not run"
PARTS: Mapping[str, str] = {
    "test": "the test part",
    "validate": "the part that choices are made on, none of it a test",
}
"""By the column `split`: what a reader is told."""


def with_table(text: str, writer: str, table: str) -> str:
    """The text with a table between the marks of its writer.

    Args:
        text: of a page.
        writer: the script's file name, and the table's name after ": " where it has several.
        table: Markdown.

    Raises:
        ValueError: the page lacks one of the two marks, so that there is no place for it.
    """
    begin = f"<!-- written by benchmarks/{writer} -->"
    before, begun, rest = text.partition(begin)
    _, ended, after = rest.partition(END)
    if not (begun and ended):
        raise ValueError(f"the page has no place for a table: it needs {begin!r}, then {END!r}")
    return f"{before}{begin}\n\n{table}\n\n{END}{after}"


def write_table(page: Path, writer: str, table: str) -> None:
    """Put a table into a page."""
    text = page.read_text(encoding="utf-8")
    page.write_text(with_table(text, writer, table), encoding="utf-8")


def write_or_check(page: Path, fresh: Callable[[str], str], again: str) -> None:
    """The command line of a script that writes tables: with --check it compares only.

    Args:
        page: whose tables they are.
        fresh: from the page's text to what it should be.
        again: the command that writes it, for who finds it stale; the exit code is 1 then.
    """
    parser = argparse.ArgumentParser(description=f"the tables of {page.name}")
    parser.add_argument("--check", action="store_true", help="compare only")
    check: bool = parser.parse_args().check
    now = page.read_text(encoding="utf-8")
    wanted = fresh(now)
    if not check:
        page.write_text(wanted, encoding="utf-8")
    elif now != wanted:
        sys.exit(f"{page.name} is not fresh: run {again}")


def markdown_table(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Markdown; a bar within a cell does not end it."""
    every = [heads, ["---"] * len(heads), *lines]
    cells = [[cell.replace("|", "\\|") for cell in line] for line in every]
    return "\n".join("| " + " | ".join(line) + " |" for line in cells)


def value(row: Mapping[str, str] | None, digits: int = 3) -> str:
    """What a row measured."""
    return NOT_RUN if row is None else f"{float(row['value']):.{digits}f}"


def with_ends(row: Mapping[str, str] | None, digits: int = 3) -> str:
    """What a row measured, and its interval where it has one."""
    if row is None or row["low"] == "-":
        return value(row, digits)
    low, high = (f"{float(row[key]):.{digits}f}" for key in ("low", "high"))
    return f"{value(row, digits)} ({low} to {high})"
