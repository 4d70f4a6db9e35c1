"""Areas, volumes and masses by summation of discs.

A disc is the area of a structure in one slice times the distance to the next slice. That distance
follows from where the slices lie in the patient, never from a stated slice thickness. Legend:
(t, z, y, x) frames, slices, rows, columns.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Labels, Structure
from heartseg.core.discs import pixel_area_mm2
from heartseg.core.geometry import Geometry
from heartseg.core.image import Segmentation

MYOCARDIAL_DENSITY_G_PER_ML = 1.05
"""Density of heart muscle, as cardiac MR laboratories use it (SCMR 2020)."""

SCARRED = (Structure.SCAR, Structure.NO_REFLOW)
"""Parts of the LV wall that late-enhancement schemes label on their own."""

Curve = NDArray[np.float64]
Areas = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Extents:
    """How much of each structure there is in every frame and slice.

    Attributes:
        voxels: (t, z, structure) counts, indexed by `Structure`; scar counts as myocardium.
        geometry: the grid they were counted on.
        structures: what was looked for.
    """

    voxels: NDArray[np.int64]
    geometry: Geometry
    structures: tuple[Structure, ...]

    def looked_for(self, structure: Structure) -> bool:
        """True when the segmentation could have found the structure."""
        return structure in self.structures

    def counts(self, structure: Structure) -> Curve:
        """(t,) voxels of a structure; a stand-in for its volume where there are no mm."""
        counted: Curve = self.voxels[:, :, structure].sum(axis=1).astype(np.float64)
        return counted

    def volumes_ml(self, structure: Structure) -> Curve:
        """(t,) volume of a structure in every frame.

        Raises:
            GeometryError: the grid has no millimetres, or is one plane without a thickness.
        """
        return self.counts(structure) * self.geometry.voxel_ml

    def areas_mm2(self, structure: Structure) -> Areas:
        """(t, z) area of a structure in every frame and slice.

        Raises:
            GeometryError: the grid has no millimetres.
        """
        self.geometry.require_mm("an area")
        return self.voxels[:, :, structure].astype(np.float64) * pixel_area_mm2(self.geometry)


def with_scar_as_myocardium(labels: Labels) -> Labels:
    """The same labels with scar and microvascular obstruction named LV myocardium."""
    scarred = np.isin(labels, SCARRED)
    return np.where(scarred, np.uint8(Structure.LV_MYOCARDIUM), labels) if scarred.any() else labels


def around_heart(labels: Labels) -> Labels:
    """The rows and columns (of any leading axes) that hold the heart, and three more around it.

    What looks at neighbours within three pixels sees the same as in the whole image, sooner.
    """
    some: NDArray[np.bool_] = np.any(labels, axis=tuple(range(labels.ndim - 2)))
    rows, columns = np.flatnonzero(some.any(axis=1)), np.flatnonzero(some.any(axis=0))
    if not len(rows):
        return labels
    (top, bottom), (left, right) = ((max(i[0] - 3, 0), i[-1] + 4) for i in (rows, columns))
    return labels[..., top:bottom, left:right]


def extents(segmentation: Segmentation) -> Extents:
    """Count every structure in every frame and slice."""
    labels = around_heart(segmentation.labels)  # background is not counted
    voxels = np.zeros((*labels.shape[:2], len(Structure)), np.int64)
    for t, z in np.ndindex(labels.shape[:2]):
        plane = labels[t, z]
        for structure in segmentation.structures:
            voxels[t, z, structure] = np.count_nonzero(plane == structure)
    for part in SCARRED:
        voxels[:, :, Structure.LV_MYOCARDIUM] += voxels[:, :, part]
    return Extents(voxels, segmentation.geometry, segmentation.structures)
