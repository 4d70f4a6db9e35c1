"""RVSC: right ventricles in short-axis cine MR (MICCAI 2012; Petitjean et al., MedIA 2015).

A patient's folder holds `PNNdicom/PNN-NNNN.dcm` and, in `PNNcontours-manual`, text files
`PNN-NNNN-icontour-manual.txt` (RV endocardium) and `...-ocontour-...` (epicardium) at end-diastole
and end-systole, numbered like the DICOM file, a line a point, column and row. The first pixel
reaches from 0 to 1, so its centre lies at 0.5: with that, and no other offset, the masks of the
challenge's own tool hold every pixel of the polygon, and those that its line touches besides.

Only the cavity is read, as ACDC's label RV is the cavity: heartseg knows no RV wall.
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

NAME = "rvsc"
FIRST_PIXEL = 0.5
"""Where the contours see the centre of the first pixel."""

_DICOM = re.compile(r"^(P\d+)dicom$", re.I)
_CONTOUR = re.compile(r"^P\d+-(\d+)-icontour-manual\.txt$", re.I)
_ANY_CONTOUR = re.compile(r"^P\d+-\d+-[io]contour-\w+\.txt$", re.I)


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient's folder.

    Attributes:
        name: as in the file names, `P09`.
        dicom: the folder of the images.
        contours: of the endocardium, by DICOM file number.
        files: contours of the epicardium too.
    """

    name: str
    folder: Path
    dicom: Path
    contours: Mapping[int, Path]
    files: tuple[Path, ...]


def find(path: Path, options: Options) -> list[Candidate]:
    """The patient of a folder, or the patients of a folder of such folders."""
    if not path.is_dir():
        return []
    itself = _patient(path)
    if itself:
        return [_candidate(itself, options)]
    folders = sorted((f for f in path.iterdir() if f.is_dir()), key=lambda f: natural(f.name))
    return [_candidate(one, options) for one in map(_patient, folders) if one]


def _patient(folder: Path) -> Patient | None:
    below = {entry.name: entry for entry in folder.iterdir() if entry.is_dir()}
    named = next((match for match in map(_DICOM.match, sorted(below)) if match), None)
    if named is None:
        return None
    name, dicom = named[1], below[named[0]]
    drawn = below.get(f"{name}contours-manual")
    texts = files_below(drawn) if drawn else []
    matches = ((_CONTOUR.match(file.name), file) for file in texts)
    return Patient(
        name=safe_id(name),
        folder=folder,
        dicom=dicom,
        contours={int(match[1]): file for match, file in matches if match},
        files=(*files_below(dicom), *(file for file in texts if _ANY_CONTOUR.match(file.name))),
    )


def _candidate(patient: Patient, options: Options) -> Candidate:
    drawn = bool(patient.contours)
    return Candidate(
        id=patient.name,
        layout=NAME,
        path=patient.folder,
        load=lambda: _read(patient, options)[0],
        reference=(lambda: _reference(patient, options)) if drawn else None,
        covered=(lambda: {View.SAX: _covered(patient, _read(patient, options)[1])})
        if drawn
        else None,
        patient=patient.name,
        files=patient.files,
    )


def _read(patient: Patient, options: Options) -> tuple[Study, Places]:
    """The study with the phases that have contours, and where each file went."""
    study, places = read_numbered(patient.dicom, patient.name, options)
    frames = list(_covered(patient, places))
    if len(frames) != 2:
        return study, places
    phases = Phases(ed=frames[0], es=frames[1], how="given")
    return replace(study, phases={View.SAX: phases}), places


def _covered(patient: Patient, places: Places) -> dict[int, tuple[Structure, ...]]:
    """Frames with contours: the cine starts at end-diastole, so the earlier one is that."""
    frames = {places[number][0] for number in patient.contours if number in places}
    return dict.fromkeys(sorted(frames), (Structure.RV_CAVITY,))


def _reference(patient: Patient, options: Options) -> Mapping[View, Segmentation]:
    """The RV cavity in the frames that have contours; the others stay empty.

    Raises:
        FormatError: a contour file without a polygon.
    """
    study, places = _read(patient, options)
    image = study.images[View.SAX]
    labels = np.zeros(image.voxels.shape, np.uint8)
    for number, file in patient.contours.items():
        if number in places:
            inside = polygon_mask(read_points(file, FIRST_PIXEL), image.geometry.shape[1:])
            labels[places[number]][inside] = Structure.RV_CAVITY
    found = (Structure.RV_CAVITY,)
    return {View.SAX: Segmentation(labels, image.geometry, found, image.times_ms)}


def _missing(path: Path) -> list[str]:
    """Contours that the patients' own lists name and that are not there."""
    lacking = []
    for text in files_below(path):
        match = re.fullmatch(r"(P\d+)list\.txt", text.name, re.I)
        drawn = text.parent / f"{match[1]}contours-manual" if match else None
        if drawn is None:
            continue
        named = re.findall(r"P\d+-\d+-[io]contour-manual\.txt", _text(text))
        lacking += [
            f"{name}: named in {text.name}, not there"
            for name in named
            if not (drawn / name).is_file()
        ]
    return lacking


def _text(file: Path) -> str:
    with file.open("rb") as stream:
        return stream.read(100_000).decode("latin-1")


LAYOUT = Layout(
    name=NAME,
    find=find,
    missing=_missing,
    card=Card(
        title="RVSC: short-axis cine MR with contours of the right ventricle",
        paper="Petitjean et al., Medical Image Analysis 2015",
        modality=Modality.MR,
        cases="48 patients: 16 to train with contours, two times 16 to test",
        labels="contours of the RV endocardium and epicardium (ED, ES); the cavity is read",
        licence="not confirmed: the paper calls the data public without naming terms; ask LITIS",
        obtain="by the challenge's page of LITIS, Rouen, and unpack the archives",
        source="the paper's abstract (48 patients); a public summary of it for the three parts",
        patients=48,
        tree=(
            "patientNN/{PNNdicom/PNN-NNNN.dcm, PNNlist.txt}\n"
            "patientNN/PNNcontours-manual/PNN-NNNN-{i,o}contour-manual.txt"
        ),
    ),
)
