"""Least-squares adversarial losses (Mao 2017): what a discriminator of patches makes of images.

A discriminator answers with a map (n, 1, v, u), one number a patch: 1 means real, 0 made. Squares
in place of the logarithm leave a gradient where it is already sure of itself.
"""

from torch import Tensor


def taken_for_real(answers: Tensor) -> Tensor:
    """Mean of (D - 1)^2; 0 where every patch is taken for real: what a generator makes small.

    Args:
        answers: any shape, of a discriminator about images that were made.
    """
    return (answers - 1).square().mean()


def told_apart(real: Tensor, made: Tensor) -> Tensor:
    """1/2 mean of (D(real) - 1)^2 + 1/2 mean of D(made)^2: what a discriminator makes small.

    1/4 for one that always answers 1/2, which is as good as knowing nothing.

    Args:
        real: answers about real images, any shape.
        made: answers about made ones.
    """
    return 0.5 * ((real - 1).square().mean() + made.square().mean())
