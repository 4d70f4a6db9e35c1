"""U-Net with a residual encoder (Isensee and others 2024, "nnU-Net revisited"), 2-D and 3-D.

The encoder does most of the work: 1, 3, 4, 6 ... residual blocks a level against one convolution a
level in the decoder. Instance normalisation and leaky ReLU throughout; a block that halves does it
in its first convolution, and its shortcut by average pooling and a 1x1 convolution. Every level of
the decoder but the coarsest is supervised in training.

Short-axis volumes have few, thick slices: the 3-D entry of the table pools z twice and the plane
five times, and its finest level convolves within the slice.

Axes: n images, c channels, then y, x or z, y, x. Level 0 is the finest.
"""

from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from heartseg.core.errors import ConfigError
from heartseg.models.architecture import Architecture, PerAxis

Sizes = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidualUNet(Architecture):
    """How wide, how deep, and what each level halves.

    Attributes:
        widths: channels of each level, finest first.
        blocks: residual blocks of each level.
        poolings: before each level but the first, its stride along (y, x) or (z, y, x).
        supervised: the levels below the finest have an output of their own in training.
    """

    paper: ClassVar[str] = "Isensee 2024, residual encoder"

    widths: tuple[int, ...] = (32, 64, 128, 256, 512, 512)
    blocks: tuple[int, ...] = (1, 3, 4, 6, 6, 6)
    poolings: tuple[Sizes, ...] = ((2, 2),) * 5
    supervised: bool = True

    def __post_init__(self) -> None:
        levels = len(self.widths)
        if levels < 2 or len(self.blocks) != levels or len(self.poolings) != levels - 1:
            got = f"{levels} widths, {len(self.blocks)} blocks, {len(self.poolings)} poolings"
            raise ConfigError("model", got=got, allowed="one of each a level, at least two levels")
        if {len(one) for one in self.poolings} not in ({2}, {3}):
            raise ConfigError("poolings", got=str(self.poolings), allowed="all (y, x) or (z, y, x)")
        if min(*self.widths, *self.blocks, *(p for one in self.poolings for p in one)) < 1:
            raise ConfigError("model", got=str(self), allowed="counts of at least 1")

    @property
    def dimensions(self) -> int:
        """As many as a pooling has."""
        return len(self.poolings[0])

    @property
    def stride(self) -> PerAxis:
        """What all poolings together divide by, along each axis."""
        return tuple(prod(one[axis] for one in self.poolings) for axis in range(self.dimensions))

    @property
    def smallest_size(self) -> Sizes:
        """Two pixels a plane's axis at the deepest level: one pixel cannot be normalised."""
        strides = tuple(prod(one[axis] for one in self.poolings) for axis in range(self.dimensions))
        return (*strides[:-2], *(2 * stride for stride in strides[-2:]))

    @property
    def native_size(self) -> Sizes:
        """Of nnU-Net's plans for ACDC, to the next multiple of the stride."""
        return (256, 224) if self.dimensions == 2 else (20, 256, 224)

    @property
    def deployed(self) -> "ResidualUNet":
        """Without the outputs that serve training alone."""
        return ResidualUNet(
            widths=self.widths, blocks=self.blocks, poolings=self.poolings, supervised=False
        )

    def build(self, channels: int, classes: int) -> nn.Module:
        """The network with fresh weights."""
        return _ResidualUNet(self, channels, classes)


