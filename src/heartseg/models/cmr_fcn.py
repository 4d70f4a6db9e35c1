"""The fully convolutional network of Sinha et al. 2020 for short-axis cine MR.

The authors' released weights hold 7,697,379 parameters: their U-Net with dropout, its odd 256 to
512 convolution included, without any concatenation. Their Table VII prints 7,564,259, which no
released file matches; what was released is built here.

Axes: n planes, c channels, y rows, x columns. Widths and sizes at the ends of lines.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from heartseg.core.errors import ConfigError
from heartseg.models.architecture import Architecture
from heartseg.models.cmr_unet import RISING, WIDTHS, double
from heartseg.models.initial import he_truncated


@dataclass(frozen=True, slots=True, kw_only=True)
class CmrFCN(Architecture):
    """Table IV of the paper, as released.

    Attributes:
        dropout: share dropped between the two convolutions of every stage and after the lowest.
    """

    paper: ClassVar[str] = "Sinha 2020"
    stride: ClassVar[int] = 16
    native_classes: ClassVar[int] = 3

    dropout: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.dropout < 1:
            raise ConfigError("dropout", got=str(self.dropout), allowed="a share in [0, 1)")

    def build(self, channels: int, classes: int) -> nn.Module:
        """The network with fresh weights."""
        return _CmrFCN(self.dropout, channels, classes)


class _CmrFCN(nn.Module):
    def __init__(self, dropout: float, channels: int, classes: int) -> None:
        super().__init__()
        inputs = (channels, *WIDTHS[:-1])
        self.encoder = nn.ModuleList(
            double(a, b, b, dropout) for a, b in zip(inputs, WIDTHS, strict=True)
        )
        self.dropout = nn.Dropout(dropout)
        self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, stride=2) for a, b, _ in RISING)
        self.decoder = nn.ModuleList(double(b, b, c, dropout) for _, b, c in RISING)
        self.output = nn.Conv2d(WIDTHS[0], classes, 1)
        he_truncated(self)

    def forward(self, pixels: Tensor) -> Tensor:
        x = pixels
        for level, encode in enumerate(self.encoder):
            x = encode(x if level == 0 else nn.functional.max_pool2d(x, 2))  # (n, w, y/2^l, x/2^l)
        x = self.dropout(x)  # (n, 512, y/16, x/16)
        for up, decode in zip(self.up, self.decoder, strict=True):
            x = decode(up(x))  # 512 128 64 32
        logits: Tensor = self.output(x)  # (n, classes, y, x)
        return logits
