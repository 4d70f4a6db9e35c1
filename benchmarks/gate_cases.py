"""The segmentations that benchmarks/gate.py judges: made once, kept in the ignored folder out/gate.

What predicts: the shipped model on clean and on spoilt images, models that were trained far too
shortly, models of a cross-validation on patients of their own test part, traditional methods. A
network sees planes one by one, so its answers for a stack whose slices are lost, shuffled, turned
round or of two patients are those for the clean one, put in that order; the rules of `refine` come
after. For speed networks see a window of the planes, `MARGIN_MM` about the heart; the rest of their
answer is background. Of the seven faults that need a new prediction one falls to each
patient, in turn.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from gate_faults import (
    OF_IMAGE,
    OF_MASKS,
    OF_STACK,
    OTHER,
    Given,
    Voxels,
    other_patient,
    random,
    scaled,
)
from rows import ROOT, real_images

from heartseg.choice import Models
from heartseg.classical import METHODS, segment_image
from heartseg.core.anatomy import Labels, Structure
from heartseg.core.errors import StudyError
from heartseg.core.image import Image, Segmentation
from heartseg.core.probability import Region
from heartseg.core.study import View
from heartseg.measure.confidence import Sureness, Watching
from heartseg.read import Candidate, find_studies
from heartseg.refine import refine_regions
from heartseg.train.split import part_of

KEPT = ROOT / "out" / "gate"
SHIPPED = "cine-mr"
CLASSICAL = "classical:"
TRADITIONAL = ("otsu", "region-growing", "watershed")
CLEAN = "clean"
REFERENCE = "reference"
DRAWN = (Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY)
ANEW = (*OF_IMAGE, "spacing")
"""Faults that need a new prediction."""

MARGIN_MM = 45.0
FOR_EACH = {"validate": 1, "test": 1}
"""How many of these fall to each patient of a part."""

REORDERED = ("missing", "shuffled", "upside_down")


@dataclass(frozen=True)
class Case:
    """A segmentation of a patient's two frames, with what the model's probabilities said."""

    part: str
    source: str
    patient: str
    fault: str
    labels: Labels
    structures: tuple[Structure, ...]
    sure: Sureness | None

    @property
    def path(self) -> Path:
        """Where it is kept."""
        return _path(self.part, self.source, self.patient, self.fault)

    def save(self) -> None:
        """Keep it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        sums = {} if self.sure is None else {"sums": self.sure.sums}
        np.savez_compressed(self.path, labels=self.labels, structures=self.structures, **sums)


@lru_cache(maxsize=3)
def patients(part: str) -> tuple[Candidate, ...]:
    """ACDC's patients of one part of the split by number."""
    found = find_studies(real_images() / "acdc" / "training")
    return tuple(one for one in found if part_of(one.id) == part)


@lru_cache(maxsize=2)
def loaded(part: str, number: int) -> Given:
    """The two frames of a patient, and its reference contours."""
    candidate = patients(part)[number]
    truth = candidate.reference()[View.SAX] if candidate.reference else None
    if truth is None:
        raise StudyError(candidate.id, got="no reference contours")
    return scaled(candidate.load().images[View.SAX], truth.labels)


def spoilt(part: str, number: int, fault: str) -> Given:
    """A patient's study with a fault of image or stack; those of masks change neither."""
    if fault == OTHER:
        return other_patient(loaded(part, number), loaded(part, _before(part, number)))
    change = {**OF_IMAGE, **OF_STACK}.get(fault)
    given, patient = loaded(part, number), patients(part)[number].id
    return given if change is None else change(given, random(patient, fault))


def faults_of(part: str, source: str, number: int) -> tuple[str, ...]:
    """What is made of the patient of this number in its part, clean first."""
    if source != SHIPPED:
        return (CLEAN,) if _may_test(source, patients(part)[number].id) else ()
    each = FOR_EACH[part]
    anew = tuple(ANEW[(each * number + one) % len(ANEW)] for one in range(each))
    return (CLEAN, *anew, *REORDERED, OTHER, *OF_MASKS)


def _may_test(source: str, patient: str) -> bool:
    """False for a patient that has trained this model, as its run tells."""
    split = Path(source).parent / "split.json"
    if not split.exists():
        return True
    return patient not in json.loads(split.read_text(encoding="utf-8"))["trained_on"]


def collect(part: str, source: str, models: Models) -> None:
    """Make what is not kept yet."""
    for number, candidate in enumerate(patients(part)):
        for fault in faults_of(part, source, number):
            before = patients(part)[_before(part, number)].id
            if fault == OTHER and not _clean_path(part, before).exists():
                continue  # the first waits for the last: collect once more
            if not _path(part, source, candidate.id, fault).exists():
                _made(part, source, number, fault, models).save()
                print(part, source, candidate.id, fault, flush=True)


def kept(part: str, source: str) -> Iterator[tuple[Case, Callable[[], Given]]]:
    """What was collected, with what makes the study that it is of."""
    for number, candidate in enumerate(patients(part)):
        for fault in faults_of(part, source, number):
            if _path(part, source, candidate.id, fault).exists():
                case = _read(part, source, candidate.id, fault)
                yield case, partial(spoilt, part, number, fault)


