"""Resampling of planes as two small matrices, one an axis.

Linear interpolation is separable, so a plane is resampled by `rows @ plane @ columns.T`: exact,
deterministic, fast (BLAS), and the way back is a pair of matrices too.
"""

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float32]


def linear_weights(source: int, target: int, *, step: float, filtered: bool) -> Weights:
    """Weights (target, source) that sample `source` points at `target` centred places.

    Args:
        source: number of points there are.
        target: number of points wanted; both rows of points share their centre.
        step: distance of wanted points, in distances of source points.
        filtered: widen the triangle when `step` > 1, so that fine detail does not alias.
            Places outside the source then weigh 0; without it they repeat the edge.
    """
    places = (np.arange(target) - (target - 1) / 2) * step + (source - 1) / 2
    if not filtered:
        places = places.clip(0, source - 1)
    width = max(step, 1.0) if filtered else 1.0
    distance = np.abs(places[:, None] - np.arange(source)[None, :])
    weights = np.maximum(0.0, 1.0 - distance / width)
    total = weights.sum(axis=1, keepdims=True)
    inside = (places >= -0.5) & (places <= source - 0.5)
    return np.where(inside[:, None], weights / np.maximum(total, 1e-9), 0.0).astype(np.float32)


def resample_planes(planes: NDArray[np.float32], rows: Weights, columns: Weights) -> Weights:
    """(..., y, x) -> (..., len(rows), len(columns))."""
    contiguous = np.ascontiguousarray(planes)  # strided planes miss BLAS: 50 times slower
    out: Weights = rows @ contiguous @ np.ascontiguousarray(columns.T)
    return out
