"""The right ventricle of a short axis: the blood beside the left one, behind the septum."""

import numpy as np
from numpy.typing import NDArray

from heartseg.classical.pool import opened, outside_mm
from heartseg.classical.scene import Plane

Mask = NDArray[np.bool_]

SEPTUM_MM = (4.0, 22.0)
"""How far from the LV cavity the near side of the RV lies."""

FAR_MM = 75.0
"""Beyond, blood is no ventricle."""

LEAST_MM2 = 120.0
"""Smaller pools are vessels."""

LEAST_NEAR = 0.12
"""Share of a pool that lies behind the septum: fat in the chest wall has less."""


def beside(blood: Mask, cavity: Mask, plane: Plane) -> Mask:
    """The pool (y, x) among bright pixels that has most of its blood behind the septum.

    Empty where there is none; which side it lies on is not asked, since files do not always say.
    """
    from scipy import ndimage

    away = outside_mm(cavity, plane)
    pools, count = ndimage.label(
        opened(blood & (away > SEPTUM_MM[0]) & (away < FAR_MM), plane.pixels(2.0))
    )
    if not count:
        return np.zeros_like(blood)
    near = (away < SEPTUM_MM[1]).astype(np.float64)
    numbers = np.arange(1, count + 1)
    close = ndimage.sum_labels(near, pools, numbers)
    sizes = ndimage.sum_labels(np.ones(pools.shape), pools, numbers)
    least = LEAST_MM2 / plane.sizes.pixel**2
    worth = np.where((close >= LEAST_NEAR * sizes) & (sizes >= least), close, 0.0)
    best = int(worth.argmax())
    found: Mask = (pools == numbers[best]) & (worth[best] > 0)
    return found
