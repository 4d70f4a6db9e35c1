"""CAMUS: apical two- and four-chamber echo (Leclerc et al., IEEE TMI 2019), in its three forms.

A patient has, for each of the two views, stills at end-diastole and end-systole, a sequence from
one to the other, labels (0 background, 1 LV endocardium, 2 myocardium, 3 left atrium) and
`Info_2CH.cfg`, `Info_4CH.cfg` with the numbers of both frames in the sequence, counted from 1, and
the volumes and the ejection fraction of an expert. End-systole may come first in a sequence: only
the file says. Of each view the sequence is read where it has labels, else the stills, else the
sequence.

* as published (`camus`): `patientNNNN/patientNNNN_2CH_ED.mhd`, `..._ED_gt.mhd`, `..._sequence.mhd`;
* the later NIfTI release (`camus-nifti`): `..._ED.nii.gz`, `..._half_sequence.nii.gz`, with `_gt`;
* pictures (`camus-png`): `images/patientNNNN_2CH_ED.png`, labels of the same name in `labels`.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from heartseg.core.anatomy import SCHEMES
from heartseg.core.errors import StudyError
from heartseg.core.image import Image
from heartseg.core.study import Modality, Phases, Study, View
from heartseg.formats.bounds import MAX_FRAME_MS, MIN_FRAME_MS
from heartseg.read.body import body_of
from heartseg.read.candidate import Candidate, Find, Options
from heartseg.read.datasets.camus_files import (
    Clip,
    Patient,
    Patients,
    incomplete,
    listed_twice,
    metaimage_patients,
    nifti_patients,
    png_patients,
    undrawn,
)
from heartseg.read.facts import number_of
from heartseg.read.image_file import read_labels
from heartseg.read.labelled import (
    Labelled,
    Part,
    coverage,
    fully_labelled,
    references,
    study_of,
)
from heartseg.read.layout import Card, Layout

SCHEME = SCHEMES["camus"]
STRUCTURES = SCHEME.structures
_QUALITY = ("Good", "Medium", "Poor")
_PUBLISHED = {"LVedv": ("lv_edv_ml", 1.0), "LVesv": ("lv_esv_ml", 1.0), "LVef": ("lv_ef", 0.01)}
_PUBLISHED_LATER = {"EF": ("lv_ef", 0.01)}


def _candidate(patient: Patient, layout: str, options: Options) -> Candidate:
    views = _views(patient, options)
    drawn = any(one.has_labels for one in views.values())
    whole = fully_labelled(list(views.values()))
    return Candidate(
        id=patient.name,
        layout=layout,
        path=patient.folder,
        load=lambda: _read(patient, options),
        reference=(lambda: references(views)) if drawn else None,
        covered=None if whole or not drawn else lambda: coverage(views),
        published=_published(patient),
        patient=patient.name,
        split=patient.split,
        labels_published=patient.labels_published,
        group=_group(patient),
        files=patient.files,
    )


def _group(patient: Patient) -> str | None:
    """The worse image quality of the two views."""
    said = {info.get("ImageQuality", "") for info in patient.infos.values()}
    return next((quality for quality in reversed(_QUALITY) if quality in said), None)


def _published(patient: Patient) -> dict[str, float]:
    """Volumes and ejection fraction, the same in both views' files."""
    found = {}
    for info in patient.infos.values():
        for name, (key, unit) in (_PUBLISHED_LATER | _PUBLISHED).items():
            number = number_of(info, name)
            if number is not None:
                found[key] = number * unit
    return found


# Images and labels


def _views(patient: Patient, options: Options) -> dict[View, Labelled]:
    """The views to read: all, or what the user says the only one shows."""
    views = {view: _labelled(clips, options) for view, clips in patient.clips.items()}
    if options.view is None or len(views) != 1:
        return views
    return {options.view: next(iter(views.values()))}


def _labelled(clips: tuple[Clip, ...], options: Options) -> Labelled:
    return Labelled(
        parts=tuple(Part(image=clip.image, labels=clip.labels) for clip in clips),
        read_labels=partial(read_labels, scheme=SCHEME, spacing_mm=options.spacing_mm),
        structures=STRUCTURES,
        spacing_mm=options.spacing_mm,
    )


def _read(patient: Patient, options: Options) -> Study:
    """Both views, with their phases.

    Raises:
        StudyError: `Info_*.cfg` names a frame that the sequence lacks.
        FormatError, GeometryError: as `study_of`.
    """
    info = next(iter(patient.infos.values()), {})
    body, odd = body_of(sex=info.get("Sex"), age_years=info.get("Age"))
    views = _views(patient, options)
    study = study_of(patient.name, Modality.US, views, body=body, group=_group(patient), notes=odd)
    phases, images, notes = {}, {}, []
    for view, stored, clips in zip(views, patient.clips, patient.clips.values(), strict=True):
        info = patient.infos.get(stored, {})
        images[view] = _timed(study.images[view], info, clips)
        phases[view] = _phases(clips, info, images[view].frames)
        if [clip.phase for clip in clips] == ["ES"]:
            notes.append(f"{view}: end-systole only; a volume named ED is that of end-systole")
    given = {view: found for view, found in phases.items() if found}
    return replace(study, images=images, phases=given, notes=(*study.notes, *notes))


