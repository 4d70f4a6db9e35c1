"""The exported file holds every weight once, under its own name."""

from typing import Any

import numpy as np
import pytest

from heartseg.core.errors import ModelError
from heartseg.segment.onnx_check import read_onnx

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
from heartseg.models import architecture  # noqa: E402
from heartseg.train.export import compress_to_float16, export_onnx  # noqa: E402


@pytest.fixture(scope="module")
def network() -> Any:
    """Fresh: its normalisations still hold equal values, which the exporter stores once."""
    torch.manual_seed(2)
    return architecture({"name": "unet", "widths": [4, 6, 10]}).build(1, 3)


@pytest.fixture(scope="module")
def exported(network: Any) -> bytes:
    """Its file, in float32."""
    return export_onnx(network, 1, (8, 12))


def test_every_weight_is_there_under_its_name(network: Any, exported: bytes) -> None:
    weights = read_onnx(exported).weights
    state = {k: v for k, v in network.state_dict().items() if "num_batches" not in k}
    assert set(weights) == set(state)
    for name, value in state.items():
        np.testing.assert_array_equal(weights[name], value.numpy())


def test_exporting_leaves_the_network_as_it_was(network: Any) -> None:
    for training in (True, False):
        network.train(training)
        export_onnx(network, 1, (8, 12))
        assert network.training is training


def test_planes_stay_free(exported: bytes) -> None:
    summary = read_onnx(exported)
    assert summary.inputs == {"pixels": (None, 1, None, None)}
    assert summary.outputs["logits"][0] is None


def test_float16_halves_the_kernels_and_keeps_the_vectors(exported: bytes) -> None:
    before, after = read_onnx(exported).weights, read_onnx(compress_to_float16(exported)).weights
    for name, array in before.items():
        half = array.ndim >= 2
        assert after[name].dtype == (np.float16 if half else np.float32), name
        np.testing.assert_allclose(after[name], array, rtol=1e-3 if half else 0, atol=1e-7)


def test_a_kernel_too_large_for_float16_stays() -> None:
    layer = torch.nn.Conv2d(1, 2, 3, padding=1)
    with torch.no_grad():
        layer.weight[0, 0, 0, 0] = 1e6
    weights = read_onnx(compress_to_float16(export_onnx(layer, 1, (8, 12)))).weights
    assert weights["weight"].dtype == np.float32
    assert weights["weight"].max() == 1e6


def test_a_lost_weight_is_said() -> None:
    class Idle(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used = torch.nn.Conv2d(1, 2, 1)
            self.idle = torch.nn.Conv2d(1, 2, 1)

        def forward(self, pixels: Any) -> Any:
            return self.used(pixels)

    with pytest.raises(ModelError, match=r"idle\.bias"):
        export_onnx(Idle(), 1, (8, 12))
