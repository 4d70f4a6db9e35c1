"""Contrast-limited adaptive histogram equalisation (Zuiderveld 1994).

A plane is divided into tiles. In each, grey values are replaced by their rank, so that every part
of the plane uses the whole scale; but a grey value that is more common than a limit counts as
no more than that, which keeps flat parts from becoming noise. Between the middles of the tiles the
answers are blended. The limit is the one of OpenCV: times as common as if all values were
equally common. `heartseg.augment.clahe` does the same to batches, on the device.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import ConfigError

LEVELS = 256
"""Grey values that are told apart."""

MOST_TILES = 32
"""Along an axis: each tile of each plane has a table of all levels in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clahe:
    """How contrast is evened out, tile by tile.

    Attributes:
        tiles: along each axis.
        clip: a grey value counts as at most so many times its even share.
    """

    tiles: int = 8
    clip: float = 2.0

    def __post_init__(self) -> None:
        if not 1 <= self.tiles <= MOST_TILES or not 1 <= self.clip <= LEVELS:
            allowed = f"1-{MOST_TILES} tiles, clip from 1 to {LEVELS}"
            raise ConfigError("clahe", got=str(self), allowed=allowed)


def equalise(planes: NDArray[np.float32], how: Clahe) -> NDArray[np.float32]:
    """(z, y, x) in [0, 1] -> the same planes with their contrast evened out, in [0, 1]."""
    count, rows, columns = planes.shape
    levels = np.rint(planes.clip(0, 1) * (LEVELS - 1)).astype(np.intp)
    (up, y), (left, x) = (_mirrored(length, how.tiles) for length in (rows, columns))
    tables = _tables(levels[:, up][:, :, left], how)
    out = np.zeros(planes.shape, np.float32)
    plane = np.arange(count)[:, None, None]
    for tile_y, share_y in _neighbours(y, rows, how.tiles):
        for tile_x, share_x in _neighbours(x, columns, how.tiles):
            value = tables[plane, tile_y[:, None], tile_x[None, :], levels]
            out += value * (share_y[:, None] * share_x[None, :])
    return out


def _mirrored(length: int, tiles: int) -> tuple[NDArray[np.intp], int]:
    """Places to read so that whole tiles come out, the far border mirrored; and a tile's length."""
    tile = -(-length // tiles)
    place = np.arange(tile * tiles) % max(1, 2 * (length - 1))
    return np.where(place < length, place, 2 * (length - 1) - place), tile


def _tables(levels: NDArray[np.intp], how: Clahe) -> NDArray[np.float32]:
    """(z, tiles, tiles, LEVELS): what each grey value becomes in each tile, in [0, 1]."""
    count, rows, columns = levels.shape
    tile_y = np.arange(rows) // (rows // how.tiles)
    tile_x = np.arange(columns) // (columns // how.tiles)
    tile = (np.arange(count)[:, None, None] * how.tiles + tile_y[:, None]) * how.tiles + tile_x
    shape = (count, how.tiles, how.tiles, LEVELS)
    total = count * how.tiles**2 * LEVELS
    counted = np.bincount((tile * LEVELS + levels).ravel(), minlength=total).reshape(shape)
    share = counted / (rows * columns / how.tiles**2)
    limit = how.clip / LEVELS
    spare = np.maximum(share - limit, 0).sum(-1, keepdims=True)
    tables: NDArray[np.float32] = (np.minimum(share, limit) + spare / LEVELS).cumsum(-1)
    return tables.astype(np.float32)


def _neighbours(
    tile: int, length: int, tiles: int
) -> list[tuple[NDArray[np.intp], NDArray[np.float32]]]:
    """The two tiles whose middles are next to each of `length` pixels, with their shares."""
    place = (np.arange(length) + 0.5) / tile - 0.5
    first = np.floor(place).astype(np.intp)
    share = (place - first).astype(np.float32)
    last = tiles - 1
    return [(first.clip(0, last), 1 - share), ((first + 1).clip(0, last), share)]
