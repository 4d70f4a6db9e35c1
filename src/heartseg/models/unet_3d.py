"""3-D U-Net as it was published (Çiçek and others 2016): 132 x 132 x 116 voxels -> 44 x 44 x 28.

Four levels of two valid 3x3x3 convolutions with batch normalisation before each ReLU. To have no
bottleneck, the second convolution of a level on the way down doubles the channels, already before
the pooling; the deconvolutions keep theirs. Convolutions have a bias, deconvolutions none: so the
convolutions hold the 19,069,955 weights that the paper counts. The answer covers the middle of
the input only: a volume is segmented tile by tile (`heartseg.segment.window`). The paper does not
say how weights begin; He's normal distribution is taken.

Axes: n volumes, c channels, z slices, y rows, x columns. Level 0 is the finest. The paper writes
its sizes as x, y, z; those at the ends of lines are of its figure 2 in our order, z, y, x.
"""

from dataclasses import dataclass
from itertools import count
from typing import ClassVar, Literal, get_args

import torch
from torch import Tensor, nn

from heartseg.core.errors import ConfigError
from heartseg.models.architecture import Architecture

Normalisation = Literal["batch", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UNet3D(Architecture):
    """The paper's figure 2.

    Attributes:
        widths: channels of the second convolution of each level, finest first; even numbers, as
            the first one of the finest level has half of its.
        normalisation: `batch` before each ReLU, or `none`: the paper compares them.
    """

    paper: ClassVar[str] = "Çiçek 2016"
    dimensions: ClassVar[int] = 3
    native_channels: ClassVar[int] = 3
    native_classes: ClassVar[int] = 3
    native_size: ClassVar[tuple[int, ...]] = (116, 132, 132)

    widths: tuple[int, ...] = (64, 128, 256, 512)
    normalisation: Normalisation = "batch"

    def __post_init__(self) -> None:
        require_widths("unet-3d", self.widths)
        require_normalisation(self.normalisation)

    @property
    def stride(self) -> int:
        """2 for each pooling: each must find an even number of voxels along each axis."""
        return int(2 ** (len(self.widths) - 1))

    @property
    def margin(self) -> int:
        """A voxel of its level for each of two convolutions, on the way down and on that up."""
        return 6 * self.stride - 4

    @property
    def smallest_size(self) -> tuple[int, ...]:
        """What leaves at least one voxel; `b` is the size of the coarsest level, 13 for 132."""
        sizes = (self.stride * b + 4 * (self.stride - 1) for b in count(5))
        side = next(size for size in sizes if size > 2 * self.margin)
        return (side, side, side)

    def build(self, channels: int, classes: int) -> nn.Module:
        """The network with fresh weights."""
        return _UNet3D(self, channels, classes)


class _UNet3D(nn.Module):
    def __init__(self, described: UNet3D, channels: int, classes: int) -> None:
        super().__init__()
        widths, kind = described.widths, described.normalisation
        inputs = (channels, *widths[:-1])
        halves = (widths[0] // 2, *widths[:-1])
        self.encoder = nn.ModuleList(
            _double(a, b, c, kind) for a, b, c in zip(inputs, halves, widths, strict=True)
        )
        rising = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.up = nn.ModuleList(
            nn.ConvTranspose3d(below, below, 2, stride=2, bias=False) for below, _ in rising
        )
        self.decoder = nn.ModuleList(
            _double(below + skip, skip, skip, kind) for below, skip in rising
        )
        self.output = nn.Conv3d(widths[0], classes, 1)
        self.apply(begin_normal)

    def forward(self, voxels: Tensor) -> Tensor:
        x = voxels  # (n, 3, 116, 132, 132)
        skips = []
        for level, encode in enumerate(self.encoder):
            x = x if level == 0 else nn.functional.max_pool3d(x, 2)  # 56 64 64, 26 30 30, 11 13 13
            x = encode(x)  # 64: 112 128 128, 128: 52 60 60, 256: 22 26 26, 512: 7 9 9
            skips.append(x)
        skips.pop()
        crop = 4
        for up, decode in zip(self.up, self.decoder, strict=True):
            skip = skips.pop()[:, :, crop:-crop, crop:-crop, crop:-crop]
            x = torch.cat([skip, up(x)], dim=1)  # 256+512: 14 18 18, 128+256: 20 28 28, 64+128: 32
            x = decode(x)  # 256: 10 14 14, 128: 16 24 24, 64: 28 44 44
            crop = 2 * (crop + 4)
        logits: Tensor = self.output(x)  # (n, classes, 28, 44, 44)
        return logits


def _double(inputs: int, between: int, outputs: int, kind: Normalisation) -> nn.Sequential:
    layers: list[nn.Module] = []
    for a, b in ((inputs, between), (between, outputs)):
        layers += [nn.Conv3d(a, b, 3), *normalised(b, kind), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def normalised(channels: int, kind: Normalisation) -> list[nn.Module]:
    """The layers between a convolution of a volume and its ReLU; none without normalisation."""
    return [nn.BatchNorm3d(channels)] if kind == "batch" else []


def require_normalisation(kind: str) -> None:
    """Refuse a kind that is none of `Normalisation`.

    Raises:
        ConfigError: with those that there are.
    """
    if kind not in get_args(Normalisation):
        allowed = ", ".join(get_args(Normalisation))
        raise ConfigError("normalisation", got=repr(kind), allowed=allowed)


def require_widths(what: str, widths: tuple[int, ...]) -> None:
    """Refuse widths whose finest level cannot begin with half of its channels.

    Raises:
        ConfigError: none, below 2, or an odd first one.
    """
    if not widths or min(widths) < 2 or widths[0] % 2:
        raise ConfigError(what, got=f"widths {widths}", allowed="at least 2 each, the first even")


def begin_normal(layer: nn.Module) -> None:
    """He's normal distribution for kernels that a ReLU follows, biases 0."""
    if isinstance(layer, (nn.Conv3d, nn.ConvTranspose3d)):
        # A deconvolution as long as its stride: one tap of each input channel makes a voxel.
        taps = layer.weight[0].numel() if isinstance(layer, nn.Conv3d) else layer.in_channels
        nn.init.normal_(layer.weight, std=(2 / taps) ** 0.5)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
