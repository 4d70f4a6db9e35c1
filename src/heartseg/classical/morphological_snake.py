"""A geodesic active contour that moves by morphology.

P. Marquez-Neila, L. Baumela, L. Alvarez, A morphological approach to curvature-based evolution of
curves and surfaces, IEEE Trans Pattern Anal Mach Intell 2014;36:2. A balloon grows from the middle
of the cavity until edges stop it; dilations and erosions take the place of differential equations.
Solved by scikit-image.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from heartseg.classical.marks import first_guess
from heartseg.classical.method import PlaneMethod, scikit_image, setting
from heartseg.classical.pool import cavity, core, labelled
from heartseg.classical.scene import Plane
from heartseg.core.anatomy import Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class MorphologicalSnake(PlaneMethod):
    """A balloon that edges stop.

    Attributes:
        seeds: as every method's.
        steps: of the evolution.
        steepness: how much an edge slows the balloon down.
        stop: of the speed, between 0 at edges and 1 where nothing changes; slower is standing.
        smoothing: passes of curvature a step.
        core: it starts from the part of the first guess that is deeper than this share.
    """

    paper: ClassVar[str] = "Marquez-Neila 2014"
    extra: ClassVar[str | None] = "classical"

    steps: int = setting(40, 1, 1000)
    steepness: float = setting(600.0, 1.0, 10000.0)
    stop: float = setting(0.35, 0.01, 0.99)
    smoothing: int = setting(1, 0, 4)
    core: float = setting(0.4, 0.1, 0.9)

    def label(self, plane: Plane) -> Labels:
        """As `PlaneMethod.label`."""
        library = scikit_image("segmentation", "morphological-snake")
        grey = plane.grey.astype(np.float64)
        sigma = plane.pixels(plane.sizes.smooth)
        speed = library.inverse_gaussian_gradient(grey, alpha=self.steepness, sigma=sigma)
        grown = library.morphological_geodesic_active_contour(
            speed,
            self.steps,
            init_level_set=core(first_guess(plane), self.core).astype(np.int8),
            smoothing=self.smoothing,
            threshold=self.stop,
            balloon=1,
        )
        return labelled(cavity(grown > 0, plane))
