"""Deep supervision: the answers of coarser levels are judged too."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn


def deeply_supervised(
    loss: Callable[[Tensor, Tensor], Tensor], logits: Sequence[Tensor], truth: Tensor
) -> Tensor:
    """Mean of `loss` over the levels, each weighing half of the finer one before it (Isensee 2021).

    Args:
        loss: (logits, truth) -> scalar.
        logits: (n, classes, ...) of each level, finest first.
        truth: (n, ...) on the finest grid; coarser ones take the nearest voxel.
    """
    weights = [0.5**level for level in range(len(logits))]
    losses = [loss(answer, _on_grid_of(answer, truth)) for answer in logits]
    total = torch.stack([w * one for w, one in zip(weights, losses, strict=True)]).sum()
    return total / sum(weights)


def _on_grid_of(answer: Tensor, truth: Tensor) -> Tensor:
    size = answer.shape[2:]
    if truth.shape[1:] == size:
        return truth
    coarse = nn.functional.interpolate(truth[:, None].float(), size, mode="nearest-exact")
    return coarse[:, 0].to(truth.dtype)
