"""How far one answer of a network is from another: Kullback-Leibler divergences, voxel by voxel.

Axes: n planes or volumes, classes or channels, then space (...).
"""

from torch import Tensor, nn


def divergence(before: Tensor, after: Tensor) -> Tensor:
    """Mean over the voxels of sum_c p_c (log p_c - log q_c), p and q softmax; in [0, inf).

    Args:
        before: (n, classes, ...) logits of p, which give no gradient.
        after: the same shape, logits of q.
    """
    p, q = before.detach().log_softmax(1), after.log_softmax(1)
    return (p.exp() * (p - q)).sum(1).mean()


def channel_divergence(before: Tensor, after: Tensor) -> Tensor:
    """The same of channels that may overlap: each is there or not; summed over the channels.

    Args:
        before: (n, channels, ...) logits of p, a sigmoid, which give no gradient.
        after: the same shape, logits of q.
    """
    p = before.detach()
    there = p.sigmoid() * (nn.functional.logsigmoid(p) - nn.functional.logsigmoid(after))
    absent = (-p).sigmoid() * (nn.functional.logsigmoid(-p) - nn.functional.logsigmoid(-after))
    return (there + absent).sum(1).mean()