def reference(part: str, number: int) -> tuple[Case, Given]:
    """The contours that people drew in a patient, as if a model had."""
    given, patient = loaded(part, number), patients(part)[number].id
    return Case(part, REFERENCE, patient, CLEAN, given.truth, DRAWN, None), given


def _before(part: str, number: int) -> int:
    return (number - 1) % len(patients(part))


def _made(part: str, source: str, number: int, fault: str, models: Models) -> Case:
    patient, sure = patients(part)[number].id, None
    if source.startswith(CLASSICAL):
        drawn = _traditional(source, loaded(part, number).image)
    elif fault in OF_MASKS:
        clean, grid = _read(part, source, patient, CLEAN), loaded(part, number).image.geometry
        labels = OF_MASKS[fault](clean.labels, grid, random(patient, fault))
        drawn = Segmentation(labels, grid, clean.structures)  # no model's: no probabilities
    else:
        grid = spoilt(part, number, fault).image.geometry
        structures = models.together((source,)).structures
        frames = _frames(part, source, number, fault, models)
        watching = Watching(map(Region.whole, frames), structures)
        drawn = Segmentation(refine_regions(watching, structures, grid), grid, structures[1:])
        sure = watching.seen()
    return Case(part, source, patient, fault, drawn.labels, drawn.structures, sure)


def _frames(part: str, source: str, number: int, fault: str, models: Models) -> list[Voxels]:
    """(structures, z, y, x) of ED and ES: predicted, or those of the clean study put in order."""
    if fault in (*REORDERED, OTHER):
        changed = [one.image.voxels for one in _changed(part, number, fault)]
        return list(np.stack(changed, axis=1))
    frames = _seen_through_window(spoilt(part, number, fault), source, models)
    if source == SHIPPED and fault == CLEAN:
        path = _clean_path(part, patients(part)[number].id)
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, frames=np.stack(frames).astype(np.float16))
    return frames


def _seen_through_window(given: Given, source: str, models: Models) -> list[Voxels]:
    """Probabilities of both frames on the whole grid, background beyond the window."""
    grid = given.image.geometry
    box = [slice(0, length) for length in grid.shape[1:]]
    for axis in range(2):
        there = np.flatnonzero(given.truth.any(axis=(0, 1, 3 - axis)))
        if len(there):
            margin = round(MARGIN_MM / grid.spacing[1 + axis])
            end = min(int(there[-1]) + margin, grid.shape[1 + axis])
            box[axis] = slice(max(int(there[0]) - margin, 0), end)
    part = Image(given.image.voxels[:, :, box[0], box[1]], grid.cropped(*box))
    whole = []
    for answer in models.together((source,)).frames(part):
        frame = np.zeros((len(answer), *grid.shape), np.float32)
        frame[0] = 1
        frame[:, :, box[0], box[1]] = answer
        whole.append(frame)
    return whole


def _changed(part: str, number: int, fault: str) -> Iterator[Given]:
    """Each structure's clean probabilities, put through the fault as an image is."""
    other = _before(part, number) if fault == OTHER else number
    for mine, theirs in zip(_clean(part, number), _clean(part, other), strict=True):
        if fault == OTHER:
            yield other_patient(mine, theirs)
        else:
            yield OF_STACK[fault](mine, random(patients(part)[number].id, fault))


def _clean(part: str, number: int) -> list[Given]:
    """Each structure's probabilities for the clean study, as an image."""
    grid = loaded(part, number)
    with np.load(_clean_path(part, patients(part)[number].id)) as found:
        frames = found["frames"].astype(np.float32)
    return [
        Given(Image(frames[:, channel], grid.image.geometry), grid.truth)
        for channel in range(frames.shape[1])
    ]


def _traditional(source: str, image: Image) -> Segmentation:
    method = METHODS[source.removeprefix(CLASSICAL)]
    try:
        return segment_image(image, method, "short-axis")
    except StudyError:  # nothing found: an empty mask, which the gate must refuse
        labels = np.zeros(image.voxels.shape, np.uint8)
        return Segmentation(labels, image.geometry, method.finds("short-axis"))


def folder_of(part: str, source: str) -> Path:
    """Where the cases of a source lie, among others of their kind."""
    return Path(part) / source.replace(":", "-").replace("/", "-")


def _path(part: str, source: str, patient: str, fault: str) -> Path:
    return KEPT / "cases" / folder_of(part, source) / f"{patient}-{fault}.npz"


def _read(part: str, source: str, patient: str, fault: str) -> Case:
    with np.load(_path(part, source, patient, fault)) as kept:
        structures = tuple(Structure(int(one)) for one in kept["structures"])
        sure = Sureness(kept["sums"], structures) if "sums" in kept else None
        return Case(part, source, patient, fault, kept["labels"], structures, sure)


def _clean_path(part: str, patient: str) -> Path:
    return KEPT / "clean" / part / f"{patient}.npz"
