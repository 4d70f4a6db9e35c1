"""Where a grid of voxels lies in the patient: the one home for axes, signs and spacings.

Two rules. Grids are (z, y, x), z through the planes. The patient frame is LPS+ (x to the left,
y to the back, z to the head), in millimetres, as in DICOM and ITK. NIfTI speaks RAS+ and (x, y, z)
and is turned here, once. No other file multiplies by -1, reverses a spacing or transposes a volume.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from types import MappingProxyType
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import GeometryError

Affine = NDArray[np.float64]
Shape = tuple[int, int, int]
Box = tuple[slice, slice, slice]
Unit = Literal["mm", "px"]

THICK_RATIO = 1.5
"""An axis whose spacing is this many times both others is the through-plane axis."""

GRID_TOLERANCE_MM = 1e-3
"""Two grids are the same when no corner lies further apart than this."""

BASE_LPS = np.array([-1.0, 1.0, 1.0]) / np.sqrt(3.0)
"""About where the base of the heart lies as seen from its apex: right, back, head."""

DOWN_LPS = np.array([0.0, 1.0, -2.0]) / np.sqrt(5.0)
"""What a picture shows downwards: the feet, or the back in an axial one."""

Frame = Literal["LPS", "RAS", "LAS"]
"""Where x, y and z of a file grow to: left or right, posterior or anterior, superior."""

_TO_LPS: Mapping[Frame, Affine] = MappingProxyType(
    {
        "LPS": np.eye(4),
        "RAS": np.diag([-1.0, -1.0, 1.0, 1.0]),
        "LAS": np.diag([1.0, -1.0, 1.0, 1.0]),
    }
)
_REVERSED = np.array([[0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]], np.float64)


@dataclass(frozen=True, slots=True)
class Orientation:
    """A rearrangement of the three space axes: new axis i is old axis `order[i]`, maybe flipped.

    It acts on the last three axes of an array, and on a `Geometry`; `undo` is exact.
    """

    order: Shape = (0, 1, 2)
    flip: tuple[bool, bool, bool] = (False, False, False)

    def apply(self, voxels: NDArray[Any]) -> NDArray[Any]:
        """Rearranged view of (..., a, b, c); no voxel is copied."""
        lead = voxels.ndim - 3
        moved = voxels.transpose(*range(lead), *(lead + axis for axis in self.order))
        return _flipped(moved, self.flip)

    def place(self, index: Sequence[float], shape: Shape) -> tuple[float, ...]:
        """Where `apply` puts the voxel at `index` of an array of `shape`; both (a, b, c)."""
        return tuple(
            shape[old] - 1 - index[old] if flipped else index[old]
            for old, flipped in zip(self.order, self.flip, strict=True)
        )

    def undo(self, voxels: NDArray[Any]) -> NDArray[Any]:
        """The array that `apply` would turn into this one."""
        lead = voxels.ndim - 3
        back = _flipped(voxels, self.flip)
        inverse = np.argsort(self.order)
        return back.transpose(*range(lead), *(lead + int(axis) for axis in inverse))

    def undo_box(self, box: Box, shape: Shape) -> Box:
        """Where the voxels in `box` of an arranged array of `shape` lie in the one it was."""
        back = [slice(0)] * 3
        for one, length, old, flipped in zip(box, shape, self.order, self.flip, strict=True):
            back[old] = slice(length - one.stop, length - one.start) if flipped else one
        return back[0], back[1], back[2]


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """A regular grid in the patient.

    Attributes:
        shape: voxels along (z, y, x).
        affine: 4x4, takes (z, y, x, 1) to LPS+ millimetres (pixels where `unit` is "px").
        unit: "px" for files without calibration; what needs millimetres then says so.
        depth_known: False for a single plane of which nobody says how thick it is: it has areas
            and no volume. Its step along z is then 1, which means nothing.
    """

    shape: Shape
    affine: Affine
    unit: Unit = "mm"
    depth_known: bool = True

    def __post_init__(self) -> None:
        if self.affine.shape != (4, 4) or not np.isfinite(self.affine).all():
            raise GeometryError("affine", got=str(self.affine.tolist()), allowed="4x4 finite")
        if min(self.shape) < 1:
            raise GeometryError("grid", got=f"shape {self.shape}", allowed="at least one voxel")
        if abs(np.linalg.det(self.affine[:3, :3])) < 1e-9:
            raise GeometryError(
                "grid", got=f"spacing {self.spacing} or parallel axes", allowed="three directions"
            )

    # Derived, never stored twice.

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distance of neighbouring voxels along (z, y, x), in `unit`."""
        z, y, x = (float(np.linalg.norm(column)) for column in self.affine[:3, :3].T)
        return z, y, x

    @property
    def directions(self) -> NDArray[np.float64]:
        """3x3, column i the unit vector of axis i (z, y, x) in LPS+."""
        unit_vectors: NDArray[np.float64] = self.affine[:3, :3] / np.array(self.spacing)
        return unit_vectors

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel in millilitres.

        Raises:
            GeometryError: the grid has no millimetres, or a single plane without a thickness.
        """
        self.require_mm("a volume")
        if not self.depth_known:
            raise GeometryError(
                "a volume", got="one plane without slice distance", do="pass --spacing-mm z,y,x"
            )
        return abs(float(np.linalg.det(self.affine[:3, :3]))) / 1000.0

    @property
    def oblique(self) -> bool:
        """True when the directions are not the patient's own axes: someone measured them."""
        return bool((np.abs(self.directions).max(axis=0) < 0.999).any())

    def require_mm(self, what: str) -> None:
        """Raise GeometryError when `what` is asked of a grid without calibration."""
        if self.unit != "mm":
            raise GeometryError(
                what, got="an image without spacing", do="pass its pixel size with --spacing-mm"
            )

    @property
    def words(self) -> str:
        """Its size for messages: `10 x 256 x 216 voxels of 8 x 1.5 x 1.5 mm`."""
        size = " x ".join(map(str, self.shape))
        spacing = " x ".join(f"{value:.4g}" for value in self.spacing)
        return f"{size} voxels of {spacing} {self.unit}"

    def point(self, index: Sequence[float]) -> NDArray[np.float64]:
        """LPS+ position of the voxel at (z, y, x), which may be fractional."""
        position: NDArray[np.float64] = self.affine[:3, :3] @ np.asarray(index) + self.affine[:3, 3]
        return position

    def same_grid(self, other: "Geometry") -> bool:
        """True when both grids have the same voxels at the same places."""
        if self.shape != other.shape:
            return False
        corners = product(*((0, n - 1) for n in self.shape))
        return all(
            np.linalg.norm(self.point(c) - other.point(c)) <= GRID_TOLERANCE_MM for c in corners
        )

    def place_of(self, other: "Geometry") -> tuple[Orientation, Shape] | None:
        """Where the voxels of another grid lie among those of this one, continued beyond its ends.

        Returns:
            How an array of the other is arranged as one of this grid, and the index (z, y, x) here
            of its first voxel then; None where its voxels are others.
        """
        if self.unit != other.unit:
            return None
        inverse = np.linalg.inv(self.affine)
        steps = (inverse @ other.affine)[:3, :3].round()
        z, y, x = (int(axis) for axis in np.abs(steps).argmax(axis=1))
        if {z, y, x} != {0, 1, 2}:
            return None
        orientation = Orientation((z, y, x), (steps[0, z] < 0, steps[1, y] < 0, steps[2, x] < 0))
        arranged = other.oriented(orientation)
        first = (inverse @ arranged.affine)[:3, 3].round().astype(int).tolist()
        affine = self.affine.copy()
        affine[:3, 3] = self.point(first)
        if not replace(self, shape=arranged.shape, affine=affine).same_grid(arranged):
            return None
        return orientation, (first[0], first[1], first[2])

    # The same grid, otherwise arranged.

    def oriented(self, orientation: Orientation) -> "Geometry":
        """The grid of `orientation.apply(voxels)`: the same voxels at the same places."""
        affine = np.eye(4)
        affine[:3, 3] = self.affine[:3, 3]
        for new, (old, flipped) in enumerate(zip(orientation.order, orientation.flip, strict=True)):
            column = self.affine[:3, old]
            affine[:3, new] = -column if flipped else column
            if flipped:
                affine[:3, 3] += column * (self.shape[old] - 1)
        nz, ny, nx = (self.shape[old] for old in orientation.order)
        return replace(self, shape=(nz, ny, nx), affine=affine)

    def canonical(self) -> Orientation:
        """How to show the planes: seen from the apex, upright, never mirrored.

        z then points to the base of the heart, rows run downwards, columns to the observer's
        right. The choice follows from the directions in the patient alone, so it does not
        depend on how a file stores them; z stays z.
        """
        z, y, x = self.directions.T
        normal = -z if _ranked(-z, BASE_LPS) > _ranked(z, BASE_LPS) else z
        choices = []
        for order, fy, fx in product(((0, 1, 2), (0, 2, 1)), (False, True), (False, True)):
            down, right = (y, x) if order == (0, 1, 2) else (x, y)
            down, right = (-down if fy else down), (-right if fx else right)
            if np.dot(np.cross(right, down), normal) > 0:
                choices.append((_ranked(down, DOWN_LPS), order, fy, fx))
        _, order, fy, fx = max(choices)
        return Orientation(order, (bool(np.dot(normal, z) < 0), fy, fx))

    def resampled(self, shape: tuple[int, int], spacing: tuple[float, float]) -> "Geometry":
        """The grid with other in-plane (y, x) shape and spacing about the same centre."""
        affine = self.affine.copy()
        scale = np.array([1.0, spacing[0] / self.spacing[1], spacing[1] / self.spacing[2]])
        affine[:3, :3] *= scale
        new_shape = (self.shape[0], *shape)
        centre = self.point([(n - 1) / 2 for n in self.shape])
        affine[:3, 3] = centre - affine[:3, :3] @ [(n - 1) / 2 for n in new_shape]
        return replace(self, shape=new_shape, affine=affine)

    def cropped(self, rows: slice, columns: slice) -> "Geometry":
        """The grid of `voxels[..., rows, columns]`; slices with a start, a stop and no step."""
        affine = self.affine.copy()
        affine[:3, 3] = self.point((0, rows.start, columns.start))
        size = (rows.stop - rows.start, columns.stop - columns.start)
        return replace(self, shape=(self.shape[0], *size), affine=affine)

    def respaced(self, spacing_mm: tuple[float, float, float]) -> "Geometry":
        """The grid in the same directions with the (z, y, x) spacing that someone knows better."""
        affine = self.affine.copy()
        affine[:3, :3] = self.directions * np.asarray(spacing_mm)
        return replace(self, affine=affine, unit="mm", depth_known=True)

    # One pair of conversions per convention.

    @classmethod
    def from_stored(
        cls, shape: Shape, affine: Affine, frame: Frame = "LPS", unit: Unit = "mm"
    ) -> tuple[Self, Orientation]:
        """From the grid of a file: `shape` (i, j, k), `affine` (i, j, k, 1) -> mm in `frame`.

        Returns the geometry and the orientation that turns the file's (i, j, k) array into
        (z, y, x): z is the only axis of a single voxel, else the one whose spacing is 1.5x both
        others, else the last stored. A single plane one unit thick is what programs write that know
        no thickness.
        """
        stored = cls(shape, _TO_LPS[frame] @ affine, unit)
        through = _through_plane(shape, stored.spacing)
        x, y = (axis for axis in range(3) if axis != through)
        orientation = Orientation((through, y, x))
        unsaid = shape[through] == 1 and bool(np.isclose(stored.spacing[through], 1.0, atol=1e-6))
        geometry = replace(stored.oriented(orientation), depth_known=not unsaid)
        return geometry, orientation  # type: ignore[return-value]

    def to_stored(self, orientation: Orientation, frame: Frame = "LPS") -> Affine:
        """The affine of `orientation.undo(voxels)`; `orientation` as `from_stored` gave it."""
        first, second, third = (int(axis) for axis in np.argsort(orientation.order))
        stored = self.oriented(Orientation((first, second, third)))
        affine: Affine = _TO_LPS[frame] @ stored.affine  # each frame is its own inverse
        return affine

    @classmethod
    def from_ras(cls, shape: Shape, affine: Affine, unit: Unit = "mm") -> tuple[Self, Orientation]:
        """From a NIfTI grid, as `from_stored`."""
        return cls.from_stored(shape, affine, "RAS", unit)

    def to_ras(self, orientation: Orientation) -> Affine:
        """The NIfTI affine of `orientation.undo(voxels)`, as `to_stored`."""
        return self.to_stored(orientation, "RAS")

    @classmethod
    def from_itk(
        cls,
        size: Sequence[int],
        spacing: Sequence[float],
        origin: Sequence[float],
        direction: Sequence[float],
    ) -> Self:
        """From ITK's (x, y, z) size, spacing, origin and row-major 3x3 direction (LPS+)."""
        affine = np.eye(4)
        affine[:3, :3] = np.reshape(direction, (3, 3)) * np.asarray(spacing)
        affine[:3, 3] = origin
        return cls((int(size[2]), int(size[1]), int(size[0])), affine @ _REVERSED)

    def to_itk(self) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
        """ITK's (spacing, origin, direction) of this grid, in (x, y, z)."""
        direction = self.directions[:, ::-1]
        return self.spacing[::-1], tuple(self.affine[:3, 3]), tuple(direction.ravel())

    @classmethod
    def from_planes(
        cls,
        positions: NDArray[np.float64],
        orientation: Sequence[float],
        pixel_spacing: Sequence[float],
        size: tuple[int, int],
        slice_spacing_mm: float | None,
    ) -> Self:
        """From DICOM planes already sorted along their normal.

        Args:
            positions: (n, 3), ImagePositionPatient of each plane.
            orientation: six numbers of ImageOrientationPatient (row, then column direction).
            pixel_spacing: (between rows, between columns) in mm.
            size: (rows, columns).
            slice_spacing_mm: used for a single plane only, None where nobody says it; else the
                positions decide.

        Raises:
            GeometryError: the planes are not one regular stack; the message lists the gaps.
        """
        row, column = np.reshape(np.asarray(orientation, np.float64), (2, 3))
        step = np.cross(row, column) * (slice_spacing_mm or 1.0)
        if len(positions) > 1:
            step = (positions[-1] - positions[0]) / (len(positions) - 1)
            _require_regular(positions, step)
        affine = np.eye(4)
        affine[:3, 0] = step
        affine[:3, 1] = column * pixel_spacing[0]
        affine[:3, 2] = row * pixel_spacing[1]
        affine[:3, 3] = positions[0]
        known = len(positions) > 1 or slice_spacing_mm is not None
        return cls((len(positions), *size), affine, depth_known=known)

    @classmethod
    def from_pixels(
        cls, shape: Shape, spacing_mm: tuple[float | None, float, float] | None = None
    ) -> Self:
        """A picture without a place in the patient; in "px" unless the spacing is given.

        The first of (z, y, x) is None for a plane of which nobody says how thick it is.
        """
        z, y, x = spacing_mm or (None, 1.0, 1.0)
        affine = np.diag([x, y, z or 1.0, 1.0]) @ _REVERSED
        known = z is not None or shape[0] > 1
        return cls(shape, affine, "mm" if spacing_mm else "px", depth_known=known)


