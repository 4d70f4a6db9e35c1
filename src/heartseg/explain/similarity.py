"""How alike two maps are: by the order of their pixels, and by their structure."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, stats

Array = NDArray[np.float32]

SIGMA_PX = 1.5
"""Of the Gaussian window of SSIM, in pixels (Wang 2004)."""


def rank_correlation(one: Array, other: Array) -> float | None:
    """Spearman's correlation of the maps' sizes without their signs, -1 to 1; None of a flat map.

    The sign is left out as in Adebayo 2018: a map that is turned over still shows the same pixels.
    """
    first, second = np.abs(one).ravel(), np.abs(other).ravel()
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return float(stats.spearmanr(first, second).statistic)


def structural_similarity(one: Array, other: Array) -> float:
    """SSIM (Wang 2004) of the sizes of two maps, each divided by its largest: 1 where equal."""
    a, b = (_share(each) for each in (one, other))
    mean_a, mean_b = _smooth(a), _smooth(b)
    var_a, var_b = _smooth(a * a) - mean_a**2, _smooth(b * b) - mean_b**2
    both = _smooth(a * b) - mean_a * mean_b
    c1, c2 = 0.01**2, 0.03**2
    above = (2 * mean_a * mean_b + c1) * (2 * both + c2)
    below = (mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)
    return float((above / below).mean())


def _share(map_: Array) -> NDArray[np.float64]:
    size = np.abs(map_.astype(np.float64))
    share: NDArray[np.float64] = size / max(float(size.max()), 1e-12)
    return share


def _smooth(map_: NDArray[np.float64]) -> NDArray[np.float64]:
    sigma = (0.0,) * (map_.ndim - 2) + (SIGMA_PX, SIGMA_PX)
    smooth: NDArray[np.float64] = ndimage.gaussian_filter(map_, sigma)
    return smooth
