"""Attention U-Net (Oktay and others 2018): what a skip brings is weighed by what the decoder knows.

A gate at each skip adds the skip, convolved with stride 2, to the coarser signal of the decoder;
one number a pixel between 0 and 1 comes of it, is brought back to the skip's size and multiplies
the skip. These numbers are the attention maps: `attention_maps` gives them for an image, for people
to look at.

Axes: n planes, c channels, y rows, x columns. Level 0 is the finest.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn

from heartseg.core.errors import ConfigError
from heartseg.models.architecture import Architecture
from heartseg.models.plain import double_convolution


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionUNet(Architecture):
    """Channels at each level, finest first; the paper's are twice as many."""

    paper: ClassVar[str] = "Oktay 2018"

    widths: tuple[int, ...] = (32, 64, 128, 256, 512)

    def __post_init__(self) -> None:
        if len(self.widths) < 2 or min(self.widths) < 2:
            raise ConfigError("widths", got=str(self.widths), allowed="two levels of 2 channels")

    @property
    def stride(self) -> int:
        """2 for each pooling."""
        return int(2 ** (len(self.widths) - 1))

    @property
    def smallest_size(self) -> tuple[int, ...]:
        """At least two pixels along each axis at the deepest level, for its batch statistics."""
        return (2 * self.stride,) * 2

    def build(self, channels: int, classes: int) -> nn.Module:
        """The network with fresh weights."""
        return _AttentionUNet(self.widths, channels, classes)


def attention_maps(network: nn.Module, pixels: Tensor) -> tuple[Tensor, ...]:
    """How much of each skip passes: a map (n, 1, y/2^l, x/2^l) in [0, 1] a gate, finest first.

    Args:
        network: what `AttentionUNet.build` made, in the mode it is to be explained in.
        pixels: (n, channels, y, x).
    """
    maps: list[Tensor] = []
    gates = [module for module in network.modules() if isinstance(module, _Gate)]
    hooks = [
        gate.attention.register_forward_hook(lambda *call: maps.append(call[-1])) for gate in gates
    ]
    try:
        network(pixels)
    finally:
        for hook in hooks:
            hook.remove()
    return tuple(reversed(maps))


class _AttentionUNet(nn.Module):
    def __init__(self, widths: tuple[int, ...], channels: int, classes: int) -> None:
        super().__init__()
        inputs = (channels, *widths[:-1])
        self.encoder = nn.ModuleList(
            double_convolution(a, b) for a, b in zip(inputs, widths, strict=True)
        )
        rising = list(pairwise(reversed(widths)))
        self.gates = nn.ModuleList(_Gate(skip=b, signal=a) for a, b in rising)
        self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, stride=2) for a, b in rising)
        self.decoder = nn.ModuleList(double_convolution(2 * b, b) for _, b in rising)
        self.output = nn.Conv2d(widths[0], classes, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        x = pixels
        skips = []
        for level, encode in enumerate(self.encoder):
            x = encode(x if level == 0 else nn.functional.max_pool2d(x, 2))  # (n, w, y/2^l, x/2^l)
            skips.append(x)
        skips.pop()
        for gate, up, decode in zip(self.gates, self.up, self.decoder, strict=True):
            x = decode(torch.cat([gate(skips.pop(), x), up(x)], dim=1))
        logits: Tensor = self.output(x)  # (n, classes, y, x)
        return logits


class _Gate(nn.Module):
    """Additive attention of a skip (n, s, 2y, 2x) under a coarser signal (n, g, y, x)."""

    def __init__(self, *, skip: int, signal: int) -> None:
        super().__init__()
        between = skip // 2
        self.theta = nn.Conv2d(skip, between, 2, stride=2, bias=False)
        self.phi = nn.Conv2d(signal, between, 1)
        self.psi = nn.Conv2d(between, 1, 1)
        self.attention = nn.Sequential(  # a module, so that the maps can be taken from it
            nn.Sigmoid(), nn.Upsample(scale_factor=2.0, mode="bilinear", align_corners=False)
        )
        self.leave = nn.Sequential(nn.Conv2d(skip, skip, 1, bias=False), nn.BatchNorm2d(skip))

    def forward(self, skip: Tensor, signal: Tensor) -> Tensor:
        together = torch.relu(self.theta(skip) + self.phi(signal))  # (n, s/2, y, x)
        passed: Tensor = self.leave(skip * self.attention(self.psi(together)))  # (n, s, 2y, 2x)
        return passed
