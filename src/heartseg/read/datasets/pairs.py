"""A plain folder of images and labels: anyone's own data.

Two forms, in any format of the table:

* `images/` (or `image`, `imgs`) beside `labels/` (or `masks`, `annotations`, `groundtruth`, ...),
  files of the same stem, the label's perhaps with an ending: `x.png` and `x.png` or `x_mask.png`;
* side by side in a folder and those below it: `x.nii.gz` and `x_gt.nii.gz`. An ending has to be
  there, and the folder has to say what the numbers mean: it may else be anything.

What the numbers mean is never guessed, not even of 0 and 255: `labels.toml` (or `scheme.toml`) in
the folder says it in its table `[labels]`, or the option does, which wins. `split.csv` (or
`patients.csv`) may say, by `file`, the `patient` and the `split` (train, validate, test). Else
folders below named so are the split, other folders below are patients, and else the patient is the
leading part of the file's name, see `read.plain.patient_of`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType

from heartseg.core.anatomy import Scheme, Structure, scheme
from heartseg.core.errors import FormatError, StudyError
from heartseg.core.study import Modality, Study
from heartseg.formats.box import Box, natural
from heartseg.formats.table import format_of, lies_beside
from heartseg.read.candidate import Candidate, Options, safe_id, stem_of
from heartseg.read.image_file import read_labels
from heartseg.read.labelled import Labelled, Part, study_of
from heartseg.read.layout import Card, Layout
from heartseg.read.plain import modality_in, patient_of, view_in
from heartseg.read.rows import Row, has_columns, read_rows

NAME = "pairs"
_IMAGES = ("images", "image", "imgs", "img")
_LABELS = (
    "labels", "label", "masks", "mask", "annotations", "annotation", "groundtruth", "ground_truth",
    "gt", "segmentations",
)  # fmt: skip
_ENDING = re.compile(r"[._-](gt|mask|masks|seg|label|labels|segmentation)$", re.I)
_IMAGE_ENDING = re.compile(r"[._-](image|img)$", re.I)
_SCHEMES = ("labels.toml", "scheme.toml")
_TABLES = ("split.csv", "patients.csv")
_SPLITS: Mapping[str, str] = MappingProxyType(
    {"train": "train", "training": "train", "val": "validate", "validate": "validate",
     "validation": "validate", "test": "test", "testing": "test"}
)  # fmt: skip
_TEXTS = (".toml", ".csv", ".txt", ".md", ".json", ".pdf", ".xlsx")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """What a folder holds.

    Attributes:
        images: in natural order.
        folders: names of the folders between the root and each image.
        labels: by image.
        alone: label files without an image.
    """

    images: tuple[Path, ...]
    folders: Mapping[Path, tuple[str, ...]]
    labels: Mapping[Path, Path]
    alone: tuple[Path, ...]


def find(path: Path, options: Options) -> list[Candidate]:
    """The images of a folder in one of the two forms; those without labels too.

    Raises:
        StudyError: two label files of one image.
        FormatError: the folder's table cannot be read.
        LabelError: there is no such scheme.
    """
    if not path.is_dir():
        return []
    said = options.scheme is not None or _scheme_file(path) is not None
    pairs = _of_folders(path) or (_side_by_side(path) if said else None)
    if pairs is None or not pairs.labels:
        return []
    numbers, table = _scheme_of(path, options), _table_of(path)
    return [_candidate(image, pairs, numbers, table, options) for image in pairs.images]


def _scheme_of(path: Path, options: Options) -> Scheme | None:
    file = _scheme_file(path)
    name = options.scheme or (str(file) if file else None)
    return scheme(name) if name else None


def _scheme_file(path: Path) -> Path | None:
    return next((path / name for name in _SCHEMES if (path / name).is_file()), None)


# Which label belongs to which image


def _of_folders(path: Path) -> Pairs | None:
    inside = {entry.name.lower(): entry for entry in path.iterdir() if entry.is_dir()}
    images = next((inside[name] for name in _IMAGES if name in inside), None)
    labels = next((inside[name] for name in _LABELS if name in inside), None)
    if images is None or labels is None:
        return None
    return _matched(_pictures(images), _pictures(labels))


Placed = Mapping[Path, tuple[str, ...]]
"""Files, and the folders between the root and each."""


def _pictures(folder: Path) -> dict[Path, tuple[str, ...]]:
    """Image files of a folder, at any depth."""
    with Box(folder) as box:
        return {folder / n: Path(n).parent.parts for n in box.names() if format_of(n)}


def _side_by_side(path: Path) -> Pairs | None:
    """None where there is more than images, labels and texts: DICOM files have no ending."""
    with Box(path) as box:
        others = [name for name in box.names() if not format_of(name)]
    if not all(name.lower().endswith(_TEXTS) or lies_beside(name) for name in others):
        return None
    files = _pictures(path)
    labels = {file: place for file, place in files.items() if _ENDING.search(stem_of(file))}
    return _matched({file: p for file, p in files.items() if file not in labels}, labels)


def _matched(images: Placed, labels: Placed) -> Pairs:
    """By the stem, in the same folder.

    Raises:
        StudyError: two label files of one image, or two images of one label file.
    """
    by_key: dict[tuple[tuple[str, ...], str], Path] = {}
    for image, place in images.items():
        _put(by_key, (place, _IMAGE_ENDING.sub("", stem_of(image))), image)
    found: dict[tuple[tuple[str, ...], str], Path] = {}
    alone = []
    for file, place in labels.items():
        stems = (stem_of(file), _ENDING.sub("", stem_of(file)))
        key = next(((place, stem) for stem in stems if (place, stem) in by_key), None)
        if key is None:
            alone.append(file)
        else:
            _put(found, key, file)
    return Pairs(
        images=tuple(sorted(by_key.values(), key=lambda file: natural(file.as_posix()))),
        folders=images,
        labels={by_key[key]: file for key, file in found.items()},
        alone=tuple(alone),
    )


def _put(
    files: dict[tuple[tuple[str, ...], str], Path], key: tuple[tuple[str, ...], str], file: Path
) -> None:
    other = files.setdefault(key, file)
    if other is not file:
        raise StudyError(
            file.name,
            got=f"{other.name} of the same stem",
            allowed="one image and one label file of a stem",
            do="leave one out, or rename it",
        )


# Whose they are


def _table_of(path: Path) -> Mapping[str, Row]:
    """Rows by stem of the file; a path in front of the name is not looked at.

    Raises:
        FormatError: a split that is none.
    """
    file = next((path / name for name in _TABLES if (path / name).is_file()), None)
    if file is None:
        return {}
    if not has_columns(file, ("file",)):
        raise FormatError(file.name, got="no column file", allowed="file, patient, split")
    table = {_key(row["file"]): row for row in read_rows(file, ("file",))}
    for row in table.values():
        if row.get("split") and row["split"].lower() not in _SPLITS:
            raise FormatError(
                file.name, got=f"split '{row['split'][:20]}'", allowed=", ".join(_SPLITS)
            )
    return table


def _key(cell: str) -> str:
    name = cell.replace("\\", "/").rpartition("/")[2]
    return stem_of(Path(name)) if format_of(name) else name


def _candidate(
    image: Path, pairs: Pairs, numbers: Scheme | None, table: Mapping[str, Row], options: Options
) -> Candidate:
    stem = _IMAGE_ENDING.sub("", stem_of(image))
    row = table.get(stem_of(image)) or table.get(stem) or {}
    drawn = pairs.labels.get(image)
    labelled = _labelled(image, drawn, numbers, options)
    known = drawn is not None and numbers is not None
    patient, split = _whose(stem, row, pairs.folders[image])
    return Candidate(
        id=safe_id(stem),
        layout=NAME,
        path=image,
        load=lambda: _study(safe_id(stem), labelled, _notes(image, drawn, numbers), options),
        reference=(lambda: {view_in(image, None, options): labelled.reference()})
        if known
        else None,
        patient=patient,
        split=split,
        files=labelled.files,
    )


def _whose(stem: str, row: Row, folders: Sequence[str]) -> tuple[str, str | None]:
    """Patient and split, from the table, else from the folders, else from the name."""
    splits = [_SPLITS[name.lower()] for name in folders if name.lower() in _SPLITS]
    others = [name for name in folders if name.lower() not in _SPLITS]
    patient = row.get("patient") or (others[0] if others else patient_of(stem))
    said = _SPLITS.get(row.get("split", "").lower())
    return patient, said or (splits[0] if splits else None)


def _labelled(
    image: Path, drawn: Path | None, numbers: Scheme | None, options: Options
) -> Labelled:
    numbers = numbers or Scheme("none", MappingProxyType({0: Structure.BACKGROUND}))
    return Labelled(
        parts=(Part(image=image, labels=drawn),),
        read_labels=partial(read_labels, scheme=numbers, spacing_mm=options.spacing_mm),
        structures=tuple(s for _, s in sorted(numbers.numbers.items()) if s),
        spacing_mm=options.spacing_mm,
    )


def _notes(image: Path, drawn: Path | None, numbers: Scheme | None) -> tuple[str, ...]:
    if drawn is None:
        return (f"{image.name} has no label file",)
    if numbers is None:
        return (f"{drawn.name} is not read: write what its numbers mean into labels.toml",)
    return ()


def _study(name: str, labelled: Labelled, notes: Iterable[str], options: Options) -> Study:
    image = labelled.parts[0].image
    view = view_in(image, None, options)
    modality = modality_in(stem_of(image), view)
    return study_of(name, modality, {view: labelled}, notes=tuple(notes))


def missing(path: Path) -> list[str]:
    """Labels without images, and numbers without a meaning."""
    numbers = _scheme_of(path, Options())
    pairs = _of_folders(path) or _side_by_side(path)
    if pairs is None:
        return []
    lines = [] if numbers else ["no labels.toml: nothing says what the label numbers mean"]
    return lines + [f"{file.name}: a label file without an image" for file in pairs.alone]


LAYOUT = Layout(
    name=NAME,
    find=find,
    missing=missing,
    card=Card(
        title="A folder of your own: images and labels of the same names",
        paper="none",
        modality=Modality.OTHER,
        cases="any",
        labels="what labels.toml says: a table [labels] of number = structure",
        licence="yours; that of the ISBI 2012 sections, read so by scheme isbi2012: not confirmed",
        obtain="put your images and labels into two folders, or side by side",
        source=(
            "ISBI 2012 is 30 sections of 512 x 512 pixels (U-Net paper), given out after "
            "registration at brainiac2.mit.edu/isbi_challenge; its terms were not found"
        ),
        tree="{images/NAME.*, labels/NAME.*, labels.toml, split.csv}",
    ),
)
