"""Losses of overlap: how much of what is there was found.

Axes: n planes or volumes, classes or channels, then space: (y, x) or (z, y, x), written (...).
Sums go over the whole batch rather than plane by plane: a plane without the structure would
otherwise count as much as one full of it.
"""

import torch
from torch import Tensor, nn

from heartseg.losses.entropy import IGNORED, binary_cross_entropy

SMOOTH = 1.0
"""Added to both sums (voxels), so that a structure absent from a batch gives no gradient noise."""


def soft_dice_loss(probabilities: Tensor, truth: Tensor) -> Tensor:
    """1 - mean over the foreground classes of (2 sum(p t) + 1) / (sum(p) + sum(t) + 1), in [0, 1].

    Milletari 2016 with sums in place of squares.

    Args:
        probabilities: (n, classes, ...), class 0 the background.
        truth: (n, ...) class indices; `IGNORED` voxels count nowhere.
    """
    found, wanted = _foreground(probabilities, truth)
    return 1 - _dice(found, wanted).mean()


def channel_dice_loss(probabilities: Tensor, targets: Tensor) -> Tensor:
    """The same for channels that may overlap, each a structure; in [0, 1].

    Args:
        probabilities: (n, channels, ...), of a sigmoid.
        targets: the same shape, in [0, 1].
    """
    return 1 - _dice(probabilities, targets.to(probabilities.dtype)).mean()


def dice_and_binary_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """0.5 binary cross-entropy + 0.5 soft Dice loss of sigmoid channels, as thesis 001 trains.

    Args:
        logits: (n, channels, ...).
        targets: the same shape, in [0, 1].
    """
    overlap = channel_dice_loss(logits.sigmoid(), targets)
    return 0.5 * binary_cross_entropy(logits, targets) + 0.5 * overlap


def tversky_loss(
    probabilities: Tensor, truth: Tensor, alpha: float = 0.3, beta: float = 0.7
) -> Tensor:
    """1 - mean over the foreground classes of (TP + 1) / (TP + alpha FP + beta FN + 1), in [0, 1].

    Salehi 2017: beta above alpha makes missing a voxel dearer than drawing one too many. Halves of
    both give the soft Dice loss, but for the 1.

    Args:
        probabilities: (n, classes, ...), class 0 the background.
        truth: (n, ...) class indices; `IGNORED` voxels count nowhere.
        alpha: weight of false positives, at least 0.
        beta: weight of false negatives, at least 0.
    """
    found, wanted = _foreground(probabilities, truth)
    axes = _all_but_channels(found)
    hits = (found * wanted).sum(axes)
    excess = found.sum(axes) - hits
    misses = wanted.sum(axes) - hits
    return 1 - ((hits + SMOOTH) / (hits + alpha * excess + beta * misses + SMOOTH)).mean()


def generalised_dice_loss(probabilities: Tensor, truth: Tensor) -> Tensor:
    """1 - 2 sum_c(w_c sum(p t)) / sum_c(w_c sum(p + t)), w_c = 1 / sum(t)^2; in [0, 1].

    Sudre 2017, over all classes, the background too. Each class weighs as much as any other
    however small it is; a class that is absent takes the largest weight of those that are there.

    Args:
        probabilities: (n, classes, ...), class 0 the background.
        truth: (n, ...) class indices; `IGNORED` voxels count nowhere.
    """
    found, wanted = _in_classes(probabilities, truth)
    axes = _all_but_channels(found)
    size = wanted.sum(axes)
    weights = torch.where(size > 0, 1 / size.clamp(min=1) ** 2, 0)
    weights = weights.where(size > 0, weights.max())
    overlap = (weights * (found * wanted).sum(axes)).sum()
    total = (weights * (found.sum(axes) + size)).sum()
    return 1 - 2 * overlap / total.clamp(min=torch.finfo(total.dtype).tiny)


def _dice(found: Tensor, wanted: Tensor) -> Tensor:
    """(channels,) smoothed soft Dice over the batch."""
    axes = _all_but_channels(found)
    overlap = (found * wanted).sum(axes)
    return (2 * overlap + SMOOTH) / (found.sum(axes) + wanted.sum(axes) + SMOOTH)


def _foreground(probabilities: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    found, wanted = _in_classes(probabilities, truth)
    return found[:, 1:], wanted[:, 1:]


def _in_classes(probabilities: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """Probabilities and one-hot truth, both 0 in every class where nobody annotated."""
    annotated = truth != IGNORED
    classes = truth.long().where(annotated, 0)
    wanted = nn.functional.one_hot(classes, probabilities.shape[1]).movedim(-1, 1)
    there = annotated[:, None].to(probabilities.dtype)
    return probabilities * there, wanted.to(probabilities.dtype) * there


def _all_but_channels(tensor: Tensor) -> tuple[int, ...]:
    return (0, *range(2, tensor.ndim))
