"""SegResNet (Myronenko 2018) and Swin UNETR (Hatamizadeh 2022) as MONAI builds them.

SegResNet, for planes and volumes, is a residual encoder with a slim decoder and group
normalisation; its variational branch, which regularises on large data, is left out as in most uses.
Swin UNETR attends within shifted windows instead of convolving: the windows are cut while an ONNX
file is traced, so a file answers at the size it was made for, and `free_export` says so. It is here
for planes only: volumes need 64 slices, six times what a heart has, and failed the complete check
(benchmarks/LOG.md, 2026-11-26).

Axes: n images, c channels, then y, x or z, y, x.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from heartseg.core.errors import ConfigError
from heartseg.models.architecture import Architecture


@dataclass(frozen=True, slots=True, kw_only=True)
class SegResNet(Architecture):
    """How wide and deep.

    Attributes:
        axes: 2 for planes, 3 for volumes.
        width: channels of the finest level, a multiple of 8; each level below has twice as many.
        down: residual blocks of each level.
        up: residual blocks of each level of the decoder.
    """

    paper: ClassVar[str] = "Myronenko 2018, by MONAI"

    axes: int = 2
    width: int = 32
    down: tuple[int, ...] = (1, 2, 2, 4)
    up: tuple[int, ...] = (1, 1, 1)

    def __post_init__(self) -> None:
        if self.axes not in (2, 3):
            raise ConfigError("axes", got=str(self.axes), allowed="2 (planes) or 3 (volumes)")
        if self.width < 8 or self.width % 8:
            raise ConfigError("width", got=str(self.width), allowed="multiples of 8")
        if len(self.up) != len(self.down) - 1 or min(*self.down, *self.up) < 1:
            got = f"{self.down} and {self.up}"
            raise ConfigError("down and up", got=got, allowed="at least 1 a level, one less up")

    @property
    def dimensions(self) -> int:
        """As asked for."""
        return self.axes

    @property
    def stride(self) -> int:
        """2 for each level below the finest."""
        return int(2 ** (len(self.down) - 1))

    @property
    def smallest_size(self) -> tuple[int, ...]:
        """At least two pixels along each axis at the deepest level, for its statistics."""
        return (2 * self.stride,) * self.axes

    @property
    def native_size(self) -> tuple[int, ...]:
        """Of the paper's volumes (its z taken for a heart's few slices)."""
        return (256, 256) if self.axes == 2 else (16, 224, 160)

    def build(self, channels: int, classes: int) -> nn.Module:
        """The network with fresh weights."""
        from monai.networks.nets.segresnet import SegResNet as Library

        network: nn.Module = Library(
            spatial_dims=self.axes,
            init_filters=self.width,
            in_channels=channels,
            out_channels=classes,
            blocks_down=self.down,
            blocks_up=self.up,
        )
        return network


@dataclass(frozen=True, slots=True, kw_only=True)
class SwinUNETR(Architecture):
    """How wide.

    Attributes:
        width: channels of the finest level, a multiple of 12.
    """

    paper: ClassVar[str] = "Hatamizadeh 2022, by MONAI"
    free_export: ClassVar[bool] = False
    stride: ClassVar[int] = 32
    smallest_size: ClassVar[tuple[int, ...]] = (64, 64)
    native_size: ClassVar[tuple[int, ...]] = (96, 96)

    width: int = 24

    def __post_init__(self) -> None:
        if self.width < 12 or self.width % 12:
            raise ConfigError("width", got=str(self.width), allowed="multiples of 12")

    def build(self, channels: int, classes: int) -> nn.Module:
        """The network with fresh weights."""
        from monai.networks.nets.swin_unetr import SwinUNETR as Library

        network: nn.Module = Library(
            in_channels=channels,
            out_channels=classes,
            feature_size=self.width,
            spatial_dims=2,
        )
        return network
