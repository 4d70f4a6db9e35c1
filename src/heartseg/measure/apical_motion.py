"""Segmental endocardial motion in an apical view, frame to frame and since end-diastole.

Either wall is divided into a basal, a mid and an apical third of equal length along the contour, as
laboratories divide it for strain (Voigt et al., Eur Heart J Cardiovasc Imaging 2015;16:1-11), in
every frame anew: masks do not tell which tissue is where, so segments have motion and no strain of
their own. Motion is inwards, towards the long axis of the same frame, as that of the short axis is
towards the centre of the same frame's cavity: what moves the whole heart or the probe is no motion.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heartseg.core.study import Modality
from heartseg.measure.apical_walls import NAMES, NEUTRAL, first_on_left
from heartseg.measure.echo_words import VIEW_NAMES
from heartseg.measure.endocardium import SAMPLES, Endocardium
from heartseg.measure.long_axis import LongAxis

THIRDS = 3

LEAST_WALL = 0.2
"""Share of the contour that either wall is at least: the furthest point of a cavity that is wider
than long lies by a hinge, and such a cavity has no two walls."""

Line = Endocardium | str
"""The contour of a frame, or why there is none."""

Curve = tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Motion:
    """What the segments of a view do.

    Attributes:
        segments: `<view>_<segment>_motion_mm` at end-systole, inwards. The anatomical names are
            always there, null where the picture does not tell which wall is which: then those of
            the picture's sides (`4ch_mid_left_motion_mm`) have the values.
        curves: `<view>_<segment>_motion_mm` since end-diastole and `<view>_<segment>_step_mm`
            since the frame before, a value a frame.
        said: a sentence for the page.
    """

    segments: Mapping[str, float | None]
    curves: Mapping[str, Curve]
    said: str


def segment_motion(view: LongAxis, lines: tuple[Line, ...], modality: Modality) -> Motion:
    """Motion of the six segments of a view whose contours are `lines`, one a frame."""
    nothing = _keys(view, NAMES[view.view])
    name = f"Segments of the {VIEW_NAMES[view.view]} view"
    start = "no LV cavity in any frame" if view.phases is None else lines[view.phases.ed]
    if isinstance(start, str) or view.phases is None:
        return Motion(dict.fromkeys(nothing), {}, f"{name}: no motion ({start}).")
    if not view.calibrated:
        return Motion(dict.fromkeys(nothing), {}, f"{name}: no motion (the image has no spacing).")
    widths = np.array([_widths(line) for line in lines])
    names, how = _named(view, start, modality)
    moved = dict(zip(_keys(view, names), (widths[view.phases.ed] - widths).T, strict=True))
    steps = -np.diff(widths, axis=0, prepend=np.full((1, 2 * THIRDS), np.nan))
    curves = {key: _plain(values) for key, values in moved.items()}
    curves |= dict(zip(_keys(view, names, "step"), map(_plain, steps.T), strict=True))
    es = view.phases.es
    at_es = {key: None if es is None else curves[key][es] for key in moved}
    return Motion({**dict.fromkeys(nothing), **at_es}, curves, f"{name}: {how}.")


def _named(view: LongAxis, line: Endocardium, modality: Modality) -> tuple[tuple[str, ...], str]:
    """Names of the segments from the left hinge to the right one, and how they are known."""
    names = NAMES[view.view]
    frame = 0 if view.phases is None else view.phases.ed
    seen = view.segmentation
    left, how = first_on_left(view.view, seen.labels[frame][0], line, seen.geometry, modality)
    if left is None:
        usual = names[0].removeprefix("basal_")
        return NEUTRAL, (
            "the walls are not named, as the picture does not tell which is which; left and right"
            f" are its sides with the apex up (the usual display has the {usual} wall on the left)"
        )
    return (names if left else names[::-1]), f"walls named, {how}"


def _keys(view: LongAxis, names: tuple[str, ...], what: str = "motion") -> tuple[str, ...]:
    return tuple(f"{view.view.value}_{name}_{what}_mm" for name in names)


def _widths(line: Line) -> NDArray[np.float64]:
    """(6,) mean distance from the long axis of each segment, from the left hinge to the right."""
    if isinstance(line, str) or not LEAST_WALL <= line.apex / SAMPLES <= 1 - LEAST_WALL:
        return np.full(2 * THIRDS, np.nan)
    away = line.from_axis(line.points)
    left = np.array_split(-away[: line.apex + 1], THIRDS)
    right = np.array_split(away[line.apex : SAMPLES + 1], THIRDS)
    return np.array([part.mean() for part in (*left, *right)])


def _plain(values: NDArray[np.float64]) -> Curve:
    return tuple(float(value) if np.isfinite(value) else None for value in values)
