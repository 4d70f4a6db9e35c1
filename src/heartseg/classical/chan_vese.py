"""Active contours without edges, by level sets.

T. Chan, L. Vese, Active contours without edges, IEEE Trans Image Process 2001;10:266. The contour
parts the field into two as even regions as it can with a short contour; it sees means, no edges.
Solved by scikit-image from the first guess.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from heartseg.classical.marks import first_guess
from heartseg.classical.method import PlaneMethod, scikit_image, setting
from heartseg.classical.pool import cavity, labelled
from heartseg.classical.scene import Plane
from heartseg.core.anatomy import Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class ChanVese(PlaneMethod):
    """Two even regions.

    Attributes:
        seeds: as every method's.
        mu: weight of the contour's length.
        steps: at most.
        reach: the field is so many largest cavities about the seed.
    """

    paper: ClassVar[str] = "Chan and Vese 2001"
    extra: ClassVar[str | None] = "classical"

    mu: float = setting(0.1, 0.0, 2.0)
    steps: int = setting(100, 1, 2000)
    reach: float = setting(0.9, 0.2, 1.5)

    def label(self, plane: Plane) -> Labels:
        """As `PlaneMethod.label`."""
        evolve = scikit_image("segmentation", "chan-vese").chan_vese
        field, guess = plane.within(self.reach), first_guess(plane)
        if not (guess & field).any() or guess[field].all():
            return labelled(guess)
        grey = plane.smooth.astype(np.float64)
        grey = np.where(field, grey, grey[field & ~guess].mean())  # outside of it nothing pulls
        box = _box(field)
        level = np.where(guess[box], 1.0, -1.0)
        parted = evolve(grey[box], mu=self.mu, max_num_iter=self.steps, init_level_set=level)
        if not parted.any() or parted.all():
            return labelled(guess)
        if grey[box][parted].mean() < grey[box][~parted].mean():  # either side may be the first
            parted = ~parted
        blood = np.zeros(field.shape, bool)
        blood[box] = parted
        return labelled(cavity(blood & field, plane))


def _box(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
