"""Losses: plain functions of one mode each.

Logits (n, classes, ...), probabilities (n, classes, ...), truth (n, ...) of class indices, space
(...) two- or three-dimensional. `LOSSES` is the list to choose from by name: each takes
logits and truth and has the defaults of its paper; adding one is a function and a line here, and
`tests/losses/test_contract.py` then tests it.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from torch import Tensor

from heartseg.losses.border import border_cross_entropy, border_weights
from heartseg.losses.distance import boundary_loss, hausdorff_loss, signed_distances
from heartseg.losses.edges import balanced_edge_loss, edge_bands
from heartseg.losses.entropy import (
    IGNORED,
    binary_cross_entropy,
    cross_entropy,
    focal_loss,
    voxel_weighted_cross_entropy,
)
from heartseg.losses.overlap import (
    channel_dice_loss,
    dice_and_binary_cross_entropy,
    generalised_dice_loss,
    soft_dice_loss,
    tversky_loss,
)
from heartseg.losses.supervision import deeply_supervised

Loss = Callable[[Tensor, Tensor], Tensor]
"""(logits, truth) -> scalar."""


def dice(logits: Tensor, truth: Tensor) -> Tensor:
    """`soft_dice_loss` of the softmax."""
    return soft_dice_loss(logits.softmax(1), truth)


def dice_and_cross_entropy(logits: Tensor, truth: Tensor) -> Tensor:
    """`cross_entropy` + `soft_dice_loss`: what `cine-mr` is trained with."""
    return cross_entropy(logits, truth) + dice(logits, truth)


def tversky(logits: Tensor, truth: Tensor) -> Tensor:
    """`tversky_loss` of the softmax."""
    return tversky_loss(logits.softmax(1), truth)


def generalised_dice(logits: Tensor, truth: Tensor) -> Tensor:
    """`generalised_dice_loss` of the softmax."""
    return generalised_dice_loss(logits.softmax(1), truth)


def dice_and_boundary(logits: Tensor, truth: Tensor) -> Tensor:
    """`soft_dice_loss` + 0.01 `boundary_loss`: Kervadec's weight at the beginning."""
    probabilities = logits.softmax(1)
    distances = signed_distances(truth, logits.shape[1])
    return soft_dice_loss(probabilities, truth) + 0.01 * boundary_loss(probabilities, distances)


def dice_and_hausdorff(logits: Tensor, truth: Tensor) -> Tensor:
    """`soft_dice_loss` + `hausdorff_loss`, brought to the same size as in Karimi's paper."""
    probabilities = logits.softmax(1)
    overlap = soft_dice_loss(probabilities, truth)
    far = hausdorff_loss(probabilities, truth)
    return overlap + far * (overlap / far.clamp(min=1e-6)).detach().clamp(max=1.0)


LOSSES: Mapping[str, Loss] = MappingProxyType(
    {
        "cross-entropy": cross_entropy,
        "border-cross-entropy": border_cross_entropy,
        "dice": dice,
        "dice-and-cross-entropy": dice_and_cross_entropy,
        "focal": focal_loss,
        "tversky": tversky,
        "generalised-dice": generalised_dice,
        "dice-and-boundary": dice_and_boundary,
        "dice-and-hausdorff": dice_and_hausdorff,
    }
)

__all__ = [
    "IGNORED",
    "LOSSES",
    "Loss",
    "balanced_edge_loss",
    "binary_cross_entropy",
    "border_cross_entropy",
    "border_weights",
    "boundary_loss",
    "channel_dice_loss",
    "cross_entropy",
    "deeply_supervised",
    "dice_and_binary_cross_entropy",
    "edge_bands",
    "focal_loss",
    "generalised_dice_loss",
    "hausdorff_loss",
    "signed_distances",
    "soft_dice_loss",
    "tversky_loss",
    "voxel_weighted_cross_entropy",
]
