"""Where segmentations fail: the slices with the most tissue that was labelled wrongly.

Slices are ranked by the volume whose label differs from the reference's, not by their own Dice: a
Dice of the few pixels of an apex is often poor and seldom matters. Of each case only its worst
slice is told, so that one broken study does not hide the others.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from heartseg.core.anatomy import Structure
from heartseg.core.errors import GeometryError
from heartseg.core.image import Segmentation
from heartseg.core.study import Phases
from heartseg.measure.levels import levels_of
from heartseg.measure.overlap import Mask

NONE_HERE, MISSED, TOO_LARGE, TOO_SMALL, DISPLACED = (
    "drawn where the reference has none",
    "missed",
    "drawn too large",
    "drawn too small",
    "drawn elsewhere",
)
LOPSIDED = 3.0
"""Of added and missed tissue, one is this many times the other where an outline is too large or
too small; else it is displaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One slice of one case, and the structure in it that went wrong most.

    Attributes:
        case: name of the case.
        group: of the case; "" where it is in none.
        phase: "ED", "ES" or "".
        frame: counted from 0.
        slice: counted from 1, in the order of the file.
        slices: of the stack.
        level: "base", "mid", "apex"; "" where the reference does not tell.
        structure: key of the one with the most wrong tissue.
        wrong_ml: of the slice, all structures: its label differs from the reference's.
        missed_ml: of the structure: in the reference only.
        added_ml: of the structure: in the prediction only.
        dice: of the structure in this slice.
        how: in words.
    """

    case: str
    group: str = ""
    phase: str = ""
    frame: int
    slice: int
    slices: int
    level: str = ""
    structure: str
    wrong_ml: float
    missed_ml: float
    added_ml: float
    dice: float
    how: str


def failures_of(
    pred: Segmentation,
    truth: Segmentation,
    *,
    case: str = "",
    group: str = "",
    phases: Phases | None = None,
    covered: Mapping[int, Sequence[Structure]] | None = None,
) -> tuple[Failure, ...]:
    """Every slice with a voxel whose label differs, worst first.

    Args:
        pred: the segmentation to judge.
        truth: the one to judge it by; frames that it does not cover are left out.
        case: written into every row.
        group: the same.
        phases: only these frames, named; else all.
        covered: the structures that the reference shows in each frame; None where it shows all.

    Raises:
        GeometryError: other grids or frames, or no millimetres.
    """
    if not pred.geometry.same_grid(truth.geometry) or pred.frames != truth.frames:
        raise GeometryError("truth", got="another grid or number of frames", allowed="the same")
    if truth.geometry.unit != "mm":
        raise GeometryError("truth", got="no millimetres", allowed="a volume in millilitres")
    shared = [s for s in truth.structures if s in pred.structures and s]
    drawn = dict.fromkeys(range(pred.frames), shared) if covered is None else covered
    frames = [
        (frame, phase)
        for frame, phase in _frames(pred.frames, phases)
        if pred.covers(frame) and truth.covers(frame) and drawn.get(frame)
    ]
    levels = levels_of(truth.labels[[frame for frame, _ in frames]])
    found = [
        Failure(
            case=case,
            group=group,
            phase=phase,
            frame=frame,
            slice=z + 1,
            slices=truth.geometry.shape[0],
            level=next((level for level, planes in parts.items() if z in planes), ""),
            wrong_ml=wrong_ml,
            **asdict(main),
        )
        for (frame, phase), parts in zip(frames, levels, strict=True)
        for z, wrong_ml, main in _slices(
            pred, truth, frame, [s for s in shared if s in drawn[frame]]
        )
    ]
    return tuple(sorted(found, key=lambda one: -one.wrong_ml))


def worst(found: Iterable[Failure], count: int) -> tuple[Failure, ...]:
    """The worst slice of each of the worst cases, worst first."""
    chosen: dict[str, Failure] = {}
    for one in sorted(found, key=lambda one: (-one.wrong_ml, one.case, one.frame, one.slice)):
        chosen.setdefault(one.case, one)
    return tuple(chosen.values())[:count]


def _frames(count: int, phases: Phases | None) -> list[tuple[int, str]]:
    if phases is None:
        return [(frame, "") for frame in range(count)]
    named = [(phases.ed, "ED"), (phases.es, "ES")]
    return [(frame, phase) for frame, phase in named if frame is not None and 0 <= frame < count]


@dataclass(frozen=True, slots=True)
class _Part:
    """What went wrong with one structure of a slice."""

    structure: str
    missed_ml: float
    added_ml: float
    dice: float
    how: str


def _slices(
    pred: Segmentation, truth: Segmentation, frame: int, shared: Sequence[Structure]
) -> Iterator[tuple[int, float, _Part]]:
    """(z, wrong_ml, the part with the most wrong tissue) of the slices that differ."""
    voxel_ml = truth.geometry.voxel_ml
    masks = {s: (pred.mask(s, frame), truth.mask(s, frame)) for s in shared}
    differs = np.any([ours != theirs for ours, theirs in masks.values()], axis=0)
    for z in np.flatnonzero(differs.any(axis=(1, 2))).tolist():
        parts = [_part(s, ours[z], theirs[z], voxel_ml) for s, (ours, theirs) in masks.items()]
        main = max(parts, key=lambda part: part.missed_ml + part.added_ml)
        yield z, voxel_ml * int(np.count_nonzero(differs[z])), main


def _part(structure: Structure, ours: Mask, theirs: Mask, voxel_ml: float) -> _Part:
    added, missed = (int(np.count_nonzero(one)) for one in (ours & ~theirs, theirs & ~ours))
    held, wanted = int(np.count_nonzero(ours)), int(np.count_nonzero(theirs))
    both = held + wanted
    return _Part(
        structure=structure.key,
        missed_ml=missed * voxel_ml,
        added_ml=added * voxel_ml,
        dice=1 - (added + missed) / both if both else 1.0,
        how=_how(added, missed, held, wanted),
    )


def _how(added: int, missed: int, held: int, wanted: int) -> str:
    if wanted == 0:
        return NONE_HERE
    if held == 0:
        return MISSED
    if added > LOPSIDED * missed:
        return TOO_LARGE
    return TOO_SMALL if missed > LOPSIDED * added else DISPLACED
