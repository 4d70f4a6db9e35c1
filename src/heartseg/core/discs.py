"""What a voxel of a stack is as a disc: the area of a pixel, and how far the slices are apart."""

import numpy as np

from heartseg.core.geometry import Geometry


def pixel_area_mm2(geometry: Geometry) -> float:
    """Area of a pixel within a slice."""
    return float(np.linalg.norm(np.cross(geometry.affine[:3, 1], geometry.affine[:3, 2])))


def slice_distance_mm(geometry: Geometry) -> float:
    """Distance of neighbouring slices along their normal: a voxel's volume over its area."""
    volume_mm3 = abs(float(np.linalg.det(geometry.affine[:3, :3])))
    return volume_mm3 / pixel_area_mm2(geometry)
