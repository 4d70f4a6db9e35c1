"""The U-Nets of Sinha et al. 2020 for short-axis cine MR, with and without dropout.

The layer table of the authors' released weights is followed, 8,480,739 parameters: the second
convolution of the first decoder stage goes from 256 to 512 channels (it is the only one that
widens), and so the next transposed convolution from 512 to 128. There is no normalisation. The
paper's sigmoid belongs to the loss: its three channels are not exclusive.

Axes: n planes, c channels, y rows, x columns. Widths and sizes at the ends of lines.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from heartseg.core.errors import ConfigError
from heartseg.models.architecture import Architecture
from heartseg.models.initial import he_truncated

WIDTHS = (32, 64, 128, 256, 512)
"""Channels of the encoder, finest first."""

RISING = ((512, 256, 512), (512, 128, 128), (128, 64, 64), (64, 32, 32))
"""Channels of each decoder stage: into it, after the transposed convolution, out of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CmrUNet(Architecture):
    """Tables I and II of the paper.

    Attributes:
        dropout: share dropped between the two convolutions of every stage and after the lowest.
    """

    paper: ClassVar[str] = "Sinha 2020"
    stride: ClassVar[int] = 16
    native_classes: ClassVar[int] = 3

    dropout: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.dropout < 1:
            raise ConfigError("dropout", got=str(self.dropout), allowed="a share in [0, 1)")

    def build(self, channels: int, classes: int) -> nn.Module:
        """The network with fresh weights."""
        return _CmrUNet(self.dropout, channels, classes)


class _CmrUNet(nn.Module):
    def __init__(self, dropout: float, channels: int, classes: int) -> None:
        super().__init__()
        inputs = (channels, *WIDTHS[:-1])
        self.encoder = nn.ModuleList(
            double(a, b, b, dropout) for a, b in zip(inputs, WIDTHS, strict=True)
        )
        self.dropout = nn.Dropout(dropout)
        self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, stride=2) for a, b, _ in RISING)
        self.decoder = nn.ModuleList(double(2 * b, b, c, dropout) for _, b, c in RISING)
        self.output = nn.Conv2d(WIDTHS[0], classes, 1)
        he_truncated(self)

    def forward(self, pixels: Tensor) -> Tensor:
        x = pixels
        skips = []
        for level, encode in enumerate(self.encoder):
            x = encode(x if level == 0 else nn.functional.max_pool2d(x, 2))  # (n, w, y/2^l, x/2^l)
            skips.append(x)
        x = self.dropout(skips.pop())  # (n, 512, y/16, x/16)
        for up, decode in zip(self.up, self.decoder, strict=True):
            x = decode(torch.cat([up(x), skips.pop()], dim=1))  # 512 128 64 32
        logits: Tensor = self.output(x)  # (n, classes, y, x)
        return logits


def double(inputs: int, middle: int, outputs: int, dropout: float) -> nn.Sequential:
    """Two 3x3 convolutions with dropout between them: (n, inputs, y, x) -> (n, outputs, y, x)."""
    return nn.Sequential(
        nn.Conv2d(inputs, middle, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Dropout(dropout),
        nn.Conv2d(middle, outputs, 3, padding=1),
        nn.ReLU(inplace=True),
    )
