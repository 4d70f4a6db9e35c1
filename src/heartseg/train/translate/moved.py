"""Whether a translation moved its image: where edges of one lie over edges of the other.

Grey values say nothing across two kinds of image, edges do: the lengths of the gradients of both
are laid over each other in every way of up to `FARTHEST_PX` pixels, and the best one is the shift.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FARTHEST_PX = 8
_BORDER_PX = 2
"""Beside what was cut off, where the cut itself is an edge."""


class Moved(NamedTuple):
    """How two images lie over each other.

    Attributes:
        pixels: length of the shift that fits best, to a fraction of a pixel.
        edges: correlation of the edges where they lie now, in [-1, 1]; 1 for equal ones.
    """

    pixels: float
    edges: float


def moved(
    before: NDArray[np.float32], after: NDArray[np.float32], shown: NDArray[np.bool_]
) -> Moved | None:
    """How far an image was moved in its planes; None where one has no edges.

    Args:
        before: (z, y, x) intensities of a frame.
        after: the same of its translation.
        shown: (z, y, x), False where the translation was cut off.
    """
    one, other = _edges(before, shown), _edges(after, shown)
    strength = np.sqrt(float((one**2).sum()) * float((other**2).sum()))
    if strength == 0:
        return None
    axes = (1, 2)
    size = [n + 2 * FARTHEST_PX for n in one.shape[1:]]  # no shift comes in again on the other side
    spectra = [np.fft.rfft2(values, size, axes) for values in (one, other)]
    fit = np.fft.irfft2((np.conj(spectra[0]) * spectra[1]).sum(0), size)
    reach = np.arange(-FARTHEST_PX, FARTHEST_PX + 1)
    near = fit[np.ix_(reach, reach)]
    y, x = np.unravel_index(int(near.argmax()), near.shape)
    down, across = _refined(near[:, x], int(y)), _refined(near[y], int(x))
    return Moved(float(np.hypot(down, across)), float(fit[0, 0] / strength))


def _edges(planes: NDArray[np.float32], shown: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(z, y, x) lengths of the gradients in each plane, less their mean, where there is image."""
    from scipy import ndimage

    smooth = ndimage.gaussian_filter(planes.astype(np.float64), (0, 1, 1))
    down, across = np.gradient(smooth, axis=(1, 2))
    lengths = np.hypot(down, across)
    square = np.ones((1, 2 * _BORDER_PX + 1, 2 * _BORDER_PX + 1), bool)
    inside = ndimage.binary_erosion(shown, square, border_value=1)
    mean = lengths[inside].mean() if inside.any() else 0.0
    edges: NDArray[np.float64] = np.where(inside, lengths - mean, 0.0)
    return edges


def _refined(values: NDArray[np.float64], best: int) -> float:
    """The top of the parabola through the best and its neighbours, from the middle of `values`."""
    middle = len(values) // 2
    if not 0 < best < len(values) - 1:
        return float(best - middle)
    left, top, right = values[best - 1 : best + 2]
    bend = left - 2 * top + right
    return float(best - middle + (0.5 * (left - right) / bend if bend < 0 else 0.0))
