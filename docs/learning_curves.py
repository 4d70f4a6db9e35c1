"""Losses of training and validation over the steps of several runs: small panels in one SVG."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from heartseg.report.chart import HEIGHT, TOP, WIDTH, Scale, dot, drawing, line, text
from heartseg.train.curves import SMOOTHED_SHARE, Curve, curve, gap, smoothed

COLUMNS = 3
TRAINING, VALIDATION = "#1b3a5b", "#c4501b"
FAINT = "#8b94a1"
EDGE = 8
GUTTER, HEAD, FOOT = 34, 22, 20
"""Around the axes of a panel: to its left, above and below."""

Lines = Sequence[dict[str, Any]]


def logs(archive: Path, axis: str) -> dict[str, Lines]:
    """The log of each kept run (benchmarks/kept_runs.py) by its label on an axis.

    Args:
        archive: none may be there, then there are no logs.
        axis: the last part of its name.
    """
    if not archive.exists():
        return {}
    found = {}
    with zipfile.ZipFile(archive) as kept:
        for name in sorted(kept.namelist()):
            if name.endswith("/result.json"):
                row = json.loads(kept.read(name))
                log = kept.read(f"runs/{row['run']}/log.jsonl").decode("utf-8")
                found[_label(row, axis)] = [json.loads(one) for one in log.splitlines()]
    return found


def panels(title: str, runs: Mapping[str, Lines]) -> str:
    """A panel a run, each with its own scale; empty without a run that was validated.

    Args:
        title: above them all.
        runs: their logs by label, in the order of the panels.
    """
    drawn = {name: _curves(lines) for name, lines in runs.items()}
    drawn = {name: two for name, two in drawn.items() if len(two[0][0]) and len(two[1][0])}
    if not drawn:
        return ""
    rows = -(-len(drawn) // COLUMNS)
    wide, high = (WIDTH - 2 * EDGE) / COLUMNS, (HEIGHT - TOP - EDGE) / rows
    parts = [
        text(WIDTH - 12, TOP - 26, "training", colour=TRAINING, anchor="end", size=11),
        text(WIDTH - 12, TOP - 12, "validation", colour=VALIDATION, anchor="end", size=11),
    ]
    for number, (name, two) in enumerate(drawn.items()):
        down, beside = divmod(number, COLUMNS)
        place = (EDGE + beside * wide, TOP + down * high)
        parts += _panel(name, *two, place, (wide, high))
    return drawing(title, parts)


def _label(row: Mapping[str, str], axis: str) -> str:
    return next(
        label
        for key, label in row.items()
        if key.startswith("axis.") and key.rpartition(".")[2] == axis
    )


def _curves(lines: Lines) -> tuple[Curve, Curve]:
    steps, values = curve(lines, "loss")
    return (steps, smoothed(values, SMOOTHED_SHARE)), curve(lines, "validation_loss")


def _panel(
    name: str,
    training: Curve,
    validation: Curve,
    place: tuple[float, float],
    size: tuple[float, float],
) -> list[str]:
    (left, top), (wide, high) = place, size
    last = max(training[0][-1], validation[0][-1])
    most = max(training[1].max(), validation[1].max())
    least = min(0.0, training[1].min(), validation[1].min())
    x = Scale(0.0, float(last), left + GUTTER, left + wide - 6)
    y = Scale(float(least), float(most), top + high - FOOT, top + HEAD)
    corner = (x.start, y.start)
    apart = gap(training, validation)[1][-1]
    parts = [
        line(corner, (x.end, y.start), FAINT),
        line(corner, (x.start, y.end), FAINT),
        text(x.start - 4, y.end + 4, f"{most:.2g}", anchor="end", size=9),
        text(x.start - 4, y.start + 3, f"{least:.2g}", anchor="end", size=9),
        text(x.end, y.start + 12, f"{last:.0f} steps", anchor="end", size=9),
        text(x.start + 6, top + 14, name, anchor="start", size=11),
        text(x.end, top + 14, f"gap {apart:+.3f}", anchor="end", size=10, colour=FAINT),
    ]
    for (steps, values), colour in ((training, TRAINING), (validation, VALIDATION)):
        points = [(x.at(float(a)), y.at(float(b))) for a, b in zip(steps, values, strict=True)]
        parts += [line(a, b, colour) for a, b in pairwise(points)]
        if colour == VALIDATION:
            parts += [dot(*point, colour, radius=2.5) for point in points]
    return parts
