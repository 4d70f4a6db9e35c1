"""End-diastole and end-systole from the volume curve, and how much of the beat a cine covers.

ED and ES are the frames with the largest and the smallest total LV cavity, one pair for the whole
stack (SCMR 2020, Schulz-Menger et al.). The curve is not smoothed, since that would lower EDV and
raise ESV; instead single frames that break it are found and left out of the choice.
"""

from dataclasses import dataclass

import numpy as np

from heartseg.core.anatomy import Structure
from heartseg.core.errors import MeasureError
from heartseg.core.image import Segmentation
from heartseg.core.study import Phases
from heartseg.measure.volumes import Curve, Extents, extents

CINE_FRAMES = 8
"""A series of fewer frames is a choice of phases, not a cine."""

FEWEST_CURVE = 3
"""Fewer frames than these are no curve."""

WHOLE_CYCLE = 0.9
"""A cine that covers less of the beat than this may have missed end-diastole."""

CLOSED_CURVE = 0.15
"""Last and first volume of a whole beat differ by less than this share of the stroke volume."""

GLITCH_OF_RANGE = 0.15
GLITCH_OF_LARGEST = 0.05
GLITCH_OF_NOISE = 4.0
"""A frame is a glitch when it leaves its neighbours' curve by more than all three of: this share
of the curve's range, this share of its largest value, this many times the usual departure."""

END_SURE = 0.57
"""What a departure at an end of an open curve counts: a straight line through two noisy frames
strays 1 / 0.57 times as far as the cubic through four (benchmarks/LOG.md, 2026-11-27)."""

GLITCHES_AT_MOST = 0.1
"""When more of the frames than this break the curve, the curve is noisy, not glitchy."""

PLAUSIBLE_HEART_RATE_BPM = (30.0, 220.0)


def detect_phases(segmentation: Segmentation) -> Phases:
    """ED and ES of a segmentation, from its own LV volume curve; the RV's ES on a cine.

    Raises:
        MeasureError: no LV cavity in any frame.
    """
    return phases_of(extents(segmentation))


def phases_of(found: Extents) -> Phases:
    """As `detect_phases`, from counts that are already there."""
    curve = found.counts(Structure.LV_CAVITY)
    usable = usable_frames(curve)
    if not usable.any():
        raise MeasureError("end-diastole", got="no LV cavity in any frame")
    ed = int(np.argmax(np.where(usable, curve, -np.inf)))
    es = int(np.argmin(np.where(usable, curve, np.inf)))
    if curve[es] == curve[ed]:
        return Phases(ed=ed, es=None, how="detected")
    return Phases(ed=ed, es=es, how="detected", rv_es=right_end_systole(found))


def right_end_systole(found: Extents) -> int | None:
    """Frame of the smallest RV cavity; None when the frames are no cine or hold no RV."""
    curve = found.counts(Structure.RV_CAVITY)
    usable = usable_frames(curve)
    if len(curve) < CINE_FRAMES or not usable.any():
        return None
    return int(np.argmin(np.where(usable, curve, np.inf)))


def checked_phases(given: Phases, found: Extents) -> Phases:
    """The phases a file gave, with the RV's own ES added where the frames are a cine.

    Raises:
        MeasureError: a phase that is not one of the frames.
    """
    frames = len(found.voxels)
    wrong = [i for i in (given.ed, given.es, given.rv_es) if i is not None and not 0 <= i < frames]
    if wrong:
        raise MeasureError("phases", got=f"frame {wrong[0]}", allowed=f"0 to {frames - 1}")
    rv_es = right_end_systole(found) if given.rv_es is None else given.rv_es
    return Phases(ed=given.ed, es=given.es, how=given.how, rv_es=rv_es)


