"""Features of patches as vectors of length 1 (Park 2020): what contrast is measured between."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

SHORTEST = 1e-4
"""Vectors below this length are not stretched to 1: their gradient would have no bound."""


class PatchProjection(nn.Module):
    """Two linear layers for each level of features.

    Args:
        widths: channels of each level, as `Generator.encoded_widths` gives them.
        size: of the vectors.
    """

    def __init__(self, widths: Sequence[int], size: int = 256) -> None:
        super().__init__()
        self.levels = nn.ModuleList(
            nn.Sequential(nn.Linear(width, size), nn.ReLU(), nn.Linear(size, size))
            for width in widths
        )

    def forward(self, features: Sequence[Tensor], places: Sequence[Tensor]) -> list[Tensor]:
        """Vectors (n, p, size) of length 1, of each level.

        Args:
            features: (n, width, y, x) of each level.
            places: (p,) of each level, numbers of pixels, row by row.
        """
        return [
            _of_length_1(level(one.flatten(2)[:, :, at].transpose(1, 2)))
            for level, one, at in zip(self.levels, features, places, strict=True)
        ]


def drawn_places(
    features: Sequence[Tensor], count: int, generator: torch.Generator
) -> list[Tensor]:
    """(p,) pixels of each level, drawn without repeating; all of a level that has no more."""
    return [
        torch.randperm(one.shape[-2] * one.shape[-1], generator=generator, device=generator.device)[
            :count
        ]
        for one in features
    ]


def _of_length_1(vectors: Tensor) -> Tensor:
    return nn.functional.normalize(vectors, dim=-1, eps=SHORTEST)
