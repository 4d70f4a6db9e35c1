"""A histogram with labelled axes, drawn with Pillow."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from heartseg.preview.canvas import BARS, INK, LINE, MARK, MUTED, font, number

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

BINS = 64
HEIGHT = 158
"""With its axes and their labels, in pixels."""

_LEFT, _RIGHT, _TOP, _BELOW = 46, 14, 20, 38
_SMALL = 12


def draw_histogram(
    draw: "ImageDraw",
    corner: tuple[int, int],
    width: int,
    values: NDArray[Any],
    marks: tuple[float, ...] = (),
) -> None:
    """Counts of the values in `BINS` classes from the smallest to the largest, on a log axis.

    Args:
        draw: of the picture.
        corner: left and top of the whole.
        width: of the whole.
        values: any shape.
        marks: values to draw a line at, those outside of the range are left out.
    """
    flat = values[np.isfinite(values)].astype(np.float64).ravel()
    low, high = float(flat.min()), float(flat.max())
    high = high if high > low else low + 1.0
    counts, _ = np.histogram(flat, BINS, (low, high))
    left, top = corner[0] + _LEFT, corner[1] + _TOP
    right, bottom = corner[0] + width - _RIGHT, corner[1] + HEIGHT - _BELOW
    top_power = max(1, int(np.ceil(np.log10(counts.max() + 1.0))))
    scale = (bottom - top) / top_power
    _y_axis(draw, (left, top, right, bottom), top_power)
    for place, count in enumerate(counts):
        if count:
            x0 = left + place * (right - left) / BINS
            x1 = left + (place + 1) * (right - left) / BINS - 1
            tall = max(2.0, np.log10(count + 1.0) * scale)
            draw.rectangle((x0, bottom - tall, max(x0, x1), bottom), BARS)
    draw.line((left, bottom, right, bottom), LINE)
    for value in marks:
        if low <= value <= high:
            x = left + (value - low) / (high - low) * (right - left)
            draw.line((x, top, x, bottom), MARK, 1)
    _x_axis(draw, (left, right, bottom), (low, high))


def _y_axis(draw: "ImageDraw", box: tuple[int, int, int, int], top_power: int) -> None:
    left, top, right, bottom = box
    draw.text((left, top - 18), "pixels (log)", MUTED, font(_SMALL))
    every = 1 if top_power <= 4 else 2
    for power in range(0, top_power + 1, every):
        y = bottom - power * (bottom - top) / top_power
        draw.line((left - 4, y, right, y), LINE)
        shown = str(10**power) if power < 4 else f"{10 ** (power - 3)}k"
        draw.text((left - 8, y), "0" if power == 0 else shown, MUTED, font(_SMALL), anchor="rm")


def _x_axis(draw: "ImageDraw", ends: tuple[int, int, int], values: tuple[float, float]) -> None:
    left, right, bottom = ends
    low, high = values
    for value, anchor in ((low, "la"), ((low + high) / 2, "ma"), (high, "ra")):
        x = left + (value - low) / (high - low) * (right - left)
        draw.line((x, bottom, x, bottom + 4), LINE)
        draw.text((x, bottom + 6), number(value), INK, font(_SMALL), anchor=anchor)
    draw.text(((left + right) / 2, bottom + 21), "value", MUTED, font(_SMALL), anchor="ma")
