"""Where pixels go, read off planes that hold their own coordinates."""

import pytest

from heartseg.core.errors import ConfigError

torch = pytest.importorskip("torch")
from heartseg.augment import SpatialChange, move_planes  # noqa: E402
from heartseg.augment.spatial import likeliest  # noqa: E402

ROWS, COLUMNS = 90, 110
STILL = {
    "size_px": 21,
    "rotation_degrees": 0.0,
    "scaling": (1.0, 1.0),
    "stretch": 0.0,
    "shift_px": 0.0,
    "flip": 0.0,
    "elastic_px": 0.0,
}
CENTRE = (41.0, 63.0)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def moved(planes, labels, centre=CENTRE, seed=0, classes=4, **changes):
    change = SpatialChange(**{**STILL, **changes})
    centres = torch.tensor([centre]).repeat(len(planes), 1)
    return move_planes(planes, labels, centres, change, classes, seeded(seed))


def sources(count=1, seed=0, **changes):
    """(count, s, s, 2): the (y, x) that each pixel of the crops was read from."""
    y, x = torch.meshgrid(torch.arange(ROWS), torch.arange(COLUMNS), indexing="ij")
    labels = torch.zeros(count, ROWS, COLUMNS)
    read = [
        moved(axis.float().repeat(count, 1, 1, 1), labels, seed=seed, **changes)[0][:, 0]
        for axis in (y, x)
    ]
    return torch.stack(read, dim=-1)


def matrices(places):
    """(count, 2, 2): step in the source (rows: y, x) for a step in the crop (columns: y, x)."""
    middle = places.shape[1] // 2
    down = places[:, middle + 1, middle] - places[:, middle, middle]
    right = places[:, middle, middle + 1] - places[:, middle, middle]
    return torch.stack([down, right], dim=-1)


def hearts(count=3):
    """An image without symmetry and labels 0-3: each is brighter than the one before."""
    labels = torch.zeros(count, ROWS, COLUMNS, dtype=torch.uint8)
    labels[:, 30:52, 55:75] = 1
    labels[:, 36:40, 60:72] = 2
    labels[:, 44:50, 57:61] = 3
    return labels[:, None].float() / 3, labels


def test_zero_strength_is_the_exact_crop_about_the_centre():
    noise = torch.rand((2, 1, ROWS, COLUMNS), generator=seeded(1))
    labels = torch.randint(0, 4, (2, ROWS, COLUMNS), generator=seeded(2))
    planes, classes = moved(noise, labels)
    torch.testing.assert_close(planes, noise[..., 31:52, 53:74], atol=1e-4, rtol=0)
    assert torch.equal(classes, labels[:, 31:52, 53:74])


def test_each_plane_is_cut_about_its_own_centre():
    noise = torch.rand((2, 1, ROWS, COLUMNS), generator=seeded(1))
    centres = torch.tensor([[20.0, 70.0], [60.0, 30.0]])
    planes, _ = move_planes(
        noise, torch.zeros(2, ROWS, COLUMNS), centres, SpatialChange(**STILL), 2, seeded(0)
    )
    torch.testing.assert_close(planes[0], noise[0, :, 10:31, 60:81], atol=1e-4, rtol=0)
    torch.testing.assert_close(planes[1], noise[1, :, 50:71, 20:41], atol=1e-4, rtol=0)


def test_outside_the_image_all_is_black_and_background():
    planes, labels = torch.ones(1, 1, ROWS, COLUMNS), torch.full((1, ROWS, COLUMNS), 2)
    out, classes = moved(planes, labels, centre=(0.0, 63.0))
    assert (out[..., :9, :] == 0).all()
    assert (classes[:, :9] == 0).all()
    assert (classes[:, 11:] == 2).all()


