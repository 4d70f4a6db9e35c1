"""DICOM files -> studies: grouped by study, series and direction; one image a view.

The study's id is the modality and 8 hex digits of a keyed BLAKE2b hash of StudyInstanceUID. The key
is fixed and public: the id is stable and shows no identifier, but it is a pseudonym, not a secret.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from heartseg.core.errors import FormatError, InputError, StudyError
from heartseg.core.study import Body, Modality, Source, Study, View
from heartseg.formats.box import Box
from heartseg.formats.dicom import Header, scan
from heartseg.formats.dicom_directory import listed, missing
from heartseg.formats.dicom_pixels import readable
from heartseg.formats.dicom_series import Stack, arrange, read_stack
from heartseg.read.body import age_from_dicom, body_of
from heartseg.read.candidate import Candidate, Options, require_picture, safe_id
from heartseg.read.dicom_group import Series, split
from heartseg.read.dicom_labels import require_image
from heartseg.read.view import view_of

NAME = "dicom"
_ID_KEY = b"heartseg study id 1"


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A series with its place in space and time, and the view that it shows."""

    series: Series
    stack: Stack
    view: View
    why: str

    @property
    def size(self) -> int:
        """Planes."""
        return len(self.stack.planes) * len(self.stack.planes[0])


def find(path: Path, options: Options, only: Sequence[str] | None = None) -> list[Candidate]:
    """The DICOM studies in a folder, a .zip or a file."""
    place, names, notes = listed(path, only)
    with Box(place, names) as box:
        headers, said = scan(box)
        notes += [*said, *(missing(box) if place == path else ())]
    if not headers:
        require_image(path)
    studies: dict[tuple[str, str], list[Header]] = {}
    for header in headers:
        studies.setdefault((header.study or header.series, header.modality), []).append(header)
    return [
        _candidate(place, study_id(modality, uid or path.name), tuple(group), tuple(notes), options)
        for (uid, modality), group in studies.items()
    ]


def study_id(modality: str, uid: str) -> str:
    """`MR-1a2b3c4d`: free of identifiers, the same for the same study everywhere."""
    digest = hashlib.blake2b(uid.encode(), key=_ID_KEY, digest_size=4).hexdigest()
    return safe_id(f"{modality}-{digest}")


def _candidate(
    path: Path, name: str, headers: tuple[Header, ...], notes: tuple[str, ...], options: Options
) -> Candidate:
    return Candidate(
        id=name,
        layout=NAME,
        path=path,
        load=lambda: load(path, name, headers, notes, options),
    )


def load(
    path: Path,
    name: str,
    headers: Sequence[Header],
    notes: Sequence[str] = (),
    options: Options = Options(),  # noqa: B008
) -> Study:
    """Read the pixels of a study's best series of each view.

    Files whose pixels are damaged are left out, and the stacks are made without them: a slice
    that is then missing is refused as any missing slice.

    Raises:
        InputError: no series can be read; the message is the first one's.
    """
    with Box(path, sorted({header.name for header in headers})) as box:
        try:
            return _read(box, name, headers, notes, options)
        except FormatError:
            good, said = readable(box, headers)
            if not good or len(good) == len(headers):
                raise
            return _read(box, name, good, (*notes, *said), options)


def _read(
    box: Box, name: str, headers: Sequence[Header], notes: Sequence[str], options: Options
) -> Study:
    chosen, said = choose(headers, options)
    images, sources = {}, {}
    for found in chosen:
        image = read_stack(box, found.series.headers, found.stack)
        require_picture(image.voxels, f"{name} {found.series.label}")
        images[found.view] = image
        sources[found.view] = (_source(box.path, found, chosen, image.frames),)
    body, odd = body_of_header(chosen[0].series.headers[0].facts)
    return Study(
        id=name,
        modality=_modality(headers[0].modality),
        images=images,
        sources=sources,
        body=body,
        notes=(*notes, *said, *odd),
    )


