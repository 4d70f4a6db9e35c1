"""DICOM files -> studies: grouped by study, series and direction; one image a view.

The study's id is the modality and 8 hex digits of a keyed BLAKE2b hash of StudyInstanceUID. The key
is fixed and public: the id is stable and shows no identifier, but it is a pseudonym, not a secret.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import FormatError, InputError, StudyError
from heartseg.core.geometry import BASE_LPS
from heartseg.core.study import Body, Modality, Source, Study, View
from heartseg.formats.box import Box
from heartseg.formats.dicom import LEFT_OUT, Header, scan
from heartseg.formats.dicom_directory import listed, missing
from heartseg.formats.dicom_pixels import readable
from heartseg.formats.dicom_series import Stack, arrange, normal_of, read_stack, without_copies
from heartseg.formats.dicom_time import interval_ms
from heartseg.read.body import age_from_dicom, body_of
from heartseg.read.candidate import Candidate, Options, require_picture, safe_id
from heartseg.read.dicom_choice import Found, best
from heartseg.read.dicom_group import split
from heartseg.read.dicom_kind import HEART, Purpose, words_of
from heartseg.read.dicom_labels import require_image
from heartseg.read.dicom_patient import patient_of
from heartseg.read.dicom_stack import Series
from heartseg.read.facts import number_of
from heartseg.read.view import (
    ALONG_HEART,
    ALONG_PATIENT,
    FEW_SLICES,
    long_axis_of,
    view_of,
)

NAME = "dicom"
_ID_KEY = b"heartseg study id 1"


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
    notes += _without_screenshots(studies)
    return [
        _candidate(place, study_id(modality, uid or path.name), tuple(group), tuple(notes), options)
        for (uid, modality), group in studies.items()
    ]


def _without_screenshots(studies: dict[tuple[str, str], list[Header]]) -> list[str]:
    """Take out what viewers added to a study under a modality of its own, and say so."""
    notes = []
    for uid, modality in list(studies):
        images = any(other[0] == uid and other[1] not in _SAVED for other in studies)
        if modality in _SAVED and images:
            count = len(studies.pop((uid, modality)))
            notes.append(f"saved screens or scans ({modality}) are left out: {count}")
    return notes


_SAVED = ("OT", "SC")
"""Modalities of secondary captures."""


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
    """Read the pixels of a study's best series of each view; as `load_chosen`."""
    return load_chosen(path, name, headers, notes, options)[0]


def load_chosen(
    path: Path,
    name: str,
    headers: Sequence[Header],
    notes: Sequence[str] = (),
    options: Options = Options(),  # noqa: B008
) -> tuple[Study, list[Found]]:
    """The same, and the series that its images came from.

    Files whose pixels are damaged are left out, and the stacks are made without them: a slice
    that is then missing is refused as any missing slice, one at an end is said.

    Raises:
        InputError: no series can be read; the message is the first one's, and what was left out.
    """
    said = list(notes)
    with Box(path, sorted({header.name for header in headers})) as box:
        try:
            try:
                return _read(box, name, headers, said, options)
            except FormatError:
                good, lost = readable(box, headers)
                if not good or len(good) == len(headers):
                    raise
                said += lost
                return _read(box, name, good, said, options, _shorter(headers, good, options))
        except InputError as fault:
            lost = [note for note in said if note.startswith(LEFT_OUT)]
            if not lost:
                raise
            raise type(fault)("; ".join([str(fault), *lost])) from fault


def _shorter(
    headers: Sequence[Header], good: Sequence[Header], options: Options
) -> Mapping[View, str]:
    """What to say of the views whose stacks lost an end to damaged files."""
    whole, _ = choose(headers, options)
    slices = {found.view: found.stack.geometry.shape[0] for found in choose(good, options)[0]}
    return {
        view: f"{view} has {slices[view]} of {count} slices without the damaged files: "
        "its volumes may be too low"
        for view, count in ((one.view, one.stack.geometry.shape[0]) for one in whole)
        if slices.get(view, count) < count
    }


def _read(
    box: Box,
    name: str,
    headers: Sequence[Header],
    notes: Sequence[str],
    options: Options,
    shorter: Mapping[View, str] = MappingProxyType({}),
) -> tuple[Study, list[Found]]:
    chosen, said = choose(headers, options)
    images, sources, doubts = {}, {}, {}
    for found in chosen:
        image = read_stack(box, found.series.headers, found.stack)
        require_picture(image.voxels, f"{name} {found.series.label}")
        images[found.view] = image
        sources[found.view] = (_source(box.path, found, chosen, image.frames),)
        lost = (shorter[found.view],) if found.view in shorter else ()
        doubts[found.view] = (*found.stack.doubts, *lost)
    body, odd = body_of_header(_patient_facts(chosen[0]))
    study = Study(
        id=name,
        modality=_modality(headers[0].modality),
        images=images,
        sources=sources,
        body=body,
        notes=(*notes, *shorter.values(), *said, *odd),
        doubts=doubts,
        reasons={found.view: f"{found.series.label}, {found.why}" for found in chosen},
        patient=patient_of(headers[0].facts),
    )
    return study, chosen


