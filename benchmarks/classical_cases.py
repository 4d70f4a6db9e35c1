"""What segments the patients of two data sets, and how it is judged: methods and networks alike.

`benchmarks/classical.py` says what is compared, and keeps what this finds.
"""

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rows import commit, real_images, today

from heartseg.choice import Models, chosen_place
from heartseg.classical import METHODS, looks_of, segment_image
from heartseg.classical.atlas import Atlas
from heartseg.core.anatomy import Structure
from heartseg.core.errors import StudyError
from heartseg.core.image import Image, Segmentation
from heartseg.core.study import View
from heartseg.measure.metrics import METRICS
from heartseg.measure.pair import Pair
from heartseg.prepare.localise import Look
from heartseg.read import Candidate, find_studies
from heartseg.refine import refine_regions
from heartseg.train.split import part_of

COMMIT = commit()
"""When the run began: what it measures."""
DATA: Mapping[str, str] = {"ACDC": "acdc/training", "CAMUS": "camus"}
ATLAS_EVERY: Mapping[str, int] = {"ACDC": 6, "CAMUS": 10}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One structure in one frame of one patient by one method; empty is no value."""

    date: str
    commit: str
    data: str
    part: str
    method: str
    case: str
    view: str
    frame: str
    phase: str
    structure: str
    dice: str
    hausdorff95_mm: str
    planes: str
    seconds: str
    problem: str


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """What segments.

    Attributes:
        method: as the cases name it.
        model: as the rows name it.
        configuration: how it was set.
        views: that it may be asked for; None for all that traditional methods know.
        finds: the structures that it looks for.
        segment: the image of a view, and what that shows.
    """

    method: str
    model: str
    configuration: str
    views: tuple[View, ...] | None
    finds: Callable[[Look], tuple[Structure, ...]]
    segment: Callable[[Image, Look], Segmentation]


def patients_of(data: str, part: str) -> list[Candidate]:
    """The labelled patients of a part of the split."""
    found = find_studies(real_images() / DATA[data])
    return [one for one in found if part_of(one.id) == part and one.reference is not None]


@contextmanager
def ready(name: str, data: str) -> Iterator[Contestant]:
    """The method with the settings of the table, or a network; the atlas gets training patients."""
    if name not in METHODS:
        yield _network(name)
        return
    method = METHODS[name]
    with tempfile.TemporaryDirectory(prefix="heartseg-atlas-") as folder:
        if isinstance(method, Atlas):
            drawn = patients_of(data, "train")[:: ATLAS_EVERY[data]]
            _link([file for one in drawn for file in one.files], data, Path(folder))
            method = replace(method, folder=Path(folder) / DATA[data], studies=len(drawn))
        yield Contestant(
            method=name,
            model=f"classical:{name}",
            configuration="settings of the table",
            views=None,
            finds=method.finds,
            segment=lambda image, look: segment_image(image, method, look),
        )


def _link(files: Iterable[Path], data: str, folder: Path) -> None:
    root = real_images() / DATA[data]
    for file in {file for file in files if file.is_relative_to(root)}:
        place = folder / DATA[data] / file.relative_to(root)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(file)


def _network(name: str) -> Contestant:
    ensemble = Models(device="cpu", threads=1).together((name,))
    (bundle, runtime), structures = ensemble.members[0], ensemble.structures

    def segment(image: Image, look: Look) -> Segmentation:
        place, _ = chosen_place(image, ensemble)
        seen = ensemble.regions(image, place=place)
        labels = refine_regions(seen, structures, image.geometry)
        return Segmentation(labels, image.geometry, structures[1:], image.times_ms)

    return Contestant(
        method=bundle.name,
        model=f"{bundle.name} {bundle.version}",
        configuration=f"one look, {runtime.precision}",
        views=(bundle.view,),
        finds=lambda look: structures[1:],
        segment=segment,
    )


def cases_of(candidate: Candidate, contestant: Contestant, data: str) -> Iterator[Case]:
    """A patient's images and structures."""
    study = candidate.load()
    masks = candidate.reference() if candidate.reference else {}
    for view, look in looks_of(study).items():
        if contestant.views is not None and view not in contestant.views:
            continue
        image, truth, problem = study.images[view], masks[view], ""
        begun = time.process_time()
        try:
            found = contestant.segment(image, look)
        except StudyError as fault:  # not found is a result, the worst one
            problem = str(fault)
            found = _nothing(image, contestant.finds(look))
        seconds = time.process_time() - begun
        about = {
            "date": today(),
            "commit": COMMIT,
            "data": data,
            "part": part_of(candidate.id),
            "method": contestant.method,
            "case": candidate.id,
            "view": str(view),
            "planes": str(image.frames * image.geometry.shape[0]),
            "seconds": f"{seconds:.3f}",
            "problem": problem,
        }
        yield from _judged(found, truth, about)


def _judged(found: Segmentation, truth: Segmentation, about: Mapping[str, str]) -> Iterator[Case]:
    """A case a frame and structure that both looked for."""
    grid = truth.geometry
    spacing = grid.spacing if grid.unit == "mm" else None
    for frame in range(truth.frames):
        for structure in found.structures:
            if structure not in truth.structures:
                continue
            pair = Pair(found.mask(structure, frame), truth.mask(structure, frame), spacing)
            values = {key: METRICS[key].value(pair)[0] for key in ("dice", "hausdorff95_mm")}
            yield Case(
                frame=str(frame),
                phase=_phase(truth, frame),
                structure=structure.key,
                **{key: "" if one is None else f"{one:.5g}" for key, one in values.items()},
                **about,
            )


def _nothing(image: Image, structures: tuple[Structure, ...]) -> Segmentation:
    """What a method that found nothing is judged by."""
    labels = np.zeros(image.voxels.shape, np.uint8)
    return Segmentation(labels, image.geometry, structures, image.times_ms)


def _phase(truth: Segmentation, frame: int) -> str:
    """ED has the larger cavity; the only frame of a study has no name."""
    if truth.frames != 2:
        return "-"
    sizes = [int(np.count_nonzero(one == 1)) for one in truth.labels]
    return "ED" if frame == int(np.argmax(sizes)) else "ES"
