"""Spatial change for stacks of slices: the plane moves as planes do, the slices by whole numbers.

Slices of a stack are thick and few. Between two of them, 10 mm apart, nothing can be interpolated
that a scanner would have shown, so a stack is shifted, cut and turned over by whole slices. In the
plane all slices of a stack move together, by `heartseg.augment.spatial`, in one interpolation.

Beyond its borders an image is mirrored where the network will see it mirrored (as
`heartseg.segment.window` does, no border pixel twice), else black. One plane is a stack of one.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from heartseg.augment.spatial import as_grid, likeliest
from heartseg.core.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class StackChange:
    """How far slices may move, and how many are seen.

    Attributes:
        slices: of the crop that training sees.
        shift: slices by which a crop may reach out of its stack, or leave some of it out.
        flip: probability of turning the stack over, its first slice last.
    """

    slices: int = 8
    shift: int = 1
    flip: float = 0.5

    def __post_init__(self) -> None:
        if self.slices < 1 or self.shift < 0 or not 0 <= self.flip <= 1:
            allowed = "slices from 1, shift from 0, flip in [0, 1]"
            raise ConfigError("stack", got=str(self), allowed=allowed)


def slices_read(
    counts: Tensor, change: StackChange, margin: int, generator: torch.Generator
) -> Tensor:
    """(n, slices) numbers of the slices that n crops read, mirrored beyond the ends of a stack.

    The slices that the network answers about, `margin` fewer on each side, lie within the stack,
    or round it where the stack has fewer, give or take the shift.

    Args:
        counts: (n,) slices of each stack.
        change: how far.
        margin: slices on each side that the network sees and does not answer about.
        generator: the run's randomness.
    """
    spare = counts - (change.slices - 2 * margin)
    low, high = spare.clamp(max=0) - change.shift, spare.clamp(min=0) + change.shift
    shares = torch.rand((2, len(counts)), generator=generator, device=counts.device)
    start = low + (shares[0] * (high - low + 1)).long().minimum(high - low) - margin
    places = torch.arange(change.slices, device=counts.device)
    over = (shares[1] < change.flip)[:, None]
    return mirrored(start[:, None] + torch.where(over, places.flip(0), places), counts[:, None] - 1)


def mirrored(places: Tensor, last: Tensor) -> Tensor:
    """Places on an axis of which only 0 to `last` is there, folded back into it at both ends."""
    period = 2 * last
    within = torch.remainder(places, period.clamp(min=1))
    folded = torch.minimum(within, period - within)
    return torch.where(last > 0, folded, torch.zeros_like(folded))


def mirrored_in_plane(places: Tensor, first: Tensor, size: Tensor) -> Tensor:
    """(n, s, s, 2) places folded back into images that lie on a larger canvas.

    Args:
        places: (y, x) on the canvas.
        first: (n, 2) first row and column of each image.
        size: (n, 2) rows and columns of each.
    """
    first, last = first[:, None, None], size[:, None, None] - 1
    return mirrored(places - first, last) + first


def read_stacks(stacks: Tensor, places: Tensor) -> Tensor:
    """Moved slices (n, z, s, s) of stacks (n, z, Y, X), read at places (n, s, s, 2) of (y, x)."""
    grid = as_grid(places, stacks.shape[-2:])
    return torch.nn.functional.grid_sample(stacks, grid, align_corners=True)


def read_labels(labels: Tensor, places: Tensor, classes: int) -> Tensor:
    """Moved class indices (n, z, s, s) of (n, z, Y, X): interpolated class by class, the likeliest.

    Args:
        labels: class indices.
        places: (n, s, s, 2) of (y, x), where each pixel is read.
        classes: number of them.
    """
    foreground = torch.arange(1, classes, device=labels.device)[:, None, None]
    shares = (labels[:, :, None] == foreground).to(places.dtype)  # (n, z, classes - 1, Y, X)
    moved = read_stacks(shares.flatten(1, 2), places)
    moved = moved.reshape(*shares.shape[:3], *moved.shape[-2:])
    return likeliest(moved, 2)
