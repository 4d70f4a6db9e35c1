"""Our reader of ONNX files against the onnx package, and against hostile files."""

from typing import Any

import numpy as np
import pytest

from heartseg.core.errors import ModelError
from heartseg.segment import onnx_check
from heartseg.segment.onnx_check import OPERATORS, read_onnx

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

FREE = ["n", 1, "y", "x"]


def model(
    *nodes: Any, weights: tuple[Any, ...] = (), domains: tuple[tuple[str, int], ...] = (("", 17),)
) -> Any:
    """A model around nodes."""
    graph = helper.make_graph(
        nodes or [helper.make_node("Relu", ["pixels"], ["logits"])],
        "g",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, FREE)],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 3, "y", "x"])],
        list(weights),
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid(*d) for d in domains])


def test_it_reads_what_the_onnx_package_reads(onnx_f16: bytes) -> None:
    theirs, ours = onnx.load_from_string(onnx_f16), read_onnx(onnx_f16)
    assert ours.nodes == tuple((n.domain, n.op_type) for n in theirs.graph.node)
    assert ours.opsets == {"": 17}
    assert ours.inputs == {"pixels": (None, 1, None, None)}
    assert list(ours.outputs) == ["logits"]
    expected = {i.name: numpy_helper.to_array(i) for i in theirs.graph.initializer}
    assert set(ours.weights) == set(expected)
    assert {a.dtype for a in ours.weights.values()} == {np.dtype("f2"), np.dtype("f4")}
    for name, array in expected.items():
        np.testing.assert_array_equal(ours.weights[name], array)


def test_weights_are_read_in_both_encodings() -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3) / 7
    packed = helper.make_tensor("packed", TensorProto.FLOAT, [2, 3], values.ravel().tolist())
    raw = numpy_helper.from_array(values, "raw")
    assert packed.float_data
    assert raw.raw_data
    ours = read_onnx(model(weights=(packed, raw)).SerializeToString()).weights
    np.testing.assert_array_equal(ours["packed"], values)
    np.testing.assert_array_equal(ours["raw"], values)


def test_whole_numbers_are_no_weights() -> None:
    shape = numpy_helper.from_array(np.array([1, 2]), "shape")
    assert read_onnx(model(weights=(shape,)).SerializeToString()).weights == {}


def test_every_operator_of_the_list_is_standard() -> None:
    standard = {s.name for s in onnx.defs.get_all_schemas() if s.domain == ""}
    assert standard >= OPERATORS


def external(name: str = "w") -> Any:
    """A tensor whose values are in another file."""
    tensor = numpy_helper.from_array(np.zeros(4, np.float32), name)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../secret"
    return tensor


def branch(inner: Any) -> Any:
    """An If with a node inside both branches."""
    out = helper.make_tensor_value_info("z", TensorProto.FLOAT, FREE)
    graph = helper.make_graph([inner], "inner", [], [out])
    return helper.make_node("If", ["c"], ["logits"], then_branch=graph, else_branch=graph)


CONSTANT = helper.make_node("Constant", [], ["z"], value=external())
CUSTOM = helper.make_node("Relu", ["pixels"], ["z"], domain="evil")


@pytest.mark.parametrize(
    ("hostile", "said"),
    [
        (model(weights=(external(),)), "'w' in another file"),
        (model(CONSTANT), "'w' in another file"),
        (model(branch(CONSTANT)), "'w' in another file"),
        (model(CUSTOM), "'evil.Relu'"),
        (model(branch(CUSTOM)), "'evil.Relu'"),
        (model(branch(helper.make_node("Relu", ["pixels"], ["z"]))), "'If'"),
        (model(helper.make_node("RunMe", ["pixels"], ["logits"])), "'RunMe'"),
        (model(helper.make_node("Loop", ["pixels"], ["logits"])), "'Loop'"),
        (model(domains=(("", 17), ("com.foreign", 1))), "'com.foreign'"),
    ],
)
def test_what_no_plain_network_needs_is_refused(hostile: Any, said: str) -> None:
    with pytest.raises(ModelError, match=r"model\.onnx: got") as caught:
        read_onnx(hostile.SerializeToString())
    assert said in str(caught.value)


def test_external_data_without_the_flag_is_refused_too() -> None:
    tensor = external()
    tensor.data_location = TensorProto.DEFAULT
    with pytest.raises(ModelError, match="another file"):
        read_onnx(model(weights=(tensor,)).SerializeToString())


def test_functions_of_its_own_are_refused() -> None:
    hostile = model()
    relu = helper.make_node("Relu", ["a"], ["b"])
    hostile.functions.append(
        helper.make_function("evil", "F", ["a"], ["b"], [relu], [helper.make_opsetid("", 17)])
    )
    with pytest.raises(ModelError, match="functions"):
        read_onnx(hostile.SerializeToString())


def test_sparse_weights_are_refused() -> None:
    hostile = model()
    hostile.graph.sparse_initializer.add().dims.append(3)
    with pytest.raises(ModelError, match="sparse"):
        read_onnx(hostile.SerializeToString())


def test_weights_that_do_not_fill_their_shape_are_refused() -> None:
    tensor = numpy_helper.from_array(np.zeros((2, 3), np.float32), "w")
    tensor.dims[0] = 3_000_000_000
    with pytest.raises(ModelError, match="do not fill"):
        read_onnx(model(weights=(tensor,)).SerializeToString())


def test_negative_shapes_are_refused() -> None:
    tensor = numpy_helper.from_array(np.zeros((2, 3), np.float32), "w")
    tensor.dims[:] = [-2, -3]
    with pytest.raises(ModelError, match="do not fill"):
        read_onnx(model(weights=(tensor,)).SerializeToString())


def test_two_weights_of_one_name_are_refused() -> None:
    twice = (numpy_helper.from_array(np.zeros(2, np.float32), "w"),) * 2
    with pytest.raises(ModelError, match="twice"):
        read_onnx(model(weights=twice).SerializeToString())


def test_graphs_within_graphs_end() -> None:
    node = helper.make_node("Relu", ["pixels"], ["z"])
    for _ in range(onnx_check.DEEPEST_SUBGRAPH + 1):
        node = branch(node)
    with pytest.raises(ModelError, match="graphs within graphs"):
        read_onnx(model(node).SerializeToString())


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_a_truncated_file_is_refused(onnx_f16: bytes, share: float) -> None:
    with pytest.raises(ModelError):
        read_onnx(onnx_f16[: int(len(onnx_f16) * share)])


def test_a_file_that_is_something_else_is_refused() -> None:
    with pytest.raises(ModelError):
        read_onnx(b"PK\x03\x04 this is a zip, or what")


def test_sizes_are_bounded(monkeypatch: pytest.MonkeyPatch, onnx_f16: bytes) -> None:
    monkeypatch.setattr(onnx_check, "MOST_NODES", 3)
    with pytest.raises(ModelError, match="at most 3"):
        read_onnx(onnx_f16)
    monkeypatch.setattr(onnx_check, "LARGEST_ONNX_BYTES", 100)
    with pytest.raises(ModelError, match="at most 100"):
        read_onnx(onnx_f16)
