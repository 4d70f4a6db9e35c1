"""The edge branch: where borders may lie, from what the encoder saw first and last (thesis 000).

Shallow features know where brightness changes, and nothing of what they see: every vessel and rib
has an edge. The deepest features know where the heart is, but to no pixel. Together they tell the
edges that belong to structures.

Axes: n planes, y rows, x columns. Level 0 of the encoder is the finest, w_l are its channels.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from heartseg.models.plain import double_convolution


class EdgeBranch(nn.Module):
    """Edge features E from levels 0, 1 and the deepest of an encoder.

    Each level is brought to k channels by a 1x1 convolution with batch normalisation, and to the
    finest grid by bilinear up-sampling; what comes of them, side by side, goes through two 3x3
    convolutions with batch normalisation and ReLU:

        E = conv(conv([up(conv_0(e_0)); up(conv_1(e_1)); up(conv_L(e_L))]))    (n, k, y, x)

    Args:
        widths: channels of the encoder's levels, finest first; at least two.
        channels: k.
    """

    def __init__(self, widths: Sequence[int], channels: int) -> None:
        super().__init__()
        self.levels = tuple(dict.fromkeys((0, 1, len(widths) - 1)))
        self.enter = nn.ModuleList(_projection(widths[level], channels) for level in self.levels)
        self.join = double_convolution(len(self.levels) * channels, channels)

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Of all levels (n, w_l, y/2^l, x/2^l), finest first -> (n, k, y, x)."""
        seen = [
            enter(features[level]) for enter, level in zip(self.enter, self.levels, strict=True)
        ]
        fine = [_enlarged(x, 2**level) for x, level in zip(seen, self.levels, strict=True)]
        edges: Tensor = self.join(torch.cat(fine, dim=1))  # (n, k, y, x)
        return edges


def _projection(inputs: int, outputs: int) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, 1, bias=False)
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


def _enlarged(x: Tensor, times: int) -> Tensor:
    if times == 1:
        return x
    return nn.functional.interpolate(
        x, scale_factor=float(times), mode="bilinear", align_corners=False
    )
