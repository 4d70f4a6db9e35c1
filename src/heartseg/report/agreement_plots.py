"""The plots of a comparison with a reference that journals print, as SVG files.

Bland-Altman (difference against mean, with bias and limits of agreement and their intervals),
measured against reference with the line of identity, and boxes and violins by structure and method
with every case as a dot: a box of eight cases hides that they are eight.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heartseg.core.finding import Interval
from heartseg.report import chart
from heartseg.report.palette import INK, MUTED, Colour, css

METHOD_COLOURS: tuple[Colour, ...] = (
    (0, 114, 178),
    (213, 94, 0),
    (0, 158, 115),
    (204, 121, 167),
    (86, 180, 233),
    (230, 159, 0),
)
"""Of methods, in order, after Okabe and Ito (2008); after the last the first comes again."""


Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """A measured number and its reference, over cases.

    Attributes:
        title: of the plot.
        unit: of the number.
        measured: one a case.
        reference: in the same order.
        bias: mean of measured - reference, with its interval.
        limits: of agreement, with the intervals of both; None where there are none.
        note: a line below the title, e.g. the coefficients; "" for none.
    """

    title: str
    unit: str
    measured: Sequence[float]
    reference: Sequence[float]
    bias: tuple[float, Interval | None]
    limits: tuple[Interval, tuple[Interval, Interval]] | None
    note: str = ""


def bland_altman_svg(agreed: Agreed) -> str:
    """Differences against means; limits dashed, intervals shaded."""
    ours, theirs = np.asarray(agreed.measured), np.asarray(agreed.reference)
    means, gaps = (ours + theirs) / 2, ours - theirs
    levels = _levels(agreed)
    shown = [*gaps, 0.0, *(edge for _, value, around in levels for edge in (value, *around))]
    x, y = chart.across(*chart.spanning(means)), chart.upward(*chart.spanning(shown))
    unit = _in_brackets(agreed.unit)
    parts = [*chart.vertical_axis(y, f"measured - reference{unit}")]
    parts += chart.horizontal_axis(x, f"mean of both{unit}")
    for name, value, around in levels:
        parts += _level(y, name, value, around)
    parts += [
        chart.dot(x.at(m), y.at(g), css(METHOD_COLOURS[0]))
        for m, g in zip(means, gaps, strict=True)
    ]
    return chart.drawing(agreed.title, [_note(agreed.note), *parts])


def _levels(agreed: Agreed) -> list[tuple[str, float, Sequence[float]]]:
    """Name, value and interval of the bias and the limits; an empty interval for none."""
    levels: list[tuple[str, float, Sequence[float]]] = [
        ("bias", agreed.bias[0], agreed.bias[1] or ())
    ]
    if agreed.limits is not None:
        (low, high), (around_low, around_high) = agreed.limits
        levels += [("-1.96 SD", low, around_low), ("+1.96 SD", high, around_high)]
    return levels


def _level(y: chart.Scale, name: str, value: float, around: Sequence[float]) -> list[str]:
    right = chart.WIDTH - chart.RIGHT
    parts = []
    if around:
        top, bottom = y.at(max(around)), y.at(min(around))
        parts.append(
            f'<rect x="{chart.LEFT}" y="{top:.1f}" width="{right - chart.LEFT}" '
            f'height="{bottom - top:.1f}" fill="{css(MUTED)}" fill-opacity="0.14"/>'
        )
    place, dash = y.at(value), "" if name == "bias" else "7 5"
    parts.append(chart.line((chart.LEFT, place), (right, place), css(INK), dash))
    parts.append(chart.text(right + 6, place - 3, name, anchor="start", size=12))
    parts.append(chart.text(right + 6, place + 11, f"{value:.3g}", anchor="start", size=12))
    return parts


def correlation_svg(agreed: Agreed) -> str:
    """Measured against reference, both axes alike, with the line of identity."""
    ends = chart.spanning([*agreed.measured, *agreed.reference])
    x, y = chart.across(*ends), chart.upward(*ends)
    unit = _in_brackets(agreed.unit)
    parts = [*chart.vertical_axis(y, f"measured{unit}")]
    parts += chart.horizontal_axis(x, f"reference{unit}")
    parts.append(chart.line((x.start, y.start), (x.end, y.end), css(MUTED), "7 5"))
    parts += [
        chart.dot(x.at(theirs), y.at(ours), css(METHOD_COLOURS[0]))
        for ours, theirs in zip(agreed.measured, agreed.reference, strict=True)
    ]
    return chart.drawing(agreed.title, [_note(agreed.note), *parts])


Groups = Mapping[str, Mapping[str, Sequence[float]]]
"""One value a case, by group along the axis and by method."""

Draw = Callable[[chart.Scale, tuple[float, float], Sequence[float], str], list[str]]
"""Cases of one method in one group: the scale, middle and width of its place, values, colour."""

BOX_SHARE = 0.7
"""Of a group's place that its boxes take."""


def boxes_svg(title: str, label: str, groups: Groups) -> str:
    """Median, quartiles and whiskers (to the last case within 1.5 quartile distances), every case.

    Args:
        title: of the plot.
        label: of the vertical axis.
        groups: e.g. structures; each holds the same methods, in the order of their colours.
    """
    return _grouped(title, label, groups, _box)


def violins_svg(title: str, label: str, groups: Groups) -> str:
    """How densely the cases lie, with median and quartiles, every case; arguments as of boxes.

    A violin ends at its last case: a smooth density would go on to a Dice above 1. All are equally
    wide, so that one says where its cases lie, not how many they are. Fewer than `FEWEST_CASES`,
    or equal ones, have no density: their dots stand alone.
    """
    return _grouped(title, label, groups, _violin)


