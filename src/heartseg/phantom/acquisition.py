"""How a heart is scanned: the stack of planes, its frames, and what spoils the picture."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import ConfigError
from heartseg.core.geometry import Geometry
from heartseg.phantom.cycle import phases
from heartseg.phantom.heart import Heart
from heartseg.phantom.shape import Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Acquisition:
    """A short-axis cine, or any other stack.

    Attributes:
        slices, frames, matrix: numbers of planes, of frames, of (rows, columns).
        slice_distance_mm: from plane to plane.
        slice_thickness_mm: what a plane averages over.
        spacing_mm: of (rows, columns).
        directions: 3x3, columns the unit vectors of the (z, y, x) axes in LPS+; None for the
            standard short axis of the heart that is scanned (z to its base, y down, x right).
        centre_mm: LPS+ middle of the stack; None for a little above the heart's own.
        start_phase: of the first frame in the heart's cycle (0: ED).
        rr_ms: length of the cycle.
        breath_hold_mm: standard deviation of each plane's own shift, all three directions.
        drift_mm: standard deviation of each frame's shift in the plane.
        noise: standard deviation of each channel over the blood's signal.
        bias: strength of the coil's shading, 0 to 1.
        texture: strength of the tissues' own unevenness, 1 as in patients.
        acquired: share of the matrix that was measured, (rows, columns); the rest is zero-filled.
        seed: of everything that is drawn.
    """

    slices: int = 10
    frames: int = 20
    matrix: tuple[int, int] = (192, 192)
    slice_distance_mm: float = 10.0
    slice_thickness_mm: float = 8.0
    spacing_mm: tuple[float, float] = (1.5, 1.5)
    directions: NDArray[np.float64] | None = None
    centre_mm: tuple[float, float, float] | None = None
    start_phase: float = 0.0
    rr_ms: float = 900.0
    breath_hold_mm: float = 0.8
    drift_mm: float = 0.15
    noise: float = 0.02
    bias: float = 0.6
    texture: float = 1.0
    acquired: tuple[float, float] = (0.75, 0.85)
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.slices, self.frames, *self.matrix) < 1:
            raise ConfigError("acquisition", got="no slice, frame or pixel", allowed="one or more")
        lengths = (self.slice_distance_mm, self.slice_thickness_mm, *self.spacing_mm, self.rr_ms)
        if min(lengths) <= 0:
            raise ConfigError("acquisition", got=f"a length of {min(lengths)}", allowed="above 0")
        turn = self.directions
        if turn is not None and not np.allclose(turn.T @ turn, np.eye(3), atol=1e-6):
            raise ConfigError(
                "acquisition.directions", got=str(turn.tolist()), allowed="three right angles"
            )

    @classmethod
    def clean(cls, **settings: object) -> "Acquisition":
        """Without noise, shading, texture, shifts and blur; `settings` as the attributes."""
        ideal = {"noise": 0.0, "bias": 0.0, "texture": 0.0, "breath_hold_mm": 0.0, "drift_mm": 0.0}
        return cls(**{**ideal, "acquired": (1.0, 1.0), **settings})  # type: ignore[arg-type]

    @classmethod
    def random(cls, rng: np.random.Generator, heart: Heart) -> "Acquisition":
        """Draw a plausible short-axis cine with enough planes for all of that heart."""
        spacing = float(rng.uniform(1.3, 1.6))
        distance = float(rng.choice([9.0, 10.0]))
        return cls(
            slices=int(np.ceil((heart.length_mm + 3.0 * STACK_OFFSET_MM) / distance)),
            slice_distance_mm=distance,
            spacing_mm=(spacing, spacing),
            start_phase=float(rng.choice([0.0, rng.uniform(0.0, 0.15)])),
            rr_ms=float(rng.uniform(700.0, 1100.0)),
            noise=float(rng.uniform(0.015, 0.035)),
            bias=float(rng.uniform(0.3, 0.8)),
            seed=int(rng.integers(2**31)),
        )

    @property
    def phases(self) -> NDArray[np.float64]:
        """Phase of each frame, in [0, 1)."""
        return phases(self.frames, self.start_phase)

    @property
    def times_ms(self) -> tuple[float, ...]:
        """Time of each frame after the trigger."""
        return tuple((np.arange(self.frames) * self.rr_ms / self.frames).tolist())

    def geometry(self, heart: Heart) -> Geometry:
        """The grid in the patient."""
        u, v, w = heart.directions.T
        axes = np.stack([w, v, u], axis=1) if self.directions is None else self.directions
        centre = self.centre_mm
        if centre is None:
            centre = tuple((np.asarray(heart.position_mm) + STACK_OFFSET_MM * w).tolist())
        shape = (self.slices, *self.matrix)
        affine = np.eye(4)
        affine[:3, :3] = axes * np.array([self.slice_distance_mm, *self.spacing_mm])
        affine[:3, 3] = centre - affine[:3, :3] @ ((np.array(shape) - 1) / 2.0)
        return Geometry(shape, affine)

    def breath_holds_mm(self) -> NDArray[np.float64]:
        """(slices, 3): how far the anatomy seen in each plane lies off, along (z, y, x)."""
        rng = np.random.default_rng([self.seed, 1])
        drawn = rng.normal(0.0, 1.0, (self.slices, 3))
        return np.asarray(self.breath_hold_mm * drawn)

    def drifts_mm(self) -> NDArray[np.float64]:
        """(frames, 2): how far the anatomy of each frame lies off, along (y, x)."""
        rng = np.random.default_rng([self.seed, 2])
        drawn = rng.normal(0.0, 1.0, (self.frames, 2))
        return np.asarray(self.drift_mm * drawn)


STACK_OFFSET_MM = 6.0
"""The stack's middle lies this far above the heart's, so that atria show in its last planes."""


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """Pixel positions of one plane, as affine functions of (y, x).

    Attributes:
        origin: position of pixel (0, 0).
        step_y, step_x: from pixel to pixel.
    """

    origin: NDArray[np.float64]
    step_y: NDArray[np.float64]
    step_x: NDArray[np.float64]

    @classmethod
    def at(cls, geometry: Geometry, index: float, shift_mm: NDArray[np.float64]) -> "Plane":
        """The plane at a (fractional) slice index, its anatomy shifted by mm along (z, y, x)."""
        moved = np.array([index, 0.0, 0.0]) - shift_mm / np.array(geometry.spacing)
        y, x = geometry.affine[:3, 1], geometry.affine[:3, 2]
        return cls(geometry.point(moved.tolist()), y, x)

    def in_heart(self, heart: Heart) -> "Plane":
        """The same in (u, v, w) of the heart's frame."""
        turn = heart.directions.T
        middle = np.array([0.0, 0.0, 0.5 * heart.length_mm])
        origin = turn @ (self.origin - np.asarray(heart.position_mm)) + middle
        return Plane(origin, turn @ self.step_y, turn @ self.step_x)

    def coordinates(
        self, rows: slice, columns: slice, kind: type[np.floating] = np.float64
    ) -> tuple[Array, Array, Array]:
        """Three (rows, columns) arrays of positions."""
        y = np.arange(rows.start, rows.stop, dtype=np.float64)[:, None]
        x = np.arange(columns.start, columns.stop, dtype=np.float64)[None, :]
        first, second, third = (
            (self.origin[i] + y * self.step_y[i] + x * self.step_x[i]).astype(kind)
            for i in range(3)
        )
        return first, second, third
