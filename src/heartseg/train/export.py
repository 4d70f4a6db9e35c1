"""From a trained network to the ONNX file of a bundle."""

import io
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.jit._trace import TracerWarning

from heartseg.core.errors import ModelError

OPSET = 17
_SPATIAL = {2: ("y", "x"), 3: ("z", "y", "x")}
_LARGEST_FLOAT16 = 65_504.0


def export_onnx(
    network: nn.Module,
    channels: int,
    size: Sequence[int],
    *,
    free: bool = True,
    answer: str = "logits",
) -> bytes:
    """The network with its weights in float32: "pixels" (n, channels, *size) -> `answer`.

    Every weight and batch statistic is an initialiser under its own name, so that torch can read
    them back. The network is left in the mode it was in.

    Args:
        network: (n, channels, *size) -> (n, classes, *size less its margins).
        channels: of the input.
        size: an input that the network can take, (y, x) or (z, y, x).
        free: the file shall answer at other legal sizes too; the number of planes is always free.
        answer: name of the output.

    Raises:
        ModelError: a weight got lost on the way.
    """
    was_training = network.training
    device = next(network.parameters()).device
    example = torch.zeros(2, channels, *size, device=device)
    axes = dict(enumerate(_SPATIAL[len(size)], start=2)) if free else {}
    file = io.BytesIO()
    network.eval()
    try:
        with warnings.catch_warnings():
            # The successor needs two more packages, is 20 times slower and hides the biases.
            warnings.simplefilter("ignore", DeprecationWarning)
            # It reads lists of paddings backwards, and tells that it does not fold that.
            warnings.filterwarnings("ignore", "Constant folding - Only steps=1", UserWarning)
            # torch's own layers look at their input's size, which decides nothing for a legal one.
            # Elsewhere a decision by size must not be frozen, unless the size itself is.
            own = r"torch\.nn\." if free else ""
            warnings.filterwarnings("ignore", category=TracerWarning, module=own)
            torch.onnx.export(
                network,
                (example,),
                file,  # type: ignore[arg-type]
                input_names=["pixels"],
                output_names=[answer],
                dynamic_axes={"pixels": {0: "n", **axes}, answer: {0: "n", **axes}},
                opset_version=OPSET,
                training=torch.onnx.TrainingMode.PRESERVE,
                do_constant_folding=False,  # would fold the statistics into the weights
                dynamo=False,
            )
    finally:
        network.train(was_training)
    model = _without_aliases(onnx.load_from_string(file.getvalue()))
    _require_weights(model, network)
    return bytes(model.SerializeToString())


def compress_to_float16(onnx_bytes: bytes) -> bytes:
    """The same network with its large weights in float16, half the size.

    Kernels become float16 with a Cast in front of their use, which the engine folds when it
    compiles. Vectors (biases, batch statistics) stay float32: they weigh nothing, and a variance
    near zero would not survive. So do kernels that float16 cannot hold.
    """
    model = onnx.load_from_string(onnx_bytes)
    casts = {}
    for tensor in model.graph.initializer:
        kernel = numpy_helper.to_array(tensor)
        if _compressible(kernel):
            tensor.CopyFrom(numpy_helper.from_array(kernel.astype(np.float16), tensor.name))
            casts[tensor.name] = f"{tensor.name}.f32"
    nodes = list(model.graph.node)
    for node in nodes:
        node.input[:] = [casts.get(name, name) for name in node.input]
    del model.graph.node[:]
    model.graph.node.extend(
        helper.make_node("Cast", [half], [full], to=TensorProto.FLOAT)
        for half, full in casts.items()
    )
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _compressible(kernel: Any) -> bool:
    if kernel.dtype != np.float32 or kernel.ndim < 2:
        return False
    return bool(np.abs(kernel).max(initial=0.0) <= _LARGEST_FLOAT16)


def _without_aliases(model: Any) -> Any:
    """Give each weight its own values: the exporter stores equal ones once."""
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes = []
    for node in model.graph.node:
        if node.op_type == "Identity" and node.input[0] in weights:
            copy = TensorProto()
            copy.CopyFrom(weights[node.input[0]])
            copy.name = node.output[0]
            model.graph.initializer.append(copy)
        else:
            nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def _require_weights(model: Any, network: nn.Module) -> None:
    there = {tensor.name for tensor in model.graph.initializer}
    idle = ("num_batches_tracked", *getattr(network, "training_only", ()))
    wanted = {name for name in network.state_dict() if not any(part in name for part in idle)}
    if wanted - there:
        lost = ", ".join(sorted(wanted - there)[:4])
        raise ModelError("export", got=f"no {lost} in the ONNX file", allowed="every weight")
