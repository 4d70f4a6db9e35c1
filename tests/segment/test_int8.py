"""Eight bits: steps that fit what was measured, and a model that says whether it may use them."""

from dataclasses import replace

import numpy as np
import pytest

from heartseg.core.errors import ModelError
from heartseg.segment import Bundle, load_bundle, write_bundle
from heartseg.segment.int8 import mean_ranges
from heartseg.segment.openvino_runtime import OpenVinoRuntime, activations


def test_eight_bits_say_about_the_same_and_are_called_so(
    bundle: Bundle, planes: np.ndarray
) -> None:
    ranges = mean_ranges([activations(bundle, planes[:3]), activations(bundle, planes[3:])])
    measured = replace(bundle, int8_ranges=ranges)
    eight = OpenVinoRuntime(measured, precision="int8")
    assert eight.precision == "int8"
    full = OpenVinoRuntime(bundle, precision="f32").infer(planes)
    difference = np.abs(eight.infer(planes) - full)
    assert 0 < difference.max() < 0.1
    narrow = {name: (0.1 * low, 0.1 * high) for name, (low, high) in ranges.items()}
    spoilt = OpenVinoRuntime(replace(bundle, int8_ranges=narrow), precision="int8")
    assert np.abs(spoilt.infer(planes) - full).mean() > 5 * difference.mean()


def test_eight_bits_need_a_measured_bundle(bundle: Bundle, planes: np.ndarray) -> None:
    ranges = mean_ranges([activations(bundle, planes)])
    cheap = replace(bundle, int8_ranges=ranges, scores={"int8_dice_loss": 0.001})
    assert OpenVinoRuntime(cheap).precision == "int8"
    dear = replace(cheap, scores={"int8_dice_loss": 0.004})
    assert OpenVinoRuntime(dear).precision == "f32"
    assert OpenVinoRuntime(replace(cheap, int8_ranges={})).precision == "f32"


def test_ranges_of_another_network_are_refused(bundle: Bundle) -> None:
    with pytest.raises(ModelError, match="int8_ranges.*measure anew"):
        OpenVinoRuntime(replace(bundle, int8_ranges={"x": (0.0, 1.0)}), precision="int8")


def test_what_goes_into_every_convolution_but_the_first_is_measured(
    bundle: Bundle, planes: np.ndarray
) -> None:
    seen = activations(bundle, planes)
    # Two levels down and up of two convolutions each and three at the bottom, less the image's own.
    assert len(seen) == 12
    sizes = sorted({values.shape[2:] for values in seen.values()})
    assert sizes == [(5, 7), (10, 14), (20, 28)]


def test_ranges_are_means_of_the_ends_and_hold_zero() -> None:
    seen = [{"a": np.array([1.0, 3.0])}, {"a": np.array([-1.0, 5.0])}, {"a": np.array([-2.0, 1.0])}]
    low, high = mean_ranges([*seen])["a"]
    assert (low, high) == (pytest.approx(-2 / 3), pytest.approx(3.0))
    assert mean_ranges(seen[:1])["a"] == (0.0, 3.0)
    with pytest.raises(ModelError, match="no image"):
        mean_ranges([])


def test_a_bundle_keeps_its_ranges(bundle: Bundle, tmp_path) -> None:  # type: ignore[no-untyped-def]
    ranges = {"/encoder.0/Relu": (0.0, 2.5), "/up.0/Add": (-1.25, 3.0)}
    write_bundle(tmp_path / "b", bundle.onnx, replace(bundle, int8_ranges=ranges))
    assert load_bundle(tmp_path / "b").int8_ranges == ranges
