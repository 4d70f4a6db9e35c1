"""How text and numbers are said to people: cleaned, rounded, with their unit.

Text from files is hostile: `clean` takes what could command a terminal, turn the reading direction
or break an encoding out of it. Escaping for HTML or CSV is the business of those writers.
"""

import math
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from heartseg.core.finding import Finding, Interval, ModelUse, Report, Verdict
from heartseg.core.study import View

RESEARCH_ONLY = "Research use only, not for diagnosis"

INTERVAL_NOTE = "segmentation interval; reader and rescan variation not included"

VERDICTS: Mapping[Verdict, str] = MappingProxyType(
    {"pass": "Passed", "review": "Review needed", "reject": "Rejected"}
)

_KEY_FIGURES = (
    ("LV EF", "lv_ef"),
    ("LV EDV", "lv_edv_ml"),
    ("LV ESV", "lv_esv_ml"),
    ("LV mass", "lv_mass_g"),
    ("RV EF", "rv_ef"),
    ("RV EDV", "rv_edv_ml"),
    ("RV ESV", "rv_esv_ml"),
)

_ONE_VIEW = (("LV EF, 4-chamber", "lv_ef_4ch"), ("LV EF, 2-chamber", "lv_ef_2ch"))

MISSING = "not measured"
"""Said of a value that is absent without a reason; every other absence brings its own."""

