"""FCN-32s, -16s and -8s (Long, Shelhamer, Darrell 2015; Shelhamer 2017), on VGG-16.

VGG-16's fully connected layers become convolutions, so that it scores every place at a stride of
32; finer poolings are scored too and added after up-sampling. The first convolution pads by 100, so
that fc6 finds its 7x7 in every image, and crops bring the answer back onto the pixels: an image of
any size is legal. Where an output lies on the input follows from kernels and paddings; the crops
are the authors' own (19; 5 and 27; 5, 9 and 31).

Initial weights: those of VGG-16 are meant to be loaded (`from_vgg16`), without them He's; scores of
pool4 and pool3 start at zero, so that a finer network begins as the coarser one; up-sampling starts
bilinear and is learnt, but for the last, which stays bilinear.

Axes: n planes, c channels, y rows, x columns.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from heartseg.core.errors import ConfigError
from heartseg.models.architecture import Architecture

POOL3, POOL4 = 16, 23
"""Places of the third and fourth pooling in the features of VGG-16."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FCN(Architecture):
    """A network of the paper's figure 3.

    Attributes:
        finest: stride of the finest scores: 32, 16 (with pool4) or 8 (with pool3 too).
        widths: channels of VGG-16's five blocks.
        head: channels of fc6 and fc7.
    """

    paper: ClassVar[str] = "Long 2015"
    stride: ClassVar[int] = 1
    native_channels: ClassVar[int] = 3
    native_classes: ClassVar[int] = 21
    native_size: ClassVar[tuple[int, ...]] = (500, 500)
    overfit_steps: ClassVar[int] = 100

    finest: Literal[32, 16, 8] = 8
    widths: tuple[int, int, int, int, int] = (64, 128, 256, 512, 512)
    head: int = 4096

    def __post_init__(self) -> None:
        if min(*self.widths, self.head) < 1:
            raise ConfigError("fcn", got=str(self), allowed="at least 1 channel everywhere")

    def build(self, channels: int, classes: int) -> nn.Module:
        """The network with fresh weights."""
        return _FCN(self, channels, classes)


class _FCN(nn.Module):
    bilinear: Tensor  # (classes, 1, 2 * finest, 2 * finest), fixed

    def __init__(self, described: FCN, channels: int, classes: int) -> None:
        super().__init__()
        self.finest = described.finest
        widths, head = described.widths, described.head
        self.features = _vgg16(channels, widths)
        self.classifier = nn.Sequential(
            nn.Conv2d(widths[4], head, 7),  # fc6
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            nn.Conv2d(head, head, 1),  # fc7
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
        )
        self.apply(_he)
        self.score = nn.Conv2d(head, classes, 1)
        if self.finest <= 16:
            self.score_pool4 = _zero(nn.Conv2d(widths[3], classes, 1))
            self.up_score = _bilinear_deconvolution(classes)
        if self.finest == 8:
            self.score_pool3 = _zero(nn.Conv2d(widths[2], classes, 1))
            self.up_pool4 = _bilinear_deconvolution(classes)
        kernel = bilinear_kernel(2 * self.finest).expand(classes, 1, -1, -1)
        self.register_buffer("bilinear", kernel.clone())

    def forward(self, pixels: Tensor) -> Tensor:
        pool3 = self.features[: POOL3 + 1](pixels)  # (n, 256, .../8)
        pool4 = self.features[POOL3 + 1 : POOL4 + 1](pool3)  # (n, 512, .../16)
        x = self.score(self.classifier(self.features[POOL4 + 1 :](pool4)))  # (n, classes, .../32)
        if self.finest <= 16:
            x = self.up_score(x)
            x = x + _cropped(self.score_pool4(pool4), 5, x)  # (n, classes, .../16)
        if self.finest == 8:
            x = self.up_pool4(x)
            x = x + _cropped(self.score_pool3(pool3), 9, x)  # (n, classes, .../8)
        x = nn.functional.conv_transpose2d(x, self.bilinear, stride=self.finest, groups=x.shape[1])
        return _cropped(x, {32: 19, 16: 27, 8: 31}[self.finest], pixels)  # (n, classes, y, x)


def from_vgg16(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights of torchvision's `vgg16` as those of an FCN: fc6 and fc7 become kernels.

    The last layer, which scores 1000 kinds of photographs, is left out; so are the scores of an
    FCN, which are not in it: load with `strict=False`.
    """
    taken = {name: value for name, value in state.items() if not name.startswith("classifier.6.")}
    for name, kernel in (("classifier.0.weight", 7), ("classifier.3.weight", 1)):
        taken[name] = state[name].reshape(len(state[name]), -1, kernel, kernel)
    return taken


def bilinear_kernel(size: int) -> Tensor:
    """(size, size) weights of a transposed convolution that interpolates, at stride size / 2."""
    distance = (torch.arange(size) - (size - 1) / 2).abs()
    line = 1 - distance / (size / 2)
    return line[:, None] * line[None, :]


def _vgg16(channels: int, widths: tuple[int, ...]) -> nn.Sequential:
    """The thirteen convolutions and five poolings, numbered as torchvision's."""
    layers: list[nn.Module] = []
    inputs = channels
    for width, convolutions in zip(widths, (2, 2, 3, 3, 3), strict=True):
        for _ in range(convolutions):
            padding = 1 if layers else 100
            layers += [nn.Conv2d(inputs, width, 3, padding=padding), nn.ReLU(inplace=True)]
            inputs = width
        layers.append(nn.MaxPool2d(2, ceil_mode=True))
    return nn.Sequential(*layers)


def _cropped(x: Tensor, offset: int, like: Tensor) -> Tensor:
    rows, columns = like.shape[2:]
    return x[:, :, offset : offset + rows, offset : offset + columns]


def _bilinear_deconvolution(classes: int) -> nn.ConvTranspose2d:
    """Twice as many rows and columns; each class starts from itself alone."""
    layer = nn.ConvTranspose2d(classes, classes, 4, stride=2, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.eye(classes)[:, :, None, None] * bilinear_kernel(4))
    return layer


def _zero(layer: nn.Conv2d) -> nn.Conv2d:
    for weight in layer.parameters():
        nn.init.zeros_(weight)
    return layer


def _he(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        for bias in [layer.bias] if layer.bias is not None else []:
            nn.init.zeros_(bias)
