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
from numpy.typing import NDArray

from heartseg.core.anatomy import Structure
from heartseg.core.errors import FormatError, StudyError
from heartseg.core.image import Segmentation
from heartseg.core.study import Modality, Phases, Study, View
from heartseg.formats.box import Box, natural
from heartseg.read.candidate import Candidate, Options, safe_id
from heartseg.read.layout import Card, Layout

NAME = "sunnybrook"
_CONTOUR = re.compile(r"^IM-\d+-(\d+)-([io])contour-\w+\.txt$", re.I)
_NUMBER = re.compile(r"(\d+)(?:\.dcm)?$", re.I)
_MAX_CONTOUR_BYTES = 1_000_000
_FIRST_PIXEL = 1.0


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
    with Box(folder) as box:
        files = [folder / name for name in box.names()]
    matches = ((_CONTOUR.match(file.name), file) for file in files)
    contours = {(int(m[1]), m[2].lower()): file for m, file in matches if m}
    return Patient(folder, dicom, contours) if contours else None


def _candidate(patient: Patient, options: Options) -> Candidate:
    return Candidate(
        id=safe_id(patient.folder.resolve().name),
        layout=NAME,
        path=patient.folder,
        load=lambda: _read(patient, options)[0],
        reference=lambda: _reference(patient, options),
        covered=lambda: {View.SAX: _covered(patient, _read(patient, options)[1])},
    )


Places = Mapping[int, tuple[int, int]]
"""(frame, slice) in the study's image, by number of the DICOM file."""


def _read(patient: Patient, options: Options) -> tuple[Study, Places]:
    """The study with the phases that have contours, and where each file went."""
    from heartseg.formats.dicom import scan
    from heartseg.read import dicom_study

    name = safe_id(patient.folder.resolve().name)
    with Box(patient.dicom) as box:
        headers, notes = scan(box)
    if not headers:
        raise StudyError(patient.folder.name, got="no DICOM images in its dicom folder")
    options = replace(options, view=View.SAX)
    study = dicom_study.load(patient.dicom, name, headers, notes, options)
    (found,) = dicom_study.choose(headers, options)[0]
    places = {
        int(match[1]): (t, z)
        for t, row in enumerate(found.stack.planes)
        for z, plane in enumerate(row)
        if (match := _NUMBER.search(plane.name))
    }
    phases = _phases(_covered(patient, places))
    return replace(study, phases={View.SAX: phases} if phases else {}), places


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
                inside = polygon_mask(_points(file), image.geometry.shape[1:])
                labels[places[number]][inside] = structure
    structures = (Structure.LV_CAVITY, Structure.LV_MYOCARDIUM)
    return {View.SAX: Segmentation(labels, image.geometry, structures, image.times_ms)}


def _points(file: Path) -> NDArray[np.float64]:
    """(n, 2) column and row, counted from 0."""
    try:
        with file.open("rb") as stream:
            lines = stream.read(_MAX_CONTOUR_BYTES).decode("ascii").split()
        points = np.array(lines, np.float64).reshape(-1, 2)
    except (OSError, ValueError) as fault:
        raise FormatError(file.name, got="no contour", allowed="lines of column and row") from fault
    if len(points) < 3 or not np.isfinite(points).all():
        raise FormatError(file.name, got=f"{len(points)} points", allowed="a polygon")
    return points - _FIRST_PIXEL


def polygon_mask(points: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """(rows, columns) pixels whose centre lies inside a closed polygon, by crossing number.

    Args:
        points: (n, 2) column and row; pixel centres have whole numbers.
        shape: rows and columns of the plane.
    """
    mask = np.zeros(shape, bool)
    columns = np.arange(shape[1])
    x0, y0 = points.T
    x1, y1 = np.roll(points, -1, axis=0).T
    for row in range(max(0, int(y0.min())), min(shape[0], int(y0.max()) + 2)):
        crosses = (y0 <= row) != (y1 <= row)
        at = x0[crosses] + (row - y0[crosses]) * (x1 - x0)[crosses] / (y1 - y0)[crosses]
        mask[row] = (np.count_nonzero(at[:, None] > columns, axis=0) % 2).astype(bool)
    return mask


LAYOUT = Layout(
    name=NAME,
    find=find,
    card=Card(
        title="Sunnybrook cardiac data: short-axis cine MR with contours",
        paper="Radau et al., MIDAS Journal 2009",
        modality=Modality.MR,
        cases="45 patients",
        labels="contours of the LV endocardium (ED, ES) and epicardium (ED)",
        licence="CC0: public domain",
        obtain="download from the Cardiac Atlas Project's Sunnybrook page and unpack",
        tree="SC-HF-I-1/{dicom/*.dcm, contours/**/IM-0001-NNNN-icontour-manual.txt}",
    ),
)
