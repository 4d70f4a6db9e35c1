"""The tables of findings on A4: chambers side by side, or below each other where that is narrow."""

from collections.abc import Sequence
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.platypus import Flowable, KeepTogether, Spacer, Table, TableStyle

from heartseg.report.finding_tables import Line
from heartseg.report.finding_tables import Table as Chamber
from heartseg.report.lettering import Lettering
from heartseg.report.page import Tables
from heartseg.report.setting import BARE, Pair, Style, Text

Mark = tuple[Any, ...]

GAP = 20.0
TALLEST = 560.0
"""Points: columns that are taller, or that have intervals and ranges, stand below each other."""

_RULE = "#dfe3e8"

_TITLE = Style(10.0, "#171c24", bold=True)
_HEAD, _HEAD_RIGHT = Style(7.2, "#5b6470"), Style(7.2, "#5b6470", right=True)
_NAME, _INDEXED = Style(8.2, "#171c24"), Style(8.2, "#5b6470", hang=9)
_VALUE, _RANGE = Style(8.8, "#171c24", bold=True, right=True), Style(8.2, "#171c24", right=True)
_UNIT, _NOTE = Style(7.2, "#5b6470"), Style(7.2, "#5b6470")
_INDEXED_NOTE = Style(7.2, "#5b6470", hang=9)

_REASON, _LONG_REASON, _LONG = 0.6, 0.45, 32
"""Where a reason begins, as a share of the width: a long one, of so many letters, further left."""

VALUE, UNIT, INTERVAL, REFERENCE = 34.0, 40.0, 66.0, 62.0
"""Widths of columns."""


def columns_of_tables(section: Tables, width: float, lettering: Lettering) -> list[Flowable]:
    """All tables of the page."""
    narrow = (width - GAP) / 2
    full = any(one.intervals and one.references for column in section.columns for one in column)
    if len(section.columns) == 2 and not full:
        sides = [
            [_chamber(one, section.headings, narrow, lettering) for one in column]
            for column in section.columns
        ]
        tall = max(sum(_height(one, narrow) for one in side) for side in sides)
        if tall <= TALLEST:
            left, right = ([part for one in side for part in one] for side in sides)
            return [
                Table([[left, [], right]], colWidths=[narrow, GAP, narrow], style=TableStyle(BARE))
            ]
    every = [one for column in section.columns for one in column]
    return [
        part for one in every for part in _kept(_chamber(one, section.headings, width, lettering))
    ]


def _kept(parts: list[Flowable]) -> list[Flowable]:
    """The heading stays with its table, which may go on on the next page."""
    return [KeepTogether(parts)]


def _height(parts: Sequence[Flowable], width: float) -> float:
    return float(sum(part.wrap(width, 10_000)[1] for part in parts))


def _chamber(
    table: Chamber, headings: Sequence[str], width: float, lettering: Lettering
) -> list[Flowable]:
    value = max(VALUE, 7 + lettering.width(headings[1], _HEAD_RIGHT.size))
    widths = [value, UNIT]
    heads = [Text(headings[0], _HEAD, lettering), Text(headings[1], _HEAD_RIGHT, lettering), []]
    for there, head, wide in (
        (table.intervals, headings[2], INTERVAL),
        (table.references, headings[3], REFERENCE),
    ):
        if there:
            widths.append(wide)
            heads.append(Text(head, _HEAD_RIGHT, lettering))
    widths.insert(0, width - sum(widths))
    rows, marks = [heads], list[Mark]()
    for line in table.lines:
        values, below = _row(line, table, lettering), _note(line, lettering)
        if not line.value:
            marks.append(_spanned(len(rows)))
        rows.append(values)
        if below is not None:
            marks += [_spanned(len(rows)), ("BOTTOMPADDING", (0, len(rows) - 1), (-1, -1), 0)]
            marks += [("TOPPADDING", (0, len(rows)), (-1, -1), 0)]
            rows.append([[below], *[[]] * (len(heads) - 1)])
        marks.append(("LINEBELOW", (0, len(rows) - 1), (-1, len(rows) - 1), 0.4, HexColor(_RULE)))
        marks.append(("BOTTOMPADDING", (0, len(rows) - 1), (-1, -1), 2.6))
        marks.append(("TOPPADDING", (0, len(rows)), (-1, -1), 2.2))
    made = Table(rows, colWidths=widths, repeatRows=1)
    made.setStyle(
        TableStyle(
            [
                *BARE,
                *(("TOPPADDING", (0, 0), (-1, -1), 2.2), ("BOTTOMPADDING", (0, 0), (-1, -1), 2.6)),
                *(("LEFTPADDING", (2, 0), (2, -1), 4), ("LEFTPADDING", (1, 0), (1, -1), 6)),
                ("LINEBELOW", (0, 0), (-1, 0), 0.6, HexColor("#aab2bd")),
                *(mark for mark in marks if mark[1][1] < len(rows)),
            ]
        )
    )
    return [Spacer(1, 10), Text(table.title, _TITLE, lettering, below=2), made]


def _spanned(row: int) -> Mark:
    return ("SPAN", (0, row), (-1, row))


def _note(line: Line, lettering: Lettering) -> Flowable | None:
    """What to mind about a value, over the whole width below it."""
    if not line.value or not line.note:
        return None
    return Text(line.note, _INDEXED_NOTE if line.indexed else _NOTE, lettering)


def _row(line: Line, table: Chamber, lettering: Lettering) -> list[object]:
    name = Text(line.name, _INDEXED if line.indexed else _NAME, lettering)
    if not line.value:
        share = _REASON if len(line.note) < _LONG else _LONG_REASON
        both = Pair(name, Text(line.note, _NOTE, lettering), share)
        return [[both], *[[]] * (2 + table.intervals + table.references)]
    row: list[object] = [
        name,
        Text(line.value, _VALUE, lettering),
        Text(line.unit, _UNIT, lettering),
    ]
    if table.intervals:
        row.append(Text(line.interval, _RANGE, lettering))
    if table.references:
        mark = {"above": "▲ ", "below": "▼ "}.get(line.outside, "")
        row.append(Text(f"{mark}{line.reference}", _RANGE, lettering))
    return row