def test_rotation_turns_without_stretching_by_angles_up_to_the_limit():
    m = matrices(sources(200, rotation_degrees=40.0))
    torch.testing.assert_close(m @ m.mT, torch.eye(2).expand(200, 2, 2), atol=1e-3, rtol=0)
    torch.testing.assert_close(torch.linalg.det(m), torch.ones(200), atol=1e-3, rtol=0)
    angle = torch.atan2(m[:, 1, 0], m[:, 0, 0]).rad2deg()
    assert angle.min() < -35
    assert angle.max() > 35
    assert angle.abs().max() < 40.1


def test_a_quarter_turn_takes_every_pixel_to_its_place(monkeypatch):
    monkeypatch.setattr("heartseg.augment.spatial.uniform", at_the_top)
    planes, labels = hearts(1)
    out, classes = moved(planes, labels, rotation_degrees=90.0)
    crop, crop_labels = planes[..., 31:52, 53:74], labels[:, 31:52, 53:74]
    torch.testing.assert_close(out, crop.rot90(-1, (2, 3)), atol=1e-3, rtol=0)
    assert torch.equal(classes, crop_labels.long().rot90(-1, (1, 2)))


def at_the_top(shape, low, high, generator):
    return torch.full(shape, float(high))


def test_scaling_above_one_makes_the_heart_grow():
    m = matrices(sources(3, scaling=(2.0, 2.0)))
    torch.testing.assert_close(m, torch.eye(2).expand(3, 2, 2) / 2, atol=1e-3, rtol=0)
    planes, labels = hearts()
    grown = moved(planes, labels, scaling=(1.5, 1.5), size_px=60)[1]
    still = moved(planes, labels, size_px=60)[1]
    ratio = (grown > 0).sum() / (still > 0).sum()
    assert ratio.item() == pytest.approx(1.5**2, rel=0.15)  # whole pixels


def test_scaling_is_even_between_shrinking_and_growing():
    factors = 1 / matrices(sources(400, scaling=(0.5, 2.0)))[:, 0, 0]
    assert 0.49 < factors.min() < 0.6
    assert 1.7 < factors.max() < 2.01
    assert factors.log().mean().abs() < 0.1


def test_stretch_changes_one_axis_against_the_other():
    m = matrices(sources(100, stretch=0.2))
    down, right = m[:, 0, 0], m[:, 1, 1]
    torch.testing.assert_close(down * right, torch.ones(100), atol=1e-2, rtol=0)
    assert (right / down).max() > 1.3
    assert (right / down).min() < 0.75
    assert m[:, 0, 1].abs().max() < 1e-3


def test_shift_moves_the_centre_within_its_limit_on_both_axes():
    middle = sources(200, shift_px=12.0)[:, 10, 10] - torch.tensor(CENTRE)
    assert middle.abs().max() <= 12.01
    assert (middle.amax(0) > 10).all()
    assert (middle.amin(0) < -10).all()
    assert torch.corrcoef(middle.T)[0, 1].abs() < 0.3  # y and x are drawn apart


@pytest.mark.parametrize("flip", [0.0, 0.3, 1.0])
def test_handedness_changes_as_often_as_flip_says(flip):
    everything = {"rotation_degrees": 180.0, "scaling": (0.8, 1.3), "stretch": 0.1}
    determinants = torch.linalg.det(matrices(sources(300, flip=flip, **everything)))
    assert (determinants < 0).float().mean().item() == pytest.approx(flip, abs=0.09 * (flip == 0.3))


def test_a_flip_mirrors_columns():
    planes, labels = hearts(1)
    out, classes = moved(planes, labels, flip=1.0)
    torch.testing.assert_close(out, planes[..., 31:52, 53:74].flip(-1), atol=1e-3, rtol=0)
    assert torch.equal(classes, labels[:, 31:52, 53:74].long().flip(-1))


