"""Where points of the patient lie in a heart: signed distances to its surfaces.

What does not change over the beat is worked out once (`Place`); what does is cheap per frame.
Distances are measured in the plane across the long axis, along the ray from the axis; positive
is inside.
"""

from dataclasses import dataclass

import numpy as np

from heartseg.phantom.heart import Heart, State, axis_shift, cavity_shift
from heartseg.phantom.shape import Array, Profile, bump, dome, fullness, wobble

PAPILLARY_SPAN = (0.14, 0.74)
"""Share of the cavity's height over which papillary muscles stand."""

PAPILLARY_GAP = 0.08
"""Share of the cavity's area between them and the wall."""

_DEEPEST = 0.65  # of r^2 of the cavity that a papillary muscle reaches inwards


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Points in the heart's own frame and what stays the same for them over the beat.

    Attributes:
        u, v, w: mm, any one shape.
        radius, around: polar about the epicardium's axis; `around` is the epicardial wobble.
        rv_bump: the RV's bump, 1/rad.
        cavity_radius, cavity_angle, cavity_around: polar about the cavity's axis.
    """

    heart: Heart
    u: Array
    v: Array
    w: Array
    radius: Array
    angle: Array
    around: Array
    rv_bump: Array
    cavity_radius: Array
    cavity_angle: Array
    cavity_around: Array

    @classmethod
    def of(cls, heart: Heart, u: Array, v: Array, w: Array) -> "Place":
        """Points at (u, v, w) in mm of the heart's frame."""
        shift_u, shift_v = axis_shift(heart, w)
        u0, v0 = u - shift_u, v - shift_v
        angle = np.arctan2(v0, u0)
        off_u, off_v = cavity_shift(heart, w)
        u1, v1 = u0 - off_u, v0 - off_v
        cavity_angle = np.arctan2(v1, u1)
        return cls(
            heart,
            u,
            v,
            w,
            np.hypot(u0, v0),
            angle,
            wobble(angle, heart.epicardium),
            _rv_bump(heart, angle, w),
            np.hypot(u1, v1),
            cavity_angle,
            wobble(cavity_angle, heart.endocardium),
        )

    def epicardium_mm(self, state: State) -> Array:
        """Inside the epicardium of the LV."""
        return np.sqrt(self._epicardium_squared(state)) - self.radius

    def endocardium_mm(self, state: State) -> Array:
        """Inside the LV cavity, papillary muscles included."""
        return np.sqrt(self._endocardium_squared(state)) - self.cavity_radius

    def rv_mm(self, state: State) -> Array:
        """Inside the RV's free wall; what of it is outside the LV's epicardium is the RV."""
        return self._outer(state) - self.radius

    def rv_wall_mm(self, state: State, thickness_mm: float) -> Array:
        """Inside the outer surface of the RV's free wall; it thins out towards the insertions."""
        outer = self._outer(state)
        crescent = outer - np.sqrt(self._epicardium_squared(state))
        return outer + np.minimum(crescent, thickness_mm) - self.radius

    def papillary_mm(self, state: State) -> Array:
        """Inside a papillary muscle: an ellipse in angle and squared radius."""
        squared = self._endocardium_squared(state)
        each = 0.5 * state.papillary_share * papillary_density(state.endocardium, self.w)
        width = np.maximum(0.26, 4.0 / _DEEPEST * each)
        area = each * state.endocardium.area(self.w)
        middle = (1.0 - PAPILLARY_GAP) * squared - area * 2.0 / (np.pi * width)
        lobe = np.zeros_like(middle)
        for direction in self.heart.papillary_angles:
            lobe = lobe + area * dome(self.cavity_angle, direction + state.twist, width)
        outer, inner = np.sqrt(middle + lobe), np.sqrt(np.maximum(middle - lobe, 0.0))
        inside = np.minimum(outer - self.cavity_radius, self.cavity_radius - inner)
        return np.where(lobe > 0.0, inside, -np.inf)

    def _epicardium_squared(self, state: State) -> Array:
        return state.epicardium.area(self.w) * self.around / np.pi

    def _endocardium_squared(self, state: State) -> Array:
        return state.endocardium.area(self.w) * self.cavity_around / np.pi

    def _outer(self, state: State) -> Array:
        lobe = 2.0 * state.rv.area(self.w) * self.rv_bump
        return np.sqrt(self._epicardium_squared(state) + lobe)


def papillary_density(cavity: Profile, along_mm: Array) -> Array:
    """Share of the cavity's area that muscle takes, over its share of the volume."""
    nodes, weights = np.polynomial.legendre.leggauss(6)  # exact up to degree 11; here 6
    low, high = PAPILLARY_SPAN
    share = 0.5 * (low + high) + 0.5 * (high - low) * nodes
    area = (2.0 - share / cavity.equator) * share / cavity.equator
    mean = (
        float(np.sum(weights * area * _stand(share)))
        * 0.5
        * (high - low)
        / fullness(cavity.equator)
    )
    return _stand(cavity.height_share(along_mm)) / mean


def _stand(share: Array) -> Array:
    low, high = PAPILLARY_SPAN
    x = np.clip((share - low) / (high - low), 0.0, 1.0)
    density: Array = 16.0 * (x * (1.0 - x)) ** 2
    return density


def _rv_bump(heart: Heart, angle: Array, along_mm: Array) -> Array:
    share = np.clip(along_mm / heart.length_mm, 0.0, 1.0)
    width = heart.rv_width * (0.55 + 0.45 * share)
    centre = heart.rv_angle + heart.rv_turn * (share - 0.5)
    main = bump(angle, centre, width)
    second = bump(angle, centre + heart.rv_bulge_angle, 0.6 * width)
    return (1.0 - heart.rv_bulge) * main + heart.rv_bulge * second
