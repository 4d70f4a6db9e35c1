"""M&Ms-2: short- and long-axis cine MR, right ventricle (Martin-Isla et al., IEEE JBHI 2023).

`dataset/NNN/` holds `NNN_SA_ED.nii.gz`, `NNN_SA_ES.nii.gz`, the same of the long axis (`LA`, a
four-chamber view) and labels `..._gt.nii.gz` (1 LV, 2 myocardium, 3 RV, the reverse of ACDC).
`dataset_information.csv` beside `dataset` gives disease, vendor and scanner by `SUBJECT_CODE`. The
cines `NNN_SA_CINE.nii.gz` and `NNN_LA_CINE.nii.gz` have no labels and no frame numbers, and are not
read. Patients 1-160 train, 161-200 validate and 201-360 test, as the challenge had it.
"""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from heartseg.core.anatomy import SCHEMES
from heartseg.core.study import Modality, Phases, Study, View
from heartseg.read.candidate import Candidate, Options
from heartseg.read.datasets.mnms import STRUCTURES
from heartseg.read.image_file import read_labels
from heartseg.read.labelled import Labelled, Part, coverage, fully_labelled, references, study_of
from heartseg.read.layout import Card, Layout
from heartseg.read.rows import Row, read_rows

NAME = "mnms2"
_TABLE = "dataset_information.csv"
_PATIENT = re.compile(r"^\d{3}$")
_AXES = {"SA": View.SAX, "LA": View.LAX_4CH}
_LAST_TO_TRAIN, _LAST_TO_VALIDATE = 160, 200


def find(path: Path, options: Options) -> list[Candidate]:
    """The patients of the data set, of its folder `dataset`, or of one folder.

    Raises:
        FormatError: the data set's table cannot be read.
    """
    if not path.is_dir():
        return []
    inner = path / "dataset" if (path / "dataset").is_dir() else path
    folders = [path] if _is_patient(path) else sorted(inner.iterdir())
    patients = [folder for folder in folders if _is_patient(folder)]
    table = _table_of(inner, patients) if patients else {}
    return [_candidate(folder, table, options) for folder in patients]


def _is_patient(folder: Path) -> bool:
    name = folder.resolve().name
    named = bool(_PATIENT.match(name)) and folder.is_dir()
    return named and (folder / f"{name}_SA_ED.nii.gz").is_file()


def _table_of(inner: Path, patients: list[Path]) -> Mapping[str, Row]:
    places = (inner, inner.resolve().parent, patients[0].resolve().parent.parent)
    file = next((place / _TABLE for place in places if (place / _TABLE).is_file()), None)
    if file is None:
        return {}
    return {row["SUBJECT_CODE"].zfill(3): row for row in read_rows(file, ("SUBJECT_CODE",))}


def _candidate(folder: Path, table: Mapping[str, Row], options: Options) -> Candidate:
    number = folder.resolve().name
    views = {
        view: labelled
        for axis, view in _AXES.items()
        if (labelled := _labelled(folder, number, axis, options))
    }
    drawn = any(one.has_labels for one in views.values())
    sparse = drawn and not fully_labelled(list(views.values()))
    row = table.get(number, {})
    cines = (file for a in _AXES if (file := folder / f"{number}_{a}_CINE.nii.gz").is_file())
    return Candidate(
        id=f"mnms2_{number}",
        layout=NAME,
        path=folder,
        load=lambda: _study(number, row, views),
        reference=(lambda: references(views)) if drawn else None,
        covered=(lambda: coverage(views)) if sparse else None,
        patient=number,
        split=_split_of(int(number)),
        group=row.get("VENDOR") or None,
        files=(*(file for one in views.values() for file in one.files), *cines),
    )


def _labelled(folder: Path, number: str, axis: str, options: Options) -> Labelled | None:
    """ED, then ES; None where one of the two is not there."""
    images = [folder / f"{number}_{axis}_{phase}.nii.gz" for phase in ("ED", "ES")]
    if not all(image.is_file() for image in images):
        return None
    drawn = [image.with_name(image.name.replace(".nii", "_gt.nii")) for image in images]
    pairs = zip(images, drawn, strict=True)
    return Labelled(
        parts=tuple(Part(image=i, labels=d if d.is_file() else None) for i, d in pairs),
        read_labels=partial(read_labels, scheme=SCHEMES["mnms"], spacing_mm=options.spacing_mm),
        structures=STRUCTURES,
        spacing_mm=options.spacing_mm,
    )


def _split_of(number: int) -> str:
    if number <= _LAST_TO_TRAIN:
        return "train"
    return "validate" if number <= _LAST_TO_VALIDATE else "test"


def _study(number: str, row: Row, views: Mapping[View, Labelled]) -> Study:
    phases = {view: Phases(ed=0, es=1, how="given") for view in views}
    group = row.get("DISEASE") or None
    return study_of(f"mnms2_{number}", Modality.MR, views, phases, group=group)


def missing(path: Path) -> list[str]:
    """Patients with some of their eight files, but not all."""
    lines = []
    for candidate in find(path, Options()):
        number = candidate.patient or ""
        names = (f"{number}_{axis}_{phase}" for axis in _AXES for phase in ("ED", "ES"))
        ends = ("", "_gt") if candidate.reference else ("",)  # none at all is said elsewhere
        wanted = (f"{name}{end}.nii.gz" for name in names for end in ends)
        lines += [f"{number}: no {w}" for w in wanted if not (candidate.path / w).is_file()]
    return lines


LAYOUT = Layout(
    name=NAME,
    find=find,
    scheme="mnms",
    missing=missing,
    card=Card(
        title="M&Ms-2: short- and long-axis cine MR, diseases of the right ventricle",
        paper="Martin-Isla et al., IEEE JBHI 2023",
        modality=Modality.MR,
        patients=360,
        cases="360 patients: 160 to train, 40 to validate, 160 to test",
        labels="LV cavity, LV myocardium, RV cavity at ED and ES; scheme mnms (1 is the LV)",
        licence="not confirmed: read the terms on the challenge's page",
        obtain="by the M&Ms-2 challenge's page of the University of Barcelona, and unpack",
        source="users' READMEs for patients, split and files; the makers' terms were not found",
        tree="{dataset_information.csv, dataset/NNN/{NNN_SA_ED.nii.gz, NNN_SA_ED_gt.nii.gz, ...}}",
    ),
)