def test_elastic_deformation_is_smooth_and_of_the_wanted_size():
    places = sources(60, size_px=40, elastic_px=2.0)
    bent = places - sources(1, size_px=40)
    assert 1.2 < bent.std().item() < 2.5
    assert bent.diff(dim=1).abs().max() < 2.5
    assert bent.std((1, 2)).min() > 0.1  # both axes bend, in every plane
    assert bent.std(0).min() > 0.5


def test_the_deformation_is_of_the_wanted_size_at_its_control_points():
    """Ronneberger 2015: standard deviation of 10 pixels on a 3 x 3 grid; here 4, to stay inside."""
    bent = sources(400, size_px=21, elastic_px=4.0, elastic_knots=3) - sources(1, size_px=21)
    at = bent[:, ::10, ::10]  # corners, middles of the edges, and the middle
    assert at.shape == (400, 3, 3, 2)
    assert at.std(0).min() > 3.4
    assert at.std(0).max() < 4.6
    flat = at.reshape(400, -1)
    assert (torch.corrcoef(flat.T) - torch.eye(18)).abs().max() < 0.25  # each drawn on its own
    between = bent[:, 5, 5] - (at[:, 0, 0] + at[:, 0, 1] + at[:, 1, 0] + at[:, 1, 1]) / 4
    assert between.abs().max() < 4.0  # and smooth from one to the next


def whole_plane(count=1, seed=0, **changes):
    """As `sources`, of whole planes resized to 45 x 45, twice coarser than they are."""
    return sources(count, seed, **{"size_px": 45, "resize_px": 45, **changes})


def test_a_resized_plane_is_seen_from_edge_to_edge():
    places = whole_plane()[0]
    y, x = places[:, 0, 0], places[0, :, 1]
    torch.testing.assert_close(y, (torch.arange(45) + 0.5) * ROWS / 45 - 0.5, atol=1e-3, rtol=0)
    wanted = (torch.arange(45) + 0.5) * COLUMNS / 45 - 0.5
    torch.testing.assert_close(x, wanted, atol=1e-3, rtol=0)


def test_resizing_to_the_plane_s_own_size_is_the_identity():
    noise = torch.rand((2, 1, 40, 40), generator=seeded(1))
    labels = torch.randint(0, 4, (2, 40, 40), generator=seeded(2))
    change = SpatialChange(**{**STILL, "size_px": 40, "resize_px": 40})
    for seed in range(3):
        out = move_planes(noise, labels, torch.rand(2, 2) * 40, change, 4, seeded(seed))
        torch.testing.assert_close(out[0], noise, atol=1e-4, rtol=0)
        assert torch.equal(out[1], labels)


def test_the_crop_of_a_resized_plane_lies_anywhere_in_it_wherever_the_heart_is():
    """The thesis' listing: resize to 280, crop 256; here 60 and 45."""
    places = sources(300, size_px=45, resize_px=60)
    first, last = places[:, 0, 0], places[:, -1, -1]
    for axis, length in ((0, ROWS), (1, COLUMNS)):
        step = length / 60
        room = 15 * step
        low = first[:, axis] - (step / 2 - 0.5)
        assert low.min() >= -1e-3
        assert low.max() <= room + 1e-3
        assert low.min() < 0.1 * room
        assert low.max() > 0.9 * room
        assert (last - first)[:, axis].std() < 1e-3  # never cut short, never stretched
    assert torch.corrcoef(first.T)[0, 1].abs() < 0.25


def test_a_resized_plane_turns_in_its_resized_pixels():
    m = matrices(whole_plane(50, rotation_degrees=40.0))
    ratio = torch.tensor([ROWS / 45, COLUMNS / 45])
    turned = m / ratio[:, None]
    torch.testing.assert_close(turned @ turned.mT, torch.eye(2).expand(50, 2, 2), atol=2e-3, rtol=0)


