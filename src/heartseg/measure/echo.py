"""Function from long-axis views, as echo laboratories measure it: biplane Simpson, or one view.

Both apical views give the numbers; with one view every disc is taken for round, and that is said.
Ratios of one view need no millimetres, two views need the same scale. Several beats are measured
one by one and averaged (ASE/EACVI 2015).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from heartseg.core.finding import Finding, Quality
from heartseg.core.image import Segmentation
from heartseg.core.study import Body, Modality, Phases, View
from heartseg.measure.apical import Apical
from heartseg.measure.apical_strain import ApicalStrain, apical_strain, outflow_view, strained
from heartseg.measure.body import body_problem
from heartseg.measure.echo_quality import echo_quality
from heartseg.measure.echo_words import echo_sentences
from heartseg.measure.long_axis import LongAxis, long_axis
from heartseg.measure.measures import LONG_AXIS
from heartseg.measure.offered import LONG_AXIS_GROUP, with_offers
from heartseg.measure.phases import FEWEST_CURVE
from heartseg.measure.ranges import ECHO_SOURCE, echo_reference, why_no_echo
from heartseg.measure.simpson import single_plane
from heartseg.measure.table import measured

VIEWS = (View.LAX_4CH, View.LAX_2CH)
"""Views that volumes are measured in, the first of them first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LongAxisFunction:
    """What long-axis views say of the left heart; as `Function`, with the landmarks of each view.

    Attributes:
        landmarks: `<view>_<phase>_<point>`: (z, y, x) index of `apex`, `hinge_1` and `hinge_2`.
        strain: of these views and of the 3-chamber, with findings of its own.
    """

    findings: tuple[Finding, ...]
    phases: Mapping[View, Phases]
    curves: Mapping[str, tuple[float | None, ...]]
    landmarks: Mapping[str, tuple[float, ...]]
    conventions: tuple[str, ...]
    quality: Quality
    strain: ApicalStrain


def measure_long_axis(
    segmentations: Mapping[View, Segmentation],
    phases: Mapping[View, Phases],
    body: Body | None = None,
    *,
    modality: Modality = Modality.US,
) -> LongAxisFunction:
    """Measure the 4- and the 2-chamber view, or the one that is there.

    Args:
        segmentations: (t, 1, y, x) labels by view, at least one of `VIEWS`.
        phases: where the files say them; else each view's own volume curve does.
        body: for indexed values, cardiac output and reference ranges.
        modality: decides codes and ranges.

    Raises:
        MeasureError: given phases that are not frames of a view.
    """
    body = body or Body()
    views = tuple(
        long_axis(view, segmentations[view], phases.get(view))
        for view in VIEWS
        if view in segmentations
    )
    why = why_no_echo(body, modality, views=len(views))
    told = echo_sentences(views, body=body_problem(body) is None)
    others = tuple(outflow_view(segmentations[view], phases.get(view))
                   for view in strained(segmentations) if view not in VIEWS)  # fmt: skip
    offered = with_offers(LONG_AXIS, LONG_AXIS_GROUP)
    findings = measured(
        offered.measures,
        Apical(views=views, body=body, modality=modality),
        lambda key: None if why else echo_reference(key, body),
    )
    return LongAxisFunction(
        findings=findings,
        phases={view.view: view.phases for view in (*views, *others) if view.phases},
        curves=_curves(views[0]),
        landmarks=_landmarks(views),
        conventions=(
            *told,
            *offered.said,
            f"Reference ranges: none ({why})." if why else ECHO_SOURCE,
        ),
        quality=echo_quality(views, {finding.key: finding.value for finding in findings}),
        strain=apical_strain((*views, *others), modality),
    )


def _curves(view: LongAxis) -> dict[str, tuple[float | None, ...]]:
    """Times and single-plane volumes of LV and left atrium in the first view."""
    frames = view.segmentation.frames
    times = view.segmentation.times_ms or (None,) * frames
    finite = tuple(t if t is not None and np.isfinite(t) else None for t in times)
    curves: dict[str, tuple[float | None, ...]] = {"time_ms": finite}
    if not view.calibrated or frames < FEWEST_CURVE:
        return curves
    atria = [view.atrium(frame) for frame in range(frames)]
    chambers = {"lv_ml": view.ventricle, "la_ml": tuple(atria)}
    for key, found in chambers.items():
        if not all(isinstance(one, str) for one in found):
            curves[key] = tuple(
                None if isinstance(one, str) else single_plane(one) / 1000.0 for one in found
            )
    return curves


def _landmarks(views: tuple[LongAxis, ...]) -> dict[str, tuple[float, ...]]:
    """Apex and hinges of the LV at the phases that the report shows."""
    marks: dict[str, tuple[float, ...]] = {}
    for view in views:
        frames = {"ed": view.phases.ed, "es": view.phases.es} if view.phases else {}
        for phase, frame in frames.items():
            found = "" if frame is None else view.ventricle[frame]
            if isinstance(found, str):
                continue
            points = {"apex": found.apex, "hinge_1": found.hinges[0], "hinge_2": found.hinges[1]}
            for name, point in points.items():
                marks[f"{view.view}_{phase}_{name}"] = (0.0, *(float(p) for p in point))
    return marks
