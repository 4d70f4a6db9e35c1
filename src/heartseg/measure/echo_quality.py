"""Whether a person should look at an echo's numbers first, and why; as `plausibility` for stacks.

Thresholds are wide: experts' contours of CAMUS pass. Two unlike long axes are a remark at the
volumes, not a doubt, since experts' contours are often so.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from heartseg.core.anatomy import Structure
from heartseg.core.finding import Quality
from heartseg.measure.long_axis import LongAxis
from heartseg.measure.plausibility import EJECTION_FRACTION, LV_VOLUME_ML, STRAY_PART
from heartseg.measure.simpson import Chamber

NARROWEST_BASE = 0.25
"""Least share of the LV's greatest width that its contact with the atrium spans; experts draw
more than half."""

_PHASES = ("end-diastole", "end-systole")


def echo_quality(views: tuple[LongAxis, ...], values: Mapping[str, float | None]) -> Quality:
    """Judge long-axis segmentations and their numbers, by the findings' keys."""
    if not any(isinstance(one, Chamber) for view in views for one in view.ventricle):
        reasons = dict.fromkeys(f"{view.view}: {view.ventricle[0]}" for view in views)
        return Quality(verdict="reject", reasons=tuple(reasons))
    fatal = list(_impossible(values))
    if fatal:
        return Quality(verdict="reject", reasons=tuple(fatal))
    doubts = [*_odd(values), *(doubt for view in views for doubt in _of_view(view))]
    return Quality(verdict="review" if doubts else "pass", reasons=tuple(dict.fromkeys(doubts)))


def _impossible(values: Mapping[str, float | None]) -> Iterator[str]:
    for key, name in (("lv_edv_ml", "LV EDV"), ("lv_esv_ml", "LV ESV")):
        value = values.get(key)
        if value is not None and not LV_VOLUME_ML[0] <= value <= LV_VOLUME_ML[1]:
            yield f"{name} {value:.1f} mL is not a human ventricle's"


def _odd(values: Mapping[str, float | None]) -> Iterator[str]:
    low, high = EJECTION_FRACTION
    fractions = {values.get(key) for key in ("lv_ef", "lv_ef_4ch", "lv_ef_2ch")} - {None}
    for value in sorted(one for one in fractions if one is not None):
        if not low <= value <= high:
            yield f"LV EF {100 * value:.0f} % is outside {100 * low:.0f} to {100 * high:.0f} %"


def _of_view(view: LongAxis) -> Iterator[str]:
    if not view.beats:
        yield f"{view.view}: {view.ventricle[0]}"
    for frames in view.beats:
        for name, frame in zip(_PHASES, frames, strict=True):
            if frame is not None:
                yield from (f"{view.view}, {name}: {said}" for said in _of_frame(view, frame))


def _of_frame(view: LongAxis, frame: int) -> Iterator[str]:
    found = view.ventricle[frame]
    if isinstance(found, str):
        yield found
        return
    if found.cut:
        yield "the LV reaches the picture's edge: its volume is too low"
    spacing = np.asarray(view.segmentation.geometry.spacing[1:])
    base = float(np.linalg.norm((found.hinges[1] - found.hinges[0]) * spacing))
    if base < NARROWEST_BASE * found.widths.max():
        yield "LV and left atrium touch over a short stretch only: the base is uncertain"
    if _in_pieces(view.segmentation.labels[frame, 0] == Structure.LV_CAVITY):
        yield "LV cavity is in several pieces: the largest is measured"


def _in_pieces(mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> bool:
    from scipy.ndimage import label

    parts, count = label(mask, structure=np.ones((3, 3)))
    sizes = np.sort(np.bincount(parts.ravel())[1:])
    return bool(count > 1 and sizes[-2] > STRAY_PART * sizes.sum())
