"""`heartseg benchmark`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from heartseg.core.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from heartseg.benchmark.engine import Benchmark
    from heartseg.benchmark.estimate import Planned
    from heartseg.benchmark.ledger import Row


def benchmark(
    grid_toml: Annotated[Path, typer.Argument(metavar="GRID.toml")],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="folder of the benchmark")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="keep what is done, go on")] = False,
    workers: Annotated[
        str, typer.Option(help="runs at once here, or ray://local, or ray://HOST:PORT")
    ] = "1",
    list_: Annotated[bool, typer.Option("--list", help="show runs and time only")] = False,
    tables: Annotated[
        bool, typer.Option("--tables", help="write tables and figures of what is done only")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda")] = "auto",
    json: Annotated[bool, typer.Option("--json", help="print for machines")] = False,
) -> None:
    """Train and score a grid of runs; write their rows, tables and figures."""
    from heartseg.cli import options

    folder, many = out or Path("out") / grid_toml.stem, workers_of(workers)
    options.device(device)
    if list_ and tables:
        raise ConfigError("--list", got="--tables too", allowed="one of them")
    if list_:
        show_plan(grid_toml, folder, many, device, json)
        return
    if tables:
        good = show_tables(grid_toml, folder, json)
    else:
        good = run(grid_toml, folder, resume=resume, workers=many, device=device, json=json)
    if not good:
        raise typer.Exit(1)


def workers_of(text: str) -> int | str:
    """A number of processes, or the address of a Ray cluster.

    Raises:
        ConfigError: neither.
    """
    if text.startswith("ray://"):
        return text
    if not text.isdecimal() or int(text) < 1:
        allowed = "a number from 1, ray://local or ray://HOST:PORT"
        raise ConfigError("--workers", got=repr(text), allowed=allowed)
    return int(text)


def run(
    grid_toml: Path, out: Path, *, resume: bool, workers: int | str, device: str, json: bool
) -> bool:
    """Do what is left of a grid; False where a run failed.

    Raises:
        MissingExtraError: torch, or Ray where it was asked for, is not installed.
        HeartsegError: as `run_benchmark` says.
    """
    try:
        from heartseg.benchmark.engine import run_benchmark
    except ModuleNotFoundError as fault:
        raise MissingExtraError("benchmark", "train") from fault
    done = run_benchmark(
        grid_toml,
        out,
        resume=resume,
        workers=workers,
        device=device,
        watch=None if json else _say,
    )
    return _finish(done, json)


def show_tables(grid_toml: Path, out: Path, json: bool) -> bool:
    """Write tables and figures of what is finished; nothing is trained.

    Raises:
        HeartsegError: as `report_benchmark` says.
    """
    try:
        from heartseg.benchmark.engine import report_benchmark
    except ModuleNotFoundError as fault:
        raise MissingExtraError("benchmark", "train") from fault
    return _finish(report_benchmark(grid_toml, out), json)


def show_plan(grid_toml: Path, out: Path, workers: int | str, device: str, json: bool) -> None:
    """Print the runs in their order with an estimate of time; nothing is trained or written.

    Raises:
        HeartsegError: a grid that cannot be read.
    """
    try:
        from heartseg.benchmark.estimate import plan, remaining_seconds
        from heartseg.benchmark.grid import read_grid
    except ModuleNotFoundError as fault:
        raise MissingExtraError("benchmark", "train") from fault
    from heartseg.cli.listing import table, to_json

    planned = plan(read_grid(grid_toml), out, device)
    if json:
        print(to_json([_as_plain(one) for one in planned]))
        return
    print(table([_as_shown(number, one) for number, one in enumerate(planned, start=1)]))
    count = workers if isinstance(workers, int) else 1
    left, still = remaining_seconds(planned, count), sum(one.status != "done" for one in planned)
    said = "not known" if left is None else f"about {duration(left)}"
    print(f"\n{len(planned)} runs, {still} to do; time left with {count} at once: {said}")


def _as_plain(one: "Planned") -> dict[str, object]:
    return {
        "run": one.cell.run,
        **one.cell.labels,
        "status": one.status,
        "seconds": one.seconds,
        "how": one.how,
    }


def _as_shown(number: int, one: "Planned") -> dict[str, object]:
    time = "-" if one.seconds is None else duration(one.seconds)
    return {
        "": number,
        **one.cell.labels,
        "status": one.status or "to do",
        "time": time,
        "from": one.how,
        "run": one.cell.run,
    }


def duration(seconds: float) -> str:
    """As people say it: `40 s`, `12 min`, `3.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _say(row: "Row") -> None:
    from heartseg.report.words import clean

    if row["status"] == "done":
        said = f"Dice {row['dice']}" if row.get("dice") else "done"
        minutes = duration(float(row["training_seconds"]))
        print(clean(f"{row['run']}: {said}, trained in {minutes}"), flush=True)
    else:
        print(clean(f"{row['run']}: failed: {row['reason']}"), file=sys.stderr, flush=True)


def _finish(done: "Benchmark", json: bool) -> bool:
    from heartseg.cli.listing import to_json
    from heartseg.report.words import clean

    if json:
        rows = [dict(row) for row in done.rows]
        print(to_json({"planned": done.planned, "rows": rows, "files": list(map(str, done.files))}))
    else:
        good = len(done.rows) - len(done.failed)
        print(f"{good} of {done.planned} runs are done; {len(done.failed)} failed")
        for file in done.files:
            print(clean(f"wrote {file}"))
    return not done.failed
