"""Two masks of one structure, and the metrics of their surfaces and volumes in millimetres."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np

from heartseg.measure.overlap import Mask, jaccard
from heartseg.measure.surfaces import Places, SurfaceDistances, band, surface_distances

TOLERANCE_MM = 2.0
"""Of the surface Dice and the boundary IoU: a little more than a pixel of cine MR, and about as far
as two readers' contours of one heart are apart. It stands in the names of both."""


@dataclass(frozen=True, eq=False)
class Pair:
    """Two masks of one structure, and what metrics share, found when first asked for.

    Attributes:
        pred: the mask to judge, (z, y, x) or fewer axes.
        truth: the one to judge it by, of the same shape.
        spacing_mm: one an axis; None where there are no millimetres.
        depth_known: False for a plane of which nobody says how thick it is.
        whole: the pair of which this is a part, None for a whole one.
        planes: which planes of `whole` these are.
    """

    pred: Mask
    truth: Mask
    spacing_mm: Sequence[float] | None = None
    depth_known: bool = True
    whole: "Pair | None" = None
    planes: Places = field(default_factory=lambda: np.zeros(0, np.intp))

    def at(self, planes: Places) -> "Pair":
        """The part in some planes of the first axis; its surfaces stay those of the whole."""
        ours, theirs = self.pred[planes], self.truth[planes]
        return Pair(ours, theirs, self.spacing_mm, self.depth_known, self, planes)

    @property
    def voxel_ml(self) -> float | None:
        """Millilitres of a voxel; None without three spacings that mean millimetres."""
        spacing = self.spacing_mm
        if spacing is None or len(spacing) != 3 or not self.depth_known:
            return None
        return float(np.prod(spacing)) / 1000.0

    @cached_property
    def distances(self) -> SurfaceDistances | None:
        """Of the surfaces; None where a mask is empty or there are no millimetres."""
        if self.whole is not None:
            found = self.whole.distances
            return None if found is None else found.at(self.planes)
        if self.spacing_mm is None:
            return None
        return surface_distances(self.pred, self.truth, self.spacing_mm)

    @cached_property
    def bands(self) -> tuple[Mask, Mask] | None:
        """Along both surfaces, `TOLERANCE_MM` wide; None without millimetres."""
        if self.whole is not None:
            found = self.whole.bands
            return None if found is None else (found[0][self.planes], found[1][self.planes])
        if self.spacing_mm is None:
            return None
        ours, theirs = (band(m, self.spacing_mm, TOLERANCE_MM) for m in (self.pred, self.truth))
        return ours, theirs

    @property
    def empty(self) -> Literal["", "both", "pred", "truth"]:
        """Which of the masks hold nothing."""
        ours, theirs = not self.pred.any(), not self.truth.any()
        return "both" if ours and theirs else "pred" if ours else "truth" if theirs else ""


def hausdorff(pair: Pair) -> float | None:
    """Hausdorff distance: the farthest that either surface strays from the other."""
    return None if pair.distances is None else pair.distances.hausdorff_mm


def hausdorff95(pair: Pair) -> float | None:
    """The larger of the 95th percentiles of the distances from either surface to the other."""
    return None if pair.distances is None else pair.distances.hausdorff95_mm


def assd(pair: Pair) -> float | None:
    """Mean distance to the other surface over the voxels of both surfaces."""
    return None if pair.distances is None else pair.distances.assd_mm


def surface_dice(pair: Pair) -> float | None:
    """Share of both surfaces that has the other within `TOLERANCE_MM`."""
    if pair.empty:
        return 1.0 if pair.empty == "both" else 0.0
    return None if pair.distances is None else pair.distances.share_within(TOLERANCE_MM)


def boundary_iou(pair: Pair) -> float | None:
    """Jaccard of the bands of `TOLERANCE_MM` inside both surfaces."""
    return None if pair.bands is None else jaccard(*pair.bands)


def volume_difference(pair: Pair) -> float | None:
    """Predicted minus true volume."""
    if pair.voxel_ml is None:
        return None
    voxels = int(np.count_nonzero(pair.pred)) - int(np.count_nonzero(pair.truth))
    return voxels * pair.voxel_ml
