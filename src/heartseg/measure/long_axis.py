"""A long-axis view measured frame by frame: its chambers, phases, beats and volume curve."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from heartseg.core.anatomy import Structure
from heartseg.core.errors import MeasureError
from heartseg.core.image import Segmentation
from heartseg.core.study import Phases, View
from heartseg.measure.beats import beats
from heartseg.measure.number import Number
from heartseg.measure.phases import usable_frames
from heartseg.measure.simpson import Chamber, chamber, single_plane
from heartseg.measure.volumes import Curve

Found = Chamber | str
"""A chamber, or why there is none."""

Method = Callable[[Chamber, Chamber], float]
"""A volume from two views; of one view, given twice."""

SINGLE_PHASE = "a single phase: there is no end-systole to compare with"

_LV, _LA = Structure.LV_CAVITY, Structure.LEFT_ATRIUM


@dataclass(frozen=True, slots=True, eq=False)
class LongAxis:
    """A view and what was found in it.

    Attributes:
        view: which.
        segmentation: (t, 1, y, x) labels.
        ventricle: the LV in each frame.
        phases: the first beat's; None when there is no LV to tell them by.
        beats: (end-diastole, end-systole) frames of each beat; the latter None in a single phase.
    """

    view: View
    segmentation: Segmentation
    ventricle: tuple[Found, ...]
    phases: Phases | None
    beats: tuple[tuple[int, int | None], ...]

    @property
    def calibrated(self) -> bool:
        """True when its pixels have millimetres."""
        return self.segmentation.geometry.unit == "mm"

    @property
    def curve(self) -> Curve:
        """(t,) single-plane LV volume in mm3 (or px3); 0 where there is none."""
        return np.array([0.0 if isinstance(one, str) else single_plane(one)
                         for one in self.ventricle])  # fmt: skip

    def atrium(self, frame: int) -> Found:
        """The left atrium in a frame."""
        return _found(self.segmentation, frame, _LA, _LV)


def long_axis(view: View, segmentation: Segmentation, given: Phases | None) -> LongAxis:
    """Measure a view; without given phases its own volume curve decides.

    Raises:
        MeasureError: given phases that are not frames of it.
    """
    frames = range(segmentation.frames)
    wrong = [
        i for i in ((given.ed, given.es) if given else ()) if i is not None and i not in frames
    ]
    if wrong:
        raise MeasureError("phases", got=f"frame {wrong[0]}", allowed=f"0 to {frames[-1]}")
    ventricle = tuple(_found(segmentation, frame, _LV, _LA) for frame in frames)
    seen = LongAxis(view, segmentation, ventricle, given, ())
    found = ((given.ed, given.es),) if given else _detected(seen.curve)
    if found and given is None:
        (ed, es), *_ = found
        given = Phases(ed=ed, es=es, how="detected")
    return LongAxis(view, segmentation, ventricle, given, found)


def _detected(curve: Curve) -> tuple[tuple[int, int | None], ...]:
    several = beats(curve)
    if several:
        return several
    held = np.flatnonzero(usable_frames(curve))
    if not len(held):
        return ()
    ed, es = (int(held[pick(curve[held])]) for pick in (np.argmax, np.argmin))
    return ((ed, es if es != ed else None),)


def _found(
    segmentation: Segmentation, frame: int, cavity: Structure, neighbour: Structure
) -> Found:
    for structure in (cavity, neighbour):
        if structure not in segmentation.structures:
            return f"{structure.title} was not looked for"
    if not segmentation.covers(frame):
        return f"frame {frame + 1} was not drawn"
    planes = segmentation.labels[frame]
    if len(planes) != 1:
        return f"{len(planes)} planes: a long-axis view has one"
    try:
        return chamber(planes[0], cavity, neighbour, segmentation.geometry.spacing[1:])
    except MeasureError as fault:
        return f"{fault} at frame {frame + 1}"


def volume(views: tuple[LongAxis, ...], frames: tuple[int | None, ...], method: Method) -> Number:
    """LV volume of one or two views at a frame of each, in mm3 (or px3)."""
    chambers = []
    for view, frame in zip(views, frames, strict=True):
        if frame is None:
            return Number(None, SINGLE_PHASE)
        one = view.ventricle[frame]
        if isinstance(one, str):
            return Number(None, f"{view.view}: {one}")
        chambers.append(one)
    return Number(method(chambers[0], chambers[-1]))


def atrial_volume(
    views: tuple[LongAxis, ...], frames: tuple[int | None, ...], method: Method
) -> Number:
    """As `volume`, of the left atrium."""
    chambers = []
    for view, frame in zip(views, frames, strict=True):
        one = SINGLE_PHASE if frame is None else view.atrium(frame)
        if isinstance(one, str):
            return Number(None, one if frame is None else f"{view.view}: {one}")
        chambers.append(one)
    remark = "the atrium reaches the picture's edge: it may be larger"
    return Number(method(chambers[0], chambers[-1])).minded(
        remark if any(one.cut for one in chambers) else None
    )
