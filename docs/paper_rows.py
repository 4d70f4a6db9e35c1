"""What benchmarks/results holds of a grid, by the labels of its runs; and what the rest would take.

A row of `benchmarks/grid_rows.py` says its labels in `configuration`. Of rows that say the same,
the newest counts. What has no row would take as long as its images at the speed of what has one: of
the same grid first, else of `results/costs/networks.csv`.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from sheets import csv_lines

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
NOT_RUN = "not run"
UNKNOWN_TIME = "time not known"
COST_SIDE = 256
"""Rows and columns that the milliseconds of networks.csv are of."""

Labels = Mapping[str, str]
Row = Mapping[str, str]


@dataclass(frozen=True)
class Plan:
    """What a run of a grid sees.

    Attributes:
        images: planes.
        side: rows and columns of each.
    """

    images: int
    side: int


@dataclass(frozen=True)
class Cell:
    """A method of a grid: its labels, and its rows by measure and structure."""

    labels: Labels
    rows: Mapping[tuple[str, str], Row]

    def value(self, measure: str, structure: str | None = None) -> float | None:
        """A number; of the mean of structures, or of the only one, when none is named."""
        wanted = (structure,) if structure else ("mean", "-", "all", *self._structures())
        for key in wanted:
            if (measure, key) in self.rows:
                return float(self.rows[measure, key]["value"])
        return None

    @property
    def images(self) -> str:
        """How many images were seen, as the rows say it."""
        return next((row["images_seen"] for row in self.rows.values()), "-")

    def _structures(self) -> tuple[str, ...]:
        found = tuple(dict.fromkeys(structure for _, structure in self.rows))
        return found if len([one for one in found if one not in ("-", "all")]) == 1 else ()


class Found:
    """The cells of one grid.

    Args:
        rows: of its file in results, oldest first.
        plan: what each of its runs sees.
        costs: lines of results/costs/networks.csv, oldest first.
    """

    def __init__(self, rows: Iterable[Row], plan: Plan, costs: Iterable[Row] = ()) -> None:
        self.plan = plan
        self._costs = {
            line["network"]: float(line["training_ms"])
            for line in costs
            if (line["precision"], line["compiled"], line["problem"]) == ("f32", "no", "")
            and line["training_ms"]
            and not line["hardware"].startswith("NVIDIA")
        }
        kept: dict[frozenset[tuple[str, str]], dict[tuple[str, str], Row]] = {}
        for row in rows:
            labels = labels_of(row["configuration"])
            mine = kept.setdefault(frozenset(labels.items()), {})
            mine[row["measure"], row["structure"]] = row
        self.cells = tuple(Cell(dict(labels), mine) for labels, mine in kept.items())

    def at(self, labels: Labels) -> Cell | None:
        """The cell whose labels are these; an axis is named by the last part of its name."""
        return next((cell for cell in self.cells if short(cell.labels) == dict(labels)), None)

    def take(self, network: str, labels: Labels) -> str:
        """What a run without a row would take, in words.

        Args:
            network: its name in the list of networks.
            labels: of it; what has most of them in common tells the speed.
        """
        minutes = self._like(labels)
        if minutes is None and network in self._costs:
            pixels = self.plan.images * self.plan.side**2
            minutes = self._costs[network] / 60_000 * pixels / COST_SIDE**2
        return f"about {float(f'{minutes:.2g}'):g} min" if minutes is not None else UNKNOWN_TIME

    def _like(self, labels: Labels) -> float | None:
        """Median minutes of the cells that have most labels in common, one at least."""
        common: dict[int, list[float]] = {}
        for cell in self.cells:
            minutes = cell.value("training time", "-")
            shared = len(set(short(cell.labels).items()) & set(labels.items()))
            if minutes is not None and shared:
                common.setdefault(shared, []).append(minutes)
        return median(common[max(common)]) if common else None


def short(labels: Labels) -> dict[str, str]:
    """Labels by the last part of their axes' names: `model.encoder` is `encoder`."""
    return {axis.rpartition(".")[2]: label for axis, label in labels.items()}


def labels_of(configuration: str) -> dict[str, str]:
    """`runs/grids/a.toml: axis label, axis label` -> label by axis."""
    said = configuration.partition(": ")[2]
    pairs = (part.partition(" ") for part in said.split(", ") if part)
    return {axis: label for axis, _, label in pairs}


def plan_of(grid: Path) -> Plan:
    """What a run of a GRID.toml sees, by the RUN.toml that it starts from and that one's bases."""
    path = grid.parent / tomllib.loads(grid.read_text(encoding="utf-8"))["run"]
    tables = []
    while path is not None:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        tables.append(table)
        path = path.parent / table["base"] if "base" in table else None

    def said(section: str, key: str) -> int:
        return next(int(one[section][key]) for one in tables if key in one.get(section, {}))

    return Plan(said("schedule", "steps") * said("learning", "batch"), said("spatial", "size_px"))


def found(name: str, grid: str, results: Path) -> Found:
    """The cells of a grid of the project.

    Args:
        name: of the file below results, without .csv.
        grid: of the file in runs/grids, without .toml.
        results: the folder of results.
    """
    costs = csv_lines(results / "costs" / "networks.csv")
    return Found(
        csv_lines(results / f"{name}.csv"), plan_of(ROOT / "runs" / "grids" / f"{grid}.toml"), costs
    )


def shown(value: float | None, unit: str = "1") -> str:
    """A cell's text: three digits of a fraction, one of a distance or time."""
    if value is None:
        return NOT_RUN
    return f"{value:.3f}" if unit == "1" else f"{value:.1f}"
