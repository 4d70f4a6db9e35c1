"""A background for networks that have a channel for each structure only.

A network with sigmoid channels calls a voxel by its likeliest structure where that has p > 0.5,
that is a logit above 0, and background elsewhere. With a background whose logit is always 0 the
likeliest class says the same, and softmax, runtimes and bundles need no second way.
"""

from typing import Any

from torch import Tensor, nn


def with_background(logits: Tensor) -> Tensor:
    """(n, structures, *space) -> (n, 1 + structures, *space), the first channel 0."""
    space = (0, 0) * (logits.ndim - 2)
    padded: Tensor = nn.functional.pad(logits, (*space, 1, 0))
    return padded


def answer_with_background(network: nn.Module) -> Any:
    """Let a network answer so from now on; `remove()` of what is returned ends it."""

    def pad(_module: nn.Module, _inputs: Any, logits: Tensor) -> Tensor:
        return with_background(logits)

    return network.register_forward_hook(pad)
