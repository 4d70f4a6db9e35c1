"""Losses of entropy: how surprised the network is by what is there.

Axes: n planes or volumes, classes or channels, then space: (y, x) or (z, y, x), written (...).
"""

from torch import Tensor, nn

IGNORED = 255
"""A truth that counts nowhere: a voxel that nobody annotated."""


def cross_entropy(logits: Tensor, truth: Tensor, class_weights: Tensor | None = None) -> Tensor:
    """Mean over the annotated voxels of -w_c log p_c, c the true class; in [0, inf).

    With class weights the mean is the weighted one, sum(w_c l) / sum(w_c), so that equal weights
    change nothing.

    Args:
        logits: (n, classes, ...).
        truth: (n, ...) class indices; `IGNORED` voxels count nowhere.
        class_weights: (classes,), not negative.
    """
    annotated = truth != IGNORED
    classes = truth.long().where(annotated, 0)
    each = nn.functional.cross_entropy(logits, classes, reduction="none")
    weights = annotated.to(each.dtype)
    if class_weights is not None:
        weights = weights * class_weights.to(each)[classes]
    return _mean(each, weights)


def voxel_weighted_cross_entropy(logits: Tensor, truth: Tensor, weights: Tensor) -> Tensor:
    """Mean of -w log p over the voxels, by their own weights: sum(w l) / sum(w); in [0, inf).

    Cicek 2016 trains from sparse annotation so: the weight of a voxel that nobody annotated is 0.
    Ronneberger 2015 so presses apart cells that touch: the weight is large between them.

    Args:
        logits: (n, classes, ...).
        truth: (n, ...) class indices; `IGNORED` is allowed where the weight is 0, and makes it so.
        weights: (n, ...), not negative.
    """
    annotated = truth != IGNORED
    each = nn.functional.cross_entropy(logits, truth.long().where(annotated, 0), reduction="none")
    return _mean(each, weights.to(each.dtype) * annotated)


def binary_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean over channels and voxels of -t log s - (1 - t) log(1 - s), s the sigmoid; in [0, inf).

    For channels that may overlap (003: three sigmoid channels).

    Args:
        logits: (n, channels, ...).
        targets: the same shape, in [0, 1].
    """
    return nn.functional.binary_cross_entropy_with_logits(logits, targets.to(logits.dtype))


def focal_loss(logits: Tensor, truth: Tensor, gamma: float = 2.0) -> Tensor:
    """Mean over the annotated voxels of -(1 - p)^gamma log p, p of the true class; in [0, inf).

    Lin 2017: what is easy counts less; gamma 0 is the cross-entropy.

    Args:
        logits: (n, classes, ...).
        truth: (n, ...) class indices; `IGNORED` voxels count nowhere.
        gamma: at least 0.
    """
    annotated = truth != IGNORED
    each = nn.functional.cross_entropy(logits, truth.long().where(annotated, 0), reduction="none")
    easy = (-each).exp()  # p of the true class
    return _mean((1 - easy).clamp(min=0) ** gamma * each, annotated.to(each.dtype))


def _mean(each: Tensor, weights: Tensor) -> Tensor:
    """By weights; 0, with a gradient of 0, where nothing has any."""
    total = weights.sum()
    return (each * weights).sum() / total.where(total > 0, 1)
