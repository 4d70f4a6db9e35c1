"""A table of a benchmark, in no format yet."""

from dataclasses import dataclass

NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table; the best one of its column is printed in bold."""

    text: str
    bold: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table in no format yet.

    Attributes:
        title: above it.
        heads: of the columns.
        rows: of cells, as many as heads.
        notes: below it, a line each.
    """

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
