"""EMIDEC: late-enhancement short-axis MR with infarcts (Lalande et al., Data 2020), in two forms.

A case to train with is called after its group: `Case_N001` shows no infarct, `Case_P001` one; test
cases, whose group is not told, are called `Case_001`. Labels: 0 background, 1 LV cavity,
2 myocardium, 3 infarct, 4 no-reflow.

* as published (`emidec`): `Case_P001/Images/Case_P001.nii.gz`, `Case_P001/Contours/...` of the same
  name, and `Case P001.txt` with facts of the patient beside the folders;
* pictures (`emidec-png`): `images/Case_P001_slice000.png`, labels of the same name in `labels`; the
  slices of a case are stacked in the order of their numbers, in pixels.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from heartseg.core.anatomy import SCHEMES
from heartseg.core.errors import StudyError
from heartseg.core.image import Image, Segmentation
from heartseg.core.study import Body, Modality, Source, Study, View
from heartseg.read.body import body_of
from heartseg.read.candidate import Candidate, Options, require_picture, safe_id, stem_of
from heartseg.read.facts import facts_of
from heartseg.read.joined import joined_labels, joined_slices
from heartseg.read.layout import Card, Layout

SCHEME = SCHEMES["emidec"]
_CASE = re.compile(r"Case_([NP]?)\d+$")
_SLICE = re.compile(r"(Case_[NP]?\d+)_slice(\d+)\.png$")
_GROUPS = {"N": "normal", "P": "infarct"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The files of a case.

    Attributes:
        images: one NIfTI file, or the pictures of its slices, ascending.
        labels: for each of them; None where there is none.
        facts: the text file, which may not be there.
    """

    name: str
    folder: Path
    images: tuple[Path, ...]
    labels: tuple[Path | None, ...]
    facts: Path | None = None

    @property
    def group(self) -> str | None:
        """By the letter in its name."""
        match = _CASE.match(self.name)
        return _GROUPS.get(match[1]) if match else None

    @property
    def files(self) -> tuple[Path, ...]:
        """All that are there."""
        there = (*self.images, *self.labels, self.facts)
        return tuple(file for file in there if file is not None)


def _candidate(case: Case, layout: str, options: Options) -> Candidate:
    read = _read_volume if layout == LAYOUT.name else _read_slices
    truth = _volume_labels if layout == LAYOUT.name else _slice_labels
    return Candidate(
        id=safe_id(case.name),
        layout=layout,
        path=case.folder,
        load=lambda: _study(case, read(case, options), options),
        reference=(lambda: truth(case, options)) if any(case.labels) else None,
        patient=case.name,
        split="train" if case.group else "test",
        group=case.group,
        files=case.files,
    )


def _study(case: Case, image: Image, options: Options) -> Study:
    require_picture(image.voxels, case.name)
    body, notes = _body(case)
    view = options.view or View.LATE_ENHANCEMENT
    first = case.images[0]
    many = len(case.images) > 1 or bool(_SLICE.match(first.name))
    return Study(
        id=safe_id(case.name),
        modality=Modality.MR,
        images={view: image},
        sources={
            view: (
                Source(
                    stem=safe_id(case.name if many else stem_of(first)),
                    format="png" if many else "nifti",
                    path=first,
                    frames=(0,),
                ),
            )
        },
        body=body,
        notes=(*((f"{len(case.images)} pictures are its slices",) if many else ()), *notes),
        group=case.group,
    )


def _body(case: Case) -> tuple[Body, tuple[str, ...]]:
    """Sex and age of the text file, whose keys vary in their case and numbering."""
    facts = facts_of(case.facts) if case.facts else {}
    plain = {re.sub(r"[^a-z]", "", key.lower()): value for key, value in facts.items()}
    return body_of(sex=plain.get("sex"), age_years=plain.get("age"))


def _require(case: Case) -> list[Path]:
    """The label files, one for each image.

    Raises:
        StudyError: one is not there.
    """
    lacking = [i.name for i, file in zip(case.images, case.labels, strict=True) if file is None]
    if lacking:
        raise StudyError(lacking[0], got="no labels of it", do="download the case again")
    return [file for file in case.labels if file is not None]


# As published


def find(path: Path, options: Options) -> list[Candidate]:
    """The case of a folder, or the cases of a folder of such folders."""
    if not path.is_dir():
        return []
    folders = [path] if _image_in(path) else sorted(path.iterdir())
    return [_candidate(_case(f), LAYOUT.name, options) for f in folders if _image_in(f)]


def _image_in(folder: Path) -> Path | None:
    name = folder.resolve().name
    file = folder / "Images" / f"{name}.nii.gz"
    return file if _CASE.match(name) and file.is_file() else None


def _case(folder: Path) -> Case:
    name = folder.resolve().name
    labels = folder / "Contours" / f"{name}.nii.gz"
    spaced = name.replace("_", " ")
    texts = (place / f"{spaced}.txt" for place in (folder, folder.absolute().parent))
    return Case(
        name=name,
        folder=folder,
        images=(folder / "Images" / f"{name}.nii.gz",),
        labels=(labels if labels.is_file() else None,),
        facts=next((text for text in texts if text.is_file()), None),
    )


