"""Rows of evidence from the folder of a grid: what `heartseg benchmark` found, under protocol.md.

    python benchmarks/grid_rows.py GRID.toml OUT NAME

Adds to results/NAME.csv a row for each method of the grid whose repeats are all done, each metric
of its report, and each structure and their mean: the mean over patients with its interval, pooled
over repeats. What has a row already gets no other: a grid may be told as far as it is, and again.
The folder itself is not committed: it holds weights, and pictures of patients. Of a grid that
learns one structure, the share of wrong pixels has a row too, where accuracy is reported. What a
method costs has two rows: minutes of training, and parameters. Of a grid with `report.pooled` the
metrics of paper 003 have rows, and where losses of validation were logged, the last of them less
that of training.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from rows import Row, append_new, today

UNITS = {"hausdorff95_mm": "mm", "assd_mm": "mm", "hausdorff95_px": "px"}


def main() -> None:
    """Read, add."""
    parser = argparse.ArgumentParser(description="rows of a grid")
    parser.add_argument("grid", type=Path)
    parser.add_argument("out", type=Path, help="its folder")
    parser.add_argument("name", help="of the file below results, without .csv")
    options = parser.parse_args()
    print(f"{append_rows(options.grid, options.out, options.name)} rows")


def append_rows(grid: Path, out: Path, name: str) -> int:
    """Add the rows that there are not yet, of methods that are done; how many are told in all."""
    found = list(rows_of(grid, out))
    if found:
        append_new(name, found)
    return len(found)


def rows_of(path: Path, out: Path) -> Iterator[Row]:
    """A row a method, metric and structure, of methods whose repeats are all done."""
    from heartseg.benchmark.grid import read_grid
    from heartseg.benchmark.results import read_results
    from heartseg.benchmark.tables import NAMES

    results = read_results(read_grid(path), out)
    runs = out / "runs"
    structures = (
        (*results.structures, "mean") if len(results.structures) > 1 else results.structures
    )
    for method in results.scored:
        if len(method.rows) + len(method.failed) < method.planned:
            continue
        for metric in results.grid.report.metrics:
            for key in structures:
                mean = method.mean(metric, structure=None if key == "mean" else key)
                if mean is None:
                    continue
                edges = (mean.value, *(mean.interval or (mean.value, mean.value)))
                where = _where(path.name, method, key, mean.cases)
                unit = UNITS.get(metric, "1")
                yield _row(NAMES[metric], unit, edges, **where)
                if metric == "accuracy" and len(results.structures) == 1:
                    value, low, high = edges
                    yield _row("pixel error", unit, (1 - value, 1 - high, 1 - low), **where)
        yield from _costs(path.name, method)
        yield from _gaps(path.name, method, runs)
        if results.grid.report.pooled:
            yield from _pooled(path.name, method)


def _costs(grid: str, method: Any) -> Iterator[Row]:
    """Of the runs that are done: what each took, and the size of the network."""
    minutes = [float(row["training_seconds"]) / 60 for row in method.rows]
    sizes = [float(row["parameters"]) for row in method.rows if row.get("parameters")]
    for measure, unit, numbers in (
        ("training time", "min", minutes),
        ("parameters", "parameters", sizes),
    ):
        if numbers:
            yield _spread(measure, unit, numbers, **_where(grid, method, "-", len(numbers)))


def _gaps(grid: str, method: Any, runs: Path) -> Iterator[Row]:
    """How much worse the last validation was than the training around it, of each run."""
    from heartseg.train.curves import SMOOTHED_SHARE, curve, gap, smoothed
    from heartseg.train.log import LOG, lines_until

    found = []
    for row in method.rows:
        log = runs / row["run"] / LOG
        lines = lines_until(log) if log.exists() else []
        (steps, losses), validation = curve(lines, "loss"), curve(lines, "validation_loss")
        if len(steps) and len(validation[0]):
            apart = gap((steps, smoothed(losses, SMOOTHED_SHARE)), validation)[1]
            found.append(float(apart[-1]))
    if found:
        where = _where(grid, method, "-", len(found))
        yield _spread("validation less training loss", "1", found, **where)


def _pooled(grid: str, method: Any) -> Iterator[Row]:
    """The metrics of paper 003; one number of all patients has no interval over them."""
    from heartseg.benchmark.pooled_table import pooled_values
    from heartseg.benchmark.tables import NAMES

    for (reading, key), value in pooled_values(method).items():
        where = _where(grid, method, "all", len(method.rows))
        row = _spread(f"{NAMES[key]}, {reading}", "1", [value], **where)
        yield replace(row, statistic="all patients at once", low="-", high="-")


def _spread(measure: str, unit: str, numbers: list[float], **where: str) -> Row:
    """The median of runs, and the least and the most."""
    middle, edges = median(numbers), (min(numbers), max(numbers))
    row = _row(measure, unit, (middle, *edges), **where)
    return replace(
        row,
        phase="-",
        statistic="median (min, max)",
        **{
            key: f"{one:.8g}"
            for key, one in zip(("value", "low", "high"), (middle, *edges), strict=True)
        },
    )


def _where(grid: str, method: Any, key: str, cases: int) -> dict[str, str]:
    def said(column: str) -> str:
        return "; ".join(dict.fromkeys(row.get(column, "") for row in method.rows)) or "-"

    labels = ", ".join(f"{axis} {label}" for axis, label in method.labels.items())
    return {
        "commit": said("commit"),
        "structure": key,
        "data": said("data"),
        "split": said("split"),
        "model": method.title,
        "seed": said("seed"),
        "configuration": f"runs/grids/{grid}: {labels}",
        "images_seen": said("images_seen"),
        "hardware": said("hardware"),
        "runs": str(cases),
    }


def _row(measure: str, unit: str, edges: tuple[float, float, float], **where: str) -> Row:
    value, low, high = (f"{edge:.4g}" for edge in edges)
    return Row(
        date=today(),
        measure=measure,
        phase="all",
        unit=unit,
        statistic="mean (95 % interval)",
        value=value,
        low=low,
        high=high,
        **where,
    )


if __name__ == "__main__":
    main()
