"""Each channel is the slice that it stands for, however a file stores the stack."""

from dataclasses import replace

import numpy as np
import pytest

from heartseg.core.errors import ConfigError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.prepare import Preparation
from heartseg.prepare.neighbours import slices_shown, with_neighbours
from tests import foreign

ALONE = Preparation(spacing_mm=1.0, stride=8, field_px=64, percentiles=(0.0, 100.0))
BESIDE = replace(ALONE, neighbours=1)
HEIGHT = 0.01
"""Grey a millimetre along the normal of the planes."""


def stored(order, flips) -> Image:
    """An oblique stack, as a file with its axes in this order; brighter by every mm upwards."""
    array, affine = foreign.stored(order, flips)
    geometry, _ = Geometry.from_ras(array.shape, foreign.TO_RAS @ affine)
    index = np.stack(np.meshgrid(*map(np.arange, geometry.shape), indexing="ij"), axis=-1)
    places = index @ geometry.affine[:3, :3].T + geometry.affine[:3, 3]
    return Image((places @ foreign.rotation()[:, 0] * HEIGHT)[None], geometry)


def middle(channels: np.ndarray) -> np.ndarray:
    """(z, channels) grey about the middle of the planes."""
    rows, columns = (length // 2 for length in channels.shape[-2:])
    return channels[..., rows - 2 : rows + 2, columns - 2 : columns + 2].mean((-2, -1))


def test_neighbours_stand_about_a_slice_and_the_last_one_is_repeated():
    assert slices_shown(4, 1).tolist() == [[0, 0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 3]]
    assert slices_shown(3, 2)[0].tolist() == [0, 0, 0, 1, 2]
    assert slices_shown(1, 1).tolist() == [[0, 0, 0]]
    planes = np.random.default_rng(1).random((4, 3, 5))
    shown = with_neighbours(planes, 1)
    assert shown.shape == (4, 3, 3, 5)
    for z, row in enumerate(slices_shown(4, 1)):
        assert np.array_equal(shown[z], planes[row])


def test_without_neighbours_a_slice_is_shown_as_ever():
    planes = np.random.default_rng(1).random((4, 3, 5))
    assert with_neighbours(planes, 0).base is planes
    image = stored((0, 1, 2), (False, False, False))
    assert np.array_equal(ALONE.sample(image).channels(0), ALONE.sample(image).frame(0)[:, None])


@pytest.mark.parametrize(("order", "flips"), foreign.STORED)
def test_channels_rise_through_the_patient_however_the_stack_is_stored(order, flips):
    sample = BESIDE.sample(stored(order, flips))
    low, high = sample.intensities
    millimetres = middle(sample.channels(0)) * (high - low) / HEIGHT
    towards_base = np.sign(sample.geometry.affine[:3, 0] @ foreign.rotation()[:, 0])
    step = foreign.SPACING[0] * towards_base
    np.testing.assert_allclose(np.diff(millimetres[1:-1]), step, atol=1e-3)
    np.testing.assert_allclose(np.diff(millimetres[0]), [0, step], atol=1e-3)
    np.testing.assert_allclose(np.diff(millimetres[-1]), [step, 0], atol=1e-3)
    assert towards_base == np.sign(
        BESIDE.sample(stored(*foreign.STORED[0])).geometry.affine[:3, 0] @ foreign.rotation()[:, 0]
    )


def test_a_file_that_does_not_tell_base_from_apex_may_turn_the_channels_over():
    """Nothing in its numbers can say it: that is why training turns them over too."""
    voxels = foreign.voxels("float32")
    grid = Geometry.from_pixels(foreign.SHAPE, foreign.SPACING)
    one, other = (BESIDE.sample(Image(v[None], grid)).channels(0) for v in (voxels, voxels[::-1]))
    assert np.array_equal(one, other[::-1, ::-1])
    assert not np.array_equal(one, other[::-1])


@pytest.mark.parametrize("number", [-1, 5])
def test_too_many_neighbours_are_refused(number):
    with pytest.raises(ConfigError, match=r"preparation\.neighbours: got .*0-4 slices"):
        Preparation(neighbours=number)


def test_channels_are_counted():
    assert [Preparation(neighbours=n).channels for n in range(3)] == [1, 3, 5]
