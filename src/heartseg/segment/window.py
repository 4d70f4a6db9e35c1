"""Seeing a large plane or volume through a window: tiles, borders mirrored, joined again.

A network with valid convolutions answers about the middle of its input only, a *margin* less on
each side; Ronneberger 2015 calls the way round it the overlap-tile strategy. The image is mirrored
about its borders by the margin, cut into overlapping inputs, and the answers lie side by side.
Tiles begin whole strides apart: then poolings pair the same pixels in every tile, and the joined
answer is that of one pass over the whole mirrored image.

A padded network can be looked through too: its answer about the margin, spoilt by the padding, is
cut off. That is exact where the margin covers half of the receptive field, and near it where not.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import ConfigError, ModelError

Look = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""(n, channels, *tile) -> (n, classes, *tile), or what is left of it without the margins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What a network is shown at once; (y, x), or (z, y, x) for volumes.

    Attributes:
        margin_px: pixels on each side that are seen and not answered.
        smallest_px: the smallest input.
        stride_px: every other input is larger by a multiple of this.
        largest_px: no larger input is made; a legal size.
    """

    margin_px: tuple[int, ...]
    smallest_px: tuple[int, ...]
    stride_px: tuple[int, ...]
    largest_px: tuple[int, ...]

    def __post_init__(self) -> None:
        axes = len(self.margin_px)
        rows = (self.margin_px, self.smallest_px, self.stride_px, self.largest_px)
        if axes not in (2, 3) or any(len(row) != axes for row in rows):
            raise ConfigError("window", got=str(self), allowed="2 or 3 numbers for each setting")
        for margin, smallest, stride, largest in zip(*rows, strict=True):
            fits = margin >= 0 and stride >= 1 and smallest > 2 * margin
            if not fits or largest < smallest or (largest - smallest) % stride:
                allowed = "smallest > 2 x margin, largest whole strides above it"
                raise ConfigError("window", got=str(self), allowed=allowed)
            if largest > smallest and largest - 2 * margin < stride:
                raise ConfigError("window", got=str(self), allowed="answers of at least a stride")

    @property
    def axes(self) -> int:
        """2 for networks of planes, 3 for those of volumes."""
        return len(self.margin_px)

    @property
    def only_px(self) -> tuple[int, ...] | None:
        """The one input that may be made, where there are no others."""
        return self.smallest_px if self.smallest_px == self.largest_px else None

    @property
    def second_px(self) -> tuple[int, ...]:
        """The input after the smallest: one of about this size is made for a handful of pixels."""
        rows = zip(self.smallest_px, self.stride_px, self.largest_px, strict=True)
        return tuple(min(least + stride, most) for least, stride, most in rows)

    def takes(self, size: Sequence[int]) -> bool:
        """True when a network may be shown an input of this size."""
        rows = zip(size, self.smallest_px, self.stride_px, self.largest_px, strict=True)
        return all(
            least <= length <= most and (length - least) % stride == 0
            for length, least, stride, most in rows
        )


def through(pixels: NDArray[np.float32], window: Window, look: Look) -> NDArray[np.float32]:
    """What a network says of pixels of any size: (n, channels, *size) -> (n, classes, *size).

    Args:
        pixels: the axes of the window come last.
        window: what the network can be shown.
        look: the network.

    Raises:
        ModelError: it answers about less than the margins leave.
    """
    size = pixels.shape[2:]
    tile = tuple(map(_tile, size, *_rows(window)))
    starts = [
        list(_starts(length, whole - 2 * margin, stride))
        for length, whole, margin, stride in zip(
            size, tile, window.margin_px, window.stride_px, strict=True
        )
    ]
    mirrored = _mirrored(pixels, window.margin_px, tile, [row[-1] for row in starts])
    joined: NDArray[np.float32] | None = None
    for start in product(*starts):
        shown = mirrored[_place(start, tile)]
        answer = _middle(look(np.ascontiguousarray(shown)), tile, window.margin_px)
        if joined is None:
            joined = np.empty((*answer.shape[:2], *size), np.float32)
        place = joined[_place(start, answer.shape[2:])]
        place[...] = answer[_place([0] * len(size), place.shape[2:])]
    if joined is None:
        raise ConfigError("window", got=f"pixels of size {size}", allowed="at least one pixel")
    return joined


def slices_through(window: Window, look: Look) -> Look:
    """Show a network the slices of a frame: (z, channels, y, x) -> (z, classes, y, x).

    They are planes to a window of two axes, and one volume to a window of three.
    """

    def volume(slices: NDArray[np.float32]) -> NDArray[np.float32]:
        whole = np.moveaxis(slices, 0, 1)[None]  # (1, channels, z, y, x)
        return np.moveaxis(through(whole, window, look)[0], 1, 0)

    def planes(slices: NDArray[np.float32]) -> NDArray[np.float32]:
        return through(slices, window, look)

    return volume if window.axes == 3 else planes


def _rows(window: Window) -> tuple[tuple[int, ...], ...]:
    return window.margin_px, window.smallest_px, window.stride_px, window.largest_px


def _tile(length: int, margin: int, smallest: int, stride: int, largest: int) -> int:
    """The smallest legal input whose answer covers so many pixels, or the largest there is."""
    steps = max(0, -(-(length + 2 * margin - smallest) // stride))
    return min(largest, smallest + steps * stride)


def _starts(length: int, answered: int, stride: int) -> Iterator[int]:
    """First pixels of tiles that answer about so many, whole strides apart."""
    step = answered // stride * stride or answered  # the latter of windows of one size
    yield from range(0, max(1, length - answered + step), step)


def _mirrored(
    pixels: NDArray[np.float32],
    margin: Sequence[int],
    tile: Sequence[int],
    last: Sequence[int],
) -> NDArray[np.float32]:
    """With the margin before and what the last tile reads behind; no border pixel comes twice."""
    behind = [
        start + whole - before - length
        for start, whole, before, length in zip(last, tile, margin, pixels.shape[2:], strict=True)
    ]
    pads = [(before, max(0, after)) for before, after in zip(margin, behind, strict=True)]
    return np.pad(pixels, [(0, 0), (0, 0), *pads], mode="reflect")


def _middle(
    answer: NDArray[np.float32], tile: Sequence[int], margin: Sequence[int]
) -> NDArray[np.float32]:
    """The answer without the margins, which a padded network gives too."""
    lost = [whole - left for whole, left in zip(tile, answer.shape[2:], strict=True)]
    if any(one % 2 or not 0 <= one <= 2 * m for one, m in zip(lost, margin, strict=True)):
        got = f"answers of size {answer.shape[2:]} to inputs of {tuple(tile)}"
        raise ModelError("window", got=got, allowed=f"a margin of {tuple(margin)} less, or none")
    spare = [m - one // 2 for one, m in zip(lost, margin, strict=True)]
    left = [whole - 2 * m for whole, m in zip(tile, margin, strict=True)]
    middle: NDArray[np.float32] = answer[_place(spare, left)]
    return middle


def _place(start: Sequence[int], size: Sequence[int]) -> Any:
    """The index of a box in the last axes."""
    return (..., *(slice(a, a + n) for a, n in zip(start, size, strict=True)))
