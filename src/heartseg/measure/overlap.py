"""How much of two masks is the same: counts of voxels, without millimetres.

Functions of two masks of one shape, which may have any number of axes; the segmentation accuracy of
paper 004 in both of its readings. What they say of empty masks stands in `metrics.METRICS`, and a
test holds them to it.
"""

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import GeometryError

Mask = NDArray[np.bool_]


def dice(pred: Mask, truth: Mask) -> float:
    """Twice the shared volume over the sum of both, in [0, 1]; 1 when both are empty."""
    require_alike(pred, truth)
    total = _count(pred) + _count(truth)
    return 2.0 * _count(pred & truth) / total if total else 1.0


def jaccard(pred: Mask, truth: Mask) -> float:
    """Shared volume over the volume of either, in [0, 1]; 1 when both are empty."""
    require_alike(pred, truth)
    either = _count(pred | truth)
    return _count(pred & truth) / either if either else 1.0


def accuracy(pred: Mask, truth: Mask) -> float:
    """Share of all voxels that are right, in [0, 1]; a large background flatters it."""
    require_alike(pred, truth)
    return 1.0 - _count(pred ^ truth) / pred.size


def precision(pred: Mask, truth: Mask) -> float | None:
    """Share of the prediction that is true; None when nothing was predicted."""
    require_alike(pred, truth)
    predicted = _count(pred)
    return _count(pred & truth) / predicted if predicted else None


def recall(pred: Mask, truth: Mask) -> float | None:
    """Sensitivity: share of the truth that was predicted; None when there is nothing to find."""
    return precision(truth, pred)


def specificity(pred: Mask, truth: Mask) -> float | None:
    """Share of the background that was left alone; None when the truth fills the image."""
    return recall(~pred, ~truth)


def sa_of_pixels(pred: Mask, truth: Mask) -> float | None:
    """Segmentation accuracy, |Rs - Ts| read as the number of wrong voxels; None without a truth.

    1 - (wrong voxels) / (voxels of the truth): 1 at best, below 0 when more is wrong than there is
    to find. It is what the paper's text says, "number of poorly segmented pixels".
    """
    require_alike(pred, truth)
    wanted = _count(truth)
    return 1.0 - _count(pred ^ truth) / wanted if wanted else None


def sa_of_areas(pred: Mask, truth: Mask) -> float | None:
    """Segmentation accuracy, |Rs - Ts| read as the difference of areas; None without a truth.

    1 - |difference of volumes| / (volume of the truth): 1 for two masks of one size that never
    meet. It is what the paper's formula says where Rs and Ts are numbers.
    """
    require_alike(pred, truth)
    wanted = _count(truth)
    return 1.0 - abs(_count(pred) - wanted) / wanted if wanted else None


def relative_volume_difference(pred: Mask, truth: Mask) -> float | None:
    """(Predicted - true) volume over the true one, from -1 up; None when there is no truth."""
    require_alike(pred, truth)
    wanted = _count(truth)
    return (_count(pred) - wanted) / wanted if wanted else None


def component_error(pred: Mask, truth: Mask) -> float:
    """By how many the pieces of both differ; voxels that share a face are one piece."""
    require_alike(pred, truth)
    return float(abs(components(pred) - components(truth)))


def hole_error(pred: Mask, truth: Mask) -> float:
    """By how many the holes in the planes of both differ: a broken ring has lost its own."""
    require_alike(pred, truth)
    return float(abs(holes(pred) - holes(truth)))


def components(mask: Mask) -> int:
    """Pieces of a mask; voxels that share a face (in 2-D an edge) belong together."""
    from scipy.ndimage import label

    return int(label(mask[box_of(mask)])[1]) if mask.any() else 0


def holes(mask: Mask) -> int:
    """Background in the planes (y, x) of a mask that no path leads out of, summed over planes.

    Paths may go by corners, since pieces of the mask may not (Rosenfeld 1970): so pieces - holes
    is the Euler number of a plane. Beyond the image is outside: what touches its edge is no hole.
    """
    from scipy.ndimage import generate_binary_structure, label

    if not mask.any():
        return 0
    part = mask[box_of(mask)]
    planes = part.reshape(-1, *part.shape[-2:])
    background = np.pad(~planes, ((0, 0), (1, 1), (1, 1)), constant_values=True)
    within_plane = generate_binary_structure(3, 3)
    within_plane[[0, 2]] = False
    return int(label(background, within_plane)[1]) - len(planes)


def box_of(mask: Mask) -> tuple[slice, ...]:
    """The smallest part of the grid that holds the whole of a mask which is not empty."""
    box = []
    for axis in range(mask.ndim):
        others = tuple(other for other in range(mask.ndim) if other != axis)
        held = np.flatnonzero(mask.any(axis=others))
        box.append(slice(int(held[0]), int(held[-1]) + 1))
    return tuple(box)


def require_alike(pred: Mask, truth: Mask) -> None:
    """Both of one shape, and of bool.

    Raises:
        GeometryError: they are not.
    """
    if pred.shape != truth.shape:
        raise GeometryError("masks", got=f"shapes {pred.shape} and {truth.shape}", allowed="one")
    if pred.dtype != np.bool_ or truth.dtype != np.bool_:
        raise GeometryError("masks", got=f"{pred.dtype} and {truth.dtype}", allowed="bool")


def _count(mask: Mask) -> int:
    return int(np.count_nonzero(mask))
