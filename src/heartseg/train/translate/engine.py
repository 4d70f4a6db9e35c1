"""Generators on the processor with OpenVINO; no torch.

Intensities come out, not labels, so everything is computed in f32: what a half-precision engine
rounds would be noise in the image.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import ModelError
from heartseg.segment.bundle import INPUT
from heartseg.segment.openvino_runtime import import_openvino, planes_at_once


class Engine:
    """A compiled generator.

    Args:
        onnx: checked bytes, see `heartseg.train.translate.translator`.
        stride: rows and columns of an input are multiples of it.
        name: of the translator, for messages.
        threads: None for all the cores that this process may use.

    Raises:
        ModelError: the engine cannot use the network.
    """

    def __init__(self, onnx: bytes, stride: int, name: str, threads: int | None = None) -> None:
        self._stride, self._name = stride, name
        settings: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",
            "ENABLE_CPU_PINNING": False,
        }
        if threads is not None:
            settings["INFERENCE_NUM_THREADS"] = threads
        core = import_openvino().Core()
        try:
            compiled = core.compile_model(core.read_model(onnx), "CPU", settings)
        except RuntimeError as fault:
            raise ModelError(f"translator '{name}'", got=_last_line(fault)) from fault
        self._request = compiled.create_infer_request()

    def translated(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """(z, channels, y, x) prepared slices -> the same shape, intensities in [0, 1].

        Raises:
            ModelError: rows or columns that the network cannot take.
        """
        size = pixels.shape[2:]
        if any(length % self._stride for length in size):
            got = f"planes of {'x'.join(map(str, size))}"
            allowed = f"multiples of {self._stride}"
            raise ModelError(f"translator '{self._name}'", got=got, allowed=allowed)
        step = planes_at_once(len(pixels), *size)
        pieces = [pixels[at : at + step] for at in range(0, len(pixels), step)]
        return np.concatenate([self._of_piece(piece) for piece in pieces])

    def _of_piece(self, piece: NDArray[np.float32]) -> NDArray[np.float32]:
        try:
            answer = self._request.infer({INPUT: np.ascontiguousarray(piece)})
        except RuntimeError as fault:
            raise ModelError(f"translator '{self._name}'", got=_last_line(fault)) from fault
        made: NDArray[np.float32] = answer[0].clip(0.0, 1.0)
        return made


def _last_line(fault: Exception) -> str:
    lines = [line for line in str(fault).splitlines() if line.strip()]
    return lines[-1][:200] if lines else type(fault).__name__
