"""Contrast-limited adaptive histogram equalisation of batches, on the device.

The same answer as `heartseg.prepare.clahe`, which needs no torch; there stands what it is. A test
holds them together. Sinha 2020 applies it to training images at random.
"""

import torch
from torch import Tensor

LEVELS = 256
"""Grey values that are told apart."""

MOST_TILES = 32
"""Along an axis: each tile of each plane has a table of all levels in memory."""


def equalise(planes: Tensor, tiles: int, clip: float) -> Tensor:
    """(n, channels, y, x) -> the same planes, cut to [0, 1], with their contrast evened out.

    Args:
        planes: values of about [0, 1].
        tiles: along each axis.
        clip: a grey value counts as at most so many times its even share.
    """
    rows, columns = planes.shape[-2:]
    each = planes.flatten(0, 1)  # every channel by itself
    levels = (each.clamp(0, 1) * (LEVELS - 1)).round().long()
    (up, y), (left, x) = (_mirrored(length, tiles, planes.device) for length in (rows, columns))
    tables = _tables(levels[:, up][:, :, left], tiles, clip)
    out = torch.zeros_like(each)
    for tile_y, share_y in _neighbours(y, rows, tiles, planes.device):
        for tile_x, share_x in _neighbours(x, columns, tiles, planes.device):
            place = (tile_y[:, None] * tiles + tile_x) * LEVELS + levels
            value = tables.gather(1, place.flatten(1)).view_as(out)
            out = out + value * (share_y[:, None] * share_x)
    return out.view_as(planes)


def _mirrored(length: int, tiles: int, device: torch.device) -> tuple[Tensor, int]:
    """Places to read so that whole tiles come out, the far border mirrored; and a tile's length."""
    tile = -(-length // tiles)
    place = torch.arange(tile * tiles, device=device) % max(1, 2 * (length - 1))
    return torch.where(place < length, place, 2 * (length - 1) - place), tile


def _tables(levels: Tensor, tiles: int, clip: float) -> Tensor:
    """(n, tiles * tiles * LEVELS): what each grey value becomes in each tile, in [0, 1]."""
    count, rows, columns = levels.shape
    tile_y = torch.arange(rows, device=levels.device) // (rows // tiles)
    tile_x = torch.arange(columns, device=levels.device) // (columns // tiles)
    plane = torch.arange(count, device=levels.device)[:, None, None] * tiles**2
    tile = plane + tile_y[:, None] * tiles + tile_x
    counted = torch.bincount(
        (tile * LEVELS + levels).flatten(), minlength=count * tiles**2 * LEVELS
    )
    share = counted.view(count, tiles**2, LEVELS).float() / (rows * columns / tiles**2)
    limit = clip / LEVELS
    spare = (share - limit).clamp(min=0).sum(-1, keepdim=True)
    return (share.clamp(max=limit) + spare / LEVELS).cumsum(-1).flatten(1)


def _neighbours(
    tile: int, length: int, tiles: int, device: torch.device
) -> list[tuple[Tensor, Tensor]]:
    """The two tiles whose middles are next to each of `length` pixels, with their shares."""
    place = (torch.arange(length, device=device) + 0.5) / tile - 0.5
    first = place.floor()
    share, low, last = place - first, first.long(), tiles - 1
    return [(low.clamp(0, last), 1 - share), ((low + 1).clamp(0, last), share)]
