"""How good weights are on whole frames: Dice in 3-D, and the loss that training makes small."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from heartseg.losses import IGNORED
from heartseg.train.data import PreparedFrame
from heartseg.train.objective import Criterion
from heartseg.train.task import Numbers

Answer = Callable[[NDArray[np.float32]], Tensor]
"""A frame (z, y, x) -> logits (z, channels, y, x), on any device."""


@torch.no_grad()
def scores(frames: Sequence[PreparedFrame], answer: Answer, criterion: Criterion) -> Numbers:
    """Means over the frames: Dice of each class, "score", their mean, and "validation_loss".

    A structure that is absent and not found scores 1. Voxels that nobody annotated count nowhere.
    Several processes divide the frames among them.

    Args:
        frames: to look at; none gives no numbers.
        answer: what the weights say of a frame.
        criterion: how to read and judge it.
    """
    if not frames:
        return {}
    classes, ranks, judge = criterion.classes, criterion.ranks, criterion.alone().judge
    overlap, total = (torch.zeros(len(frames), classes, dtype=torch.float64) for _ in range(2))
    losses = torch.zeros(len(frames), dtype=torch.float64)
    for row in range(ranks.rank, len(frames), ranks.count):
        truth = torch.from_numpy(frames[row].classes)
        logits = answer(frames[row].pixels)
        losses[row] = judge(logits, truth.to(logits.device).long())[0].item()
        found, there = criterion.objective.classes_of(logits).cpu(), truth != IGNORED
        for label in range(1, classes):
            a, b = (found == label) & there, truth == label
            overlap[row, label] = 2 * (a & b).sum()
            total[row, label] = a.sum() + b.sum()
    overlap, total, losses = (ranks.total(one) for one in (overlap, total, losses))
    dice = torch.where(total > 0, overlap / total.clamp(min=1), 1.0)[:, 1:].mean(0)
    each = {f"dice_{label}": float(value) for label, value in enumerate(dice, start=1)}
    return {"score": float(dice.mean()), **each, "validation_loss": float(losses.mean())}
