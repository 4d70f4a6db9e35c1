"""Any data set that heartseg reads, written as nnU-Net's raw data, version 2.

A case is one labelled frame in 3-D, on its own grid. Patients stay together: nnU-Net would split by
case and put end-diastole and end-systole of one heart on both sides, so `splits_final.json` is
always written. It takes effect from the folder of preprocessed data, where the user copies it.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from heartseg.core.anatomy import Scheme, Structure
from heartseg.core.errors import HeartsegError, LabelError, OutputError, StudyError
from heartseg.core.image import Image, Segmentation
from heartseg.core.study import Modality, View
from heartseg.formats import nifti
from heartseg.read.candidate import Candidate
from heartseg.read.datasets.nnunet import JSON, SPLITS

FOLDS = 5
"""As nnU-Net cross-validates, where the data set names no part to validate on."""

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]{0,50}$")
_ENDING = ".nii.gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case that was written: its identifier, its patient and its split."""

    name: str
    patient: str
    split: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was written.

    Attributes:
        folder: `DatasetNNN_Name`.
        cases: in their order.
        skipped: id of a study, and why nothing of it was written.
    """

    folder: Path
    cases: tuple[Case, ...]
    skipped: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Export:
    """The state of one export: what was found in the first study holds for all."""

    folder: Path
    view: View | None
    structures: tuple[Structure, ...] = ()
    modality: Modality = Modality.OTHER
    cases: list[Case] = field(default_factory=list)

    @property
    def scheme(self) -> Scheme:
        """Numbers from 0 without a gap, as nnU-Net wants them."""
        numbered = dict(enumerate((Structure.BACKGROUND, *self.structures)))
        return Scheme("nnunet", MappingProxyType(numbered))


def write_nnunet(
    candidates: Iterable[Candidate],
    out: Path,
    *,
    number: int,
    name: str,
    view: View | None = None,
    split_of: Callable[[Candidate], str | None] = lambda candidate: candidate.split,
    step: Callable[[], None] = lambda: None,
) -> Written:
    """Write the labelled frames of studies; one study is in memory at a time.

    Args:
        candidates: from `find_studies`; what cannot be read or has no labels is skipped and said.
        out: in which `DatasetNNN_Name` is made, e.g. the folder `nnUNet_raw`.
        number: 1 to 999.
        name: of the data set.
        view: which image of each study; None where each has one labelled image only.
        split_of: "test" goes to imagesTs and labelsTs, "validate" to the validation part of
            `splits_final.json`, the rest trains. Without any "validate", five folds by patient.
        step: called after each study.

    Raises:
        OutputError: the folder is there already or cannot be written, or the name cannot be one.
        StudyError: nothing to write.
    """
    export = _Export(_new_folder(out, number, name), view)
    skipped = []
    for candidate in candidates:
        try:
            _write_study(export, candidate, split_of(candidate) or "train")
        except OutputError:
            raise
        except HeartsegError as fault:
            skipped.append((candidate.id, str(fault)))
        step()
    if not any(case.split != "test" for case in export.cases):
        raise StudyError(
            export.folder.name,
            got="no labelled frame to train on",
            do=f"the first reason: {skipped[0][1]}" if skipped else "name a data set with labels",
        )
    _write_json(export.folder / JSON, _dataset_json(export, name))
    _write_json(export.folder / SPLITS, folds(export.cases))
    return Written(folder=export.folder, cases=tuple(export.cases), skipped=tuple(skipped))


def _new_folder(out: Path, number: int, name: str) -> Path:
    if not 1 <= number <= 999 or not _NAME.match(name):
        raise OutputError(
            f"Dataset{number}_{name[:50]}",
            got="no name that nnU-Net takes",
            allowed="a number from 1 to 999, and letters, digits, _ and -",
        )
    folder = out / f"Dataset{number:03d}_{name}"
    try:
        for part in ("imagesTr", "labelsTr"):
            (folder / part).mkdir(parents=True)
    except OSError as fault:
        raise OutputError(
            folder.name, got=f"{fault.strerror}", do="choose another number, or an empty folder"
        ) from fault
    return folder


def _write_study(export: _Export, candidate: Candidate, split: str) -> None:
    if candidate.reference is None:
        raise StudyError(candidate.id, got="no labels")
    truth = candidate.reference()
    view = _view(candidate.id, tuple(truth), export.view)
    seg, study = truth[view], candidate.load()
    image = study.images[view]
    frames = _frames(candidate, view, seg)
    if export.structures and set(seg.structures) != set(export.structures):
        raise LabelError(
            candidate.id,
            got=", ".join(s.title for s in seg.structures),
            allowed=", ".join(s.title for s in export.structures) + ", as the first study",
            do="export studies with other labels as a data set of their own",
        )
    if not export.structures:
        export.structures, export.modality = seg.structures, study.modality
    patient = candidate.patient or candidate.id
    for frame in frames:
        case = Case(name=f"{candidate.id}_frame{frame:02d}", patient=patient, split=split)
        _write_case(export, case, image.part([frame]), seg.part([frame]))


def _view(study: str, views: Sequence[View], wanted: View | None) -> View:
    if wanted is None and len(views) == 1:
        return views[0]
    if wanted is None or wanted not in views:
        raise StudyError(
            study,
            got=f"labels of {', '.join(views) or 'no view'}",
            allowed=wanted or "one view",
            do="pass --view",
        )
    return wanted


def _frames(candidate: Candidate, view: View, seg: Segmentation) -> list[int]:
    """Frames on which everything was drawn, and something is: elsewhere background means nothing.

    Raises:
        StudyError: there is none.
    """
    drawn = range(seg.frames)
    covered = dict.fromkeys(drawn, seg.structures)
    if candidate.covered is not None:
        covered = dict(candidate.covered().get(view, {}))
    whole = [t for t in drawn if set(seg.structures) <= set(covered.get(t, ()))]
    found = [t for t in whole if seg.labels[t].any()]
    if not found:
        raise StudyError(candidate.id, got="no frame on which all structures are drawn")
    return found


def _write_case(export: _Export, case: Case, image: Image, labels: Segmentation) -> None:
    part = "Ts" if case.split == "test" else "Tr"
    images, truths = (export.folder / f"{kind}{part}" for kind in ("images", "labels"))
    try:
        images.mkdir(exist_ok=True)
        truths.mkdir(exist_ok=True)
    except OSError as fault:
        raise OutputError(export.folder.name, got=f"{fault.strerror}") from fault
    nifti.write_image(images / f"{case.name}_0000{_ENDING}", image)
    nifti.write_labels(truths / f"{case.name}{_ENDING}", labels, export.scheme)
    export.cases.append(case)


# The two JSON files


def _dataset_json(export: _Export, name: str) -> dict[str, object]:
    """A channel called CT is normalised as CT by nnU-Net, any other by its mean and deviation."""
    channel = "CT" if export.modality is Modality.CT else str(export.modality)
    return {
        "name": name,
        "description": "written by heartseg; one case is one labelled frame",
        "channel_names": {"0": channel},
        "labels": {s.title: n for n, s in export.scheme.numbers.items()},
        "numTraining": sum(case.split != "test" for case in export.cases),
        "file_ending": _ENDING,
    }


def folds(cases: Sequence[Case]) -> list[dict[str, list[str]]]:
    """`splits_final.json`: no patient on both sides.

    One fold where the cases name a part to validate on, else five by patient (fewer patients,
    fewer folds); a single patient is in both lists, for nnU-Net needs both.
    """
    training = [case for case in cases if case.split != "test"]
    if any(case.split == "validate" for case in training):
        held = [{case.patient for case in training if case.split == "validate"}]
    else:
        patients = sorted({case.patient for case in training})
        count = min(FOLDS, len(patients))
        held = [set(patients[k::count]) for k in range(count)]
    return [_fold(training, patients) for patients in held]


def _fold(cases: Sequence[Case], held: set[str]) -> dict[str, list[str]]:
    val = sorted(case.name for case in cases if case.patient in held)
    train = sorted(case.name for case in cases if case.patient not in held)
    return {"train": train or val, "val": val}


def _write_json(file: Path, content: object) -> None:
    try:
        file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    except OSError as fault:
        raise OutputError(file.name, got=f"{fault.strerror}") from fault
