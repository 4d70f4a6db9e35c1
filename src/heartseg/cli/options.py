"""From what was typed to the values that the library takes."""

import csv
from collections.abc import Mapping
from pathlib import Path

from heartseg.core.anatomy import scheme
from heartseg.core.errors import ConfigError
from heartseg.core.study import Body, Phases
from heartseg.core.study import View as StudyView
from heartseg.pipeline import FORMATS
from heartseg.read.body import body_of

COLUMNS = ("study", "sex", "age", "height_cm", "weight_kg", "heart_rate")
"""Of a table of bodies; all but the first may be missing or empty."""


def formats(text: str) -> tuple[str, ...]:
    """Names separated by commas, each one of `FORMATS`."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    unknown = [name for name in names if name not in FORMATS]
    if unknown or not names:
        raise ConfigError("--formats", got=repr(text), allowed=", ".join(FORMATS))
    if "json" not in names:  # it tells a finished study from an interrupted one
        names = (*names, "json")
    return names


def phases(text: str | None) -> Phases | None:
    """`ED,ES`, frames from 0."""
    if text is None:
        return None
    try:
        ed, es = (int(part) for part in text.split(","))
    except ValueError:
        raise ConfigError("--phases", got=repr(text), allowed="two frames, e.g. 0,9") from None
    return Phases(ed=ed, es=es, how="given")


def spacing(text: str | None) -> tuple[float, float, float] | None:
    """`z,y,x` in millimetres."""
    if text is None:
        return None
    try:
        z, y, x = (float(part) for part in text.split(","))
    except ValueError:
        allowed = "three distances in mm, e.g. 8,1.4,1.4"
        raise ConfigError("--spacing-mm", got=repr(text), allowed=allowed) from None
    return z, y, x


def view(text: str | None) -> StudyView | None:
    """A name of a view."""
    if text is None:
        return None
    try:
        return StudyView(text)
    except ValueError:
        raise ConfigError("--view", got=repr(text), allowed=", ".join(StudyView)) from None


def label_scheme(text: str | None) -> str | None:
    """The name, checked: a wrong one is heard of before an hour of work."""
    if text is not None:
        scheme(text)
    return text


def body(
    sex: str | None,
    age: float | str | None,
    height_cm: float | str | None,
    weight_kg: float | str | None,
    heart_rate: float | str | None,
    where: str = "the body",
) -> Body:
    """What was said of the patient.

    Raises:
        ConfigError: a value that no person has.
    """
    found, notes = body_of(
        sex=sex,
        age_years=age,
        height_cm=height_cm,
        weight_kg=weight_kg,
        heart_rate_bpm=heart_rate,
    )
    if sex and found.sex is None:
        notes = (*notes, f"sex {sex!r} is neither F nor M")
    if notes:
        raise ConfigError(where, got="; ".join(notes), do="correct it, or leave it out")
    return found


def bodies(file: Path | None) -> Mapping[str, Body] | None:
    """A table of bodies, by study id.

    Raises:
        ConfigError: no such file, an unknown column, or a value that no person has.
    """
    if file is None:
        return None
    try:
        rows = list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError) as fault:
        raise ConfigError(f"--body {file.name}", got=str(fault), allowed="a CSV file") from fault
    found = {}
    for row in rows:
        unknown = [str(name) for name in row if name not in COLUMNS]
        if unknown or not row.get("study"):
            got = f"columns {', '.join(map(str, row))}"
            raise ConfigError(f"--body {file.name}", got=got, allowed=", ".join(COLUMNS))
        values = [(row.get(name) or "").strip() or None for name in COLUMNS[1:]]
        sex, age, height, weight, rate = values
        found[row["study"]] = body(sex, age, height, weight, rate, f"{file.name}, {row['study']}")
    return found
