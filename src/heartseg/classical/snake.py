"""The snake.

M. Kass, A. Witkin, D. Terzopoulos, Snakes: active contour models, Int J Comput Vis 1988;1:321. A
closed curve with tension and stiffness is drawn to edges. It has no force of its own outwards, so
it starts a little outside of the first guess and tightens. Solved by scikit-image.
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
class Snake(PlaneMethod):
    """A curve drawn to edges.

    Attributes:
        seeds: as every method's.
        tension: against length.
        stiffness: against bends.
        edge: how strongly edges draw.
        start: axes of the ellipse that it starts from, over those of the first guess.
        points: of the curve.
        steps: at most.
    """

    paper: ClassVar[str] = "Kass 1988"
    extra: ClassVar[str | None] = "classical"

    tension: float = setting(0.001, 0.0, 10.0)
    stiffness: float = setting(0.1, 0.0, 100.0)
    edge: float = setting(2.0, 0.0, 100.0)
    start: float = setting(1.15, 0.3, 3.0)
    points: int = setting(60, 12, 400)
    steps: int = setting(150, 1, 5000)

    def label(self, plane: Plane) -> Labels:
        """As `PlaneMethod.label`."""
        contour = scikit_image("segmentation", "snake").active_contour
        guess = first_guess(plane)
        if guess.sum() < 9:
            return labelled(guess)
        curve = contour(
            plane.smooth.astype(np.float64),
            _ellipse(guess, self.start, self.points),
            alpha=self.tension,
            beta=self.stiffness,
            w_line=0.0,
            w_edge=self.edge,
            gamma=0.01,
            max_num_iter=self.steps,
        )
        inside = scikit_image("draw", "snake").polygon2mask(guess.shape, curve)
        return labelled(cavity(inside, plane))


def _ellipse(mask: NDArray[np.bool_], scale: float, points: int) -> NDArray[np.float64]:
    """(points, 2) y and x of the ellipse with a mask's moments, its axes times `scale`."""
    places = np.argwhere(mask).astype(np.float64)
    lengths, axes = np.linalg.eigh(np.cov(places.T) + np.eye(2) / 12)  # pixels are squares
    angles = np.linspace(0, 2 * np.pi, points, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    out: NDArray[np.float64] = (
        places.mean(axis=0) + scale * 2.0 * (circle * np.sqrt(lengths)) @ axes.T
    )
    return out
