"""Numbers that say what an image looks like, against the contours that were drawn in it.

Contrasts are shares of the difference between blood and muscle or of the image's range, so that no
unit of the scanner matters. Legend: (t, z, y, x) frames, slices, rows, columns.
"""

from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Labels, Structure
from heartseg.core.geometry import Geometry

Pixels = NDArray[np.float32]
Mask = NDArray[np.bool_]

SHELL_MM = 4.0
"""What lies this near beyond a contour is compared with what lies within."""

_LV, _MYO, _RV = Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY
_TINY = 1e-3
_LEAST_CONTRAST = 0.05


def scaled(voxels: NDArray[Any]) -> Pixels | None:
    """Frames (t, z, y, x) with 0 and 1 at the 1st and 99th percentile, clipped there.

    None where there is nothing but one grey value.
    """
    low, high = np.percentile(voxels[..., ::2, ::2], (1, 99))
    if not high > low:
        return None
    pixels = (voxels.astype(np.float32) - np.float32(low)) / np.float32(high - low)
    return pixels.clip(0, 1)


def image_traits(pixels: Pixels, grid: Geometry) -> dict[str, float]:
    """Of scaled frames, whatever they show."""
    low, middle, high = np.percentile(pixels[..., ::2, ::2], (25, 50, 75)).tolist()
    rows, columns = (n * s for n, s in zip(grid.shape[1:], grid.spacing[1:], strict=True))
    found = {
        "dark part of the image": low,
        "middle grey of the image": middle,
        "bright part of the image": high,
        "field of view": log(rows * columns) / 2,
        "slice distance": log(grid.spacing[0]),
        **_texture(pixels, grid),
    }
    if len(pixels) > 1:
        first, last = (pixels[one, :, ::2, ::2].ravel() for one in (0, -1))
        found["likeness of the two phases"] = float(np.corrcoef(first, last)[0, 1])
    return found


def tissue_traits(pixels: Pixels, labels: Labels, grid: Geometry) -> dict[str, float]:
    """Of blood and muscle as the labels of one frame (z, y, x) call them.

    A contour that is drawn too wide or too narrow, or in the wrong place, shows here: greys
    within it are mixed, and those beyond it are the same.
    """
    pixels, labels = _about_heart(pixels, labels, grid)
    masks = {one: labels == one for one in (_LV, _MYO, _RV)}
    grey = {one: pixels[mask] for one, mask in masks.items()}
    if not grey[_LV].size or not grey[_MYO].size:
        return {}
    blood, muscle = float(np.median(grey[_LV])), float(np.median(grey[_MYO]))
    apart = abs(blood - muscle) + _LEAST_CONTRAST
    found = {
        "blood in the LV": blood,
        "contrast of blood to muscle": blood - muscle,
        "evenness of the blood": log(_spread(grey[_LV]) / apart + _TINY),
        "evenness of the muscle": log(_spread(grey[_MYO]) / apart + _TINY),
    }
    rims = {one: _rim(mask, grid) for one, mask in masks.items()}
    for name, rim in (("LV", masks[_MYO] & rims[_LV]), ("wall", masks[_LV] & rims[_MYO])):
        if rim.any():
            middle = blood if name == "wall" else muscle
            found[f"rim of the {name}"] = (float(pixels[rim].mean()) - middle) / apart
    if grey[_RV].size:
        right = float(np.median(grey[_RV]))
        found["blood in the RV beside the LV"] = (right - blood) / apart
        found["evenness of the blood in the RV"] = log(_spread(grey[_RV]) / apart + _TINY)
        beyond = rims[_RV] & (labels == Structure.BACKGROUND)
        if beyond.any():
            found["surroundings of the RV"] = (float(np.median(pixels[beyond])) - right) / apart
    return found


def _about_heart(pixels: Pixels, labels: Labels, grid: Geometry) -> tuple[Pixels, Labels]:
    """The part of both that holds the labels and a shell about them."""
    box = [slice(None)]
    for axis, spacing in ((1, grid.spacing[1]), (2, grid.spacing[2])):
        there = np.flatnonzero(labels.any(axis=(0, 3 - axis)))
        margin = int(SHELL_MM / spacing) + 1
        inside = slice(max(there[0] - margin, 0), there[-1] + margin + 1) if there.size else None
        box.append(inside or slice(0, 0))
    return pixels[tuple(box)], labels[tuple(box)]


def _rim(mask: Mask, grid: Geometry) -> Mask:
    """What lies within `SHELL_MM` of a mask in its slices, and not in it."""
    from scipy.ndimage import binary_dilation

    steps = max(1, round(SHELL_MM / float(np.sqrt(grid.spacing[1] * grid.spacing[2]))))
    in_plane = np.zeros((3, 3, 3), bool)
    in_plane[1] = [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
    rim: Mask = binary_dilation(mask, in_plane, iterations=steps) & ~mask
    return rim


def _texture(pixels: Pixels, grid: Geometry) -> dict[str, float]:
    """How grey values change from pixel to pixel, and over 4 mm."""
    near, far = [], []
    for axis, spacing in ((2, grid.spacing[1]), (3, grid.spacing[2])):
        near.append(_step(pixels, axis, 1))
        far.append(_step(pixels, axis, max(2, round(4 / spacing))))
    second = np.abs(np.diff(pixels[..., ::2, :], 2, axis=3))
    return {
        "noise": log(float(np.median(second)) + _TINY),
        "sharpness": log((near[0] + near[1]) / (far[0] + far[1] + _TINY) + _TINY),
        "detail": log(far[0] + far[1] + _TINY),
        "grain of rows to columns": log((near[0] + _TINY) / (near[1] + _TINY)),
    }


def _step(pixels: Pixels, axis: int, pixels_on: int) -> float:
    """Mean difference of grey values so many pixels apart."""
    whole: list[slice] = [slice(None)] * 4
    later, sooner = list(whole), list(whole)
    later[axis], sooner[axis] = slice(pixels_on, None), slice(None, -pixels_on)
    if pixels.shape[axis] <= pixels_on:
        return 0.0
    return float(np.abs(pixels[tuple(later)] - pixels[tuple(sooner)]).mean())


def _spread(values: Pixels) -> float:
    low, high = np.percentile(values, (16, 84))
    return float(high - low) / 2
