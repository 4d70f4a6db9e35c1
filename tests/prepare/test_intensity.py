"""The two intensities that become 0 and 1."""

import numpy as np
import pytest

from heartseg.core.errors import FormatError
from heartseg.prepare import intensity
from heartseg.prepare.intensity import intensity_range


@pytest.mark.parametrize("dtype", ["int16", "uint16", "uint8", "float32", "float64"])
def test_percentiles_are_of_all_voxels(dtype):
    ramp = np.random.default_rng(0).permutation(np.arange(101)).reshape(1, 1, 1, 101)
    assert intensity_range(ramp.astype(dtype), (1, 99)) == (1.0, 99.0)
    assert intensity_range(ramp.astype(dtype), (0, 100)) == (0.0, 100.0)
    assert intensity_range(ramp.astype(dtype), (2.5, 50)) == pytest.approx((2.5, 50.0))


def test_few_bright_voxels_are_enough_contrast():
    voxels = np.zeros((2, 3, 20, 30), "int16")
    voxels[1, 2, 3, 4] = 7
    assert intensity_range(voxels, (1, 99)) == (0.0, 7.0)


@pytest.mark.parametrize("value", [0, -3, 250])
def test_a_constant_image_is_refused(value):
    with pytest.raises(FormatError, match=f"{value} everywhere"):
        intensity_range(np.full((2, 3, 4, 5), value, "int16"), (1, 99))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("at", [(0, 0, 0, 0), (1, 2, 6, 10), (0, 1, 3, 7)])
def test_one_voxel_that_is_no_number_is_found_wherever_it_is(bad, at, monkeypatch):
    monkeypatch.setattr(intensity, "SAMPLED_VOXELS", 20)  # most voxels are not sampled
    voxels = np.random.default_rng(0).random((2, 3, 7, 11), dtype=np.float32)
    voxels[at] = bad
    with pytest.raises(FormatError, match="1 of 462 voxels that are not numbers"):
        intensity_range(voxels, (1, 99))


def test_a_large_image_is_sampled_over_the_whole_of_its_planes(monkeypatch):
    """Every 512th voxel in memory would be one column of air."""
    monkeypatch.setattr(intensity, "SAMPLED_VOXELS", 512)
    voxels = np.tile(np.linspace(0, 100, 512), (1, 2, 512, 1))
    voxels[:, :, 5] = 5000  # a bright row, too thin to count
    found = intensity_range(voxels, (1, 99))
    assert found == pytest.approx(tuple(np.percentile(voxels, (1, 99))), abs=8)