class _ResidualUNet(nn.Module):
    training_only = ("supervision.",)

    def __init__(self, described: ResidualUNet, channels: int, classes: int) -> None:
        super().__init__()
        widths, poolings = described.widths, described.poolings
        layers = _Layers(described.dimensions)
        kernels = [layers.kernel(flat=poolings[0][0] == 1), *[layers.kernel()] * len(poolings)]
        whole = (1,) * described.dimensions
        self.stem = layers.normalised(channels, widths[0], kernels[0])
        inputs = (widths[0], *widths[:-1])
        self.encoder = nn.ModuleList(
            layers.level(count, a, b, kernel=kernel, stride=stride)
            for count, a, b, kernel, stride in zip(
                described.blocks, inputs, widths, kernels, (whole, *poolings), strict=True
            )
        )
        rising = range(len(widths) - 2, -1, -1)  # coarsest first
        self.up = nn.ModuleList(
            layers.transposed(widths[at + 1], widths[at], poolings[at]) for at in rising
        )
        self.decoder = nn.ModuleList(
            layers.normalised(2 * widths[at], widths[at], kernels[at]) for at in rising
        )
        self.output = layers.output(widths[0], classes)
        supervised = list(rising)[1:-1] if described.supervised else []
        self.supervision = nn.ModuleList(layers.output(widths[at], classes) for at in supervised)

    def forward(self, pixels: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.stem(pixels)
        skips = []
        for encode in self.encoder:
            x = encode(x)  # (n, width of the level, y/2^l, x/2^l)
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


class _Residual(nn.Module):
    def __init__(self, layers: "_Layers", inputs: int, outputs: int, kernel: Sizes, stride: Sizes):
        super().__init__()
        self.body = nn.Sequential(
            layers.normalised(inputs, outputs, kernel, stride),
            layers.convolution(outputs, outputs, kernel),
            layers.norm(outputs),
        )
        shortcut: list[nn.Module] = []
        if max(stride) > 1:
            shortcut.append(layers.average(stride, stride))
        if inputs != outputs:
            shortcut += [layers.convolution(inputs, outputs, (1,) * len(kernel))]
            shortcut += [layers.norm(outputs)]
        self.shortcut = nn.Sequential(*shortcut)
        self.active = nn.LeakyReLU(0.01, inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.active(self.body(x) + self.shortcut(x))
        return y


class _Layers:
    """The layers of torch for so many dimensions."""

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions
        by_dimension: dict[int, tuple[Any, Any, Any, Any]] = {
            2: (nn.Conv2d, nn.ConvTranspose2d, nn.InstanceNorm2d, nn.AvgPool2d),
            3: (nn.Conv3d, nn.ConvTranspose3d, nn.InstanceNorm3d, nn.AvgPool3d),
        }
        self._plain, self._transposed, self._norm, self.average = by_dimension[dimensions]

    def kernel(self, *, flat: bool = False) -> Sizes:
        """3 along each axis; flat ones stay within the slice of a volume."""
        depth = 1 if flat and self.dimensions == 3 else 3
        return (depth, *(3,) * (self.dimensions - 1))

    def convolution(self, a: int, b: int, kernel: Sizes, stride: Sizes | None = None) -> nn.Module:
        """Padded, without a bias: a normalisation follows."""
        padding = tuple(length // 2 for length in kernel)
        made: nn.Module = self._plain(a, b, kernel, stride or 1, padding, bias=False)
        nn.init.kaiming_normal_(made.weight, a=0.01, nonlinearity="leaky_relu")  # type: ignore[arg-type]
        return made

    def norm(self, channels: int) -> nn.Module:
        """Instance normalisation with scale and shift."""
        made: nn.Module = self._norm(channels, affine=True)
        return made

    def normalised(
        self, a: int, b: int, kernel: Sizes, stride: Sizes | None = None
    ) -> nn.Sequential:
        """Convolution, instance normalisation, leaky ReLU."""
        convolution = self.convolution(a, b, kernel, stride)
        return nn.Sequential(convolution, self.norm(b), nn.LeakyReLU(0.01, inplace=True))

    def level(self, count: int, a: int, b: int, *, kernel: Sizes, stride: Sizes) -> nn.Sequential:
        """Residual blocks, the first of which widens and halves."""
        first = _Residual(self, a, b, kernel, stride)
        rest = [_Residual(self, b, b, kernel, (1,) * len(stride)) for _ in range(count - 1)]
        return nn.Sequential(first, *rest)

    def transposed(self, a: int, b: int, stride: Sizes) -> nn.Module:
        """Up-sampling by the stride, without overlap."""
        made: nn.Module = self._transposed(a, b, stride, stride)
        return made

    def output(self, a: int, classes: int) -> nn.Module:
        """1x1 to logits."""
        made: nn.Module = self._plain(a, classes, 1)
        return made
