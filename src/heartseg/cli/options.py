"""From what was typed to the values that the library takes."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from heartseg.choice import METHOD_PREFIX
from heartseg.core.anatomy import scheme
from heartseg.core.errors import ConfigError, GeometryError, LabelError
from heartseg.core.small_text import read_small_text
from heartseg.core.study import Body, Phases
from heartseg.core.study import View as StudyView
from heartseg.formats.bounds import MAX_SPACING_MM, MIN_SPACING_MM, require_spacing
from heartseg.pipeline import FORMATS, MORE_FORMATS
from heartseg.read.body import body_of

COLUMNS = ("study", "sex", "age", "height_cm", "weight_kg", "heart_rate")
"""Of a table of bodies; all but the first may be missing or empty."""


def formats(text: str) -> tuple[str, ...]:
    """Names separated by commas, each one that there is."""
    known = (*FORMATS, *MORE_FORMATS)
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise ConfigError("--formats", got=repr(text), allowed=", ".join(known))
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
        ed = es = -1
    if ed < 0 or es < 0 or ed == es:
        raise ConfigError("--phases", got=repr(text), allowed="two frames from 0, e.g. 0,9")
    return Phases(ed=ed, es=es, how="given")


def spacing(text: str | None) -> tuple[float, float, float] | None:
    """`z,y,x` in millimetres."""
    if text is None:
        return None
    try:
        z, y, x = (float(part) for part in text.split(","))
        require_spacing("--spacing-mm", (z, y, x))
    except (ValueError, GeometryError):
        low, high = MIN_SPACING_MM, MAX_SPACING_MM
        allowed = f"three distances of {low:g} to {high:g} mm: z,y,x, e.g. 8,1.4,1.4"
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


def label_scheme(option: str, text: str | None) -> str | None:
    """The name, checked: a wrong one is heard of before an hour of work."""
    try:
        if text is not None:
            scheme(text)
    except LabelError as fault:
        raise ConfigError(f"{option}: {fault}") from fault
    return text


def models(texts: list[str] | None) -> tuple[str, ...] | None:
    """Names and folders, checked by reading what they stand for; a folder of bundles for all.

    Raises:
        ModelError: no such model, one that cannot be trusted, or some that do not fit together.
    """
    if not texts:
        return None
    if any(text.startswith(METHOD_PREFIX) for text in texts):
        return tuple(texts)  # no bundle; `Settings` refuses what does not go together
    from heartseg.segment import load_bundle
    from heartseg.segment.ensemble import members_at, require_agreement

    names = tuple(member for text in texts for member in members_at(text))
    require_agreement([load_bundle(name) for name in names])
    return names


def preview(place: Path, *, alone: bool) -> None:
    """Where to draw: one .png is for one study."""
    if not alone and place.suffix.lower() == ".png" and not place.is_dir():
        raise ConfigError("--preview", got="one file for several studies", do="name a folder")


def papillary(text: str) -> str:
    """What papillary muscles count as."""
    from heartseg.measure.choices import Choices

    return Choices.named(text, "drawn").papillary


def base(text: str) -> str:
    """How basal slices are taken."""
    from heartseg.measure.choices import Choices

    return Choices.named("cavity", text).base


def language(name: str) -> str:
    """Of the pages, checked by reading its file; a file is found wherever the work is done."""
    from heartseg.report.language import language as spoken

    spoken(name)
    return str(Path(name).absolute()) if name.endswith(".toml") else name


def font(file: Path | None) -> Path | None:
    """Checked by reading it."""
    if file is None:
        return None
    from heartseg.report.lettering import site_font

    return site_font(file)


def preparation(name: str | None, *, drawn: bool) -> None:
    """Name of a preset, which only a picture shows."""
    if name is None:
        return
    from heartseg.prepare import Preparation

    offered = Preparation.presets()
    if name not in offered:
        raise ConfigError("--preparation", got=repr(name), allowed=", ".join(offered))
    if not drawn:
        raise ConfigError(
            "--preparation", got="no --preview", do="say where to draw with --preview"
        )


def device(text: str) -> str:
    """A name of a device."""
    from heartseg.segment.runtime import require_device

    require_device(text, "--device")
    return text


def workers(address: str | None, jobs: int) -> str | None:
    """Of a Ray cluster; how many studies it does at the same time is its own affair."""
    if address is None:
        return None
    from heartseg.cluster import require_address

    require_address(address)
    if jobs > 1:
        got, allowed = "--jobs too", "one of them: --jobs is for this machine"
        raise ConfigError("--workers", got=got, allowed=allowed)
    return address


def turns(number: int) -> int:
    """How many ways to look."""
    from heartseg.segment.frames import TURNS

    if number not in TURNS:
        raise ConfigError("--turns", got=str(number), allowed=", ".join(map(str, TURNS)))
    return number


def body(
    sex: str | None,
    age: float | str | None,
    height_cm: float | str | None,
    weight_kg: float | str | None,
    heart_rate: float | str | None,
    where: str = "the body",
    source: str = "option",
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
        source=source,
    )
    if notes:
        got = "; ".join(note.partition(": not used")[0] for note in notes)
        raise ConfigError(where, got=got, do="correct it, or leave it out")
    return found


def bodies(file: Path | None) -> Mapping[str, Body] | None:
    """A table of bodies, by study id.

    Raises:
        ConfigError: no such file, an unknown column, or a value that no person has.
    """
    if file is None:
        return None
    found: dict[str, Body] = {}
    for number, row in enumerate(_rows(file), start=2):
        where = f"--body {file.name}, line {number}"
        name = (row.get("study") or "").strip()
        if not name or name in found or None in row:
            got = f"study {name!r} again" if name in found else "another number of cells"
            if None in row:
                got += " than names of columns"
            raise ConfigError(
                where,
                got=got,
                allowed="a line a study, its id first",
                do="write 170.5, not 170,5" if None in row else "",
            )
        values = [(row.get(column) or "").strip() or None for column in COLUMNS[1:]]
        sex, age, height, weight, rate = values
        found[name] = body(sex, age, height, weight, rate, where, f"table {file.name}")
    return found


def _rows(file: Path) -> list[dict[str, str]]:
    where = f"--body {file.name}"
    try:
        reader = csv.DictReader(io.StringIO(read_small_text(file)), strict=True)
        names, rows = [name.strip() for name in reader.fieldnames or ()], list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        got = fault.strerror if isinstance(fault, OSError) else type(fault).__name__
        raise ConfigError(where, got=f"{got}", allowed="a CSV file in UTF-8") from fault
    if len(names) == 1 and (";" in names[0] or "\t" in names[0]):
        raise ConfigError(
            where,
            got="semicolons or tabs between the cells",
            allowed="commas, with a point in decimal numbers",
            do="save it as comma-separated CSV",
        )
    twice = len(set(names)) < len(names)
    if twice or "study" not in names or any(name not in COLUMNS for name in names):
        got = f"columns {', '.join(names) or 'none'}"
        raise ConfigError(where, got=got, allowed=", ".join(COLUMNS) + ", each once")
    # Under the names without spaces; cells beyond them stay under None.
    renamed = dict(zip(reader.fieldnames or (), names, strict=True))
    return [{renamed.get(key, key): cell for key, cell in row.items()} for row in rows]
