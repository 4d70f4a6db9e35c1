"""The frames of one kind of image: with labels where there are some and they are wanted."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from heartseg.core.anatomy import Structure
from heartseg.core.errors import StudyError
from heartseg.losses import IGNORED
from heartseg.read import Candidate
from heartseg.train.data import PreparedFrame, prepared_frames
from heartseg.train.split import patient_of
from heartseg.train.translate.settings import Side


def frames_of_side(
    chosen: Sequence[Candidate],
    side: Side,
    classes: Sequence[Structure] = (),
    ignored: Sequence[Structure] = (),
) -> list[PreparedFrame]:
    """The prepared frames of studies, under the names of their patients.

    Args:
        chosen: the studies.
        side: which image, and what is done to it.
        classes: what is read of the labels, the background first; none reads no labels.
        ignored: what they hold too.

    Raises:
        InputError: a study cannot be read, or has no image of the view.
        StudyError: studies, but no frame.
    """
    frames = []
    for candidate in chosen:
        if classes and candidate.reference is not None:
            mine = prepared_frames(candidate, side.preparation, classes, side.view, ignored)
        else:
            mine = _without_labels(candidate, side)
        patient = patient_of(candidate)
        frames += [
            PreparedFrame(patient, frame.phase, frame.pixels, frame.classes) for frame in mine
        ]
    if chosen and not frames:
        got = f"no frame to learn from in {len(chosen)} studies"
        raise StudyError(Path(side.folder).name, got=got)
    return frames


def _without_labels(candidate: Candidate, side: Side) -> list[PreparedFrame]:
    study = candidate.load()
    if side.view not in study.images:
        there = ", ".join(study.images) or "none"
        do = f"name the right view, or set assume_view, or leave {candidate.id} out"
        raise StudyError(candidate.id, got=f"no {side.view} image, but {there}", do=do)
    image = study.images[side.view]
    sample = side.preparation.sample(image)
    found = []
    for phase in _evenly(image.frames, side.frames):
        pixels = sample.frame(phase)
        unknown = np.full(pixels.shape, IGNORED, np.uint8)
        found.append(PreparedFrame(candidate.id, phase, pixels, unknown))
    return found


def _evenly(frames: int, most: int) -> list[int]:
    """At most so many of these frames, the first among them."""
    count = min(frames, most)
    return [index * frames // count for index in range(count)]
