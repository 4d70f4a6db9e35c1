"""Images without any symmetry, and foreign libraries that write and read them."""

from itertools import permutations, product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SHAPE = (5, 14, 19)  # z, y, x: no two alike
SPACING = (8.0, 1.5, 1.25)
ORIGIN_LPS = (31.5, -72.25, 18.125)
MARKED = (1, 3, 12)
TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
STORED = [
    (order, flips) for order in permutations(range(3)) for flips in product((False, True), repeat=3)
]
"""All 48 ways to store three axes."""


def rotation() -> NDArray[np.float64]:
    """Directions of z, y, x of an oblique short axis, right-handed as DICOM's."""
    z = np.array([-0.672, 0.666, 0.323])
    z /= np.linalg.norm(z)
    x = np.cross(np.array([0.2, 0.4, -0.9]), z)
    x /= np.linalg.norm(x)
    return np.stack([z, np.cross(z, x), x], axis=1)


def affine_lps() -> NDArray[np.float64]:
    """(z, y, x, 1) -> LPS mm."""
    affine = np.eye(4)
    affine[:3, :3] = rotation() * SPACING
    affine[:3, 3] = ORIGIN_LPS
    return affine


def voxels(dtype: str = "int16") -> NDArray[np.generic]:
    """(z, y, x), all different but for the type's range, one far brighter than the rest."""
    values = np.arange(np.prod(SHAPE)).reshape(SHAPE) % 97
    values[MARKED] = 120
    return values.astype(dtype)


def marked_mm() -> NDArray[np.float64]:
    """LPS mm of the marked voxel."""
    return affine_lps()[:3, :3] @ MARKED + ORIGIN_LPS


def stored(order: tuple[int, ...], flips: tuple[bool, ...]) -> tuple[NDArray, NDArray]:
    """The image with its axes in another order and direction: (array, its LPS affine)."""
    affine = np.eye(4)
    affine[:3, 3] = ORIGIN_LPS
    array = voxels().transpose(order)
    for axis, old in enumerate(order):
        column = affine_lps()[:3, old]
        if flips[axis]:
            affine[:3, 3] += column * (SHAPE[old] - 1)
            column = -column
        affine[:3, axis] = column
    return array[tuple(slice(None, None, -1 if f else 1) for f in flips)], affine


def brightest_mm_by_simpleitk(path: Path | list[str]) -> NDArray[np.float64]:
    """LPS mm of the brightest voxel, as SimpleITK sees it."""
    import SimpleITK

    image = SimpleITK.ReadImage([str(p) for p in path] if isinstance(path, list) else str(path))
    array = SimpleITK.GetArrayFromImage(image)
    index = np.unravel_index(int(array.argmax()), array.shape)
    return np.array(image.TransformIndexToPhysicalPoint([int(i) for i in index[::-1]]))
