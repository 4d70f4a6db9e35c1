"""Spatial change: everything that moves pixels, in one interpolation.

Rotation, scaling, flips, shift, elastic deformation and the crop are composed into one sampling
grid; planes and labels are read through it once, so nothing is blurred twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from heartseg.augment.draw import smooth_field, uniform
from heartseg.core.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class SpatialChange:
    """How far pixels may move.

    Attributes:
        size_px: rows and columns of the crop that training sees.
        rotation_degrees: uniform in plus or minus this; 180 is the full circle.
        scaling: factor, log-uniform between the two; above 1 the heart grows.
        stretch: one axis against the other, up to this share.
        shift_px: the crop's centre moves by up to this.
        flip: probability of mirroring.
        elastic_px: size of a smooth deformation, standard deviation.
        elastic_knots: its control points an axis.
    """

    size_px: int = 160
    rotation_degrees: float = 180.0
    scaling: tuple[float, float] = (0.75, 1.35)
    stretch: float = 0.1
    shift_px: float = 24.0
    flip: float = 0.5
    elastic_px: float = 2.0
    elastic_knots: int = 6

    def __post_init__(self) -> None:
        low, high = self.scaling
        strengths = (self.rotation_degrees, self.shift_px, self.elastic_px)
        if self.size_px < 1 or self.elastic_knots < 2 or min(strengths) < 0:
            raise ConfigError("spatial", got=str(self), allowed="sizes and strengths from 0")
        if not (0 < low <= high and 0 <= self.stretch < 1 and 0 <= self.flip <= 1):
            raise ConfigError("spatial", got=str(self), allowed="rising scaling, shares in [0, 1]")


def move_planes(
    planes: Tensor,
    labels: Tensor,
    centres: Tensor,
    change: SpatialChange,
    classes: int,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Cut moved crops.

    Args:
        planes: (n, 1, Y, X) prepared planes.
        labels: (n, Y, X) class indices.
        centres: (n, 2) of (y, x), where the crops are centred before the shift.
        change: how far.
        classes: number of classes; labels are interpolated class by class.
        generator: the run's randomness.

    Returns:
        Planes (n, 1, s, s) and labels (n, s, s), s = `change.size_px`.
    """
    grid = as_grid(places_read(centres, change, generator), planes.shape[-2:])
    foreground = torch.arange(1, classes, device=labels.device)[:, None, None]
    shares = (labels[:, None] == foreground).to(planes.dtype)
    stacked = torch.cat([planes, shares], dim=1)
    moved = torch.nn.functional.grid_sample(stacked, grid, align_corners=True)
    background = 1 - moved[:, 1:].sum(1, keepdim=True)
    likeliest = torch.cat([background, moved[:, 1:]], dim=1).argmax(1)
    return moved[:, :1], likeliest


def places_read(centres: Tensor, change: SpatialChange, generator: torch.Generator) -> Tensor:
    """(n, s, s, 2) of (y, x): where in the source each pixel of n moved crops is read, in pixels.

    Args:
        centres: (n, 2) of (y, x), where the crops are centred before the shift.
        change: how far.
        generator: the run's randomness.
    """
    count, side = len(centres), change.size_px
    axis = torch.arange(side, device=centres.device) - (side - 1) / 2
    offsets = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), dim=-1)  # (s, s, 2) of (y, x)
    matrix = _matrices(count, change, generator)
    places = torch.einsum("nij,yxj->nyxi", matrix, offsets)
    places = (
        places + (centres + uniform((count, 2), -1, 1, generator) * change.shift_px)[:, None, None]
    )
    field = smooth_field((count, 2, side, side), change.elastic_knots, generator)
    return places + field.movedim(1, -1) * change.elastic_px


def as_grid(places: Tensor, size: Sequence[int]) -> Tensor:
    """(n, s, s, 2) places (y, x) of a source of `size` rows and columns, as grid_sample has them.

    That is (x, y), -1 on the first and 1 on the last pixel of an axis.
    """
    extent = torch.tensor([size[0] - 1, size[1] - 1], device=places.device)
    return (places / extent * 2 - 1).flip(-1)


def _matrices(count: int, change: SpatialChange, generator: torch.Generator) -> Tensor:
    """(n, 2, 2) from crop offsets to source offsets, both (y, x)."""
    low, high = torch.tensor(change.scaling).log().tolist()
    limit = change.rotation_degrees
    angle = torch.deg2rad(uniform((count,), -limit, limit, generator))
    scale = uniform((count,), low, high, generator).exp()
    stretch = 1 + uniform((count,), -1, 1, generator) * change.stretch
    mirror = torch.where(uniform((count,), 0, 1, generator) < change.flip, -1.0, 1.0)
    cosine, sine = angle.cos(), angle.sin()
    rotation = torch.stack([cosine, -sine, sine, cosine], dim=-1).view(-1, 2, 2)
    across = torch.stack([1 / (scale * stretch), mirror * stretch / scale], dim=-1)
    return rotation * across[:, None, :]
