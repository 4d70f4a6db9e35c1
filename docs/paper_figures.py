"""Figures of the pages on the papers: SVG from numbers of rows, the same bytes each time."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from heartseg.report.chart import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    WIDTH,
    dot,
    drawing,
    line,
    spanning,
    text,
    upward,
    vertical_axis,
)

COLOURS = ("#1b3a5b", "#c4501b", "#2f7d4f", "#7a4fa0")
"""Of networks; the second kind of data of each is dashed in the same colour."""

LINE = 16
"""Pixels from one name to the next, below the chart: there no curve can run through them."""


def curves(
    title: str,
    places: Sequence[str],
    series: Mapping[str, Sequence[float | None]],
    dashed: str = ", augmented",
) -> str:
    """Scores over named places, evenly spaced; empty where no series has a number.

    Args:
        title: above it.
        places: below it, from left to right.
        series: by name, a number a place or None. `A, plain` and `A, augmented` share a colour.
        dashed: how the names of dashed lines end.
    """
    there = [value for values in series.values() for value in values if value is not None]
    if not there:
        return ""
    y = upward(*spanning(there))
    step = (WIDTH - RIGHT - LEFT) / max(1, len(places) - 1)
    floor = HEIGHT - BOTTOM
    parts = vertical_axis(y, "Dice")
    parts += [text(LEFT + number * step, floor + 20, place) for number, place in enumerate(places)]
    heads = list(dict.fromkeys(name.partition(", ")[0] for name in series))
    shown = {name: values for name, values in series.items() if any(v is not None for v in values)}
    for number, (name, values) in enumerate(shown.items()):
        colour = COLOURS[heads.index(name.partition(", ")[0]) % len(COLOURS)]
        dash = "6 4" if name.endswith(dashed) else ""
        points = [
            (LEFT + place * step, y.at(value))
            for place, value in enumerate(values)
            if value is not None
        ]
        parts += [line(a, b, colour, dash) for a, b in pairwise(points)]
        parts += [dot(*point, colour) for point in points]
        below = floor + 46 + LINE * number
        parts.append(line((LEFT, below - 4), (LEFT + 28, below - 4), colour, dash))
        parts.append(text(LEFT + 34, below, name, anchor="start", size=11))
    return drawing(title, parts, HEIGHT + LINE * len(shown))
