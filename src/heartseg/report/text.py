"""The report as a table for the terminal."""

from collections.abc import Iterator

from heartseg.core.finding import Report
from heartseg.report import words
from heartseg.report.words import clean

HEADINGS = ("Measure", "Value", "Interval", "Reference")

WIDEST = 16
"""Characters of a number with its unit, or of a range."""

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
    made = f"{report.modality.value} {views}, model {words.model_line(report)}"
    yield f"{clean(report.study)}: {made}"
    yield f"Quality: {words.VERDICTS[report.quality.verdict]}"
    yield from (f"  - {clean(reason)}" for reason in report.quality.reasons)
    yield from _table(table_rows(report))
    if note := words.interval_line(report):
        yield f"Intervals: {note}"
    yield f"{words.RESEARCH_ONLY}. Model licence: {clean(report.model.licence)}"


def _table(rows: list[TableRow]) -> Iterator[str]:
    """Aligned, without the columns that nobody fills."""
    table = [HEADINGS, *rows]
    used = [i for i in range(len(HEADINGS)) if i < 2 or any(row[i] for row in rows)]
    # A reason in a number's place may be long: it does not widen its column.
    widths = [max(len(row[i]) for row in table if i == 0 or len(row[i]) <= WIDEST) for i in used]
    for row in table:
        yield "  ".join(row[i].ljust(width) for i, width in zip(used, widths, strict=True))
