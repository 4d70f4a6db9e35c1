"""The beats of a loop that holds several: an end-diastole and an end-systole for each.

ASE/EACVI 2015 asks for the mean of several beats; so each is measured on its own. A beat is the
way down from a largest to the next smallest volume.
"""

from collections.abc import Sequence

import numpy as np

from heartseg.measure.phases import CINE_FRAMES, GLITCHES_AT_MOST, glitches
from heartseg.measure.volumes import Curve

DEPTH = 0.5
"""A smallest volume is an end-systole when the curve rises on both sides of it by this share of
its range: atrial contraction and noise do less."""

WHOLE_EJECTION = 0.85
"""A loop that begins in systole begins with a stroke smaller than this share of the largest."""


def beats(curve: Curve) -> tuple[tuple[int, int], ...]:
    """(end-diastole, end-systole) frames of every whole ejection of a loop, in order.

    Args:
        curve: (t,) volumes in any unit; 0 where there is none.

    Returns:
        Nothing where the curve has no smallest volume within it, as a clip that ends in systole,
        or where only some frames were drawn.
    """
    if len(curve) < CINE_FRAMES or np.count_nonzero(curve == 0) > GLITCHES_AT_MOST * len(curve):
        return ()
    from scipy.signal import find_peaks

    volumes = _mended(curve)
    bottoms, _ = find_peaks(-volumes, prominence=DEPTH * float(np.ptp(volumes)))
    starts = [0, *bottoms[:-1]]
    found = [
        (int(start) + int(np.argmax(volumes[start:end])), int(end))
        for start, end in zip(starts, bottoms, strict=False)
    ]
    return _whole(found, volumes)


def beat_ms(found: Sequence[tuple[int, int]], times_ms: tuple[float, ...] | None) -> float | None:
    """Mean time from one end-systole to the next; None for fewer than two, or without times."""
    if len(found) < 2 or times_ms is None:
        return None
    span = times_ms[found[-1][1]] - times_ms[found[0][1]]
    return span / (len(found) - 1) if np.isfinite(span) and span > 0 else None


def _mended(curve: Curve) -> Curve:
    """The curve with frames that hold nothing or break it replaced from their neighbours."""
    good = curve > 0
    good[list(glitches(curve))] = False
    frames = np.arange(len(curve))
    return np.interp(frames, frames[good], curve[good])


def _whole(found: list[tuple[int, int]], volumes: Curve) -> tuple[tuple[int, int], ...]:
    strokes = [float(volumes[ed] - volumes[es]) for ed, es in found]
    if len(found) > 1 and found[0][0] == 0 and strokes[0] < WHOLE_EJECTION * max(strokes[1:]):
        return tuple(found[1:])
    return tuple(found)
