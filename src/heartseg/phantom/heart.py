"""A heart described by numbers: its anatomy, and its state at any phase of the beat.

In the heart's own frame u runs to the lateral wall, v to the inferior wall and w along the long
axis to the base; the apex of the epicardium is at w = 0. Seen from the apex the picture's right
is u and down is v: the right ventricle lies on the left. The standard pose lets the apex point to
the left, the front and the feet.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import ConfigError
from heartseg.core.geometry import BASE_LPS, DOWN_LPS
from heartseg.phantom.cycle import Motion
from heartseg.phantom.shape import Profile, Wobble, wobble

MYOCARDIAL_DENSITY_G_PER_ML = 1.05
Kind = Literal["normal", "dilated", "hypertrophic", "rv_enlarged"]
KINDS: tuple[Kind, ...] = ("normal", "dilated", "hypertrophic", "rv_enlarged")
THINNEST_WALL_MM = 2.0
LARGEST_PAPILLARY_SHARE = 0.10
"""Of the cavity, both muscles together: more would not fit into it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heart:
    """Anatomy at end-diastole, and how it moves. Volumes are with papillary muscles in the cavity.

    Attributes:
        lv_edv_ml, lv_ef, lv_mass_g: left ventricle; mass without papillary muscles.
        rv_edv_ml, rv_ef: right ventricle.
        length_mm: epicardial apex to mitral plane at ED.
        apex_wall_mm: thickness of the apex at ED; it grows by 30 % in systole.
        descent_mm, rv_descent_mm: how far the mitral and tricuspid planes move to the apex.
        rv_apex_mm: the RV's apex along the long axis.
        rv_base_mm: tricuspid above mitral plane at ED.
        equator: where along its height a ventricle is widest (`shape.Profile`).
        endocardium, epicardium: wobble of the two closed curves (`shape.Wobble`).
        septal_shift_mm: how far the cavity lies off the centre of the epicardium, (u, v).
        bend_mm: how far the apex lies off the straight axis, (u, v).
        rv_angle: direction of the RV from the LV, rad from u towards v (pi: picture's left).
        rv_width: half of the angle that the RV embraces at its base, rad.
        rv_bulge: share of the RV in a second lobe, and `rv_bulge_angle` its direction from
            `rv_angle`: what makes it triangular rather than a plain crescent.
        rv_turn: rotation of the RV about the LV from apex to base, rad.
        papillary_ml: both muscles together.
        papillary_angles: their directions, rad from u towards v.
        twist: rotation of the apex in systole, rad.
        tilt: rotations of the standard pose about u, v, w, rad.
        position_mm: LPS+ of the middle of the long axis.
        motion: the volume curve.
        kind: what the heart is an example of.
    """

    lv_edv_ml: float = 140.0
    lv_ef: float = 0.60
    lv_mass_g: float = 115.0
    rv_edv_ml: float = 155.0
    rv_ef: float = 0.54
    length_mm: float = 92.0
    apex_wall_mm: float = 7.0
    descent_mm: float = 13.0
    rv_descent_mm: float = 19.0
    rv_apex_mm: float = 16.0
    rv_base_mm: float = 3.0
    equator: float = 0.72
    endocardium: Wobble = ((2, 0.08, 0.6), (3, 0.05, 1.9))
    epicardium: Wobble = ((2, 0.06, 0.4), (3, 0.02, 2.5))
    septal_shift_mm: tuple[float, float] = (0.8, -0.4)
    bend_mm: tuple[float, float] = (4.0, 2.0)
    rv_angle: float = 3.35
    rv_width: float = 1.25
    rv_bulge: float = 0.25
    rv_bulge_angle: float = 0.55
    rv_turn: float = 0.2
    papillary_ml: float = 7.0
    papillary_angles: tuple[float, float] = (-0.9, 1.5)
    twist: float = 0.2
    tilt: tuple[float, float, float] = (0.0, 0.0, 0.0)
    position_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    motion: Motion = field(default_factory=Motion)
    kind: Kind = "normal"

    def __post_init__(self) -> None:
        for phase in (0.0, self.motion.systole):
            thinnest = State.at(self, phase).thinnest_wall_mm()
            if not thinnest >= THINNEST_WALL_MM:
                raise ConfigError(
                    "heart",
                    got=f"an LV wall of {thinnest:.1f} mm at phase {phase:.2f}",
                    allowed=f"at least {THINNEST_WALL_MM} mm",
                    do="more mass, less wobble or a smaller septal shift",
                )

    @property
    def lv_myocardium_ml(self) -> float:
        """Volume of the LV myocardium, the same at every phase."""
        return self.lv_mass_g / MYOCARDIAL_DENSITY_G_PER_ML

    @property
    def directions(self) -> NDArray[np.float64]:
        """3x3, columns u, v, w in LPS+."""
        w = BASE_LPS
        v = DOWN_LPS - np.dot(DOWN_LPS, w) * w
        v = v / np.linalg.norm(v)
        standard = np.stack([np.cross(v, w), v, w], axis=1)
        return standard @ rotation(self.tilt)

    def lv_ml(self, phase: float) -> float:
        """LV cavity at a phase, from the closed form of its geometry."""
        return State.at(self, phase).endocardium.volume_ml

    def rv_ml(self, phase: float) -> float:
        """RV cavity at a phase, from the closed form of its geometry."""
        return State.at(self, phase).rv.volume_ml

    def myocardium_ml(self, phase: float) -> float:
        """LV myocardium at a phase: epicardial less endocardial volume."""
        state = State.at(self, phase)
        return state.epicardium.volume_ml - state.endocardium.volume_ml


