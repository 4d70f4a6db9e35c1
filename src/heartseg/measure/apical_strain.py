"""Geometric longitudinal strain from apical views: how much shorter the endocardium becomes.

(L(t) - L(ED)) / L(ED) of the contour from hinge to apex to hinge, at end-systole and at its peak
over the beat (Voigt et al., Eur Heart J Cardiovasc Imaging 2015;16:1-11, which names both). It is
the shortening of a line in the masks: tissue is not followed, and the normal values of speckle
tracking do not apply. Ratios need no millimetres.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from heartseg.core.anatomy import Structure
from heartseg.core.errors import MeasureError
from heartseg.core.finding import Finding
from heartseg.core.image import Segmentation
from heartseg.core.study import Modality, Phases, View
from heartseg.measure.apical_motion import Curve, Line, segment_motion
from heartseg.measure.endocardium import endocardium
from heartseg.measure.long_axis import SINGLE_PHASE, LongAxis, long_axis
from heartseg.measure.number import Number, mean_of_beats
from heartseg.measure.phases import CINE_FRAMES, FEWEST_CURVE
from heartseg.measure.strain_catalogue import VIEW_NAMES, longitudinal, strain_findings

CUT = "the cavity reaches the picture's edge"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApicalStrain:
    """What the apical views say of strain and motion.

    Attributes:
        findings: `strain_catalogue.longitudinal` of the views.
        segments, curves: as `Motion`; curves have `lv_gls_<view>` and `time_ms_<view>` too.
        said: sentences for the page.
    """

    findings: tuple[Finding, ...]
    segments: Mapping[str, float | None]
    curves: Mapping[str, Curve]
    said: tuple[str, ...]


def strained(segmentations: Mapping[View, Segmentation]) -> tuple[View, ...]:
    """The views among these that strain is measured in, in the report's order.

    A 3-chamber view is one where the left atrium and the aorta were looked for: the LV opens to
    both, and without the aorta its contour would go across the valve.
    """
    opening = {Structure.LEFT_ATRIUM, Structure.AORTA}
    return tuple(
        view
        for view in VIEW_NAMES
        if view in segmentations
        and (view is not View.LAX_3CH or opening <= set(segmentations[view].structures))
    )


def outflow_view(segmentation: Segmentation, given: Phases | None) -> LongAxis:
    """A 3-chamber view, with the left atrium and the aorta as one opening.

    Raises:
        MeasureError: given phases that are not frames of it.
    """
    joined = segmentation.labels.copy()
    joined[joined == Structure.AORTA] = Structure.LEFT_ATRIUM
    return long_axis(View.LAX_3CH, segmentation.like(joined), given)


def apical_strain(views: tuple[LongAxis, ...], modality: Modality) -> ApicalStrain:
    """Strain and segmental motion of apical views, at least one.

    Args:
        views: measured, in the report's order.
        modality: an echo's file does not say how the patient lies.
    """
    lines = {view.view: _lines(view) for view in views}
    motions = [segment_motion(view, lines[view.view], modality) for view in views]
    segments: dict[str, float | None] = {}
    curves: dict[str, Curve] = {}
    for view, motion in zip(views, motions, strict=True):
        segments |= motion.segments
        if view.segmentation.frames >= FEWEST_CURVE:
            curves |= {**_curves(view, lines[view.view]), **motion.curves}
    known = _numbers(views, lines)
    return ApicalStrain(
        findings=strain_findings(longitudinal(view.view for view in views), known),
        segments=segments,
        curves=curves,
        said=(*_SAID, *(motion.said for motion in motions)),
    )


_SAID = (
    "Geometric longitudinal strain: change of the length of the endocardial contour since"
    " end-diastole, from hinge to apex to hinge without the opening, along a line smoothed to"
    " features longer than a sixteenth of it. Tissue is not followed: normal values of speckle"
    " tracking do not apply.",
    "Segments: thirds of equal length of either wall. Motion is that of the endocardium towards the"
    " long axis of the same frame, inwards positive, since end-diastole.",
)


def _lines(view: LongAxis) -> tuple[Line, ...]:
    spacing = view.segmentation.geometry.spacing[1:]
    found: list[Line] = []
    for frame, ventricle in enumerate(view.ventricle):
        if isinstance(ventricle, str):
            found.append(ventricle)
            continue
        try:
            found.append(endocardium(view.segmentation.labels[frame][0], ventricle, spacing))
        except MeasureError as fault:
            found.append(f"{fault} at frame {frame}")
    return tuple(found)


def _numbers(
    views: tuple[LongAxis, ...], lines: Mapping[View, tuple[Line, ...]]
) -> dict[str, Number]:
    known: dict[str, Number] = {}
    for view in views:
        known[f"lv_gls_{view.view.value}"] = _at_end_systole(view, lines[view.view])
        known[f"lv_gls_peak_{view.view.value}"] = _peak(view, lines[view.view])
    for key in ("lv_gls", "lv_gls_peak"):
        known[key] = _mean({view.view: known[f"{key}_{view.view.value}"] for view in views})
    return known


def _mean(numbers: Mapping[View, Number]) -> Number:
    """Of the views that have a value; which they are is said."""
    having = {view: one.value for view, one in numbers.items() if one.value is not None}
    if not having:
        return next(iter(numbers.values()))
    names = " and ".join(VIEW_NAMES[view] for view in having)
    said = f"{names} view only" if len(having) == 1 else f"mean of the {names} views"
    return Number(float(np.mean(list(having.values()))), said)


def _at_end_systole(view: LongAxis, lines: tuple[Line, ...]) -> Number:
    if not view.beats:
        return Number(None, str(view.ventricle[0]))
    return mean_of_beats([_strain(view, lines, ed, es) for ed, es in view.beats])


def _strain(view: LongAxis, lines: tuple[Line, ...], ed: int, frame: int | None) -> Number:
    if frame is None:
        return Number(None, SINGLE_PHASE)
    before, after = lines[ed], lines[frame]
    if isinstance(before, str) or isinstance(after, str):
        return Number(None, f"{view.view}: {before if isinstance(before, str) else after}")
    cut = any(not isinstance(one, str) and one.cut
              for one in (view.ventricle[ed], view.ventricle[frame]))  # fmt: skip
    return Number(after.length / before.length - 1.0).minded(CUT if cut else None)


def _peak(view: LongAxis, lines: tuple[Line, ...]) -> Number:
    """The most negative strain of each beat, from its end-diastole to the next; of one beat all
    frames are looked at, as a loop may begin anywhere in it."""
    if not view.beats:
        return Number(None, str(view.ventricle[0]))
    starts = [ed for ed, _ in view.beats]
    spans = [range(len(lines))]
    if len(starts) > 1:
        spans = [range(*span) for span in zip(starts, [*starts[1:], len(lines)], strict=True)]
    return mean_of_beats([_peak_of(view, lines, beat, span)
                          for beat, span in zip(view.beats, spans, strict=True)])  # fmt: skip


def _peak_of(
    view: LongAxis, lines: tuple[Line, ...], beat: tuple[int, int | None], span: range
) -> Number:
    ed, es = beat
    having = {frame: line.length for frame in span if not isinstance(line := lines[frame], str)}
    if len(having) < CINE_FRAMES:
        few = f"{len(having)} frame{'' if len(having) == 1 else 's'} with a contour"
        return Number(None, f"{few}: a peak takes a loop of at least {CINE_FRAMES}")
    frame = min(having, key=having.__getitem__)
    after = "" if es is None or es == frame else f", {_apart(frame - es)} end-systole"
    return _strain(view, lines, ed, frame).minded(f"at frame {frame} counted from 0{after}")


def _apart(frames: int) -> str:
    count = abs(frames)
    return f"{count} frame{'' if count == 1 else 's'} {'after' if frames > 0 else 'before'}"


def _curves(view: LongAxis, lines: tuple[Line, ...]) -> dict[str, Curve]:
    """Times, and strain since the first beat's end-diastole, of every frame."""
    times = view.segmentation.times_ms or (None,) * len(lines)
    finite = tuple(t if t is not None and np.isfinite(t) else None for t in times)
    start = None if view.phases is None else lines[view.phases.ed]
    if start is None or isinstance(start, str):
        return {}
    strains = tuple(None if isinstance(line, str) else line.length / start.length - 1.0
                    for line in lines)  # fmt: skip
    return {f"time_ms_{view.view.value}": finite, f"lv_gls_{view.view.value}": strains}
