"""From the rows and files of a benchmark to what its tables and figures show.

A method is what the axes that do not repeat say together. Its repeats (seeds, folds) are pooled by
patient: a patient's value is the mean over its structures, phases and repeats, and the interval is
a bootstrap over patients, who are resampled whole.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heartseg.benchmark.cell import SIGHT, case_means
from heartseg.benchmark.grid import Grid
from heartseg.benchmark.ledger import RUNS, Row, read_rows, read_table
from heartseg.core.errors import FormatError
from heartseg.core.finding import Interval
from heartseg.measure.statistics import PairedTest, bootstrap_mean, holm, paired_wilcoxon

LESS_IS_BETTER = ("hausdorff95_mm", "assd_mm", "hausdorff95_px")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """A mean over patients.

    Attributes:
        interval: None where fewer than two patients have a value.
        cases: patients with a value.
        missing: lines of cases.csv without one: distances of masks that were left empty.
    """

    value: float
    interval: Interval | None
    cases: int
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """What was compared, with everything that its repeats gave.

    Attributes:
        labels: by compared axis.
        planned: runs of it in the grid.
        rows: of its runs that are done.
        failed: of those that could not be done.
        cases: lines of cases.csv of all repeats.
        confusion: summed over repeats, true structures in rows; None where they differ.
        sight: file of the first repeat that has one; None where only numbers were kept.
        title: the labels in one line.
    """

    labels: Mapping[str, str]
    planned: int
    rows: tuple[Row, ...]
    failed: tuple[Row, ...]
    cases: tuple[Row, ...]
    structures: tuple[str, ...]
    confusion: NDArray[np.int64] | None
    sight: Path | None

    @property
    def title(self) -> str:
        """The labels in one line."""
        return ", ".join(self.labels.values()) or "all"

    def by_case(
        self, metric: str, *, structure: str | None = None, phase: str | None = None
    ) -> dict[str, float]:
        """One value a patient."""
        return case_means(self._lines(structure, phase), metric)

    def mean(
        self, metric: str, *, structure: str | None = None, phase: str | None = None
    ) -> Mean | None:
        """Over patients; None where nobody has a value."""
        values = np.array(list(self.by_case(metric, structure=structure, phase=phase).values()))
        if not len(values):
            return None
        interval = bootstrap_mean(values) if len(values) > 1 else None
        missing = sum(row.get(metric, "") == "" for row in self._lines(structure, phase))
        return Mean(
            value=float(values.mean()), interval=interval, cases=len(values), missing=missing
        )

    def _lines(self, structure: str | None, phase: str | None) -> list[Row]:
        return [
            row
            for row in self.cases
            if structure in (None, row["structure"]) and phase in (None, row["phase"])
        ]

    def average(self, column: str) -> float | None:
        """Mean of a column of runs.csv over the repeats."""
        values = [float(row[column]) for row in self.rows if row.get(column)]
        return float(np.mean(values)) if values else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Everything that is finished of a grid.

    Attributes:
        grid: what was asked for.
        rows: of its runs, in its order.
        methods: in its order, those without a finished run too.
    """

    grid: Grid
    rows: tuple[Row, ...]
    methods: tuple[Method, ...]

    @property
    def metric(self) -> str:
        """What decides."""
        return self.grid.report.metrics[0]

    @property
    def scored(self) -> tuple[Method, ...]:
        """Methods with a finished run."""
        return tuple(method for method in self.methods if method.cases)

    @property
    def structures(self) -> tuple[str, ...]:
        """Keys of all that was scored, in order."""
        return tuple(dict.fromkeys(row["structure"] for m in self.scored for row in m.cases))

    @property
    def phases(self) -> tuple[str, ...]:
        """ED and ES, where they are known."""
        found = dict.fromkeys(row["phase"] for m in self.scored for row in m.cases)
        return tuple(phase for phase in found if phase in ("ED", "ES"))

    @property
    def short_axis_mr(self) -> bool:
        """True when what human readers reach on short-axis cine MR may stand beside."""
        views = {(str(c.settings.modality), str(c.settings.view)) for c in self.grid.cells}
        return views == {("MR", "sax")}


