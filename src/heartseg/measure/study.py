"""Measure a study: from the segmentations of its views to everything a report says of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from heartseg.core.anatomy import Structure
from heartseg.core.errors import MeasureError
from heartseg.core.finding import Finding, Quality, SliceAreas
from heartseg.core.image import Segmentation
from heartseg.core.study import Phases, Study, View
from heartseg.measure.aha import segments
from heartseg.measure.choices import AS_DRAWN, Choices
from heartseg.measure.conventions import ACDC, Convention
from heartseg.measure.echo import VIEWS, measure_long_axis
from heartseg.measure.measures import STACK
from heartseg.measure.phases import detect_phases
from heartseg.measure.plausibility import quality
from heartseg.measure.stack import Stack, measure_stack

STACKS = (View.SAX, View.LATE_ENHANCEMENT, View.UNKNOWN)
"""Views that are stacks of short-axis slices; the first of them that is there is measured."""

LATE = (
    "Late enhancement shows one phase of the beat: volume and mass are of that phase, there is no"
    " ejection fraction. Scar includes what is obstructed in it."
)

NO_CHOICE = (
    "The choices of papillary muscles and base concern stacks of short-axis slices: nothing is"
    " changed in long-axis views."
)

ATRIUM = ("The LA volume is that of the long-axis views, at their own end-systole.",)

_FROM_LONG_AXIS = tuple(
    key for plain, measure in STACK.items() if measure.from_long_axis for key in measure.keys(plain)
)

Masks = Mapping[View, Segmentation]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All that is measured in a study; the pipeline makes a `Report` of it."""

    findings: tuple[Finding, ...]
    phases: Mapping[View, Phases]
    curves: Mapping[str, tuple[float | None, ...]]
    slices: tuple[SliceAreas, ...]
    conventions: tuple[str, ...]
    quality: Quality
    landmarks: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    segments: Mapping[str, float | None] = field(default_factory=dict)

    def value(self, key: str) -> float | None:
        """The value of the finding of that key; None when it is absent or has none."""
        return next((f.value for f in self.findings if f.key == key), None)


def measure_study(
    study: Study,
    segmentations: Masks,
    *,
    convention: Convention = ACDC,
    choices: Choices = AS_DRAWN,
) -> Measured:
    """Measure the study's stack of slices, or its long-axis views where there is none.

    Args:
        study: for its modality, body, and the phases that its files give.
        segmentations: by view, on the grids of the study's images.
        convention: how the contours were drawn.
        choices: how they are taken; what each choice changes is said in the conventions.

    Raises:
        MeasureError: no segmentation, or phases that are not frames of it.
    """
    if not segmentations:
        raise MeasureError("study", got="no segmentation", do="segment one of its views first")
    stack = next((view for view in STACKS if view in segmentations), None)
    if stack is not None:
        return _of_stack(study, stack, segmentations, convention, choices)
    if any(view in segmentations for view in VIEWS):
        return _of_long_axes(study, segmentations, choices)
    return _nothing_measured(segmentations)


def _of_stack(
    study: Study, view: View, segmentations: Masks, convention: Convention, choices: Choices
) -> Measured:
    segmentation = segmentations[view]
    stack = _stack(study, view, segmentation, convention, choices)
    measured, changes = measure_stack(segmentation, stack)
    walls = segments(segmentation, measured.phases)
    atrium = _atrium(study, segmentations)
    left = [one for one in segmentations if one is not view and not (atrium and one in VIEWS)]
    about = (*_about_view(view), *_not_measured(left), *(ATRIUM if atrium else ()))
    return Measured(
        findings=tuple(atrium.get(finding.key, finding) for finding in measured.findings),
        phases={} if measured.phases is None else {view: measured.phases},
        curves=measured.curves,
        slices=measured.slices,
        conventions=(*about, *changes, *measured.conventions, walls.said),
        quality=quality(segmentation, measured.phases, measured.findings),
        segments=walls.values,
    )


def _stack(
    study: Study, view: View, drawn: Segmentation, convention: Convention, choices: Choices
) -> Stack:
    given = study.phases.get(view)
    return Stack(
        image=study.images.get(view),
        phases=_one_phase(drawn, given) if view is View.LATE_ENHANCEMENT else given,
        body=study.body,
        modality=study.modality,
        convention=convention,
        choices=choices,
    )


def _of_long_axes(study: Study, segmentations: Masks, choices: Choices) -> Measured:
    measured = measure_long_axis(segmentations, study.phases, study.body, modality=study.modality)
    left = [view for view in segmentations if view not in VIEWS]
    return Measured(
        findings=measured.findings,
        phases=measured.phases,
        curves=measured.curves,
        slices=(),
        conventions=(
            *_not_measured(left),
            *((NO_CHOICE,) if choices != AS_DRAWN else ()),
            *measured.conventions,
        ),
        quality=measured.quality,
        landmarks=measured.landmarks,
    )


def _one_phase(segmentation: Segmentation, given: Phases | None) -> Phases | None:
    """The phase of a late enhancement, as an end-diastole without an end-systole."""
    try:
        found = given or detect_phases(segmentation)
    except MeasureError:  # nothing drawn: every finding then says why
        return None
    return Phases(ed=found.ed, es=None, how=found.how)


def _atrium(study: Study, segmentations: Masks) -> dict[str, Finding]:
    """The left atrium, which a stack seldom shows, from the study's long-axis views."""
    views = {view: segmentations[view] for view in VIEWS if view in segmentations}
    if not any(Structure.LEFT_ATRIUM in one.structures for one in views.values()):
        return {}
    measured = measure_long_axis(views, study.phases, study.body, modality=study.modality)
    found = {finding.key: finding for finding in measured.findings}
    return {key: found[key] for key in _FROM_LONG_AXIS}


def _nothing_measured(segmentations: Masks) -> Measured:
    views = ", ".join(view.value for view in segmentations)
    return Measured(
        findings=(),
        phases={},
        curves={},
        slices=(),
        conventions=(f"Not measured: {views}.",),
        quality=Quality(verdict="review", reasons=(f"nothing is measured in view {views}",)),
    )


def _about_view(stack: View) -> tuple[str, ...]:
    if stack is View.LATE_ENHANCEMENT:
        return (LATE,)
    if stack is View.UNKNOWN:
        return ("The view is not known: measured as a stack of short-axis slices.",)
    return ()


def _not_measured(views: Iterable[View]) -> tuple[str, ...]:
    named = ", ".join(view.value for view in views)
    return (f"Not measured: {named}.",) if named else ()
