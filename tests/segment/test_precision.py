"""The share of labels that half precision changes, counted by hand."""

from typing import Any

import numpy as np
import pytest

from heartseg.core.errors import ModelError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.segment import Bundle, precision


class Counted:
    """Answers channel 1 for the first `ones` voxels of a plane, else channel 0."""

    name = "counted"
    precision = "f32"

    def __init__(self, bundle: Bundle, *, precision: str) -> None:
        self.precision = precision
        self._ones = {"bf16": 16, "f32": 10}[precision]

    def infer(self, pixels: np.ndarray) -> np.ndarray:
        answer = np.zeros((len(pixels), 2, *pixels.shape[2:]), np.float32)
        answer[:, 0] = 0.5
        answer[:, 1].reshape(len(pixels), -1)[:, : self._ones] = 1
        return answer


def image(frames: int) -> Image:
    """Frames of (3, 20, 32), in pixels."""
    voxels = np.arange(frames * 3 * 20 * 32.0).reshape(frames, 3, 20, 32)
    return Image(voxels, Geometry.from_pixels((3, 20, 32)))


def test_changed_voxels_are_counted_over_all_images(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "OpenVinoRuntime", Counted)
    share = precision.bf16_label_difference(bundle, [image(1), image(3)])
    assert share == pytest.approx(6 / (20 * 32))


def test_nothing_is_said_without_bf16_or_images(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "OpenVinoRuntime", Counted)
    with pytest.raises(ModelError, match="no image"):
        precision.bf16_label_difference(bundle, [])

    def f32_only(bundle: Bundle, *, precision: Any) -> Counted:
        return Counted(bundle, precision="f32")

    monkeypatch.setattr(precision, "OpenVinoRuntime", f32_only)
    assert precision.bf16_label_difference(bundle, [image(1)]) is None


def test_a_real_bundle_can_be_measured(bundle: Bundle) -> None:
    share = precision.bf16_label_difference(bundle, [image(1)])
    assert share is None or 0 <= share < 0.2  # random weights are undecided
