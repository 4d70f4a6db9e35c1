"""One scene laid over another: an affine map, then B-splines, by SimpleITK.

D. Rueckert and others, Nonrigid registration using free-form deformations, IEEE Trans Med Imaging
1999;18:712. The same modality on both sides, so what is maximised is the correlation of grey values
about the ventricle. Both frames put their origin into the LV cavity, which is where the map begins.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg.classical.scene import Scene
from heartseg.core.errors import MissingExtraError
from heartseg.core.geometry import Geometry

COARSE = 2
"""The map is found on every second row and column: a coarse map needs no fine grid."""

SAMPLED = 0.25
"""Share of the voxels that the likeness is computed from, in a lattice."""

SEED = 1
"""The lattice is shaken a little, always in the same way."""

FIELD = 1.5
"""Grey values count within so many largest cavities about the seeds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How hard to try.

    Attributes:
        affine_steps: of gradient descent.
        spline_steps: of the quasi-Newton search; 0 for no B-splines.
        mesh_mm: distance of the B-splines' knots in the plane.
    """

    affine_steps: int
    spline_steps: int
    mesh_mm: float


def itk() -> Any:
    """SimpleITK, imported when it is first needed.

    Raises:
        MissingExtraError: with the line that installs it.
    """
    try:
        import SimpleITK
    except ModuleNotFoundError as fault:
        raise MissingExtraError("method 'atlas' needs SimpleITK", "itk") from fault
    return SimpleITK


def registered(fixed: Scene, moving: Scene, effort: Effort) -> tuple[Any, float]:
    """The map from points of `fixed` to points of `moving`, and the correlation it reaches."""
    library = itk()
    here, there = (_picture(one.planes, one, COARSE) for one in (fixed, moving))
    affine = library.AffineTransform(here.GetDimension())
    search = _search(fixed)
    search.SetOptimizerAsRegularStepGradientDescent(
        learningRate=2.0, minStep=0.05, numberOfIterations=effort.affine_steps
    )
    search.SetOptimizerScalesFromPhysicalShift()
    search.SetInitialTransform(affine, inPlace=True)
    search.Execute(here, there)
    if not effort.spline_steps:
        return affine, -float(search.GetMetricValue())
    spline = library.BSplineTransformInitializer(here, _mesh(here, effort.mesh_mm), order=3)
    search = _search(fixed)
    search.SetMovingInitialTransform(affine)
    search.SetInitialTransform(spline, inPlace=True)
    search.SetOptimizerAsLBFGSB(
        numberOfIterations=effort.spline_steps,
        maximumNumberOfFunctionEvaluations=effort.spline_steps,
    )
    search.Execute(here, there)
    return library.CompositeTransform([affine, spline]), -float(search.GetMetricValue())


def _search(fixed: Scene) -> Any:
    library = itk()
    field = np.zeros(fixed.planes.shape, np.uint8)
    for plane in fixed.seen:
        field[plane.index] = plane.within(FIELD)
    search = library.ImageRegistrationMethod()
    search.SetNumberOfThreads(1)  # sums in one order: the same every time
    search.SetMetricAsCorrelation()
    search.MetricUseMovingImageGradientFilterOff()  # that filter wants four planes at least
    search.SetMetricFixedMask(_picture(field, fixed, COARSE))
    search.SetMetricSamplingStrategy(search.REGULAR)
    search.SetMetricSamplingPercentage(SAMPLED, SEED)
    search.SetInterpolator(library.sitkLinear)
    return search


def _mesh(image: Any, knots_mm: float) -> list[int]:
    """Pieces of the B-splines along (x, y, z); two through the planes."""
    sizes = zip(image.GetSize()[:2], image.GetSpacing()[:2], strict=True)
    in_plane = [max(2, round(size * step / knots_mm)) for size, step in sizes]
    return in_plane + [2] * (image.GetDimension() - 2)


def warped(
    values: NDArray[np.float32], moving: Scene, fixed: Scene, way: Any
) -> NDArray[np.float32]:
    """Values (z, y, x) of `moving` on the grid of `fixed`, 0 beyond its edge."""
    library = itk()
    target = _picture(fixed.planes, fixed, 1)
    moved = library.Resample(
        _picture(values, moving, 1), target, way, library.sitkLinear, 0.0, library.sitkFloat32
    )
    out: NDArray[np.float32] = library.GetArrayFromImage(moved).reshape(fixed.planes.shape)
    return out


def _picture(values: NDArray[Any], scene: Scene, every: int) -> Any:
    """ITK's image of values (z, y, x) of a scene, its origin in the cavity; (y, x) of one plane."""
    library = itk()
    z, y, x = _middle(scene.seeds)
    depth, high, wide = scene.spacing_mm
    grid = Geometry.from_pixels(scene.planes.shape, scene.spacing_mm)
    spacing, _, _ = grid.to_itk()
    origin = (-x * wide, -y * high, -z * depth)
    flat = len(values) == 1
    axes = 2 if flat else 3
    coarse = values[:, ::every, ::every]
    image = library.GetImageFromArray(np.ascontiguousarray(coarse[0] if flat else coarse))
    image.SetSpacing(
        [length * (every if axis < 2 else 1) for axis, length in enumerate(spacing)][:axes]
    )
    image.SetOrigin(origin[:axes])
    return image


def _middle(seeds: Sequence[tuple[float, float] | None]) -> tuple[float, float, float]:
    points = [(float(z), *seed) for z, seed in enumerate(seeds) if seed is not None]
    if not points:
        return 0.0, 0.0, 0.0
    z, y, x = np.mean(points, axis=0).tolist()
    return z, y, x
