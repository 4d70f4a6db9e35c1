"""Traditional methods beside networks: tables of the newest rows of results/classical."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from paper_rows import NOT_RUN, RESULTS
from sheets import csv_lines, markdown_table

CLASSICAL = "classical:"
MEMORY = "largest memory of the process"
HEADS = (
    *("method", "patients", "LV ED", "LV ES", "LV", "95 % interval", "HD95, mm"),
    *("wall", "RV", "s a plane", "MB"),
)

Row = Mapping[str, str]


class Measured:
    """The newest rows of one data set.

    Args:
        data: "ACDC" or "CAMUS".
        results: the folder of results.
    """

    def __init__(self, data: str, results: Path = RESULTS) -> None:
        self._rows: dict[tuple[str, ...], Row] = {}
        keys = ("model", "measure", "structure", "phase")
        for name in ("methods", "memory"):
            for row in csv_lines(results / "classical" / f"{name}.csv"):
                if row["data"] == data:
                    self._rows[tuple(row[key] for key in keys)] = row

    @property
    def models(self) -> tuple[str, ...]:
        """Traditional methods, and networks with their versions, in order."""
        return tuple(dict.fromkeys(m for m, measure, *_ in self._rows if measure == "Dice"))

    @property
    def networks(self) -> tuple[str, ...]:
        """Those of them that are no traditional method."""
        return tuple(one for one in self.models if not one.startswith(CLASSICAL))

    @property
    def nothing(self) -> str:
        """What a process holds that only reads the images, in words."""
        row = self.row("none", MEMORY)
        return f"{float(row['value']):.0f} MB" if row else "what was not measured yet"

    def row(self, model: str, measure: str, structure: str = "-", phase: str = "-") -> Row | None:
        """The newest of what is named."""
        return self._rows.get((model, measure, structure, phase))


def table(methods: Iterable[str], measured: Measured) -> str:
    """A line a method, then a line a network."""
    lines = [
        *(_line(f"`{name}`", f"{CLASSICAL}{name}", measured) for name in methods),
        *(_line(f"`{name.split()[0]}` (network)", name, measured) for name in measured.networks),
    ]
    without = [] if measured.networks else [["network", NOT_RUN, *["-"] * (len(HEADS) - 2)]]
    return markdown_table(HEADS, [*lines, *without])


def _line(title: str, model: str, measured: Measured) -> list[str]:
    whole = measured.row(model, "Dice", "lv", "all")
    if whole is None:
        return [title, NOT_RUN, *["-"] * (len(HEADS) - 2)]
    interval = f"{float(whole['low']):.3f} to {float(whole['high']):.3f}"
    return [title, whole["runs"], *_cells(model, measured, interval)]


def _cells(model: str, measured: Measured, interval: str) -> Iterator[str]:
    def cell(form: str, measure: str, structure: str = "-", phase: str = "-") -> str:
        row = measured.row(model, measure, structure, phase)
        return format(float(row["value"]), form) if row else "-"

    for phase in ("ED", "ES", "all"):
        yield cell(".3f", "Dice", "lv", phase)
    yield interval
    yield cell(".1f", "HD95", "lv", "all")
    yield cell(".3f", "Dice", "myo", "all")
    yield cell(".3f", "Dice", "rv", "all")
    yield cell(".2g", "time of a plane")
    yield cell(".0f", MEMORY)
