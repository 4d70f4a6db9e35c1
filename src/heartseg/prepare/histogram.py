"""Histogram matching: the greys of one image, as often as those of another.

Every grey becomes the one that is as rare in the other image: with F the share of pixels up to a
grey, v becomes G^-1(F(v)) (Gonzalez and Woods, Digital Image Processing, 3.3.2). Order stays, so it
cannot turn blood that is brighter than muscle into blood that is darker; it is what a translation
between kinds of image has to beat.
"""

import numpy as np
from numpy.typing import NDArray

LEVELS = 256
"""Quantiles that a histogram is kept by, the least and the largest among them."""

_SHARES = np.linspace(0.0, 1.0, LEVELS)


def quantiles_of(pixels: NDArray[np.floating]) -> NDArray[np.float32]:
    """(LEVELS,) rising: the greys that evenly growing shares of the pixels do not exceed."""
    greys: NDArray[np.float32] = np.quantile(pixels.ravel(), _SHARES).astype(np.float32)
    return greys


def matched(pixels: NDArray[np.float32], quantiles: NDArray[np.float32]) -> NDArray[np.float32]:
    """Pixels of any shape with the greys of another image.

    Args:
        pixels: of an image, with its air: what matters is how often each grey is there.
        quantiles: of the other, `quantiles_of` it.

    Returns:
        The same shape. Equal greys stay equal: many at once, such as black, take the middle of the
        shares that they stand for.
    """
    greys, first = np.unique(quantiles_of(pixels), return_index=True)
    last = np.append(first[1:], LEVELS) - 1
    shares = np.interp(pixels, greys, (_SHARES[first] + _SHARES[last]) / 2)
    taken: NDArray[np.float32] = np.interp(shares, _SHARES, quantiles).astype(np.float32)
    return taken
