"""Score a network on patients it has not seen: as `heartseg segment` would answer, in 3-D.

A frame is prepared, looked at, brought back to the image's own grid, refined, and compared with
the reference there, at end-diastole and end-systole. Where a data set names no phases, they are
those of its reference labels.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg.benchmark.plane_scores import hausdorff95_px, soft_dice, two_class_iou
from heartseg.core.anatomy import Structure
from heartseg.core.errors import ConfigError, StudyError
from heartseg.core.image import Image, Segmentation
from heartseg.core.study import Phases, Study
from heartseg.evaluation import CLINICAL
from heartseg.measure.agreement import (
    AgreementRow,
    agreement_table,
    dice,
    jaccard,
    precision,
    recall,
)
from heartseg.measure.overlap import accuracy
from heartseg.measure.phases import detect_phases
from heartseg.measure.study import measure_study
from heartseg.read import Candidate
from heartseg.refine import refine_cine
from heartseg.segment.frames import average_of_turns
from heartseg.train.selection import select
from heartseg.train.settings import RunSettings

Look = Callable[[NDArray[np.float32]], NDArray[np.float32]]
Numbers = Mapping[str, float | None]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """Agreement of one structure in one phase of one patient; a line of cases.csv."""

    case: str
    phase: str
    structure: str
    dice: float
    jaccard: float
    precision: float | None
    recall: float | None
    hausdorff95_mm: float | None
    assd_mm: float | None
    accuracy: float
    boundary_iou_2mm: float | None
    soft_dice: float
    two_class_iou: float
    hausdorff95_px: float | None
    volume_pred_ml: float | None
    volume_truth_ml: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceRow:
    """Dice of one structure in one slice, counted from 0; a line of slices.csv."""

    case: str
    phase: str
    slice: int
    structure: str
    dice: float


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """One slice at each phase, for the gallery.

    Attributes:
        pixels: (phases, y, x) of the study's image.
        truth, found: (phases, y, x) of `Structure` values.
        spacing: (y, x) of the pixels.
    """

    case: str
    pixels: NDArray[np.float32]
    truth: NDArray[np.uint8]
    found: NDArray[np.uint8]
    spacing: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scores:
    """What a network reached.

    Attributes:
        cases: agreement by patient, phase and structure.
        slices: Dice by slice.
        findings: by patient the (measured, reference) findings.
        confusion: voxels of each true structure (rows) that were found to be each (columns), in
            the order of the run's classes, the background first.
        sight: of the first patient.
    """

    cases: tuple[CaseRow, ...]
    slices: tuple[SliceRow, ...]
    findings: Mapping[str, tuple[Numbers, Numbers]]
    confusion: Counts
    sight: Sight


def patients_of(settings: RunSettings, root: Path, parts: Sequence[str]) -> list[Candidate]:
    """The labelled patients of these parts of the split.

    Raises:
        StudyError: there is none.
    """
    chosen = select(settings, root)
    found = [one for one in chosen.found if one.reference and chosen.parts.get(one.id) in parts]
    if not found:
        raise StudyError(settings.folder, got="no labelled patient of " + ", ".join(parts))
    return found


def score(
    look: Look, settings: RunSettings, patients: Sequence[Candidate], trained_on: Sequence[str]
) -> Scores:
    """Segment patients and compare.

    Args:
        look: (n, 1, y, x) prepared pixels -> probabilities (n, classes, y, x).
        settings: of the run; say how images are prepared and what is looked for.
        patients: with labels.
        trained_on: ids of the patients that the weights have seen.

    Raises:
        ConfigError: one of the patients was trained on.
        InputError: a patient that cannot be read, or has no such view.
    """
    seen = sorted({patient.id for patient in patients} & set(trained_on))
    if seen:
        raise ConfigError(
            "score_on",
            got=f"{len(seen)} patients that the run was trained on, {seen[0]} the first",
            allowed="patients that it has not seen",
        )
    judged = [_judged(look, settings, patient) for patient in patients]
    return Scores(
        cases=tuple(row for one in judged for row in one.cases),
        slices=tuple(row for one in judged for row in one.slices),
        findings={key: pair for one in judged for key, pair in one.findings.items()},
        confusion=np.sum([one.confusion for one in judged], axis=0),
        sight=judged[0].sight,
    )


def _judged(look: Look, settings: RunSettings, patient: Candidate) -> Scores:
    study, truth, phases, drawn = _phases_alone(settings, patient)
    image = study.images[settings.view]
    classes = settings.classes()
    found, soft = _segmented(look, settings, image, truth)
    names = ("ED", "ES") if phases else tuple(str(frame) for frame in range(image.frames))
    rows = [
        row
        for row in agreement_table(found, truth, case=study.id, phases=phases)
        if drawn is None or row.structure in drawn[row.frame]
    ]
    structures = tuple(dict.fromkeys(row.structure for row in rows))
    measured = [_findings(study, settings, masks) for masks in (found, truth)]
    return Scores(
        cases=tuple(
            _case_row(row, found, truth, names, soft[row.frame][row.structure]) for row in rows
        ),
        slices=tuple(_slice_rows(study.id, structures, found, truth, names)),
        findings={study.id: (measured[0], measured[1])},
        confusion=_confusion(found.labels, truth.labels, classes),
        sight=_sight(study.id, image, found, truth),
    )


Drawn = tuple[tuple[Structure, ...], ...] | None


def _phases_alone(
    settings: RunSettings, patient: Candidate
) -> tuple[Study, Segmentation, Phases | None, Drawn]:
    """The study with the frames that are scored, and the reference of the same frames."""
    study, view = patient.load(), settings.view
    truth = (patient.reference() if patient.reference else {}).get(view)
    if view not in study.images or truth is None:
        raise StudyError(patient.id, got=f"no labelled {view} image", do="leave it out")
    truth = truth.taken_for(settings.others)
    covered = patient.covered().get(view, {}) if patient.covered else None
    phases = study.phases.get(view)
    if phases is None and covered is None and Structure.LV_CAVITY in settings.classes():
        phases = detect_phases(truth) if truth.frames > 1 else None
    if phases is not None and phases.es is not None:
        frames = [phases.ed, phases.es]
        phases = Phases(ed=0, es=1, how=phases.how)
    else:
        frames = sorted(covered) if covered else list(range(truth.frames))
        phases = None
    drawn = None if covered is None else tuple(tuple(covered.get(f, ())) for f in frames)
    part = replace(
        study,
        images={view: study.images[view].part(frames)},
        phases={view: phases} if phases else {},
    )
    return part, truth.part(frames), phases, drawn


def _segmented(
    look: Look, settings: RunSettings, image: Image, truth: Segmentation
) -> tuple[Segmentation, list[dict[Structure, float]]]:
    """The masks, and for each frame the soft Dice of the structures before they were refined."""
    soft: list[dict[Structure, float]] = []

    def judged() -> Iterator[NDArray[np.float32]]:
        for index, probabilities in enumerate(restored(look, settings, image)):
            pairs = zip(settings.classes(), probabilities, strict=True)
            soft.append({one: soft_dice(p, truth.mask(one, index)) for one, p in pairs})
            yield probabilities

    labels = refine_cine(judged(), settings.classes(), image.geometry)
    found = Segmentation(labels, image.geometry, settings.classes()[1:], image.times_ms)
    return found, soft


def restored(look: Look, settings: RunSettings, image: Image) -> Iterator[NDArray[np.float32]]:
    """Probabilities (classes, z, y, x) of each frame on the image's own grid.

    Args:
        look: (n, channels, y, x) prepared pixels -> probabilities (n, classes, y, x).
        settings: of the run.
        image: any grid.
    """
    sample = settings.preparation.sample(image)
    for index in range(image.frames):
        yield sample.restore(average_of_turns(sample.channels(index), look, 1))


def _findings(study: Study, settings: RunSettings, masks: Segmentation) -> Numbers:
    values = {one.key: one.value for one in measure_study(study, {settings.view: masks}).findings}
    return {key: values.get(key) for key in CLINICAL}


def _case_row(
    row: AgreementRow,
    found: Segmentation,
    truth: Segmentation,
    names: Sequence[str],
    soft: float,
) -> CaseRow:
    ours, theirs = (one.mask(row.structure, row.frame) for one in (found, truth))
    return CaseRow(
        case=row.case,
        phase=names[row.frame],
        structure=row.structure.key,
        dice=row.dice,
        jaccard=jaccard(ours, theirs),
        precision=precision(ours, theirs),
        recall=recall(ours, theirs),
        hausdorff95_mm=row.hausdorff95_mm,
        assd_mm=row.assd_mm,
        accuracy=accuracy(ours, theirs),
        boundary_iou_2mm=row.values["boundary_iou_2mm"],
        soft_dice=soft,
        two_class_iou=two_class_iou(ours, theirs),
        hausdorff95_px=hausdorff95_px(ours, theirs),
        volume_pred_ml=row.volume_pred_ml,
        volume_truth_ml=row.volume_truth_ml,
    )


def _slice_rows(
    case: str,
    structures: Sequence[Structure],
    found: Segmentation,
    truth: Segmentation,
    names: Sequence[str],
) -> Iterator[SliceRow]:
    for frame, phase in enumerate(names):
        for structure in structures:
            pairs = zip(found.mask(structure, frame), truth.mask(structure, frame), strict=True)
            for number, (ours, theirs) in enumerate(pairs):
                if ours.any() or theirs.any():
                    yield SliceRow(
                        case=case,
                        phase=phase,
                        slice=number,
                        structure=structure.key,
                        dice=dice(ours, theirs),
                    )


def _confusion(found: NDArray[Any], truth: NDArray[Any], classes: Sequence[Structure]) -> Counts:
    """What the reference draws beyond the run's classes counts as background."""
    table = np.zeros(256, np.int64)
    table[list(classes)] = range(len(classes))
    size = len(classes)
    pairs = table[truth].ravel() * size + table[found].ravel()
    return np.bincount(pairs, minlength=size * size).reshape(size, size)


def _sight(case: str, image: Image, found: Segmentation, truth: Segmentation) -> Sight:
    """The slice with the most anatomy in the first frame, in the first and the last frame."""
    plane = int(np.argmax(np.count_nonzero(truth.labels[0], axis=(1, 2))))
    frames = [0, image.frames - 1] if image.frames > 1 else [0]
    _, y, x = image.geometry.spacing
    return Sight(
        case=case,
        pixels=image.voxels[frames, plane].astype(np.float32),
        truth=truth.labels[frames, plane],
        found=found.labels[frames, plane],
        spacing=(float(y), float(x)),
    )
