"""Cell Tracking Challenge: time lapses of cells (Ulman et al., Nature Methods 2017).

The U-Net paper was judged by two of its sets, PhC-C2DH-U373 and DIC-C2DH-HeLa. A set's folder holds
sequences `01`, `02` of `t000.tif`, ..., gold truth `01_GT/SEG/man_seg000.tif` for some frames, and
silver truth `01_ST/SEG`, made by the best programs, for all. Numbers in a mask are cells, each its
own: here they all become "cell". The gold truth is read where there is any, else the silver one;
they are never mixed. Single planes of volumes (`man_seg000_004.tif`) are not read.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from heartseg.core.anatomy import Structure
from heartseg.core.errors import LabelError
from heartseg.core.image import Segmentation
from heartseg.core.study import Modality, View
from heartseg.read.candidate import Candidate, Options, safe_id
from heartseg.read.contour import files_below
from heartseg.read.image_file import read_noted
from heartseg.read.labelled import Labelled, Part, references, study_of
from heartseg.read.layout import Card, Layout

NAME = "cell-tracking"
_SEQUENCE = re.compile(r"^\d\d$")
_FRAME = re.compile(r"^t(\d{3,4})\.tif$")
_TRUTH = re.compile(r"^man_seg(\d{3,4})\.tif$")
_SET = re.compile(r"^(BF|DIC|Fluo|PhC)-[CNT][23]D[HL]-[\w+-]+$")
"""Challenge sets without any truth are known by their name only: microscope, what, sample."""

_STRUCTURES = (Structure.CELL,)


def find(path: Path, options: Options) -> list[Candidate]:
    """The sequences of a set, or of the sets in a folder."""
    if not path.is_dir():
        return []
    folders = [path] if _is_set(path) else [f for f in sorted(path.iterdir()) if _is_set(f)]
    return [
        _candidate(folder, sequence, options)
        for folder in folders
        for sequence in _sequences(folder)
    ]


def _is_set(folder: Path) -> bool:
    if not folder.is_dir() or not _sequences(folder):
        return False
    truths = (_truth(folder, sequence) for sequence in _sequences(folder))
    return bool(_SET.match(folder.resolve().name)) or any(truths)


def _sequences(folder: Path) -> list[str]:
    named = (f for f in folder.iterdir() if _SEQUENCE.match(f.name) and f.is_dir())
    return sorted(f.name for f in named if _numbered(f, _FRAME))


def _numbered(folder: Path, pattern: re.Pattern[str]) -> dict[int, Path]:
    if not folder.is_dir():
        return {}
    matches = ((pattern.match(file.name), file) for file in folder.iterdir())
    return dict(sorted((int(match[1]), file) for match, file in matches if match))


def _truth(folder: Path, sequence: str) -> Mapping[int, Path]:
    """Masks by frame: gold, else silver."""
    gold = _numbered(folder / f"{sequence}_GT" / "SEG", _TRUTH)
    return gold or _numbered(folder / f"{sequence}_ST" / "SEG", _TRUTH)


def _candidate(folder: Path, sequence: str, options: Options) -> Candidate:
    images, truth = _numbered(folder / sequence, _FRAME), _truth(folder, sequence)
    labelled = Labelled(
        parts=tuple(Part(image=file, labels=truth.get(t)) for t, file in images.items()),
        read_labels=lambda file: _cells(file, options),
        structures=_STRUCTURES,
        spacing_mm=options.spacing_mm,
    )
    view = options.view or View.UNKNOWN
    name = safe_id(f"{folder.resolve().name}_{sequence}")
    return Candidate(
        id=name,
        layout=NAME,
        path=folder / sequence,
        load=lambda: study_of(name, Modality.OTHER, {view: labelled}),
        reference=(lambda: references({view: labelled})) if labelled.has_labels else None,
        covered=(lambda: {view: _covered(labelled)}) if labelled.has_labels else None,
        patient=name,
        group=folder.resolve().name,
        files=(*images.values(), *_truth_files(folder, sequence)),
    )


def _truth_files(folder: Path, sequence: str) -> tuple[Path, ...]:
    """All of gold and silver truth, tracks too: what is not read is still part of the copy."""
    places = (folder / f"{sequence}_{kind}" for kind in ("GT", "ST"))
    return tuple(file for place in places if place.is_dir() for file in files_below(place))


def _covered(labelled: Labelled) -> dict[int, tuple[Structure, ...]]:
    """A file is a frame, so no file has to be opened."""
    drawn = [t for t, part in enumerate(labelled.parts) if part.labels]
    return dict.fromkeys(drawn, _STRUCTURES)


def _cells(file: Path, options: Options) -> Segmentation:
    """All cells as one structure.

    Raises:
        FormatError, GeometryError: as the TIFF reader.
        LabelError: numbers that count no cells.
    """
    image, _ = read_noted(file, options.spacing_mm)
    if image.voxels.dtype.kind not in "ui" or int(image.voxels.min()) < 0:
        raise LabelError(file.name, got=f"{image.voxels.dtype} values", allowed="cells, from 1")
    labels = np.where(image.voxels > 0, np.uint8(Structure.CELL), np.uint8(0))
    return Segmentation(labels, image.geometry, _STRUCTURES)


def missing(path: Path) -> list[str]:
    """Frames that a sequence skips, and masks without their frame."""
    lines = []
    for candidate in find(path, Options()):
        folder, sequence = candidate.path.parent, candidate.path.name
        images = _numbered(candidate.path, _FRAME)
        gaps = sorted(set(range(max(images) + 1)) - set(images))
        alone = sorted(set(_truth(folder, sequence)) - set(images))
        lines += [f"{candidate.id}: no frame {t}" for t in gaps]
        lines += [f"{candidate.id}: a mask of frame {t}, which is not there" for t in alone]
    return lines


LAYOUT = Layout(
    name=NAME,
    find=find,
    missing=missing,
    card=Card(
        title="Cell Tracking Challenge: time lapses of cells, two of them the U-Net paper's",
        paper="Ulman et al., Nature Methods 2017",
        modality=Modality.OTHER,
        cases="two sequences a set; U-Net paper: 35 drawn frames of PhC-U373, 20 of DIC-HeLa",
        labels="cells, some frames by hand (gold) or all by programs (silver)",
        licence=(
            "cite and name the source; scientific use apart from the challenge: ask the set's "
            "provider; commercial use: ask providers and organisers"
        ),
        obtain="download a training set from the Cell Tracking Challenge's page: open to anyone",
        source="the challenge's pages on data sets and annotations; U-Net paper (2015)",
        tree="PhC-C2DH-U373/{01/t000.tif, 01_GT/SEG/man_seg000.tif, 01_ST/SEG/man_seg000.tif}",
    ),
)
