"""Losses of overlap."""

from torch import Tensor, nn

SMOOTH = 1.0
"""Added to both sums (pixels), so that a structure absent from a batch gives no gradient noise."""


def soft_dice_loss(probabilities: Tensor, truth: Tensor) -> Tensor:
    """1 - mean over the foreground classes of soft Dice, each over the whole batch, in [0, 1].

    Milletari 2016 with sums in place of squares. Batch sums rather than plane means: a plane
    without the structure would otherwise count as much as one full of it.

    Args:
        probabilities: (n, classes, y, x), class 0 the background.
        truth: (n, y, x) class indices.
    """
    classes = probabilities.shape[1]
    wanted = nn.functional.one_hot(truth.long(), classes).movedim(-1, 1).to(probabilities.dtype)
    axes = (0, 2, 3)
    overlap = (probabilities * wanted).sum(axes)[1:]
    total = (probabilities.sum(axes) + wanted.sum(axes))[1:]
    return 1 - ((2 * overlap + SMOOTH) / (total + SMOOTH)).mean()
