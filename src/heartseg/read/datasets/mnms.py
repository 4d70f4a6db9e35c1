"""M&Ms: short-axis cine MR of four vendors and six hospitals (Campello et al., IEEE TMI 2021).

`Training/Labeled`, `Training/Unlabeled`, `Validation` and `Testing` hold a folder a patient, named
by a code such as A0S9V9, with the cine `CODE_sa.nii.gz` (4-D) and `CODE_sa_gt.nii.gz` on the same
grid, drawn at end-diastole and end-systole only: 1 LV, 2 myocardium, 3 RV (the reverse of ACDC).
The table `*M&Ms*.csv` beside them gives, by `External code`, the two frames (counted from 0; both 0
where nobody drew), vendor, centre, age, sex, height, weight and pathology.

A candidate's group is the vendor, over which training is balanced and generalisation measured; the
study's group is the pathology.
"""

import re
from collections.abc import Mapping
from functools import lru_cache, partial
from pathlib import Path
from types import MappingProxyType

from heartseg.core.anatomy import SCHEMES, Structure
from heartseg.core.study import Modality, Phases, Study, View
from heartseg.read.body import body_of
from heartseg.read.candidate import Candidate, Options
from heartseg.read.image_file import grid_of, read_labels
from heartseg.read.labelled import Labelled, Part, references, study_of
from heartseg.read.layout import Card, Layout
from heartseg.read.rows import Row, read_rows, whole_number

NAME = "mnms"
STRUCTURES = (Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY)
SPLITS: Mapping[str, str] = MappingProxyType(
    {"Training": "train", "Validation": "validate", "Testing": "test"}
)
_IMAGE = re.compile(r"^([A-Z]\d[A-Z]\d[A-Z]\d)_sa\.nii(\.gz)?$")
_TABLE = re.compile(r"M&Ms.*\.csv$", re.I)
_DEPTH = 4
"""From the folder that holds the table down to the images: Training/Labeled/CODE/file."""


def find(path: Path, options: Options) -> list[Candidate]:
    """The patients of the whole data set, of one of its parts, or of one folder.

    Raises:
        FormatError: the data set's table cannot be read.
    """
    if not path.is_dir():
        return []
    images = _images(path, _DEPTH)
    if not images:
        return []
    table = _table_of(path)
    return [_candidate(image, table, options) for image in images]


def _images(folder: Path, depth: int) -> list[Path]:
    """Cines of a folder named like a patient or a part of the data set, and those below."""
    found = []
    for entry in sorted(folder.iterdir(), key=_in_order):
        if _IMAGE.match(entry.name) and entry.is_file():
            found.append(entry)
        elif depth > 1 and _may_hold_some(entry.name) and entry.is_dir():
            found += _images(entry, depth - 1)
    return found


def _in_order(entry: Path) -> tuple[int, str]:
    """Parts as the challenge counts them, all else by name."""
    parts = list(SPLITS)
    return (parts.index(entry.name) if entry.name in parts else 0, entry.name)


def _may_hold_some(name: str) -> bool:
    return name in (*SPLITS, "Labeled", "Unlabeled") or bool(_IMAGE.match(name + "_sa.nii"))


def _table_of(path: Path) -> Mapping[str, Row]:
    """Rows by code, from the table in this folder or the nearest one above; empty without one."""
    folder = path.resolve()
    for place in (folder, *folder.parents[: _DEPTH - 1]):
        files = [file for file in place.glob("*.csv") if _TABLE.search(file.name)]
        if files:
            return _read_table(files[0], files[0].stat().st_mtime_ns)
    return {}


@lru_cache(maxsize=4)
def _read_table(file: Path, changed: int) -> Mapping[str, Row]:
    del changed  # part of the key only: a table that was edited is read again
    return {row["External code"]: row for row in read_rows(file, ("External code", "ED", "ES"))}


def _candidate(image: Path, table: Mapping[str, Row], options: Options) -> Candidate:
    match = _IMAGE.match(image.name)
    code = match[1] if match else image.name
    row = table.get(code, {})
    labels = image.with_name(image.name.replace("_sa.nii", "_sa_gt.nii"))
    drawn = labels if labels.is_file() else None
    views = {options.view or View.SAX: _labelled(image, drawn, options)}
    return Candidate(
        id=code,
        layout=NAME,
        path=image.parent,
        load=lambda: _study(code, row, views),
        reference=(lambda: references(views)) if drawn else None,
        covered=(lambda: _covered(views)) if drawn else None,
        patient=code,
        split=_split_of(image),
        labels_published="Unlabeled" not in image.parts[-_DEPTH:],
        group=row.get("VendorName") or row.get("Vendor") or None,
        files=next(iter(views.values())).files,
    )


