"""Otsu's threshold with morphology.

N. Otsu, IEEE Trans Syst Man Cybern 1979;9:62. The threshold maximises the variance between two
classes; the cavity is the piece at the seed, cut off where it leaks into a neighbour.
"""

from dataclasses import dataclass
from typing import ClassVar

from heartseg.classical.method import PlaneMethod, setting
from heartseg.classical.pool import cavity, labelled
from heartseg.classical.scene import Plane
from heartseg.core.anatomy import Labels
from heartseg.prepare.localise import otsu


@dataclass(frozen=True, slots=True, kw_only=True)
class Otsu(PlaneMethod):
    """A threshold of each plane.

    Attributes:
        seeds: as every method's.
        reach: the histogram is taken within this many largest cavities about the seed.
        shift: added to the threshold, in shares of the distance of both means.
    """

    paper: ClassVar[str] = "Otsu 1979"

    reach: float = setting(0.8, 0.2, 3.0)
    shift: float = setting(0.0, -0.5, 0.5)

    def label(self, plane: Plane) -> Labels:
        """As `PlaneMethod.label`."""
        smooth = plane.smooth
        threshold, contrast = otsu(smooth[plane.within(self.reach)])
        return labelled(cavity(smooth > threshold + self.shift * contrast, plane))
