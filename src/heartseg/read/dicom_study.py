"""DICOM files -> studies: grouped by study, series and direction; one image a view.

The study's id is the modality and 8 hex digits of a keyed BLAKE2b hash of StudyInstanceUID. The key
is fixed and public: the id is stable and shows no identifier, but it is a pseudonym, not a secret.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from heartseg.core.errors import InputError, StudyError
from heartseg.core.study import Body, Modality, Source, Study, View
from heartseg.formats.box import Box
from heartseg.formats.dicom import Header, scan
from heartseg.formats.dicom_series import Stack, arrange, normal_of, read_stack
from heartseg.read.body import age_from_dicom, body_of
from heartseg.read.candidate import Candidate, Options, require_picture, safe_id
from heartseg.read.view import view_of

NAME = "dicom"
_ID_KEY = b"heartseg study id 1"
_SAME_DIRECTION = 0.02
"""Largest difference of direction cosines within a stack, about one degree."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Parallel planes that belong together.

    Attributes:
        headers: the files, with the planes of this stack only.
        numbers: of the series in it, ascending; several where slices came in series of their own.
    """

    headers: tuple[Header, ...]
    numbers: tuple[str, ...]

    @property
    def label(self) -> str:
        """`series 300` for messages."""
        return "series " + "+".join(self.numbers)


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
    with Box(path, only) as box:
        headers, notes = scan(box)
    studies: dict[tuple[str, str], list[Header]] = {}
    for header in headers:
        studies.setdefault((header.study or header.series, header.modality), []).append(header)
    return [
        _candidate(path, study_id(modality, uid or path.name), tuple(group), tuple(notes), options)
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

    Raises:
        InputError: no series can be read; the message is the first one's.
    """
    chosen, said = choose(headers, options)
    images, sources = {}, {}
    with Box(path, sorted({header.name for header in headers})) as box:
        for found in chosen:
            image = read_stack(box, found.series.headers, found.stack)
            require_picture(image.voxels, f"{name} {found.series.label}")
            images[found.view] = image
            sources[found.view] = (_source(path, found, chosen, image.frames),)
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
    count = len(series.numbers)
    return [f"{count} series of one slice each make one stack"] if count > 1 else []


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


# Which planes belong together


def split(headers: Sequence[Header]) -> list[Series]:
    """Series of parallel planes; one-slice series of one stack are joined."""
    groups: dict[_Key, list[Header]] = {}
    for header in headers:
        for part in _parallel(header):
            same = (header.series, header.size, header.colour, _kind(header))
            key = next((k for k in groups if _belongs(k, same, part)), (same, _direction(part)))
            groups.setdefault(key, []).append(part)
    return _joined([_series(group) for group in groups.values()])


_Key = tuple[object, tuple[float, ...]]


def _belongs(key: _Key, same: object, part: Header) -> bool:
    stored, direction = key
    return bool(stored == same and _alike(direction, _direction(part)))


def _series(headers: Sequence[Header]) -> Series:
    numbers = {header.facts.get("SeriesNumber", "") for header in headers}
    return Series(tuple(headers), tuple(sorted(numbers, key=lambda n: (len(n), n))))


def _direction(header: Header) -> tuple[float, ...]:
    plane = header.planes[0]
    return (*(plane.orientation or ()), *(plane.spacing or ()))


def _alike(a: Sequence[float], b: Sequence[float]) -> bool:
    return len(a) == len(b) and bool(np.allclose(a, b, rtol=0, atol=_SAME_DIRECTION))


def _kind(header: Header) -> str:
    """Phase and magnitude images of one series are two images."""
    types = header.facts.get("ImageType", "").upper().split("\\")[2:]
    return "phase" if {"P", "PHASE", "VELOCITY"} & set(types) else ""


def _parallel(header: Header) -> list[Header]:
    """The file's planes by direction: a localiser may hold three stacks in one file."""
    parts: list[list[int]] = []
    for index, plane in enumerate(header.planes):
        for part in parts:
            if _alike(header.planes[part[0]].orientation or (), plane.orientation or ()):
                part.append(index)
                break
        else:
            parts.append([index])
    if len(parts) == 1:
        return [header]
    return [replace(header, planes=tuple(header.planes[i] for i in part)) for part in parts]


def _joined(series: Sequence[Series]) -> list[Series]:
    """Cines of one slice each, parallel, of one size and at different places: one stack."""
    singles: list[list[Series]] = []
    rest = []
    for one in series:
        if not _is_single_cine(one):
            rest.append(one)
            continue
        for group in singles:
            if _one_stack(group[0], one):
                group.append(one)
                break
        else:
            singles.append([one])
    return [*rest, *(_join(group) for group in singles)]


def _offsets(series: Series) -> list[float]:
    planes = [plane for header in series.headers for plane in header.planes]
    normal = normal_of(planes[0])
    return [float(np.dot(plane.position or (0, 0, 0), normal)) for plane in planes]


def _is_single_cine(series: Series) -> bool:
    planes = [plane for header in series.headers for plane in header.planes]
    if len(planes) < 2 or any(p.position is None or p.orientation is None for p in planes):
        return False
    return bool(np.ptp(_offsets(series)) < 0.1)


def _one_stack(a: Series, b: Series) -> bool:
    first, second = a.headers[0], b.headers[0]
    same = first.size == second.size and _alike(_direction(first), _direction(second))
    return same and _kind(first) == _kind(second)


def _join(group: Sequence[Series]) -> Series:
    """All of them; where two lie at one place, the later one is a repeat and replaces the first."""
    places: dict[float, Series] = {}
    for one in sorted(group, key=lambda one: [(len(n), n) for n in one.numbers]):
        here = _offsets(one)[0]
        near = next((place for place in places if abs(place - here) < 0.1), here)
        places[near] = one
    return _series([header for one in places.values() for header in one.headers])


# The patient


def body_of_header(facts: Mapping[str, str]) -> tuple[Body, tuple[str, ...]]:
    """Sex, age, size and heart rate; DICOM's PatientSize is in metres."""
    size = _number(facts.get("PatientSize"))
    interval = _number(facts.get("NominalInterval"))
    return body_of(
        sex=facts.get("PatientSex"),
        age_years=_age(facts),
        height_cm=None if size is None else size * 100,
        weight_kg=facts.get("PatientWeight"),
        heart_rate_bpm=facts.get("HeartRate") or (60000 / interval if interval else None),
    )


def _age(facts: Mapping[str, str]) -> float | None:
    stated = age_from_dicom(facts.get("PatientAge", ""))
    if stated is not None:
        return stated
    born, seen = facts.get("PatientBirthDate", ""), facts.get("StudyDate", "")
    if not all(re.fullmatch(r"(18|19|20)\d{6}", date) for date in (born, seen)):
        return None
    return (int(seen) - int(born)) // 10000 if seen > born else None


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
