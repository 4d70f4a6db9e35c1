"""Planes as a few numbers: what the lowest level of a model's encoder sees in them.

The space that the Frechet distance is measured in. Nothing is downloaded: the encoder is that of a
bundle at hand. Of the tensors that go into its convolutions the one with the fewest rows and
columns is taken, the last of equal ones, and its mean over the plane: one number a channel.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import ModelError
from heartseg.core.image import Image
from heartseg.segment import Bundle
from heartseg.segment.bundle import INPUT
from heartseg.segment.int8 import points
from heartseg.segment.openvino_runtime import import_openvino

SIDE_PX = 128
"""Of the middle of each prepared plane that is looked at, or the next multiple of the stride."""

PLANES_AT_ONCE = 8


class Encoder:
    """The encoder of a bundle, ready to compute.

    Args:
        bundle: a padded network of planes.

    Attributes:
        name: of the tensor that is taken, as the ONNX file calls it.

    Raises:
        ModelError: a network of volumes or with margins, or one without convolutions.
    """

    def __init__(self, bundle: Bundle) -> None:
        if bundle.window is not None:
            got = f"'{bundle.name}', which is shown volumes or tiles"
            raise ModelError("features", got=got, allowed="a padded network of planes")
        self._preparation, self.bundle = bundle.preparation, bundle
        stride = bundle.preparation.stride
        self._side = -(-SIDE_PX // stride) * stride
        module = import_openvino()
        network = module.Core().read_model(bundle.onnx)
        shape = [PLANES_AT_ONCE, bundle.preparation.channels, self._side, self._side]
        network.reshape({INPUT: shape})
        there = points(network)
        if not there:
            raise ModelError("features", got=f"no deep convolution in '{bundle.name}'")
        areas = {name: _area(output) for name, output in there.items()}
        self.name = [name for name, area in areas.items() if area == min(areas.values())][-1]
        inside = module.Model([there[self.name]], network.get_parameters(), "encoder")
        settings = {"INFERENCE_PRECISION_HINT": "f32"}
        self._compiled = module.Core().compile_model(inside, "CPU", settings)

    def of_image(self, image: Image, frames: Sequence[int]) -> NDArray[np.float64]:
        """(planes, features) of frames, prepared as the bundle asks for it.

        Raises:
            FormatError: the image has no contrast or holds NaN.
        """
        sample = self._preparation.sample(image)
        return self.of_planes(np.concatenate([sample.channels(frame) for frame in frames]))

    def of_planes(self, planes: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, features) of prepared planes (n, channels, y, x)."""
        shown = middle(planes, self._side)
        found = []
        for at in range(0, len(shown), PLANES_AT_ONCE):
            piece = shown[at : at + PLANES_AT_ONCE]
            spare = PLANES_AT_ONCE - len(piece)
            answer = self._compiled(np.pad(piece, [(0, spare), *[(0, 0)] * 3]))[0]
            found.append(answer[: len(piece)].mean(axis=(2, 3)))
        together: NDArray[np.float64] = np.concatenate(found).astype(np.float64)
        return together


def middle(planes: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """(n, c, y, x) -> (n, c, side, side) about the same centre, 0 beyond the plane."""
    out = np.zeros((*planes.shape[:2], side, side), np.float32)
    spans = [_spans(length, side) for length in planes.shape[2:]]
    (rows, into_rows), (columns, into_columns) = spans
    out[:, :, into_rows, into_columns] = planes[:, :, rows, columns]
    return out


def _spans(length: int, side: int) -> tuple[slice, slice]:
    """What is taken of a length, and where it comes to lie."""
    kept = min(length, side)
    first, into = (length - kept) // 2, (side - kept) // 2
    return slice(first, first + kept), slice(into, into + kept)


def _area(output: object) -> int:
    sizes: Iterable[int] = list(output.get_shape())[2:]  # type: ignore[attr-defined]
    return int(np.prod(list(sizes)))
