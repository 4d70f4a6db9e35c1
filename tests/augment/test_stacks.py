"""Where slices and pixels of stacks go, read off stacks that hold their own coordinates."""

import numpy as np
import pytest

from heartseg.core.errors import ConfigError

torch = pytest.importorskip("torch")
from heartseg.augment import (  # noqa: E402
    IntensityChange,
    SpatialChange,
    StackChange,
    change_intensity,
    move_planes,
)
from heartseg.augment.spatial import places_read  # noqa: E402
from heartseg.augment.stacks import (  # noqa: E402
    mirrored_in_plane,
    read_labels,
    read_stacks,
    slices_read,
)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def drawn(count, slices, *, of=3000, margin=0, shift=0, flip=0.0, seed=0):
    """(of, slices) numbers of slices, drawn for so many stacks of `count` slices."""
    change = StackChange(slices=slices, shift=shift, flip=flip)
    return slices_read(torch.full((of,), count), change, margin, seeded(seed))


def rows(read):
    return {tuple(row) for row in read.tolist()}


def test_a_long_stack_is_cut_anywhere_within():
    assert rows(drawn(5, 3)) == {(0, 1, 2), (1, 2, 3), (2, 3, 4)}


def test_a_short_stack_lies_anywhere_in_the_crop_mirrored_beyond():
    assert rows(drawn(3, 5)) == {(0, 1, 2, 1, 0), (1, 0, 1, 2, 1), (2, 1, 0, 1, 2)}


def test_a_shift_reaches_out_of_both_ends():
    assert rows(drawn(4, 4, shift=1)) == {(1, 0, 1, 2), (0, 1, 2, 3), (1, 2, 3, 2)}


def test_every_place_is_as_likely():
    first = drawn(9, 3)[:, 0]
    shares = torch.bincount(first, minlength=7) / len(first)
    assert shares.min() > 0.11
    assert shares.max() < 0.18


def test_what_is_answered_lies_within_the_stack_and_the_margin_about_it():
    read = rows(drawn(4, 7, margin=2))
    assert read == {(2, 1, 0, 1, 2, 3, 2), (1, 0, 1, 2, 3, 2, 1)}
    assert {row[2:-2] for row in read} == {(0, 1, 2), (1, 2, 3)}


def test_mirroring_goes_on_as_numpy_s_does():
    read = drawn(3, 15, margin=6, of=1)[0].tolist()
    assert read == np.pad(np.arange(3), 6, mode="reflect").tolist()
    assert rows(drawn(1, 5, shift=1)) == {(0, 0, 0, 0, 0)}


def test_stacks_are_turned_over_as_often_as_flip_says():
    read = drawn(6, 4, flip=0.3)
    over = (read[:, 0] > read[:, -1]).float().mean().item()
    assert over == pytest.approx(0.3, abs=0.03)
    assert rows(drawn(3, 3, flip=1.0)) == {(2, 1, 0)}


def test_each_stack_has_its_own_length():
    counts = torch.tensor([2, 7]).repeat(200)
    read = slices_read(counts, StackChange(slices=4, shift=0, flip=0.0), 0, seeded())
    assert read[::2].max() == 1
    assert read[1::2].max() == 6
    assert (read[1::2].diff(dim=1) == 1).all()


STILL = SpatialChange(
    size_px=12,
    rotation_degrees=0.0,
    scaling=(1.0, 1.0),
    stretch=0.0,
    shift_px=0.0,
    flip=0.0,
    elastic_px=0.0,
)
MOVED = SpatialChange(size_px=14, shift_px=3.0, elastic_px=1.0)


def noise(*shape, seed=1):
    return torch.rand(shape, generator=seeded(seed))


def test_beyond_its_borders_an_image_is_mirrored_as_the_window_does():
    canvas = torch.zeros(1, 2, 20, 20)
    image = noise(2, 7, 9)
    canvas[0, :, 4:11, 6:15] = image
    places = places_read(
        torch.tensor([[5.5, 8.5]]), torch.Size((20, 20)), STILL, seeded()
    )  # rows 0-11, columns 3-14
    folded = mirrored_in_plane(places, torch.tensor([[4, 6]]), torch.tensor([[7, 9]]))
    wanted = np.pad(image.numpy(), [(0, 0), (4, 1), (3, 0)], mode="reflect")
    np.testing.assert_allclose(read_stacks(canvas, folded)[0].numpy(), wanted, atol=1e-5)
    black = read_stacks(canvas, places)[0]
    assert (black[:, :4] == 0).all()
    torch.testing.assert_close(black[:, 4:11, 3:], image, atol=1e-5, rtol=0)


def test_a_stack_of_one_moves_as_its_plane_does():
    planes = noise(3, 1, 30, 34)
    labels = torch.randint(0, 4, (3, 30, 34), generator=seeded(2))
    centres = torch.tensor([[14.0, 17.0], [12.0, 20.0], [16.0, 15.0]])
    pixels, truth = move_planes(planes, labels, centres, MOVED, 4, seeded(3))
    places = places_read(centres, planes.shape[-2:], MOVED, seeded(3))
    torch.testing.assert_close(read_stacks(planes, places), pixels)
    assert torch.equal(read_labels(labels[:, None], places, 4)[:, 0], truth)


def test_all_slices_of_a_stack_move_together_and_keep_their_order():
    slices = torch.stack([noise(2, 30, 34, seed=seed) for seed in range(4)], dim=1)
    labels = torch.randint(0, 3, (2, 4, 30, 34), generator=seeded(5))
    places = places_read(
        torch.tensor([[14.0, 17.0], [12.0, 20.0]]), torch.Size((30, 34)), MOVED, seeded(3)
    )
    moved, truth = read_stacks(slices, places), read_labels(labels, places, 3)
    assert moved.shape == truth.shape == (2, 4, 14, 14)
    for z in range(4):
        torch.testing.assert_close(moved[:, z : z + 1], read_stacks(slices[:, z : z + 1], places))
        assert torch.equal(truth[:, z : z + 1], read_labels(labels[:, z : z + 1], places, 3))


def test_intensities_of_a_stack_change_as_one():
    """Factor, field and brightness are the same on all slices; only noise is each its own."""
    stack = noise(2, 1, 16, 18).expand(2, 5, 16, 18)
    changed = change_intensity(stack, IntensityChange(noise=0.0), seeded(4))
    assert changed.shape == stack.shape
    for z in range(1, 5):
        torch.testing.assert_close(changed[:, z], changed[:, 0])
    assert not torch.allclose(changed[0], changed[1])


@pytest.mark.parametrize("wrong", [{"slices": 0}, {"shift": -1}, {"flip": 1.5}])
def test_a_change_that_means_nothing_is_refused(wrong):
    with pytest.raises(ConfigError, match="stack"):
        StackChange(**wrong)