_UNITS = {
    "1": "%",
    "mL/m2": "mL/m²",
    "g/m2": "g/m²",
    "m2": "m²",
    "mm2": "mm²",
    "L/min/m2": "L/min/m²",
}
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean(text: object, *, longest: int = 2000) -> str:
    """One line of printable text: no control or format characters, lone surrogates or runs of
    white space, and at most `longest` characters."""
    raw = str(text)[: 4 * longest]
    if not raw.isprintable():
        raw = "".join(" " if unicodedata.category(c) in _UNSAFE else c for c in raw)
    line = " ".join(raw.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def unit(finding: Finding) -> str:
    """The unit as printed: a fraction's is `%`, powers are superscripts."""
    return _UNITS.get(finding.unit, clean(finding.unit, longest=20))


def decimals(value: float, finding: Finding) -> int:
    """As clinics print it: a percentage keeps one, other values of 20 and more none."""
    if finding.unit == "1":
        return 1
    return 0 if abs(value) >= 20.0 else 1 if abs(value) >= 3.0 else 2


def number(value: float, finding: Finding, places: int | None = None) -> str:
    """A value in the finding's unit as printed, without the unit."""
    shown = 100.0 * value if finding.unit == "1" else value
    return f"{shown:.{decimals(value, finding) if places is None else places}f}"


def measured(finding: Finding) -> bool:
    """True when there is a number to show."""
    return finding.value is not None and math.isfinite(finding.value)


def amount(finding: Finding) -> str:
    """`54.0 %`, `152 mL`, or the reason why there is no number."""
    if finding.value is None or not measured(finding):
        return reason(finding)
    return f"{number(finding.value, finding)} {unit(finding)}"


def reason(finding: Finding) -> str:
    """Why the value is absent."""
    return clean(finding.problem) if finding.problem else MISSING


def span(interval: Interval | None, finding: Finding) -> str:
    """`52.1 – 55.9`, both ends with as many decimals, or nothing."""
    if interval is None or not all(math.isfinite(end) for end in interval):
        return ""
    places = min(decimals(end, finding) for end in interval)
    low, high = (number(end, finding, places) for end in interval)
    if low.endswith(".0") and high.endswith(".0"):
        low, high = low[:-2], high[:-2]
    return f"{low} – {high}"


def outside(finding: Finding) -> str:
    """`above` or `below` the reference range; nothing when inside, or when there is none."""
    if finding.value is None or finding.reference is None:
        return ""
    low, high = finding.reference
    if finding.value > high:
        return "above"
    return "below" if finding.value < low else ""


def key_figures(report: Report) -> tuple[tuple[str, Finding], ...]:
    """What is shown above all others: a short name, and the finding.

    Where both views together give no ejection fraction, that of each view is shown too.
    """
    found = {finding.key: finding for finding in report.findings}
    figures = [(name, found[key]) for name, key in _KEY_FIGURES if key in found]
    if "lv_ef" in found and not measured(found["lv_ef"]):
        figures += [(name, found[key]) for name, key in _ONE_VIEW
                    if key in found and measured(found[key])]  # fmt: skip
    return tuple(figures)


@dataclass(frozen=True, slots=True)
class Group:
    """Findings of one chamber, in the report's order; indexed ones follow their own base."""

    title: str
    findings: tuple[Finding, ...]


_GROUPS = (
    ("Left ventricle", ("lv_",)),
    ("Right ventricle", ("rv_",)),
    ("Atria", ("la_", "ra_")),
)

_METHODS = (
    ("Left ventricle, 4-chamber view alone", "_4ch"),
    ("Left ventricle, 2-chamber view alone", "_2ch"),
    ("Left ventricle, 3-chamber view alone", "_3ch"),
    ("Left ventricle, area-length", "_area_length"),
)
"""What was measured in one view only, or by another method, and how its keys tell."""

FLAT_VIEWS = frozenset({View.LAX_2CH, View.LAX_3CH, View.LAX_4CH})
"""Views of one plane."""

INDEXED = "_per_m2"
"""Ending of the keys of values divided by body surface area."""


def groups(findings: Iterable[Finding]) -> tuple[Group, ...]:
    """The findings by chamber; what belongs to no single chamber comes last."""
    every = list(findings)
    own = [(title, tuple(f for f in every if part in f.key)) for title, part in _METHODS]
    waiting = [f for f in every if not any(f in group for _, group in own)]
    made = []
    for title, prefixes in _GROUPS:
        mine = tuple(f for f in waiting if f.key.startswith(prefixes))
        waiting = [f for f in waiting if f not in mine]
        made.append(Group(title, _indexed_after_base(mine)))
    made[1:1] = [Group(title, group) for title, group in own]
    made.append(Group("Heart", _indexed_after_base(tuple(waiting))))
    return tuple(group for group in made if group.findings)


def columns(findings: Iterable[Finding]) -> tuple[tuple[Group, ...], ...]:
    """The groups side by side: the left ventricle and the rest, or what other methods gave."""
    every = groups(findings)
    others = {title for title, _ in _METHODS}
    right = tuple(group for group in every if group.title in others) or every[1:]
    left = tuple(group for group in every if group not in right)
    return tuple(column for column in (left, right) if column)


def _indexed_after_base(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    place = {f.key: i for i, f in enumerate(findings)}
    last = len(findings)

    def order(finding: Finding) -> tuple[int, bool]:
        base = finding.key.removesuffix(INDEXED)
        return place.get(base, place.get(finding.key, last)), base != finding.key

    return tuple(sorted(findings, key=order))


def short_name(finding: Finding, group: Group) -> str:
    """The name under its chamber's heading, which need not be said again."""
    if finding.key.removesuffix(INDEXED) in {f.key for f in group.findings} - {finding.key}:
        return "indexed"
    name = clean(finding.name)
    chamber, _, rest = name.partition(" ")
    if finding.key.startswith(f"{chamber.lower()}_") and rest and group.title != "Heart":
        shown = rest.partition(", ")[0] if ", " in group.title else rest
        return shown[0].upper() + shown[1:]
    return name


def model_line(report: Report) -> str:
    """`cine-mr 1.0, f32`."""
    model = report.model
    name = model_name(model)
    return f"{name}, {clean(model.precision, longest=20)}" if model.precision else name


def model_name(model: ModelUse) -> str:
    """`cine-mr 1.0`."""
    return clean(f"{model.name} {model.version}".strip(), longest=80)


def interval_line(report: Report) -> str:
    """What the intervals cover: nothing when the report has none."""
    if report.interval_level is None:
        return ""
    covers = clean(report.interval_covers) if report.interval_covers else INTERVAL_NOTE
    level = f"{100.0 * report.interval_level:.0f} %"
    return f"{level} {covers.removeprefix(level).lstrip()}"


def view_title(view: str) -> str:
    """`short axis`, `2-chamber`, ... for people."""
    titles = {"sax": "short axis", "2ch": "2-chamber", "3ch": "3-chamber", "4ch": "4-chamber"}
    return titles.get(view, {"lge": "late enhancement", "volume": "volume"}.get(view, "other view"))
