"""The generator of CycleGAN (Zhu 2017), after Johnson 2016: down, residual blocks, up.

A 7x7 convolution, stride-2 convolutions, residual blocks at the lowest level, transposed
convolutions back, a 7x7 convolution. Instance normalisation without scale and shift; borders are
mirrored. Three widths and nine blocks are the paper's for 256 x 256; fewer of both suit small
crops.

Axes: n planes, c channels, y rows, x columns.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from torch import Tensor, nn

from heartseg.core.errors import ConfigError
from heartseg.models.maker import Maker, begin_small


@dataclass(frozen=True, slots=True, kw_only=True)
class ResnetGenerator:
    """How wide and how deep.

    Attributes:
        widths: channels at each level, finest first.
        blocks: residual blocks at the lowest level.
        residual: the answer is a change of the input, which it is to begin with: few steps go
            further, and little is invented.
    """

    paper: ClassVar[str] = "Johnson 2016, Zhu 2017"

    widths: tuple[int, ...] = (64, 128, 256)
    blocks: int = 9
    residual: bool = False

    def __post_init__(self) -> None:
        if not self.widths or min(self.widths) < 1 or self.blocks < 1:
            got = f"widths {self.widths}, {self.blocks} blocks"
            raise ConfigError("generator", got=got, allowed="at least 1 of each")

    @property
    def stride(self) -> int:
        """2 for each level but the first."""
        return int(2 ** (len(self.widths) - 1))

    @property
    def smallest_px(self) -> int:
        """Mirroring and normalising take more than a pixel at the lowest level, 3 at the finest."""
        return max(4, 2 * self.stride)

    def build(self, channels: int) -> Maker:
        """The generator with fresh weights."""
        return _ResnetGenerator(self, channels)

    def encoded_widths(self, channels: int) -> tuple[int, ...]:
        """The pixels, each level below the finest, the first block and the middle one."""
        return (channels, *self.widths[1:], *(self.widths[-1],) * len(_shown(self.blocks)))


def _shown(blocks: int) -> tuple[int, ...]:
    """Blocks whose features are shown: the first, and the middle one where it is another."""
    return tuple(dict.fromkeys((0, blocks // 2)))


class _ResnetGenerator(Maker):
    def __init__(self, described: ResnetGenerator, channels: int) -> None:
        super().__init__(described.residual)
        widths, lowest = described.widths, described.widths[-1]
        self.stem = nn.Sequential(*_wide(channels, widths[0], bias=False), *_normed(widths[0]))
        self.down = nn.ModuleList(_halved(a, b) for a, b in pairwise(widths))
        self.blocks = nn.ModuleList(_Block(lowest) for _ in range(described.blocks))
        self.up = nn.ModuleList(_doubled(a, b) for a, b in pairwise(reversed(widths)))
        self.output = nn.Sequential(*_wide(widths[0], channels, bias=True))
        self._shown = _shown(described.blocks)
        begin_small(self)

    def encoded(self, pixels: Tensor) -> list[Tensor]:
        x = self.stem(2 * pixels - 1)  # (n, w, y, x)
        features = [pixels]
        for down in self.down:
            x = down(x)  # (n, w, y/2, x/2) ...
            features.append(x)
        for number, block in enumerate(self.blocks[: self._shown[-1] + 1]):
            x = block(x)
            if number in self._shown:
                features.append(x)
        return features

    def decoded(self, features: list[Tensor]) -> Tensor:
        x = features[-1]
        for block in self.blocks[self._shown[-1] + 1 :]:
            x = block(x)
        for up in self.up:
            x = up(x)
        answer: Tensor = self.output(x)  # (n, c, y, x)
        return answer


class _Block(nn.Module):
    """Two 3x3 convolutions beside the way past them; no ReLU after the sum."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(width, width, 3, bias=False),
            *_normed(width),
            nn.ReflectionPad2d(1),
            nn.Conv2d(width, width, 3, bias=False),
            nn.InstanceNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        past: Tensor = x + self.layers(x)
        return past


def _wide(inputs: int, outputs: int, *, bias: bool) -> list[nn.Module]:
    return [nn.ReflectionPad2d(3), nn.Conv2d(inputs, outputs, 7, bias=bias)]


def _normed(width: int) -> list[nn.Module]:
    return [nn.InstanceNorm2d(width), nn.ReLU()]


def _halved(inputs: int, outputs: int) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False)
    return nn.Sequential(convolution, *_normed(outputs))


def _doubled(inputs: int, outputs: int) -> nn.Sequential:
    convolution = nn.ConvTranspose2d(
        inputs, outputs, 3, stride=2, padding=1, output_padding=1, bias=False
    )
    return nn.Sequential(convolution, *_normed(outputs))
