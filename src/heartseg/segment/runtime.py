"""What runs a network, and which one is taken."""

import importlib.util
import shutil
from pathlib import Path
from typing import Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import ConfigError, MissingExtraError
from heartseg.segment.bundle import Bundle

Device = Literal["auto", "cpu", "cuda"]


class Runtime(Protocol):
    """A bundle that is ready to compute.

    Attributes:
        name: "openvino" or "torch".
        precision: "f32", "bf16", "f16" or "int8", for the provenance.
    """

    name: str

    @property
    def precision(self) -> str:
        """What the convolutions are computed in."""
        ...

    def infer(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, channels, y, x) prepared pixels -> probabilities (n, structures, y, x).

        Volumes have z before y. Of a bundle with a window, the margins are not answered: see
        `heartseg.segment.window`.
        """
        ...


def choose_runtime(device: str, bundle: Bundle, threads: int | None = None) -> Runtime:
    """The runtime for a device: OpenVINO on the processor, torch on a graphics card.

    `threads` are those of the processor; None takes all that this process may use.

    Torch is not even looked at, which takes over a second, unless there is a card.

    Raises:
        ConfigError: no such device, or no usable card when one was asked for.
        MissingExtraError: a card was asked for and torch is not installed.
    """
    require_device(device)
    if device == "cuda" and not _has_torch():
        raise MissingExtraError("device cuda", "train")
    if device == "cuda" or (device == "auto" and _has_torch() and _may_have_card()):
        from heartseg.segment.torch_runtime import TorchRuntime, has_card

        if has_card():
            return TorchRuntime(bundle, "cuda")
        if device == "cuda":
            raise ConfigError(
                "device", got="cuda, but torch finds no usable card", do="use --device cpu"
            )
    from heartseg.segment.openvino_runtime import OpenVinoRuntime

    return OpenVinoRuntime(bundle, threads=threads)


def require_device(name: str, where: str = "device") -> None:
    """Refuse what is no name of a device.

    Raises:
        ConfigError: with the names.
    """
    if name not in get_args(Device):
        raise ConfigError(where, got=repr(name), allowed=", ".join(get_args(Device)))


def _has_torch() -> bool:
    return importlib.util.find_spec("torch") is not None


def _may_have_card() -> bool:
    return Path("/dev/nvidiactl").exists() or shutil.which("nvidia-smi") is not None