def test_a_shift_may_be_a_share_of_the_plane():
    middle = sources(300, shift_share=0.1)[:, 10, 10] - torch.tensor(CENTRE)
    for axis, length in ((0, ROWS), (1, COLUMNS)):
        assert middle[:, axis].abs().max() <= 0.1 * length + 0.01
        assert middle[:, axis].max() > 0.08 * length
        assert middle[:, axis].min() < -0.08 * length
    both = sources(300, shift_share=0.1, shift_px=5.0)[:, 10, 10] - torch.tensor(CENTRE)
    assert 0.1 * COLUMNS < both[:, 1].abs().max() <= 0.1 * COLUMNS + 5.01


@pytest.mark.parametrize("flip", [0.0, 1.0])
def test_planes_move_as_often_as_chance_says_and_are_else_only_flipped(flip):
    moves = {"rotation_degrees": 40.0, "scaling": (0.8, 0.9), "stretch": 0.1, "shift_px": 6.0}
    places = sources(300, chance=0.4, flip=flip, **moves)
    still = sources(1, flip=flip)
    untouched = ((places - still).abs().amax((1, 2, 3)) < 1e-3).float().mean().item()
    assert untouched == pytest.approx(0.6, abs=0.09)
    assert (sources(40, chance=0.0, flip=flip, **moves) - still).abs().max() < 1e-3
    certain = sources(40, chance=1.0, flip=flip, **moves) - still
    assert certain.abs().amax((1, 2, 3)).min() > 0.5


EVERYTHING = {
    "rotation_degrees": 180.0,
    "scaling": (0.75, 1.35),
    "stretch": 0.1,
    "shift_px": 6.0,
    "flip": 0.5,
    "elastic_px": 2.0,
    "size_px": 48,
}


def test_labels_stay_labels():
    planes, labels = hearts()
    _, classes = moved(planes, labels, **EVERYTHING)
    assert classes.dtype == torch.int64
    assert classes.shape == (3, 48, 48)
    assert set(classes.unique().tolist()) == {0, 1, 2, 3}


@pytest.mark.parametrize("axis", [1, 2])
def test_a_pixel_is_of_the_class_with_the_largest_share_the_first_of_equals(axis):
    sixths = torch.randint(0, 3, (2, 3, 3, 9, 7), generator=seeded(3)) / 6  # 0 to 1: many are equal
    background = 1 - sixths.sum(axis, keepdim=True)
    expected = torch.cat([background, sixths], dim=axis).argmax(axis)
    assert torch.equal(likeliest(sixths, axis), expected)
    assert set(expected.unique().tolist()) == {0, 1, 2, 3}


def test_image_and_labels_move_together():
    _, labels = hearts(20)
    for label in (1, 2, 3):
        mask = labels == label
        out, classes = moved(mask[:, None].float(), mask.to(torch.uint8), classes=2, **EVERYTHING)
        clear = (out[:, 0] - 0.5).abs() > 1e-3
        assert torch.equal((classes == 1)[clear], (out[:, 0] > 0.5)[clear])


def test_a_seed_repeats_it_and_another_does_not():
    planes, labels = hearts()
    one, same, other = (moved(planes, labels, seed=seed, **EVERYTHING) for seed in (3, 3, 4))
    assert torch.equal(one[0], same[0])
    assert torch.equal(one[1], same[1])
    assert not torch.equal(one[0], other[0])
    assert not torch.equal(one[0][0], one[0][1])  # each plane moves on its own


@pytest.mark.parametrize(
    "wrong",
    [
        {"size_px": 0},
        {"scaling": (0.0, 1.0)},
        {"scaling": (1.4, 0.8)},
        {"flip": 1.5},
        {"stretch": 1.0},
        {"shift_px": -1.0},
        {"shift_share": -0.1},
        {"shift_share": 1.1},
        {"chance": 1.5},
        {"resize_px": 100, "size_px": 101},
    ],
)
def test_a_change_that_means_nothing_is_refused(wrong):
    with pytest.raises(ConfigError, match="spatial"):
        SpatialChange(**wrong)
