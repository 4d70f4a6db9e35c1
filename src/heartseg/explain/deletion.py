"""Deletion and insertion (Petsiuk 2018, arXiv 1806.07421): do the map's pixels matter?

Squares of pixels are taken away, those first that the map calls most important, and the mean
probability of the structure over its own pixels is watched; or they are put into a blank image in
that order. A good map makes the first curve fall early (a small area below it) and the second rise
early (a large one). Beside it stand three orders that know nothing of the network: a random one,
edges first, and bright pixels first. The blank is the image's mean grey.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

Array = NDArray[np.float32]
Sure = Callable[[Tensor], Tensor]
"""Pixels (k, channels, *size) -> the structure's mean probability over its own pixels, (k,)."""

SQUARE_PX = 8
"""Side of what is taken away at a time: single pixels would make noise that no scanner makes."""

SHARES = tuple(np.linspace(0.0, 1.0, 17).tolist())
"""Of the squares that are gone, or there."""

RANDOM_ORDERS = 3


@dataclass(frozen=True, slots=True)
class Curves:
    """Mean probabilities at each of `SHARES`, by the order: "map", "random", "edges", "bright"."""

    deletion: Mapping[str, tuple[float, ...]]
    insertion: Mapping[str, tuple[float, ...]]

    def area(self, kind: str, order: str) -> float:
        """Below a curve, 0 to 1; `kind` is "deletion" or "insertion"."""
        curve = (self.deletion if kind == "deletion" else self.insertion)[order]
        return float(np.trapezoid(curve, SHARES))

    @property
    def beats_all(self) -> bool:
        """The map falls earlier and rises earlier than every order that knows nothing."""
        others = ("random", "edges", "bright")
        falls = all(self.area("deletion", "map") < self.area("deletion", one) for one in others)
        return falls and all(
            self.area("insertion", "map") > self.area("insertion", one) for one in others
        )


def plain_curves(pixels: Tensor, blank: Tensor, sure: Sure, *, seed: int) -> Curves:
    """The curves of the orders that know nothing of the network; the same for every map.

    Args:
        pixels: (1, channels, *size); the edges and the grey are those of the slice itself.
        blank: the same with nothing to see.
        sure: what is watched.
        seed: of the random orders.
    """
    grey: Array = pixels[0, pixels.shape[1] // 2].cpu().numpy()
    edges = np.hypot(ndimage.sobel(grey, axis=-2), ndimage.sobel(grey, axis=-1))
    random = np.random.default_rng(seed)
    shuffled = [random.random(grey.shape, np.float32) for _ in range(RANDOM_ORDERS)]
    found: dict[str, dict[str, tuple[float, ...]]] = {"deletion": {}, "insertion": {}}
    for kind, kept in found.items():
        each = [_curve(kind, one, pixels, blank, sure) for one in shuffled]
        kept["random"] = tuple(np.mean(each, axis=0).tolist())
        kept["edges"] = _curve(kind, edges, pixels, blank, sure)
        kept["bright"] = _curve(kind, grey, pixels, blank, sure)
    return Curves(**{kind: MappingProxyType(kept) for kind, kept in found.items()})


def with_map(map_: Array, pixels: Tensor, blank: Tensor, sure: Sure, plain: Curves) -> Curves:
    """The curves of a map (*size), whose sign does not count, beside those of the plain orders."""
    important = np.abs(map_)
    return Curves(
        {"map": _curve("deletion", important, pixels, blank, sure), **plain.deletion},
        {"map": _curve("insertion", important, pixels, blank, sure), **plain.insertion},
    )


def _curve(
    kind: str, important: Array, pixels: Tensor, blank: Tensor, sure: Sure
) -> tuple[float, ...]:
    before, after = (pixels, blank) if kind == "deletion" else (blank, pixels)
    rank = torch.from_numpy(square_ranks(important)).to(pixels.device)
    numbers = []
    with torch.no_grad():
        for share in SHARES:
            numbers.append(float(sure(torch.where(rank < share, after, before))))
    return tuple(numbers)


def square_ranks(important: Array) -> Array:
    """Each pixel's place (*size) in the order of its square, 0 for the most important to below 1.

    A square's importance is its sum; of equal squares the first in memory comes first.
    """
    places = [np.arange(length) // SQUARE_PX for length in important.shape[-2:]]
    depth = [np.arange(length) for length in important.shape[:-2]]
    counts = [int(one[-1]) + 1 for one in (*depth, *places)]
    index = np.ravel_multi_index(np.meshgrid(*depth, *places, indexing="ij"), counts)
    sums = np.bincount(index.ravel(), important.ravel().astype(np.float64), int(np.prod(counts)))
    rank = np.empty(len(sums), np.float32)
    rank[np.argsort(-sums, kind="stable")] = np.arange(len(sums)) / len(sums)
    ranks: Array = rank[index]
    return ranks