def choose(headers: Sequence[Header], options: Options) -> tuple[list[Found], list[str]]:
    """The best series of each view, and notes about them and the others.

    Raises:
        InputError: no series makes a stack, or the one that matters most does not.
    """
    unique, notes = without_copies(headers)
    found, faults = _stacks(split(unique), options)
    notes += [f"{series.label} is not used: {fault}" for series, fault in faults]
    if not found and not faults:
        raise StudyError("DICOM study", got="no image series")
    _require_what_matters(found, faults)
    known = [one for one in found if one.view not in _ASIDE] or found
    chosen: list[Found] = []
    for view in dict.fromkeys(one.view for one in sorted(known, key=lambda one: -one.size)):
        winner, losers = best([one for one in known if one.view is view])
        chosen.append(winner)
        notes += [*winner.stack.notes, *winner.series.notes, *losers]
    aside = sorted((one for one in found if one not in known), key=lambda one: one.series.order)
    notes += [f"{one.series.label} is left alone: {one.why}" for one in aside]
    return chosen, list(dict.fromkeys(notes))


_ASIDE = (View.OTHER, View.UNKNOWN)
"""Images that are used only where there are no others."""


def _stacks(
    series: Sequence[Series], options: Options
) -> tuple[list[Found], list[tuple[Series, InputError]]]:
    """Each series in space and time with its view, and those that make no stack."""
    stacks, faults = [], []
    for one in series:
        try:
            stacks.append((one, arrange(one.headers, one.label, options.spacing_mm)))
        except InputError as fault:
            faults.append((one, fault))
    axis = _long_axis(stacks)
    return [_found(one, stack, options, axis) for one, stack in stacks], faults


def _require_what_matters(
    found: Sequence[Found], faults: Sequence[tuple[Series, InputError]]
) -> None:
    """Refuse a study whose short-axis cine, or most of which, makes no stack.

    Raises:
        InputError: why not.
    """
    short = max((one.size for one in found if one.view is View.SAX), default=0)
    for series, fault in faults:
        if not found or (short < len(series.planes) and _would_be_short_axis(series)):
            _require_one_size(series, found)
            raise fault
    lost = sum(len(series.planes) for series, _ in faults)
    if faults and not short and sum(one.size for one in found) < lost:
        raise faults[0][1]


def _require_one_size(series: Series, found: Sequence[Found]) -> None:
    """Say of a stack with a gap which slice was stored with another matrix.

    Raises:
        StudyError: there is one.
    """
    size = series.headers[0].size
    for one in found:
        other = one.series.headers[0].size
        if one.view is View.SAX and one.series.verdict.purpose is Purpose.CINE and other != size:
            raise StudyError(
                series.label,
                got=f"a slice of {other[0]} x {other[1]} pixels ({one.series.label})",
                allowed=f"{size[0]} x {size[1]}, as its other slices",
                do="export all slices with one matrix",
            )


def _would_be_short_axis(series: Series) -> bool:
    if series.verdict.purpose is not Purpose.CINE or not series.placed:
        return False
    return abs(float(np.dot(normal_of(series.planes[0]), BASE_LPS))) >= ALONG_HEART


def _long_axis(stacks: Sequence[tuple[Series, Stack]]) -> NDArray[np.float64] | None:
    """This heart's long axis from its long-axis cines, where there are some."""
    normals = [
        stack.geometry.directions[:, 0]
        for one, stack in stacks
        if one.verdict.purpose is Purpose.CINE
        and one.headers[0].modality == Modality.MR
        and one.placed
        and stack.geometry.shape[0] <= FEW_SLICES
    ]
    along = [n for n in normals if abs(float(np.dot(n, BASE_LPS))) < ALONG_HEART]
    return long_axis_of([n for n in along if float(np.abs(n).max()) < ALONG_PATIENT])


def _found(
    series: Series, stack: Stack, options: Options, axis: NDArray[np.float64] | None
) -> Found:
    if options.view is not None:
        return Found(series, stack, options.view, "given")
    purpose, why = series.verdict.purpose, series.verdict.why
    if purpose is Purpose.LATE_ENHANCEMENT:
        return Found(series, stack, View.LATE_ENHANCEMENT, f"{purpose}, {why}")
    if purpose not in HEART:
        return Found(series, stack, View.OTHER, f"{purpose}, {why}")
    first = series.headers[0]
    view, why = view_of(
        modality=_modality(first.modality),
        geometry=stack.geometry,
        frames=len(stack.planes),
        words=words_of(first),
        placed=series.placed,
        axis=axis,
    )
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
    interval = number_of(facts, "NominalInterval")
    return body_of(
        sex=facts.get("PatientSex"),
        age_years=_age(facts),
        height_m=facts.get("PatientSize"),
        weight_kg=facts.get("PatientWeight"),
        heart_rate_bpm=facts.get("HeartRate") or (60000 / interval if interval else None),
        source="DICOM header",
    )


def _patient_facts(found: Found) -> dict[str, str]:
    """What its headers say of the patient; the heart rate is the median over the slices."""
    names = {plane.name for row in found.stack.planes for plane in row}
    used = [header for header in found.series.headers if header.name in names]
    facts = dict(used[0].facts)
    rates = [number_of(header.facts, "HeartRate") for header in used]
    stated = [rate for rate in rates if rate]
    columns = [interval_ms([plane]) for plane in found.stack.planes[0]]
    intervals = [interval for interval in columns if interval]
    if stated:
        facts["HeartRate"] = f"{np.median(stated):g}"
    elif intervals:
        facts["HeartRate"] = f"{60_000 / np.median(intervals):.0f}"
    return facts


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
