"""What the page says, put together once: HTML and PDF only set it.

A page is a row of sections, in the order in which both print them. Every text is in the page's
language already; one that has no translation is of class `English`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import ClassVar

from heartseg.core.anatomy import Structure
from heartseg.core.finding import Report
from heartseg.core.study import Modality, Patient, View
from heartseg.report import words
from heartseg.report.apical_segments import apical_segments
from heartseg.report.bullseye import bullseyes
from heartseg.report.curve import STRAIN, curve_svg, strain_svg
from heartseg.report.finding_tables import Figure, Table, figures, table_columns
from heartseg.report.language import ENGLISH, English, Language
from heartseg.report.palette import COLOURS, VERDICT_COLOURS, css
from heartseg.report.particulars import body_rows, patient_line, provenance_rows, strategy_rows
from heartseg.report.words import clean

NUMBERING = (
    "Frames and slices count from 1 on this page, slices from the base; "
    "frame numbers in report.json count from 0."
)

ARCHES = "Segments of the apical views, from the masks, end-diastole to end-systole"

READERS = (
    "Seven core laboratories that read the same 15 cine studies differed by 4.6 to 7.5 points of"
    " EF, 15 to 28 mL of EDV, 14 to 22 mL of ESV and 20 to 35 g of mass (Suinesiaputra 2015); two"
    " of three readers of the same 50 studies agreed with a Dice of .92 to .94 in the LV, .87 to"
    " .88 in the myocardium and .87 to .89 in the RV (Bai 2018)."
)
"""The human limit of short-axis cine MR, as in `benchmarks/protocol.md`."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a person should look, and why."""

    kind: ClassVar[str] = "verdict"
    said: str
    colour: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """The few numbers that are shown above all others."""

    kind: ClassVar[str] = "figures"
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Tables:
    """The findings by chamber, side by side.

    Attributes:
        headings: of measure, value, interval and reference.
    """

    kind: ClassVar[str] = "tables"
    headings: tuple[str, str, str, str]
    columns: tuple[tuple[Table, ...], ...]


