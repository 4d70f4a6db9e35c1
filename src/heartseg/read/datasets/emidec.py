"""EMIDEC: late-enhancement short-axis MR with infarcts (Lalande et al., Data 2020).

A case to train with is called after its group: `Case_N001` shows no infarct, `Case_P001` one; test
cases, whose group is not told, are called `Case_001`. Its folder holds `Images/Case_P001.nii.gz`
and `Contours/Case_P001.nii.gz` (0 background, 1 LV cavity, 2 myocardium, 3 infarct, 4 no-reflow),
and beside it lies `Case P001.txt` with facts of the patient. `emidec_pictures` reads slices as PNG.
"""

import re
from functools import partial
from pathlib import Path

from heartseg.core.anatomy import SCHEMES
from heartseg.core.study import Body, Modality, Study, View
from heartseg.read.body import body_of
from heartseg.read.candidate import Candidate, Options, safe_id
from heartseg.read.facts import facts_of
from heartseg.read.image_file import read_labels
from heartseg.read.labelled import Labelled, Part, references, study_of
from heartseg.read.layout import Card, Layout

NAME = "emidec"
SCHEME = SCHEMES[NAME]
STRUCTURES = SCHEME.structures
LICENCE = "CC BY-NC-SA 4.0: non-commercial, cite, share alike"
SOURCE = "the data set's own page"
_CASE = re.compile(r"Case_([NP]?)\d+$")
_GROUPS = {"N": "normal", "P": "infarct"}


def find(path: Path, options: Options) -> list[Candidate]:
    """The case of a folder, or the cases of a folder of such folders."""
    if not path.is_dir():
        return []
    folders = [path] if _image_in(path) else sorted(path.iterdir())
    return [
        _candidate(folder, image, options) for folder in folders if (image := _image_in(folder))
    ]


def group_of(case: str) -> str | None:
    """By the letter in its name; None for cases to test."""
    match = _CASE.match(case)
    return _GROUPS.get(match[1]) if match else None


def _image_in(folder: Path) -> Path | None:
    name = folder.resolve().name
    file = folder / "Images" / f"{name}.nii.gz"
    return file if _CASE.match(name) and file.is_file() else None


def _candidate(folder: Path, image: Path, options: Options) -> Candidate:
    name = folder.resolve().name
    drawn = folder / "Contours" / image.name
    labelled = Labelled(
        parts=(Part(image=image, labels=drawn if drawn.is_file() else None),),
        read_labels=partial(read_labels, scheme=SCHEME, spacing_mm=options.spacing_mm),
        structures=STRUCTURES,
        spacing_mm=options.spacing_mm,
    )
    views = {options.view or View.LATE_ENHANCEMENT: labelled}
    facts = _facts_file(folder)
    return Candidate(
        id=safe_id(name),
        layout=NAME,
        path=folder,
        load=lambda: _study(name, views, facts),
        reference=(lambda: references(views)) if labelled.has_labels else None,
        patient=name,
        split="train" if group_of(name) else "test",
        labels_published=group_of(name) is not None,
        group=group_of(name),
        files=(*labelled.files, *((facts,) if facts else ())),
    )


def _facts_file(folder: Path) -> Path | None:
    name = folder.resolve().name.replace("_", " ") + ".txt"
    texts = (place / name for place in (folder, folder.absolute().parent))
    return next((text for text in texts if text.is_file()), None)


def _study(name: str, views: dict[View, Labelled], facts: Path | None) -> Study:
    body, notes = _body(facts)
    group = group_of(name)
    return study_of(safe_id(name), Modality.MR, views, body=body, notes=notes, group=group)


def _body(file: Path | None) -> tuple[Body, tuple[str, ...]]:
    """Sex and age of the text file, whose keys vary in their case and numbering."""
    facts = facts_of(file) if file else {}
    plain = {re.sub(r"[^a-z]", "", key.lower()): value for key, value in facts.items()}
    return body_of(sex=plain.get("sex"), age_years=plain.get("age"))


def _missing(path: Path) -> list[str]:
    """Folders named like cases without their image."""
    folders = sorted(entry for entry in path.rglob("Case_*") if entry.is_dir())
    return [
        f"{folder.relative_to(path).as_posix()}: no Images/{folder.name}.nii.gz"
        for folder in folders
        if _CASE.match(folder.name) and not _image_in(folder)
    ]


LAYOUT = Layout(
    name=NAME,
    find=find,
    scheme="emidec",
    missing=_missing,
    card=Card(
        title="EMIDEC: late-enhancement short-axis MR after infarction",
        paper="Lalande et al., Data 2020",
        modality=Modality.MR,
        patients=150,
        cases="100 patients to train (33 normal, 67 not), 50 to test without labels (17 and 33)",
        labels="LV cavity, LV myocardium, infarct, no-reflow; scheme emidec",
        licence=LICENCE,
        obtain="register at emidec.com, in person, and unpack the archive",
        source=SOURCE,
        tree="Case_P001/{Images,Contours}/Case_P001.nii.gz\nCase P001.txt",
    ),
)
