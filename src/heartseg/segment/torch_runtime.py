"""Inference with torch, for graphics cards; the only file of this stage that imports it."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from heartseg.core.errors import ConfigError, ModelError
from heartseg.models import architecture
from heartseg.models.background import answer_with_background
from heartseg.segment.bundle import Bundle
from heartseg.segment.onnx_check import read_onnx

Precision = Literal["f32", "bf16"]

PLANES_AT_ONCE = 64


class TorchRuntime:
    """A bundle's network, rebuilt from its description with the weights of its ONNX file.

    Args:
        bundle: a checked model.
        device: "cuda", or "cpu" to compare with the other runtime.
        precision: of the convolutions. None chooses bf16 on a card that has it, where the bundle
            was measured to allow it, else f32.
        compiled: let torch write the network's program anew for these sizes. It takes a compiler
            and up to a minute, once, which pays for cohorts.

    Raises:
        ModelError: description and weights do not fit.
    """

    name = "torch"

    def __init__(
        self,
        bundle: Bundle,
        device: Literal["cpu", "cuda"],
        *,
        precision: Precision | None = None,
        compiled: bool = False,
    ) -> None:
        self._device = torch.device(device)
        self._precision = precision or _fastest(bundle, self._device)
        network = load_network(bundle).eval().to(self._device).to(memory_format=_layout(bundle))
        if compiled:
            network.compile(dynamic=True)
        self._network = network

    @property
    def precision(self) -> str:
        """What the convolutions are computed in: "f32" or "bf16"."""
        return self._precision

    def infer(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, channels, y, x) -> probabilities (n, structures, y, x), of the middle by a window."""
        return probabilities(self._network, pixels, self._device, self._precision)


def _fastest(bundle: Bundle, device: torch.device) -> Precision:
    halves = device.type == "cuda" and bundle.bf16_safe and torch.cuda.is_bf16_supported()
    return "bf16" if halves else "f32"


def _layout(bundle: Bundle) -> torch.memory_format:
    """Channels last, which the fast kernels of cards and of bf16 want, for networks of planes."""
    volumes = bundle.window is not None and bundle.window.axes == 3
    return torch.preserve_format if volumes else torch.channels_last


def probabilities(
    network: nn.Module,
    pixels: NDArray[np.float32],
    device: torch.device,
    precision: Precision = "f32",
) -> NDArray[np.float32]:
    """(n, channels, ...) -> (n, classes, ...) in f32, some at once, by a network in eval mode.

    Raises:
        ModelError: the network cannot take pixels of this size.
    """
    pieces = np.split(pixels, range(PLANES_AT_ONCE, len(pixels), PLANES_AT_ONCE))
    half = torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")
    # TF32 would be ten bits of mantissa under the name of f32.
    exact = torch.backends.cudnn.flags(enabled=True, allow_tf32=False)
    with torch.inference_mode(), half, exact:
        return np.concatenate([_of_piece(network, piece, device) for piece in pieces])


def _of_piece(
    network: nn.Module, pixels: NDArray[np.float32], device: torch.device
) -> NDArray[np.float32]:
    planes = torch.from_numpy(np.ascontiguousarray(pixels)).to(device)
    try:
        found: NDArray[np.float32] = network(planes).float().softmax(1).cpu().numpy()
    except RuntimeError as fault:
        got = f"planes of shape {tuple(planes.shape)}: {str(fault).splitlines()[0][:200]}"
        raise ModelError("network", got=got) from fault
    return found


def load_network(bundle: Bundle) -> nn.Module:
    """The network in f32 on the processor, to compute with or to train on from there.

    Raises:
        ModelError: description and weights do not fit.
    """
    channelless = int(bundle.activation == "sigmoid")  # the background
    try:
        network = architecture(bundle.architecture).build(
            bundle.preparation.channels, len(bundle.structures) - channelless
        )
    except ConfigError as fault:
        raise ModelError(f"model '{bundle.name}'", got=str(fault)) from fault
    load_weights(network, read_onnx(bundle.onnx).weights)
    if channelless:
        answer_with_background(network)
    return network


def load_weights(network: nn.Module, weights: Mapping[str, NDArray[Any]]) -> None:
    """Put every weight and statistic into the network, by name.

    Raises:
        ModelError: one is missing or has another shape; the network is then as before.
    """
    # Whole numbers are counters and tables of indices, which the description alone decides.
    wanted = {k: v for k, v in network.state_dict().items() if v.is_floating_point()}
    wrong = [k for k, v in wanted.items() if k not in weights or weights[k].shape != v.shape]
    if wrong:
        raise ModelError(
            "weights",
            got="no fitting " + ", ".join(wrong[:4]) + (" ..." if len(wrong) > 4 else ""),
            allowed="one array for each weight of the described network",
            do="the bundle's [architecture] and its model.onnx do not belong together",
        )
    arrays = {name: torch.from_numpy(weights[name].astype(np.float32)) for name in wanted}
    network.load_state_dict(arrays, strict=False)


def has_card() -> bool:
    """True when torch finds a card that it can use."""
    return torch.cuda.is_available()
