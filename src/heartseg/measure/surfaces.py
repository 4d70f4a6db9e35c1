"""How far the surfaces of two masks are apart, in millimetres.

Definitions differ between tools, so here are these; docs/explanation/metrics.md compares them.
The surface of a mask is its voxels with a neighbour (6 in 3-D, 4 in 2-D) outside it; beyond the
image is outside. Distances run between voxel centres, from each surface voxel to the nearest of the
other surface.

* Hausdorff 95: the larger of the two directed 95th percentiles, linearly interpolated (as MONAI;
  medpy pools both directions first, which is never larger).
* ASSD: the mean over the surface voxels of both masks (Heimann et al., IEEE TMI 2009); medpy takes
  the mean of the two directed means.
* NSD: the share of the surface voxels of both masks that have the other surface within a tolerance
  (Nikolov et al., J Med Internet Res 2021;23:e26151, who weigh them by area).
* Boundary IoU: Jaccard of the voxels of each mask within a width of its own surface (Cheng et al.,
  CVPR 2021, who give the width in pixels as a share of the image's diagonal).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import GeometryError
from heartseg.measure.overlap import Mask, box_of, jaccard, require_alike

ROUNDING = 1e-9
"""A voxel exactly at a tolerance is within it, whatever the last bits of its place say."""

Distances = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class SurfaceDistances:
    """Distances from each surface voxel to the other mask's surface, in mm, both ways.

    Attributes:
        to_truth: of the predicted surface's voxels.
        to_pred: of the true surface's voxels.
        pred_planes: the index along the first axis of each predicted one.
        truth_planes: the same of each true one.
    """

    to_truth: Distances
    to_pred: Distances
    pred_planes: Places
    truth_planes: Places

    @property
    def hausdorff_mm(self) -> float:
        """The farthest that either surface strays from the other."""
        return float(max(self.to_truth.max(), self.to_pred.max()))

    @property
    def hausdorff95_mm(self) -> float:
        """As `hausdorff_mm`, without the worst twentieth of either surface."""
        return float(max(np.percentile(self.to_truth, 95), np.percentile(self.to_pred, 95)))

    @property
    def assd_mm(self) -> float:
        """Average symmetric surface distance."""
        total = self.to_truth.sum() + self.to_pred.sum()
        return float(total / (len(self.to_truth) + len(self.to_pred)))

    def share_within(self, tolerance_mm: float) -> float:
        """Normalised surface Dice: share of both surfaces that is at most so far from the other."""
        reach = tolerance_mm * (1 + ROUNDING)
        near = sum(int(np.count_nonzero(d <= reach)) for d in (self.to_truth, self.to_pred))
        return near / (len(self.to_truth) + len(self.to_pred))

    def at(self, planes: Places) -> "SurfaceDistances | None":
        """Those of the voxels in some planes, to the whole of the other surface.

        None where either mask has no voxel in these planes. A stack is not cut: where it would be,
        there is no surface.
        """
        ours, theirs = np.isin(self.pred_planes, planes), np.isin(self.truth_planes, planes)
        if not ours.any() or not theirs.any():
            return None
        return SurfaceDistances(
            self.to_truth[ours],
            self.to_pred[theirs],
            self.pred_planes[ours],
            self.truth_planes[theirs],
        )


def surface_distances(
    pred: Mask, truth: Mask, spacing_mm: Sequence[float]
) -> SurfaceDistances | None:
    """All surface distances of two masks; None when either is empty.

    Args:
        pred: mask of any number of axes; axes of one voxel count as absent.
        truth: mask of the same shape.
        spacing_mm: distance of neighbouring voxels, one an axis.

    Raises:
        GeometryError: shapes or spacing that do not fit.
    """
    require_alike(pred, truth)
    _require_spacing(pred, spacing_mm)
    if not pred.any() or not truth.any():
        return None
    box, axes = box_of(pred | truth), _thick(pred)
    ours, theirs = surface(pred[box], axes), surface(truth[box], axes)
    first = box[0].start
    return SurfaceDistances(
        to_truth=_to_nearest_mm(ours, theirs, spacing_mm),
        to_pred=_to_nearest_mm(theirs, ours, spacing_mm),
        pred_planes=np.nonzero(ours)[0] + first,
        truth_planes=np.nonzero(theirs)[0] + first,
    )


def boundary_iou(pred: Mask, truth: Mask, spacing_mm: Sequence[float], width_mm: float) -> float:
    """Jaccard of the bands along both surfaces, in [0, 1]; 1 when both are empty.

    Args:
        pred: mask of any number of axes.
        truth: mask of the same shape.
        spacing_mm: distance of neighbouring voxels, one an axis.
        width_mm: of the bands; the surface voxels themselves always belong to them.

    Raises:
        GeometryError: shapes or spacing that do not fit.
    """
    require_alike(pred, truth)
    return jaccard(band(pred, spacing_mm, width_mm), band(truth, spacing_mm, width_mm))


def band(mask: Mask, spacing_mm: Sequence[float], width_mm: float) -> Mask:
    """Voxels of a mask whose centre is at most so far from that of a voxel of its surface.

    Raises:
        GeometryError: a spacing that does not fit.
    """
    _require_spacing(mask, spacing_mm)
    near = np.zeros_like(mask)
    if not mask.any():
        return near
    box = box_of(mask)
    inside, shell = mask[box], surface(mask[box], _thick(mask))
    reach = width_mm * (1 + ROUNDING)
    near[box][inside] = _to_nearest_mm(inside, shell, spacing_mm) <= reach
    return near


def surface(mask: Mask, axes: Sequence[int]) -> Mask:
    """Voxels of the mask with a neighbour outside it along one of the axes; all where none is."""
    if not axes:
        return mask
    padded = np.pad(mask, 1)
    inner = (slice(1, -1),) * mask.ndim
    inside = mask.copy()
    for axis in axes:
        for shift in (slice(0, -2), slice(2, None)):
            inside &= padded[(*inner[:axis], shift, *inner[axis + 1 :])]
    found: Mask = mask & ~inside
    return found


def _thick(mask: Mask) -> tuple[int, ...]:
    """The axes of a grid that are some: a single slice has an outline, not two faces."""
    return tuple(axis for axis, length in enumerate(mask.shape) if length > 1)


def _to_nearest_mm(voxels: Mask, targets: Mask, spacing_mm: Sequence[float]) -> Distances:
    """From each voxel of a mask to the nearest target, by one distance transform of the box."""
    from scipy.ndimage import distance_transform_edt

    if not (voxels & ~targets).any():  # good masks meet nearly everywhere, the same ones always
        return np.zeros(int(np.count_nonzero(voxels)))
    distances: Distances = distance_transform_edt(~targets, sampling=spacing_mm)[voxels]
    return distances


def _require_spacing(mask: Mask, spacing_mm: Sequence[float]) -> None:
    good = len(spacing_mm) == mask.ndim and all(np.isfinite(s) and s > 0 for s in spacing_mm)
    if not good:
        raise GeometryError(
            "spacing", got=str(tuple(spacing_mm)), allowed=f"{mask.ndim} positive numbers"
        )
