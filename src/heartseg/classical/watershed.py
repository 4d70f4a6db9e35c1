"""The watershed from marks.

L. Vincent, P. Soille, Watersheds in digital spaces, IEEE Trans Pattern Anal Mach Intell 1991;
13:583; with marks, S. Beucher, F. Meyer, The morphological approach to segmentation, 1993. Water
rises from the marks over the steepness of the grey values, and where two waters meet is a border.
On a short axis there are marks of both cavities, of the muscle and of what lies outside.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from heartseg.classical.marks import REACH
from heartseg.classical.method import PlaneMethod, scikit_image, setting
from heartseg.classical.pool import cavity, core, labelled, outside_mm
from heartseg.classical.right_ventricle import beside
from heartseg.classical.scene import Plane
from heartseg.classical.sizes import SIZES
from heartseg.core.anatomy import Labels, Structure
from heartseg.prepare.localise import Look, otsu

OUTSIDE = 255
SHORT_AXIS = (Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watershed(PlaneMethod):
    """Waters that rise from marks.

    Attributes:
        seeds: as every method's.
        core: marks of cavities: deeper than this share of the first guess's greatest depth.
        muscle_mm: from the first guess of the LV cavity to the middle of the marks of muscle.
        wall_mm: the wall is thinner than this: whatever is farther from the cavity is outside.
    """

    paper: ClassVar[str] = "Vincent and Soille 1991"
    extra: ClassVar[str | None] = "classical"

    core: float = setting(0.4, 0.1, 0.9)
    muscle_mm: float = setting(4.0, 2.0, 10.0)
    wall_mm: float = setting(14.0, 5.0, 30.0)

    def finds(self, look: Look) -> tuple[Structure, ...]:
        """In a short axis, muscle and RV too."""
        return SHORT_AXIS if look == "short-axis" else (Structure.LV_CAVITY,)

    def label(self, plane: Plane) -> Labels:
        """As `PlaneMethod.label`."""
        from scipy import ndimage

        rise = scikit_image("segmentation", "watershed").watershed
        marks = self._marks(plane)
        steep = ndimage.gaussian_gradient_magnitude(plane.grey, plane.pixels(plane.sizes.smooth))
        found = rise(steep, marks)
        whole = cavity(found == Structure.LV_CAVITY, plane)
        if plane.sizes is not SIZES["short-axis"]:
            return labelled(whole)
        labels = np.where(found == OUTSIDE, 0, found).astype(np.uint8)
        labels[labels == Structure.LV_CAVITY] = Structure.LV_MYOCARDIUM
        labels[whole] = Structure.LV_CAVITY
        return labels

    def _marks(self, plane: Plane) -> NDArray[np.int32]:
        smooth = plane.smooth
        threshold, _ = otsu(smooth[plane.within(REACH)])
        blood = smooth > threshold
        guess = cavity(blood, plane)
        away = outside_mm(guess, plane)
        marks = np.zeros(blood.shape, np.int32)
        marks[away > self.wall_mm] = OUTSIDE
        marks[(np.abs(away - self.muscle_mm) < plane.sizes.pixel) & ~blood] = (
            Structure.LV_MYOCARDIUM
        )
        right = beside(blood, guess, plane)
        if right.any():
            marks[core(right, self.core)] = Structure.RV_CAVITY
            marks[right & (marks == OUTSIDE)] = 0
        marks[core(guess, self.core)] = Structure.LV_CAVITY
        return marks
