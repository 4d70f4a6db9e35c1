"""The metric of paper 003 beside the honest one: all channels pooled, and the mean over patients.

The same masks, scored three ways. Nothing here decides anything; it shows how far a Dice of 0.99
and one of 0.9 are the same result.
"""

from collections.abc import Mapping

from heartseg.benchmark.results import Method, Results
from heartseg.benchmark.table import NOTHING, Cell, Table
from heartseg.measure.pooled import pooled

READINGS: Mapping[str, bool] = {"pooled": False, "pooled with background": True}
"""By name, whether the background is a channel."""

POOLED = ("dice", "jaccard", "accuracy", "precision", "recall")
"""Columns of Table VIII of the paper, by the keys of the metrics."""


def pooled_values(method: Method) -> dict[tuple[str, str], float]:
    """By (reading, key of the metric); nothing where a method has no confusion."""
    if method.confusion is None:
        return {}
    values = {}
    for reading, background in READINGS.items():
        found = pooled(method.confusion, background=background)
        for key in POOLED:
            value = getattr(found, key)
            if value is not None:
                values[reading, key] = float(value)
    return values


def pooled_table(results: Results, names: Mapping[str, str]) -> Table:
    """A line a method: each metric pooled, pooled with the background, and by patient.

    Args:
        results: of the grid.
        names: of the metrics by their keys.
    """
    columns = [(key, reading) for key in POOLED for reading in READINGS]
    rows = []
    for method in results.scored:
        values = pooled_values(method)
        cells = [_shown(values.get((reading, key))) for key, reading in columns]
        mean = method.mean("dice")
        honest = _shown(None if mean is None else mean.value)
        rows.append(tuple(map(Cell, (*method.labels.values(), honest, *cells))))
    heads = (f"{names[key]}, {reading}" for key, reading in columns)
    return Table(
        title="As paper 003 counts",
        heads=(*results.grid.compared, f"{names['dice']}, mean over patients", *heads),
        rows=tuple(rows),
        notes=(
            "Pooled: the voxels of all channels and patients in one count (Eq. 4 to 8), of the "
            "structures' channels, and with the background as one more. The mean over patients is "
            "of every structure in 3-D.",
        ),
    )


def _shown(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.4f}"
