"""The random walker.

L. Grady, Random walks for image segmentation, IEEE Trans Pattern Anal Mach Intell 2006;28:1768.
A pixel belongs to the marks that a walker who starts there reaches first, when steep changes of
grey are hard to cross. Solved by scikit-image.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from heartseg.classical.marks import marks
from heartseg.classical.method import PlaneMethod, scikit_image, setting
from heartseg.classical.pool import cavity, labelled
from heartseg.classical.scene import Plane
from heartseg.core.anatomy import Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomWalker(PlaneMethod):
    """Walkers between marks.

    Attributes:
        seeds: as every method's.
        beta: how hard a change of grey is to cross.
        core: marks of the cavity: deeper than this share of the first guess's greatest depth.
        gap_mm: marks of the surroundings: not blood, at least so far from the first guess.
    """

    paper: ClassVar[str] = "Grady 2006"
    extra: ClassVar[str | None] = "classical"

    beta: float = setting(2000.0, 1.0, 10000.0)
    core: float = setting(0.5, 0.1, 0.9)
    gap_mm: float = setting(3.0, 1.0, 15.0)

    def label(self, plane: Plane) -> Labels:
        """As `PlaneMethod.label`."""
        walk = scikit_image("segmentation", "random-walker").random_walker
        inside, outside = marks(plane, self.core, self.gap_mm)
        given = np.where(inside, 1, 0) + np.where(outside, 2, 0)
        if not inside.any() or not (given == 0).any():
            return labelled(inside)
        reached = walk(plane.smooth.astype(np.float64), given, beta=self.beta, mode="bf")
        return labelled(cavity(reached == 1, plane))
