"""Both runtimes compute what the trained network computes, and say in what precision."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heartseg.core.errors import ConfigError, MissingExtraError, ModelError
from heartseg.segment import Bundle, choose_runtime, openvino_runtime, runtime
from heartseg.segment.openvino_runtime import OpenVinoRuntime, import_openvino, planes_at_once
from heartseg.segment.softmax import softmax

Pixels = np.ndarray


@pytest.fixture(scope="session")
def engine(bundle: Bundle) -> OpenVinoRuntime:
    """OpenVINO in f32."""
    return OpenVinoRuntime(bundle, precision="f32")


def from_torch(network: Any, planes: Pixels) -> Pixels:
    """What the network itself says, weights in float32."""
    import torch

    with torch.no_grad():
        answer: Pixels = network(torch.from_numpy(planes)).softmax(1).numpy()
    return answer


def test_openvino_says_what_the_network_said(
    engine: OpenVinoRuntime, network: Any, planes: Pixels
) -> None:
    expected = from_torch(network, planes)
    assert np.ptp(expected) > 0.3  # or there would be nothing to see
    np.testing.assert_allclose(engine.infer(planes), expected, atol=2e-3)  # float16 kernels


def test_torch_says_what_openvino_says(
    engine: OpenVinoRuntime, bundle: Bundle, planes: Pixels
) -> None:
    pytest.importorskip("torch")
    from heartseg.segment.torch_runtime import TorchRuntime

    rebuilt = TorchRuntime(bundle, "cpu")
    assert (rebuilt.name, rebuilt.precision) == ("torch", "f32")
    np.testing.assert_allclose(rebuilt.infer(planes), engine.infer(planes), atol=1e-5)


def test_torch_in_half_precision_says_about_the_same(bundle: Bundle, planes: Pixels) -> None:
    pytest.importorskip("torch")
    from heartseg.segment.torch_runtime import TorchRuntime

    full, half = (TorchRuntime(bundle, "cpu", precision=one) for one in ("f32", "bf16"))
    assert (full.precision, half.precision) == ("f32", "bf16")
    answer, expected = half.infer(planes), full.infer(planes)
    assert answer.dtype == np.float32
    np.testing.assert_allclose(answer.sum(1), 1, atol=1e-5)  # the softmax is in f32
    assert 0 < np.abs(answer - expected).max() < 0.05


def test_on_the_processor_torch_keeps_to_f32(bundle: Bundle) -> None:
    pytest.importorskip("torch")
    from heartseg.segment.torch_runtime import TorchRuntime

    measured = replace(bundle, scores={"bf16_label_difference": 1e-5})
    assert TorchRuntime(measured, "cpu").precision == "f32"


def test_planes_go_through_in_pieces(
    bundle: Bundle, planes: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    from heartseg.segment import torch_runtime

    whole = torch_runtime.TorchRuntime(bundle, "cpu")
    expected = whole.infer(planes)
    monkeypatch.setattr(torch_runtime, "PLANES_AT_ONCE", 2)
    np.testing.assert_allclose(whole.infer(planes), expected, atol=1e-6)


def test_probabilities_sum_to_one_and_are_f32(engine: OpenVinoRuntime, planes: Pixels) -> None:
    answer = engine.infer(planes)
    assert (answer.dtype, answer.shape) == (np.float32, (5, 4, 20, 28))
    np.testing.assert_allclose(answer.sum(1), 1, atol=1e-6)


def test_planes_of_any_size_follow_each_other(engine: OpenVinoRuntime) -> None:
    for shape in ((3, 1, 8, 12), (1, 1, 32, 16), (3, 1, 8, 12)):
        assert engine.infer(np.ones(shape, np.float32)).shape == (shape[0], 4, *shape[2:])


def test_pieces_give_the_same_as_the_whole(
    engine: OpenVinoRuntime, planes: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = engine.infer(planes)
    monkeypatch.setattr(openvino_runtime, "PIXELS_AT_ONCE", 20 * 28)
    np.testing.assert_allclose(engine.infer(planes), whole, atol=1e-6)


def test_answers_do_not_change_with_the_next_question(
    engine: OpenVinoRuntime, planes: Pixels
) -> None:
    first = engine.infer(planes)
    kept = first.copy()
    engine.infer(1 - planes)
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize(
    ("planes", "height", "width", "expected"),
    [
        (10, 256, 256, 2),
        (12, 256, 256, 2),
        (11, 256, 256, 1),
        (12, 160, 160, 4),
        (6, 32, 32, 6),
        (3, 900, 900, 1),
    ],
)
def test_pieces_are_equal_and_small(planes: int, height: int, width: int, expected: int) -> None:
    assert planes_at_once(planes, height, width) == expected


def has_bf16() -> bool:
    return "BF16" in import_openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def test_the_precision_is_what_the_engine_says(bundle: Bundle) -> None:
    assert OpenVinoRuntime(bundle, precision="f32").precision == "f32"
    expected = "bf16" if has_bf16() else "f32"
    assert OpenVinoRuntime(bundle, precision="bf16").precision == expected


def test_half_precision_needs_a_measured_bundle(bundle: Bundle) -> None:
    assert OpenVinoRuntime(bundle).precision == "f32"
    measured = replace(bundle, scores={"bf16_label_difference": 0.0002})
    assert OpenVinoRuntime(measured).precision == ("bf16" if has_bf16() else "f32")


def test_half_precision_is_nearly_the_same(bundle: Bundle, planes: Pixels) -> None:
    half = OpenVinoRuntime(bundle, precision="bf16").infer(planes)
    np.testing.assert_allclose(half, OpenVinoRuntime(bundle).infer(planes), atol=0.05)


def test_nothing_is_cached_unless_asked(bundle: Bundle, tmp_path: Path) -> None:
    OpenVinoRuntime(bundle)
    assert not list(tmp_path.iterdir())
    OpenVinoRuntime(bundle, cache=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir())


def test_planes_off_the_stride_are_said_with_their_size(engine: OpenVinoRuntime) -> None:
    with pytest.raises(ModelError, match="21x30"):
        engine.infer(np.zeros((1, 1, 21, 30), np.float32))


def test_a_network_the_engine_cannot_use_is_an_error_of_the_model(bundle: Bundle) -> None:
    broken = bundle.onnx.replace(b"BatchNormalization", b"BatchNormalizatiom")
    with pytest.raises(ModelError, match="model 'tiny'"):
        OpenVinoRuntime(replace(bundle, onnx=broken))


def test_softmax_is_that_of_the_textbook() -> None:
    logits = np.array([0.0, np.log(3.0), 1000.0], np.float32)
    pair = softmax(logits[:2].reshape(1, 2, 1, 1))
    np.testing.assert_allclose(pair.ravel(), [0.25, 0.75], atol=1e-6)
    np.testing.assert_allclose(softmax(logits.reshape(1, 3, 1, 1)).ravel(), [0, 0, 1])


def test_auto_and_cpu_are_openvino_without_a_card(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    from heartseg.segment import torch_runtime

    asked: list[bool] = []
    monkeypatch.setattr(torch_runtime, "has_card", lambda: bool(asked.append(True)))
    monkeypatch.setattr(runtime, "_may_have_card", lambda: False)
    assert choose_runtime("auto", bundle).name == "openvino"
    assert choose_runtime("cpu", bundle).name == "openvino"
    assert not asked  # torch need not even be loaded to know


def test_a_card_takes_torch(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    from heartseg.segment import torch_runtime

    class OnProcessor(torch_runtime.TorchRuntime):
        def __init__(self, bundle: Bundle, device: str) -> None:
            assert device == "cuda"
            super().__init__(bundle, "cpu")

    monkeypatch.setattr(torch_runtime, "TorchRuntime", OnProcessor)
    monkeypatch.setattr(torch_runtime, "has_card", lambda: True)
    monkeypatch.setattr(runtime, "_may_have_card", lambda: True)
    assert choose_runtime("auto", bundle).name == "torch"
    assert choose_runtime("cuda", bundle).name == "torch"
    assert choose_runtime("cpu", bundle).name == "openvino"
    monkeypatch.setattr(torch_runtime, "has_card", lambda: False)
    assert choose_runtime("auto", bundle).name == "openvino"
    with pytest.raises(ConfigError, match="no usable card"):
        choose_runtime("cuda", bundle)


def test_a_card_without_torch_names_the_extra(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "_has_torch", lambda: False)
    monkeypatch.setattr(runtime, "_may_have_card", lambda: True)
    assert choose_runtime("auto", bundle).name == "openvino"
    with pytest.raises(MissingExtraError, match=r"heartseg\[train\]"):
        choose_runtime("cuda", bundle)


def test_an_unknown_device_is_refused(bundle: Bundle) -> None:
    with pytest.raises(ConfigError, match="auto, cpu, cuda"):
        choose_runtime("tpu", bundle)


def test_weights_of_another_network_are_refused(bundle: Bundle) -> None:
    pytest.importorskip("torch")
    from heartseg.segment.torch_runtime import load_network

    wider = replace(bundle, architecture={"name": "unet", "widths": [4, 6, 12]})
    with pytest.raises(ModelError, match="do not belong together"):
        load_network(wider)
    with pytest.raises(ModelError, match="nonet"):
        load_network(replace(bundle, architecture={"name": "nonet"}))
