"""The residual U-Net of Sinha et al. 2020 for short-axis cine MR, after Zhang et al. 2018.

Blocks normalise first, and their shortcut is a 1x1 convolution with a normalisation of its own;
strides take the place of poolings. 4,715,507 trainable parameters, as the authors' released
weights. Normalisation has Keras's constants, which those weights were trained with.

Axes: n planes, c channels, y rows, x columns. Widths and sizes at the ends of lines.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn

from heartseg.models.architecture import Architecture
from heartseg.models.initial import he_truncated

WIDTHS = (16, 32, 64, 128, 256)
"""Channels of the encoder, finest first."""

RISING = (256, 128, 64, 32)
"""Channels of the decoder, coarsest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CmrResUNet(Architecture):
    """Table III of the paper."""

    paper: ClassVar[str] = "Sinha 2020"
    stride: ClassVar[int] = 16
    native_classes: ClassVar[int] = 3

    def build(self, channels: int, classes: int) -> nn.Module:
        """The network with fresh weights."""
        return _CmrResUNet(channels, classes)


class _CmrResUNet(nn.Module):
    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.stem = _Stem(channels, WIDTHS[0])
        self.encoder = nn.ModuleList(_Residual(a, b, stride=2) for a, b in pairwise(WIDTHS))
        bottom = WIDTHS[-1]
        self.bridge = nn.Sequential(_convolution(bottom, bottom), _convolution(bottom, bottom))
        below, beside = (bottom, *RISING[:-1]), reversed(WIDTHS[:-1])
        self.decoder = nn.ModuleList(
            _Residual(a + b, c) for a, b, c in zip(below, beside, RISING, strict=True)
        )
        self.output = nn.Conv2d(RISING[-1], classes, 1)
        he_truncated(self)

    def forward(self, pixels: Tensor) -> Tensor:
        x = self.stem(pixels)  # (n, 16, y, x)
        skips = []
        for encode in self.encoder:
            skips.append(x)
            x = encode(x)  # (n, w, y/2^l, x/2^l), w 32 64 128 256
        x = self.bridge(x)  # (n, 256, y/16, x/16)
        for decode in self.decoder:
            x = nn.functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = decode(torch.cat([x, skips.pop()], dim=1))  # 256 128 64 32
        logits: Tensor = self.output(x)  # (n, classes, y, x)
        return logits


class _Stem(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.second = _convolution(outputs, outputs)
        self.shortcut = _shortcut(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        both: Tensor = self.second(self.first(x)) + self.shortcut(x)
        return both


class _Residual(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.first = _convolution(inputs, outputs, stride)
        self.second = _convolution(outputs, outputs)
        self.shortcut = _shortcut(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        both: Tensor = self.second(self.first(x)) + self.shortcut(x)
        return both


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        _normalisation(inputs),
        nn.ReLU(),  # not in place: the shortcut reads the same features
        nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1),
    )


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=stride), _normalisation(outputs))


def _normalisation(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)
