"""The border weight map of U-Net: what lies between two cells that nearly touch weighs most.

Ronneberger 2015, equation 2. Axes: n planes or volumes, then space: (y, x) or (z, y, x), written
(...). Distances are in voxels, computed by scipy on the processor, without gradient.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from heartseg.losses.entropy import IGNORED, voxel_weighted_cross_entropy

W0, SIGMA = 10.0, 5.0
"""Of the paper: height and width (in pixels) of the weight between two cells."""

FARTHEST = 4.3
"""In sigmas: where both cells together are farther, less than a thousandth of `W0` is left."""


def border_weights(
    truth: Tensor,
    *,
    w0: float = W0,
    sigma: float = SIGMA,
    class_weights: Tensor | None = None,
) -> Tensor:
    """(n, ...) weights w_c + w0 exp(-(d1 + d2)^2 / 2 sigma^2) of the voxels.

    w_c is the weight of a voxel's class, d1 and d2 are the distances from a background voxel to the
    nearest cell and to the second nearest. Cells are the connected pieces of the foreground, of
    voxels that share a face. Inside a cell, where the paper's figure shows no border, and where
    there are no two cells, w_c is all there is. A cell that an image's edge cuts in two counts as
    two.

    Args:
        truth: (n, ...) class indices, 0 the background; `IGNORED` voxels are no part of a cell.
        w0: of the border.
        sigma: of the border, in voxels.
        class_weights: (classes,), the w_c; None for 1.
    """
    shown = truth.detach().cpu().numpy()
    there = (shown > 0) & (shown != IGNORED)
    between = np.stack([_between(cells, w0, sigma) for cells in there])
    weights = torch.from_numpy(between).to(truth.device)
    if class_weights is None:
        return weights + 1
    return weights + class_weights.to(weights)[truth.long().where(truth != IGNORED, 0)]


def border_cross_entropy(
    logits: Tensor, truth: Tensor, class_weights: Tensor | None = None
) -> Tensor:
    """`voxel_weighted_cross_entropy` by the `border_weights` of the truth; in [0, inf).

    Args:
        logits: (n, classes, ...).
        truth: (n, ...) class indices; `IGNORED` voxels count nowhere.
        class_weights: (classes,), see `border_weights`.
    """
    weights = border_weights(truth, class_weights=class_weights)
    return voxel_weighted_cross_entropy(logits, truth, weights)


def _between(there: NDArray[np.bool_], w0: float, sigma: float) -> NDArray[np.float32]:
    """(...) the second summand of one image."""
    nearest, second = _two_nearest(there, sigma)
    together = np.where(there, np.inf, nearest + second)
    return (w0 * np.exp(-(together**2) / (2 * sigma**2))).astype(np.float32)


def _two_nearest(
    there: NDArray[np.bool_], sigma: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distances of every voxel to the nearest and the second nearest cell; infinite if farther.

    Each cell is looked at in a window about it, beyond which it cannot count.
    """
    from scipy import ndimage

    reach = int(np.ceil(FARTHEST * sigma))
    numbered, _ = ndimage.label(there)
    nearest, second = np.full(there.shape, np.inf), np.full(there.shape, np.inf)
    for number, box in enumerate(ndimage.find_objects(numbered), start=1):
        window = tuple(slice(max(0, one.start - reach), one.stop + reach) for one in box)
        far = ndimage.distance_transform_edt(numbered[window] != number)
        first = nearest[window]
        second[window] = np.minimum(second[window], np.maximum(first, far))
        nearest[window] = np.minimum(first, far)
    return nearest, second
