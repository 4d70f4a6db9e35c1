"""Measure a study: from the segmentations of its views to everything a report says of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from heartseg.core.anatomy import Structure
from heartseg.core.errors import MeasureError
from heartseg.core.finding import Finding, Quality, SliceAreas
from heartseg.core.image import Segmentation
from heartseg.core.study import Phases, Study, View
from heartseg.measure.aha import segments
from heartseg.measure.apical_strain import apical_strain, outflow_view, strained
from heartseg.measure.choices import AS_DRAWN, Choices
from heartseg.measure.conventions import ACDC, Convention
from heartseg.measure.echo import VIEWS, LongAxisFunction, measure_long_axis
from heartseg.measure.measures import STACK
from heartseg.measure.phases import detect_phases
from heartseg.measure.plausibility import quality
from heartseg.measure.short_axis_strain import short_axis_strain
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

ATRIUM = "The LA volume is that of the long-axis views, at their own end-systole."

OUTFLOW_ALONE = "a 3-chamber view alone has strain and no volumes"

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
    if strained(segmentations):
        return _of_outflow(study, segmentations)
    return _nothing_measured(segmentations)


def _of_stack(
    study: Study, view: View, segmentations: Masks, convention: Convention, choices: Choices
) -> Measured:
    segmentation = segmentations[view]
    stack = _stack(study, view, segmentation, convention, choices)
    measured, changes = measure_stack(segmentation, stack)
    walls = segments(segmentation, measured.phases)
    wall = short_axis_strain(segmentation, measured.phases)
    beside = _beside(study, segmentations)
    along = () if beside is None else strained(segmentations)
    left = [one for one in segmentations if one is not view and one not in along]
    atrium = _atrium(beside)
    strain = None if beside is None else beside.strain
    return Measured(
        findings=(
            *(atrium.get(finding.key, finding) for finding in measured.findings),
            *wall.findings,
            *(strain.findings if strain else ()),
        ),
        phases={} if measured.phases is None else {view: measured.phases},
        curves={
            **measured.curves,
            **wall.curves,
            **walls.curves,
            **(strain.curves if strain else {}),
        },
        slices=measured.slices,
        conventions=(
            *_about_view(view),
            *_not_measured(left),
            *((ATRIUM,) if atrium else ()),
            *changes,
            *measured.conventions,
            wall.said,
            walls.said,
            *(strain.said if strain else ()),
        ),
        quality=quality(segmentation, measured.phases, measured.findings),
        segments={**walls.values, **(strain.segments if strain else {})},
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
    left = [view for view in segmentations if view not in strained(segmentations)]
    strain = measured.strain
    return Measured(
        findings=(*measured.findings, *strain.findings),
        phases=measured.phases,
        curves={**measured.curves, **strain.curves},
        slices=(),
        conventions=(
            *_not_measured(left),
            *((NO_CHOICE,) if choices != AS_DRAWN else ()),
            *measured.conventions,
            *strain.said,
        ),
        quality=measured.quality,
        landmarks=measured.landmarks,
        segments=strain.segments,
    )


def _of_outflow(study: Study, segmentations: Masks) -> Measured:
    view = outflow_view(segmentations[View.LAX_3CH], study.phases.get(View.LAX_3CH))
    strain = apical_strain((view,), study.modality)
    return Measured(
        findings=strain.findings,
        phases={view.view: view.phases} if view.phases else {},
        curves=strain.curves,
        slices=(),
        conventions=(
            *_not_measured(one for one in segmentations if one is not View.LAX_3CH),
            *strain.said,
        ),
        quality=Quality(verdict="review", reasons=(OUTFLOW_ALONE,)),
        segments=strain.segments,
    )


def _one_phase(segmentation: Segmentation, given: Phases | None) -> Phases | None:
    """The phase of a late enhancement, as an end-diastole without an end-systole."""
    try:
        found = given or detect_phases(segmentation)
    except MeasureError:  # nothing drawn: every finding then says why
        return None
    return Phases(ed=found.ed, es=None, how=found.how)


def _beside(study: Study, segmentations: Masks) -> LongAxisFunction | None:
    """What the long-axis views beside a stack say, where the left atrium was looked for in one."""
    views = {view: segmentations[view] for view in strained(segmentations)}
    volumes = [one for view, one in views.items() if view in VIEWS]
    if not any(Structure.LEFT_ATRIUM in one.structures for one in volumes):
        return None
    return measure_long_axis(views, study.phases, study.body, modality=study.modality)


def _atrium(beside: LongAxisFunction | None) -> dict[str, Finding]:
    """The left atrium, which a stack seldom shows, from the study's long-axis views."""
    found = {finding.key: finding for finding in beside.findings} if beside else {}
    return {key: found[key] for key in _FROM_LONG_AXIS if key in found}


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
