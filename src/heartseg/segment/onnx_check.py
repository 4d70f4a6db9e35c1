"""What is inside an ONNX file, read before any engine sees it; needs no ONNX package.

A bundle may come from a stranger. An engine that opens a model can be led to other files
(external data), to code (custom operators, extension libraries) or to endless work (loops), so
a model is looked through first and only plain networks pass. Message and field numbers are those
of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import ModelError
from heartseg.segment.wire import Fields, fields, integers, messages, text

LARGEST_ONNX_BYTES = 400_000_000
"""A 2-D network of the papers in float16 stays far below this."""

MOST_NODES = 20_000
DEEPEST_SUBGRAPH = 4

_STANDARD = """
    Abs Add And ArgMax AveragePool BatchNormalization Cast Clip Concat Constant ConstantOfShape Conv
    ConvTranspose CumSum DepthToSpace Div Dropout Einsum Elu Equal Erf Exp Expand Flatten Floor
    Gather GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual
    GroupNormalization HardSigmoid HardSwish Identity InstanceNormalization LRN LayerNormalization
    LeakyRelu Less LessOrEqual Log LogSoftmax MatMul Max MaxPool Mean Min Mish Mod Mul Neg Not Or
    PRelu Pad Pow Range Reciprocal ReduceL2 ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum Relu
    Reshape Resize ScatterElements ScatterND Selu Shape Sigmoid Sign Sin Cos Slice Softmax Softplus
    SpaceToDepth Split Sqrt Squeeze Sub Sum Tanh Tile TopK Transpose Trilu Unsqueeze Where