def _labelled(image: Path, drawn: Path | None, options: Options) -> Labelled:
    return Labelled(
        parts=(Part(image=image, labels=drawn),),
        read_labels=partial(read_labels, scheme=SCHEMES[NAME], spacing_mm=options.spacing_mm),
        structures=STRUCTURES,
        spacing_mm=options.spacing_mm,
    )


def _split_of(image: Path) -> str | None:
    """From the folders above, the nearest first."""
    names = (folder.name for folder in image.resolve().parents[: _DEPTH - 1])
    return next((SPLITS[name] for name in names if name in SPLITS), None)


def _study(code: str, row: Row, views: Mapping[View, Labelled]) -> Study:
    ((view, labelled),) = views.items()
    _, frames = grid_of(labelled.parts[0].image)
    phases, notes = _phases(row, frames)
    body, odd = body_of(
        sex=row.get("Sex"),
        age_years=row.get("Age"),
        height_cm=row.get("Height"),
        weight_kg=row.get("Weight"),
    )
    return study_of(
        code,
        Modality.MR,
        views,
        {view: phases} if phases else {},
        body=body,
        notes=(*notes, *odd),
        group=row.get("Pathology") or None,
    )


def _phases(row: Row, frames: int) -> tuple[Phases | None, tuple[str, ...]]:
    """The frames of the table, where they are two frames of this cine."""
    if not row:
        return None, ("the data set's table does not name this patient: no phases are given",)
    ed, es = whole_number(row["ED"]), whole_number(row["ES"])
    if ed == es == 0:
        return None, ("the data set's table gives no phases of this patient",)
    if ed is None or es is None or ed == es or max(ed, es) >= frames:
        said = f"ED '{row['ED'][:12]}', ES '{row['ES'][:12]}'"
        return None, (f"{said} are not two of {frames} frames counted from 0: not used",)
    return Phases(ed=ed, es=es, how="given"), ()


def _covered(views: Mapping[View, Labelled]) -> dict[View, dict[int, tuple[Structure, ...]]]:
    """The frames that hold labels: the file has all frames, and most were never looked at."""
    return {
        view: {t: STRUCTURES for t in range(seg.frames) if seg.labels[t].any()}
        for view, seg in references(views).items()
    }


def missing(path: Path) -> list[str]:
    """The table, and patients of it without images."""
    table = _table_of(path)
    if not table:
        return ["no table *M&Ms*.csv: phases and vendors are not known"]
    there = {candidate.id for candidate in find(path, Options())}
    gone = sorted(set(table) - there) if (path / "Training").is_dir() else []
    return [f"{code}: in the table, but there is no {code}_sa.nii.gz" for code in gone]


LAYOUT = Layout(
    name=NAME,
    find=find,
    scheme="mnms",
    missing=missing,
    card=Card(
        title="M&Ms: short-axis cine MR of four vendors, six hospitals, many diseases",
        paper="Campello et al., IEEE TMI 2021",
        modality=Modality.MR,
        patients=345,
        scanners="Siemens, General Electric, Philips and Canon; six hospitals in three countries",
        cases=(
            "345 open of the paper's 375 patients: 150 to train with labels, 25 without, 34 to "
            "validate, 136 to test"
        ),
        labels="LV cavity, LV myocardium, RV cavity at ED and ES; scheme mnms (1 is the LV)",
        licence="not confirmed: read the terms on the challenge's page",
        obtain="by the M&Ms challenge's page of the University of Barcelona, and unpack",
        source=(
            "the paper's abstract (375, four vendors, six hospitals, three countries); the "
            "challenge's page, as users quote it, for the vendors' names; users' "
            "tables for the open 345 and their split; the makers' terms were not found"
        ),
        tree="{*M&Ms*.csv, Training/{Labeled,Unlabeled}, Validation, Testing}"
        "/CODE/{CODE_sa.nii.gz, CODE_sa_gt.nii.gz}",
    ),
)
