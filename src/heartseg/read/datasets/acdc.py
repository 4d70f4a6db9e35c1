"""ACDC: short-axis cine MR, ED and ES (Bernard et al., IEEE TMI 2018).

A patient's folder holds `Info.cfg` and, for each of two frames, `patientNNN_frameMM.nii.gz` with
labels in `..._gt.nii.gz` (0 background, 1 RV, 2 myocardium, 3 LV). The affines hold no patient
orientation, so left and right are not known. The archive's folders `training` and `testing` decide
the split. Scribbles of the same frames (Valvano et al., IEEE TMI 2021) lie in the patient's folder
or in one called `scribbles` beside `training`: `patientNNN_frameMM_scribble.nii.gz`, where 4 means
that nobody said what the voxel is.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from heartseg.core.anatomy import SCHEMES
from heartseg.core.errors import GeometryError, StudyError
from heartseg.core.image import Segmentation, SparseSegmentation
from heartseg.core.study import Body, Modality, Phases, Study, View
from heartseg.read.body import body_of
from heartseg.read.candidate import Candidate, Options, safe_id, stem_of
from heartseg.read.facts import facts_of
from heartseg.read.image_file import read_labels, read_noted
from heartseg.read.labelled import Labelled, Part, references, study_of
from heartseg.read.layout import Card, Layout

NAME = "acdc"
SCHEME = SCHEMES["acdc"]
STRUCTURES = SCHEME.structures
_FRAME = re.compile(r"^(patient\d+)_frame(\d+)\.nii(\.gz)?$")
_SCRIBBLE = "_scribble"
_NOT_ANNOTATED = 4
_SPLITS = {"training": "train", "testing": "test"}


@dataclass(frozen=True, slots=True)
class Patient:
    """What `Info.cfg` and the file names say.

    Attributes:
        frames: image of each frame, by the number in its name, ascending.
        info: the lines of `Info.cfg`.
        scribbles: sparse labels by frame, in the places where they may lie.
    """

    folder: Path
    frames: Mapping[int, Path]
    info: Mapping[str, str]
    scribbles: Mapping[int, Path]


def find(path: Path, options: Options) -> list[Candidate]:
    """The patient of a folder, the patients of a folder of such folders, or of the archive's."""
    if not path.is_dir():
        return []
    if _is_patient(path):
        return [_candidate(path, options)]
    places = (path, *(root / part for root in (path, path / "database") for part in _SPLITS))
    return [_candidate(folder, options) for place in places for folder in _patients_in(place)]


def _patients_in(path: Path) -> list[Path]:
    if not path.is_dir():
        return []
    return [folder for folder in sorted(path.iterdir()) if _is_patient(folder)]


def _is_patient(path: Path) -> bool:
    return path.is_dir() and (path / "Info.cfg").is_file() and bool(_frames(path))


def _frames(folder: Path) -> dict[int, Path]:
    matches = ((_FRAME.match(file.name), file) for file in folder.iterdir())
    return dict(sorted((int(match[2]), file) for match, file in matches if match))


def _candidate(folder: Path, options: Options) -> Candidate:
    patient = _patient(folder)
    labels = [_labels_of(file) for file in patient.frames.values()]
    name = safe_id(folder.resolve().name)
    return Candidate(
        id=name,
        layout=NAME,
        path=folder,
        load=lambda: read_patient(folder, options),
        reference=(lambda: read_reference(folder, options)) if all(labels) else None,
        scribbles=(lambda: read_scribbles(folder, options)) if patient.scribbles else None,
        patient=name,
        split=_SPLITS.get(folder.resolve().parent.name),
        group=patient.info.get("Group"),
        files=(
            folder / "Info.cfg",
            *patient.frames.values(),
            *(file for file in labels if file),
            *patient.scribbles.values(),
            *sorted(folder.glob("*_4d.nii*")),  # the whole cine, which has no labels: not read
        ),
    )


def _labels_of(image: Path) -> Path | None:
    return _beside(image.parent, stem_of(image) + "_gt")


def _scribbles_of(image: Path) -> Path | None:
    name = stem_of(image) + _SCRIBBLE
    places = (image.parent, *(up / "scribbles" for up in image.absolute().parents[1:3]))
    return next((file for place in places if (file := _beside(place, name))), None)


def _beside(folder: Path, stem: str) -> Path | None:
    files = (folder / (stem + suffix) for suffix in (".nii.gz", ".nii"))
    return next((file for file in files if file.is_file()), None)


def _views(
    folder: Path,
    labels: Mapping[int, Path | None],
    read: Callable[[Path], Segmentation],
    options: Options,
) -> dict[View, Labelled]:
    """The frames of `Info.cfg` as one image, in the order of their numbers."""
    parts = tuple(
        Part(image=file, labels=labels.get(number))
        for number, file in _shown(_patient(folder)).items()
    )
    view = options.view or View.SAX
    labelled = Labelled(
        parts=parts, read_labels=read, structures=STRUCTURES, spacing_mm=options.spacing_mm
    )
    return {view: labelled}


def read_patient(folder: Path, options: Options = Options()) -> Study:  # noqa: B008
    """One study: the frames of `Info.cfg` as one image, in the order of their numbers.

    Raises:
        StudyError: `Info.cfg` and the files do not fit together.
        FormatError, GeometryError: as `study_of`.
    """
    patient = _patient(folder)
    numbers = list(_shown(patient))
    ed, es = (numbers.index(_number(patient, key)) for key in ("ED", "ES"))
    body, notes = _body(patient.info)
    views = _views(folder, {}, _reader(options), options)
    study = study_of(
        safe_id(folder.resolve().name),
        Modality.MR,
        views,
        dict.fromkeys(views, Phases(ed=ed, es=es, how="given")),
        body=body,
        notes=notes,
        group=patient.info.get("Group"),
    )
    (image,) = study.images.values()
    if image.frames != len(numbers):
        raise GeometryError(
            folder.name,
            got=f"{image.frames} frames in {len(numbers)} files",
            allowed="one frame a file",
            do="download the patient again",
        )
    return study


