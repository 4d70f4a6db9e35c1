"""A stack as it was drawn and as a laboratory chooses to take it, with what each choice changes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from heartseg.core.image import Image, Segmentation
from heartseg.core.study import Body, Modality, Phases
from heartseg.measure.choices import Choices, Step, change, rebased, with_papillary_mass
from heartseg.measure.conventions import Convention
from heartseg.measure.function import Function, measure_function
from heartseg.measure.measures import STACK
from heartseg.measure.offered import STACK_GROUP, with_offers

Measure = Callable[[Segmentation, Phases | None, Convention], Function]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """What is needed to measure a stack, besides its labels.

    Attributes:
        image: that the labels lie on; None where there is none.
        phases: where the file says them.
        body, modality, convention: as for `measure_function`.
        choices: how the contours are taken.
    """

    image: Image | None
    phases: Phases | None
    body: Body
    modality: Modality
    convention: Convention
    choices: Choices


def measure_stack(segmentation: Segmentation, stack: Stack) -> tuple[Function, tuple[str, ...]]:
    """Measure a stack with all choices, and say what each of them did.

    Raises:
        MeasureError: given phases that are not frames of it.
    """
    measure = partial(_measure, stack)
    drawn = measure(segmentation, stack.phases, stack.convention)
    function, convention, said = drawn, stack.convention, list[str]()
    if drawn.phases is None:
        return drawn, ()
    for carry_out in _steps(stack, drawn.phases):
        step = carry_out(segmentation, convention)
        after = measure(step.segmentation, drawn.phases, step.convention)
        changed = change(function.value, after.value) if step.applied else ""
        said.append(f"{step.said}: {changed}." if changed else f"{step.said}.")
        segmentation, convention, function = step.segmentation, step.convention, after
    always = [
        key for key, measure in with_offers(STACK, STACK_GROUP).measures.items() if measure.as_drawn
    ]
    kept = {one.key: one for one in drawn.findings if one.key in always}
    findings = tuple(kept.get(one.key, one) for one in function.findings)
    return replace(function, findings=findings), tuple(said)


def _measure(
    stack: Stack, segmentation: Segmentation, phases: Phases | None, convention: Convention
) -> Function:
    return measure_function(
        segmentation, phases, stack.body, modality=stack.modality, convention=convention
    )


def _steps(stack: Stack, phases: Phases) -> Iterator[Callable[[Segmentation, Convention], Step]]:
    if stack.choices.base == "scmr":
        yield lambda labels, convention: rebased(labels, phases, convention)
    if stack.choices.papillary == "mass":
        yield lambda labels, convention: with_papillary_mass(labels, stack.image, convention)
