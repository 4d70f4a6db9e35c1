"""Peak ejection and filling rates: the steepest fall and rise of a volume curve.

The slope at a frame is that of the cubic through seven frames round it by least squares (Savitzky
and Golay, Anal Chem 1964;36:1627), over their own times: a straight difference of two frames would
report their noise, a parabola flattens what is steep.
"""

from dataclasses import dataclass

import numpy as np

from heartseg.measure.number import Number
from heartseg.measure.phases import closed, span_ms
from heartseg.measure.volumes import Curve

FEWEST_FRAMES = 20
"""Of a beat; with fewer the steepest part falls between frames."""

SIDE = 3
"""Frames to either side that a slope is fitted to."""


@dataclass(frozen=True, slots=True)
class Rates:
    """The steepest fall and rise of a curve, both positive, in mL/s."""

    ejection: Number
    filling: Number


def peak_rates(volumes_ml: Curve, times_ms: tuple[float, ...] | None) -> Rates:
    """The peak rates of a cine.

    Args:
        volumes_ml: (t,) of one structure; 0 where there is none.
        times_ms: (t,) of the frames.

    Returns:
        Both without a value where the frames are fewer than `FEWEST_FRAMES`, a frame has no
        volume, or there are no usable times.
    """
    problem = _problem(volumes_ml, times_ms)
    if problem or times_ms is None:
        return Rates(Number(None, problem), Number(None, problem))
    slopes = _slopes_ml_s(volumes_ml, np.asarray(times_ms, np.float64))
    return Rates(Number(float(-slopes.min())), Number(float(slopes.max())))


def _problem(volumes_ml: Curve, times_ms: tuple[float, ...] | None) -> str | None:
    if len(volumes_ml) < FEWEST_FRAMES:
        return f"{len(volumes_ml)} frames, too few for a rate: it takes {FEWEST_FRAMES}"
    if not (volumes_ml > 0).all():
        return "not measured in every frame: a rate needs the whole curve"
    return "the frames have no usable times" if span_ms(times_ms) is None else None


def _slopes_ml_s(volumes_ml: Curve, times_ms: Curve) -> Curve:
    """Slope at every frame; a cine that returns to its start goes on with its first frames."""
    if closed(volumes_ml):
        beat = span_ms(tuple(times_ms)) or 0.0
        times_ms = np.concatenate([times_ms[-SIDE:] - beat, times_ms, times_ms[:SIDE] + beat])
        volumes_ml = np.concatenate([volumes_ml[-SIDE:], volumes_ml, volumes_ml[:SIDE]])
    slopes = [
        _slope(times_ms[at - SIDE : at + SIDE + 1], volumes_ml[at - SIDE : at + SIDE + 1])
        for at in range(SIDE, len(volumes_ml) - SIDE)
    ]
    return 1000.0 * np.array(slopes)


def _slope(times: Curve, volumes: Curve) -> float:
    away = times - times[SIDE]
    width = np.abs(away).max()
    fitted = np.linalg.lstsq(np.vander(away / width, 4), volumes, rcond=None)[0]
    return float(fitted[2] / width)
