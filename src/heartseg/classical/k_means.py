"""Classes of grey values by k-means.

J. MacQueen, Some methods for classification and analysis of multivariate observations, Proc 5th
Berkeley Symp 1967;1:281; S. Lloyd, Least squares quantization in PCM, IEEE Trans Inf Theory
1982;28:129. The brightest class is blood. The first means are quantiles, so nothing is random.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from heartseg.classical.method import PlaneMethod, setting
from heartseg.classical.pool import cavity, labelled
from heartseg.classical.scene import Plane
from heartseg.core.anatomy import Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class KMeans(PlaneMethod):
    """Classes of the grey values of each plane.

    Attributes:
        seeds: as every method's.
        classes: of grey values; the brightest is blood.
        reach: grey values are taken within this many largest cavities about the seed.
    """

    paper: ClassVar[str] = "MacQueen 1967, Lloyd 1982"

    classes: int = setting(3, 2, 6)
    reach: float = setting(1.0, 0.2, 3.0)

    def label(self, plane: Plane) -> Labels:
        """As `PlaneMethod.label`."""
        from scipy.cluster.vq import kmeans2

        smooth = plane.smooth
        near = np.sort(smooth[plane.within(self.reach)].astype(np.float64))
        first = np.quantile(near, (np.arange(self.classes) + 0.5) / self.classes)
        means, _ = kmeans2(near, first, minit="matrix", iter=30, missing="warn")
        low, high = np.sort(means)[-2:]
        return labelled(cavity(smooth > (low + high) / 2, plane))
