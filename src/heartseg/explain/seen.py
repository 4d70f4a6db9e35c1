"""A model as it sees a study's image: its network, and the pixels that it is shown."""

from dataclasses import dataclass
from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from heartseg.core.errors import ConfigError, ModelError
from heartseg.core.image import Image
from heartseg.prepare.sample import Sample
from heartseg.segment.bundle import Bundle
from heartseg.segment.torch_runtime import has_card, load_network, probabilities
from heartseg.segment.window import Window


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A bundle and its network, in evaluation mode, whose weights need no gradient."""

    bundle: Bundle
    network: nn.Module
    device: torch.device

    @property
    def volumes(self) -> bool:
        """True where the network is shown all slices at once."""
        return self.bundle.window is not None and self.bundle.window.axes == 3

    def seeing(self, image: Image) -> "Seen":
        """The model before an image.

        Raises:
            FormatError: the image has no contrast or holds NaN.
        """
        return Seen(self, self.bundle.preparation.sample(image))


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A model and an image as it sees it."""

    model: Model
    sample: Sample

    def pieces(self, frame: int) -> list[Tensor]:
        """What the network is shown of a frame: (1, channels, y, x) a slice, or one volume."""
        slices = torch.from_numpy(self.sample.channels(frame)).to(self.model.device)
        if self.model.volumes:
            return [slices.movedim(0, 1)[None]]
        return [one[None] for one in slices]

    def planes(self, pieces: list[Tensor]) -> Tensor:
        """Maps of pieces, (*size) each, as planes (z, y, x) of the prepared grid."""
        return pieces[0] if self.model.volumes else torch.stack(pieces)

    def slice_of(self, stored: int) -> int:
        """Where a slice of the image's own order stands among the prepared planes."""
        place = self.sample.orientation.place((stored, 0, 0), self.sample.image.geometry.shape)
        return int(place[0])

    def answers(self, frame: int) -> NDArray[np.float32]:
        """Probabilities (structures, z, y, x) of a frame on the image's own grid."""
        pieces = [piece.cpu().numpy() for piece in self.pieces(frame)]
        found = [probabilities(self.model.network, one, self.model.device) for one in pieces]
        whole = np.moveaxis(found[0][0], 1, 0) if self.model.volumes else np.concatenate(found)
        return self.sample.restore(whole)


class Framed(nn.Module):
    """A network that is shown a window, made to answer whole planes or volumes at once.

    The borders are mirrored as `heartseg.segment.window` does it, in one tile, and gradients flow
    back through the mirror.
    """

    def __init__(self, network: nn.Module, window: Window, name: str) -> None:
        super().__init__()
        self.network, self.window, self.name = network, window, name

    def forward(self, pixels: Tensor) -> Tensor:
        """(k, channels, *size) -> logits (k, classes, *size); ModelError where none is so large."""
        size = pixels.shape[2:]
        window = self.window
        for axis, length in enumerate(size):
            margin, least = window.margin_px[axis], window.smallest_px[axis]
            stride = window.stride_px[axis]
            whole = least + max(0, ceil((length + 2 * margin - least) / stride)) * stride
            if whole > window.largest_px[axis]:
                got = f"{'x'.join(map(str, size))} pixels, for which it takes several windows"
                allowed = f"what fits into one window of {window.largest_px} pixels"
                raise ModelError(f"model '{self.name}'", got=got, allowed=allowed)
            places = np.pad(np.arange(length), (margin, whole - margin - length), mode="reflect")
            pixels = pixels.index_select(axis + 2, torch.from_numpy(places).to(pixels.device))
        answer: Tensor = self.network(pixels)
        lost = [a - b for a, b in zip(pixels.shape[2:], answer.shape[2:], strict=True)]
        for axis, length in enumerate(size):
            answer = answer.narrow(axis + 2, window.margin_px[axis] - lost[axis] // 2, length)
        return answer


def ready(bundle: Bundle, device: str) -> Model:
    """A bundle with its network on a device.

    Raises:
        ConfigError: no usable card where one was asked for.
        ModelError: description and weights do not fit.
    """
    card = device != "cpu" and has_card()
    if device == "cuda" and not card:
        raise ConfigError(
            "device", got="cuda, but torch finds no usable card", do="use --device cpu"
        )
    where = torch.device("cuda", 0) if card else torch.device("cpu")
    network = load_network(bundle)
    if bundle.window is not None:
        network = Framed(network, bundle.window, bundle.name)
    return Model(bundle, network.eval().to(where).requires_grad_(False), where)
