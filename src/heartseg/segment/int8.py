"""Convolutions in whole numbers of eight bits, after training (Jacob 2018).

What goes into a convolution is rounded to 256 steps between two numbers that were measured on
training images; its weights are rounded to 255 steps of their own for each channel that comes out.
Nothing of this is stored but the measured numbers: the bundle keeps its weights, and the steps are
put into the network when the engine compiles it. The first convolution, which sees the image, stays
in f32, and so does the sum that becomes a logit.

Axes: n planes, c channels, y rows, x columns.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import ModelError

Ranges = Mapping[str, tuple[float, float]]
"""Least and greatest number by the name of what gives it in the ONNX file."""

LEVELS = 256
WEIGHT_LEVELS = 255
"""One less, so that 0 is in the middle."""

OUT_CHANNELS = {"Convolution": 0, "ConvolutionBackpropData": 1}
"""Axis of the weights that counts the channels that come out."""

PASSED = ("Concat", "MaxPool")
"""Of these a step comes out unchanged where steps went in."""

FIXED = ("Parameter", "Constant", "Convert")


def points(network: Any) -> dict[str, Any]:
    """What goes into convolutions, by name: outputs of nodes of an OpenVINO model."""
    found: dict[str, Any] = {}
    for node in _convolutions(network):
        for output in _sources(node.input_value(0)):
            found[output.get_node().get_friendly_name()] = output
    return found


def quantise(network: Any, ranges: Ranges) -> None:
    """Put the steps into an OpenVINO model, in place.

    Raises:
        ModelError: the ranges were measured on another network.
    """
    from openvino import opset8

    there = points(network)
    strange = sorted(set(ranges) ^ set(there))
    if strange:
        got = f"no match for {', '.join(strange[:3])}"
        raise ModelError("int8_ranges", got=got, allowed="those of this network", do="measure anew")
    convolutions = [node for node in _convolutions(network) if _sources(node.input_value(0))]
    for name, output in there.items():
        takers = list(output.get_target_inputs())
        ends = _with_zero(*ranges[name])
        rounded = opset8.fake_quantize(output, *ends, *ends, LEVELS)
        for taker in takers:
            taker.replace_source_output(rounded.output(0))
    for node in convolutions:
        weights = _weights(node)
        axes = [axis for axis in range(weights.ndim) if axis != OUT_CHANNELS[node.get_type_name()]]
        most = np.maximum(np.abs(weights).max(axis=tuple(axes), keepdims=True), np.float32(1e-20))
        # The weights themselves go in: a new constant would be copied number by number.
        kept = opset8.fake_quantize(node.input_value(1), -most, most, -most, most, WEIGHT_LEVELS)
        node.input(1).replace_source_output(kept.output(0))
    network.validate_nodes_and_infer_types()


def mean_ranges(
    seen: Iterable[Mapping[str, NDArray[np.float32]]],
) -> dict[str, tuple[float, float]]:
    """The ranges of what was seen at the `points` for several inputs: means of their ends.

    Raises:
        ModelError: nothing was seen.
    """
    ends: dict[str, list[tuple[float, float]]] = {}
    for one in seen:
        for name, values in one.items():
            ends.setdefault(name, []).append((float(values.min()), float(values.max())))
    if not ends:
        raise ModelError("int8_ranges", got="no image to measure them on")
    return {
        name: (min(0.0, float(np.mean([low for low, _ in all_of]))),
               max(1e-6, float(np.mean([high for _, high in all_of]))))
        for name, all_of in ends.items()
    }  # fmt: skip


def _convolutions(network: Any) -> Iterator[Any]:
    for node in network.get_ordered_ops():
        if node.get_type_name() in OUT_CHANNELS:
            yield node


def _sources(output: Any) -> list[Any]:
    """Where the numbers of an output are computed; none for the image itself."""
    node = output.get_node()
    if node.get_type_name() in PASSED:
        inputs = range(node.get_input_size())
        return [one for index in inputs for one in _sources(node.input_value(index))]
    return [] if node.get_type_name() in FIXED else [output]


def _weights(node: Any) -> NDArray[np.float32]:
    holder = node.input_value(1).get_node()
    if holder.get_type_name() == "Convert":  # float16 in the file
        holder = holder.input_value(0).get_node()
    weights: NDArray[np.float32] = holder.get_data().astype(np.float32)
    return weights


def _with_zero(low: float, high: float) -> tuple[np.float32, np.float32]:
    """The nearest ends of which 0 is a step: padding must stay what it is."""
    step = (high - low) / (LEVELS - 1)
    below = round(-low / step)
    return np.float32(-below * step), np.float32((LEVELS - 1 - below) * step)
