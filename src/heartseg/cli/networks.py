"""`heartseg networks`: the table of networks, and the layers of one."""

import sys
from collections.abc import Sequence
from dataclasses import asdict

from heartseg.cli.listing import Row, table, to_json
from heartseg.core.errors import MissingExtraError
from heartseg.report.words import clean

SHOWN = ("name", "paper", "parameters", "multiply_adds", "native_size", "receptive_field")
"""What people are shown of a network; machines get everything."""


def show_networks(json: bool) -> None:
    """Print every network; what is wrong with those of other packages goes to standard error.

    Without torch only the names are known: they are printed with how to install it.
    """
    from heartseg.models import ARCHITECTURES

    try:
        from heartseg.models.survey import surveys
    except ModuleNotFoundError:
        names = [{"name": name} for name in ARCHITECTURES]
        print(to_json(names) if json else table(names))
        missing = MissingExtraError("papers, sizes and layers", "train")
        print(missing, file=sys.stderr if json else sys.stdout)
        return
    found, problems = surveys(ARCHITECTURES)
    rows = [asdict(one) for one in found]
    print(to_json(rows) if json else table([_shown(row) for row in rows]))
    for problem in problems:
        print(clean(f"heartseg: {problem}"), file=sys.stderr)


def show_layers(name: str, json: bool) -> None:
    """Print the layers of a network at the paper's own channels, classes and size.

    Raises:
        ConfigError: no such network.
        MissingExtraError: torch is missing.
    """
    from heartseg.models import architecture

    described = architecture({"name": name})
    from heartseg.models.survey import layers

    rows = [asdict(layer) for layer in layers(described)]
    print(to_json(rows) if json else table([*map(_written, rows), _sums(name, rows)]))


def _shown(row: Row) -> Row:
    return _written({key: row[key] for key in SHOWN})


def _written(row: Row) -> Row:
    return {key: _number(value) for key, value in row.items()}


def _sums(name: str, rows: Sequence[Row]) -> Row:
    sums = {key: sum(row[key] for row in rows) for key in ("parameters", "multiply_adds")}
    return {"name": name, "kind": "in all", **_written(sums)}


def _number(value: object) -> str:
    """Thousands apart, sizes as 256 x 256."""
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, tuple):
        return " x ".join(map(str, value))
    return "whole image" if value is None else str(value)
