"""Intensities that mean about the same in every study."""

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import FormatError

SAMPLED_VOXELS = 500_000
"""Percentiles are taken over about this many voxels, spread evenly: enough for 0.1 %."""


def intensity_range(
    voxels: NDArray[np.generic], percentiles: tuple[float, float]
) -> tuple[float, float]:
    """The two percentiles of all voxels of a study's image.

    Raises:
        FormatError: NaN or infinite voxels, or an image without contrast.
    """
    flat = voxels.reshape(-1) if voxels.flags.c_contiguous else voxels.ravel(order="K")
    sampled = flat[:: max(1, flat.size // SAMPLED_VOXELS)].astype(np.float64)
    if not np.isfinite(sampled).all():
        raise FormatError("image", got="voxels that are not numbers (NaN or infinite)")
    low, high = np.percentile(sampled, percentiles)
    if high <= low:
        low, high = float(sampled.min()), float(sampled.max())
    if high <= low:
        raise FormatError("image", got=f"the value {low:g} everywhere", allowed="some contrast")
    return float(low), float(high)
