"""`heartseg datasets`: the data sets that heartseg can read, and checks of a copy of one."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from heartseg.cli.listing import Row, table, to_json
from heartseg.core.errors import ConfigError
from heartseg.report.words import clean

if TYPE_CHECKING:
    from heartseg.read.copy_check import Flaw

_COLUMNS = ("name", "title", "paper", "cases", "labels", "licence", "obtain")


def cards() -> list[Row]:
    """Every data set, a row each."""
    from heartseg.read.layouts import LAYOUTS

    return [
        {"name": layout.name, **asdict(layout.card)} for layout in LAYOUTS.values() if layout.card
    ]


def show(name: str | None, json: bool) -> None:
    """Print all cards as a table, or one in full.

    Raises:
        ConfigError: no data set of that name.
    """
    rows = cards()
    if name is None:
        brief = [{column: row[column] for column in _COLUMNS} for row in rows]
        print(to_json(rows) if json else table(brief))
        return
    chosen = [row for row in rows if row["name"] == name]
    if not chosen:
        names = ", ".join(str(row["name"]) for row in rows)
        raise ConfigError("data set", got=f"'{name}'", allowed=names)
    print(to_json(chosen[0]) if json else _in_full(chosen[0]))


def _in_full(row: Row) -> str:
    known = {key: str(value).splitlines() for key, value in row.items() if value is not None}
    width = max(map(len, known))
    return "\n".join(
        f"{(key if number == 0 else '').ljust(width)}  {line}"
        for key, lines in known.items()
        for number, line in enumerate(lines)
    )


def check(path: Path, name: str | None, json: bool) -> bool:
    """Check a copy, print what is wrong with it as it is found; True when nothing is.

    Raises:
        StudyError: no data set there.
    """
    from heartseg.read.copy_check import flaws, recognised

    layout, found = recognised(path, name)
    kept: list[Flaw] = []
    with progress(len(found)) as step:
        for flaw in flaws(path, layout, found, step):
            kept.append(flaw)
            if not json:
                print(_line(flaw), flush=True)
    wrong = sum(flaw.wrong for flaw in kept)
    if json:
        print(
            to_json(
                {
                    "layout": layout.name,
                    "cases": len(found),
                    "wrong": wrong,
                    "flaws": [asdict(flaw) for flaw in kept],
                }
            )
        )
    else:
        notes = len(kept) - wrong
        print(f"{layout.name}: {len(found)} cases, {wrong} wrong, {notes} notes")
    return not wrong


def _line(flaw: "Flaw") -> str:
    word = flaw.kind if flaw.wrong else f"note, {flaw.kind}"
    return clean(": ".join(part for part in (word, flaw.case, flaw.said) if part))


@contextmanager
def progress(total: int) -> Iterator[Callable[[], None]]:
    """A bar on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("cases", total=total)
        yield lambda: bar.advance(task)
