"""The grid of thesis 001: nine decoders, each with ten encoders and without a backbone.

The decoders and encoders are those of segmentation-models-pytorch, the library of the thesis. They
are built with fresh weights, whatever its constructors would like to fetch, and then trimmed by
`trim.py`: what no gradient reaches is taken out, so the parameters that are counted are those that
learn.

| decoder | of the encoder | what it asks of the size |
|---|---|---|
| unet, unetplusplus, manet, linknet, fpn | five poolings | multiples of 32 |
| pspnet | three poolings, the rest is removed | multiples of 8 |
| pan | four poolings, the fifth dilated; its pyramid halves thrice | multiples of 16, from 128 |
| deeplabv3 | three poolings, the rest dilated by 2 and 4 | multiples of 8 |
| deeplabv3plus | four poolings, the fifth dilated by 2 | multiples of 16 |

A plane of less than 128 pixels must be padded for PAN: `preparation.stride = 128` does it.

`plain` has three poolings (`plain.py`): every decoder takes all four of its levels or the deepest
three, at a stride of 8 and without dilation. unet-plain is the thesis's own U-Net; fpn-plain, whose
pyramid then begins at full size, is half as wide.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from heartseg.core.errors import ConfigError
from heartseg.models.architecture import Architecture

if TYPE_CHECKING:
    from torch import nn

DECODERS: Mapping[str, tuple[str, str]] = {
    "unet": ("Unet", "U-Net, Ronneberger 2015"),
    "unetplusplus": ("UnetPlusPlus", "U-Net++, Zhou 2018"),
    "manet": ("MAnet", "MA-Net, Fan 2020"),
    "linknet": ("Linknet", "LinkNet, Chaurasia 2017"),
    "fpn": ("FPN", "FPN, Lin 2017"),
    "pspnet": ("PSPNet", "PSPNet, Zhao 2017"),
    "pan": ("PAN", "PAN, Li 2018"),
    "deeplabv3": ("DeepLabV3", "DeepLabV3, Chen 2017"),
    "deeplabv3plus": ("DeepLabV3Plus", "DeepLabV3+, Chen 2018"),
}
"""Decoder -> the library's name for it, and its paper."""

ENCODERS: Mapping[str, tuple[str, str]] = {
    "plain": ("plain", "double convolutions, thesis 001"),
    "resnet18": ("resnet18", "ResNet, He 2016"),
    "resnet34": ("resnet34", "ResNet, He 2016"),
    "resnet50": ("resnet50", "ResNet, He 2016"),
    "resnet101": ("resnet101", "ResNet, He 2016"),
    "efficientnet-b0": ("efficientnet-b0", "EfficientNet, Tan 2019"),
    "efficientnet-b1": ("efficientnet-b1", "EfficientNet, Tan 2019"),
    "efficientnet-b3": ("efficientnet-b3", "EfficientNet, Tan 2019"),
    "efficientnet-b5": ("efficientnet-b5", "EfficientNet, Tan 2019"),
    "efficientnet-b7": ("efficientnet-b7", "EfficientNet, Tan 2019"),
    "mobilenetv2": ("mobilenet_v2", "MobileNetV2, Sandler 2018"),
}
"""Encoder -> the library's name for it, and its paper."""

Decoder = Literal[
    "unet", "unetplusplus", "manet", "linknet", "fpn", "pspnet", "pan", "deeplabv3", "deeplabv3plus"
]
Encoder = Literal[
    "plain",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "efficientnet-b0",
    "efficientnet-b1",
    "efficientnet-b3",
    "efficientnet-b5",
    "efficientnet-b7",
    "mobilenetv2",
]

