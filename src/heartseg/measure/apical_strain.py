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
from heartseg.core.finding import Finding
from heartseg.core.image import Segmentation
from heartseg.core.study import Modality, Phases, View
from heartseg.measure.apical_motion import Curve, Line, segment_motion
from heartseg.measure.contours import Contours, lines_of
from heartseg.measure.echo_words import VIEW_NAMES
from heartseg.measure.long_axis import LongAxis, long_axis
from heartseg.measure.measures import LONGITUDINAL
from heartseg.measure.phases import FEWEST_CURVE
from heartseg.measure.table import measured


@dataclass(frozen=True, slots=True, kw_only=True)
class ApicalStrain:
    """What the apical views say of strain and motion.

    Attributes:
        findings: of the table `measures.LONGITUDINAL`, of the views.
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
    contours = Contours(
        views=views, lines=tuple(lines_of(view) for view in views), modality=modality
    )
    motions = [
        segment_motion(view, lines, modality)
        for view, lines in zip(views, contours.lines, strict=True)
    ]
    segments: dict[str, float | None] = {}
    curves: dict[str, Curve] = {}
    for view, lines, motion in zip(views, contours.lines, motions, strict=True):
        segments |= motion.segments
        if view.segmentation.frames >= FEWEST_CURVE:
            curves |= {**_curves(view, lines), **motion.curves}
    return ApicalStrain(
        findings=measured(LONGITUDINAL, contours, lambda key: None),
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
