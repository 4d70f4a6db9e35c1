"""Plain files and folders of them, DICOM and .zip among them; and why nothing was found."""

import re
from collections.abc import Sequence
from pathlib import Path

from heartseg.core.errors import FormatError, InputError, StudyError
from heartseg.core.study import Modality, Source, Study
from heartseg.formats.box import Box, natural
from heartseg.formats.table import SUFFIXES, Format, format_of, lies_beside
from heartseg.read.candidate import Candidate, Options, require_picture, safe_id, stem_of
from heartseg.read.layout import Layout
from heartseg.read.plain import modality_in, says_ct
from heartseg.read.view import view_of

NAME = "files"
_LABELS = re.compile(
    r"[._-](gt|seg|mask|masks|label|labels(?:tr|ts)?|labelmap|scribble|segmentation)(\.ome)?$", re.I
)
ALLOWED = f"{', '.join(SUFFIXES)}, DICOM files, a folder of them, or a .zip of DICOM files"


def find(path: Path, options: Options) -> list[Candidate]:
    """Every image of a folder, or the one file; label files by their names are left out.

    Raises:
        InputError: a file that cannot be an image, or a folder without any.
    """
    found = _in_folder(path, options) if path.is_dir() else _in_file(path, options)
    if not found:
        raise _nothing(path)
    return found


def names_labels(file: Path) -> bool:
    """True where a file's name, or its folder's, says that it holds labels."""
    return bool(_LABELS.search(stem_of(file)) or _LABELS.search("_" + file.parent.name))


def _in_folder(path: Path, options: Options) -> list[Candidate]:
    with Box(path) as box:
        names = box.names()
    found: list[Candidate] = []
    damaged: list[Candidate] = []
    others = []
    for name in names:
        file, known = path / name, format_of(name)
        if known is not None:
            if not _LABELS.search(stem_of(file)):
                found.append(_candidate(file, known, options))
        elif name.lower().endswith(".zip"):
            _add_dicom(file, options, None, found, damaged)
        elif not lies_beside(name):
            others.append(name)
    if others:
        _add_dicom(path, options, others, found, damaged)
    if damaged and not found:
        damaged[0].load()  # raises what is wrong with it
    return sorted([*found, *damaged], key=lambda candidate: natural(candidate.id))


def _add_dicom(
    path: Path,
    options: Options,
    only: Sequence[str] | None,
    found: list[Candidate],
    damaged: list[Candidate],
) -> None:
    """What is DICOM at a path goes to `found`; what is damaged must not stop the others."""
    try:
        found += _dicom(path, options, only)
    except InputError as fault:
        damaged.append(_unreadable(path, fault))


def _unreadable(path: Path, fault: InputError) -> Candidate:
    def load() -> Study:
        raise fault

    return Candidate(id=safe_id(stem_of(path)), layout=NAME, path=path, load=load)


def _in_file(path: Path, options: Options) -> list[Candidate]:
    if path.stat().st_size == 0:
        raise FormatError(path.name, got="an empty file", do="copy or export it again")
    known = format_of(path.name)
    if known is not None:
        return [_candidate(path, known, options)]
    return _dicom(path, options)


def _dicom(path: Path, options: Options, only: Sequence[str] | None = None) -> list[Candidate]:
    from heartseg.read import dicom_study  # pydicom takes 0.2 s: only where it is needed

    return dicom_study.find(path, options, only)


def _candidate(path: Path, known: Format, options: Options) -> Candidate:
    return Candidate(
        id=safe_id(stem_of(path)),
        layout=NAME,
        path=path,
        load=lambda: _load(path, known, options),
    )


def _load(path: Path, known: Format, options: Options) -> Study:
    image, notes = known.door.read_noted(path, options.spacing_mm)
    require_picture(image.voxels, path.name)
    view, why = view_of(
        modality=Modality.CT if says_ct(stem_of(path)) else None,
        geometry=image.geometry,
        frames=image.frames,
        words=stem_of(path),
        placed=image.geometry.oblique,
    )
    if options.view is not None:
        view, why = options.view, "given"
    return Study(
        id=safe_id(stem_of(path)),
        modality=modality_in(stem_of(path), view),
        images={view: image},
        sources={
            view: (
                Source(
                    stem=safe_id(stem_of(path)),
                    format=known.name,
                    path=path,
                    frames=tuple(range(image.frames)),
                ),
            )
        },
        notes=notes,
        reasons={view: why},
    )


def _nothing(path: Path) -> StudyError | FormatError:
    if not path.is_dir():
        if path.name.lower().endswith(".zip"):
            return FormatError(
                path.name,
                got="no DICOM image in this .zip, or a truncated one",
                allowed="DICOM files",
                do="pack the study's folder again",
            )
        if lies_beside(path.name):
            return FormatError(
                path.name,
                got="voxels without their header",
                do="name the header that belongs to it, such as its .mhd or .nhdr",
            )
        return FormatError(
            path.name,
            got="a file that is no image heartseg can read",
            allowed=ALLOWED,
            do="check what the file is, or export it again",
        )
    with Box(path) as box:
        names = box.names()
    labels = sum(bool(_LABELS.search(stem_of(Path(name)))) for name in names)
    got = f"{len(names)} files, {labels} of them labels by their names, no image among them"
    return StudyError(
        path.name,
        got=got if names else "an empty folder",
        allowed=ALLOWED,
        do="name the folder that holds the images",
    )


LAYOUT = Layout(name=NAME, find=find)
