"""Losses of sigmoid channels: one channel for each structure, none for the background.

Axes: n planes or volumes, structures, then space: (y, x) or (z, y, x), written (...). The truth is
(n, ...) class indices, 0 the background and c the structure of channel c - 1; `IGNORED` voxels
count nowhere. Sinha 2020 (003) and thesis 001 train so. `CHANNEL_LOSSES` has the names of `LOSSES`
that make sense for channels which are judged one by one.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn

from heartseg.losses.entropy import IGNORED
from heartseg.losses.overlap import soft_dice_loss, tversky_loss


def channel_cross_entropy(
    logits: Tensor, truth: Tensor, class_weights: Tensor | None = None
) -> Tensor:
    """Mean over channels and annotated voxels of the binary cross-entropy; in [0, inf).

    Args:
        logits: (n, structures, ...).
        truth: (n, ...) class indices.
        class_weights: (1 + structures,), not negative: every voxel counts as much as its own
            class, in all channels.
    """
    each = nn.functional.binary_cross_entropy_with_logits(
        logits, channel_targets(truth, logits.shape[1]).to(logits), reduction="none"
    )
    return _mean(each.mean(1), truth, class_weights)


def channel_focal(logits: Tensor, truth: Tensor, gamma: float = 2.0) -> Tensor:
    """Mean of -(1 - p)^gamma log p, p the probability given to what is so; in [0, inf).

    Lin 2017, whose focal loss is one of sigmoid channels; gamma 0 is `channel_cross_entropy`.

    Args:
        logits: (n, structures, ...).
        truth: (n, ...) class indices.
        gamma: at least 0.
    """
    targets = channel_targets(truth, logits.shape[1]).to(logits)
    each = nn.functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    hard = (1 - (-each).exp()).clamp(min=0) ** gamma
    return _mean((hard * each).mean(1), truth, None)


def channel_dice(logits: Tensor, truth: Tensor) -> Tensor:
    """`soft_dice_loss` of the sigmoid."""
    return soft_dice_loss(_sigmoid(logits), truth)


def channel_tversky(logits: Tensor, truth: Tensor) -> Tensor:
    """`tversky_loss` of the sigmoid."""
    return tversky_loss(_sigmoid(logits), truth)


def channel_targets(truth: Tensor, channels: int) -> Tensor:
    """(n, channels, ...) bool, True where the voxel is of the channel's structure."""
    shape = (1, channels, *(1,) * (truth.ndim - 1))
    return truth[:, None] == torch.arange(1, channels + 1, device=truth.device).view(shape)


def _sigmoid(logits: Tensor) -> Tensor:
    """(n, 1 + structures, ...): losses of overlap look at the structures only, from 1 on."""
    found = logits.sigmoid()
    return torch.cat([1 - found.amax(1, keepdim=True), found], dim=1)


def _mean(each: Tensor, truth: Tensor, class_weights: Tensor | None) -> Tensor:
    weights = (truth != IGNORED).to(each)
    if class_weights is not None:
        weights = weights * class_weights.to(each)[truth.long().where(truth != IGNORED, 0)]
    total = weights.sum()
    return (each * weights).sum() / total.where(total > 0, 1)


CHANNEL_LOSSES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = MappingProxyType(
    {
        "cross-entropy": channel_cross_entropy,
        "dice": channel_dice,
        "focal": channel_focal,
        "tversky": channel_tversky,
    }
)
"""Name -> (logits, truth) -> scalar."""
