"""Whose images they are, from a DICOM header: names in every writing that the file gives.

A name has up to three writings with `=` between them: letters, ideographs, and how it sounds
(DICOM PS3.5, 6.2.1.2). The last is left out: it says again what the first two say.
"""

import re
import unicodedata
from collections.abc import Mapping

from heartseg.core.study import Patient


def patient_of(facts: Mapping[str, str]) -> Patient | None:
    """The patient; None where the header names nobody (it was made anonymous)."""
    found = Patient(
        name=person_name(facts.get("PatientName", "")),
        number=facts.get("PatientID", "").strip(),
        birth_date=_date(facts.get("PatientBirthDate", "")),
        examined=_date(facts.get("StudyDate", "")),
    )
    return found if found.name or found.number else None


def person_name(value: str) -> str:
    """`王小东 (Wang, XiaoDong)` of `Wang^XiaoDong=王^小东`, `Smith, John` of `Smith^John`."""
    letters, ideographs, *_ = [_written(part) for part in [*value.split("="), ""]]
    if ideographs and letters:
        return f"{ideographs} ({letters})"
    return ideographs or letters


def _written(group: str) -> str:
    """Family name, given names, prefix and suffix of one writing, as it is said."""
    parts = [" ".join(part.split()) for part in group.split("^")]
    family, given, middle, prefix, suffix = [*parts, *[""] * 5][:5]
    if family and all(unicodedata.east_asian_width(letter) == "W" for letter in family):
        glue = "" if re.fullmatch(r"\S*", given + middle) else " "
        return glue.join(part for part in (family, given, middle) if part)
    first = " ".join(part for part in (prefix, given, middle) if part)
    return ", ".join(part for part in (family, first, suffix) if part)


def _date(value: str) -> str:
    """`1975-03-09` of `19750309`."""
    found = re.fullmatch(r"(\d{4})(\d{2})(\d{2})", value.strip())
    return "-".join(found.groups()) if found else ""