def usable_frames(curve: Curve) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Frames that may be ED or ES: the structure is there and the curve is not broken."""
    usable = curve > 0
    usable[list(glitches(curve))] = False
    return usable


def glitches(curve: Curve) -> tuple[int, ...]:
    """Frames whose volume breaks the curve that their neighbours describe.

    Each frame is compared with the cubic through two frames on either side; the worst is replaced
    by that cubic and the search goes on. The last frames are neighbours of the first where the cine
    returns to its start; triggered ones often end before, and what follows their last frame is not
    what precedes their first. Where more than a few frames hold nothing (a file with contours at ED
    and ES only) there is no curve to break.
    """
    if len(curve) < CINE_FRAMES or np.count_nonzero(curve == 0) > GLITCHES_AT_MOST * len(curve):
        return ()
    whole, sure = closed(curve), np.ones(len(curve))
    if not whole:
        sure[[0, -1]] = END_SURE
    mended, found = curve.astype(np.float64), list[int]()
    for _ in range(int(GLITCHES_AT_MOST * len(curve)) + 1):
        departure = mended - _from_neighbours(mended, whole=whole)
        worst = int(np.argmax(np.abs(departure) * sure))
        if abs(departure[worst]) * sure[worst] <= _tolerated(mended, departure):
            return tuple(sorted(found))
        mended[worst] -= departure[worst]
        found.append(worst)
    return ()


def roughness(curve: Curve) -> float:
    """Usual departure of a frame from its neighbours' curve, as a share of the curve's range.

    0 for fewer frames than a cine's.
    """
    reach = float(np.ptp(curve)) if len(curve) >= CINE_FRAMES else 0.0
    return _noise(curve - _from_neighbours(curve, whole=closed(curve))) / reach if reach else 0.0


def _noise(departure: Curve) -> float:
    """Standard deviation of normal noise with this median departure."""
    return 1.4826 * float(np.median(np.abs(departure)))


def _from_neighbours(curve: Curve, *, whole: bool) -> Curve:
    """What its neighbours say of each frame.

    At the ends of a curve that is no whole beat two guesses are made of frames on one side, and the
    nearer counts: one of the two does without the next frame, which may be the broken one.
    """
    near = np.roll(curve, 1) + np.roll(curve, -1)
    far = np.roll(curve, 2) + np.roll(curve, -2)
    expected: Curve = (4 * near - far) / 6
    for end, inwards in () if whole else ((0, 1), (-1, -1)):
        first, second, third, fourth = (float(curve[end + inwards * n]) for n in range(4))
        expected[end] = _nearer(first, 2 * second - third, third)
        expected[end + inwards] = _nearer(second, (first + third) / 2, 2 * third - fourth)
    return expected


def _nearer(value: float, one: float, other: float) -> float:
    return one if abs(value - one) <= abs(value - other) else other


def _tolerated(curve: Curve, departure: Curve) -> float:
    low, high = np.percentile(curve, [10, 90])
    return max(
        GLITCH_OF_RANGE * float(high - low),
        GLITCH_OF_LARGEST * float(high),
        GLITCH_OF_NOISE * _noise(departure),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """What the times of the frames and the heart rate say of the beat.

    Attributes:
        heart_rate_bpm: as given, or from the times of a cine that covers a whole beat.
        from_times: the rate was taken from the times.
        coverage: share of the beat that the cine covers; None where that is not known.
        problem: why there is no heart rate.
    """

    heart_rate_bpm: float | None = None
    from_times: bool = False
    coverage: float | None = None
    problem: str | None = None


def beat(times_ms: tuple[float, ...] | None, rate_bpm: float | None, lv: Curve) -> Beat:
    """Heart rate and coverage of the cycle.

    Args:
        times_ms: (t,) times of the frames.
        rate_bpm: heart rate where it is known.
        lv: (t,) LV volumes, in any unit; they show whether the cine returns to its start.
    """
    span = span_ms(times_ms)
    if rate_bpm is not None and np.isfinite(rate_bpm):
        low, high = PLAUSIBLE_HEART_RATE_BPM
        if not low <= rate_bpm <= high:
            asked = f"heart rate {rate_bpm:g}/min is outside {low:g} to {high:g}: please check it"
            return Beat(problem=asked)
        return Beat(heart_rate_bpm=rate_bpm, coverage=span and span * rate_bpm / 60_000.0)
    return _beat_from_times(span, lv)


def _beat_from_times(span: float | None, lv: Curve) -> Beat:
    if span is None:
        return Beat(problem="heart rate not known, and the frames have no usable times")
    rate = 60_000.0 / span
    low, high = PLAUSIBLE_HEART_RATE_BPM
    if len(lv) < CINE_FRAMES or not closed(lv) or not low <= rate <= high:
        return Beat(problem="heart rate not known, and the cine does not cover a whole beat")
    return Beat(heart_rate_bpm=rate, from_times=True)


def closed(lv: Curve) -> bool:
    """True when the last volume is about the first again."""
    return bool(lv.min() > 0 and abs(lv[-1] - lv[0]) <= CLOSED_CURVE * np.ptp(lv))


def span_ms(times_ms: tuple[float, ...] | None) -> float | None:
    """Time that the frames cover, the last one's own duration included.

    None when there are fewer than two times, or they are not finite and rising.
    """
    if times_ms is None or len(times_ms) < 2:
        return None
    steps = np.diff(np.asarray(times_ms, np.float64))
    if not np.isfinite(steps).all() or (steps <= 0).any():
        return None
    return float(steps.sum() + np.median(steps))