def _grouped(title: str, label: str, groups: Groups, draw: Draw) -> str:
    methods = list(dict.fromkeys(name for group in groups.values() for name in group))
    shown = [value for group in groups.values() for values in group.values() for value in values]
    if not shown:
        return chart.drawing(title, [chart.text(chart.WIDTH / 2, chart.HEIGHT / 2, "no values")])
    y = chart.upward(*chart.spanning(shown))
    parts = chart.vertical_axis(y, label)
    place = (chart.WIDTH - chart.RIGHT - chart.LEFT) / len(groups)
    width = place * BOX_SHARE / len(methods)
    for number, (name, group) in enumerate(groups.items()):
        centre = chart.LEFT + (number + 0.5) * place
        parts.append(chart.text(centre, chart.HEIGHT - chart.BOTTOM + 22, name))
        for order, method in enumerate(methods):
            middle = centre + (order - (len(methods) - 1) / 2) * width
            if len(group.get(method, ())):
                parts += draw(y, (middle, width), group[method], _colour(order))
    return chart.drawing(title, [*parts, *_legend(methods)])


def _box(
    y: chart.Scale, place: tuple[float, float], values: Sequence[float], colour: str
) -> list[str]:
    middle, width = place
    low, median, high = np.percentile(values, [25, 50, 75])
    within = [v for v in values if low - 1.5 * (high - low) <= v <= high + 1.5 * (high - low)]
    left, right = middle - 0.36 * width, middle + 0.36 * width
    # Cases stand side by side in a fixed order, so that the same data make the same picture.
    steps = np.linspace(-0.22, 0.22, len(values)) if len(values) > 1 else [0.0]
    return [
        f'<rect x="{left:.1f}" y="{y.at(high):.1f}" width="{right - left:.1f}" '
        f'height="{max(y.at(low) - y.at(high), 0.5):.1f}" fill="{colour}" fill-opacity="0.18" '
        f'stroke="{colour}"/>',
        chart.line((left, y.at(median)), (right, y.at(median)), colour),
        chart.line((middle, y.at(low)), (middle, y.at(min(within))), colour),
        chart.line((middle, y.at(high)), (middle, y.at(max(within))), colour),
        *(
            chart.dot(middle + step * width, y.at(v), colour)
            for step, v in zip(steps, values, strict=True)
        ),
    ]


FEWEST_CASES = 5
"""With fewer a density would be a picture of its own smoothness."""

_STEPS = 80
"""Heights that a violin's outline is drawn through."""


def density(values: Floats, at: Floats) -> Floats:
    """Gaussian kernel density of `values` at some places, the largest of them 1.

    The width of the kernel is Silverman's (Density Estimation, 1986, eq. 3.31), from the smaller of
    standard deviation and quartile distance over 1.34.
    """
    low, high = np.percentile(values, [25, 75])
    spread = min(filter(None, (float(values.std(ddof=1)), float(high - low) / 1.34)))
    kernel = 0.9 * spread * len(values) ** -0.2
    away = (at[:, None] - values[None, :]) / kernel
    found: Floats = np.exp(-0.5 * away**2).sum(axis=1)
    scaled: Floats = found / found.max()
    return scaled


def _violin(
    y: chart.Scale, place: tuple[float, float], values: Sequence[float], colour: str
) -> list[str]:
    cases = np.sort(np.asarray(values, np.float64))
    middle, half = place[0], 0.45 * place[1]
    if len(cases) < FEWEST_CASES or cases[0] == cases[-1]:
        return [chart.dot(middle, y.at(float(v)), colour) for v in cases]
    heights = np.linspace(cases[0], cases[-1], _STEPS)
    reach = half * density(cases, np.concatenate([heights, cases]))
    outline, within = reach[:_STEPS], reach[_STEPS:]
    right = [(middle + r, y.at(h)) for r, h in zip(outline, heights, strict=True)]
    left = [(middle - r, y.at(h)) for r, h in zip(outline, heights, strict=True)][::-1]
    # Cases stand side by side in a fixed order within the outline: left, right, then nearer again.
    sides = np.resize([-0.7, 0.35, -0.35, 0.7], len(cases))
    low, median, high = np.percentile(cases, [25, 50, 75])
    return [
        f'<path d="M{"L".join(f"{a:.1f} {b:.1f}" for a, b in (*right, *left))}Z" '
        f'fill="{colour}" fill-opacity="0.18" stroke="{colour}"/>',
        *(
            chart.dot(middle + side * wide, y.at(v), colour, 2.2)
            for side, wide, v in zip(sides, within, cases, strict=True)
        ),
        f'<rect x="{middle - 3:.1f}" y="{y.at(high):.1f}" width="6" '
        f'height="{max(y.at(low) - y.at(high), 0.5):.1f}" fill="{css(INK)}" fill-opacity="0.75"/>',
        f'<circle cx="{middle:.1f}" cy="{y.at(median):.1f}" r="3.6" fill="#fff" '
        f'stroke="{css(INK)}" stroke-width="1.4"/>',
    ]


def _legend(methods: Sequence[str]) -> list[str]:
    if len(methods) < 2:
        return []
    right = chart.WIDTH - chart.RIGHT + 8
    return [
        chart.text(right, chart.TOP + 16 * order, name[:14], colour=_colour(order), anchor="start")
        for order, name in enumerate(methods)
    ]


def _colour(order: int) -> str:
    return css(METHOD_COLOURS[order % len(METHOD_COLOURS)])


def _in_brackets(unit: str) -> str:
    return "" if unit == "1" else f" ({unit})"


def _note(said: str) -> str:
    return chart.text(chart.LEFT, chart.TOP - 5, said, colour=css(MUTED), anchor="start", size=12)
