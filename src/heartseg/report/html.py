"""report.html: one page that a browser opens anywhere, from a file, without a network.

Everything is inside: style, curve, pictures. The content security policy forbids the rest, and
Jinja2 escapes every text, since ids, file names and reasons come from strangers.
"""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heartseg.core.anatomy import Structure
from heartseg.core.finding import Finding, Report
from heartseg.core.study import Body
from heartseg.report import words
from heartseg.report.apical_segments import apical_segments_svg
from heartseg.report.bullseye import bullseyes_svg
from heartseg.report.curve import curve_svg, strain_svg
from heartseg.report.json_file import plain
from heartseg.report.palette import COLOURS, VERDICT_COLOURS, css
from heartseg.report.words import clean

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATE = Path(__file__).with_name("page.html.j2")

_BODY = {
    "sex": "Sex",
    "age_years": "Age (years)",
    "height_cm": "Height (cm)",
    "weight_kg": "Weight (kg)",
    "heart_rate_bpm": "Heart rate (beats/min)",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table of findings, ready to print."""

    name: str
    value: str
    unit: str
    interval: str
    reference: str
    outside: str
    note: str
    indexed: bool


@dataclass(frozen=True, slots=True)
class Table:
    """The lines of one chamber, and the columns that they need."""

    title: str
    lines: tuple[Line, ...]
    intervals: bool
    references: bool


def html_page(
    report: Report, mosaic_jpeg: bytes | None = None, structures: Sequence[Structure] = ()
) -> str:
    """The page; with the mosaic when its JPEG and the structures drawn in it are given."""
    picture = base64.b64encode(mosaic_jpeg).decode() if mosaic_jpeg else ""
    columns = [[_table(group) for group in column] for column in words.columns(report.findings)]
    return _template().render(
        report=report,
        study=clean(report.study),
        research_only=words.RESEARCH_ONLY,
        about=_about(report),
        verdict=words.VERDICTS[report.quality.verdict],
        verdict_colour=css(VERDICT_COLOURS[report.quality.verdict]),
        reasons=[clean(reason) for reason in report.quality.reasons],
        figures=[(name, _line(finding)) for name, finding in words.key_figures(report)],
        columns=columns,
        flagged=any(line.outside for column in columns for table in column for line in table.lines),
        interval_line=words.interval_line(report),
        curve=curve_svg(report),
        strain=strain_svg(report),
        eyes=bullseyes_svg(report),
        arches=apical_segments_svg(report),
        picture=picture,
        stack=not set(report.views) <= words.FLAT_VIEWS,
        axis=any(name.endswith("_apex") for name in report.landmarks),
        legend=[(s.title, css(COLOURS[s])) for s in structures],
        conventions=[clean(convention) for convention in report.conventions],
        strategy=_pairs(report.strategy),
        body=_body(report.body),
        provenance=_provenance(report),
        licence=clean(report.model.licence),
    )


@lru_cache(maxsize=1)
def _template() -> "Template":
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8"))


def _about(report: Report) -> str:
    views = ", ".join(words.view_title(view) for view in report.views)
    parts = [f"{report.modality.value} {views}", f"model {words.model_line(report)}"]
    parts += [f"{view_phases}" for view_phases in _phases(report)]
    return "  ·  ".join(part for part in (*parts, clean(report.provenance.created)[:10]) if part)


def _phases(report: Report) -> Iterator[str]:
    for view, phases in report.phases.items():
        where = f"{words.view_title(view)} " if len(report.phases) > 1 else ""
        end_systole = "" if phases.es is None else f", ES frame {phases.es + 1}"
        yield f"{where}ED frame {phases.ed + 1}{end_systole} ({phases.how})"


def _table(group: words.Group) -> Table:
    lines = tuple(
        replace(_line(finding), name=words.short_name(finding, group)) for finding in group.findings
    )
    return Table(
        group.title,
        lines,
        intervals=any(line.interval for line in lines),
        references=any(line.reference for line in lines),
    )


def _line(finding: Finding) -> Line:
    measured = words.measured(finding)
    value, _, unit = words.amount(finding).partition(" ") if measured else ("", "", "")
    problem = clean(finding.problem) if finding.problem else ""
    return Line(
        name=clean(finding.name),
        value=value,
        unit=unit,
        interval=words.span(finding.interval, finding),
        reference=words.span(finding.reference, finding),
        outside=words.outside(finding),
        note=problem if measured else words.reason(finding),
        indexed=finding.key.endswith(words.INDEXED),
    )


def _body(body: Body) -> list[tuple[str, str]]:
    rows = []
    for name, value in body.known.items():
        source = body.sources.get(name)
        rows.append((_BODY[name], _said(value) + (f" ({clean(source)})" if source else "")))
    return rows + [(_BODY[name], clean(why)) for name, why in body.not_used.items()]


def _provenance(report: Report) -> list[tuple[str, str]]:
    made, model = report.provenance, report.model
    rows = [
        ("heartseg", clean(f"{made.version} ({made.commit})" if made.commit else made.version)),
        ("Made", clean(made.created)),
        ("Files", ", ".join(clean(name) for name in made.inputs)),
        ("Corrected by", clean(made.person or "")),
        ("Model", words.model_line(report)),
        ("Model licence", clean(model.licence)),
        ("Model SHA-256", clean(model.sha256 or "")),
        *(
            (f"SHA-256 of {words.model_name(one)}", clean(one.sha256 or ""))
            for one in model.members
        ),
    ]
    return [(name, said) for name, said in rows if said] + _pairs(made.settings)


def _pairs(table: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    """Names and values in print; tables within tables become dotted names."""
    rows: list[tuple[str, str]] = []
    for key, value in plain(table).items():
        name = f"{prefix}{key}"
        rows += _pairs(value, f"{name}.") if isinstance(value, Mapping) else [(name, _said(value))]
    return rows


def _said(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ", ".join(_said(item) for item in value)
    return f"{value:g}" if isinstance(value, float) else clean(value)
