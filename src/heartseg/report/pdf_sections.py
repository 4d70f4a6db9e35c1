"""The sections of the page as reportlab sets them; a kind of section is one function."""

import io
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.utils import ImageReader
from reportlab.platypus import Flowable, Image, KeepTogether, Spacer, Table, TableStyle

from heartseg.report import page as sections
from heartseg.report.lettering import Lettering
from heartseg.report.pdf_columns import TwoColumns
from heartseg.report.pdf_tables import columns_of_tables
from heartseg.report.setting import BARE, Pair, Style, Text, put

INK, MUTED_INK, LINE, SOFT = "#171c24", "#5b6470", "#dfe3e8", "#f5f7f9"
SMALL, BODY = 7.2, 8.2

HIGHEST_MOSAIC = 292.0
"""Points."""

Set = list[Flowable]


def heading(page: sections.Page, width: float, lettering: Lettering) -> Set:
    """The study, what its page is not for on the right, patient and technique below."""
    text = partial(Text, lettering=lettering)
    left = [text(page.study, Style(16.0, INK, bold=True))]
    right = [
        text(page.research_only, Style(SMALL, INK, bold=True, right=True)),
        text(page.licence, Style(SMALL, MUTED_INK, right=True)),
    ]
    gap = 16.0
    side = 0.36 * width
    widths = [width - side - gap, gap, side]
    return [
        Table([[left, [], right]], colWidths=widths, style=TableStyle(BARE)),
        text(page.patient, Style(BODY, INK, bold=True)),
        text(page.about, Style(SMALL, MUTED_INK)),
    ]


def section_flowables(section: sections.Section, width: float, lettering: Lettering) -> Set:
    """What is printed of a section."""
    return SETTERS[section.kind](section, width, lettering)


def _title(said: str, lettering: Lettering) -> Set:
    return [Spacer(1, 9), Text(said, Style(10.0, INK, bold=True), lettering, below=3)]


def _verdict(section: sections.Verdict, width: float, lettering: Lettering) -> Set:
    said: Set = [Text(section.said, Style(10.0, section.colour, bold=True), lettering, below=1)]
    small = Style(BODY, INK, hang=9)
    said += [Text(reason, small, lettering, bullet="•") for reason in section.reasons]
    cells = [[[one]] for one in said]  # a line each, so that it may go on on the next page
    table = Table(cells, colWidths=[width], spaceBefore=9)
    table.setStyle(
        TableStyle(
            [
                *BARE,
                ("BACKGROUND", (0, 0), (-1, -1), HexColor(SOFT)),
                ("LINEBEFORE", (0, 0), (0, -1), 3.5, HexColor(section.colour)),
                *(("LEFTPADDING", (0, 0), (-1, -1), 10), ("RIGHTPADDING", (0, 0), (-1, -1), 8)),
                *(("TOPPADDING", (0, 0), (-1, -1), 1), ("BOTTOMPADDING", (0, 0), (-1, -1), 1)),
                *(("TOPPADDING", (0, 0), (-1, 0), 5), ("BOTTOMPADDING", (0, -1), (-1, -1), 6)),
            ]
        )
    )
    return [table]


def _figures(section: sections.Figures, width: float, lettering: Lettering) -> Set:
    return [Spacer(1, 10), _KeyFigures(section, lettering)]