@dataclass(frozen=True, slots=True)
class State:
    """The ventricles at one phase: three profiles along the axis, papillary share and twist."""

    heart: Heart
    endocardium: Profile
    epicardium: Profile
    rv: Profile
    papillary_share: float
    twist: float

    @classmethod
    def at(cls, heart: Heart, phase: float) -> "State":
        """The state at a phase; the wall thickens so that its volume stays the same."""
        filling, rv_filling = heart.motion.filling(phase), heart.motion.rv_filling(phase)
        lv_ml = heart.lv_edv_ml * (1.0 - heart.lv_ef * (1.0 - filling))
        rv_ml = heart.rv_edv_ml * (1.0 - heart.rv_ef * (1.0 - rv_filling))
        base = heart.length_mm - heart.descent_mm * (1.0 - filling)
        rv_base = heart.length_mm + heart.rv_base_mm - heart.rv_descent_mm * (1.0 - rv_filling)
        apex = heart.apex_wall_mm * (1.0 + 0.3 * (1.0 - filling))
        outer = lv_ml + heart.lv_myocardium_ml
        return cls(
            heart,
            Profile.of_volume(lv_ml, apex, base, heart.equator),
            Profile.of_volume(outer, 0.0, base, heart.equator),
            Profile.of_volume(rv_ml, heart.rv_apex_mm, rv_base, heart.equator + 0.1),
            min(heart.papillary_ml / lv_ml, LARGEST_PAPILLARY_SHARE),
            heart.twist * (1.0 - filling),
        )

    @property
    def papillary_ml(self) -> float:
        """Volume of both papillary muscles: constant until they would fill a small cavity."""
        return self.papillary_share * self.endocardium.volume_ml

    def thinnest_wall_mm(self) -> float:
        """Smallest in-plane distance from endocardium to epicardium; NaN when they cross."""
        angle = np.linspace(0.0, 2.0 * np.pi, 90, endpoint=False)
        low, high = self.endocardium.apex_mm, self.endocardium.base_mm
        along = np.linspace(low, high, 30)[1:, None]
        heart = self.heart
        radius = np.sqrt(self.endocardium.area(along) / np.pi * wobble(angle, heart.endocardium))
        shift_u, shift_v = cavity_shift(heart, along)
        u, v = radius * np.cos(angle) + shift_u, radius * np.sin(angle) + shift_v
        around = wobble(np.arctan2(v, u), heart.epicardium)
        outer = np.sqrt(self.epicardium.area(along) / np.pi * around)
        return float((outer - np.hypot(u, v)).min())


def axis_shift(
    heart: Heart, along_mm: NDArray[np.floating]
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """(u, v) of the epicardium's centre at positions along the axis: bent towards the apex."""
    away = np.clip(1.0 - along_mm / heart.length_mm, 0.0, 1.0) ** 2
    return heart.bend_mm[0] * away, heart.bend_mm[1] * away


def cavity_shift(
    heart: Heart, along_mm: NDArray[np.floating]
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """(u, v) of the cavity's centre from the epicardium's: none at the apex."""
    share = np.clip(along_mm / (0.5 * heart.length_mm), 0.0, 1.0)
    return heart.septal_shift_mm[0] * share, heart.septal_shift_mm[1] * share


def rotation(angles: tuple[float, float, float]) -> NDArray[np.float64]:
    """3x3 rotation by angles (rad) about the first, then second, then third axis."""
    out = np.eye(3)
    for axis, angle in enumerate(angles):
        i, j = ((1, 2), (2, 0), (0, 1))[axis]
        turn = np.eye(3)
        turn[i, i] = turn[j, j] = np.cos(angle)
        turn[j, i], turn[i, j] = np.sin(angle), -np.sin(angle)
        out = turn @ out
    return out
