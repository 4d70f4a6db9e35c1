"""U-Net as it was published (Ronneberger, Fischer, Brox 2015): valid convolutions, 572 -> 388.

Every 3x3 convolution loses a pixel on each side, so that the answer covers the middle of the tile
only; a plane is segmented tile by tile, its borders mirrored (`heartseg.segment.window`). Dropout
stands at the end of the contracting path, where the authors' own network has it: after the last
two of its stages.

Axes: n planes, c channels, y rows, x columns. Level 0 is the finest. Sizes at the ends of lines are
those of the paper's figure 1.
"""

import math
from dataclasses import dataclass
from itertools import count, pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn

from heartseg.core.errors import ConfigError
from heartseg.models.architecture import Architecture


@dataclass(frozen=True, slots=True, kw_only=True)
class UNet2015(Architecture):
    """The paper's figure 1.

    Attributes:
        widths: channels at each level, finest first.
        dropout: share of the features dropped at the end of the contracting path.
    """

    paper: ClassVar[str] = "Ronneberger 2015"
    native_classes: ClassVar[int] = 2
    native_size: ClassVar[tuple[int, ...]] = (572, 572)

    widths: tuple[int, ...] = (64, 128, 256, 512, 1024)
    dropout: float = 0.5

    def __post_init__(self) -> None:
        if not self.widths or min(self.widths) < 1 or not 0 <= self.dropout < 1:
            raise ConfigError("unet-2015", got=str(self), allowed="widths >= 1, dropout in [0, 1)")

    @property
    def stride(self) -> int:
        """2 for each pooling: each must find an even number of rows and columns."""
        return int(2 ** (len(self.widths) - 1))

    @property
    def margin(self) -> int:
        """A pixel of its level for each of two convolutions, on the way down and on that up."""
        return 6 * self.stride - 4

    @property
    def smallest_size(self) -> tuple[int, ...]:
        """What leaves at least one pixel; `b` is the size of the coarsest level, 32 for 572."""
        sizes = (self.stride * b + 4 * (self.stride - 1) for b in count(5))
        side = next(size for size in sizes if size > 2 * self.margin)
        return (side, side)

    def build(self, channels: int, classes: int) -> nn.Module:
        """The network with fresh weights."""
        return _UNet2015(self.widths, self.dropout, channels, classes)


class _UNet2015(nn.Module):
    def __init__(
        self, widths: tuple[int, ...], dropout: float, channels: int, classes: int
    ) -> None:
        super().__init__()
        inputs = (channels, *widths[:-1])
        self.encoder = nn.ModuleList(_double(a, b) for a, b in zip(inputs, widths, strict=True))
        self.dropout = nn.Dropout(dropout)
        rising = list(pairwise(reversed(widths)))
        self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, stride=2) for a, b in rising)
        self.decoder = nn.ModuleList(_double(2 * b, b) for _, b in rising)
        self.output = nn.Conv2d(widths[0], classes, 1)
        self.apply(_gaussian)

    def forward(self, pixels: Tensor) -> Tensor:
        x = pixels  # (n, channels, 572, 572)
        skips = []
        for level, encode in enumerate(self.encoder):
            x = encode(x if level == 0 else nn.functional.max_pool2d(x, 2))  # 568 280 136 64 28
            if level >= len(self.encoder) - 2:
                x = self.dropout(x)
            skips.append(x)
        skips.pop()
        crop = 4
        for up, decode in zip(self.up, self.decoder, strict=True):
            skip = skips.pop()[:, :, crop:-crop, crop:-crop]  # 56 104 200 392
            x = decode(torch.cat([skip, up(x)], dim=1))  # 52 100 196 388
            crop = 2 * (crop + 4)
        logits: Tensor = self.output(x)  # (n, classes, 388, 388)
        return logits


def _double(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3),
        nn.ReLU(inplace=True),
        nn.Conv2d(outputs, outputs, 3),
        nn.ReLU(inplace=True),
    )


def _gaussian(layer: nn.Module) -> None:
    """Section 3: standard deviation sqrt(2 / N), N the incoming nodes of one neuron."""
    if isinstance(layer, nn.Conv2d):
        nn.init.normal_(layer.weight, std=math.sqrt(2 / layer.weight[0].numel()))
        nn.init.zeros_(_bias(layer))
    if isinstance(layer, nn.ConvTranspose2d):  # stride = kernel: one tap of each input channel
        nn.init.normal_(layer.weight, std=math.sqrt(2 / layer.in_channels))
        nn.init.zeros_(_bias(layer))


def _bias(layer: nn.Conv2d | nn.ConvTranspose2d) -> Tensor:
    if layer.bias is None:
        raise ConfigError("unet-2015", got="a convolution without bias")
    return layer.bias
