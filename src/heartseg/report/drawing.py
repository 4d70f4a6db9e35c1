"""Pixels: enlarging images, and thin smooth lines around masks, with numpy alone.

Enlarging is two matrix products, one per axis. Lines need no polygons: a mask enlarged with a
Gaussian crosses one half on its border, and value over slope tells each pixel's distance to it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg.report.palette import Colour

Floats = NDArray[np.float32]

MASK_SIGMA = 0.55
"""Of the Gaussian that smooths a mask's steps, in voxels: the widest that keeps a lone one."""

LINE_WIDTH = 2.1
"""Of contours, in pixels of the picture."""

SEGMENT_WIDTH = 1.2
SEGMENT_STRENGTH = 0.8
"""Of straight lines: finer than a contour, and the image shows through."""

FLAT = 0.02
"""An enlarged mask below this, and two pixels around it, has no line within a picture's reach."""

HALO_WIDTH = 4.8
HALO_STRENGTH = 0.45
"""A dark seam under each line parts it from bright blood."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Where the pixels of a picture lie along one axis of a grid.

    Attributes:
        voxels: of the grid along the axis.
        centre: of the picture, in voxel indices.
        step: from pixel to pixel, in voxels.
        pixels: of the picture along the axis.
    """

    voxels: int
    centre: float
    step: float
    pixels: int

    @property
    def used(self) -> slice:
        """The voxels that the picture can depend on."""
        reach = self.step * self.pixels / 2 + 3 * max(1.0, self.step)
        first = int(np.clip(np.floor(self.centre - reach), 0, self.voxels - 1))
        return slice(first, int(np.clip(np.ceil(self.centre + reach) + 1, first + 1, self.voxels)))

    def pixel(self, index: float) -> float:
        """Where a voxel index, which may be fractional, lies in the picture."""
        return (index - self.centre) / self.step + (self.pixels - 1) / 2

    def matrix(self, kernel: Callable[[Floats], Floats]) -> Floats:
        """(pixels, used voxels) weights; pixels outside of the grid have none and stay black."""
        middle = (self.pixels - 1) / 2
        at = self.centre + (np.arange(self.pixels) - middle) * self.step
        voxel = np.arange(self.voxels)[self.used]
        weights = kernel(((at[:, None] - voxel) / max(1.0, self.step)).astype(np.float32))
        total = weights.sum(axis=1, keepdims=True)
        inside = (at >= -0.5) & (at <= self.voxels - 0.5)
        weights[~inside] = 0.0
        total[total == 0.0] = 1.0
        weights /= total
        return weights


def smooth_kernel(distance: Floats) -> Floats:
    """Gaussian of `MASK_SIGMA`."""
    weights: Floats = np.exp(np.float32(-0.5 / MASK_SIGMA**2) * distance * distance)
    return weights


def cubic_kernel(distance: Floats) -> Floats:
    """Keys' cubic convolution, a = -1/2 (IEEE Trans. ASSP 1981)."""
    d = np.abs(distance)
    near = (1.5 * d - 2.5) * d * d + 1.0
    far = ((-0.5 * d + 2.5) * d - 4.0) * d + 2.0
    weights: Floats = np.where(d < 1.0, near, np.where(d < 2.0, far, np.float32(0.0)))
    return weights


def enlarge(planes: NDArray[Any], rows: Stretch, columns: Stretch, *, smooth: bool) -> Floats:
    """(n, y, x) planes as (n, pixels, pixels) pictures; `smooth` for masks, cubic otherwise."""
    kernel = smooth_kernel if smooth else cubic_kernel
    part = planes[:, rows.used, columns.used].astype(np.float32)
    enlarged: Floats = np.matmul(rows.matrix(kernel) @ part, columns.matrix(kernel).T)
    return enlarged


def draw_contour(picture: Floats, mask: Floats, colour: Colour) -> None:
    """Draw the line where the enlarged (H, W) `mask` crosses one half into (H, W, 3) `picture`."""
    place = _around(mask)
    picture, mask = picture[place], mask[place]
    if not mask.size:
        return
    down, right = np.gradient(mask)
    distance = np.abs(mask - 0.5) / np.maximum(np.hypot(down, right), 1e-6)
    halo = np.clip(HALO_WIDTH / 2 + 0.5 - distance, 0.0, 1.0)[..., None]
    picture *= np.float32(1.0) - HALO_STRENGTH * halo
    line = np.clip(LINE_WIDTH / 2 + 0.5 - distance, 0.0, 1.0)[..., None]
    picture += line * (np.array(colour, np.float32) - picture)


def _around(mask: Floats) -> tuple[slice, slice]:
    """The rows and columns of a mask with two pixels around it, most often a small part."""
    held = mask > FLAT
    rows, columns = (np.flatnonzero(held.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return slice(0), slice(0)
    top, left = max(0, int(rows[0]) - 2), max(0, int(columns[0]) - 2)
    return slice(top, int(rows[-1]) + 3), slice(left, int(columns[-1]) + 3)


def draw_segment(
    picture: Floats, ends: tuple[tuple[float, float], tuple[float, float]], colour: Colour
) -> None:
    """Draw a thin straight line between two (row, column) points into (H, W, 3) `picture`."""
    first, last = (np.array(end, np.float32) for end in ends)
    down, right = np.indices(picture.shape[:2], np.float32)
    along = last - first
    length = max(float(along @ along), 1e-6)
    share = ((down - first[0]) * along[0] + (right - first[1]) * along[1]) / length
    share = np.clip(share, 0.0, 1.0)
    away = np.hypot(down - first[0] - share * along[0], right - first[1] - share * along[1])
    line = SEGMENT_STRENGTH * np.clip(SEGMENT_WIDTH / 2 + 0.5 - away, 0.0, 1.0)[..., None]
    picture += line.astype(np.float32) * (np.array(colour, np.float32) - picture)
