"""What MetaImage and NRRD have in common: a grid of two or three space axes, and perhaps time.

NIfTI has its own door (`nifti_info`), because its header carries more and contradicts itself more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import GeometryError, HeartsegError
from heartseg.core.geometry import Affine, Frame, Geometry, Orientation, Unit
from heartseg.formats.bounds import MAX_FRAME_MS, MIN_FRAME_MS, require_spacing

NO_SPACING = "no spacing in the header: lengths are in pixels"
ONE_PLANE = "one plane: the file gives no slice distance, so there is no volume in it"

STORED_XYZ = Orientation((2, 1, 0))
"""The usual order of axes in a file: x fastest, planes last."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Axes:
    """The space axes as a file stores them, fastest first.

    Attributes:
        sizes: voxels along each axis, two or three of them.
        steps: (axes, 2 or 3) a row an axis: from a voxel to its neighbour, in mm of `frame`.
        origin: (2 or 3) place of the first voxel.
        frame: the patient directions in which the numbers grow.
        stated: whether the file speaks of lengths at all.
    """

    sizes: tuple[int, ...]
    steps: NDArray[np.float64]
    origin: NDArray[np.float64]
    frame: Frame = "LPS"
    stated: bool = True

    @property
    def affine(self) -> Affine:
        """4x4, (i, j, k, 1) to `frame`; a missing third axis is a unit step at right angles."""
        if not (np.isfinite(self.steps).all() and np.isfinite(self.origin).all()):
            raise GeometryError("axes", got="numbers that are not finite")
        affine = np.eye(4)
        count, length = self.steps.shape
        affine[:length, :count] = self.steps.T
        affine[: len(self.origin), 3] = self.origin
        if count == 2:
            normal = np.cross(affine[:3, 0], affine[:3, 1])
            affine[:3, 2] = normal / max(float(np.linalg.norm(normal)), 1e-12)
        return affine

    @property
    def silent(self) -> bool:
        """True for what programs write that know no spacing and no place: ones and zeros."""
        identity = np.eye(*self.steps.shape)
        return not self.stated or bool((self.steps == identity).all() and not self.origin.any())


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Where the voxels of a file lie.

    Attributes:
        sizes: of the file's space axes (i, j, k).
        geometry: of a frame.
        orientation: turns the file's (i, j, k) into (z, y, x).
        notes: what a reader should know.
    """

    sizes: tuple[int, int, int]
    geometry: Geometry
    orientation: Orientation
    notes: tuple[str, ...]


def placed(where: str, axes: Axes, spacing_mm: Sequence[float] | None) -> Grid:
    """The grid of a file; `spacing_mm` (z, y, x) where somebody knows it better.

    Raises:
        GeometryError: axes that span no grid, or a spacing that cannot be.
    """
    i, j, k = (*axes.sizes, 1)[:3]
    try:
        unit: Unit = "px" if axes.silent else "mm"
        geometry, orientation = Geometry.from_stored((i, j, k), axes.affine, axes.frame, unit)
    except HeartsegError as fault:
        raise GeometryError(
            where,
            got=f"a header that places no grid ({fault})",
            do="correct its spacing and directions, or export it again",
        ) from fault
    notes = [NO_SPACING] if axes.silent else [ONE_PLANE] if len(axes.sizes) == 2 else []
    if spacing_mm is not None:
        geometry, notes = geometry.respaced(tuple(spacing_mm)), []  # type: ignore[arg-type]
    if geometry.unit == "mm":
        require_spacing(where, geometry.spacing)
    return Grid((i, j, k), geometry, orientation, tuple(notes))


SECONDS, MILLISECONDS = 1000.0, 1.0


def frame_times(
    frames: int, step: float, start: float = 0.0, unit_ms: float | None = None
) -> tuple[tuple[float, ...] | None, tuple[str, ...]]:
    """Times of the frames in ms, and notes; None where the file gives no usable step.

    A step without a unit is taken as what it can only be: the seconds and the milliseconds between
    two frames of a heart cycle have no number in common. 1 is what programs write by default.

    Args:
        frames: how many there are.
        step: from one to the next.
        start: of the first.
        unit_ms: milliseconds in the unit of both, None where the file does not say.
    """
    if frames < 2:
        return None, ()
    notes: tuple[str, ...] = ()
    if unit_ms is None:
        unit_ms = SECONDS if step < MIN_FRAME_MS else MILLISECONDS
        name = "seconds" if unit_ms == SECONDS else "milliseconds"
        notes = (f"the frame time {step:g} has no unit in the header: taken as {name}",)
    step_ms = step * unit_ms
    if not MIN_FRAME_MS <= step_ms <= MAX_FRAME_MS or (notes and step == 1.0):
        return None, (f"no usable frame time in the header ({step:g}): order only",)
    start_ms = start * unit_ms if np.isfinite(start) else 0.0
    return tuple(start_ms + step_ms * frame for frame in range(frames)), notes
