"""Drawings of slices without a pixel of a patient: outlines in squares, as SVG.

What is drawn comes from a data set's labels: their licence holds for the drawing, and it says so.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Structure
from heartseg.core.outline import outlines
from heartseg.read import Candidate
from heartseg.read.layouts import LAYOUTS
from heartseg.report.palette import COLOURS, INK, MUTED, PAPER, css

COLUMNS = 4
TILE_PX, LINE_PX, GAP_PX = 220, 17, 14
CAPTION_LINES = 3
MARGIN = 0.15
"""Of the heart's extent, around it."""

DRAWN = (
    *(Structure.LEFT_ATRIUM, Structure.RV_CAVITY),
    *(Structure.LV_MYOCARDIUM, Structure.LV_CAVITY),
)

Labels = NDArray[np.uint8]
Window = tuple[float, float, float]
"""Middle (row, column) in pixels, and side of a square in the unit of the spacing."""


class Outlined(Protocol):
    """A slice with two segmentations of it."""

    @property
    def reference(self) -> Labels:
        """(y, x) of `Structure` values, drawn dashed."""
        ...

    @property
    def model(self) -> Labels:
        """The same, drawn solid."""
        ...

    @property
    def spacing_mm(self) -> tuple[float, float]:
        """(y, x); any unit, where there are no millimetres."""
        ...

    @property
    def window(self) -> Window:
        """What of it is shown."""
        ...

    @property
    def captions(self) -> Sequence[str]:
        """At most `CAPTION_LINES`, below the square."""
        ...


@dataclass(frozen=True, kw_only=True)
class Square:
    """An `Outlined` that is nothing else: one method's answer to one slice."""

    reference: Labels
    model: Labels
    spacing_mm: tuple[float, float]
    window: Window
    captions: tuple[str, ...]


def window_of(masks: Sequence[Labels], spacing_mm: tuple[float, float]) -> Window:
    """The square that holds everything that is drawn in some masks of one slice."""
    rows, columns = np.nonzero(np.any([labels > 0 for labels in masks], axis=0))
    spans = [(rows.min(), rows.max()), (columns.min(), columns.max())]
    sides = [(b - a + 1) * step for (a, b), step in zip(spans, spacing_mm, strict=True)]
    (top, bottom), (left, right) = spans
    return (top + bottom) / 2, (left + right) / 2, max(sides) * (1 + 2 * MARGIN)


def attribution(candidates: Sequence[Candidate]) -> str:
    """Whose labels were drawn, what was done with them, and under which licence."""
    cards = {one.layout: LAYOUTS[one.layout].card for one in candidates}
    said = [f"{card.title} ({card.paper}): {card.licence}" for card in cards.values() if card]
    return (
        "Dashed: reference. Solid: model. Outlines of single slices, drawn from the labels of "
        + "; ".join(said or ["files without a card"])
        + ". The same licence holds for this drawing. No image data."
    )


def sheet(slices: Sequence[Outlined], below: str, title: str = "Worst slices") -> str:
    """The drawing: SVG, outlines in millimetres, each slice in a square of its own."""
    high = TILE_PX + CAPTION_LINES * LINE_PX + GAP_PX
    lines = list(_wrapped(below, 130))
    width = COLUMNS * (TILE_PX + GAP_PX) + GAP_PX
    height = -(-len(slices) // COLUMNS) * high + GAP_PX + LINE_PX * (len(lines) + 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif" font-size="11" fill="none">',
        f"<title>{escape(title)}</title><desc>{escape(below)}</desc>",
        f'<rect width="{width}" height="{height}" fill="{css(PAPER)}"/>',
    ]
    for place, one in enumerate(slices):
        row, column = divmod(place, COLUMNS)
        left, top = GAP_PX + column * (TILE_PX + GAP_PX), GAP_PX + row * high
        parts += [f'<g transform="translate({left} {top})">', *_square(one), "</g>"]
    for number, line in enumerate(lines):
        y = height - LINE_PX * (len(lines) - number)
        parts.append(_text(GAP_PX, y, line, css(MUTED)))
    return "\n".join([*parts, "</svg>\n"])


def _square(one: Outlined) -> Iterator[str]:
    yield f'<rect width="{TILE_PX}" height="{TILE_PX}" stroke="#d0d4da"/>'
    for labels, dash in ((one.reference, ' stroke-dasharray="4 3"'), (one.model, "")):
        for structure in DRAWN:
            path = path_of(labels == structure, one)
            if path:
                colour = css(COLOURS[structure])
                yield f'<path d="{path}" stroke="{colour}" stroke-width="1.6"{dash}/>'
    for line, words in enumerate(one.captions, start=1):
        yield _text(0, TILE_PX + LINE_PX * line - 3, words, css(INK))


def path_of(mask: NDArray[np.bool_], one: Outlined) -> str:
    """All outlines of a structure, from pixels to the square."""
    row, column, side = one.window
    scale = TILE_PX / side
    closed = []
    finer = max(1, int(1 / (scale * min(one.spacing_mm))))  # corners of one pixel of the drawing
    for polygon in (whole[::finer] for whole in outlines(mask)):
        x = (polygon[:, 0] - column) * one.spacing_mm[1] * scale + TILE_PX / 2
        y = (polygon[:, 1] - row) * one.spacing_mm[0] * scale + TILE_PX / 2
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
        closed.append(f"M{points}Z")
    return "".join(closed)


def _text(x: float, y: float, words: str, colour: str) -> str:
    return f'<text x="{x}" y="{y}" fill="{colour}">{escape(words)}</text>'


def _wrapped(text: str, wide: int) -> Iterator[str]:
    line = ""
    for word in text.split():
        if line and len(line) + len(word) >= wide:
            yield line
            line = ""
        line = f"{line} {word}".strip()
    yield line
