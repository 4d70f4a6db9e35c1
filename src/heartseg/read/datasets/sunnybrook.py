"""Sunnybrook cardiac data: short-axis cine MR with contours (Radau et al., MIDAS Journal 2009).

A patient's folder holds a folder of DICOM files and, below it, text files
`IM-0001-NNNN-icontour-manual.txt` (LV endocardium, ED and ES, papillary muscles in the cavity) and
`...-ocontour-...` (epicardium, ED only): a line a point, column and row, the first pixel's centre
at (1, 1): moving the contours by one pixel against that loses edge contrast in both directions.
NNNN is the number of the DICOM file `NNNN.dcm` or `IM-0001-NNNN.dcm`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from heartseg.core.anatomy import Structure
from heartseg.core.image import Segmentation
from heartseg.core.study import Modality, Phases, Study, View
from heartseg.formats.box import natural
from heartseg.read.candidate import Candidate, Options, safe_id
from heartseg.read.contour import Places, files_below, polygon_mask, read_numbered, read_points
from heartseg.read.layout import Card, Layout

NAME = "sunnybrook"
_CONTOUR = re.compile(r"^IM-\d+-(\d+)-([io])contour-\w+\.txt$", re.I)
FIRST_PIXEL = 1.0
"""Where the contours see the centre of the first pixel."""


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient's folder.

    Attributes:
        dicom: the folder of the images.
        contours: text files by DICOM file number and kind, "i" inner or "o" outer.
    """

    folder: Path
    dicom: Path
    contours: Mapping[tuple[int, str], Path]


def find(path: Path, options: Options) -> list[Candidate]:
    """The patient of a folder, or the patients of a folder of such folders."""
    if not path.is_dir():
        return []
    folders = [path, *sorted(path.iterdir(), key=lambda folder: natural(folder.name))]
    patients = (_patient(folder) for folder in folders if folder.is_dir())
    itself = next(patients)
    found = [itself] if itself else [patient for patient in patients if patient]
    return [_candidate(patient, options) for patient in found]


def _patient(folder: Path) -> Patient | None:
    below = [entry for entry in folder.iterdir() if entry.is_dir()]
    dicom = next((entry for entry in below if "dicom" in entry.name.lower()), None)
    if dicom is None or not any("contour" in entry.name.lower() for entry in below):
        return None
    matches = ((_CONTOUR.match(file.name), file) for file in files_below(folder))
    contours = {(int(m[1]), m[2].lower()): file for m, file in matches if m}
    return Patient(folder, dicom, contours) if contours else None


def _candidate(patient: Patient, options: Options) -> Candidate:
    return Candidate(
        id=_id(patient),
        layout=NAME,
        path=patient.folder,
        load=lambda: _read(patient, options)[0],
        reference=lambda: _reference(patient, options),
        covered=lambda: {View.SAX: _covered(patient, _read(patient, options)[1])},
        patient=_id(patient),
        group=_group(_id(patient)),
        files=(*files_below(patient.dicom), *patient.contours.values()),
    )


def _id(patient: Patient) -> str:
    return safe_id(patient.folder.resolve().name)


def _group(name: str) -> str | None:
    """The diagnosis in a patient's name: heart failure with or without infarct, and so on."""
    match = re.match(r"SC-(HF-NI|HF-I|HYP|N)-", name)
    return match[1] if match else None


def _read(patient: Patient, options: Options) -> tuple[Study, Places]:
    """The study with the phases that have contours, and where each file went."""
    study, places = read_numbered(patient.dicom, _id(patient), options)
    phases = _phases(_covered(patient, places))
    return replace(
        study, phases={View.SAX: phases} if phases else {}, group=_group(study.id)
    ), places


def _covered(patient: Patient, places: Places) -> dict[int, tuple[Structure, ...]]:
    """Frames with contours, and what was drawn there."""
    kinds: dict[int, set[str]] = {}
    for number, kind in patient.contours:
        if number in places:
            kinds.setdefault(places[number][0], set()).add(kind)
    both = (Structure.LV_CAVITY, Structure.LV_MYOCARDIUM)
    return {t: both if "o" in k else both[:1] for t, k in sorted(kinds.items()) if "i" in k}


def _phases(covered: Mapping[int, tuple[Structure, ...]]) -> Phases | None:
    """ED is the frame with outer contours, ES the other one; None where it is not so."""
    ed = [frame for frame, drawn in covered.items() if Structure.LV_MYOCARDIUM in drawn]
    es = [frame for frame in covered if frame not in ed]
    if len(ed) != 1 or len(es) > 1:
        return None
    return Phases(ed=ed[0], es=es[0] if es else None, how="given")


def _reference(patient: Patient, options: Options) -> Mapping[View, Segmentation]:
    """LV cavity and, at ED, myocardium; frames and structures without contours stay empty.

    Raises:
        FormatError: a contour file without a polygon.
    """
    study, places = _read(patient, options)
    image = study.images[View.SAX]
    labels = np.zeros(image.voxels.shape, np.uint8)
    for kind, structure in (("o", Structure.LV_MYOCARDIUM), ("i", Structure.LV_CAVITY)):
        for (number, drawn), file in patient.contours.items():
            if drawn == kind and number in places:
                inside = polygon_mask(read_points(file, FIRST_PIXEL), image.geometry.shape[1:])
                labels[places[number]][inside] = structure
    structures = (Structure.LV_CAVITY, Structure.LV_MYOCARDIUM)
    return {View.SAX: Segmentation(labels, image.geometry, structures, image.times_ms)}


def _missing(path: Path) -> list[str]:
    """Patients by their folders' names that lack images or contours."""
    folders = [path, *sorted(entry for entry in path.iterdir() if entry.is_dir())]
    return [
        f"{folder.name}: no folder of DICOM files, or no contours below it"
        for folder in folders
        if _group(folder.name) and _patient(folder) is None
    ]


LAYOUT = Layout(
    name=NAME,
    find=find,
    missing=_missing,
    card=Card(
        title="Sunnybrook cardiac data: short-axis cine MR with contours",
        paper="Radau et al., MIDAS Journal 2009",
        modality=Modality.MR,
        cases="45 patients: heart failure with infarct 12, without 12, hypertrophy 12, healthy 9",
        labels="contours of the LV endocardium (ED, ES) and epicardium (ED)",
        licence="CC0 1.0: public domain; its makers ask to be cited",
        obtain="download from the Cardiac Atlas Project's Sunnybrook page and unpack",
        source="the Cardiac Atlas Project's page; the contours of a real patient for what is drawn",
        patients=45,
        tree="SC-HF-I-1/{dicom/*.dcm, contours/**/IM-0001-NNNN-icontour-manual.txt}",
    ),
)
