"""Curves and profiles whose areas and volumes are known in closed form.

Long axis: a `Profile` is a truncated ellipsoid of revolution's area along the axis. With the apex
at s = 0, the basal plane at height h and the equator at e h (1/2 < e <= 1)::

    A(s) = A_max (2 q - q^2),  q = s / (e h),      V = A_max h (3 e - 1) / (3 e^2)

(e = 1 is the half ellipsoid, V = 2/3 A_max h.)

In the plane: a closed curve about a centre is r(t)^2 = A / pi (1 + sum_n a_n cos(n t - p_n)). Its
area is 1/2 int r^2 dt = A for any wobble with sum |a_n| < 1. A lobe on it, with a bump b(t) of
unit integral, is the region between r^2 and r^2 + 2 L b(t): its area is L exactly. So the shapes
may bend, shift and turn from plane to plane without any change of volume.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Wobble = tuple[tuple[int, float, float], ...]
"""Terms (n, amplitude, phase in rad) of a closed curve."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Cross-section area along the long axis of a truncated ellipsoid.

    Attributes:
        apex_mm: where it starts along the axis.
        base_mm: where the basal plane cuts it.
        equator: e above, the share of the height at which it is widest.
        area_mm2: A_max, the area at the equator.
    """

    apex_mm: float
    base_mm: float
    equator: float
    area_mm2: float

    @classmethod
    def of_volume(cls, ml: float, apex_mm: float, base_mm: float, equator: float) -> "Profile":
        """The profile that holds this volume between apex and base."""
        height = base_mm - apex_mm
        return cls(apex_mm, base_mm, equator, 1000.0 * ml / (height * fullness(equator)))

    @property
    def volume_ml(self) -> float:
        """Volume between apex and basal plane."""
        return self.area_mm2 * (self.base_mm - self.apex_mm) * fullness(self.equator) / 1000.0

    def area(self, along_mm: Array) -> Array:
        """mm2 at positions along the axis; beyond the basal plane it stays as at the plane."""
        share = self.height_share(along_mm) / self.equator
        return self.area_mm2 * (2.0 - share) * share

    def height_share(self, along_mm: Array) -> Array:
        """0 at the apex (and beyond), 1 at the basal plane (and beyond)."""
        height = self.base_mm - self.apex_mm
        share: Array = np.clip((along_mm - self.apex_mm) / height, 0.0, 1.0)
        return share


def fullness(equator: float) -> float:
    """Volume of a profile over that of a cylinder of its greatest area."""
    return (3.0 * equator - 1.0) / (3.0 * equator**2)


def wobble(angle: Array, terms: Wobble) -> Array:
    """1 + sum_n a_n cos(n t - p_n); its mean over the circle is 1."""
    out = np.ones_like(angle)
    for n, amplitude, phase in terms:
        out += amplitude * np.cos(n * angle - phase)
    return out


def bump(angle: Array, centre: Array | float, half_width: Array | float) -> Array:
    """A cosine arch about `centre` (rad), zero beyond `half_width` (< pi), integral 1."""
    away = np.abs(np.mod(angle - centre + np.pi, 2.0 * np.pi) - np.pi)
    arch = np.cos((0.5 * np.pi) * np.minimum(away / half_width, 1.0))
    density: Array = np.where(away < half_width, arch * ((0.25 * np.pi) / half_width), 0.0)
    return density


def dome(angle: Array, centre: Array | float, half_width: Array | float) -> Array:
    """As `bump`, but half an ellipse: round where a bump has corners."""
    away = np.abs(np.mod(angle - centre + np.pi, 2.0 * np.pi) - np.pi)
    share = np.minimum(away / half_width, 1.0)
    density: Array = np.sqrt(1.0 - share**2) * (2.0 / (np.pi * half_width))
    return density