def _timed(image: Image, info: Mapping[str, str], clips: tuple[Clip, ...]) -> Image:
    """A sequence with the times that its frame rate gives."""
    rate = number_of(info, "FrameRate")
    if clips[0].phase or not rate or not MIN_FRAME_MS <= 1000.0 / rate <= MAX_FRAME_MS:
        return image
    return replace(image, times_ms=tuple(t * 1000.0 / rate for t in range(image.frames)))


def _phases(clips: tuple[Clip, ...], info: Mapping[str, str], frames: int) -> Phases | None:
    named = [clip.phase for clip in clips]
    if named[0] is not None:
        if "ED" not in named:
            return None
        return Phases(ed=named.index("ED"), es=1 if "ES" in named else None, how="given")
    ed, es = (number_of(info, key) for key in ("ED", "ES"))
    if ed is None or es is None:
        return None
    for number in (ed, es):
        if number not in range(1, frames + 1):
            raise StudyError(
                clips[0].image.name,
                got=f"{frames} frames, without frame {number:g} of its Info file",
                do="download the patient again",
            )
    return Phases(ed=int(ed) - 1, es=int(es) - 1, how="given")


# The three forms


def _found_by(patients: Patients, layout: str) -> Find:
    def find(path: Path, options: Options) -> list[Candidate]:
        """Patients, with what their small text files say."""
        return [_candidate(one, layout, options) for one in patients(path)]

    return find


def _lacking(patients: Patients) -> Callable[[Path], list[str]]:
    """What a copy in folders of patients lacks: images, labels, a clear split."""

    def missing(path: Path) -> list[str]:
        found = patients(path)
        known = {patient.folder.absolute() for patient in found}
        folders = (entry for entry in sorted(path.rglob("patient[0-9]*")) if entry.is_dir())
        return [
            *(f"{f.name}: no image in its folder" for f in folders if f.absolute() not in known),
            *(line for one in found for line in (*incomplete(one), *undrawn(one))),
            *(f"{name} is in two lists of the split" for name in listed_twice(path)),
        ]

    return missing


def _pictures_missing(path: Path) -> list[str]:
    """Pictures without labels; patients have any number of pictures."""
    return [line for patient in png_patients(path) for line in undrawn(patient)]


_TERMS = "LICENSE_TERMS.md of the archive; the paper, for the number of patients and views"
_CASES = "500 patients, 2 views, end-diastole and end-systole"


def _layout(
    name: str,
    patients: Patients,
    missing: Callable[[Path], list[str]],
    *,
    title: str,
    obtain: str,
    tree: str,
    source: str = _TERMS,
    cases: str = _CASES,
) -> Layout:
    return Layout(
        name=name,
        scheme="camus",
        find=_found_by(patients, name),
        missing=missing,
        card=Card(
            title=f"CAMUS: apical two- and four-chamber echo, {title}",
            paper="Leclerc et al., IEEE TMI 2019",
            modality=Modality.US,
            cases=cases,
            labels="LV endocardium, LV myocardium, left atrium; scheme camus",
            licence="CC BY-NC-SA 4.0: non-commercial research only, cite",
            obtain=obtain,
            source=source,
            patients=500,
            tree=tree,
        ),
    )


LAYOUT = _layout(
    "camus",
    metaimage_patients,
    _lacking(metaimage_patients),
    title="MetaImage as published",
    obtain=(
        "the form of the first release; today's page of the CAMUS challenge, CREATIS, Lyon, leads "
        "to the NIfTI form: see camus-nifti"
    ),
    tree=(
        "{training,testing}/patientNNNN/{Info_2CH.cfg, Info_4CH.cfg}\n"
        "{training,testing}/patientNNNN/patientNNNN_{2CH,4CH}_{ED,ES,sequence}.{mhd,raw}\n"
        "training/patientNNNN/patientNNNN_{2CH,4CH}_{ED,ES}_gt.{mhd,raw}"
    ),
)
NIFTI_LAYOUT = _layout(
    "camus-nifti",
    nifti_patients,
    _lacking(nifti_patients),
    title="NIfTI with labelled half-sequences",
    cases=f"{_CASES}; split into 400 to train, 50 to validate, 50 to test",
    obtain=(
        "download from the Human Heart Project of CREATIS, Lyon, which the CAMUS challenge's "
        "page names"
    ),
    tree=(
        "database_nifti/patientNNNN/{Info_2CH.cfg, Info_4CH.cfg}\n"
        "database_nifti/patientNNNN/patientNNNN_{2CH,4CH}_{ED,ES,half_sequence}[_gt].nii.gz\n"
        "database_split/subgroup_{training,validation,testing}.txt"
    ),
)
PNG_LAYOUT = _layout(
    "camus-png",
    png_patients,
    _pictures_missing,
    title="pictures without millimetres",
    source=f"{_TERMS}; the pictures are nobody's publication",
    obtain="convert the published images, or ask who gave you the pictures",
    tree="{images,labels}/patientNNNN_{2CH,4CH}_{ED,ES}.png",
)
