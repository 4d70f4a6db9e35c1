"""The U-Net generator of pix2pix (Isola 2017): 4x4 convolutions of stride 2, and skips.

The skips carry every edge to the answer, so that little moves; what is far away reaches a pixel
through the lowest level only. Instance normalisation without scale and shift, none at the finest
level and at the lowest, which may be a single pixel. Dropout, pix2pix's source of chance, is left
out: a translation of an examination has to be the same twice.

Axes: n planes, c channels, y rows, x columns.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from heartseg.core.errors import ConfigError
from heartseg.models.maker import Maker, begin_small


@dataclass(frozen=True, slots=True, kw_only=True)
class UNetGenerator:
    """How wide and how deep.

    Attributes:
        widths: channels after each halving, finest first; eight levels are pix2pix's for 256 x 256.
        residual: the answer is a change of the input, which it is to begin with: few steps go
            further, and little is invented.
    """

    paper: ClassVar[str] = "Isola 2017"

    widths: tuple[int, ...] = (64, 128, 256, 512, 512)
    residual: bool = False

    def __post_init__(self) -> None:
        if not self.widths or min(self.widths) < 1:
            got = str(self.widths)
            raise ConfigError("generator.widths", got=got, allowed="at least 1 a level")

    @property
    def stride(self) -> int:
        """2 for each level."""
        return int(2 ** len(self.widths))

    @property
    def smallest_px(self) -> int:
        """One pixel is left at the lowest level; normalising takes more than one above it."""
        return self.stride

    def build(self, channels: int) -> Maker:
        """The generator with fresh weights."""
        return _UNetGenerator(self, channels)

    def encoded_widths(self, channels: int) -> tuple[int, ...]:
        """The pixels, and each level."""
        return (channels, *self.widths)


class _UNetGenerator(Maker):
    def __init__(self, described: UNetGenerator, channels: int) -> None:
        super().__init__(described.residual)
        widths = described.widths
        last = len(widths) - 1
        inputs = (channels, *widths[:-1])
        self.down = nn.ModuleList(
            _halved(a, b, first=level == 0, normed=0 < level < last)
            for level, (a, b) in enumerate(zip(inputs, widths, strict=True))
        )
        self.up = nn.ModuleList(
            _doubled(widths[level] * (1 if level == last else 2), widths[level - 1])
            for level in range(last, 0, -1)
        )
        lowest = widths[0] * (2 if last else 1)
        self.output = nn.Sequential(
            nn.ReLU(), nn.ConvTranspose2d(lowest, channels, 4, stride=2, padding=1)
        )
        begin_small(self)

    def encoded(self, pixels: Tensor) -> list[Tensor]:
        features, x = [pixels], 2 * pixels - 1
        for down in self.down:
            x = down(x)  # (n, w, y/2, x/2), (n, w, y/4, x/4) ...
            features.append(x)
        return features

    def decoded(self, features: list[Tensor]) -> Tensor:
        *skips, x = features[1:]
        for up in self.up:
            x = torch.cat([skips.pop(), up(x)], dim=1)
        answer: Tensor = self.output(x)  # (n, c, y, x)
        return answer


def _halved(inputs: int, outputs: int, *, first: bool, normed: bool) -> nn.Sequential:
    before = [] if first else [nn.LeakyReLU(0.2)]
    convolution = nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=not normed)
    after = [nn.InstanceNorm2d(outputs)] if normed else []
    return nn.Sequential(*before, convolution, *after)


def _doubled(inputs: int, outputs: int) -> nn.Sequential:
    convolution = nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=False)
    return nn.Sequential(nn.ReLU(), convolution, nn.InstanceNorm2d(outputs))
