"""nnU-Net's raw data, version 2 and 1 (Isensee et al., Nature Methods 2021), and the Decathlon's.

`DatasetNNN_Name` (or `TaskNNN_Name`) holds `dataset.json`, `imagesTr/CASE_0000.nii.gz`, a file a
channel, `labelsTr/CASE.nii.gz`, and perhaps `imagesTs` and `labelsTs`. The Decathlon's files have
no channel in their names. `dataset.json` names the labels, as name -> number or region (version 2)
or number -> name (1); names become anatomy by the synonyms in `nnunet_names.py`, unless
`labels.toml` beside it, or the option, says what the numbers mean.

A study is one image a view, so that of several channels the first is read, and the study says so.
`splits_final.json` of one fold, as heartseg writes it, tells training from validation.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from heartseg.core.anatomy import Scheme, Structure, scheme
from heartseg.core.image import Segmentation
from heartseg.core.small_text import read_small_text
from heartseg.core.study import Modality, Study, View
from heartseg.formats.box import natural
from heartseg.read.candidate import Candidate, Options, safe_id
from heartseg.read.datasets.nnunet_names import scheme_of_names
from heartseg.read.image_file import read_labels, suffix_of
from heartseg.read.labelled import Labelled, Part, study_of
from heartseg.read.layout import Card, Layout
from heartseg.read.plain import patient_of, view_in

NAME = "nnunet"
JSON, SPLITS = "dataset.json", "splits_final.json"
_FOLDER = re.compile(r"^(Dataset|Task)\d{2,3}_")
_PARTS = (("imagesTr", "labelsTr", "train"), ("imagesTs", "labelsTs", "test"))
_CT = re.compile(r"\bct\b|\bcta\b", re.I)
_MR = re.compile(r"mr|t1|t2|ssfp|cine|lge|flair", re.I)
_US = re.compile(r"echo|ultra|\bus\b", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What `dataset.json` says.

    Attributes:
        channels: names, in the order of their numbers.
        labels: as in the file.
        ending: of all files.
    """

    channels: tuple[str, ...]
    labels: Mapping[str, Any]
    ending: str

    @property
    def modality(self) -> Modality:
        """By the name of the first channel."""
        name = self.channels[0]
        for pattern, modality in ((_CT, Modality.CT), (_US, Modality.US), (_MR, Modality.MR)):
            if pattern.search(name):
                return modality
        return Modality.OTHER


def find(path: Path, options: Options) -> list[Candidate]:
    """The cases of a data set, or of the data sets in a folder."""
    if not path.is_dir():
        return []
    named = (f for f in sorted(path.iterdir()) if _FOLDER.match(f.name))
    folders = [path] if (path / JSON).is_file() else named
    return [
        candidate
        for folder in folders
        if (folder / "imagesTr").is_dir() and (described := _description(folder / JSON))
        for candidate in _candidates(folder, described, options)
    ]


def _description(file: Path) -> Description | None:
    """None where the file is no data set's: others have a dataset.json too."""
    found = _json(file)
    if not isinstance(found, dict):
        return None
    channels = found.get("channel_names", found.get("modality"))
    labels, ending = found.get("labels"), found.get("file_ending", ".nii.gz")
    if not isinstance(channels, dict) or not isinstance(labels, dict) or not channels:
        return None
    if not isinstance(ending, str) or suffix_of("x" + ending) != ending:
        return None
    ordered = sorted(channels.items(), key=lambda item: natural(str(item[0])))
    return Description(channels=tuple(str(v) for _, v in ordered), labels=labels, ending=ending)


def _json(file: Path) -> Any:
    try:
        return json.loads(read_small_text(file))
    except (OSError, ValueError, RecursionError):
        return None


def _candidates(folder: Path, described: Description, options: Options) -> list[Candidate]:
    held_out = _held_out(folder / SPLITS)
    found = []
    for images, truths, part in _PARTS:
        for case, image in _cases(folder / images, described.ending).items():
            labels = folder / truths / f"{case}{described.ending}"
            split = "validate" if case in held_out and part == "train" else part
            pair = Part(image=image, labels=labels if labels.is_file() else None)
            found.append(_candidate(case, pair, split, described, options))
    return found


def _candidate(
    case: str, pair: Part, split: str, described: Description, options: Options
) -> Candidate:
    return Candidate(
        id=safe_id(case),
        layout=NAME,
        path=pair.image,
        load=lambda: _study(case, pair, described, options),
        reference=(lambda: _reference(pair, described, options)) if pair.labels else None,
        labels_published=split != "test",
        patient=patient_of(case),
        split=split,
        files=_files(pair, described.ending),
    )


