"""Spatial change: everything that moves pixels, in one interpolation.

Resizing, the crop, rotation, scaling, flips, shift and elastic deformation are composed into one
sampling grid; planes and labels are read through it once, so nothing is blurred twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from heartseg.augment.draw import chosen, smooth_field, uniform
from heartseg.augment.presets import SPATIAL
from heartseg.core.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class SpatialChange:
    """How far pixels may move.

    Attributes:
        size_px: rows and columns of the crop that training sees.
        resize_px: the whole plane is first resized to this many rows and columns, and the crop
            lies anywhere in it; equal to `size_px`, the whole plane is seen. None: the plane
            keeps its pixels, and crops lie about the heart.
        chance: probability that a plane is turned, scaled, stretched and shifted at all.
        rotation_degrees: uniform in plus or minus this; 180 is the full circle.
        scaling: factor, log-uniform between the two; above 1 the heart grows.
        stretch: one axis against the other, up to this share.
        shift_px: the crop's centre moves by up to this.
        shift_share: and by up to this share of the plane's rows and columns more.
        flip: probability of mirroring.
        elastic_px: standard deviation of the displacements at the control points of a smooth
            deformation; between these it is bicubic (Ronneberger 2015: 10 pixels, 3 x 3 points).
        elastic_knots: its control points an axis, the outermost at the crop's corners.
        reverse: probability that the slices shown with a plane change sides, so that a network
            does not rely on where base and apex are; of planes shown alone there is none.
    """

    size_px: int = 160
    resize_px: int | None = None
    chance: float = 1.0
    rotation_degrees: float = 180.0
    scaling: tuple[float, float] = (0.75, 1.35)
    stretch: float = 0.1
    shift_px: float = 24.0
    shift_share: float = 0.0
    flip: float = 0.5
    elastic_px: float = 2.0
    elastic_knots: int = 6
    reverse: float = 0.5

    def __post_init__(self) -> None:
        low, high = self.scaling
        strengths = (self.rotation_degrees, self.shift_px, self.shift_share, self.elastic_px)
        if self.size_px < 1 or self.elastic_knots < 2 or min(strengths) < 0:
            raise ConfigError("spatial", got=str(self), allowed="sizes and strengths from 0")
        if not (0 < low <= high and 0 <= self.stretch < 1):
            raise ConfigError("spatial", got=str(self), allowed="rising scaling, stretch below 1")
        if not (0 <= self.flip <= 1 and 0 <= self.reverse <= 1):
            raise ConfigError("spatial", got=str(self), allowed="flip and reverse in [0, 1]")
        if not 0 <= self.chance <= 1 or self.shift_share > 1:
            raise ConfigError("spatial", got=str(self), allowed="chance and shift_share in [0, 1]")
        if self.resize_px is not None and self.resize_px < self.size_px:
            raise ConfigError(
                "spatial.resize_px", got=str(self), allowed="size_px or more, or none"
            )

    @classmethod
    def presets(cls) -> Mapping[str, "SpatialChange"]:
        """What a table of settings may start from, by `preset = "..."`."""
        return {name: cls(**settings) for name, settings in SPATIAL.items()}


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
        planes: (n, channels, Y, X) prepared planes; all channels of one move together.
        labels: (n, Y, X) class indices.
        centres: (n, 2) of (y, x), where the crops are centred before the shift; not looked at
            where planes are resized.
        change: how far.
        classes: number of classes; labels are interpolated class by class.
        generator: the run's randomness.

    Returns:
        Planes (n, channels, s, s) and labels (n, s, s), s = `change.size_px`.
    """
    size, channels = planes.shape[-2:], planes.shape[1]
    grid = as_grid(places_read(centres, size, change, generator), size)
    foreground = torch.arange(1, classes, dtype=labels.dtype, device=labels.device)[:, None, None]
    stacked = planes.new_empty((len(planes), channels + classes - 1, *size))
    stacked[:, :channels] = planes
    torch.eq(labels[:, None], foreground, out=stacked[:, channels:])  # beside it shares of classes
    moved = torch.nn.functional.grid_sample(stacked, grid, align_corners=True)
    return moved[:, :channels], likeliest(moved[:, channels:], 1)


def likeliest(shares: Tensor, axis: int) -> Tensor:
    """Class indices by the largest share, the first of equal ones.

    Args:
        shares: of classes 1 and on, along `axis`; the background has what they leave of 1.
        axis: which is not in the answer.
    """
    largest = 1 - shares.sum(axis)
    found = torch.zeros_like(largest, dtype=torch.long)
    # On a processor argmax over an axis that is not the last is ten times as slow.
    for index, share in enumerate(shares.unbind(axis), start=1):
        found = torch.where(share > largest, index, found)
        largest = torch.maximum(largest, share)
    return found


def places_read(
    centres: Tensor, size: torch.Size, change: SpatialChange, generator: torch.Generator
) -> Tensor:
    """(n, s, s, 2) of (y, x): where in the source each pixel of n moved crops is read, in pixels.

    Args:
        centres: (n, 2) of (y, x), where the crops are centred before the shift.
        size: rows and columns of the source.
        change: how far.
        generator: the run's randomness.
    """
    count, side = len(centres), change.size_px
    axis = torch.arange(side, device=centres.device) - (side - 1) / 2
    offsets = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), dim=-1)  # (s, s, 2) of (y, x)
    matrix, shift = _affine(count, size, change, generator)
    places = torch.einsum("nij,yxj->nyxi", matrix, offsets)
    if change.resize_px is not None:
        ratio = torch.tensor(size, device=centres.device) / change.resize_px
        room = (change.resize_px - side) / 2
        middle = torch.tensor(size, device=centres.device) / 2 - 0.5
        centres = middle + uniform((count, 2), -room, room, generator) * ratio
        places = places * ratio
    places = places + (centres + shift)[:, None, None]
    field = smooth_field((count, 2, side, side), change.elastic_knots, generator)
    return places + field.movedim(1, -1) * change.elastic_px


def as_grid(places: Tensor, size: torch.Size) -> Tensor:
    """(n, s, s, 2) places (y, x) of a source of `size` rows and columns, as grid_sample has them.

    That is (x, y), -1 on the first and 1 on the last pixel of an axis.
    """
    extent = torch.tensor([size[0] - 1, size[1] - 1], device=places.device)
    return (places / extent * 2 - 1).flip(-1)


def _affine(
    count: int, size: torch.Size, change: SpatialChange, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """From crop offsets to source offsets, both (y, x): matrices (n, 2, 2) and shifts (n, 2)."""
    matrix = _matrices(count, change, generator)
    most = change.shift_px + change.shift_share * torch.tensor(size, device=matrix.device)
    shift = uniform((count, 2), -1, 1, generator) * most
    if change.chance < 1:
        moves = chosen(count, change.chance, generator)[:, 0]  # (n, 1, 1)
        still = _mirrors(matrix)
        matrix, shift = torch.lerp(still, matrix, moves), shift * moves[:, 0]
    return matrix, shift


def _mirrors(matrix: Tensor) -> Tensor:
    """What is left of matrices (n, 2, 2) without turning, scaling and stretching: the flip."""
    ones = torch.ones_like(matrix[:, 0, 0])
    handed = torch.where(torch.linalg.det(matrix) < 0, -1.0, 1.0)
    return torch.diag_embed(torch.stack([ones, handed], dim=-1))


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
