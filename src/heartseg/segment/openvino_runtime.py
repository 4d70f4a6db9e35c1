"""Inference on the processor with OpenVINO; no torch, no network, nothing written.

`import openvino` would load its conversion tool, which reports usage and keeps files in the
user's home. That tool is kept out here, before the import; a test traces a run.
"""

import sys
from math import prod
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import ModelError
from heartseg.segment.bundle import INPUT, Bundle
from heartseg.segment.int8 import points, quantise
from heartseg.segment.softmax import softmax

Precision = Literal["f32", "bf16", "int8"]

PIXELS_AT_ONCE = 2 * 256 * 256
"""Planes go through in pieces of about this size: the caches of a laptop hold them, the memory
stays flat, and larger pieces were slower."""

_CONVERTER = "openvino.tools.ovc"
_IMPORTING = Lock()
_NAMES = {"float32": "f32", "bf16": "bf16", "bfloat16": "bf16", "float16": "f16", "f16": "f16"}


class OpenVinoRuntime:
    """A compiled bundle.

    Args:
        bundle: a checked model.
        precision: of the convolutions. None chooses bf16 where the processor has it, else int8,
            where the bundle was measured to allow these, else f32.
        threads: None for all the cores that this process may use.
        cache: folder for compiled models; None writes nothing anywhere.

    Raises:
        ModelError: the engine cannot use the network.
    """

    name = "openvino"

    def __init__(
        self,
        bundle: Bundle,
        *,
        precision: Precision | None = None,
        threads: int | None = None,
        cache: Path | None = None,
    ) -> None:
        core = import_openvino().Core()
        wanted = precision or _fastest(bundle, core)
        settings: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "bf16" if wanted == "bf16" else "f32",
            "ENABLE_CPU_PINNING": False,  # two runs would be pinned to the same processors
        }
        if threads is not None:
            settings["INFERENCE_NUM_THREADS"] = threads
        if cache is not None:
            settings["CACHE_DIR"] = str(cache)
        try:
            network = core.read_model(bundle.onnx)
            if wanted == "int8":
                quantise(network, bundle.int8_ranges)
            compiled = core.compile_model(network, "CPU", settings)
        except RuntimeError as fault:
            raise ModelError(f"model '{bundle.name}'", got=_last_line(fault)) from fault
        self._request = compiled.create_infer_request()
        self._name, self._require_size = bundle.name, bundle.require_size
        said = str(compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name())
        self._precision = wanted if wanted == "int8" else _NAMES.get(said, said)

    @property
    def precision(self) -> str:
        """What the compiled model says that it computes in: "f32", "bf16", "f16" or "int8"."""
        return self._precision

    def infer(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, channels, y, x) -> probabilities (n, structures, y, x), of the middle by a window.

        Volumes have z before y.

        Raises:
            ModelError: the engine cannot use inputs of this size.
        """
        # Not left to the engine: by the exporter's version it complains, or cuts off a row.
        self._require_size(pixels.shape[2:])
        step = planes_at_once(len(pixels), *pixels.shape[2:])
        pieces = [pixels[at : at + step] for at in range(0, len(pixels), step)]
        return np.concatenate([softmax(self._logits(piece)) for piece in pieces])

    def _logits(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        try:
            answer = self._request.infer({INPUT: np.ascontiguousarray(pixels)}, share_outputs=True)
        except RuntimeError as fault:
            size = "x".join(map(str, pixels.shape[2:]))
            got = f"planes of {size} pixels: {_last_line(fault)}"
            raise ModelError(f"model '{self._name}'", got=got) from fault
        logits: NDArray[np.float32] = answer[0]
        return logits


def import_openvino() -> ModuleType:
    """OpenVINO without the tool that calls home; a second thread waits for the first one's."""
    with _IMPORTING:
        if "openvino" in sys.modules:
            return sys.modules["openvino"]
        sys.modules[_CONVERTER] = None  # type: ignore[assignment]
        try:
            import openvino
        finally:
            del sys.modules[_CONVERTER]  # who wants the tool, and says so, may have it
        module: ModuleType = openvino
        return module


def planes_at_once(planes: int, *size: int) -> int:
    """The largest divisor of `planes` within `PIXELS_AT_ONCE`: every size costs a preparation."""
    most = max(1, PIXELS_AT_ONCE // prod(size))
    return next(count for count in range(min(most, planes), 0, -1) if planes % count == 0)


def _fastest(bundle: Bundle, core: Any) -> Precision:
    if bundle.bf16_safe and _has_bf16(core):
        return "bf16"
    return "int8" if bundle.int8_safe else "f32"


def activations(bundle: Bundle, pixels: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """What goes into each convolution in f32 when the network sees (n, 1, y, x), by name."""
    module = import_openvino()
    network = module.Core().read_model(bundle.onnx)
    there = points(network)
    inside = module.Model(list(there.values()), network.get_parameters(), "inside")
    compiled = module.Core().compile_model(inside, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    answers = compiled(np.ascontiguousarray(pixels))
    return {name: answers[place] for place, name in enumerate(there)}


def _has_bf16(core: Any) -> bool:
    return "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _last_line(fault: Exception) -> str:
    lines = [line for line in str(fault).splitlines() if line.strip()]
    return lines[-1][:200] if lines else type(fault).__name__
