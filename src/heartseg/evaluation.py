"""Judge segmentations by reference ones: agreement of masks, and of the numbers from them."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from heartseg.core.anatomy import Structure
from heartseg.core.anatomy import scheme as core_scheme
from heartseg.core.errors import StudyError
from heartseg.core.fault import said_of
from heartseg.core.image import Image, Segmentation
from heartseg.core.study import Modality, Source, Study, View
from heartseg.read import Candidate, find_studies
from heartseg.read.candidate import stem_of
from heartseg.read.image_file import read_labels
from heartseg.read.masks import study_masks

if TYPE_CHECKING:
    from heartseg.measure.agreement import AgreementRow
    from heartseg.measure.concordance import ClinicalAgreement
    from heartseg.measure.summary import Summary

CLINICAL = ("lv_ef", "lv_edv_ml", "lv_esv_ml", "lv_mass_g", "rv_ef", "rv_edv_ml", "rv_esv_ml")
"""Findings that are compared besides the masks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Everything that `evaluate` says.

    Attributes:
        rows: agreement of each case, phase and structure.
        summary: over cases.
        clinical: agreement of the findings, by key; only those that both sides have.
        problems: cases that could not be compared, and why.
    """

    rows: tuple["AgreementRow", ...]
    summary: tuple["Summary", ...]
    clinical: Mapping[str, "ClinicalAgreement"]
    problems: Mapping[str, str]


def evaluate(predictions: Path, truth: Path, scheme: str = "acdc") -> Evaluation:
    """Compare masks with reference ones.

    Args:
        predictions: a mask, or the folder that `segment` wrote (a folder a study).
        truth: a mask, or a data set with published labels (a patient or a folder of patients).
        scheme: label numbers of the predictions, and of `truth` where it is a mask.

    Raises:
        StudyError: nothing to compare.
        InputError: as reading the files.
    """
    from heartseg.measure import summarise

    rows: list[AgreementRow] = []
    numbers: list[tuple[Numbers, Numbers]] = []
    problems: dict[str, str] = {}
    for candidate in _cases(truth, scheme):
        try:
            own, pair = _compared(candidate, predictions, scheme)
        # The table of a hundred cases must survive a fault in one that nobody foresaw.
        except Exception as fault:  # noqa: BLE001
            problems[candidate.id] = said_of(fault)
            continue
        rows.extend(own)
        numbers.append(pair)
    if not rows:
        raise StudyError(predictions.name, got="no case to compare: " + _first(problems))
    return Evaluation(
        rows=tuple(rows), summary=summarise(rows), clinical=_clinical(numbers), problems=problems
    )


def _compared(
    candidate: Candidate, predictions: Path, scheme: str
) -> tuple[list["AgreementRow"], tuple["Numbers", "Numbers"]]:
    study = candidate.load()
    found = study_masks(study, predictions, scheme)
    wanted = candidate.reference() if candidate.reference else {}
    covered = candidate.covered() if candidate.covered else None
    rows = list(_agreement(study, found, wanted, covered))
    return rows, (_findings(study, found), _findings(study, wanted))


def _cases(truth: Path, scheme: str) -> list[Candidate]:
    """The studies with reference labels; a mask alone is a study whose image is itself."""
    if truth.is_file():
        return [_case_of_mask(truth, scheme)]
    found = [candidate for candidate in find_studies(truth) if candidate.reference]
    if not found:
        raise StudyError(
            truth.name,
            got="no reference labels",
            allowed="a mask, or a data set with published labels (heartseg inspect shows them)",
        )
    return found


def _case_of_mask(file: Path, scheme: str) -> Candidate:
    truth = read_labels(file, core_scheme(scheme))
    source = Source(
        stem=stem_of(file), format="labels", path=file, frames=tuple(range(truth.frames))
    )
    study = Study(
        id=stem_of(file),
        modality=Modality.OTHER,
        images={View.SAX: Image(truth.labels, truth.geometry, truth.times_ms)},
        sources={View.SAX: (source,)},
    )
    return Candidate(
        id=study.id,
        layout="mask",
        path=file,
        load=lambda: study,
        reference=lambda: {View.SAX: truth},
    )


def rows_as_csv(rows: Sequence["AgreementRow"]) -> str:
    """The agreement table, a line a case, phase and structure."""
    from heartseg.measure.metrics import METRICS

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = ("case", "phase", "frame", "structure")
    more = ("volume_pred_ml", "volume_truth_ml", "note")
    writer.writerow([*names, *METRICS, *more])
    for row in rows:
        place = [row.case, row.phase, row.frame, row.structure.key]
        cells = [*place, *row.values.values(), *(getattr(row, name) for name in more)]
        writer.writerow(["" if cell is None else cell for cell in cells])
    return out.getvalue()


Masks = Mapping[View, Segmentation]
Numbers = Mapping[str, float | None]


def _agreement(
    study: Study,
    found: Masks,
    wanted: Masks,
    covered: Mapping[View, Mapping[int, tuple[Structure, ...]]] | None,
) -> Iterator["AgreementRow"]:
    """Rows of the frames and structures that the reference covers."""
    from heartseg.measure import agreement_table

    for view in wanted.keys() & found.keys():
        phases = study.phases.get(view)
        for row in agreement_table(found[view], wanted[view], case=study.id, phases=phases):
            if covered is None or row.structure in covered[view].get(row.frame, ()):
                yield row


def _findings(study: Study, masks: Masks) -> Numbers:
    from heartseg.measure import measure_study

    return {finding.key: finding.value for finding in measure_study(study, masks).findings}


def _clinical(
    numbers: Sequence[tuple[Numbers, Numbers]],
) -> dict[str, "ClinicalAgreement"]:
    from heartseg.measure import clinical_agreement

    agreed = {}
    for key in CLINICAL:
        ours = [found.get(key) for found, _ in numbers]
        theirs = [wanted.get(key) for _, wanted in numbers]
        if any(a is not None and b is not None for a, b in zip(ours, theirs, strict=True)):
            agreed[key] = clinical_agreement(ours, theirs)
    return agreed


def _first(problems: Mapping[str, str]) -> str:
    return next(iter(problems.values()), "none was found")
