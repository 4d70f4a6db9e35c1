"""EMIDEC as pictures: `images/Case_P001_slice000.png`, labels of the same name in `labels`.

The slices of a case are stacked in the order of their numbers. They have no millimetres, and were
often resized to a square, so lengths along rows and columns cannot be compared either.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import GeometryError, StudyError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image, Segmentation
from heartseg.core.study import Modality, Source, Study, View
from heartseg.read.candidate import Candidate, Options, require_picture, safe_id
from heartseg.read.datasets.emidec import LICENCE, SCHEME, SOURCE, STRUCTURES, group_of
from heartseg.read.layout import Card, Layout

NAME = "emidec-png"
_SLICE = re.compile(r"(Case_[NP]?\d+)_slice(\d+)\.png$")
Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Case:
    """A case and the pictures of its slices, by number, ascending."""

    name: str
    slices: Mapping[int, Path]
    labels: Mapping[int, Path]


def find(path: Path, options: Options) -> list[Candidate]:
    """The cases whose slices lie in `images` at a path, or right there."""
    if not path.is_dir():
        return []
    images = path / "images" if (path / "images").is_dir() else path
    cases: dict[str, dict[int, Path]] = {}
    for file in images.iterdir():
        if match := _SLICE.match(file.name):
            cases.setdefault(match[1], {})[int(match[2])] = file
    found = (_case(name, cases[name], path / "labels") for name in sorted(cases))
    return [_candidate(case, images, options) for case in found]


def _case(name: str, slices: Mapping[int, Path], labels: Path) -> Case:
    ordered = {number: slices[number] for number in sorted(slices)}
    drawn = {number: labels / file.name for number, file in ordered.items()}
    return Case(name, ordered, {n: file for n, file in drawn.items() if file.is_file()})


def _candidate(case: Case, images: Path, options: Options) -> Candidate:
    return Candidate(
        id=safe_id(case.name),
        layout=NAME,
        path=images,
        load=lambda: _study(case, options),
        reference=(lambda: _reference(case, options)) if case.labels else None,
        patient=case.name,
        split="train" if group_of(case.name) else "test",
        labels_published=group_of(case.name) is not None,
        group=group_of(case.name),
        files=(*case.slices.values(), *case.labels.values()),
    )


def _study(case: Case, options: Options) -> Study:
    """The slices as one stack.

    Raises:
        StudyError: a number between the first and the last is missing.
        FormatError: as `formats.raster.read_image`.
        GeometryError: slices of different sizes.
    """
    image = _image(case, options)
    require_picture(image.voxels, case.name)
    view = options.view or View.LATE_ENHANCEMENT
    first, name = next(iter(case.slices.values())), safe_id(case.name)
    return Study(
        id=name,
        modality=Modality.MR,
        images={view: image},
        sources={view: (Source(stem=name, format="png", path=first, frames=(0,)),)},
        notes=(f"{len(case.slices)} pictures are its slices",),
        group=group_of(case.name),
    )


def _image(case: Case, options: Options) -> Image:
    from heartseg.formats import raster

    numbers = list(case.slices)
    lacking = sorted(set(range(numbers[0], numbers[-1])) - set(numbers))
    if lacking:
        raise StudyError(
            case.name,
            got="no slice " + ", ".join(map(str, lacking[:8])),
            allowed=f"all from {numbers[0]} to {numbers[-1]}",
            do="copy the case again",
        )
    files = list(case.slices.values())
    voxels = _stacked(files, [raster.read_image(file).voxels for file in files])
    return Image(voxels, Geometry.from_pixels(voxels.shape[1:], options.spacing_mm))


def _reference(case: Case, options: Options) -> Mapping[View, Segmentation]:
    """The labels of all slices.

    Raises:
        StudyError: a slice has none.
        FormatError, LabelError: as `formats.raster.read_labels`.
        GeometryError: labels of another size than their slice.
    """
    from heartseg.formats import raster

    image = _image(case, options)
    bare = [file.name for number, file in case.slices.items() if number not in case.labels]
    if bare:
        raise StudyError(bare[0], got="no labels of it", do="copy the case again")
    files = list(case.labels.values())
    planes = [raster.read_labels(file, SCHEME).labels for file in files]
    labels = _stacked(files, planes, image.geometry.shape[1:])
    view = options.view or View.LATE_ENHANCEMENT
    return {view: Segmentation(labels, image.geometry, STRUCTURES)}


def _stacked(
    files: Sequence[Path],
    planes: Sequence[NDArray[Number]],
    size: tuple[int, ...] | None = None,
) -> NDArray[Number]:
    """Planes (1, 1, y, x) as (1, z, y, x); all of a size, the first one's unless it is given."""
    size = size or planes[0].shape[2:]
    for file, plane in zip(files, planes, strict=True):
        if plane.shape[2:] != size:
            raise GeometryError(
                file.name,
                got="{} x {} pixels".format(*plane.shape[2:]),
                allowed="{} x {}, as the other slices and their labels".format(*size),
                do="copy or export it again",
            )
    return np.concatenate(planes, axis=1)


LAYOUT = Layout(
    name=NAME,
    find=find,
    scheme="emidec",
    card=Card(
        title="EMIDEC: late-enhancement short-axis MR, pictures of slices without millimetres",
        paper="Lalande et al., Data 2020",
        modality=Modality.MR,
        patients=100,
        cases="slices of the 100 patients to train",
        labels="LV cavity, LV myocardium, infarct, no-reflow; scheme emidec",
        licence=LICENCE,
        source=f"{SOURCE}; the pictures are nobody's publication",
        obtain="convert the published volumes, or ask who gave you the pictures",
        tree="{images,labels}/Case_P001_slice000.png",
    ),
)
