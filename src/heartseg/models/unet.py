"""U-Net, compact and padded (Ronneberger, Fischer, Brox 2015), with batch normalisation.

The default network: five poolings reach over the whole heart at 1.5 mm; the widths grow slowly
at the bottom, where planes are small and parameters would not earn their bytes.

Axes: n planes, c channels, y rows, x columns. Level 0 is the finest.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn

from heartseg.core.errors import ConfigError
from heartseg.models.architecture import Architecture


@dataclass(frozen=True, slots=True, kw_only=True)
class UNet(Architecture):
    """How wide, and what is judged in training.

    Attributes:
        widths: channels at each level, finest first.
        supervised: in training every level of the decoder but the finest, which answers anyway, and
            the coarsest has an output of its own (Lee 2015).
    """

    paper: ClassVar[str] = "Ronneberger 2015, compact"

    widths: tuple[int, ...] = (16, 32, 64, 128, 160, 192)
    supervised: bool = False

    def __post_init__(self) -> None:
        if not self.widths or min(self.widths) < 1:
            raise ConfigError(
                "widths", got=str(self.widths), allowed="channels, at least 1 a level"
            )

    @property
    def stride(self) -> int:
        """2 for each pooling."""
        return int(2 ** (len(self.widths) - 1))

    @property
    def deployed(self) -> "UNet":
        """Without the outputs that serve training alone."""
        return replace(self, supervised=False)

    def build(self, channels: int, classes: int) -> nn.Module:
        """The network with fresh weights."""
        return _UNet(self, channels, classes)


class _UNet(nn.Module):
    training_only = ("supervision.",)

    def __init__(self, described: UNet, channels: int, classes: int) -> None:
        super().__init__()
        widths = described.widths
        inputs = (channels, *widths[:-1])
        self.encoder = nn.ModuleList(_double(a, b) for a, b in zip(inputs, widths, strict=True))
        rising = list(pairwise(reversed(widths)))
        self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, stride=2) for a, b in rising)
        self.decoder = nn.ModuleList(_double(2 * b, b) for _, b in rising)
        self.output = nn.Conv2d(widths[0], classes, 1)
        judged = [out for _, out in rising[1:-1]] if described.supervised else []
        self.supervision = nn.ModuleList(nn.Conv2d(width, classes, 1) for width in judged)

    def forward(self, pixels: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = pixels
        skips = []
        for level, encode in enumerate(self.encoder):
            x = encode(x if level == 0 else nn.functional.max_pool2d(x, 2))  # (n, w, y/2^l, x/2^l)
            skips.append(x)
        skips.pop()
        risen = []
        for up, decode in zip(self.up, self.decoder, strict=True):
            x = decode(torch.cat([skips.pop(), up(x)], dim=1))
            risen.append(x)
        logits: Tensor = self.output(x)  # (n, classes, y, x)
        if not (self.training and self.supervision):
            return logits
        coarser = [head(level) for head, level in zip(self.supervision, risen[1:-1], strict=True)]
        return logits, *reversed(coarser)  # finest first: y, y/2, y/4 ...


def _double(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(*_convolution(inputs, outputs), *_convolution(outputs, outputs))


def _convolution(inputs: int, outputs: int) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
