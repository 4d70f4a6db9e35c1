"""Losses of distance: how far what was found lies from the border of what is there.

Axes: n planes or volumes, classes, then space: (y, x) or (z, y, x), written (...). Distances are
in voxels, or in the unit of `spacing`. They are computed by scipy on the processor, without
gradient: only the probabilities learn.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from heartseg.losses.entropy import IGNORED


def signed_distances(truth: Tensor, classes: int, spacing: Sequence[float] | None = None) -> Tensor:
    """Distance of every voxel to the border of each class: (n, classes, ...), negative inside.

    Kervadec 2019. Zero where a class is absent or fills the image: it has no border there; zero
    in `IGNORED` voxels. They depend on the truth alone, and may be made once and kept.

    Args:
        truth: (n, ...) class indices.
        classes: how many there are.
        spacing: of the voxels along each axis of space.
    """
    inside = _one_hot(truth, classes) > 0.5
    annotated = (truth != IGNORED)[:, None]
    return (_far(~inside, spacing) - _far(inside, spacing)) * annotated


def boundary_loss(probabilities: Tensor, distances: Tensor) -> Tensor:
    """Mean over the foreground classes and voxels of p d, the "surface loss" of Kervadec 2019.

    Lowest where all probability lies inside the border; negative then. It says nothing of a class
    that is absent, so it stands beside a loss of overlap, never alone.

    Args:
        probabilities: (n, classes, ...), class 0 the background.
        distances: the same shape, as `signed_distances` gives them.
    """
    return (probabilities[:, 1:] * distances[:, 1:].to(probabilities)).mean()


def hausdorff_loss(
    probabilities: Tensor,
    truth: Tensor,
    alpha: float = 2.0,
    spacing: Sequence[float] | None = None,
) -> Tensor:
    """Mean over the foreground classes and voxels of (p - t)^2 (d_p^a + d_t^a), in [0, inf).

    Karimi and Salcudean 2020, with distance transforms: d_t is the distance to the border of the
    truth, d_p to that of what was found (p > 0.5). An error far from the border costs most.

    Args:
        probabilities: (n, classes, ...), class 0 the background.
        truth: (n, ...) class indices; `IGNORED` voxels count nowhere.
        alpha: how much more a far error costs, 1 to 3 in the paper.
        spacing: of the voxels along each axis of space.
    """
    annotated = (truth != IGNORED)[:, None].to(probabilities.dtype)
    wanted = _one_hot(truth, probabilities.shape[1])[:, 1:]
    found = probabilities[:, 1:]
    far = _to_border(wanted > 0.5, spacing) ** alpha + _to_border(found > 0.5, spacing) ** alpha
    return ((found - wanted) ** 2 * far.to(found) * annotated).mean()


def _to_border(inside: Tensor, spacing: Sequence[float] | None) -> Tensor:
    return _far(inside, spacing) + _far(~inside, spacing)


def _far(inside: Tensor, spacing: Sequence[float] | None) -> Tensor:
    """(n, classes, ...) distance to the nearest voxel outside; 0 where all or nothing is inside."""
    from scipy.ndimage import distance_transform_edt

    masks = inside.detach().cpu().numpy()
    out = np.zeros(masks.shape, np.float32)
    for place in np.ndindex(*masks.shape[:2]):
        mask = masks[place]
        if mask.any() and not mask.all():
            out[place] = distance_transform_edt(mask, sampling=spacing)
    return torch.from_numpy(out).to(inside.device)


def _one_hot(truth: Tensor, classes: int) -> Tensor:
    there = truth.long().where(truth != IGNORED, 0)
    return nn.functional.one_hot(there, classes).movedim(-1, 1).float()
