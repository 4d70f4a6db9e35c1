"""3-D U-Net for stacks of few, thick slices: padded, and shaped by the spacing of the voxels.

The network of Çiçek 2016 (`unet_3d.py`) halves all axes alike. A short-axis stack has ten slices
of 10 mm and two hundred rows of 1.5 mm: there an axis is convolved and halved only where its
spacing is less than twice the finest one, as nnU-Net plans its networks (Isensee 2021). Poolings
make the plane coarser until the slices join in: 10 x 1.5 x 1.5 mm, 10 x 3 x 3, then 10 x 6 x 6 mm,
from where on convolutions are 3x3x3 and poolings take all three axes. So sizes along z are
multiples of 4 slices; to a stack of another number, mirrored slices are added and not answered.

Axes: n volumes, c channels, z slices, y rows, x columns. Level 0 is the finest. Numbers at the ends
of lines are of the default settings.
"""

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import torch
from torch import Tensor, nn

from heartseg.core.errors import ConfigError
from heartseg.models.architecture import Architecture, PerAxis
from heartseg.models.unet_3d import (
    Normalisation,
    begin_normal,
    normalised,
    require_normalisation,
    require_widths,
)

Axes = tuple[int, int, int]
Spacing = tuple[float, float, float]

APART = 2.0
"""An axis waits while its spacing is this many times the finest one, or more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UNet3DAnisotropic(Architecture):
    """How wide and deep, and for which voxels.

    Attributes:
        widths: channels of the second convolution of each level, finest first; even numbers, as
            the first one of the finest level has half of its.
        spacing_mm: of the prepared voxels that the network is made for, (z, y, x). Others may be
            shown to it: it decides kernels and poolings, nothing else.
        normalisation: `batch` before each ReLU, or `none`.
    """

    paper: ClassVar[str] = "Çiçek 2016, padded, by spacing as Isensee 2021"
    dimensions: ClassVar[int] = 3
    native_size: ClassVar[tuple[int, ...]] = (12, 224, 224)

    widths: tuple[int, ...] = (16, 32, 64, 128, 192)
    spacing_mm: Spacing = (10.0, 1.5, 1.5)
    normalisation: Normalisation = "batch"

    def __post_init__(self) -> None:
        require_widths("unet-3d-anisotropic", self.widths)
        require_normalisation(self.normalisation)
        if not 0 < min(self.spacing_mm) <= max(self.spacing_mm) <= 100:
            raise ConfigError("spacing_mm", got=str(self.spacing_mm), allowed="(z, y, x) to 100 mm")

    @property
    def kernels(self) -> tuple[Axes, ...]:
        """Of the convolutions of each level: 3 along the axes that take part, else 1."""
        return tuple(_triple(_taking_part(spacing), 3) for spacing in self._spacings)

    @property
    def poolings(self) -> tuple[Axes, ...]:
        """Before each level but the first: 2 along the axes that take part, else 1."""
        return tuple(_triple(_taking_part(spacing), 2) for spacing in self._spacings[:-1])

    @property
    def _spacings(self) -> list[Spacing]:
        """In mm, of each level."""
        found = [self.spacing_mm]
        for _ in self.widths[1:]:
            z, y, x = _triple(_taking_part(found[-1]), 2)
            found.append((found[-1][0] * z, found[-1][1] * y, found[-1][2] * x))
        return found

    @property
    def stride(self) -> PerAxis:
        """What all poolings together divide by, along each axis: 4, 16, 16."""
        return tuple(prod(one[axis] for one in self.poolings) for axis in range(3))

    def build(self, channels: int, classes: int) -> nn.Module:
        """The network with fresh weights."""
        return _UNet3DAnisotropic(self, channels, classes)


class _UNet3DAnisotropic(nn.Module):
    def __init__(self, described: UNet3DAnisotropic, channels: int, classes: int) -> None:
        super().__init__()
        widths, kernels, self.poolings = described.widths, described.kernels, described.poolings
        kind = described.normalisation
        inputs = (channels, *widths[:-1])
        halves = (widths[0] // 2, *widths[:-1])
        self.encoder = nn.ModuleList(
            _double(a, b, c, kernel, kind)
            for a, b, c, kernel in zip(inputs, halves, widths, kernels, strict=True)
        )
        rising = range(len(widths) - 2, -1, -1)  # coarsest first
        self.up = nn.ModuleList(
            nn.ConvTranspose3d(
                *(widths[at + 1], widths[at + 1], self.poolings[at], self.poolings[at]), bias=False
            )
            for at in rising
        )
        self.decoder = nn.ModuleList(
            _double(widths[at + 1] + widths[at], widths[at], widths[at], kernels[at], kind)
            for at in rising
        )
        self.output = nn.Conv3d(widths[0], classes, 1)
        self.apply(begin_normal)

    def forward(self, voxels: Tensor) -> Tensor:
        x = self.encoder[0](voxels)  # (n, 16, z, y, x)
        skips = [x]
        for pooling, encode in zip(self.poolings, list(self.encoder)[1:], strict=True):
            x = encode(nn.functional.max_pool3d(x, pooling))  # z y/2, z y/4, z/2 y/8, z/4 y/16
            skips.append(x)
        skips.pop()
        for up, decode in zip(self.up, self.decoder, strict=True):
            x = decode(torch.cat([skips.pop(), up(x)], dim=1))
        logits: Tensor = self.output(x)  # (n, classes, z, y, x)
        return logits


def _taking_part(spacing: Spacing) -> tuple[bool, bool, bool]:
    """The axes that are fine enough beside the finest one."""
    z, y, x = (length < APART * min(spacing) for length in spacing)
    return z, y, x


def _triple(axes: tuple[bool, bool, bool], number: int) -> Axes:
    z, y, x = (number if one else 1 for one in axes)
    return z, y, x


def _double(
    inputs: int, between: int, outputs: int, kernel: Axes, kind: Normalisation
) -> nn.Sequential:
    padding = tuple(length // 2 for length in kernel)
    layers: list[nn.Module] = []
    for a, b in ((inputs, between), (between, outputs)):
        bias = kind == "none"  # batch normalisation takes the mean away: a bias would be lost
        convolution = nn.Conv3d(a, b, kernel, padding=padding, bias=bias)  # type: ignore[arg-type]
        layers += [convolution, *normalised(b, kind), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)
