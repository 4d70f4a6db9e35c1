"""The report as a table for the terminal."""

from collections.abc import Iterator

from heartseg.core.finding import Report
from heartseg.report import words
from heartseg.report.words import clean

HEADINGS = ("Measure", "Value", "Interval", "Reference")

TableRow = tuple[str, str, str, str]


def table_rows(report: Report) -> list[TableRow]:
    """Cells under `HEADINGS`, a row a finding: cleaned text, no markup.

    For rich, wrap each in `rich.text.Text`, so that brackets in it stay brackets.
    """
    return [
        (
            clean(finding.name),
            words.amount(finding),
            words.span(finding.interval, finding),
            words.span(finding.reference, finding),
        )
        for group in words.groups(report.findings)
        for finding in group.findings
    ]


def report_text(report: Report) -> str:
    """The whole answer in a few aligned lines."""
    return "\n".join(line.rstrip() for line in _lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    views = ", ".join(words.view_title(view) for view in report.views)
    yield f"{clean(report.study)}: {report.modality.value} {views}, model {words.model_line(report)}"
    yield f"Quality: {words.VERDICTS[report.quality.verdict]}"
    yield from (f"  - {clean(reason)}" for reason in report.quality.reasons)
    rows = table_rows(report)
    shown = [i for i in range(len(HEADINGS)) if i < 2 or any(row[i] for row in rows)]
    table = [[row[i] for i in shown] for row in (HEADINGS, *rows)]
    measured = [
        finding.value is not None for g in words.groups(report.findings) for finding in g.findings
    ]
    # A reason may be long: it does not widen its column.
    widths = [
        max(
            len(row[i])
            for row, counts in zip(table, [True, *measured], strict=True)
            if i == 0 or counts
        )
        for i in range(len(shown))
    ]
    for row in table:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
    if note := words.interval_line(report):
        yield f"Intervals: {note}"
    yield f"{words.RESEARCH_ONLY}. Model licence: {clean(report.model.licence)}"