class _KeyFigures(Flowable):  # type: ignore[misc] # reportlab brings no types
    """Names over large numbers, as many in a line as there is room for."""

    GAP, HIGH = 17.0, 30.0

    def __init__(self, section: sections.Figures, lettering: Lettering) -> None:
        super().__init__()
        self.figures, self.lettering = section.figures, lettering
        self.name, self.unit = Style(SMALL + 0.4, MUTED_INK), Style(9.0, MUTED_INK)
        self.value = Style(15.0, INK, bold=True)

    def _wide(self, figure: Any) -> float:
        name = self.lettering.width(figure.name, self.name.size)
        value = self.lettering.width(figure.value or "–", self.value.size, bold=True)
        return max(name, value + 3 + self.lettering.width(figure.unit, self.unit.size), 34.0)

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Called by reportlab: the size that it takes."""
        self.places, x, line = list[tuple[float, int]](), 0.0, 0
        for figure in self.figures:
            wide = self._wide(figure)
            if x and x + wide > width:
                x, line = 0.0, line + 1
            self.places.append((x, line))
            x += wide + self.GAP
        self.height = (line + 1) * self.HIGH
        return width, self.height

    def draw(self) -> None:
        """Called by reportlab."""
        for figure, (x, line) in zip(self.figures, self.places, strict=True):
            y = self.height - line * self.HIGH
            value = figure.value or "–"
            put(self.canv, (x, y - 8), figure.name, self.name, self.lettering)
            put(self.canv, (x, y - 24), value, self.value, self.lettering)
            beside = x + 3 + self.lettering.width(value, self.value.size, bold=True)
            put(self.canv, (beside, y - 24), figure.unit, self.unit, self.lettering)


def _tables(section: sections.Tables, width: float, lettering: Lettering) -> Set:
    return columns_of_tables(section, width, lettering)


def _remarks(section: sections.Remarks, width: float, lettering: Lettering) -> Set:
    small = Style(SMALL, MUTED_INK)
    return [Spacer(1, 4), *(Text(line, small, lettering, below=1) for line in section.lines)]


def _drawings(section: sections.Drawings, width: float, lettering: Lettering) -> Set:
    from heartseg.report.vector import Drawing

    drawn = [Drawing(svg, lettering) for svg in section.svgs]
    gap = 8.0 if section.across > 1 else 0.0
    wide = (width - gap * (section.across - 1)) / section.across
    rows = [drawn[at : at + section.across] for at in range(0, len(drawn), section.across)]
    cells = [[*row, *[[]] * (section.across - len(row))] for row in rows]
    table = Table(cells, colWidths=[wide + gap] * section.across, hAlign="LEFT")
    table.setStyle(TableStyle([*BARE, ("RIGHTPADDING", (0, 0), (-1, -1), gap)]))
    return [KeepTogether([*_title(section.title, lettering), table])]


def _picture(section: sections.Picture, width: float, lettering: Lettering) -> Set:
    reader = ImageReader(io.BytesIO(section.jpeg))
    wide, high = reader.getSize()
    scale = min(width / wide, HIGHEST_MOSAIC / high)
    image = Image(io.BytesIO(section.jpeg), wide * scale, high * scale)
    legend = [*((title, colour, 3.0) for title, colour in section.legend)]
    legend += [(section.axis, "#9aa3ae", 1.2)] if section.axis else []
    shown: Set = [*_title(section.title, lettering)]
    shown += [_Legend(legend, lettering), Spacer(1, 4)] if legend else []
    return [KeepTogether([*shown, image])]


class _Legend(Flowable):  # type: ignore[misc] # reportlab brings no types
    """Names of what the lines mean."""

    def __init__(self, names: Sequence[tuple[str, str, float]], lettering: Lettering) -> None:
        super().__init__()
        self.names, self.lettering, self.style = names, lettering, Style(BODY, INK)

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Called by reportlab: the size that it takes."""
        return width, 11.0

    def draw(self) -> None:
        """Called by reportlab."""
        x = 0.0
        for name, colour, thick in self.names:
            self.canv.setStrokeColor(HexColor(colour))
            self.canv.setLineWidth(thick)
            self.canv.setLineCap(1)
            self.canv.line(x + 1.5, 5, x + 13.5, 5)
            put(self.canv, (x + 19, 2.2), name, self.style, self.lettering)
            x += 19 + self.lettering.width(name, self.style.size) + 14


def _about(section: sections.About, width: float, lettering: Lettering) -> Set:
    narrow = TwoColumns.width_of(width)
    blocks = [
        [
            *_title(block.title, lettering),
            *_bullets(block, lettering),
            *_rows(block, narrow, lettering),
        ]
        for block in section.blocks
    ]
    return [TwoColumns(blocks)]


def _bullets(block: sections.Block, lettering: Lettering) -> Set:
    style = Style(SMALL, MUTED_INK, hang=8)
    return [Text(line, style, lettering, bullet="•", below=1) for line in block.lines]


def _rows(block: sections.Block, width: float, lettering: Lettering) -> Set:
    name, said = Style(SMALL, MUTED_INK), Style(SMALL, INK)
    wide = max((lettering.width(row[0], SMALL) for row in block.rows), default=0.0) + 10
    share = min(0.42, wide / width)
    return [
        Pair(Text(first, name, lettering), Text(second, said, lettering), share, rule=LINE)
        for first, second in block.rows
    ]


SETTERS: Mapping[str, Callable[[Any, float, Lettering], Set]] = {
    "verdict": _verdict,
    "figures": _figures,
    "tables": _tables,
    "remarks": _remarks,
    "drawings": _drawings,
    "picture": _picture,
    "about": _about,
}
"""By kind of section."""
