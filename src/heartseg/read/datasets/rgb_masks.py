"""DICOM images with TIFF masks in three channels, as of Sinha et al. 2020 (SCCOR and HELIX).

The paper says of its files: short-axis cine MR, grey DICOM images of 256 x 256, "expert-annotated
RGB ground truth masks of the same dimensions" as TIFF, papillary muscles in the blood pool. It says
neither how files are named nor which colour is what, and its data are not public. So:

* names: a mask has the stem, or the last number, of its image: `0012.dcm`, `0012.tif`; side by side
  in a patient's folder, or in its folders `dicom` (or `images`) and `masks` (or `tiff`, `labels`);
* channels are on or off; their combination is a number (1 red, 2 green, 4 blue, and sums). A grey
  mask's values are numbers themselves;
* meaning: the option's scheme of these numbers; without it the anatomy decides. The number of most
  pixels is the background; the one that surrounds another is the myocardium, the surrounded one the
  LV, and a third the RV. Where that is not clear, the masks are refused.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Scheme, Structure, enclosure, scheme
from heartseg.core.errors import GeometryError, LabelError
from heartseg.core.image import Segmentation
from heartseg.core.study import Modality, Study, View
from heartseg.read.candidate import Candidate, Options, safe_id
from heartseg.read.contour import Places, read_numbered
from heartseg.read.layout import Card, Layout

NAME = "dicom-tiff"
_NUMBER = re.compile(r"(\d+)(?:[_-](?:mask|gt|seg|label))?$", re.I)
_IMAGES = ("dicom", "dcm", "images", "image")
_MASKS = ("masks", "mask", "tiff", "tif", "labels", "groundtruth", "gt")
_RINGED = 0.9
"""A cavity borders on the myocardium with at least this share of its outline (papillary muscles and
the valve's plane take some), and no other pair may reach half of it."""

_MOST_NUMBERS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """A patient's folder.

    Attributes:
        dicom: the folder of the images.
        masks: by the number in their names.
    """

    folder: Path
    dicom: Path
    masks: Mapping[int, Path]


def find(path: Path, options: Options) -> list[Candidate]:
    """The patient of a folder, or the patients of a folder of such folders."""
    if not path.is_dir():
        return []
    itself = _patient(path)
    folders = [] if itself else (entry for entry in sorted(path.iterdir()) if entry.is_dir())
    found = [itself] if itself else [one for folder in folders if (one := _patient(folder))]
    return [_candidate(patient, options) for patient in found]


def _patient(folder: Path) -> Patient | None:
    """None unless every mask has an image of its number."""
    below = {entry.name.lower(): entry for entry in folder.iterdir() if entry.is_dir()}
    dicom = next((below[name] for name in _IMAGES if name in below), folder)
    drawn = next((below[name] for name in _MASKS if name in below), folder)
    images, masks = _numbered(dicom, (".dcm",)), _numbered(drawn, (".tif", ".tiff"))
    if not masks or not masks.keys() <= images.keys():
        return None
    return Patient(folder=folder, dicom=dicom, masks=masks)


def _numbered(folder: Path, suffixes: tuple[str, ...]) -> dict[int, Path]:
    files = (file for file in folder.iterdir() if file.suffix.lower() in suffixes)
    matches = ((_NUMBER.search(file.stem), file) for file in sorted(files))
    return {int(match[1]): file for match, file in matches if match}


def _candidate(patient: Patient, options: Options) -> Candidate:
    name = safe_id(patient.folder.resolve().name)
    images = _numbered(patient.dicom, (".dcm",))
    return Candidate(
        id=name,
        layout=NAME,
        path=patient.folder,
        load=lambda: _read(patient, options)[0],
        reference=lambda: {View.SAX: _masks(patient, options)},
        covered=lambda: {View.SAX: _covered(patient, options)},
        patient=patient.folder.resolve().name,
        files=(*images.values(), *patient.masks.values()),
    )


def _read(patient: Patient, options: Options) -> tuple[Study, Places]:
    return read_numbered(patient.dicom, safe_id(patient.folder.resolve().name), options)


def _covered(patient: Patient, options: Options) -> dict[int, tuple[Structure, ...]]:
    """Frames of which every slice has a mask: elsewhere an empty slice would mean nothing."""
    study, places = _read(patient, options)
    slices = study.images[View.SAX].geometry.shape[0]
    counts: dict[int, int] = {}
    for number in patient.masks:
        if number in places:
            frame, _ = places[number]
            counts[frame] = counts.get(frame, 0) + 1
    _, numbers = _meaning(patient, options)
    drawn = _structures(numbers)
    return {frame: drawn for frame, count in sorted(counts.items()) if count == slices}


def _masks(patient: Patient, options: Options) -> Segmentation:
    """The masks in their places; planes without one stay empty.

    Raises:
        FormatError: a mask cannot be read.
        GeometryError: one of another size than the images.
        LabelError: channels that are not on or off, or numbers without a clear meaning.
    """
    study, places = _read(patient, options)
    image = study.images[View.SAX]
    codes, numbers = _meaning(patient, options)
    labels = np.zeros(image.voxels.shape, np.uint8)
    for number, values in codes.items():
        file = patient.masks[number]
        if values.shape != image.geometry.shape[1:]:
            raise GeometryError(
                file.name,
                got="a mask of {} x {} pixels".format(*values.shape),
                allowed="{} x {}, as its image".format(*image.geometry.shape[1:]),
                do="export it again",
            )
        if number in places:
            labels[places[number]] = numbers.read(values, where=file.name)
    return Segmentation(labels, image.geometry, _structures(numbers), image.times_ms)


def _structures(numbers: Scheme) -> tuple[Structure, ...]:
    return tuple(dict.fromkeys(s for _, s in sorted(numbers.numbers.items()) if s))


# What the numbers mean


def _meaning(patient: Patient, options: Options) -> tuple[dict[int, NDArray[np.uint8]], Scheme]:
    """The numbers of every mask, and their scheme."""
    codes = {number: _codes(file) for number, file in patient.masks.items()}
    if options.scheme is not None:
        return codes, scheme(options.scheme)
    return codes, scheme_by_anatomy(list(codes.values()), patient.folder.name)


def _codes(file: Path) -> NDArray[np.uint8]:
    """(y, x) numbers of a mask.

    Raises:
        FormatError: as `formats.tiff.read_channels`.
        LabelError: a channel of more than two values, or numbers that no mask has.
    """
    from heartseg.formats import tiff

    values = tiff.read_channels(file)
    if values.ndim == 2:
        if values.min() < 0 or values.max() > 255 or (values != np.rint(values)).any():
            raise LabelError(file.name, got="grey values", allowed="whole numbers up to 255")
        return values.astype(np.uint8)
    high = int(values.max())
    if not np.isin(values, (0, high)).all():
        raise LabelError(
            file.name,
            got=f"{len(np.unique(values))} values in its channels",
            allowed=f"each channel on or off (0 or {high})",
            do="export the mask without smoothing, or as one number for each structure",
        )
    codes: NDArray[np.uint8] = ((values > 0) * np.array([1, 2, 4])).sum(axis=-1).astype(np.uint8)
    return codes


def scheme_by_anatomy(masks: list[NDArray[np.uint8]], where: str) -> Scheme:
    """Myocardium is what surrounds, LV what is surrounded, RV what is left; of many planes.

    Args:
        masks: (y, x) each.
        where: for messages.

    Raises:
        LabelError: too few or many numbers, or none or several that surround another.
    """
    counts = np.bincount(np.concatenate([mask.ravel() for mask in masks]), minlength=256)
    found = [int(number) for number in np.argsort(-counts, kind="stable") if counts[number]]
    background, *others = found
    ringed = {pair: _ringed(masks, *pair) for pair in permutations(others, 2)}
    best = sorted(ringed, key=lambda pair: -ringed[pair])
    clear = best and ringed[best[0]] >= _RINGED
    if len(found) > _MOST_NUMBERS or not clear or _rivals(best, ringed):
        raise LabelError(
            where,
            got=f"masks of the numbers {found[:8]}, of which none clearly surrounds one other",
            allowed="a background, a cavity, a ring around it, and perhaps one more cavity",
            do="pass a scheme as TOML: 1 red, 2 green, 4 blue, sums for mixed colours",
        )
    cavity, ring = best[0]
    known = {background: Structure.BACKGROUND, cavity: Structure.LV_CAVITY}
    known[ring] = Structure.LV_MYOCARDIUM
    known |= dict.fromkeys((n for n in others if n not in best[0]), Structure.RV_CAVITY)
    return Scheme(f"the anatomy of {where}", MappingProxyType(known))


def _ringed(masks: list[NDArray[np.uint8]], cavity: int, ring: int) -> float:
    """Mean share of the cavity's outline that the ring touches, over the planes that show it."""
    shares = []
    for mask in masks:
        labels = np.zeros(mask.shape, np.uint8)
        labels[mask == cavity], labels[mask == ring] = Structure.LV_CAVITY, Structure.LV_MYOCARDIUM
        share = enclosure(labels, Structure.LV_CAVITY)
        shares += [] if share is None else [share]
    return float(np.mean(shares)) if shares else 0.0


def _rivals(best: list[tuple[int, int]], ringed: Mapping[tuple[int, int], float]) -> bool:
    """Another pair that might be meant; the ring itself borders on the cavity, that is none."""
    cavity, ring = best[0]
    others = [pair for pair in best[1:] if pair != (ring, cavity)]
    return any(ringed[pair] > _RINGED / 2 for pair in others)


LAYOUT = Layout(
    name=NAME,
    find=find,
    card=Card(
        title="DICOM images with TIFF masks in three channels: short-axis cine MR",
        paper="Sinha et al. 2020",
        modality=Modality.MR,
        cases="SCCOR: 1344 subjects, 100199 images; HELIX: 38 patients, 8502 images",
        labels="LV endocardium and epicardium, papillary muscles in the cavity",
        licence="not public: the paper offers no copy",
        obtain="not public; data of your own may have this form",
        source="the paper; SCCOR and HELIX are studies of the University of Alabama at Birmingham",
        tree="PATIENT/{NNNN.dcm, NNNN.tif} or PATIENT/{dicom/NNNN.dcm, masks/NNNN.tif}",
    ),
)
