"""Apical views whose contour has a known length: two quarter ellipses that meet at the apex.

The length is that of the elliptic integral, and where the segments lie follows from the curve's own
formula; nothing here is measured in pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ellipe

from heartseg.core.anatomy import Labels, Structure
from heartseg.core.geometry import Geometry
from heartseg.core.image import Segmentation

LV, MYO, LA, RV = (
    Structure.LV_CAVITY,
    Structure.LV_MYOCARDIUM,
    Structure.LEFT_ATRIUM,
    Structure.RV_CAVITY,
)
SPACING_MM = (3.0, 0.5, 0.8)
SIZE_MM = (150.0, 120.0)
BASE_MM = (102.0, 57.0)
"""Row and column of the middle of the valve's line at no shift."""

WALL_MM, ATRIUM_MM = 8.0, 25.0


@dataclass(frozen=True)
class Ventricle:
    """A cavity in one frame: millimetres, radians; the apex is up at no slant.

    Attributes:
        length: from the line of the valve to the apex.
        left, right: half widths of the two walls at the base.
        slant: turn of the whole heart, clockwise.
        shift: of the whole heart, along rows and columns.
    """

    length: float
    left: float
    right: float
    slant: float = 0.3
    shift: tuple[float, float] = (0.0, 0.0)

    def scaled(self, factor: float) -> "Ventricle":
        size = (factor * one for one in (self.length, self.left, self.right))
        return Ventricle(*size, slant=self.slant, shift=self.shift)

    @property
    def arc_mm(self) -> float:
        """From hinge to apex to hinge, by the complete elliptic integral."""
        return quarter_mm(self.length, self.left) + quarter_mm(self.length, self.right)

    def widths_mm(self) -> np.ndarray:
        """(6,) mean distance of each third of either wall from the long axis, left hinge first."""
        angle = np.linspace(0, np.pi / 2, 4001)
        left = np.stack([-self.left * np.cos(angle), self.length * np.sin(angle)], axis=1)
        right = np.stack([self.right * np.cos(angle), self.length * np.sin(angle)], axis=1)[::-1]
        line = np.concatenate([left, right[1:]])
        base = np.array([(self.right - self.left) / 2, 0.0])
        apex = int(np.linalg.norm(line - base, axis=1).argmax())
        up = (line[apex] - base) / np.linalg.norm(line[apex] - base)
        away = np.abs((line - base) @ np.array([up[1], -up[0]]))
        walls = (slice(0, apex + 1), slice(apex, None))
        return np.array([mean for wall in walls for mean in _thirds(line[wall], away[wall])])


def quarter_mm(one: float, other: float) -> float:
    """A quarter of the circumference of an ellipse with these half axes."""
    long, short = max(one, other), min(one, other)
    return float(long * ellipe(1 - (short / long) ** 2))


def _thirds(line: np.ndarray, away: np.ndarray) -> list[float]:
    steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
    place = (np.cumsum(steps) - steps / 2) / steps.sum()
    middle = (away[1:] + away[:-1]) / 2
    third = np.minimum((3 * place).astype(int), 2)
    return [float(np.average(middle[third == k], weights=steps[third == k])) for k in range(3)]


def drawn(
    ventricle: Ventricle,
    spacing: Sequence[float] = SPACING_MM,
    *,
    rv: int = 0,
    outflow_mm: float = 0.0,
) -> Labels:
    """(1, y, x) labels of cavity, wall and atrium.

    Args:
        ventricle: what to draw.
        spacing: (z, y, x) in mm.
        rv: -1 for a right ventricle beside the left wall, 1 beside the right one, 0 for none.
        outflow_mm: of the valve's line, from the right hinge on, is aorta instead of atrium.
    """
    shape = [round(size / step) for size, step in zip(SIZE_MM, spacing[1:], strict=True)]
    y, x = np.indices(shape).astype(float)
    down = y * spacing[1] - BASE_MM[0] - ventricle.shift[0]
    right = x * spacing[2] - BASE_MM[1] - ventricle.shift[1]
    up = -np.cos(ventricle.slant) * down + np.sin(ventricle.slant) * right
    across = np.sin(ventricle.slant) * down + np.cos(ventricle.slant) * right
    half = np.where(across < 0, ventricle.left, ventricle.right)
    labels = np.zeros((1, *shape), np.uint8)
    above = up >= 0
    if rv:
        beside = (across - rv * (half + WALL_MM + 12)) ** 2 / 12**2 + (up - 15) ** 2 / 30**2 < 1
        labels[0][beside & above] = RV
    outer = (across / (half + WALL_MM)) ** 2 + (up / (ventricle.length + WALL_MM)) ** 2 < 1
    labels[0][outer & above] = MYO
    labels[0][(across / half) ** 2 + (up / ATRIUM_MM) ** 2 < 1] = LA
    labels[0][~above & (labels[0] == LA) & (across > ventricle.right - outflow_mm)] = (
        Structure.AORTA if outflow_mm else LA
    )
    inside = ((across / half) ** 2 + (up / ventricle.length) ** 2 < 1) & above
    labels[0][above & (labels[0] == LA)] = MYO
    labels[0][inside] = LV
    return labels


def loop(
    *frames: Labels,
    geometry: Geometry | None = None,
    times_ms: tuple[float, ...] | None = None,
    structures: tuple[Structure, ...] = (LV, MYO, LA, RV),
) -> Segmentation:
    """Frames of a view, on a grid without a place in the patient unless one is given."""
    grid = geometry or Geometry.from_pixels(frames[0].shape, SPACING_MM)
    return Segmentation(np.stack(frames), grid, structures, times_ms)
