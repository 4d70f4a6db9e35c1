"""How far two sets of images are apart: their intensities, and what a network sees in them.

No number is good or bad by itself: what two halves of the same set are apart is as near as one can
come, and what the sets were apart untranslated is what there was to gain.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import MeasureError

QUANTILES = 1000
"""Of each set's intensities, evenly from the least to the greatest."""

LEAST_SAMPLES = 8
"""Of each set: covariances of fewer mean nothing."""


def histogram_distance(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Earth mover's distance of two histograms: mean |difference| of equal quantiles.

    In the unit of the intensities. 0 for equal histograms, 0.1 for a shift by 0.1.

    Args:
        one, other: intensities, any shapes.

    Raises:
        MeasureError: one of them is empty.
    """
    if one.size == 0 or other.size == 0:
        raise MeasureError("histogram distance", got="no pixels")
    shares = (np.arange(QUANTILES) + 0.5) / QUANTILES
    quantiles = [np.quantile(values.ravel(), shares) for values in (one, other)]
    return float(np.abs(quantiles[0] - quantiles[1]).mean())


def frechet_distance(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """|m - n|^2 + trace(C + D - 2 (C D)^1/2) of two sets' means and covariances (Heusel 2017).

    The squared distance of two normal distributions. It depends on the features, and on how many
    images there are: few make it large.

    Args:
        one, other: (images, features).

    Raises:
        MeasureError: fewer than `LEAST_SAMPLES` images in a set.
    """
    if min(len(one), len(other)) < LEAST_SAMPLES:
        got = f"{len(one)} and {len(other)} images"
        raise MeasureError("Frechet distance", got=got, allowed=f"at least {LEAST_SAMPLES} of each")
    ours, theirs = (np.atleast_2d(np.cov(values, rowvar=False)) for values in (one, other))
    shift = float(np.square(one.mean(0) - other.mean(0)).sum())
    root = _root(ours)
    # The eigenvalues of C D are those of C^1/2 D C^1/2, which is symmetric.
    common = np.sqrt(np.linalg.eigvalsh(root @ theirs @ root).clip(min=0)).sum()
    return max(0.0, shift + float(np.trace(ours) + np.trace(theirs) - 2 * common))


def principal_axes(features: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """(features, axes) along which a set varies most, at most so many: a space of few numbers.

    Args:
        features: (images, features).
        most: axes.
    """
    centred = features - features.mean(0)
    _, strengths, axes = np.linalg.svd(centred, full_matrices=False)
    there = int((strengths > strengths.max(initial=0) * 1e-6).sum())
    kept: NDArray[np.float64] = axes[: max(1, min(most, there))].T
    return kept


def _root(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    values, axes = np.linalg.eigh(matrix)
    root: NDArray[np.float64] = (axes * np.sqrt(values.clip(min=0))) @ axes.T
    return root
