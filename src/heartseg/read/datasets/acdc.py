"""ACDC: short-axis cine MR, ED and ES (Bernard et al., IEEE TMI 2018).

A patient's folder holds `Info.cfg` and, for each of two frames, `patientNNN_frameMM.nii.gz` with
labels in `..._gt.nii.gz` (0 background, 1 RV, 2 myocardium, 3 LV). The affines hold no patient
orientation, so left and right are not known.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from heartseg.core.anatomy import SCHEMES
from heartseg.core.errors import GeometryError, StudyError
from heartseg.core.image import Image, Segmentation
from heartseg.core.study import Body, Modality, Phases, Source, Study, View
from heartseg.read.body import body_of
from heartseg.read.candidate import Candidate, Options, require_picture, safe_id, stem_of
from heartseg.read.layout import Card, Layout

NAME = "acdc"
_FRAME = re.compile(r"^(patient\d+)_frame(\d+)\.nii(\.gz)?$")
_INFO_LIMIT = 4096


@dataclass(frozen=True, slots=True)
class Patient:
    """What `Info.cfg` and the file names say.

    Attributes:
        frames: image of each frame, by the number in its name, ascending.
        info: the lines of `Info.cfg`.
    """

    folder: Path
    frames: Mapping[int, Path]
    info: Mapping[str, str]


def find(path: Path, options: Options) -> list[Candidate]:
    """The patient of a folder, or the patients of a folder of such folders."""
    folders = [path] if _is_patient(path) else _patients_in(path)
    return [_candidate(folder, options) for folder in folders]


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
    has_labels = all(_labels_of(file) for file in _frames(folder).values())
    return Candidate(
        id=safe_id(folder.resolve().name),
        layout=NAME,
        path=folder,
        load=lambda: read_patient(folder, options),
        reference=(lambda: read_reference(folder, options)) if has_labels else None,
    )


def _labels_of(image: Path) -> Path | None:
    stem = stem_of(image)
    for suffix in (".nii.gz", ".nii"):
        file = image.with_name(stem + "_gt" + suffix)
        if file.is_file():
            return file
    return None


def read_patient(folder: Path, options: Options = Options()) -> Study:  # noqa: B008
    """One study: the frames of `Info.cfg` as one image, in the order of their numbers.

    Raises:
        StudyError: `Info.cfg` and the files do not fit together.
        FormatError, GeometryError: as `formats.nifti.read_image`.
    """
    from heartseg.formats import nifti

    patient = _patient(folder)
    ed, es = _number(patient, "ED"), _number(patient, "ES")
    numbers = [n for n in patient.frames if n in (ed, es)]
    for number in (ed, es):
        if number not in numbers:
            raise _missing_frame(patient, number)
    files = [patient.frames[number] for number in numbers]
    images = [nifti.read_image(file, options.spacing_mm) for file in files]
    for image, file in zip(images, files, strict=True):
        require_picture(image.voxels, file.name)
    body, notes = _body(patient.info)
    view = options.view or View.SAX
    return Study(
        id=safe_id(folder.resolve().name),
        modality=Modality.MR,
        images={view: _stacked(images, files)},
        sources={
            view: tuple(
                Source(stem=safe_id(stem_of(file)), format="nifti", path=file, frames=(index,))
                for index, file in enumerate(files)
            )
        },
        phases={view: Phases(ed=numbers.index(ed), es=numbers.index(es), how="given")},
        body=body,
        notes=(*nifti.read_info(files[0], options.spacing_mm).notes, *notes),
        group=patient.info.get("Group"),
    )


def read_reference(
    folder: Path,
    options: Options = Options(),  # noqa: B008
) -> Mapping[View, Segmentation]:
    """The published labels on the frames of `read_patient`.

    Raises:
        StudyError: a frame has no labels.
        FormatError, GeometryError, LabelError: as `formats.nifti.read_labels`.
    """
    from heartseg.formats import nifti

    patient = _patient(folder)
    wanted = (_number(patient, "ED"), _number(patient, "ES"))
    frames = []
    for number in (n for n in patient.frames if n in wanted):
        file = _labels_of(patient.frames[number])
        if file is None:
            raise StudyError(folder.name, got=f"no labels for frame {number}")
        frame = nifti.read_labels(file, SCHEMES[NAME], options.spacing_mm)
        image = nifti.read_info(patient.frames[number], options.spacing_mm)
        if frame.frames != 1 or not frame.geometry.same_grid(image.geometry):
            raise _other_grid(file, frame)
        frames.append(frame)
    first = frames[0]
    labels = np.concatenate([frame.labels for frame in frames])
    view = options.view or View.SAX
    return {view: Segmentation(labels, first.geometry, first.structures)}


def _other_grid(file: Path, frame: Segmentation) -> GeometryError:
    return GeometryError(
        file.name,
        got=f"labels on another grid: {frame.frames} frames of {frame.geometry.shape}",
        allowed="one frame on the image's grid",
        do="download the patient again",
    )


def _patient(folder: Path) -> Patient:
    text = (folder / "Info.cfg").read_bytes()[:_INFO_LIMIT].decode("utf-8", "replace")
    pairs = (line.partition(":") for line in text.splitlines() if ":" in line)
    info = {key.strip(): value.strip() for key, _, value in pairs}
    return Patient(folder, _frames(folder), info)


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


def _stacked(images: list[Image], files: list[Path]) -> Image:
    first = images[0]
    for image, file in zip(images, files, strict=True):
        if image.frames != 1 or not image.geometry.same_grid(first.geometry):
            raise GeometryError(
                file.name,
                got=f"{image.frames} frames of {image.geometry.shape}",
                allowed=f"one frame on the grid of {files[0].name}",
            )
    return Image(np.concatenate([image.voxels for image in images]), first.geometry)


def _body(info: Mapping[str, str]) -> tuple[Body, tuple[str, ...]]:
    height, weight = info.get("Height"), info.get("Weight")
    return body_of(height_cm=height, weight_kg=weight, source="Info.cfg")


LAYOUT = Layout(
    name=NAME,
    find=find,
    card=Card(
        title="ACDC: short-axis cine MR, end-diastole and end-systole, five groups of diagnosis",
        paper="Bernard et al., IEEE TMI 2018",
        modality=Modality.MR,
        cases="100 patients to train (200 volumes), 50 to test",
        labels="RV cavity, LV myocardium, LV cavity; scheme acdc",
        licence="CC BY-NC-SA 4.0: research, no commerce, cite",
        obtain="register at the ACDC challenge page of CREATIS, Lyon, and unpack the archive",
        tree="training/patientNNN/{Info.cfg, patientNNN_frameMM.nii.gz, ..._gt.nii.gz}",
    ),
)
