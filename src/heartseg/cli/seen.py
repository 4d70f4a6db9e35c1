"""`heartseg inspect` for people: a block a study, an aligned line a fact."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

import typer

from heartseg.core.errors import HeartsegError
from heartseg.core.study import BODY_VALUES, Study
from heartseg.read.inspect import Seen
from heartseg.report.words import clean, view_title

Line = tuple[str, str]

MOST_NAMES = 4
"""Of files, in print."""

_WIDTH = 13


def run_inspect(
    path: Path,
    view: str | None,
    spacing_mm: str | None,
    *,
    preview: Path | None,
    preset: str | None,
    json: bool,
) -> None:
    """Print each study as it is seen; exit code 1 where one cannot be read or drawn."""
    from heartseg.cli import listing, options
    from heartseg.inspection import inspected

    options.preparation(preset, drawn=preview is not None)
    found = inspected(path, spacing_mm=options.spacing(spacing_mm), view=options.view(view))
    alone = len(found) == 1
    if preview is not None:
        options.preview(preview, alone=alone)
    everything: list[Seen] = []
    failed = False
    for study, seen in found:
        if not json:
            print(("\n" if everything else "") + study_text(seen), flush=True)
        everything += seen
        failed |= any(one.problem for one in seen)
        if preview is not None and study is not None:
            failed |= not _drawn(preview, study, seen, alone=alone, preset=preset)
    if json:
        print(listing.to_json([asdict(one) for one in everything]))
    elif len({one.study for one in everything}) > 1:
        print("\n" + summary_line(everything))
    if failed:
        raise typer.Exit(1)


def _drawn(
    preview: Path, study: Study, seen: list[Seen], *, alone: bool, preset: str | None
) -> bool:
    from heartseg.inspection import write_preview

    try:
        file = write_preview(preview, study, seen, alone=alone, preset=preset)
    except HeartsegError as fault:
        print(clean(f"{study.id}: not drawn: {fault}"), file=sys.stderr)
        return False
    print(clean(f"{study.id}: {file.name}"), file=sys.stderr)
    return True


def study_text(seen: Sequence[Seen]) -> str:
    """What is seen in a study; what is not known is left out, or said where it matters."""
    lines = [*_of_study(seen[0])]
    for one in (one for one in seen if one.view):  # a DICOM segmentation is no image
        lines += _of_image(one)
    return "\n".join(f"{name.ljust(_WIDTH)}{clean(said)}".rstrip() for name, said in lines if said)


def summary_line(seen: Sequence[Seen]) -> str:
    """How many studies, and how many of them cannot be read."""
    studies = [list(group) for _, group in groupby(seen, lambda one: one.study)]
    failed = [group[0].study for group in studies if group[0].problem]
    doubted = sum(any(one.problems for one in group) for group in studies)
    said = f"{len(studies)} studies, {doubted} with something to check"
    if not failed:
        return f"{said}; all can be read"
    shown = ", ".join(failed[:8]) + (", ..." if len(failed) > 8 else "")
    return clean(f"{said}; {len(failed)} cannot be read: {shown}")


def _of_study(seen: Seen) -> Iterator[Line]:
    yield "study", seen.study
    yield "layout", seen.layout
    if seen.problem:
        yield "problem", seen.problem
        return
    yield "body", _body(seen)
    yield "group", seen.group or ""
    for note in seen.notes:
        if note not in seen.problems:
            yield "note", note


def _of_image(seen: Seen) -> Iterator[Line]:
    modality = "modality not known" if seen.modality == "OT" else str(seen.modality)
    view = "view not known" if seen.view == "unknown" else view_title(seen.view or "")
    yield "image", f"{modality}, {view}: {seen.view_reason}"
    yield "files", _files(seen)
    yield "frames", _frames(seen)
    yield "grid", _grid(seen)
    yield "orientation", _orientation(seen)
    yield "phases", _phases(seen)
    yield "labels", _labels(seen)
    yield "model", (seen.model_reason or "") if seen.model else f"none: {seen.model_reason}"
    for problem in seen.problems:
        yield "check", problem


def _files(seen: Seen) -> str:
    names = seen.names or ()
    shown = ", ".join(names[:MOST_NAMES]) + (", ..." if len(names) > MOST_NAMES else "")
    return f"{seen.files}: {shown}" if shown else "DICOM; their names are not shown"


def _grid(seen: Seen) -> str:
    rows, columns = seen.size or (0, 0)
    z, y, x = seen.spacing or (0.0, 0.0, 0.0)
    plane = f"{rows} x {columns} pixels"
    if seen.unit != "mm":
        return f"{seen.slices} x {plane}, without millimetres"
    if seen.slices == 1:
        return f"one plane of {plane}, {y:g} x {x:g} mm"
    return f"{seen.slices} slices of {plane}, {z:g} x {y:g} x {x:g} mm"


def _frames(seen: Seen) -> str:
    if seen.times_ms is None:
        return f"{seen.frames}" + (", times not known" if (seen.frames or 0) > 1 else "")
    first, last = seen.times_ms
    said = f"{seen.frames}, {first:.0f} to {last:.0f} ms"
    if seen.frame_step_ms is not None:
        said += f", {seen.frame_step_ms:.1f} ms apart" + (
            "" if seen.times_regular else ", unevenly"
        )
    if seen.cycle_covered is not None:
        said += f", {100 * seen.cycle_covered:.0f} % of the cycle"
    return said


def _orientation(seen: Seen) -> str:
    if not seen.orientation_known:
        return "of the patient not known: left and right cannot be told from the file"
    words = dict(zip("RLAPHF", ("right", "left", "front", "back", "head", "feet"), strict=True))
    z, y, x = (words[letter] for letter in seen.orientation or "")
    return f"{seen.orientation}: slices count towards the {z}, rows the {y}, columns the {x}"


def _phases(seen: Seen) -> str:
    phases = seen.phases
    if phases is None:
        few = (seen.frames or 0) < 2
        return "one frame: no ejection fraction" if few else "to be detected, or pass --phases"
    frames = [(name, phases[name]) for name in ("ed", "es") if name in phases]
    named = [f"{name.upper()} frame {int(str(frame)) + 1}" for name, frame in frames]
    option = ",".join(str(frame) for _, frame in frames)
    return f"{', '.join(named)} of {seen.frames} ({phases['how']}; from 0: {option})"


def _labels(seen: Seen) -> str:
    if seen.labels is None:
        return ""
    numbers = ", ".join(map(str, seen.label_numbers or ()))
    said = "published" if seen.labels == "published" else "this image holds labels"
    if numbers:
        said += f", numbers {numbers}"
    elif seen.label_numbers is not None:
        said += ", not numbered by a built-in scheme"
    if seen.label_schemes:
        said += f": scheme {' or '.join(seen.label_schemes)}"
    if seen.label_swapped:
        said += f"; not {' or '.join(seen.label_swapped)}, which would swap the ventricles"
    return said


def _body(seen: Seen) -> str:
    units = {
        "age_years": " years",
        "height_cm": " cm",
        "weight_kg": " kg",
        "heart_rate_bpm": " bpm",
    }
    body = seen.body or {}
    sources = body.get("sources")
    told = dict(sources) if isinstance(sources, dict) else {}
    parts = []
    for key in BODY_VALUES:
        value = body.get(key)
        if value is not None:
            name = key.rpartition("_")[0].replace("_", " ") or key
            said = f"{value:.4g}" if isinstance(value, float) else str(value)
            parts.append(f"{name} {said}{units.get(key, '')}")
    where = ", ".join(dict.fromkeys(told.values()))
    return ", ".join(parts) + (f" ({where})" if parts and where else "")
