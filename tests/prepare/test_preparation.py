"""What the network sees, and the way back, on a grid without symmetry."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from heartseg.core.errors import ConfigError, FormatError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.prepare import Clahe, Locate, Preparation, intensity, localise
from heartseg.prepare.clahe import equalise
from tests import foreign

FINE = Preparation(spacing_mm=1.0, stride=8, field_px=64, percentiles=(0.0, 100.0))
COARSE = replace(FINE, spacing_mm=2.0)
SLOPE = np.array([0.7, -0.4, 0.55])
"""Intensity a millimetre, in LPS: linear, so that interpolation is exact."""


def positions(geometry: Geometry) -> np.ndarray:
    """(z, y, x, 3) LPS millimetres of every voxel."""
    index = np.stack(np.meshgrid(*map(np.arange, geometry.shape), indexing="ij"), axis=-1)
    return index @ geometry.affine[:3, :3].T + geometry.affine[:3, 3]


def stored(order, flips, voxels=None) -> Image:
    """The oblique image as a NIfTI reader gives it, of a file that stores its axes this way."""
    array, affine = foreign.stored(order, flips)
    if voxels is not None:
        turned = voxels.transpose(order)
        array = turned[tuple(slice(None, None, -1 if f else 1) for f in flips)]
    geometry, orientation = Geometry.from_ras(array.shape, foreign.TO_RAS @ affine)
    return Image(orientation.apply(array)[None], geometry)


def linear(order=(0, 1, 2), flips=(False, False, False)) -> Image:
    """Every voxel holds a linear function of where it is."""
    image = stored(order, flips)
    return image.like((positions(image.geometry) @ SLOPE)[None])


def in_image(sample) -> np.ndarray:
    """(z, H, W), True where a prepared pixel lies between voxel centres of the image."""
    affine = np.linalg.inv(sample.image.geometry.affine)
    index = positions(sample.geometry) @ affine[:3, :3].T + affine[:3, 3]
    last = np.array(sample.image.geometry.shape) - 1
    return ((index > -1e-6) & (index < last + 1e-6)).all(axis=-1)


@pytest.mark.parametrize(("order", "flips"), foreign.STORED)
def test_every_prepared_pixel_shows_its_own_millimetre(order, flips):
    sample = FINE.sample(linear(order, flips))
    low, high = sample.intensities
    wanted = (positions(sample.geometry) @ SLOPE - low) / (high - low)
    inside = in_image(sample)
    assert inside.sum() > 1500
    np.testing.assert_allclose(sample.frame(0)[inside], wanted[inside], atol=1e-5)


@pytest.mark.parametrize("preparation", [FINE, COARSE])
@pytest.mark.parametrize(("order", "flips"), foreign.STORED[::5])
def test_what_is_restored_lies_where_it_was_prepared(preparation, order, flips):
    sample = preparation.sample(linear(order, flips))
    field = positions(sample.geometry) @ SLOPE
    back = sample.restore(np.stack([field, -field], axis=1).astype(np.float32))
    assert back.shape == (2, *sample.image.geometry.shape)
    wanted = positions(sample.image.geometry) @ SLOPE
    np.testing.assert_allclose(back, np.stack([wanted, -wanted]), atol=1e-4)


@pytest.mark.parametrize("sampled", [4_000_000, 100])
def test_planes_do_not_depend_on_how_the_file_stores_the_volume(sampled, monkeypatch):
    monkeypatch.setattr(intensity, "SAMPLED_VOXELS", sampled)
    preparation = replace(COARSE, percentiles=(3.0, 90.0))
    wanted = preparation.sample(stored(*foreign.STORED[0])).frame(0)
    for order, flips in foreign.STORED:
        sample = preparation.sample(stored(order, flips))
        np.testing.assert_allclose(sample.frame(0), wanted, atol=1e-5, err_msg=f"{order} {flips}")


def test_the_marked_voxel_goes_to_its_millimetre_and_back():
    image = stored((1, 2, 0), (True, False, True))
    sample = FINE.sample(image.like((image.voxels == image.voxels.max()).astype("int16")))
    planes = sample.frame(0)
    seen = np.unravel_index(int(planes.argmax()), planes.shape)
    distance = np.linalg.norm(sample.geometry.point(seen) - foreign.marked_mm())
    assert distance < 0.75  # half a prepared pixel each way
    back = sample.restore(planes[:, None])[0]
    index = np.unravel_index(int(back.argmax()), back.shape)
    assert np.linalg.norm(sample.image.geometry.point(index) - foreign.marked_mm()) < 1e-6


def smooth_labels(geometry: Geometry) -> np.ndarray:
    """Two nested discs, off the centre, of other size in each slice."""
    z, y, x = np.meshgrid(*map(np.arange, geometry.shape), indexing="ij")
    _, dy, dx = geometry.spacing
    distance = np.hypot((y - 41) * dy, (x - 68) * dx) + 3 * z
    return np.select([distance < 24, distance < 36], [1, 2], 0).astype(np.uint8)


@pytest.mark.parametrize("spacing_mm", [1.0, 1.5, 2.0])
@pytest.mark.parametrize(("order", "flips"), foreign.STORED[::11])
def test_labels_come_back_as_they_went(spacing_mm, order, flips):
    affine = foreign.affine_lps()
    array_shape = (3, 90, 120)
    upright = Geometry(array_shape, affine)
    labels = smooth_labels(upright).transpose(order)
    geometry = Geometry(labels.shape, affine[:, [*order, 3]])
    ras = foreign.TO_RAS @ geometry.affine
    known, orientation = Geometry.from_ras(labels.shape, ras)
    mine = orientation.apply(labels)
    sample = replace(FINE, spacing_mm=spacing_mm, field_px=256).sample(
        Image(mine[None].astype("int16"), known)
    )
    prepared = sample.frame_labels(mine)
    assert prepared.dtype == np.uint8
    assert prepared.shape == sample.geometry.shape
    shares = np.stack([prepared == value for value in range(3)], axis=1).astype(np.float32)
    back = sample.restore(shares).argmax(0)
    for value in (1, 2):
        a, b = back == value, mine == value
        assert 2 * (a & b).sum() / (a.sum() + b.sum()) > 0.97
    where = [positions(g)[m == 1].mean(0) for g, m in ((sample.geometry, prepared), (known, mine))]
    np.testing.assert_allclose(*where, atol=0.2)


def test_labels_lie_where_the_pixels_do():
    image = stored((2, 0, 1), (False, True, False))
    labels = np.zeros(image.geometry.shape, np.uint8)
    labels[1:4, 4:9, 6:14] = 3
    sample = COARSE.sample(image.like(labels[None].astype(np.float32)))
    np.testing.assert_array_equal(sample.frame_labels(labels) == 3, sample.frame(0) > 0.5)


def test_a_structure_not_smaller_than_the_background_s_share_wins_among_others():
    geometry = Geometry((1, 4, 4), np.diag([8.0, 1, 1, 1])[:, [0, 1, 2, 3]])
    labels = np.array([[[1, 1, 2, 2], [1, 1, 2, 2], [0, 0, 2, 2], [0, 0, 2, 2]]], np.uint8)
    image = Image(labels[None].astype("int16"), geometry)
    prepared = Preparation(spacing_mm=1.0, stride=4, field_px=4).sample(image)
    assert sorted(np.unique(prepared.frame_labels(labels))) == [0, 1, 2]
    assert (prepared.frame_labels(labels) == 2).sum() == 8


def test_intensities_are_linear_between_the_percentiles_and_cut_beyond():
    values = np.random.default_rng(2).permutation(8 * 8).reshape(1, 1, 8, 8)
    geometry = Geometry((1, 8, 8), np.diag([8.0, 1.0, 1.0, 1.0]))
    sample = Preparation(spacing_mm=1.0, stride=8, field_px=8, percentiles=(10.0, 60.0)).sample(
        Image(values, geometry)
    )
    low, high = sample.intensities
    assert (low, high) == tuple(np.percentile(values, (10, 60)))
    wanted = sample.orientation.apply(((values - low) / (high - low)).clip(0, 1))[0]
    np.testing.assert_allclose(sample.frame(0), wanted, atol=1e-6)


CT = Preparation(spacing_mm=1.0, stride=8, field_px=8, window=(-200.0, 600.0))


def ct(values, shape=(1, 8, 8)):
    geometry = Geometry(shape, np.diag([8.0, 1.0, 1.0, 1.0]))
    return Image(np.asarray(values).reshape(1, *shape), geometry)


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_a_window_means_the_same_in_every_image(dtype):
    ramp = np.linspace(-1024, 3071, 64).round().astype(dtype)
    sample = CT.sample(ct(ramp))
    assert sample.intensities == (-200.0, 600.0)
    wanted = sample.orientation.apply(((ramp + 200.0) / 800).clip(0, 1).reshape(1, 8, 8))
    np.testing.assert_allclose(sample.frame(0), wanted, atol=1e-6)
    assert [step.name for step in sample.steps(0)][2] == "window -200 to 600 to 0-1"


@pytest.mark.parametrize("values", [(-1024, -200), (600, 900)])
def test_an_image_beside_its_window_is_refused(values):
    lowest, highest = values
    image = ct(np.linspace(lowest, highest, 64))
    said = rf"values from {lowest} to {highest}; allowed: some within the window, -200 to 600; "
    with pytest.raises(FormatError, match=f"{said}.*Hounsfield"):
        CT.sample(image)
    one_sees = image.voxels.copy()
    one_sees[0, 0, 3, 4] = 0
    CT.sample(Image(one_sees, image.geometry))


def test_a_window_asks_for_numbers_too():
    values = np.linspace(-1024.0, 3071.0, 64)
    values[5] = np.nan
    with pytest.raises(FormatError, match="1 of 64 voxels that are not numbers"):
        CT.sample(ct(values))


def test_every_frame_is_scaled_alike():
    frames = np.stack([foreign.voxels(), 2 * foreign.voxels()])
    sample = COARSE.sample(Image(frames, Geometry(foreign.SHAPE, foreign.affine_lps())))
    np.testing.assert_allclose(2 * sample.frame(0), sample.frame(1), atol=1e-5)


@pytest.mark.parametrize("at", [(0, 0, 0, 0), (1, 4, 13, 18), (1, 2, 7, 9)])
def test_a_voxel_that_is_no_number_is_refused(at):
    frames = np.stack([foreign.voxels("float32")] * 2)
    frames[at] = np.nan
    image = Image(frames, Geometry(foreign.SHAPE, foreign.affine_lps()))
    with pytest.raises(FormatError, match="not numbers"):
        FINE.sample(image)


def test_pictures_without_millimetres_keep_their_pixels():
    picture = np.random.default_rng(1).integers(0, 255, (1, 1, 40, 50), "uint8")
    sample = replace(FINE, stride=32).sample(Image(picture, Geometry.from_pixels((1, 40, 50))))
    assert sample.step == (1.0, 1.0)
    assert sample.geometry.unit == "px"
    shown = sample.orientation.apply(picture)[0]
    low, high = sample.intensities
    wanted = np.zeros((1, 64, 64), np.float32)
    top, left = ((64 - side) // 2 for side in shown.shape[1:])
    wanted[:, top : top + shown.shape[1], left : left + shown.shape[2]] = (shown - low) / (
        high - low
    )
    np.testing.assert_allclose(sample.frame(0), wanted, atol=1e-6)


def test_planes_larger_than_the_field_are_cut_about_their_centre():
    picture = np.random.default_rng(1).integers(0, 255, (1, 1, 100, 90), "uint8")
    preparation = Preparation(stride=32, field_px=70, percentiles=(0, 100))
    sample = preparation.sample(Image(picture, Geometry.from_pixels((1, 100, 90))))
    assert sample.geometry.shape[1:] == (64, 64)  # the largest multiple of 32 up to 70
    shown = sample.orientation.apply(picture)[0, 0]
    top, left = ((side - 64) // 2 for side in shown.shape)
    low, high = sample.intensities
    wanted = (shown[top : top + 64, left : left + 64] - low) / (high - low)
    np.testing.assert_allclose(sample.frame(0)[0], wanted, atol=1e-6)
    back = sample.restore(sample.frame(0)[:, None])
    assert back.shape == (1, 1, 100, 90)
    inside = sample.orientation.apply(back[0])[0, top : top + 64, left : left + 64]
    np.testing.assert_allclose(inside, wanted, atol=1e-6)


@pytest.mark.parametrize("stride", [1, 8, 32])
def test_planes_are_multiples_of_the_stride_that_hold_the_whole_image(stride):
    sample = replace(FINE, stride=stride, field_px=64).sample(stored(*foreign.STORED[7]))
    _, rows, columns = sample.geometry.shape
    assert rows % stride == columns % stride == 0
    _, dy, dx = sample.image.geometry.oriented(sample.orientation).spacing
    _, y, x = sample.image.geometry.oriented(sample.orientation).shape
    assert 0 <= rows - y * dy < stride
    assert 0 <= columns - x * dx < stride
    np.testing.assert_allclose(sample.geometry.spacing[1:], (1.0, 1.0))


def test_frames_are_prepared_one_at_a_time():
    voxels = np.zeros((40, 4, 128, 128), "int16")
    voxels[:, :, 40:80, 50:90] = 100
    sample = replace(FINE, field_px=128).sample(
        Image(voxels, Geometry((4, 128, 128), np.diag([8.0, 1.0, 1.0, 1.0])))
    )
    one = 4 * 128 * 128 * 4  # bytes of a frame in float32
    tracemalloc.start()
    try:
        for index in range(40):
            sample.frame(index)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * one


@pytest.mark.parametrize(
    "wrong",
    [
        {"spacing_mm": 0.0},
        {"percentiles": (99.0, 1.0)},
        {"percentiles": (-1.0, 50.0)},
        {"stride": 0},
        {"stride": 64, "field_px": 32},
        {"percentiles": (1.0, 101.0)},
        {"window": (600.0, -200.0)},
        {"window": (40.0, 40.0)},
        {"window": (float("-inf"), 40.0)},
        {"window": (float("nan"), 40.0)},
        {"denoise_px": 4},
        {"denoise_px": 1},
        {"denoise_px": 17},
        {"spacing_mm": None, "stride": 32, "field_px": 100},
    ],
)
def test_settings_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ConfigError, match="preparation"):
        Preparation(**wrong)


def test_the_steps_are_what_is_done_and_lie_where_they_say():
    image = linear((2, 0, 1), (True, False, True))
    sample = COARSE.sample(image)
    steps = list(sample.steps(0))
    assert [step.name for step in steps] == [
        "as stored",
        "canonical orientation",
        "min-max to 0-1",
        "resampled, cropped or padded",
    ]
    for step in steps[:2]:  # the values are still those of the slope, wherever the grid lies
        np.testing.assert_allclose(step.planes, positions(step.geometry) @ SLOPE, atol=1e-9)
    assert (steps[2].planes.min(), steps[2].planes.max()) == pytest.approx((0.0, 1.0))
    for step in steps:
        assert step.planes.shape == step.geometry.shape
    np.testing.assert_array_equal(steps[-1].planes, sample.frame(0))
    assert steps[-1].geometry.same_grid(sample.geometry)


def test_a_median_of_three_removes_a_speck_and_keeps_an_edge():
    picture = np.zeros((1, 3, 16, 16), "uint8")
    picture[..., 8:] = 100
    picture[0, 1, 5, 3] = picture[0, 1, 9, 12] = 200
    picture[0, 0, :, 11] = 200  # lines in both directions, one slice each
    picture[0, 2, 2, 10:] = 200
    plain = Preparation(spacing_mm=1.0, stride=16, field_px=16, percentiles=(0.0, 100.0))
    image = Image(picture, Geometry.from_pixels((3, 16, 16)))
    clean = np.where(np.arange(16) < 8, 0.0, 0.5)
    median = replace(plain, denoise_px=3).sample(image)
    seen = median.orientation.apply(np.broadcast_to(clean, (3, 16, 16)))
    np.testing.assert_allclose(median.frame(0), seen, atol=1e-6)
    assert plain.sample(image).frame(0).max() == 1.0
    assert [step.name for step in median.steps(0)][3] == "median of 3 x 3"


@pytest.mark.parametrize("unit", ["mm", "px"])
def test_without_a_spacing_all_is_stretched_to_one_size(unit):
    image = linear((0, 2, 1), (True, False, False))
    if unit == "px":
        image = Image(image.voxels, Geometry.from_pixels(image.geometry.shape))
    sample = replace(FINE, spacing_mm=None, stride=8, field_px=24).sample(image)
    assert sample.geometry.shape[1:] == (24, 24)
    upright = sample.turned
    for axis in (1, 2):  # the same field, edge to edge
        length = sample.geometry.shape[axis] * sample.geometry.spacing[axis]
        assert length == pytest.approx(upright.shape[axis] * upright.spacing[axis])
    low, high = sample.intensities
    field = sample.restore(sample.frame(0)[:, None])[0] * (high - low) + low
    inside = sample.orientation.apply(field - image.voxels[0])[:, 2:-2, 2:-2]
    np.testing.assert_allclose(inside, 0, atol=1e-3)
    assert [step.name for step in sample.steps(0)][-1] == "stretched to one size"


LOCATED = replace(FINE, locate=Locate(look="short-axis"))
BOX = (slice(3, 12), slice(5, 16))


@pytest.fixture
def found(monkeypatch):
    """The ventricle lies in `BOX` of the canonical planes, whatever they hold."""
    place = localise.Location(BOX, 0.7, found=True)
    monkeypatch.setattr(localise, "locate", lambda planes, how: place)


@pytest.mark.usefixtures("found")
@pytest.mark.parametrize("preparation", [LOCATED, replace(LOCATED, spacing_mm=2.0)])
@pytest.mark.parametrize(("order", "flips"), foreign.STORED[::7])
def test_a_crop_shows_its_own_millimetres_and_comes_back_to_them(preparation, order, flips):
    sample = preparation.sample(linear(order, flips))
    cut = sample.turned.cropped(*sample.box)
    assert cut.shape == (5, 9, 11)
    field = positions(sample.geometry) @ SLOPE
    back = sample.restore(np.stack([field, -field], axis=1).astype(np.float32))
    assert back.shape == (2, *sample.image.geometry.shape)
    inside = sample.orientation.apply(back)[..., BOX[0], BOX[1]]
    wanted = positions(cut) @ SLOPE
    np.testing.assert_allclose(inside, np.stack([wanted, -wanted]), atol=1e-4)


@pytest.mark.usefixtures("found")
@pytest.mark.parametrize(("order", "flips"), foreign.STORED[::7])
def test_beyond_the_crop_all_is_background(order, flips):
    sample = LOCATED.sample(linear(order, flips))
    sure = np.zeros((5, 3, *sample.geometry.shape[1:]), np.float32)
    sure[:, 2] = 1.0
    restored = sample.orientation.apply(sample.restore(sure))
    outside = np.ones(restored.shape[1:], bool)
    outside[:, BOX[0], BOX[1]] = False
    np.testing.assert_array_equal(restored[0], outside)
    np.testing.assert_array_equal(restored[1], 0)
    np.testing.assert_array_equal(restored[2], ~outside)


@pytest.mark.usefixtures("found")
def test_labels_are_cropped_as_pixels_are():
    image = stored((2, 0, 1), (False, True, False))
    labels = np.zeros(image.geometry.shape, np.uint8)
    labels[1:4, 4:9, 6:14] = 3
    sample = replace(LOCATED, spacing_mm=1.3).sample(image.like(labels[None].astype(np.float32)))
    np.testing.assert_array_equal(sample.frame_labels(labels) == 3, sample.frame(0) > 0.5)


def test_where_nothing_is_found_the_whole_field_stays():
    noise = np.random.default_rng(3).random((1, 1, 200, 180)).astype(np.float32)
    image = Image(noise, Geometry.from_pixels((1, 200, 180)))
    preparation = replace(FINE, field_px=256)
    sample = replace(preparation, locate=Locate(look="short-axis")).sample(image)
    assert sample.location is not None
    assert not sample.location.found
    np.testing.assert_array_equal(sample.frame(0), preparation.sample(image).frame(0))
    names = [step.name for step in sample.steps(0)]
    assert names[3] == f"not cropped ({sample.location.sure:.2f} sure)"


def test_the_ventricle_is_sought_in_the_mean_of_frames_through_the_beat(monkeypatch):
    seen = []
    monkeypatch.setattr(
        localise,
        "locate",
        lambda planes, how: seen.append(planes) or localise.Location(BOX, 0.7, found=True),
    )
    frames = np.arange(20)[:, None, None, None] * np.ones((1, *foreign.SHAPE))
    frames[0, 0, 0, 0] = 19
    LOCATED.sample(Image(frames, Geometry(foreign.SHAPE, foreign.affine_lps())))
    assert np.median(seen[0]) == pytest.approx(0.5)  # as many early frames as late ones
    assert seen[0].shape == (5, 14, 19) or seen[0].shape == (5, 19, 14)


@pytest.mark.usefixtures("found")
def test_every_step_of_the_papers_is_there_with_its_name_and_place():
    everything = replace(LOCATED, denoise_px=5, clahe=Clahe(tiles=2, clip=3.0))
    sample = everything.sample(linear((2, 0, 1), (True, False, True)))
    steps = list(sample.steps(0))
    assert [step.name for step in steps] == [
        "as stored",
        "canonical orientation",
        "min-max to 0-1",
        "median of 5 x 5",
        "cropped (0.70 sure)",
        "resampled, cropped or padded",
        "CLAHE, 2 x 2 tiles",
    ]
    for step in steps:
        assert step.planes.shape == step.geometry.shape
    np.testing.assert_array_equal(steps[4].planes, steps[3].planes[:, BOX[0], BOX[1]])
    wanted = positions(steps[3].geometry)[:, BOX[0], BOX[1]]
    np.testing.assert_allclose(positions(steps[4].geometry), wanted, atol=1e-9)
    np.testing.assert_array_equal(steps[6].planes, equalise(steps[5].planes, everything.clahe))
    np.testing.assert_array_equal(steps[6].planes, sample.frame(0))


PLACE = localise.Location((slice(3, 9), slice(5, 12)), 0.9, found=True)
"""In canonical planes of the oblique image, 14 x 19 or turned."""

TIGHT = Preparation(spacing_mm=1.0, stride=4, field_px=64, percentiles=(0.0, 100.0))


@pytest.mark.parametrize(("order", "flips"), foreign.STORED[::5])
def test_a_place_is_shown_in_its_own_millimetres_without_padding(order, flips):
    image = linear(order, flips)
    sample = TIGHT.sample(image, PLACE)
    low, high = sample.intensities
    assert sample.intensities == TIGHT.sample(image).intensities  # of the whole study
    wanted = (positions(sample.geometry) @ SLOPE - low) / (high - low)
    assert not any(length % 4 for length in sample.geometry.shape[1:])
    assert np.prod(sample.geometry.shape) < np.prod(TIGHT.sample(image).geometry.shape)
    inside = in_image(sample)
    assert inside.mean() > 0.9  # but for half a pixel at the borders of the box
    np.testing.assert_allclose(sample.frame(0)[inside], wanted[inside], atol=0.03)
    for one, given in zip(sample.box, PLACE.box, strict=True):
        assert one.start <= given.start < given.stop <= one.stop


@pytest.mark.parametrize(("order", "flips"), foreign.STORED[::5])
def test_what_was_seen_of_a_place_comes_back_there_and_all_else_is_background(order, flips):
    sample = TIGHT.sample(linear(order, flips), PLACE)
    field = positions(sample.geometry) @ SLOPE
    back = sample.restore(np.stack([field, -field], axis=1).astype(np.float32))
    inside = np.zeros(sample.turned.shape, bool)
    inside[:, sample.box[0], sample.box[1]] = True
    inside = sample.orientation.undo(inside)
    wanted = positions(sample.image.geometry) @ SLOPE
    np.testing.assert_allclose(back[0][inside], wanted[inside], atol=1.0)
    assert (back[0][~inside] == 1.0).all()
    assert (back[1][~inside] == 0.0).all()


def test_a_place_at_the_border_is_moved_inside_and_keeps_its_size():
    image = linear()
    corner = localise.Location((slice(0, 3), slice(16, 19)), 0.9, found=True)
    grid = image.geometry.oriented(image.geometry.canonical())
    last = tuple(slice(n - 3, n) for n in grid.shape[1:])
    for box in (corner.box, last):
        shown = TIGHT.shown(grid, replace(corner, box=box)).box
        for one, length, mm in zip(shown, grid.shape[1:], grid.spacing[1:], strict=True):
            assert 0 <= one.start < one.stop <= length
            assert one.stop - one.start == np.ceil((8 if mm > 1.4 else 4) / mm)


def test_prepared_pixels_tell_which_pixels_of_the_image_they_cover():
    image = linear()
    sample = COARSE.sample(image)
    grid = sample.turned
    rows, columns = slice(1, 4), slice(2, 7)
    for margin in (0.0, 3.0):
        box = sample.box_of(rows, columns, margin)
        for axis, (one, wanted) in enumerate(zip(box, (rows, columns), strict=True)):
            mm, count = grid.spacing[1 + axis], sample.geometry.shape[1 + axis]
            middle = grid.shape[1 + axis] / 2
            start = middle + ((wanted.start - count / 2) * 2.0 - margin) / mm
            stop = middle + ((wanted.stop - count / 2) * 2.0 + margin) / mm
            assert one.start == max(0, np.floor(start))
            assert one.stop == min(grid.shape[1 + axis], np.ceil(stop))
