"""The small feature space: deep, per plane, and the same wherever the image ends."""

from pathlib import Path

import numpy as np
import pytest

from heartseg.core.errors import ModelError
from heartseg.segment import load_bundle
from heartseg.train.translate.features import Encoder, middle


def test_planes_become_the_means_of_the_lowest_level() -> None:
    encoder = Encoder(load_bundle("cine-mr"))
    planes = np.random.default_rng(2).random((9, 1, 128, 128), np.float32)
    features = encoder.of_planes(planes)
    assert features.shape[0] == 9
    assert features.shape[1] >= 64  # channels of a deep level
    np.testing.assert_allclose(encoder.of_planes(planes[8:]), features[8:], rtol=1e-4, atol=1e-5)
    assert np.abs(features[0] - features[1]).max() > 1e-3


def test_the_middle_is_taken_or_padded() -> None:
    planes = np.arange(2 * 6 * 4, dtype=np.float32).reshape(1, 2, 6, 4)
    cut = middle(planes, 4)
    np.testing.assert_array_equal(cut, planes[:, :, 1:5])
    padded = middle(planes, 8)
    np.testing.assert_array_equal(padded[:, :, 1:7, 2:6], planes)
    assert padded.sum() == planes.sum()


def test_a_model_without_depth_has_no_features(gauge: Path) -> None:
    with pytest.raises(ModelError, match="no deep convolution"):
        Encoder(load_bundle(gauge))
