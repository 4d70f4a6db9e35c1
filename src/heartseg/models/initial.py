"""Initial weights that a paper asks for and torch does not have under one name."""

import math

from torch import nn

_TRUNCATED_SPREAD = 0.87962566103423978
"""Standard deviation of a standard normal distribution that is cut at -2 and 2."""


def he_truncated(network: nn.Module) -> None:
    """Kernels from a truncated normal distribution of variance 2 / fan-in (He 2015), biases 0.

    Cut at two deviations and widened by what the cut takes away, as Keras's `he_normal` does.
    """
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Conv3d, nn.ConvTranspose3d)):
            spread = math.sqrt(2 / layer.weight[0].numel()) / _TRUNCATED_SPREAD
            nn.init.trunc_normal_(layer.weight, std=spread, a=-2 * spread, b=2 * spread)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
