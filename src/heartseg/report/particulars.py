"""The rows of names and values at the end of the page, and the line that says whose heart it is."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from heartseg.core.finding import Report
from heartseg.core.study import Body, Patient
from heartseg.report import words
from heartseg.report.json_file import plain
from heartseg.report.language import Language
from heartseg.report.words import clean

Rows = list[tuple[str, str]]
Say = Callable[[str], str]

_BODY = {
    "sex": "Sex",
    "age_years": "Age (years)",
    "height_cm": "Height (cm)",
    "weight_kg": "Weight (kg)",
    "heart_rate_bpm": "Heart rate (beats/min)",
}


def patient_line(patient: Patient | None, language: Language) -> str:
    """Who it is, or that nothing on the page says so."""
    if patient is None:
        return language.say("Patient: anonymous")
    parts = [clean(patient.name, longest=200) or language.say("no name")]
    for name, value in (
        ("No.", patient.number),
        ("born", patient.birth_date),
        ("examined", patient.examined),
    ):
        if value:
            parts.append(f"{language.say(name)} {clean(value, longest=64)}")
    return language.fill("Patient: {who}", who="  ·  ".join(parts))


def body_rows(body: Body, language: Language) -> Rows:
    """What is known of the body and where from, and what was not used."""
    rows = []
    for name, value in body.known.items():
        source = body.sources.get(name)
        said = language.number(f"{value:g}") if isinstance(value, float) else language.say(value)
        told = f" ({language.say(clean(source))})" if source else ""
        rows.append((language.say(_BODY[name]), said + told))
    return rows + [
        (language.say(_BODY[name]), language.say(clean(why))) for name, why in body.not_used.items()
    ]


def strategy_rows(report: Report, language: Language) -> Rows:
    """What was chosen and why."""
    return list(_pairs(report.strategy, language.say))


def provenance_rows(report: Report, language: Language) -> Rows:
    """What made the report, of which files, with which settings."""
    made, model = report.provenance, report.model
    say = language.say
    rows = [
        ("heartseg", clean(f"{made.version} ({made.commit})" if made.commit else made.version)),
        (say("Made"), clean(made.created)),
        (say("Files"), ", ".join(clean(name) for name in made.inputs)),
        (say("Corrected by"), clean(made.person or "")),
        (say("Model"), words.model_line(report)),
        (say("Model licence"), language.term(clean(model.licence))),
        (say("Model SHA-256"), clean(model.sha256 or "")),
        *(
            (say(f"SHA-256 of {words.model_name(one)}"), clean(one.sha256 or ""))
            for one in model.members
        ),
    ]
    settings = _pairs(made.settings, language.term)
    return [*((name, said) for name, said in rows if said), *settings]


def _pairs(table: Mapping[str, object], say: Say, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Names and values in print; tables within tables become dotted names."""
    for key, value in plain(table).items():
        if isinstance(value, Mapping):
            yield from _pairs(value, say, f"{prefix}{key}.")
        else:
            yield say(f"{prefix}{key}"), _said(value, say)


def _said(value: Any, say: Say) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return say("on" if value else "off")
    if isinstance(value, list):
        return ", ".join(_said(item, say) for item in value)
    return say(f"{value:g}" if isinstance(value, float) else clean(value))