def _files(pair: Part, ending: str) -> tuple[Path, ...]:
    """Those of the other channels too."""
    name, folder = pair.image.name.removesuffix(f"_0000{ending}"), pair.image.parent
    others = [folder / f"{name}_{number:04d}{ending}" for number in range(1, 20)]
    there = (file for file in others if file.is_file())
    return (pair.image, *there, *((pair.labels,) if pair.labels else ()))


def _study(case: str, pair: Part, described: Description, options: Options) -> Study:
    view = view_in(pair.image, described.modality, options)
    labelled = _labelled(pair, _NOTHING, options)
    first, *others = described.channels
    notes = (f"of {len(others) + 1} channels the first is read: {first}",) if others else ()
    return study_of(safe_id(case), described.modality, {view: labelled}, notes=notes)


def _reference(pair: Part, described: Description, options: Options) -> Mapping[View, Segmentation]:
    """The labels of a case.

    Raises:
        FormatError, GeometryError: as the format's reader.
        LabelError: a name or number that means no anatomy.
    """
    numbers = _scheme_of(pair.image.parent.parent, described, options)
    labelled = _labelled(pair, numbers, options)
    return {view_in(pair.image, described.modality, options): labelled.reference()}


def _scheme_of(folder: Path, described: Description, options: Options) -> Scheme:
    own = folder / "labels.toml"
    if options.scheme is not None:
        return scheme(options.scheme)
    return scheme(str(own)) if own.is_file() else scheme_of_names(JSON, described.labels)


def _labelled(pair: Part, numbers: Scheme, options: Options) -> Labelled:
    return Labelled(
        parts=(pair,),
        read_labels=partial(read_labels, scheme=numbers, spacing_mm=options.spacing_mm),
        structures=tuple(s for _, s in sorted(numbers.numbers.items()) if s),
        spacing_mm=options.spacing_mm,
    )


_NOTHING = Scheme("none", MappingProxyType({0: Structure.BACKGROUND}))
"""For reading images alone."""


def _cases(folder: Path, ending: str) -> dict[str, Path]:
    """First channels by case; files without a channel, where none has one."""
    if not folder.is_dir():
        return {}
    names = [f.name for f in folder.iterdir() if f.name.endswith(ending) and f.name[0] != "."]
    stems = sorted((name[: -len(ending)] for name in names), key=natural)
    first = [stem for stem in stems if stem.endswith("_0000")]
    channelled = any(re.search(r"_\d{4}$", stem) for stem in stems)
    if channelled:
        return {stem[:-5]: folder / f"{stem}{ending}" for stem in first}
    return {stem: folder / f"{stem}{ending}" for stem in stems}


def _held_out(file: Path) -> frozenset[str]:
    """Cases of the one validation part; none where there are several folds, or none."""
    folds = _json(file) if file.is_file() else None
    if not isinstance(folds, list) or len(folds) != 1 or not isinstance(folds[0], dict):
        return frozenset()
    cases = folds[0].get("val")
    return frozenset(str(case) for case in cases) if isinstance(cases, list) else frozenset()


def missing(path: Path) -> list[str]:
    """Labels without images, and a count that does not fit."""
    lines = []
    for folder in {candidate.path.parent.parent for candidate in find(path, Options())}:
        described = _description(folder / JSON)
        ending = described.ending if described else ""
        images = set(_cases(folder / "imagesTr", ending))
        truths = set(_cases(folder / "labelsTr", ending))
        lines += [f"{case}: no image in imagesTr" for case in sorted(truths - images)]
        said = (_json(folder / JSON) or {}).get("numTraining")
        if said != len(images):
            lines.append(f"{JSON}: numTraining is {said}, imagesTr holds {len(images)} cases")
    return lines


LAYOUT = Layout(
    name=NAME,
    find=find,
    missing=missing,
    card=Card(
        title="nnU-Net raw data, and the Medical Segmentation Decathlon's",
        paper="Isensee et al., Nature Methods 2021",
        modality=Modality.OTHER,
        cases="any",
        labels="as dataset.json names them, or labels.toml beside it",
        licence="that of the data; the Medical Segmentation Decathlon's is CC BY-SA 4.0",
        obtain="heartseg writes any data set that it reads in this form",
        source="the Medical Segmentation Decathlon's page, for its licence",
        tree="DatasetNNN_NAME/{dataset.json, imagesTr/CASE_0000.nii.gz, labelsTr/CASE.nii.gz}",
    ),
)
