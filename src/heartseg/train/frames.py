"""The prepared frames that a run learns from: of its own studies, and of a data set beside them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from heartseg.core.errors import ConfigError, StudyError
from heartseg.read import Candidate
from heartseg.train.data import PreparedFrame, prepared_frames
from heartseg.train.schedule import Schedule
from heartseg.train.selection import select
from heartseg.train.settings import RunSettings
from heartseg.train.sparse import Sparse
from heartseg.train.split import Split, chance


def frames_of(
    chosen: Sequence[Candidate], settings: RunSettings, sparse: Sparse | None = None
) -> list[PreparedFrame]:
    """The prepared frames of studies.

    Args:
        chosen: the studies.
        settings: of the run.
        sparse: what of their labels counts as annotated; None: all of it.

    Raises:
        InputError: a study cannot be read, or has no labels.
        StudyError: studies, but no labelled frame.
    """
    classes, ignored = settings.classes(), settings.loss.ignores
    frames = [
        frame
        for candidate in chosen
        for frame in prepared_frames(
            candidate,
            settings.preparation,
            classes,
            settings.view,
            ignored,
            merged=settings.merged,
            taken_for=settings.others,
            sparse=sparse,
        )
    ]
    if chosen and not frames:
        raise StudyError(
            Path(settings.folder).name, got=f"no labelled frame in {len(chosen)} studies"
        )
    return frames


def frames_beside(settings: RunSettings, root: Path) -> list[PreparedFrame]:
    """The prepared frames of the other data set; none where there is no other.

    Raises:
        ConfigError, InputError: as of the run's own.
    """
    also = settings.also
    if also is None:
        return []
    theirs = replace(
        settings,
        folder=also.folder,
        scheme=also.scheme,
        view=also.view,
        assume_view=also.assume_view,
        as_background=also.as_background,
        taken_for=also.taken_for,
        train_on=also.train_on,
        validate_on=(),
        schedule=Schedule(steps=1),  # what asks for validation has no say here
        split=also.split,
        sparse=None,
        also=None,
        matched=None,
    )
    return fewer_slices(frames_of(select(theirs, root).training, theirs), also.split)


def fewer_slices(frames: Sequence[PreparedFrame], split: Split) -> list[PreparedFrame]:
    """`split.slices` planes of these frames; fewer are always among more.

    Raises:
        ConfigError: there are not as many.
    """
    wanted = split.slices
    if wanted is None:
        return list(frames)
    planes = [(row, z) for row, frame in enumerate(frames) for z in range(len(frame.pixels))]
    if wanted > len(planes):
        raise ConfigError("split.slices", got=str(wanted), allowed=f"at most {len(planes)}")
    drawn = sorted(planes, key=lambda at: chance(split.seed, _name(frames[at[0]], at[1])))[:wanted]
    kept: dict[int, list[int]] = {}
    for row, z in sorted(drawn):
        kept.setdefault(row, []).append(z)
    return [_part(frames[row], places) for row, places in kept.items()]


def _name(frame: PreparedFrame, z: int) -> str:
    return f"{frame.patient}/{frame.phase}/{z}"


def _part(frame: PreparedFrame, places: Sequence[int]) -> PreparedFrame:
    rows = np.array(places)
    return replace(frame, pixels=frame.pixels[rows], classes=frame.classes[rows])
