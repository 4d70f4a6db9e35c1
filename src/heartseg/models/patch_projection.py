"""Features of patches as vectors of length 1 (Park 2020): what contrast is measured between."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from heartseg.models.maker import begin_small


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
        begin_small(self)

    def forward(self, features: Sequence[Tensor], places: Sequence[Tensor]) -> list[Tensor]:
        """Vectors (n, p, size) of length 1, of each level.

        Args:
            features: (n, width, y, x) of each level.
            places: (p,) of each level, numbers of pixels, row by row.
        """
        return [
            nn.functional.normalize(level(one.flatten(2)[:, :, at].transpose(1, 2)), dim=-1)
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