def choose(headers: Sequence[Header], options: Options) -> tuple[list[Found], list[str]]:
    """The largest series of each view, and notes about them and the others.

    Raises:
        InputError: no series makes a stack.
    """
    found, notes, faults = [], [], []
    for series in split(headers):
        try:
            found.append(_found(series, options))
        except InputError as fault:
            faults.append(fault)
            notes.append(f"{series.label} is not used: {fault}")
    if faults and (not found or _largest_failed(headers, found)):
        raise faults[0]
    if not found:
        raise StudyError("DICOM study", got="no image series")
    best: dict[View, Found] = {}
    for one in sorted(found, key=lambda one: -one.size):
        best.setdefault(one.view, one)
    if len(best) > 1:
        best.pop(View.UNKNOWN, None)
    chosen = list(best.values())
    for one in found:
        if one in chosen:
            notes += [f"{one.series.label} is {one.view}: {one.why}", *one.stack.notes]
            notes += _merged_note(one.series)
        else:
            notes.append(f"{one.series.label} ({one.view}, {one.size} images) is not used")
    return chosen, notes


def _largest_failed(headers: Sequence[Header], found: Sequence[Found]) -> bool:
    """True when most planes of the study are in series that make no stack."""
    return 2 * sum(one.size for one in found) < sum(len(header.planes) for header in headers)


def _merged_note(series: Series) -> list[str]:
    count, notes = len(series.numbers), []
    if count > 1:
        notes.append(f"{count} series of one slice each make one stack")
    if series.repeated:
        numbers = ", ".join(series.repeated)
        notes.append(f"series {numbers} was acquired again: the later one is used")
    return notes


def _found(series: Series, options: Options) -> Found:
    stack = arrange(series.headers, series.label, options.spacing_mm)
    first = series.headers[0]
    view, why = view_of(
        modality=_modality(first.modality),
        geometry=stack.geometry,
        frames=len(stack.planes),
        words=first.facts.get("SeriesDescription", "") + " " + first.facts.get("ProtocolName", ""),
        placed=first.planes[0].position is not None,
    )
    if options.view is not None:
        view, why = options.view, "given"
    return Found(series, stack, view, why)


def _source(path: Path, found: Found, chosen: Sequence[Found], frames: int) -> Source:
    stem = safe_id(found.series.numbers[0] or "series")
    others = [one for one in chosen if one is not found]
    if any(one.series.numbers[0] == found.series.numbers[0] for one in others):
        stem = f"{stem}-{found.view}"
    return Source(stem=stem, format="dicom", path=path, frames=tuple(range(frames)))


def _modality(text: str) -> Modality:
    return Modality(text) if text in Modality.__members__ else Modality.OTHER


# The patient


def body_of_header(facts: Mapping[str, str]) -> tuple[Body, tuple[str, ...]]:
    """Sex, age, size and heart rate; DICOM's PatientSize is in metres."""
    interval = _number(facts.get("NominalInterval"))
    return body_of(
        sex=facts.get("PatientSex"),
        age_years=_age(facts),
        height_m=facts.get("PatientSize"),
        weight_kg=facts.get("PatientWeight"),
        heart_rate_bpm=facts.get("HeartRate") or (60000 / interval if interval else None),
        source="DICOM header",
    )


def _age(facts: Mapping[str, str]) -> float | str | None:
    """Years; what PatientAge says where that is no age and the dates tell none of it."""
    text = facts.get("PatientAge", "")
    stated = age_from_dicom(text)
    if stated is not None:
        return stated
    between = _years_between(facts)
    if between is None and text.strip():
        return f"{text.strip()}, no DICOM age"  # years or months? It is asked, not guessed
    return between


def _years_between(facts: Mapping[str, str]) -> float | None:
    born, seen = facts.get("PatientBirthDate", ""), facts.get("StudyDate", "")
    if not all(re.fullmatch(r"(18|19|20)\d{6}", date) for date in (born, seen)):
        return None
    return (int(seen) - int(born)) // 10000 if seen > born else None


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
