"""Which files make a CAMUS patient, in each of the three forms; no pixels are read."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from heartseg.core.study import View
from heartseg.read.facts import facts_of

_VIEWS = {"2CH": View.LAX_2CH, "4CH": View.LAX_4CH}
_SPLITS = {"training": "train", "testing": "test"}
_SUBGROUPS = {"training": "train", "validation": "validate", "testing": "test"}
_LIST_LIMIT_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Clip:
    """A still or a sequence of one view.

    Attributes:
        image: its file.
        labels: the file of its labels, None where there is none.
        format: key of `FORMATS`.
        phase: "ED" or "ES" of a still, None for a sequence.
    """

    image: Path
    labels: Path | None
    format: str
    phase: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What the file names and `Info_*.cfg` say.

    Attributes:
        name: `patientNNNN`.
        folder: with its files, or with those of all patients.
        clips: what is read of each view: one sequence, or stills, ED first.
        infos: lines of `Info_*.cfg` by view.
        files: all of its files, those that are not read too.
        split: where the data set decides it.
    """

    name: str
    folder: Path
    clips: Mapping[View, tuple[Clip, ...]]
    infos: Mapping[View, Mapping[str, str]]
    files: tuple[Path, ...]
    split: str | None = None


Patients = Callable[[Path], list[Patient]]
"""Finds the patients at a path."""


# A folder a patient


def _in_folders(path: Path, pattern: re.Pattern[str], kind: str) -> list[Patient]:
    """The patient of a folder, of folders in it, or in the parts that the archives unpack to."""
    if not path.is_dir():
        return []
    itself = _patient(path, pattern, kind)
    if itself:
        return [itself]
    places = (path, *(path / part for part in (*_SPLITS, "database_nifti")))
    folders = [f for place in places if place.is_dir() for f in sorted(place.iterdir())]
    return [one for f in folders if f.is_dir() and (one := _patient(f, pattern, kind))]


def _patient(folder: Path, pattern: re.Pattern[str], kind: str) -> Patient | None:
    if not re.match(r"patient\d+$", folder.resolve().name):
        return None
    files = sorted(folder.iterdir())
    named = {file: match for file in files if (match := pattern.match(file.name))}
    if not named:
        return None
    labels = {_key(match): file for file, match in named.items() if match["gt"]}
    clips: dict[View, list[Clip]] = {}
    for file, match in named.items():
        if not match["gt"]:
            phase = match["what"] if match["what"] in ("ED", "ES") else None
            clip = Clip(file, labels.get(_key(match)), kind, phase)
            clips.setdefault(_VIEWS[match["view"]], []).append(clip)
    infos = {view: facts_of(folder / f"Info_{name}.cfg") for name, view in _VIEWS.items()}
    name = folder.resolve().name
    shown = {_key(match) for match in named.values() if not match["gt"]}
    taken = {file for file, match in named.items() if _key(match) in shown}  # no orphaned labels
    return Patient(
        name=name,
        folder=folder,
        clips={view: _chosen(clips[view]) for view in sorted(clips)},
        infos={view: info for view, info in infos.items() if info},
        files=tuple(f for f in files if f in taken or f.suffix in (".cfg", ".raw", ".zraw")),
        split=_split(folder.resolve()),
    )


def incomplete(patient: Patient) -> Iterator[str]:
    """Stills that a patient's folder lacks, and sequences that lost their labels."""
    names = {file.name.partition(".")[0] for file in patient.files}
    for view in _VIEWS:
        for phase in ("ED", "ES"):
            if f"{patient.name}_{view}_{phase}" not in names:
                yield f"{patient.name}: no image {view} {phase}"
        sequence = f"{patient.name}_{view}_half_sequence"
        if sequence in names and sequence + "_gt" not in names and patient.split != "test":
            yield f"{sequence}: no labels of it"


def _key(match: re.Match[str]) -> tuple[str, str]:
    return match["view"], match["what"]


def _chosen(clips: list[Clip]) -> tuple[Clip, ...]:
    """A sequence with labels; else the stills, ED first; else a sequence."""
    sequences = tuple(clip for clip in clips if clip.phase is None)
    labelled = tuple(clip for clip in sequences if clip.labels)
    stills = tuple(sorted((clip for clip in clips if clip.phase), key=lambda clip: str(clip.phase)))
    return labelled or stills or sequences


def _split(folder: Path) -> str | None:
    """By the folder of the archive's part, or by the lists beside the patients' folder."""
    part = folder.parent.name
    if part in _SPLITS:
        return _SPLITS[part]
    for name, split in _SUBGROUPS.items():
        if folder.name in _listed(folder.parent.parent / "database_split" / f"subgroup_{name}.txt"):
            return split
    return None


def listed_twice(path: Path) -> list[str]:
    """Patients that more than one of the lists of the split name."""
    lists = (path / "database_split" / f"subgroup_{name}.txt" for name in _SUBGROUPS)
    named = [name for one in lists for name in _listed(one)]
    return sorted(name for name, count in Counter(named).items() if count > 1)


def _listed(file: Path) -> set[str]:
    if not file.is_file():
        return set()
    with file.open("rb") as stream:
        return set(stream.read(_LIST_LIMIT_BYTES).decode("latin-1").split())


_MHD = re.compile(r"patient\d+_(?P<view>[24]CH)_(?P<what>ED|ES|sequence)(?P<gt>_gt)?\.mhd$")
_NII = re.compile(
    r"patient\d+_(?P<view>[24]CH)_(?P<what>ED|ES|half_sequence)(?P<gt>_gt)?\.nii(\.gz)?$"
)


def metaimage_patients(path: Path) -> list[Patient]:
    """Patients of the MetaImage form."""
    return _in_folders(path, _MHD, "metaimage")


def nifti_patients(path: Path) -> list[Patient]:
    """Patients of the NIfTI form."""
    return _in_folders(path, _NII, "nifti")


# Pictures of all patients in one folder

_PNG = re.compile(r"(?P<patient>patient\d{4})_(?P<view>[24]CH)_(?P<phase>ED|ES)\.png$")


def png_patients(path: Path) -> list[Patient]:
    """Patients of the pictures in `images` at a path, or right there."""
    if not path.is_dir():
        return []
    images = path / "images" if (path / "images").is_dir() else path
    labels = path / "labels"
    named = (match for file in sorted(images.iterdir()) if (match := _PNG.match(file.name)))
    patients: dict[str, list[re.Match[str]]] = {}
    for match in named:
        patients.setdefault(match["patient"], []).append(match)
    return [_of_pictures(name, images, labels, found) for name, found in patients.items()]


def _of_pictures(name: str, images: Path, labels: Path, found: list[re.Match[str]]) -> Patient:
    clips: dict[View, list[Clip]] = {}
    for match in found:
        drawn = labels / match[0]
        clip = Clip(images / match[0], drawn if drawn.is_file() else None, "png", match["phase"])
        clips.setdefault(_VIEWS[match["view"]], []).append(clip)
    every = [clip for some in clips.values() for clip in some]
    return Patient(
        name=name,
        folder=images,
        clips={view: _chosen(clips[view]) for view in sorted(clips)},
        infos={},
        files=tuple(_files(every)),
    )


def _files(clips: list[Clip]) -> Iterator[Path]:
    for clip in clips:
        yield clip.image
        if clip.labels:
            yield clip.labels
