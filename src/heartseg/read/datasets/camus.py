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

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from heartseg.core.anatomy import SCHEMES
from heartseg.core.errors import StudyError
from heartseg.core.image import Image, Segmentation
from heartseg.core.study import Modality, Phases, Source, Study, View
from heartseg.formats.bounds import MAX_FRAME_MS, MIN_FRAME_MS
from heartseg.formats.table import FORMATS, Format
from heartseg.read.body import body_of
from heartseg.read.candidate import Candidate, Find, Options, require_picture, safe_id, stem_of
from heartseg.read.datasets.camus_files import (
    Clip,
    Patient,
    Patients,
    incomplete,
    listed_twice,
    metaimage_patients,
    nifti_patients,
    png_patients,
)
from heartseg.read.facts import number_of
from heartseg.read.joined import joined_frames, joined_labels
from heartseg.read.layout import Card, Layout

SCHEME = SCHEMES["camus"]
_QUALITY = ("Good", "Medium", "Poor")
_PUBLISHED = {"LVedv": ("lv_edv_ml", 1.0), "LVesv": ("lv_esv_ml", 1.0), "LVef": ("lv_ef", 0.01)}
_PUBLISHED_LATER = {"EF": ("lv_ef", 0.01)}


def _candidate(patient: Patient, layout: str, options: Options) -> Candidate:
    clips = [clip for one in patient.clips.values() for clip in one]
    return Candidate(
        id=patient.name,
        layout=layout,
        path=patient.folder,
        load=lambda: _read(patient, options),
        reference=(lambda: _reference(patient, options)) if any(c.labels for c in clips) else None,
        published=_published(patient),
        patient=patient.name,
        split=patient.split,
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


# Images


def _read(patient: Patient, options: Options) -> Study:
    """Both views, with their phases.

    Raises:
        StudyError: `Info_*.cfg` names a frame that the sequence lacks.
        FormatError, GeometryError: as the format's reader.
    """
    views = _views(patient, options)
    images = {view: _image(patient, view, clips, options) for view, clips in views.items()}
    phases = {view: _phases(patient, view, views[view], image) for view, image in images.items()}
    info = next(iter(patient.infos.values()), {})
    body, odd = body_of(sex=info.get("Sex"), age_years=info.get("Age"))
    return Study(
        id=patient.name,
        modality=Modality.US,
        images=images,
        sources={view: tuple(_sources(clips, images[view])) for view, clips in views.items()},
        phases={view: found for view, found in phases.items() if found},
        body=body,
        notes=(*_notes(views), *odd),
        group=_group(patient),
    )


def _views(patient: Patient, options: Options) -> Mapping[View, tuple[Clip, ...]]:
    """The views to read: all, or what the user says the only one shows."""
    if options.view is None or len(patient.clips) != 1:
        return patient.clips
    return {options.view: next(iter(patient.clips.values()))}


def _image(patient: Patient, view: View, clips: tuple[Clip, ...], options: Options) -> Image:
    images: list[Image] = [
        _format(clip).door.read_image(clip.image, options.spacing_mm) for clip in clips
    ]
    for clip, image in zip(clips, images, strict=True):
        require_picture(image.voxels, clip.image.name)
    if clips[0].phase is not None:
        return joined_frames([clip.image for clip in clips], images)
    return replace(images[0], times_ms=_times_ms(patient.infos.get(view, {}), images[0]))


def _times_ms(info: Mapping[str, str], sequence: Image) -> tuple[float, ...] | None:
    rate = number_of(info, "FrameRate")
    if not rate or not MIN_FRAME_MS <= 1000.0 / rate <= MAX_FRAME_MS:
        return sequence.times_ms
    return tuple(frame * 1000.0 / rate for frame in range(sequence.frames))


def _phases(patient: Patient, view: View, clips: tuple[Clip, ...], image: Image) -> Phases | None:
    named = [clip.phase for clip in clips]
    if named[0] is not None:
        if "ED" not in named:
            return None
        return Phases(ed=named.index("ED"), es=1 if "ES" in named else None, how="given")
    info = patient.infos.get(view, {})
    ed, es = (number_of(info, key) for key in ("ED", "ES"))
    if ed is None or es is None:
        return None
    for number in (ed, es):
        if number not in range(1, image.frames + 1):
            raise StudyError(
                clips[0].image.name,
                got=f"{image.frames} frames, without frame {number:g} of Info_{view.upper()}.cfg",
                do="download the patient again",
            )
    return Phases(ed=int(ed) - 1, es=int(es) - 1, how="given")


def _sources(clips: tuple[Clip, ...], image: Image) -> Iterator[Source]:
    for index, clip in enumerate(clips):
        frames = (index,) if clip.phase else tuple(range(image.frames))
        yield Source(
            stem=safe_id(stem_of(clip.image)),
            format=_format(clip).name,
            path=clip.image,
            frames=frames,
        )


def _notes(views: Mapping[View, tuple[Clip, ...]]) -> Iterable[str]:
    for view, clips in views.items():
        if [clip.phase for clip in clips] == ["ES"]:
            yield f"{view}: end-systole only; a volume named ED is that of end-systole"


def _format(clip: Clip) -> Format:
    return FORMATS[clip.format]


# Labels


def _reference(patient: Patient, options: Options) -> Mapping[View, Segmentation]:
    """The published labels on the frames of `_read`.

    Raises:
        StudyError: a frame has no labels.
        FormatError, GeometryError, LabelError: as the format's reader.
    """
    views = _views(patient, options)
    return {
        view: _labels(_image(patient, view, clips, options), clips, options)
        for view, clips in views.items()
    }


def _labels(image: Image, clips: tuple[Clip, ...], options: Options) -> Segmentation:
    files = []
    for clip in clips:
        if clip.labels is None:
            raise StudyError(clip.image.name, got="no labels of it", do="download them again")
        files.append(clip.labels)
    frames = 1 if clips[0].phase else image.frames
    labels = [
        _format(clip).door.read_labels(file, SCHEME, options.spacing_mm)
        for clip, file in zip(clips, files, strict=True)
    ]
    joined = joined_labels(files, labels, [(frames, image.geometry)] * len(files))
    return replace(joined, times_ms=image.times_ms)


# The three forms


def _found_by(patients: Patients, layout: str) -> Find:
    def find(path: Path, options: Options) -> list[Candidate]:
        """Patients, with what their small text files say."""
        return [_candidate(one, layout, options) for one in patients(path)]

    return find


def _lacking(patients: Patients) -> Callable[[Path], list[str]]:
    """What a copy in folders of patients lacks: images, labels of sequences, a clear split."""

    def missing(path: Path) -> list[str]:
        found = patients(path)
        known = {patient.folder.absolute() for patient in found}
        folders = (entry for entry in sorted(path.rglob("patient[0-9]*")) if entry.is_dir())
        return [
            *(f"{f.name}: no image in its folder" for f in folders if f.absolute() not in known),
            *(line for patient in found for line in incomplete(patient)),
            *(f"{name} is in two lists of the split" for name in listed_twice(path)),
        ]

    return missing


def _layout(name: str, patients: Patients, *, title: str, obtain: str, tree: str) -> Layout:
    return Layout(
        name=name,
        find=_found_by(patients, name),
        missing=None if patients is png_patients else _lacking(patients),
        card=Card(
            title=f"CAMUS: apical two- and four-chamber echo, {title}",
            paper="Leclerc et al., IEEE TMI 2019",
            modality=Modality.US,
            cases="500 patients, 2 views, end-diastole and end-systole",
            labels="LV endocardium, LV myocardium, left atrium; scheme camus",
            licence="CC BY-NC-SA 4.0: research, no commerce, cite",
            obtain=obtain,
            patients=500,
            tree=tree,
        ),
    )


LAYOUT = _layout(
    "camus",
    metaimage_patients,
    title="MetaImage as published",
    obtain="register at the CAMUS challenge page of CREATIS, Lyon, and unpack both archives",
    tree=(
        "{training,testing}/patientNNNN/{Info_2CH.cfg, Info_4CH.cfg}\n"
        "{training,testing}/patientNNNN/patientNNNN_{2CH,4CH}_{ED,ES,sequence}.{mhd,raw}\n"
        "training/patientNNNN/patientNNNN_{2CH,4CH}_{ED,ES}_gt.{mhd,raw}"
    ),
)
NIFTI_LAYOUT = _layout(
    "camus-nifti",
    nifti_patients,
    title="NIfTI with labelled half-sequences",
    obtain="download CAMUS_public from the Human Heart Project's page of CREATIS, Lyon",
    tree=(
        "database_nifti/patientNNNN/{Info_2CH.cfg, Info_4CH.cfg}\n"
        "database_nifti/patientNNNN/patientNNNN_{2CH,4CH}_{ED,ES,half_sequence}[_gt].nii.gz\n"
        "database_split/subgroup_{training,validation,testing}.txt"
    ),
)
PNG_LAYOUT = _layout(
    "camus-png",
    png_patients,
    title="pictures without millimetres",
    obtain="convert the published images, or ask who gave you the pictures",
    tree="{images,labels}/patientNNNN_{2CH,4CH}_{ED,ES}.png",
)
