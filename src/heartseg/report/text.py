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
    made = f"{report.modality.value} {views}, model {words.model_line(report)}"
    yield f"{clean(report.study)}: {made}"
    yield f"Quality: {words.VERDICTS[report.quality.verdict]}"
    yield from (f"  - {clean(reason)}" for reason in report.quality.reasons)
    measured = {clean(f.name) for f in report.findings if f.value is not None}
    yield from _table([row for row in table_rows(report) if row[0] in measured])
    yield from _remarks(report)
    yield from _missing([row for row in table_rows(report) if row[0] not in measured])
    if note := words.interval_line(report):
        yield f"Intervals: {note}"
    yield f"{words.RESEARCH_ONLY}. Model licence: {clean(report.model.licence)}"


def _table(rows: list[TableRow]) -> Iterator[str]:
    """Aligned, without the columns that nobody fills."""
    table = [HEADINGS, *rows]
    used = [i for i in range(len(HEADINGS)) if i < 2 or any(row[i] for row in rows)]
    widths = [max(len(row[i]) for row in table) for i in used]
    for row in table:
        yield "  ".join(row[i].ljust(width) for i, width in zip(used, widths, strict=True))


def _remarks(report: Report) -> Iterator[str]:
    """A line a remark on values that there are, with their names."""
    names: dict[str, list[str]] = {}
    for finding in report.findings:
        if words.measured(finding) and finding.problem:
            names.setdefault(clean(finding.problem), []).append(clean(finding.name))
    for remark, minded in names.items():
        yield f"Mind ({remark}): {'; '.join(minded)}"


def _missing(rows: list[TableRow]) -> Iterator[str]:
    """A line a reason, with the names of what it keeps from being measured."""
    names: dict[str, list[str]] = {}
    for name, reason, *_ in rows:
        names.setdefault(reason, []).append(name)
    for reason, kept in names.items():
        yield f"Not measured ({reason}): {'; '.join(kept)}"
