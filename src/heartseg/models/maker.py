"""What generators of images share: their first weights, and an answer that is an image.

Axes: n planes, c channels, y rows, x columns.
"""

from abc import abstractmethod

import torch
from torch import Tensor, nn

LEAST = 1e-3
"""Intensities this near to 0 and 1 count as this: their logits would be infinite."""


class Maker(nn.Module):
    """A generator as it is built.

    Args:
        residual: the answer is added to the input's logit, see `as_image`.
    """

    def __init__(self, residual: bool) -> None:
        super().__init__()
        self.residual = residual

    def forward(self, pixels: Tensor) -> Tensor:
        """(n, c, y, x) in about [0, 1] -> the same shape, in [0, 1]."""
        answer = self.decoded(self.encoded(pixels))
        return as_image(answer, pixels if self.residual else None)

    @abstractmethod
    def encoded(self, pixels: Tensor) -> list[Tensor]:
        """Features on the way down, the finest first: (n, width, y / s, x / s) each."""

    @abstractmethod
    def decoded(self, features: list[Tensor]) -> Tensor:
        """(n, c, y, x), any real number, of what `encoded` gave."""


def begin_small(network: nn.Module) -> None:
    """Kernels from a normal distribution of deviation 0.02, biases 0 (Zhu 2017, Park 2020)."""
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            nn.init.normal_(layer.weight, std=0.02)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def as_image(answer: Tensor, pixels: Tensor | None) -> Tensor:
    """What the last layer says, as intensities in [0, 1].

    Without `pixels` it is (tanh(answer) + 1) / 2. With them the answer is what is added to the
    input's logit, so that a generator that says nothing leaves the image as it is.

    Args:
        answer: (n, c, y, x), any real number.
        pixels: the input, or None.
    """
    if pixels is None:
        return (answer.tanh() + 1) / 2
    inside = pixels.clamp(LEAST, 1 - LEAST)
    return torch.sigmoid(torch.log(inside) - torch.log(1 - inside) + answer)
