"""What the tables of thesis 001 hold beside the metrics of `heartseg evaluate`.

Soft Dice is what its listing calls accuracy; two-class IoU is one reading of its mIoU; it has no
millimetres. Axes of masks: (z, y, x). See docs/explanation/thesis-grid.md.
"""

import numpy as np
from numpy.typing import NDArray

from heartseg.measure.overlap import Mask, jaccard
from heartseg.measure.surfaces import surface_distances


def soft_dice(probabilities: NDArray[np.float32], truth: Mask) -> float:
    """2 sum(p t) / (sum(p) + sum(t)) over the voxels, in [0, 1]; 1 where both are nothing.

    Args:
        probabilities: (z, y, x) of one structure, in [0, 1].
        truth: the same shape.
    """
    total = float(probabilities.sum(dtype=np.float64)) + np.count_nonzero(truth)
    shared = float(probabilities[truth].sum(dtype=np.float64))
    return 2 * shared / total if total > 0 else 1.0


def two_class_iou(pred: Mask, truth: Mask) -> float:
    """Mean Jaccard index of the structure and of all that it is not, in [0, 1]."""
    return (jaccard(pred, truth) + jaccard(~pred, ~truth)) / 2


def hausdorff95_px(pred: Mask, truth: Mask) -> float | None:
    """HD95 in pixels of the image's own grid; None for a stack, and where a mask is empty."""
    if len(pred) > 1 or not (pred.any() and truth.any()):
        return None
    found = surface_distances(pred[0], truth[0], (1.0, 1.0))
    return None if found is None else found.hausdorff95_mm
