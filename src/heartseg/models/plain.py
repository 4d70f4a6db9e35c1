"""The thesis's encoder without a backbone, and its own U-Net (thesis 001, listing, lines 215-280).

Two 3x3 convolutions with batch normalisation at 32, 64, 128 and 256 channels, a 2x2 max pooling
between them: four levels, three poolings. `PlainEncoder` shows these four levels to the decoders of
segmentation-models-pytorch, which take three poolings where they are told so: no fifth stage and no
dilation had to be invented, and `grid.py` says what each decoder does with them.

Axes: n planes, c channels, y rows, x columns.
"""

import torch
from torch import Tensor, nn

WIDTHS = (32, 64, 128, 256)
"""Channels of the four levels, finest first."""


class PlainEncoder(nn.Module):
    """Four levels of double convolutions, with the face that the library's decoders look for.

    Args:
        depth: poolings, 1 to 3.
        output_stride: taken because the library passes it; without a stage deeper than 8 there is
            nothing to dilate.
    """

    def __init__(self, depth: int = 3, output_stride: int = 32) -> None:
        super().__init__()
        self.widths = WIDTHS[: depth + 1]
        self.output_stride = min(output_stride, 2**depth)
        self.levels = _levels(3, self.widths)

    @property
    def out_channels(self) -> list[int]:
        """Channels of what `forward` gives."""
        return list(self.widths)

    def set_in_channels(self, in_channels: int, pretrained: bool = False) -> None:
        """Make the encoder anew for so many channels; the library calls it before it is used."""
        self.levels = _levels(in_channels, self.widths)

    def make_dilated(self, output_stride: int) -> None:
        """Nothing: three poolings never go deeper than the stride of 8 that is asked for."""

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """(n, c, y, x) -> level l as (n, width, y/2^l, x/2^l), finest first."""
        x, features = pixels, []
        for number, level in enumerate(self.levels):
            x = level(x if number == 0 else nn.functional.max_pool2d(x, 2))
            features.append(x)
        return features


class PlainUNet(nn.Module):
    """The listing's U-Net: bilinear up-sampling, no transposed convolution, a 3x3 output."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.encoder = PlainEncoder()
        self.encoder.set_in_channels(channels)
        self.up3 = double_convolution(256 + 128, 128)
        self.up2 = double_convolution(128 + 64, 64)
        self.up1 = double_convolution(64 + 32, 32)
        self.output = _he(nn.Conv2d(32, classes, 3, padding=1))

    def forward(self, pixels: Tensor) -> Tensor:
        """(n, channels, y, x) -> logits (n, classes, y, x)."""
        one, two, three, x = self.encoder(pixels)  # (n, 256, y/8, x/8)
        x = self.up3(torch.cat([_doubled(x), three], dim=1))  # (n, 128, y/4, x/4)
        x = self.up2(torch.cat([_doubled(x), two], dim=1))  # (n, 64, y/2, x/2)
        x = self.up1(torch.cat([_doubled(x), one], dim=1))  # (n, 32, y, x)
        logits: Tensor = self.output(x)  # (n, classes, y, x)
        return logits


def double_convolution(inputs: int, outputs: int) -> nn.Sequential:
    """Twice 3x3 convolution, batch normalisation, ReLU; Kaiming initial weights."""
    layers: list[nn.Module] = []
    for channels in (inputs, outputs):
        convolution = _he(nn.Conv2d(channels, outputs, 3, padding=1, bias=False))
        layers += [convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def _levels(channels: int, widths: tuple[int, ...]) -> nn.ModuleList:
    inputs = (channels, *widths[:-1])
    return nn.ModuleList(double_convolution(a, b) for a, b in zip(inputs, widths, strict=True))


def _he(convolution: nn.Conv2d) -> nn.Conv2d:
    nn.init.kaiming_normal_(convolution.weight)
    return convolution


def _doubled(x: Tensor) -> Tensor:
    return nn.functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=True)
