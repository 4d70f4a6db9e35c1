"""Measure a study: from the segmentations of its views to everything a report says of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from heartseg.core.errors import MeasureError
from heartseg.core.finding import Finding, Quality, SliceAreas
from heartseg.core.image import Segmentation
from heartseg.core.study import Phases, Study, View
from heartseg.measure.conventions import ACDC, Convention
from heartseg.measure.function import measure_function
from heartseg.measure.plausibility import quality

STACKS = (View.SAX, View.LATE_ENHANCEMENT, View.UNKNOWN)
"""Views that are stacks of short-axis slices; the first of them that is there is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All that is measured in a study; the pipeline makes a `Report` of it."""

    findings: tuple[Finding, ...]
    phases: Mapping[View, Phases]
    curves: Mapping[str, tuple[float | None, ...]]
    slices: tuple[SliceAreas, ...]
    conventions: tuple[str, ...]
    quality: Quality

    def value(self, key: str) -> float | None:
        """The value of the finding of that key; None when it is absent or has none."""
        return next((f.value for f in self.findings if f.key == key), None)


def measure_study(
    study: Study, segmentations: Mapping[View, Segmentation], *, convention: Convention = ACDC
) -> Measured:
    """Measure the study's stack of slices.

    Args:
        study: for its modality, body, and the phases that its files give.
        segmentations: by view, on the grids of the study's images.
        convention: how the contours were drawn.

    Raises:
        MeasureError: no segmentation, or phases that are not frames of it.
    """
    if not segmentations:
        raise MeasureError("study", got="no segmentation", do="segment one of its views first")
    view = next((view for view in STACKS if view in segmentations), None)
    if view is None:
        return _nothing_measured(segmentations)
    segmentation = segmentations[view]
    measured = measure_function(
        segmentation,
        study.phases.get(view),
        study.body,
        modality=study.modality,
        convention=convention,
    )
    return Measured(
        findings=measured.findings,
        phases={} if measured.phases is None else {view: measured.phases},
        curves=measured.curves,
        slices=measured.slices,
        conventions=(*_about_views(view, segmentations), *measured.conventions),
        quality=quality(segmentation, measured.phases, measured.findings),
    )


def _nothing_measured(segmentations: Mapping[View, Segmentation]) -> Measured:
    views = ", ".join(view.value for view in segmentations)
    return Measured(
        findings=(),
        phases={},
        curves={},
        slices=(),
        conventions=(f"Not measured: {views}.",),
        quality=Quality(verdict="review", reasons=(f"nothing is measured in view {views}",)),
    )


def _about_views(measured: View, segmentations: Mapping[View, Segmentation]) -> tuple[str, ...]:
    said = []
    if measured is View.UNKNOWN:
        said.append("The view is not known: measured as a stack of short-axis slices.")
    others = [view.value for view in segmentations if view is not measured]
    if others:
        said.append(f"Not measured: {', '.join(others)}.")
    return tuple(said)
