"""Longitudinal strain from the endocardium of apical views: the measures of `LONGITUDINAL`.

The first line of each is the definition that the reference page prints; `apical_strain.py` says
what the strain is and what it is not.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from heartseg.core.errors import MeasureError
from heartseg.core.study import Modality, View
from heartseg.measure.apical_motion import Line
from heartseg.measure.echo_words import VIEW_NAMES
from heartseg.measure.endocardium import endocardium
from heartseg.measure.long_axis import SINGLE_PHASE, LongAxis
from heartseg.measure.number import Number, mean_of_beats
from heartseg.measure.phases import CINE_FRAMES
from heartseg.measure.table import NOT_INDEXED, Part

CUT = "the cavity reaches the picture's edge"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Contours:
    """What is known of the endocardium in apical views.

    Attributes:
        views: measured, at least one, in the report's order.
        lines: of each view, the contour in every frame.
        modality: decides codes.
    """

    views: tuple[LongAxis, ...]
    lines: tuple[tuple[Line, ...], ...]
    modality: Modality

    @property
    def surface(self) -> Number:
        """No strain is indexed."""
        return NOT_INDEXED

    @property
    def shown(self) -> tuple[View, ...]:
        """The views, by name."""
        return tuple(view.view for view in self.views)

    def parts(self, place: str) -> Iterable[Part]:
        """Each view on its own; strain is that of all beats."""
        return [
            Part(
                view.view.value,
                VIEW_NAMES[view.view],
                replace(self, views=(view,), lines=(lines,)),
            )
            for view, lines in zip(self.views, self.lines, strict=True)
            if place == "view"
        ]


def lines_of(view: LongAxis) -> tuple[Line, ...]:
    """The endocardium in every frame of a view, or why there is none."""
    spacing = view.segmentation.geometry.spacing[1:]
    found: list[Line] = []
    for frame, ventricle in enumerate(view.ventricle):
        if isinstance(ventricle, str):
            found.append(ventricle)
            continue
        try:
            found.append(endocardium(view.segmentation.labels[frame][0], ventricle, spacing))
        except MeasureError as fault:
            found.append(f"{fault} at frame {frame + 1}")
    return tuple(found)


def lv_gls(seen: Contours) -> Number:
    """Change of the endocardium's length from end-diastole to end-systole; mean of the views."""
    return _mean({part.seen.shown[0]: lv_gls_of_view(part.seen) for part in seen.parts("view")})


def lv_gls_peak(seen: Contours) -> Number:
    """Greatest shortening of the endocardium in the beat; mean of the views."""
    of_views = {part.seen.shown[0]: lv_gls_peak_of_view(part.seen) for part in seen.parts("view")}
    return _mean(of_views)


def lv_gls_of_view(seen: Contours) -> Number:
    """Change of the endocardium's length from end-diastole to end-systole, in one view."""
    return _at_end_systole(seen.views[0], seen.lines[0])


def lv_gls_peak_of_view(seen: Contours) -> Number:
    """Greatest shortening of the endocardium in the beat, in one view."""
    return _peak(seen.views[0], seen.lines[0])


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
    return _strain(view, lines, ed, frame).minded(f"at frame {frame + 1}{after}")


def _apart(frames: int) -> str:
    count = abs(frames)
    return f"{count} frame{'' if count == 1 else 's'} {'after' if frames > 0 else 'before'}"
