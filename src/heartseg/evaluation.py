"""Judge segmentations by reference ones: agreement of masks, and of the numbers from them.

`evaluate` is one method against the reference, `compare` is several.
"""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from heartseg.read.candidate import safe_id, stem_of
from heartseg.read.image_file import read_labels
from heartseg.read.masks import study_masks

if TYPE_CHECKING:
    from heartseg.measure.agreement import AgreementRow
    from heartseg.measure.concordance import ClinicalAgreement
    from heartseg.measure.methods import Difference, HumanLimit
    from heartseg.measure.summary import Summary
    from heartseg.measure.worst import Failure

    Table = Callable[..., tuple[AgreementRow, ...]]

CLINICAL = ("lv_ef", "lv_edv_ml", "lv_esv_ml", "lv_mass_g", "rv_ef", "rv_edv_ml", "rv_esv_ml")
"""Findings that are compared besides the masks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Everything that `evaluate` says.

    Attributes:
        rows: agreement of each case, phase and structure, over the whole stack.
        levels: the same of the base, middle and apex of short-axis stacks.
        summary: of `rows` over cases, in the metrics of the headline.
        numbers: the findings from both masks, by case: measured, reference.
        clinical: agreement of the findings, by key; only those that both sides have.
        cine: whether all cases are short-axis cine MR, which the human limit is known for.
        problems: cases that could not be compared, and why.
    """

    rows: tuple["AgreementRow", ...]
    levels: tuple["AgreementRow", ...]
    summary: tuple["Summary", ...]
    numbers: Mapping[str, tuple["Numbers", "Numbers"]]
    clinical: Mapping[str, "ClinicalAgreement"]
    cine: bool
    problems: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What `compare` says.

    Attributes:
        evaluations: by the name of the prediction.
        differences: of all pairs of them; none of a single one.
        human: each against the human limit; none where that is not known.
    """

    evaluations: Mapping[str, Evaluation]
    differences: tuple["Difference", ...]
    human: tuple["HumanLimit", ...]


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
    from heartseg.measure.summary import summarise

    cases: dict[str, _Case] = {}
    problems: dict[str, str] = {}
    for candidate in _cases(truth, scheme):
        try:
            cases[candidate.id] = _compared(candidate, predictions, scheme)
        # The table of a hundred cases must survive a fault in one that nobody foresaw.
        except Exception as fault:  # noqa: BLE001
            problems[candidate.id] = said_of(fault)
    rows = tuple(row for case in cases.values() for row in case.rows)
    if not rows:
        raise StudyError(predictions.name, got="no case to compare: " + _first(problems))
    numbers = {name: case.numbers for name, case in cases.items()}
    return Evaluation(
        rows=rows,
        levels=tuple(row for case in cases.values() for row in case.levels),
        summary=summarise(rows),
        numbers=numbers,
        clinical=_clinical(list(numbers.values())),
        cine=all(case.cine for case in cases.values()),
        problems=problems,
    )


def compare(predictions: Sequence[Path], truth: Path, scheme: str = "acdc") -> Comparison:
    """Evaluate several methods by one reference, and say whether they differ.

    Args:
        predictions: of a method each, as `evaluate` takes them; their names tell them apart.
        truth: as `evaluate` takes it.
        scheme: as `evaluate` takes it.

    Raises:
        StudyError: nothing to compare.
        InputError: as reading the files.
    """
    from heartseg.measure.methods import Method, against_readers, compare_methods

    found = {
        name: evaluate(path, truth, scheme)
        for name, path in zip(_names(predictions), predictions, strict=True)
    }
    methods = {name: Method(rows=e.rows, errors=_errors(e)) for name, e in found.items()}
    of_cine = {name: methods[name] for name, e in found.items() if e.cine}
    return Comparison(
        evaluations=found,
        differences=compare_methods(methods),
        human=against_readers(of_cine),
    )


def _names(paths: Sequence[Path]) -> list[str]:
    """Safe and different names of the predictions, after their files or folders."""
    names: list[str] = []
    for path in paths:
        name, number = safe_id(stem_of(path.resolve())), 1
        while (unique := name if number == 1 else f"{name}-{number}") in names:
            number += 1
        names.append(unique)
    return names


def _errors(one: Evaluation) -> dict[str, dict[str, float]]:
    """|measured - reference| of each finding, by case."""
    pairs = {
        key: {
            case: (ours.get(key), theirs.get(key)) for case, (ours, theirs) in one.numbers.items()
        }
        for key in one.clinical
    }
    return {
        key: {c: abs(a - b) for c, (a, b) in found.items() if a is not None and b is not None}
        for key, found in pairs.items()
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    rows: tuple["AgreementRow", ...]
    levels: tuple["AgreementRow", ...]
    numbers: tuple["Numbers", "Numbers"]
    cine: bool


def _compared(candidate: Candidate, predictions: Path, scheme: str) -> _Case:
    from heartseg.measure.agreement import agreement_table, level_table

    study = candidate.load()
    found = study_masks(study, predictions, scheme)
    wanted = candidate.reference() if candidate.reference else {}
    covered = candidate.covered() if candidate.covered else None
    short_axis: Masks = {view: mask for view, mask in wanted.items() if view is View.SAX}
    return _Case(
        rows=tuple(_agreement(agreement_table, study, found, wanted, covered)),
        levels=tuple(_agreement(level_table, study, found, short_axis, covered)),
        numbers=(_findings(study, found), _findings(study, wanted)),
        cine=study.modality is Modality.MR and set(wanted) == {View.SAX},
    )


def failures_in(candidate: Candidate, predictions: Path, scheme: str) -> tuple["Failure", ...]:
    """The slices of a study whose masks differ from its reference, each view's worst first.

    Views without millimetres or of unknown depth have no millilitres to be wrong by, and are left
    out.

    Args:
        candidate: with reference labels.
        predictions: folder that `segment` wrote, or of masks named by the study.
        scheme: of the numbers in the predicted masks.

    Raises:
        HeartsegError: masks that cannot be read or compared.
    """
    from heartseg.measure.worst import failures_of

    study = candidate.load()
    found = study_masks(study, predictions, scheme)
    wanted = candidate.reference() if candidate.reference else {}
    covered = candidate.covered() if candidate.covered else {}
    return tuple(
        one
        for view in wanted.keys() & found.keys()
        if study.images[view].geometry.unit == "mm" and study.images[view].geometry.depth_known
        for one in failures_of(
            found[view],
            wanted[view],
            case=study.id,
            group=candidate.group or "",
            phases=study.phases.get(view),
            covered=covered.get(view),
        )
    )


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
    return cells_as_csv([row_cells(row) for row in rows])


def cells_as_csv(lines: Sequence[Mapping[str, object]]) -> str:
    """A table whose columns are the keys of its lines, in the order in which they come."""
    columns = list(dict.fromkeys(name for line in lines for name in line)) or ["case"]
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue()


def row_cells(row: "AgreementRow") -> dict[str, object]:
    """A row with its metrics as cells beside the others; None is an empty one."""
    return {
        "case": row.case,
        "phase": row.phase,
        "frame": row.frame,
        "structure": row.structure.key,
        "level": row.level,
        **row.values,
        "volume_pred_ml": row.volume_pred_ml,
        "volume_truth_ml": row.volume_truth_ml,
        "note": row.note,
    }


Masks = Mapping[View, Segmentation]
Numbers = Mapping[str, float | None]


def _agreement(
    table: "Table",
    study: Study,
    found: Masks,
    wanted: Masks,
    covered: Mapping[View, Mapping[int, tuple[Structure, ...]]] | None,
) -> Iterator["AgreementRow"]:
    """Rows of the frames and structures that the reference covers."""
    for view in wanted.keys() & found.keys():
        phases = study.phases.get(view)
        for row in table(found[view], wanted[view], case=study.id, phases=phases):
            if covered is None or row.structure in covered[view].get(row.frame, ()):
                yield row


def _findings(study: Study, masks: Masks) -> Numbers:
    from heartseg.measure.study import measure_study

    return {finding.key: finding.value for finding in measure_study(study, masks).findings}


def _clinical(
    numbers: Sequence[tuple[Numbers, Numbers]],
) -> dict[str, "ClinicalAgreement"]:
    from heartseg.measure.concordance import clinical_agreement

    agreed = {}
    for key in CLINICAL:
        ours = [found.get(key) for found, _ in numbers]
        theirs = [wanted.get(key) for _, wanted in numbers]
        if any(a is not None and b is not None for a, b in zip(ours, theirs, strict=True)):
            agreed[key] = clinical_agreement(ours, theirs)
    return agreed


def _first(problems: Mapping[str, str]) -> str:
    return next(iter(problems.values()), "none was found")