def _read_volume(case: Case, options: Options) -> Image:
    from heartseg.formats import nifti

    return nifti.read_image(case.images[0], options.spacing_mm)


def _volume_labels(case: Case, options: Options) -> Mapping[View, Segmentation]:
    """The published labels.

    Raises:
        FormatError, GeometryError, LabelError: as `formats.nifti.read_labels`.
    """
    from heartseg.formats import nifti

    (file,) = _require(case)
    labels = nifti.read_labels(file, SCHEME, options.spacing_mm)
    grid = nifti.read_info(case.images[0], options.spacing_mm).geometry
    view = options.view or View.LATE_ENHANCEMENT
    return {view: joined_labels([file], [labels], [(1, grid)])}


def _missing(path: Path) -> list[str]:
    """Folders named like cases without their image."""
    folders = sorted(entry for entry in path.rglob("Case_*") if entry.is_dir())
    return [
        f"{folder.relative_to(path).as_posix()}: no Images/{folder.name}.nii.gz"
        for folder in folders
        if _CASE.match(folder.name) and not _image_in(folder)
    ]


# Pictures


def find_pictures(path: Path, options: Options) -> list[Candidate]:
    """The cases whose slices lie in `images` at a path, or right there."""
    if not path.is_dir():
        return []
    images = path / "images" if (path / "images").is_dir() else path
    cases: dict[str, dict[int, Path]] = {}
    for file in images.iterdir():
        if match := _SLICE.match(file.name):
            cases.setdefault(match[1], {})[int(match[2])] = file
    return [
        _candidate(_of_pictures(name, images, path / "labels", cases[name]), "emidec-png", options)
        for name in sorted(cases)
    ]


def _of_pictures(name: str, images: Path, labels: Path, slices: Mapping[int, Path]) -> Case:
    files = tuple(slices[number] for number in sorted(slices))
    drawn = (labels / file.name for file in files)
    return Case(
        name=name,
        folder=images,
        images=files,
        labels=tuple(file if file.is_file() else None for file in drawn),
    )


def _read_slices(case: Case, options: Options) -> Image:
    """The slices as one stack.

    Raises:
        StudyError: a number between the first and the last is missing.
        FormatError, GeometryError: as `formats.raster.read_image` and `joined_slices`.
    """
    from heartseg.formats import raster

    numbers = [int(match[2]) for file in case.images if (match := _SLICE.match(file.name))]
    lacking = sorted(set(range(numbers[0], numbers[-1])) - set(numbers))
    if lacking:
        raise StudyError(
            case.name,
            got="no slice " + ", ".join(map(str, lacking[:8])),
            allowed=f"all from {numbers[0]} to {numbers[-1]}",
            do="copy the case again",
        )
    planes = [raster.read_image(file).voxels for file in case.images]
    voxels, grid = joined_slices(case.images, planes, options.spacing_mm)
    return Image(voxels, grid)


def _slice_labels(case: Case, options: Options) -> Mapping[View, Segmentation]:
    """The labels of all slices.

    Raises:
        StudyError: a slice has none.
        FormatError, GeometryError, LabelError: as `formats.raster.read_labels`.
    """
    from heartseg.formats import raster

    files = _require(case)
    drawn = [raster.read_labels(file, SCHEME) for file in files]
    image = _read_slices(case, options)
    labels, grid = joined_slices(files, [one.labels for one in drawn], options.spacing_mm)
    seg = Segmentation(labels, grid, drawn[0].structures)
    view = options.view or View.LATE_ENHANCEMENT
    return {view: joined_labels(files[:1], [seg], [(1, image.geometry)])}


def _card(cases: str, obtain: str, tree: str, patients: int) -> Card:
    return Card(
        title="EMIDEC: late-enhancement short-axis MR after infarction",
        paper="Lalande et al., Data 2020",
        modality=Modality.MR,
        cases=cases,
        labels="LV cavity, LV myocardium, infarct, no-reflow; scheme emidec",
        licence="CC BY-NC-SA 4.0: research, no commerce, cite",
        obtain=obtain,
        patients=patients,
        tree=tree,
    )


LAYOUT = Layout(
    name="emidec",
    find=find,
    missing=_missing,
    card=_card(
        "100 patients to train (33 normal, 67 with an infarct), 50 to test",
        "ask for it at the EMIDEC challenge page, Dijon, and unpack the archive",
        "Case_P001/{Images,Contours}/Case_P001.nii.gz\nCase P001.txt",
        150,
    ),
)
PNG_LAYOUT = Layout(
    name="emidec-png",
    find=find_pictures,
    card=_card(
        "pictures of the slices of the training cases",
        "convert the published volumes, or ask who gave you the pictures",
        "{images,labels}/Case_P001_slice000.png",
        100,
    ),
)
