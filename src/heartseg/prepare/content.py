"""The part of a picture that shows something: without the black that frames it.

Slices that were moved onto each other, or made square for a picture, have black borders that belong
to nobody's chest. Where one kind of image has them and another has not, a network would learn
frames. What is cut off is black in all slices, and comes back as background.
"""

import numpy as np
from numpy.typing import NDArray

BLACK = 0.02
"""Of full scale; no brighter is nothing."""

LEAST_SHARE = 0.05
"""Of the pixels of a row, or of a column, in all slices together: a border that holds fewer, such
as burnt-in letters or the corner of a turned slice, is a border still."""


def content_box(planes: NDArray[np.float32]) -> tuple[slice, slice]:
    """Rows and columns from the first to the last that show something in planes (n, y, x).

    Args:
        planes: intensities in [0, 1].

    Returns:
        The whole plane where nothing shows anything.
    """
    seen = planes > BLACK
    rows, columns = (np.flatnonzero(seen.mean(axes) >= LEAST_SHARE) for axes in ((0, 2), (0, 1)))
    if not len(rows) or not len(columns):
        return slice(0, planes.shape[1]), slice(0, planes.shape[2])
    return (
        slice(int(rows[0]), int(rows[-1]) + 1),
        slice(int(columns[0]), int(columns[-1]) + 1),
    )
