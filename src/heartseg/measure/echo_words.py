"""What the page says about how an echo was measured."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from heartseg.core.study import View
from heartseg.measure.long_axis import LongAxis

FORESHORTENED = 0.10
"""Long axes of the two views that differ by more than this share of the longer one are noted."""

VIEW_NAMES: Mapping[View, str] = MappingProxyType(
    {
        View.LAX_4CH: "4-chamber",
        View.LAX_2CH: "2-chamber",
        View.LAX_3CH: "3-chamber",
    }
)
"""The apical views, in the report's order."""

_HOW = {"given": "as the data say", "detected": "the largest and smallest LV volume of each view"}


def foreshortening(lengths_mm: Iterable[float | None]) -> str | None:
    """A remark where the long axes of both views, at one phase, are too unlike."""
    found = sorted(length for length in lengths_mm if length is not None)
    if len(found) < 2 or found[1] - found[0] <= FORESHORTENED * found[1]:
        return None
    share = 100 * (1 - found[0] / found[1])
    return (
        f"possible foreshortening: the long axes of the views differ by {share:.0f} %"
        f" ({found[1]:.0f} and {found[0]:.0f} mm)"
    )


def echo_sentences(views: tuple[LongAxis, ...], *, body: bool) -> tuple[str, ...]:
    """The conventions.

    Args:
        views: that were measured.
        body: height and weight are known.
    """
    names = " and ".join(VIEW_NAMES[view.view] for view in views)
    said = [f"Simpson's rule in a single plane, the {names} view: every disc is taken for round."]
    if len(views) > 1:
        said = [
            f"Biplane Simpson, {names} view: 20 discs, with the longer of the two long axes of"
            " each phase.",
            "In a single view every disc is taken for round.",
        ]
    return (
        *said,
        "The base is midway between the ends of the contact of LV and left atrium, the apex is the"
        " point of the cavity furthest from it.",
        *_phases(views),
        "Area-length: 8 A B / (3 pi L) with the shorter long axis.",
        "The LA volume is taken at LV end-systole, by discs along the atrium's own axis.",
        "Papillary muscles and trabeculae count as LV cavity.",
        *_curve(views[0]),
        *(("Body surface area by Mosteller.",) if body else ()),
    )


def _phases(views: tuple[LongAxis, ...]) -> list[str]:
    how = {view.phases.how for view in views if view.phases is not None}
    said = [f"End-diastole and end-systole: {_HOW[one]}." for one in sorted(how)]
    if any(es is None for view in views for _, es in view.beats):
        said = ["A single phase: it is taken as end-diastole."]
    beats = min(len(view.beats) for view in views)
    if beats > 1:
        said.append(f"Means of {beats} beats; the ejection fraction of each is given.")
    return said


def _curve(view: LongAxis) -> list[str]:
    if view.segmentation.frames < 3 or not view.calibrated:
        return []
    name = VIEW_NAMES[view.view]
    return [f"The volume curve and the peak rates are single plane, of the {name} view."]