def _reader(options: Options) -> Callable[[Path], Segmentation]:
    return partial(read_labels, scheme=SCHEME, spacing_mm=options.spacing_mm)


def read_reference(
    folder: Path,
    options: Options = Options(),  # noqa: B008
) -> Mapping[View, Segmentation]:
    """The published labels on the frames of `read_patient`.

    Raises:
        StudyError: `Info.cfg` and the files do not fit together.
        FormatError, GeometryError, LabelError: as `references`.
    """
    files = {number: _labels_of(image) for number, image in _frames(folder).items()}
    return references(_views(folder, files, _reader(options), options))


def read_scribbles(
    folder: Path,
    options: Options = Options(),  # noqa: B008
) -> Mapping[View, SparseSegmentation]:
    """The scribbles on the frames of `read_patient`.

    Raises:
        StudyError: a frame has none.
        FormatError, GeometryError, LabelError: as `read_reference`.
    """
    drawn = []

    def read(file: Path) -> Segmentation:
        numbers, _ = read_noted(file, options.spacing_mm)
        drawn.append(numbers.voxels != _NOT_ANNOTATED)
        labels = SCHEME.read(np.where(drawn[-1], numbers.voxels, 0), where=file.name)
        return Segmentation(labels, numbers.geometry, STRUCTURES)

    patient = _patient(folder)
    bare = _shown(patient).keys() - patient.scribbles.keys()
    if bare:
        raise StudyError(folder.name, got=f"no scribbles for frame {min(bare)}")
    found = references(_views(folder, patient.scribbles, read, options))
    annotated = np.concatenate(drawn)
    return {view: SparseSegmentation(seg, annotated) for view, seg in found.items()}


def _patient(folder: Path) -> Patient:
    frames = _frames(folder)
    drawn = {number: _scribbles_of(file) for number, file in frames.items()}
    return Patient(
        folder,
        frames,
        facts_of(folder / "Info.cfg"),
        {number: file for number, file in drawn.items() if file},
    )


def _shown(patient: Patient) -> dict[int, Path]:
    """Images of end-diastole and end-systole by number, ascending.

    Raises:
        StudyError: one of them is not there.
    """
    wanted = (_number(patient, "ED"), _number(patient, "ES"))
    for number in wanted:
        if number not in patient.frames:
            raise _missing_frame(patient, number)
    return {number: file for number, file in patient.frames.items() if number in wanted}


def _number(patient: Patient, key: str) -> int:
    value = patient.info.get(key, "")
    if not value.isdigit():
        raise StudyError(
            f"{patient.folder.name}/Info.cfg",
            got=f"{key}: '{value[:20]}'",
            allowed="the number of a frame",
            do=f"write the line '{key}: N'",
        )
    return int(value)


def _missing_frame(patient: Patient, number: int) -> StudyError:
    return StudyError(
        patient.folder.name,
        got=f"frame {number} in Info.cfg but no image of it",
        allowed="frames " + ", ".join(map(str, patient.frames)),
        do="download the patient again, or correct Info.cfg",
    )


def _body(info: Mapping[str, str]) -> tuple[Body, tuple[str, ...]]:
    height, weight = info.get("Height"), info.get("Weight")
    return body_of(height_cm=height, weight_kg=weight, source="Info.cfg")


def _missing(path: Path) -> list[str]:
    """Folders named like patients that lack `Info.cfg` or frames."""
    names = sorted(folder for folder in path.rglob("patient[0-9]*") if folder.is_dir())
    return [
        f"{folder.relative_to(path).as_posix()}: no Info.cfg, or no image of a frame"
        for folder in names
        if not _is_patient(folder)
    ]


LAYOUT = Layout(
    name=NAME,
    find=find,
    scheme="acdc",
    missing=_missing,
    card=Card(
        title="ACDC: short-axis cine MR, end-diastole and end-systole, five groups of diagnosis",
        paper="Bernard et al., IEEE TMI 2018",
        modality=Modality.MR,
        cases="100 patients to train (200 volumes), 50 to test (100), labelled; scribbles to train",
        labels="RV cavity, LV myocardium, LV cavity; scheme acdc",
        licence="CC BY-NC-SA 4.0, non-commercial research only, cite; scribbles: not confirmed",
        obtain=(
            "download from the Human Heart Project of CREATIS, Lyon, which the ACDC challenge's "
            "page names; scribbles from the page of Valvano et al., IEEE TMI 2021"
        ),
        source=(
            "LICENSE_TERMS.md and MANDATORY_CITATION.md of the archive; the challenge's page, of "
            "which users' READMEs quote the scanners; "
            "the scribbles' page, which names no licence"
        ),
        scanners="Siemens: Area at 1.5 T and Trio Tim at 3.0 T, one hospital over six years",
        patients=150,
        tree=(
            "{training,testing}/patientNNN/{Info.cfg, patientNNN_frameMM.nii.gz, ..._gt.nii.gz}\n"
            "scribbles/patientNNN_frameMM_scribble.nii.gz (optional; 4 = not annotated)"
        ),
    ),
)
