"""The slices above and below as channels: what a network of planes sees of the depth.

A slice is shown with its neighbours in the same frame (2.5-D), in the order of the prepared planes:
the channel before the slice's own is the slice towards the apex, the one behind it towards the
base, where the file says how the patient lay. Where it does not the order may be the other way
round, so training turns it over at random (`spatial.reverse`).

Beyond the ends of a stack its last slice is repeated. That two channels are equal says that the
stack ends, with intensities that a network has seen, and a single slice is shown as three equal
ones. How far apart slices lie, and whether one between them is missing, is not looked at.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def slices_shown(slices: int, neighbours: int) -> NDArray[np.intp]:
    """(slices, 1 + 2 * neighbours): the numbers of the slices that are each slice's channels."""
    offsets = np.arange(-neighbours, neighbours + 1)
    return (np.arange(slices)[:, None] + offsets).clip(0, slices - 1)


def with_neighbours(planes: NDArray[Any], neighbours: int) -> NDArray[Any]:
    """All slices of a frame (z, y, x) -> (z, 1 + 2 * neighbours, y, x), their own in the middle."""
    if neighbours == 0:
        return planes[:, None]  # a view: nothing is copied
    shown: NDArray[Any] = planes[slices_shown(len(planes), neighbours)]
    return shown
