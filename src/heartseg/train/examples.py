"""Data of one's own: arrays, or a folder, without a RUN.toml."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Scheme, scheme
from heartseg.core.errors import GeometryError, StudyError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image, Segmentation
from heartseg.core.study import Modality, Study, View
from heartseg.read import Candidate, find_studies
from heartseg.read.candidate import safe_id, with_unique_ids
from heartseg.train.split import patient_of

NAME = "arrays"
FOLDS, FEW_FOLDS = 5, 3
OWN_PAIRS = "pairs"
"""The layout of folders whose images nobody but their owner can name the view of."""

Table = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Example:
    """An image of your own with its labels, to train on.

    Attributes:
        image: (t, z, y, x) intensities; a still may leave t out, a plane z too.
        labels: the same shape, whole numbers; every voxel of a labelled frame has one, and a frame
            without any label but the background is not trained on.
        spacing_mm: distance of the voxels along (z, y, x).
        patient: whose image it is: all images of a patient train, or none.
        scheme: what the numbers mean: `acdc`, another scheme's name, or a TOML file.
        group: of the patient, such as the diagnosis, so that every part has some.
    """

    image: NDArray[Any]
    labels: NDArray[Any]
    spacing_mm: tuple[float, float, float]
    patient: str
    scheme: str = "acdc"
    group: str | None = None

    def __post_init__(self) -> None:
        if self.image.shape != self.labels.shape or not 2 <= self.image.ndim <= 4:
            raise GeometryError(
                f"example of {safe_id(self.patient)}",
                got=f"an image of shape {self.image.shape} and labels of {self.labels.shape}",
                allowed="(t, z, y, x), (z, y, x) or (y, x), both the same",
            )
        if self.labels.dtype.kind not in "ui":
            raise GeometryError(
                f"example of {safe_id(self.patient)}",
                got=f"labels of type {self.labels.dtype}",
                allowed="whole numbers",
            )


def settings_of_arrays(examples: Sequence[Example]) -> Table:
    """What a RUN.toml would say of these examples.

    Raises:
        StudyError: no example, or examples whose numbers mean different things.
        LabelError: no such scheme.
    """
    schemes = {one.scheme for one in examples}
    if len(schemes) != 1:
        got = f"schemes {', '.join(sorted(schemes))}" if schemes else "none"
        raise StudyError("examples to train on", got=got, allowed="some, of one scheme")
    keys = [structure.key for structure in scheme(schemes.pop()).structures]
    patients = {one.patient for one in examples}
    return {"folder": NAME, "structures": keys, "split": _split(len(patients))}


def settings_of_folder(folder: Path) -> Table:
    """What a RUN.toml would say of a folder of images and labels.

    Raises:
        InputError: nothing there that heartseg can read.
    """
    found = find_studies(folder)
    table: Table = {"folder": str(folder.resolve())}
    if all(one.layout == OWN_PAIRS for one in found):
        table["assume_view"] = True
    return {**table, "split": _split(len({patient_of(one) for one in found}))}


def name_of(out: Path) -> str:
    """A name for a bundle, from its run's folder."""
    return re.sub(r"[^a-z0-9._-]+", "-", out.name.lower()).strip("-._")[:64] or "model"


def candidates_of(examples: Sequence[Example], modality: Modality, view: View) -> list[Candidate]:
    """The examples as studies that a run can divide and prepare.

    Raises:
        LabelError: no such scheme.
    """
    made = [_candidate(one, scheme(one.scheme), modality, view) for one in examples]
    return with_unique_ids(made)


def _split(patients: int) -> Mapping[str, Any]:
    folds = FOLDS if patients >= FOLDS else FEW_FOLDS
    return MappingProxyType({"by": "fold", "folds": folds})


def _candidate(one: Example, numbers: Scheme, modality: Modality, view: View) -> Candidate:
    name = safe_id(one.patient)
    voxels, drawn = _four_axes(one.image), _four_axes(one.labels)
    geometry = Geometry.from_pixels(voxels.shape[1:], one.spacing_mm)

    def load() -> Study:
        images = {view: Image(voxels, geometry)}
        return Study(id=name, modality=modality, images=images, sources={view: ()})

    def reference() -> dict[View, Segmentation]:
        labels = numbers.read(drawn, where=name)
        return {view: Segmentation(labels, geometry, numbers.structures)}

    return Candidate(
        id=name,
        layout=NAME,
        path=Path(NAME),
        load=load,
        reference=reference,
        patient=one.patient,
        group=one.group,
    )


def _four_axes(array: NDArray[Any]) -> NDArray[Any]:
    """(t, z, y, x), t and z of length 1 where there is none."""
    return array[(np.newaxis,) * (4 - array.ndim)]
