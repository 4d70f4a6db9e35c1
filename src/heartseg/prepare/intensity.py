"""Intensities that mean about the same in every study."""

from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import FormatError

SAMPLED_VOXELS = 4_000_000
"""Percentiles are taken over all voxels of an image up to this many, else over about as many."""


def intensity_range(
    voxels: NDArray[np.generic], percentiles: tuple[float, float]
) -> tuple[float, float]:
    """The two percentiles of the voxels (t, z, y, x) of a study's image.

    Of a large image every k-th row and column counts: a lattice, not every k-th voxel in memory,
    which in planes of 512 columns could mean two columns only, one of them air. Hand in planes
    in canonical orientation, and the lattice does not depend on how the file stores them.

    Raises:
        FormatError: NaN or infinite voxels, or an image without contrast.
    """
    _require_numbers(voxels)
    every = max(1, ceil(sqrt(voxels.size / SAMPLED_VOXELS)))
    # Whole numbers are put in order six times as fast as fractions, with the same percentiles.
    small = voxels.dtype.kind in "iu" and voxels.dtype.itemsize <= 2
    lattice = voxels[..., ::every, ::every].ravel()
    low, high = (
        np.percentile(lattice.astype(np.int32), percentiles)
        if small
        else np.percentile(lattice.astype(np.float64), percentiles)
    )
    if high <= low:
        low, high = float(voxels.min()), float(voxels.max())
    if high <= low:
        raise FormatError("image", got=f"the value {low:g} everywhere", allowed="some contrast")
    return float(low), float(high)


def require_seen(voxels: NDArray[np.generic], window: tuple[float, float]) -> None:
    """Refuse an image that a window makes black or white.

    Args:
        voxels: (t, z, y, x).
        window: what becomes 0 and 1, in the image's own unit.

    Raises:
        FormatError: NaN or infinite voxels, or all on one side of the window.
    """
    _require_numbers(voxels)
    low, high = float(voxels.min()), float(voxels.max())
    if high <= window[0] or low >= window[1]:
        raise FormatError(
            "image",
            got=f"values from {low:g} to {high:g}",
            allowed=f"some within the window, {window[0]:g} to {window[1]:g}",
            do="check that the image has the unit of preparation.window (CT: Hounsfield)",
        )


def _require_numbers(voxels: NDArray[np.generic]) -> None:
    if voxels.dtype.kind != "f":
        return
    bad = sum(int(frame.size - np.count_nonzero(np.isfinite(frame))) for frame in voxels)
    if bad:
        raise FormatError(
            "image",
            got=f"{bad} of {voxels.size} voxels that are not numbers (NaN or infinite)",
            allowed="finite numbers",
            do="replace them, for example by 0",
        )
