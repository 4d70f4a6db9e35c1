"""A grid of runs from its file to rows, tables and figures."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from heartseg.benchmark.cell import Job
from heartseg.benchmark.grid import Cell, Grid, read_grid
from heartseg.benchmark.ledger import RUNS, Ledger, Row, alone_in
from heartseg.cluster import is_cluster
from heartseg.config import to_table
from heartseg.core.errors import ConfigError, OutputError
from heartseg.segment.runtime import require_device

FOLDER = "runs"

Watcher = Callable[[Row], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """What became of a grid.

    Attributes:
        rows: of its runs, in the order of the grid; those that are not done yet have none.
        planned: runs of the grid.
        files: tables and figures that were written.
    """

    rows: tuple[Row, ...]
    planned: int
    files: tuple[Path, ...]

    @property
    def failed(self) -> tuple[Row, ...]:
        """Rows of runs that could not be done, with their reason."""
        return tuple(row for row in self.rows if row["status"] != "done")


def run_benchmark(
    grid_toml: Path | str,
    out: Path | str,
    *,
    resume: bool = False,
    workers: int | str = 1,
    device: str = "auto",
    watch: Watcher | None = None,
) -> Benchmark:
    """Train and score every run of a GRID.toml, then write tables and figures into `out`.

    A row a run is added to `out`/runs.csv as it ends, in an order that makes any part of them a
    fair comparison. A run that fails costs no other.

    Args:
        grid_toml: what is varied, see `heartseg.benchmark.grid`.
        out: folder of the benchmark.
        resume: go on in `out`: finished runs are kept, stopped ones go on where they were, failed
            ones are tried again.
        workers: processes on this machine, or the address of a Ray cluster, `ray://HOST:PORT`;
            `ray://local` starts one here.
        device: "auto", "cpu" or "cuda".
        watch: called with each row as its run ends.

    Raises:
        ConfigError: a setting, axis or pairing that cannot be; nothing was trained then.
        OutputError: the folder cannot be written, holds another benchmark, or one that is running.
        MissingExtraError: Ray was asked for and is not installed.
    """
    grid, folder = read_grid(Path(grid_toml)), Path(out)
    require_device(device)
    _require_workers(workers)
    with alone_in(folder):
        ledger = Ledger(folder)
        if len(ledger) and not resume:
            got = f"{RUNS} of an earlier benchmark"
            do = "go on with --resume, or choose another folder"
            raise OutputError(f"folder {folder.name}", got=got, do=do)
        todo = [
            _job(grid, cell, folder, device)
            for cell in grid.cells
            if not ledger.done(cell.run, grid.part)
        ]
        for row in _rows(todo, workers, folder):
            ledger.add(row)
            if watch:
                watch(row)
    return write_report(grid, folder)


def report_benchmark(grid_toml: Path | str, out: Path | str) -> Benchmark:
    """Tables and figures of what is finished in `out`, while it runs or afterwards.

    Raises:
        ConfigError: as reading the grid.
        OutputError: they cannot be written.
    """
    return write_report(read_grid(Path(grid_toml)), Path(out))


def write_report(grid: Grid, folder: Path) -> Benchmark:
    """Tables and figures of the runs of a grid that are in its folder.

    Raises:
        OutputError: they cannot be written.
    """
    from heartseg.benchmark.figures import write_figures
    from heartseg.benchmark.results import read_results
    from heartseg.benchmark.tables import write_tables

    results = read_results(grid, folder)
    files = (*write_tables(results, folder), *write_figures(results, folder))
    return Benchmark(rows=results.rows, planned=len(grid.cells), files=files)


def _require_workers(workers: int | str) -> None:
    if isinstance(workers, str) and is_cluster(workers):
        return
    if isinstance(workers, str) or workers < 1:
        allowed = "a number of processes, or ray://HOST:PORT"
        raise ConfigError("workers", got=str(workers), allowed=allowed)


def _job(grid: Grid, cell: Cell, folder: Path, device: str) -> Job:
    return Job(
        run=cell.run,
        labels=cell.labels,
        settings=to_table(cell.settings),
        root=str(grid.root.resolve()),
        folder=str((folder / FOLDER / cell.run).resolve()),
        score_on=grid.score_on,
        device=device,
    )


def _rows(jobs: Sequence[Job], workers: int | str, folder: Path) -> Iterator[Row]:
    if isinstance(workers, str):
        from heartseg.benchmark.cluster import run_on_ray

        yield from run_on_ray(jobs, workers)
    else:
        from heartseg.benchmark.processes import run_in_processes

        yield from run_in_processes(jobs, workers, folder)