@dataclass(frozen=True, slots=True)
class Remarks:
    """Small print under the tables."""

    kind: ClassVar[str] = "remarks"
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drawings:
    """SVG drawings side by side, so many in a line."""

    kind: ClassVar[str] = "drawings"
    title: str
    across: int
    svgs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """The mosaic with its legend: names of structures and colours; a thin line has a colour too."""

    kind: ClassVar[str] = "picture"
    title: str
    legend: tuple[tuple[str, str], ...]
    axis: str
    alternative: str
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class Block:
    """A heading over sentences, or over names and what is said of them."""

    title: str
    lines: tuple[str, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class About:
    """How the numbers came about."""

    kind: ClassVar[str] = "about"
    blocks: tuple[Block, ...]


Section = Verdict | Figures | Tables | Remarks | Drawings | Picture | About
SECTIONS: tuple[type[Section], ...] = (
    *(Verdict, Figures, Tables, Remarks, Drawings, Picture, About),
)
"""Every kind that a page may hold."""


@dataclass(frozen=True, slots=True)
class Page:
    """The whole of it.

    Attributes:
        code: of the language.
        study: its id, the heading.
        patient: one line: who it is, or that the page is anonymous.
        about: modality, views, model, phases, date.
        research_only, licence: stand on every printed page.
        sections: in order.
        untranslated: what to say of texts that stayed in English; nothing where none did.
        page_of: `Page {number} of {total}` in the language, with these two holes.
    """

    code: str
    study: str
    patient: str
    about: str
    research_only: str
    licence: str
    sections: tuple[Section, ...]
    untranslated: str
    page_of: str


def page(
    report: Report,
    *,
    language: Language = ENGLISH,
    patient: Patient | None = None,
    mosaic: tuple[bytes, Sequence[Structure]] | None = None,
) -> Page:
    """The page of a report; with the mosaic where its JPEG and its structures are given, and with
    the patient where identifiers were asked for."""
    sections = tuple(_sections(report, language, mosaic))
    say = language.say
    left = sum(isinstance(text, English) for text in _texts(sections))
    return Page(
        code=language.code,
        study=clean(report.study),
        patient=patient_line(patient, language),
        about=_about(report, language),
        research_only=say(words.RESEARCH_ONLY),
        licence=language.fill(
            "Model licence: {licence}", licence=language.term(clean(report.model.licence))
        ),
        sections=sections,
        untranslated=say(f"Texts in English for want of a translation: {left}.") if left else "",
        page_of=say("Page {number} of {total}"),
    )


def _sections(
    report: Report, language: Language, mosaic: tuple[bytes, Sequence[Structure]] | None
) -> Iterator[Section]:
    say = language.say
    yield Verdict(
        say(words.VERDICTS[report.quality.verdict]),
        css(VERDICT_COLOURS[report.quality.verdict]),
        tuple(say(clean(reason)) for reason in report.quality.reasons),
    )
    if shown := figures(report, language):
        yield Figures(shown)
    columns = table_columns(report, language)
    headings = (say("Measure"), say("Value"), say("Interval"), say("Reference"))
    yield Tables(headings, columns)
    if remarks := tuple(_remarks(report, columns, language)):
        yield Remarks(remarks)
    if curve := curve_svg(report, language):
        yield Drawings(say("Volume over the cycle"), 1, (curve,))
    if strain := strain_svg(report, language):
        yield Drawings(say(STRAIN), 1, (strain,))
    if eyes := bullseyes(report, language):
        yield Drawings(say("Segments (AHA), from the masks"), 4, eyes)
    if arches := apical_segments(report, language):
        yield Drawings(say(ARCHES), 4, arches)
    if mosaic is not None:
        yield _picture(report, language, *mosaic)
    yield About(tuple(_blocks(report, language)))


def _about(report: Report, language: Language) -> str:
    views = ", ".join(language.say(words.view_title(view)) for view in report.views)
    parts = [f"{language.say(report.modality.value)} {views}"]
    parts.append(language.say(f"model {words.model_line(report)}"))
    for view, phases in report.phases.items():
        where = f"{words.view_title(view)} " if len(report.phases) > 1 else ""
        end_systole = "" if phases.es is None else f", ES frame {phases.es + 1}"
        said = language.say(f"ED frame {phases.ed + 1}{end_systole} ({phases.how})")
        parts.append(f"{language.say(where.strip())} {said}".strip())
    return "  ·  ".join(part for part in (*parts, clean(report.provenance.created)[:10]) if part)


def _remarks(
    report: Report, columns: tuple[tuple[Table, ...], ...], language: Language
) -> Iterator[str]:
    if covers := words.interval_line(report):
        yield language.say(f"Intervals: {covers}.")
    if any(line.outside for column in columns for table in column for line in table.lines):
        yield language.say("▲ above, ▼ below the reference range.")
    if report.modality is Modality.MR and View.SAX in report.views and _of_a_beat(report):
        yield language.say(READERS)


def _of_a_beat(report: Report) -> bool:
    phases = report.phases.get(View.SAX)
    return phases is not None and phases.es is not None


def _picture(
    report: Report, language: Language, jpeg: bytes, structures: Sequence[Structure]
) -> Picture:
    stack = not set(report.views) <= words.FLAT_VIEWS
    axis = any(name.endswith("_apex") for name in report.landmarks)
    shown = "Slices from base to apex" if stack else "The views"
    return Picture(
        title=language.say("Contours, base to apex" if stack else "Contours"),
        legend=tuple((language.say(one.title), css(COLOURS[one])) for one in structures),
        axis=language.say("LV long axis and base") if axis else "",
        alternative=language.say(
            f"{shown} at end-diastole and end-systole with the contours of the segmentation"
        ),
        jpeg=jpeg,
    )


def _blocks(report: Report, language: Language) -> Iterator[Block]:
    say = language.say
    conventions = (*(clean(one) for one in report.conventions), NUMBERING)
    yield Block(say("Conventions"), lines=tuple(say(one) for one in conventions))
    for title, rows in (
        ("Body", body_rows(report.body, language)),
        ("Strategy", strategy_rows(report, language)),
        ("Provenance", provenance_rows(report, language)),
    ):
        if rows:
            yield Block(say(title), rows=tuple(rows))


def _texts(part: object) -> Iterator[str]:
    """Every text in a section."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, tuple):
        for one in part:
            yield from _texts(one)
    elif is_dataclass(part):
        for field in fields(part):
            yield from _texts(getattr(part, field.name))
