"""What a network says in training: regions at several depths, and with them perhaps their borders.

In evaluation every network answers with the logits of the finest regions alone, one tensor.
"""

from typing import NamedTuple

from torch import Tensor


class RegionsAndEdges(NamedTuple):
    """What a network with a supervised edge branch says in training.

    Attributes:
        regions: (n, classes, y/2^l, x/2^l) logits of the regions, the finest first.
        edges: (n, classes, y, x) logits of the borders, a channel for each of the regions: that a
            pixel lies on the border between this region and the rest.
    """

    regions: tuple[Tensor, ...]
    edges: Tensor


Answer = Tensor | tuple[Tensor, ...] | RegionsAndEdges
"""Logits, those of several depths, or those and the borders."""


def regions_of(answer: Answer) -> tuple[Tensor, ...]:
    """The logits of the regions, the finest first."""
    if isinstance(answer, Tensor):
        return (answer,)
    return answer.regions if isinstance(answer, RegionsAndEdges) else answer


def edges_of(answer: Answer) -> Tensor | None:
    """The logits of the borders; None where the network drew none."""
    return answer.edges if isinstance(answer, RegionsAndEdges) else None
