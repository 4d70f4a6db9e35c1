"""The findings as lines of tables in print, and the key figures."""

from dataclasses import dataclass, replace

from heartseg.core.finding import Finding, Report
from heartseg.report import words
from heartseg.report.language import Language
from heartseg.report.words import clean


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table of findings, ready to print."""

    name: str
    value: str
    unit: str
    interval: str
    reference: str
    outside: str
    outside_said: str
    note: str
    indexed: bool


@dataclass(frozen=True, slots=True)
class Table:
    """The lines of one chamber, and the columns that they need."""

    title: str
    lines: tuple[Line, ...]
    intervals: bool
    references: bool


@dataclass(frozen=True, slots=True)
class Figure:
    """A key figure: a short name with the value, or why there is none."""

    name: str
    value: str
    unit: str
    why: str


def table_columns(report: Report, language: Language) -> tuple[tuple[Table, ...], ...]:
    """The tables, side by side."""
    return tuple(
        tuple(_table(group, language) for group in column)
        for column in words.columns(report.findings)
    )


def figures(report: Report, language: Language) -> tuple[Figure, ...]:
    """What is shown above all others."""
    shown = []
    for name, finding in words.key_figures(report):
        line = _line(finding, language)
        why = "" if line.value else line.note
        shown.append(Figure(language.say(name), line.value, line.unit, why))
    return tuple(shown)


def _table(group: words.Group, language: Language) -> Table:
    lines = tuple(
        replace(_line(finding, language), name=language.say(words.short_name(finding, group)))
        for finding in group.findings
    )
    return Table(
        language.say(group.title),
        lines,
        intervals=any(line.interval for line in lines),
        references=any(line.reference for line in lines),
    )


def _line(finding: Finding, language: Language) -> Line:
    measured = words.measured(finding)
    value, _, unit = words.amount(finding).partition(" ") if measured else ("", "", "")
    problem = clean(finding.problem) if finding.problem else ""
    outside = words.outside(finding)
    return Line(
        name=language.say(clean(finding.name)),
        value=language.number(value),
        unit=language.say(unit),
        interval=language.number(words.span(finding.interval, finding)),
        reference=language.number(words.span(finding.reference, finding)),
        outside=outside,
        outside_said=language.say(outside),
        note=language.say(problem if measured else words.reason(finding)),
        indexed=finding.key.endswith(words.INDEXED),
    )
