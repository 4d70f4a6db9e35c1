"""Edges and attention for hearts with weak borders (thesis 000), and its ablation.

A U-Net of regions, an edge branch beside it that is taught the borders of the structures, and at
each level of the decoder an attention that weighs edge features against region features. The two
ideas are supervision of the edges and fusion by attention; four entries of the table are the four
ways to have them or not:

| entry | edge branch | borders are judged | its features are fused |
|---|---|---|---|
| edge-attention-base | none | - | - |
| edge-attention-edges | in training | yes: it moves the encoder that both share | no |
| edge-attention-fusion | yes | no: it learns what helps the regions | yes |
| edge-attention | yes | yes | yes |

So supervision costs nothing once a network is trained: the first two are deployed as the same
network, and so are the last two. With one seed all four begin with the same encoder and decoder.

Axes: n planes, c channels, y rows, x columns. Level 0 is the finest, w_l are its channels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn

from heartseg.core.errors import ConfigError
from heartseg.models.answer import Answer, RegionsAndEdges
from heartseg.models.architecture import Architecture
from heartseg.models.edge_branch import EdgeBranch
from heartseg.models.fusion import Fusion
from heartseg.models.plain import double_convolution


@dataclass(frozen=True, slots=True, kw_only=True)
class _Branched(Architecture):
    """What both descriptions say of encoder and decoder."""

    widths: tuple[int, ...] = (16, 32, 64, 128, 160)
    supervised: bool = True

    def __post_init__(self) -> None:
        if len(self.widths) < 2 or min(self.widths) < 1:
            raise ConfigError("widths", got=str(self.widths), allowed="at least two levels of 1")

    @property
    def stride(self) -> int:
        """2 for each pooling."""
        return int(2 ** (len(self.widths) - 1))

    @property
    def smallest_size(self) -> tuple[int, ...]:
        """At least two pixels along each axis at the deepest level, for its batch statistics."""
        return (2 * self.stride,) * 2


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeSupervised(_Branched):
    """Regions, and in training their borders from the same encoder.

    Attributes:
        widths: channels of each level, finest first.
        supervised: in training every level of the decoder but the finest, which answers anyway, and
            the coarsest has an output of its own.
        edge_channels: of the edge branch, which serves training alone; 0 for none.
    """

    paper: ClassVar[str] = "thesis 000, without fusion"

    edge_channels: int = 0

    def __post_init__(self) -> None:
        _Branched.__post_init__(self)
        if self.edge_channels < 0:
            raise ConfigError("edge_channels", got=str(self.edge_channels), allowed="0 or more")

    @property
    def draws_edges(self) -> bool:
        """Where it has the branch."""
        return self.edge_channels > 0

    @property
    def deployed(self) -> "EdgeSupervised":
        """Without the outputs that serve training alone."""
        return replace(self, supervised=False, edge_channels=0)

    def build(self, channels: int, classes: int) -> nn.Module:
        """The network with fresh weights."""
        return _EdgeSupervised(self, channels, classes)


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeAttention(_Branched):
    """Regions and edges, fused by attention.

    Attributes:
        widths: channels of each level, finest first.
        supervised: in training every level of the decoder but the finest, which answers anyway, and
            the coarsest has an output of its own.
        edge_channels: of the edge branch.
        reduction: how many times fewer channels lie between the two layers of the attention to
            channels.
        edges_supervised: in training the branch says where borders lie, and is judged by them;
            else it learns from the regions alone.
    """

    paper: ClassVar[str] = "thesis 000"

    edge_channels: int = 16
    reduction: int = 4
    edges_supervised: bool = True

    def __post_init__(self) -> None:
        _Branched.__post_init__(self)
        if min(self.edge_channels, self.reduction) < 1:
            got = f"edge_channels {self.edge_channels}, reduction {self.reduction}"
            raise ConfigError("model", got=got, allowed="both at least 1")

    @property
    def draws_edges(self) -> bool:
        """Where they are supervised."""
        return self.edges_supervised

    @property
    def deployed(self) -> "EdgeAttention":
        """Without the outputs that serve training alone."""
        return replace(self, supervised=False, edges_supervised=False)

    def build(self, channels: int, classes: int) -> nn.Module:
        """The network with fresh weights."""
        return _EdgeAttention(self, channels, classes)


class _Regions(nn.Module):
    """Encoder, decoder and outputs of the regions; of the edges it knows nothing."""

    training_only: tuple[str, ...] = ("supervision.",)

    def __init__(self, described: _Branched, channels: int, classes: int) -> None:
        super().__init__()
        widths = described.widths
        inputs = (channels, *widths[:-1])
        self.encoder = nn.ModuleList(
            double_convolution(a, b) for a, b in zip(inputs, widths, strict=True)
        )
        rising = list(pairwise(reversed(widths)))
        self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, stride=2) for a, b in rising)
        self.decoder = nn.ModuleList(double_convolution(2 * b, b) for _, b in rising)
        self.output = nn.Conv2d(widths[0], classes, 1)
        judged = [out for _, out in rising[1:-1]] if described.supervised else []
        self.supervision = nn.ModuleList(nn.Conv2d(width, classes, 1) for width in judged)

    def encoded(self, pixels: Tensor) -> list[Tensor]:
        """(n, channels, y, x) -> level l as (n, w_l, y/2^l, x/2^l), finest first."""
        x, features = pixels, []
        for level, encode in enumerate(self.encoder):
            x = encode(x if level == 0 else nn.functional.max_pool2d(x, 2))
            features.append(x)
        return features

    def decoded(
        self, features: Sequence[Tensor], fused: Callable[[int, Tensor], Tensor]
    ) -> list[Tensor]:
        """The decoder's levels but the deepest, coarsest first.

        Args:
            features: of the encoder.
            fused: (level, region features) -> what goes on from there, of the same shape.
        """
        x, risen = features[-1], []
        for level, up, decode in zip(
            range(len(features) - 2, -1, -1), self.up, self.decoder, strict=True
        ):
            x = fused(level, decode(torch.cat([features[level], up(x)], dim=1)))
            risen.append(x)
        return risen

    def answered(self, risen: Sequence[Tensor]) -> Tensor | tuple[Tensor, ...]:
        """Logits (n, classes, y, x); in training those of the supervised levels too."""
        logits: Tensor = self.output(risen[-1])
        if not (self.training and self.supervision):
            return logits
        coarser = [head(level) for head, level in zip(self.supervision, risen[1:-1], strict=True)]
        return logits, *reversed(coarser)  # finest first: y, y/2, y/4 ...


class _EdgeSupervised(_Regions):
    training_only = ("supervision.", "edges.", "edge_output.")

    def __init__(self, described: EdgeSupervised, channels: int, classes: int) -> None:
        super().__init__(described, channels, classes)
        width = described.edge_channels
        self.edges = EdgeBranch(described.widths, width) if width else None
        self.edge_output = nn.Conv2d(width, classes, 1) if width else None

    def forward(self, pixels: Tensor) -> Answer:
        features = self.encoded(pixels)
        regions = self.answered(self.decoded(features, lambda _, x: x))
        if not self.training or self.edges is None or self.edge_output is None:
            return regions
        return _with_edges(regions, self.edge_output(self.edges(features)))


class _EdgeAttention(_Regions):
    training_only = ("supervision.", "edge_output.")

    def __init__(self, described: EdgeAttention, channels: int, classes: int) -> None:
        super().__init__(described, channels, classes)
        width = described.edge_channels
        self.edges = EdgeBranch(described.widths, width)
        self.fusions = nn.ModuleList(
            Fusion(region=region, edge=width, reduction=described.reduction)
            for region in described.widths[:-1]
        )
        judged = described.edges_supervised
        self.edge_output = nn.Conv2d(width, classes, 1) if judged else None

    def forward(self, pixels: Tensor) -> Answer:
        features = self.encoded(pixels)
        edges = [self.edges(features)]  # (n, k, y, x)
        for _ in self.fusions[1:]:
            edges.append(nn.functional.avg_pool2d(edges[-1], 2))  # (n, k, y/2^l, x/2^l)
        risen = self.decoded(features, lambda level, x: self.fusions[level](x, edges[level]))
        regions = self.answered(risen)
        if not self.training or self.edge_output is None:
            return regions
        return _with_edges(regions, self.edge_output(edges[0]))


def _with_edges(regions: Tensor | tuple[Tensor, ...], edges: Tensor) -> RegionsAndEdges:
    return RegionsAndEdges(regions if isinstance(regions, tuple) else (regions,), edges)