"""

OPERATORS = frozenset(_STANDARD.split())
"""Operators of the standard set that a network needs: no loops, no branches, no randomness."""

_FLOAT, _FLOAT16 = 1, 10
_FLOATS: dict[int, np.dtype[Any]] = {_FLOAT: np.dtype("<f4"), _FLOAT16: np.dtype("<f2")}
_EXTERNAL = 1


@dataclass(frozen=True, slots=True)
class OnnxSummary:
    """What a model file holds.

    Attributes:
        nodes: (domain, operator) of every node, those of subgraphs too.
        opsets: domain -> version of the operator sets that it imports.
        inputs: name -> shape of what it must be given; None where a size is free.
        outputs: the same of what it gives.
        weights: float16 and float32 initialisers of the main graph; views of the file's bytes.
    """

    nodes: tuple[tuple[str, str], ...]
    opsets: dict[str, int]
    inputs: dict[str, tuple[int | None, ...]]
    outputs: dict[str, tuple[int | None, ...]]
    weights: dict[str, NDArray[Any]]


def read_onnx(onnx: bytes) -> OnnxSummary:
    """Look through a model and refuse what a plain network has no need of.

    Raises:
        ModelError: too large, broken, external data, an operator that is not of `OPERATORS` or
            not of the standard domain, functions or training parts of its own.
    """
    if len(onnx) > LARGEST_ONNX_BYTES:
        raise ModelError(
            "model.onnx", got=f"{len(onnx)} bytes", allowed=f"at most {LARGEST_ONNX_BYTES}"
        )
    model = fields(memoryview(onnx))
    if 20 in model or 25 in model:
        raise ModelError("model.onnx", got="functions or training parts of its own", do=_PLAIN)
    graphs = messages(model, 7)
    if len(graphs) != 1:
        raise ModelError("model.onnx", got=f"{len(graphs)} graphs", allowed="one")
    graph = fields(graphs[0])
    nodes = _graph_nodes(graph, depth=0)
    opsets = _opsets(model)
    _require_standard(nodes, opsets)
    weights = _weights(graph)
    inputs = {name: shape for name, shape in _values(graph, 11).items() if name not in weights}
    return OnnxSummary(tuple(nodes), opsets, inputs, _values(graph, 12), weights)


_PLAIN = "export the network with standard operators and its weights inside"


def _opsets(model: Fields) -> dict[str, int]:
    imports = [fields(message) for message in messages(model, 8)]
    return {text(entry, 1): (integers(entry, 2) or [1])[-1] for entry in imports}


def _require_standard(nodes: list[tuple[str, str]], opsets: dict[str, int]) -> None:
    foreign = sorted({domain for domain in opsets if domain not in ("", "ai.onnx")})
    foreign += sorted(
        {f"{domain}.{name}" for domain, name in nodes if domain not in ("", "ai.onnx")}
    )
    foreign += sorted({name for _, name in nodes if name not in OPERATORS})
    if foreign:
        got = "operators " + ", ".join(repr(name) for name in foreign[:8])
        raise ModelError("model.onnx", got=got, allowed="the standard ONNX set", do=_PLAIN)
    if len(nodes) > MOST_NODES:
        got = f"{len(nodes)} operators"
        raise ModelError("model.onnx", got=got, allowed=f"at most {MOST_NODES}")


def _graph_nodes(graph: Fields, *, depth: int) -> list[tuple[str, str]]:
    if depth > DEEPEST_SUBGRAPH:
        raise ModelError("model.onnx", got="graphs within graphs", do=_PLAIN)
    if 15 in graph:
        raise ModelError("model.onnx", got="sparse weights", allowed="dense ones", do=_PLAIN)
    for tensor in messages(graph, 5):
        _require_inside(fields(tensor))
    nodes: list[tuple[str, str]] = []
    for message in messages(graph, 1):
        node = fields(message)
        nodes.append((text(node, 7), text(node, 4)))
        for attribute in messages(node, 5):
            nodes += _attribute_nodes(fields(attribute), depth=depth)
    return nodes


def _attribute_nodes(attribute: Fields, *, depth: int) -> list[tuple[str, str]]:
    if 22 in attribute or 23 in attribute:
        raise ModelError("model.onnx", got="sparse constants", allowed="dense ones", do=_PLAIN)
    for tensor in messages(attribute, 5, 10):
        _require_inside(fields(tensor))
    nodes: list[tuple[str, str]] = []
    for subgraph in messages(attribute, 6, 11):
        nodes += _graph_nodes(fields(subgraph), depth=depth + 1)
    return nodes


def _require_inside(tensor: Fields) -> None:
    if 13 in tensor or _EXTERNAL in integers(tensor, 14):
        got = f"weights '{text(tensor, 8)}' in another file"
        raise ModelError("model.onnx", got=got, allowed="all weights inside", do=_PLAIN)


def _weights(graph: Fields) -> dict[str, NDArray[Any]]:
    out: dict[str, NDArray[Any]] = {}
    for message in messages(graph, 5):
        tensor = fields(message)
        name, kind = text(tensor, 8), integers(tensor, 2)
        if name in out:
            raise ModelError("model.onnx", got=f"weights '{name}' twice")
        if kind and kind[-1] in _FLOATS:
            out[name] = _array(tensor, name, _FLOATS[kind[-1]])
    return out


def _array(tensor: Fields, name: str, kind: np.dtype[Any]) -> NDArray[Any]:
    shape = integers(tensor, 1)
    raw = messages(tensor, 9) or (messages(tensor, 4) if kind.itemsize == 4 else [])
    count = int(np.prod(shape, dtype=object)) if min(shape, default=1) >= 0 else -1
    if len(raw) != 1 or len(raw[0]) != count * kind.itemsize:
        got = f"weights '{name}' of shape {tuple(shape)} that do not fill it"
        raise ModelError("model.onnx", got=got, allowed="one block of raw data", do=_PLAIN)
    return np.frombuffer(raw[0], kind).reshape(shape)


def _values(graph: Fields, number: int) -> dict[str, tuple[int | None, ...]]:
    out: dict[str, tuple[int | None, ...]] = {}
    for message in messages(graph, number):
        value = fields(message)
        out[text(value, 1)] = tuple(
            (integers(fields(dimension), 1) or [None])[-1]  # type: ignore[list-item]
            for kind in messages(value, 2)
            for tensor in messages(fields(kind), 1)
            for shape in messages(fields(tensor), 2)
            for dimension in messages(fields(shape), 1)
        )
    return out
