"""PatchGAN (Isola 2017): is every patch of an image real? Convolutions alone, so any size goes.

Three halvings look at patches of 70 x 70 pixels, two at 34 x 34, one at 16 x 16. A patch no larger
than the heart judges texture and edges and cannot ask for a heart of another shape.

Axes: n planes, c channels, y rows, x columns; v, u rows and columns of the answer.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from heartseg.core.errors import ConfigError
from heartseg.models.maker import begin_small

_WIDEST = 8
"""Widths double at each level up to so many times the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchDiscriminator:
    """How wide, and how large a patch.

    Attributes:
        width: channels of the first level.
        halvings: of the image; 3 for the paper's patches of 70 x 70 pixels.
    """

    paper: ClassVar[str] = "Isola 2017"

    width: int = 64
    halvings: int = 3

    def __post_init__(self) -> None:
        if self.width < 1 or not 1 <= self.halvings <= 5:
            got = f"width {self.width}, {self.halvings} halvings"
            raise ConfigError("discriminator", got=got, allowed="width from 1, 1-5 halvings")

    @property
    def field_px(self) -> int:
        """Rows and columns of a patch: the receptive field of one number of the answer."""
        field = 1 + 3 + 3  # two convolutions of 4 x 4 that halve nothing
        for _ in range(self.halvings):
            field = 2 * (field - 1) + 4
        return field

    @property
    def smallest_px(self) -> int:
        """Of an image: normalising takes more than one pixel at the lowest level."""
        return int(3 * 2**self.halvings)

    def build(self, channels: int) -> nn.Sequential:
        """(n, c, y, x) -> (n, 1, v, u), with fresh weights; 1 means real, 0 made."""
        widths = [self.width * min(2**level, _WIDEST) for level in range(self.halvings + 1)]
        layers: list[nn.Module] = [
            nn.Conv2d(channels, widths[0], 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
        ]
        for level in range(1, self.halvings + 1):
            stride = 2 if level < self.halvings else 1
            layers += [
                nn.Conv2d(
                    widths[level - 1], widths[level], 4, stride=stride, padding=1, bias=False
                ),
                nn.InstanceNorm2d(widths[level]),
                nn.LeakyReLU(0.2),
            ]
        network = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 4, padding=1))
        begin_small(network)
        return network