def read_results(grid: Grid, folder: Path) -> Results:
    """What a benchmark's folder holds of a grid; rows of other grids are left alone.

    Raises:
        FormatError: files of a finished run that cannot be read.
    """
    rows = {(row["run"], row["split"]): row for row in read_rows(folder / RUNS)}
    by_method: dict[tuple[str, ...], list[str]] = {}
    for cell in grid.cells:
        by_method.setdefault(tuple(cell.labels[n] for n in grid.compared), []).append(cell.run)
    found = {run: rows.get((run, grid.part)) for runs in by_method.values() for run in runs}
    methods = [
        _method(
            dict(zip(grid.compared, labels, strict=True)),
            len(runs),
            [row for run in runs if (row := found[run]) is not None],
            folder / "runs",
            grid.part,
        )
        for labels, runs in by_method.items()
    ]
    ordered = [row for cell in grid.cells if (row := found[cell.run]) is not None]
    return Results(grid=grid, rows=tuple(ordered), methods=tuple(methods))


def _method(
    labels: Mapping[str, str], planned: int, rows: Sequence[Row], runs: Path, part: str
) -> Method:
    done = [row for row in rows if row["status"] == "done"]
    places = [runs / row["run"] / part for row in done]
    structures, confusion = _confusion([place / "confusion.csv" for place in places])
    return Method(
        labels=labels,
        planned=planned,
        rows=tuple(done),
        failed=tuple(row for row in rows if row["status"] != "done"),
        cases=tuple(row for place in places for row in read_table(place / "cases.csv")),
        structures=structures,
        confusion=confusion,
        sight=next((sight for place in places if (sight := place / SIGHT).exists()), None),
    )


def _confusion(files: Sequence[Path]) -> tuple[tuple[str, ...], NDArray[np.int64] | None]:
    total: NDArray[np.int64] | None = None
    keys: tuple[str, ...] = ()
    for file in files:
        lines = list(read_table(file))
        here = tuple(line["truth"] for line in lines)
        try:
            counts = np.array([[int(line[key]) for key in here] for line in lines], np.int64)
        except (KeyError, ValueError) as fault:
            raise FormatError(file.name, got="not what a run wrote") from fault
        if keys and here != keys:
            return (), None
        keys, total = here, counts if total is None else total + counts
    return keys, total


def best_of(methods: Sequence[Method], metric: str) -> Method | None:
    """The method with the best mean; the earlier one of equals; None where none has a value."""
    found = [(mean.value, method) for method in methods if (mean := method.mean(metric))]
    if not found:
        return None
    choose = min if metric in LESS_IS_BETTER else max
    return choose(found, key=lambda pair: pair[0])[1]


@dataclass(frozen=True, slots=True)
class Against:
    """A method compared with the best one, over their shared patients.

    Attributes:
        paired: best - this.
        p: adjusted by Holm for all methods that were compared with the best; None where there
            are too few patients for a test.
    """

    paired: PairedTest
    p: float | None


def against_best(methods: Sequence[Method], metric: str) -> dict[str, Against]:
    """Every other method against the best one, by title; those without shared patients are left."""
    best = best_of(methods, metric)
    if best is None:
        return {}
    own = best.by_case(metric)
    pairs = {}
    for method in methods:
        values = method.by_case(metric)
        shared = sorted(set(values) & set(own))
        if method is not best and shared:
            ours, theirs = ([some[case] for case in shared] for some in (own, values))
            pairs[method.title] = paired_wilcoxon(ours, theirs)
    adjusted = holm([pair.p_value for pair in pairs.values()])
    return {
        title: Against(pair, p) for (title, pair), p in zip(pairs.items(), adjusted, strict=True)
    }
