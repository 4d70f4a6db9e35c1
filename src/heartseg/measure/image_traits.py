"""Numbers that say what an image looks like, against the contours that were drawn in it.

Contrasts and noise are shares of the difference between blood and muscle or of the image's range,
so that no unit of the scanner matters. Legend: (t, z, y, x) frames, slices, rows, columns.
"""

from math import log

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Labels, Structure
from heartseg.core.geometry import Geometry

Pixels = NDArray[np.float32]

_LV, _MYO, _RV = Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY
_TINY = 1e-3


def image_traits(voxels: NDArray[np.generic], labels: Labels, grid: Geometry) -> dict[str, float]:
    """Of the frames (t, z, y, x) that were measured, and their labels.

    Empty when there is nothing but one grey value.
    """
    pixels = _scaled(voxels)
    if pixels is None:
        return {}
    low, middle, high = np.percentile(pixels[..., ::2, ::2], (25, 50, 75)).tolist()
    rows, columns = (n * s for n, s in zip(grid.shape[1:], grid.spacing[1:], strict=True))
    return {
        "dark part of the image": low,
        "middle grey of the image": middle,
        "bright part of the image": high,
        "field of view": log(rows * columns) / 2,
        "slice distance": log(grid.spacing[0]),
        **_texture(pixels, grid),
        **_tissues(pixels, labels),
    }


def _scaled(voxels: NDArray[np.generic]) -> Pixels | None:
    """0 and 1 at the 1st and 99th percentile, clipped there."""
    low, high = np.percentile(voxels[..., ::2, ::2], (1, 99))
    if not high > low:
        return None
    scaled = (voxels.astype(np.float32) - np.float32(low)) / np.float32(high - low)
    return scaled.clip(0, 1)


def _texture(pixels: Pixels, grid: Geometry) -> dict[str, float]:
    """How grey values change from pixel to pixel, and over 4 mm."""
    near, far = [], []
    for axis, spacing in ((2, grid.spacing[1]), (3, grid.spacing[2])):
        wide = max(2, round(4 / spacing))
        near.append(np.abs(_stepped(pixels, axis, 1)).mean())
        far.append(np.abs(_stepped(pixels, axis, wide)).mean())
    second = np.diff(pixels, 2, axis=3)
    grain = float(np.median(np.abs(second))) / 1.65  # of white noise, its standard deviation
    return {
        "noise": log(grain + _TINY),
        "sharpness": log(float(np.mean(near) / (np.mean(far) + _TINY)) + _TINY),
        "detail": log(float(np.mean(far)) + _TINY),
        "grain of rows to columns": log(float(near[0] / (near[1] + _TINY)) + _TINY),
    }


def _stepped(pixels: Pixels, axis: int, step: int) -> Pixels:
    whole: list[slice] = [slice(None)] * 4
    later, sooner = list(whole), list(whole)
    later[axis], sooner[axis] = slice(step, None), slice(None, -step)
    difference: Pixels = pixels[tuple(later)] - pixels[tuple(sooner)]
    return difference


def _tissues(pixels: Pixels, labels: Labels) -> dict[str, float]:
    """What blood and muscle look like under the contours."""
    found: dict[str, float] = {}
    inside = {one: pixels[labels == one] for one in (_LV, _MYO, _RV)}
    blood, muscle, right = (inside[one] for one in (_LV, _MYO, _RV))
    if blood.size:
        found["blood in the LV"] = float(np.median(blood))
    if blood.size and muscle.size:
        contrast = float(np.median(blood) - np.median(muscle))
        found["contrast of blood to muscle"] = contrast
        apart = abs(contrast) + 0.05
        found["evenness of the blood"] = log(float(_spread(blood)) / apart + _TINY)
        found["evenness of the muscle"] = log(float(_spread(muscle)) / apart + _TINY)
        found["border of blood to muscle"] = _edge(pixels, labels) / apart
    if blood.size and right.size:
        found["blood in the RV beside the LV"] = float(np.median(right) - np.median(blood))
    return found


def _spread(values: Pixels) -> float:
    low, high = np.percentile(values, (16, 84))
    return float(high - low) / 2


def _edge(pixels: Pixels, labels: Labels) -> float:
    """Mean step of the grey value where a pixel of cavity lies beside one of wall."""
    steps = []
    for axis in (2, 3):
        first = np.take(labels, range(labels.shape[axis] - 1), axis)
        second = np.take(labels, range(1, labels.shape[axis]), axis)
        step = _stepped(pixels, axis, 1)
        steps += [
            -step[(first == _LV) & (second == _MYO)],
            step[(first == _MYO) & (second == _LV)],
        ]
    every = np.concatenate(steps)
    return float(every.mean()) if every.size else 0.0