_STRIDES = {"pspnet": 8, "pan": 16, "deeplabv3": 8, "deeplabv3plus": 16}
_WITH_PLAIN: Mapping[str, Mapping[str, Any]] = {
    "unetplusplus": {"decoder_channels": (128, 64, 32)},
    "manet": {"decoder_channels": (128, 64, 32)},
    "fpn": {
        "decoder_pyramid_channels": 128,
        "decoder_segmentation_channels": 64,
        "upsampling": 1,
    },
    "deeplabv3": {"encoder_output_stride": 8},
    "deeplabv3plus": {"encoder_output_stride": 8},
}
_POOLED_AND_NORMALISED = ("pan", "deeplabv3", "deeplabv3plus")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid(Architecture):
    """One of the 99 networks.

    Attributes:
        decoder: of `DECODERS`.
        encoder: of `ENCODERS`.
        weights: where the encoder starts: nothing for fresh weights, "imagenet" for those of the
            library, or a file of them (`pretrained.py`).
    """

    native_classes: ClassVar[int] = 1

    decoder: Decoder = "unet"
    encoder: Encoder = "plain"
    weights: str | None = None

    def __post_init__(self) -> None:
        for what, got, known in (
            ("decoder", self.decoder, DECODERS),
            ("encoder", self.encoder, ENCODERS),
        ):
            if got not in known:
                raise ConfigError(what, got=repr(got), allowed=", ".join(known))

    @property
    def name(self) -> str:
        """`<decoder>-<encoder>`, its name in the table of networks."""
        return f"{self.decoder}-{self.encoder}"

    @property
    def paper(self) -> str:
        """Of the decoder and of the encoder."""
        return f"{DECODERS[self.decoder][1]}; {ENCODERS[self.encoder][1]}"

    @property
    def stride(self) -> int:
        """By the table at the top of the file."""
        return 8 if self.encoder == "plain" else _STRIDES.get(self.decoder, 32)

    @property
    def smallest_size(self) -> tuple[int, ...]:
        """Where PAN's pyramid ends in one pixel; for the others, what is still an image."""
        pyramid = 8 * self.stride if self.decoder == "pan" else 0
        return (max(64, pyramid),) * 2

    @property
    def deployed(self) -> "Grid":
        """Without the file that it started from."""
        return replace(self, weights=None)

    @property
    def smallest_batch(self) -> int:
        """Planes a training step needs at least.

        Where a decoder normalises what it pooled to a single pixel, one plane is one value a
        channel, and a value has no variance.
        """
        return 2 if self.decoder in _POOLED_AND_NORMALISED else 1

    def build(self, channels: int, classes: int) -> "nn.Module":
        """The network: (n, channels, y, x) -> logits (n, classes, y, x).

        Raises:
            ConfigError: there are no such weights for this encoder.
            ModelError: the weights cannot be had, or are another encoder's.
        """
        from heartseg.models.plain import PlainUNet
        from heartseg.models.pretrained import start_encoder
        from heartseg.models.trim import trim

        if self.decoder == "unet" and self.encoder == "plain":
            network: nn.Module = PlainUNet(channels, classes)
        else:
            network = self._from_library(channels, classes)
        whole = tuple(network.encoder.state_dict())  # type: ignore[union-attr]
        trim(network, self.decoder)
        if self.weights is not None:
            start_encoder(
                network.encoder,  # type: ignore[arg-type]
                self.weights,
                encoder=ENCODERS[self.encoder][0],
                whole=whole,
            )
        return network

    def _from_library(self, channels: int, classes: int) -> "nn.Module":
        import segmentation_models_pytorch as library

        from heartseg.models.plain import WIDTHS, PlainEncoder

        settings: dict[str, Any] = {}
        if self.encoder == "plain":
            # The library's way to bring an encoder of one's own is its table of them.
            library.encoders.encoders.setdefault("plain", {"encoder": PlainEncoder, "params": {}})
            settings = {"encoder_depth": len(WIDTHS) - 1, **_WITH_PLAIN.get(self.decoder, {})}
        network: nn.Module = getattr(library, DECODERS[self.decoder][0])(
            ENCODERS[self.encoder][0],
            encoder_weights=None,
            in_channels=channels,
            classes=classes,
            **settings,
        )
        return network
