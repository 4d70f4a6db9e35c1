"""What a data set looks like to somebody who plans a training: a few of its studies, measured."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from heartseg.core.errors import StudyError
from heartseg.core.geometry import Unit
from heartseg.core.image import Image, Segmentation
from heartseg.core.study import Modality, Study, View
from heartseg.read import Candidate, find_studies
from heartseg.train.examples import OWN_PAIRS
from heartseg.train.split import patient_of

LOOKED_AT = 8
"""Studies that are read, evenly through the list: many more would take long and say the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One study's image of the view, in its canonical in-plane orientation.

    Attributes:
        unit: "mm", or "px" where the file knows no lengths.
        spacing: (y, x) of the pixels.
        size: rows and columns.
        heart: rows and columns of the box about all that is labelled; in pixels.
        planes: labelled ones, in all frames.
        brightest: the largest intensity by the 99th percentile, both above the 1st.
    """

    unit: Unit
    spacing: tuple[float, float]
    size: tuple[int, int]
    heart: tuple[int, int]
    planes: int
    brightest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """A data set in a few numbers.

    Attributes:
        layout: that its reader knows it by.
        studies, patients: in all.
        modality, view: of the images with labels.
        assumed: True where nothing says what the images show.
        structures: keys of what is drawn.
        looks: at some of its studies.
        without: ids of studies that were read and have no labelled image of the view.
    """

    layout: str
    studies: int
    patients: int
    modality: Modality
    view: View
    assumed: bool
    structures: tuple[str, ...]
    looks: tuple[Look, ...]
    without: tuple[str, ...]


def fingerprint(folder: Path) -> Fingerprint:
    """Look at a folder of images and labels, in any layout that heartseg reads.

    Raises:
        InputError: nothing there, or nothing with labels.
    """
    found = find_studies(folder)
    labelled, assumed = _labelled(found), False
    if labelled and all(one.layout == OWN_PAIRS for one in found):
        view = next(iter(_read(labelled[0])[1]))
        if view in (View.UNKNOWN, View.OTHER):
            assumed, labelled = True, _labelled(find_studies(folder, view=View.SAX))
    if not labelled:
        raise StudyError(
            folder.name,
            got=f"{len(found)} studies, none with labels",
            allowed="images with their labels",
            do="see heartseg datasets; in a folder of your own, labels.toml says what numbers mean",
        )
    read = [(one.id, *_read(one)) for one in _some(labelled)]
    view = _most_drawn([truth for _, _, truth in read])
    with_view = [(study, truth[view]) for _, study, truth in read if view in truth]
    return Fingerprint(
        layout=found[0].layout,
        studies=len(labelled),
        patients=len({patient_of(one) for one in labelled}),
        modality=Modality.MR if assumed else with_view[0][0].modality,
        view=view,
        assumed=assumed,
        structures=tuple(one.key for one in with_view[0][1].structures),
        looks=tuple(_look(study.images[view], truth) for study, truth in with_view),
        without=tuple(name for name, _, truth in read if view not in truth),
    )


def _labelled(found: Sequence[Candidate]) -> list[Candidate]:
    return [one for one in found if one.reference is not None]


def _some(candidates: Sequence[Candidate]) -> list[Candidate]:
    ordered = sorted(candidates, key=lambda one: one.id)
    places = np.linspace(0, len(ordered) - 1, min(LOOKED_AT, len(ordered))).round().astype(int)
    return [ordered[place] for place in places.tolist()]


def _read(candidate: Candidate) -> tuple[Study, dict[View, Segmentation]]:
    truth = {} if candidate.reference is None else candidate.reference()
    drawn = {view: one for view, one in truth.items() if one.labels.any()}
    return candidate.load(), drawn


def _most_drawn(truths: Sequence[dict[View, Segmentation]]) -> View:
    """The view with labels in most studies; of equals, the first in the order of `View`."""
    counts = Counter(view for truth in truths for view in truth)
    if not counts:
        raise StudyError("labels", got=f"{len(truths)} studies in which nothing is drawn")
    return min(counts, key=lambda view: (-counts[view], list(View).index(view)))


def _look(image: Image, truth: Segmentation) -> Look:
    orientation = image.geometry.canonical()
    geometry = image.geometry.oriented(orientation)
    drawn = orientation.apply(truth.labels) > 0
    rows, columns = (np.flatnonzero(drawn.any(axis=axes)) for axes in ((0, 1, 3), (0, 1, 2)))
    low, high, most = np.percentile(image.voxels, (1, 99, 100))
    return Look(
        unit=geometry.unit,
        spacing=(geometry.spacing[1], geometry.spacing[2]),
        size=(geometry.shape[1], geometry.shape[2]),
        heart=(int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1),
        planes=int(drawn.any(axis=(2, 3)).sum()),
        brightest=float((most - low) / max(high - low, 1e-9)),
    )
