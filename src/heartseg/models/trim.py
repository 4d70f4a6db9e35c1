"""What is taken out of the library's networks, so that every weight that is left learns.

- stages that no decoder looks at: PSPNet uses three of five, EfficientNet ends in a head for the
  1000 classes of ImageNet;
- biases right before a batch normalisation, which subtracts them again: their gradient is zero but
  for rounding (LinkNet, PAN);
- one function that ONNX has no operator for: pooling to a grid of bins that does not divide the
  plane, in PSPNet. `PooledBins` computes the same means as two matrix products, for planes of any
  size;
- a question that LinkNet asks of every skip, whether it has channels: tracing for ONNX cannot
  follow it, and here they always have.

And one first value: MA-Net squeezes thin levels to a single channel. Its inputs are means of ReLUs,
never negative; with negative weights that channel would be zero for every image, and stay so. The
squeezing weights therefore start positive.
"""

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

_STAGES_OF_PSPNET = 3


def trim(network: nn.Module, decoder: str) -> None:
    """Take out, in place, what the text above names; `decoder` as in `grid.DECODERS`."""
    encoder: Any = network.encoder
    if decoder == "pspnet":
        _keep_three_stages(encoder)
        _make_bins_exportable(network)
    if decoder == "linknet":
        blocks = network.decoder.blocks  # type: ignore[union-attr]
        network.decoder.blocks = nn.ModuleList(_Link(one) for one in blocks)  # type: ignore[union-attr]
    if hasattr(encoder, "_conv_head"):
        del encoder._conv_head, encoder._bn1
    if decoder == "manet":
        _start_positive(network)
    _drop_swallowed_biases(network)


class PooledBins(nn.Module):
    """Adaptive average pooling: (n, c, y, x) -> (n, c, bins, bins), of operators that ONNX has.

    Bin i covers the rows from floor(i y / bins) to ceil((i + 1) y / bins), as torch's own does;
    bins overlap where they do not divide the plane.
    """

    def __init__(self, bins: int) -> None:
        super().__init__()
        self.bins = bins

    def forward(self, features: Tensor) -> Tensor:
        """The mean of each bin."""
        rows = self._weights(features.shape[2], features)  # (bins, y)
        columns = self._weights(features.shape[3], features)  # (bins, x)
        return rows @ features @ columns.transpose(0, 1)  # (n, c, bins, bins)

    def _weights(self, length: int, like: Tensor) -> Tensor:
        bins = torch.arange(self.bins, device=like.device)[:, None]
        places = torch.arange(length, device=like.device)[None]
        # In integers: floor(i y / b) <= p is i y < (p + 1) b, and p < ceil(j y / b) is p b < j y.
        inside = (bins * length < (places + 1) * self.bins) & (
            places * self.bins < (bins + 1) * length
        )
        member = inside.to(like.dtype)
        return member / member.sum(1, keepdim=True)


class _PyramidLevel(nn.Module):
    """A level of PSPNet's pyramid: mean of each bin, convolution, back to the plane's size."""

    def __init__(self, level: Any) -> None:
        super().__init__()
        bins = PooledBins(level.pool_size) if level.pool_size > 1 else nn.AdaptiveAvgPool2d(1)
        self.pool = nn.Sequential(bins, level.pool[1])

    def forward(self, features: Tensor) -> Tensor:
        size = features.shape[2:]
        pooled = self.pool(features)  # (n, c/4, bins, bins)
        return nn.functional.interpolate(pooled, size=size, mode="bilinear", align_corners=True)


class _Link(nn.Module):
    """A step of LinkNet's decoder: twice the size, plus what the encoder had there."""

    def __init__(self, step: Any) -> None:
        super().__init__()
        self.block = step.block

    def forward(self, features: Tensor, skip: Tensor | None = None) -> Tensor:
        doubled: Tensor = self.block(features)  # (n, c', 2y, 2x)
        return doubled if skip is None else doubled + skip


def _make_bins_exportable(network: Any) -> None:
    pyramid = network.decoder.psp
    pyramid.blocks = nn.ModuleList(_PyramidLevel(level) for level in pyramid.blocks)


def _keep_three_stages(encoder: Any) -> None:
    if hasattr(encoder, "layer3"):
        del encoder.layer3, encoder.layer4
    elif hasattr(encoder, "_blocks"):
        kept = encoder._out_indexes[_STAGES_OF_PSPNET - 2] + 1
        # Blocks are dropped at random by their place among all; the place stays what it was.
        encoder._drop_connect_rate *= kept / len(encoder._blocks)
        encoder._blocks = encoder._blocks[:kept]
    elif hasattr(encoder, "features"):
        encoder.features = encoder.features[: encoder._out_indexes[_STAGES_OF_PSPNET - 1] + 1]


def _start_positive(network: nn.Module) -> None:
    for name, module in network.named_modules():
        if name.endswith(("SE_ll.1", "SE_hl.1")) and isinstance(module, nn.Conv2d):
            with torch.no_grad():
                module.weight.abs_()


def _drop_swallowed_biases(network: nn.Module) -> None:
    """Of convolutions whose next sibling, in the order of their use, is a batch normalisation."""
    for parent in network.modules():
        children = list(parent.children())
        for convolution, after in pairwise(children):
            if isinstance(convolution, nn.modules.conv._ConvNd) and _normalises(parent, after):
                convolution.bias = None


def _normalises(parent: nn.Module, after: nn.Module) -> bool:
    # PAN's block registers convolution, activation, normalisation and uses them in another order.
    found = getattr(parent, "bn", after)
    return isinstance(found, nn.modules.batchnorm._BatchNorm)