REGULAR_TOLERANCE = 0.1
"""Planes may stray from the regular stack by this share of the slice distance."""


def _require_regular(positions: NDArray[np.float64], step: NDArray[np.float64]) -> None:
    ideal = positions[0] + np.arange(len(positions))[:, None] * step
    worst = float(np.linalg.norm(positions - ideal, axis=1).max())
    distance = float(np.linalg.norm(step))
    if distance < 1e-6 or worst > REGULAR_TOLERANCE * distance:
        gaps = np.linalg.norm(np.diff(positions, axis=0), axis=1)
        raise GeometryError(
            "slice positions",
            got="distances of " + ", ".join(f"{gap:.2f}" for gap in gaps[:30]) + " mm",
            allowed="one regular stack",
            do="a slice may be missing or repeated: send the whole series again",
        )


def _flipped(voxels: NDArray[Any], flip: tuple[bool, bool, bool]) -> NDArray[Any]:
    a, b, c = (slice(None, None, -1 if flipped else 1) for flipped in flip)
    return voxels[..., a, b, c]


def _through_plane(shape: Shape, spacing: Sequence[float]) -> int:
    if shape.count(1) == 1:  # one plane: its pixels may be of any shape
        return shape.index(1)
    for axis, distance in enumerate(spacing):
        others = [s for i, s in enumerate(spacing) if i != axis]
        if distance >= THICK_RATIO * max(others):
            return axis
    return 2


def _ranked(direction: NDArray[np.float64], towards: NDArray[np.float64]) -> tuple[float, ...]:
    """How much `direction` points `towards`; ties are broken by the patient's own axes."""
    return tuple(np.round([np.dot(direction, towards), *direction], 6).tolist())
