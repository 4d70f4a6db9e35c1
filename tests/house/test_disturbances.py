"""Disturbances do what they say: by the stated strength, and to image and truth alike."""

import sys
from collections.abc import Callable
from itertools import product
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image, Segmentation
from tests.house.scripts import ROOT, script

LV, MYO, RV = Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY
SHAPE = (5, 40, 33)
SPACING_MM = (8.0, 1.3, 1.7)
MARK = (3, 9, 24)
"""The middle of a mark of 5 x 5 pixels, away from every middle."""


@pytest.fixture(scope="module")
def table() -> ModuleType:
    return script(ROOT / "benchmarks" / "disturbances.py")


@pytest.fixture(scope="module")
def places(table: ModuleType) -> ModuleType:
    return sys.modules["disturbed_places"]


@pytest.fixture(scope="module")
def values(table: ModuleType) -> ModuleType:
    return sys.modules["disturbed_values"]


def oblique(shape: tuple[int, int, int] = SHAPE, spacing: Any = SPACING_MM) -> Geometry:
    """A grid whose directions are none of the patient's."""
    directions, _ = np.linalg.qr(np.array([[0.6, 0.5, 0.2], [-0.7, 0.9, 0.4], [0.3, -0.2, 1.0]]))
    affine = np.eye(4)
    affine[:3, :3] = directions * np.array(spacing)
    affine[:3, 3] = (12.0, -30.0, 7.5)
    return Geometry(shape, affine)


def heart(shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    """(z, y, x): the LV in its wall, the RV to the left of it; the base is the last slice."""
    labels = np.zeros(shape, np.uint8)
    for z in range(1, shape[0]):
        labels[z, 14 - z : 24 + z, 12 - z : 24 + z] = MYO
        labels[z, 17 - z : 21 + z, 15 - z : 21 + z] = LV
        labels[z, 16 - z : 20 + z, 3 : 11 - z] = RV
    return labels


def scene_of(
    places: ModuleType, labels: np.ndarray, *, grey: np.ndarray | None = None, **grid: Any
) -> Any:
    """Two frames, the second with a smaller RV; a second mask that is another heart's."""
    geometry = oblique(labels.shape, **grid)  # type: ignore[arg-type]
    second = labels.copy()
    second[:, :15][second[:, :15] == RV] = MYO
    truth = np.stack([labels, second])
    random = np.random.default_rng(3)
    voxels = random.normal(100.0, 20.0, truth.shape) if grey is None else np.stack([grey] * 2)
    masks = [Segmentation(one, geometry, (LV, MYO, RV)) for one in (truth, np.roll(truth, 2, 3))]
    return places.Scene(Image(voxels.astype(np.float32), geometry), tuple(masks))


@pytest.fixture
def scene(places: ModuleType) -> Any:
    return scene_of(places, heart())


@pytest.fixture
def marked(places: ModuleType) -> Any:
    """Nothing but a bright mark, which the truth calls the LV."""
    labels = np.zeros(SHAPE, np.uint8)
    z, y, x = MARK
    labels[z, y - 2 : y + 3, x - 2 : x + 3] = LV
    return scene_of(places, labels, grey=labels * 50.0)


def middle_mm(weights: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Where in the patient the centre of some weights (z, y, x) lies."""
    index = [float((weights * along).sum() / weights.sum()) for along in np.indices(weights.shape)]
    return geometry.point(index)


def of_mark(scene: Any) -> tuple[np.ndarray, np.ndarray]:
    """Where the mark is in the image, and where in the truth."""
    grid = scene.image.geometry
    assert scene.truth.geometry is grid
    in_truth = (scene.truth.labels[0] == LV).astype(float)
    return middle_mm(scene.image.voxels[0].astype(float), grid), middle_mm(in_truth, grid)


def from_middle(grid: Geometry, point: np.ndarray) -> np.ndarray:
    """(y, x) millimetres from the middle of the grid, along its own directions."""
    middle = grid.point([(size - 1) / 2 for size in grid.shape])
    away: np.ndarray = grid.directions[:, 1:].T @ (point - middle)
    return away


def counts(scene: Any) -> list[int]:
    return [int((scene.truth.labels == one).sum()) for one in (LV, MYO, RV)]


# Places.


@pytest.mark.parametrize("degrees", [15, 75, -130])
def test_image_and_truth_rotate_about_the_middle_alike(
    places: ModuleType, marked: Any, degrees: float
) -> None:
    y, x = from_middle(marked.image.geometry, of_mark(marked)[0])
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    turned = places.rotated(marked, degrees)
    wanted = (x * sin + y * cos, x * cos - y * sin)
    for found, within in zip(of_mark(turned), (0.1, 0.4), strict=True):
        assert from_middle(turned.image.geometry, found) == pytest.approx(wanted, abs=within)
    assert turned.image.geometry.spacing == pytest.approx(SPACING_MM)


def test_a_rotated_image_is_whole(places: ModuleType, scene: Any) -> None:
    corners = np.zeros(SHAPE, np.uint8)
    corners[2, :6, :6] = corners[2, -6:, -6:] = LV
    corners[2, :6, -6:] = corners[2, -6:, :6] = MYO
    turned = places.rotated(scene_of(places, corners), 40)
    assert counts(turned) == pytest.approx(counts(scene_of(places, corners)), rel=0.15)
    assert turned.image.voxels[0, 0, 0, 0] == turned.image.voxels.min()


def test_nothing_is_turned_by_no_degrees(places: ModuleType, scene: Any) -> None:
    same = places.rotated(scene, 0)
    assert same.image.geometry.same_grid(scene.image.geometry)
    np.testing.assert_allclose(same.image.voxels, scene.image.voxels, rtol=1e-5)
    for one, other in zip(same.masks, scene.masks, strict=True):
        np.testing.assert_array_equal(one.labels, other.labels)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("QUARTER_TURN", (3, SHAPE[2] - 1 - MARK[2], MARK[1])),
        ("HALF_TURN", (3, SHAPE[1] - 1 - MARK[1], SHAPE[2] - 1 - MARK[2])),
        ("MIRRORED", (3, MARK[1], SHAPE[2] - 1 - MARK[2])),
    ],
)
def test_turns_are_exact(
    places: ModuleType, marked: Any, name: str, place: tuple[int, int, int]
) -> None:
    turned = places.turned(marked, getattr(places, name))
    grid, before = turned.image.geometry, marked.image.geometry
    for found in of_mark(turned):
        np.testing.assert_allclose(found, grid.point(place), atol=1e-9)
    assert sorted(turned.image.voxels.ravel()) == sorted(marked.image.voxels.ravel())
    np.testing.assert_allclose(grid.directions, before.directions)
    across = name == "QUARTER_TURN"
    y, x = SPACING_MM[1:]
    assert grid.spacing == pytest.approx((SPACING_MM[0], x, y) if across else SPACING_MM)
    centres = [one.point([(n - 1) / 2 for n in one.shape]) for one in (grid, before)]
    np.testing.assert_allclose(*centres)


@pytest.mark.parametrize("name", ["EXCHANGED", "UPSIDE_DOWN"])
def test_what_is_stored_otherwise_stays_in_its_place(
    places: ModuleType, marked: Any, name: str
) -> None:
    other = places.stored(marked, getattr(places, name))
    for found, before in zip(of_mark(other), of_mark(marked), strict=True):
        np.testing.assert_allclose(found, before, atol=1e-9)
    assert not other.image.geometry.same_grid(marked.image.geometry)


@pytest.mark.parametrize("spacing", [0.7, 2.0])
def test_image_and_truth_stay_in_place_at_another_pixel_size(
    places: ModuleType, marked: Any, spacing: float
) -> None:
    other = places.spaced(marked, spacing)
    assert other.image.geometry.spacing == pytest.approx((8.0, spacing, spacing))
    for found, before in zip(of_mark(other), of_mark(marked), strict=True):
        np.testing.assert_allclose(found, before, atol=0.6 * spacing)


def test_the_own_pixel_size_changes_nothing(places: ModuleType) -> None:
    scene = scene_of(places, heart(), spacing=(8.0, 1.4, 1.4))
    same = places.spaced(scene, 1.4)
    assert same.image.geometry.same_grid(scene.image.geometry)
    np.testing.assert_allclose(same.image.voxels, scene.image.voxels, rtol=1e-6)
    np.testing.assert_array_equal(same.truth.labels, scene.truth.labels)


def test_volumes_stay_at_another_pixel_size(places: ModuleType, scene: Any) -> None:
    other = places.spaced(scene, 1.0)
    ratio = SPACING_MM[1] * SPACING_MM[2]
    assert counts(other) == pytest.approx([n * ratio for n in counts(scene)], rel=0.12)


def test_every_second_slice_lies_where_it_was(places: ModuleType, scene: Any) -> None:
    half = places.every_second_slice(scene)
    before, after = scene.image.geometry, half.image.geometry
    np.testing.assert_array_equal(half.image.voxels, scene.image.voxels[:, [0, 2, 4]])
    np.testing.assert_array_equal(half.truth.labels, scene.truth.labels[:, [0, 2, 4]])
    np.testing.assert_allclose(after.point((2, 3, 5)), before.point((4, 3, 5)))


def test_a_distance_said_to_be_double_doubles_volumes(places: ModuleType, scene: Any) -> None:
    far = places.twice_as_far(scene)
    assert far.image.geometry.voxel_ml == pytest.approx(2 * scene.image.geometry.voxel_ml)
    assert far.truth.geometry.spacing == pytest.approx((16.0, 1.3, 1.7))
    np.testing.assert_array_equal(far.image.voxels, scene.image.voxels)


def test_the_base_is_the_larger_end(places: ModuleType, scene: Any) -> None:
    assert [places.slice_at(scene, place) for place in (0.1, 0.5, 0.9)] == [4, 2, 1]
    other = places.stored(scene, places.UPSIDE_DOWN)
    assert [places.slice_at(other, place) for place in (0.1, 0.5, 0.9)] == [0, 2, 3]


def test_the_middle_slice_is_left_out_and_the_stack_closes(places: ModuleType, scene: Any) -> None:
    shorter = places.without_middle_slice(scene)
    np.testing.assert_array_equal(shorter.image.voxels, scene.image.voxels[:, [0, 1, 3, 4]])
    np.testing.assert_array_equal(shorter.truth.labels, scene.truth.labels[:, [0, 1, 3, 4]])
    assert shorter.image.geometry.spacing == pytest.approx(SPACING_MM)


def test_a_black_slice_is_black_in_the_image_only(places: ModuleType, scene: Any) -> None:
    black = places.black_middle_slice(scene)
    changed = (black.image.voxels != scene.image.voxels).any(axis=(0, 2, 3))
    assert changed.tolist() == [False, False, True, False, False]
    assert (black.image.voxels[:, 2] == scene.image.voxels.min()).all()
    assert black.masks is scene.masks


def test_a_single_slice_lies_where_it_was(places: ModuleType, marked: Any, scene: Any) -> None:
    one = places.single_slice(marked, 0.5)  # the only slice with anything
    assert one.image.geometry.shape == (1, *SHAPE[1:])
    for found, before in zip(of_mark(one), of_mark(marked), strict=True):
        np.testing.assert_allclose(found, before, atol=1e-9)
    base = places.single_slice(scene, 0.0)
    np.testing.assert_array_equal(base.truth.labels[:, 0], scene.truth.labels[:, 4])


@pytest.mark.parametrize("margin", [0, 3.4])
def test_a_crop_keeps_the_heart_its_margin_and_its_place(
    places: ModuleType, scene: Any, marked: Any, margin: float
) -> None:
    cut = places.cropped(scene, margin)
    assert counts(cut) == counts(scene)
    held = [np.flatnonzero(cut.heart.any(axis=axes)) for axes in ((0, 2), (0, 1))]
    sides = [
        (one[0], size - 1 - one[-1]) for one, size in zip(held, cut.heart.shape[1:], strict=True)
    ]
    assert sides == ([(0, 0), (0, 0)] if margin == 0 else [(3, 3), (2, 2)])
    around = places.cropped(marked, margin)
    for found, before in zip(of_mark(around), of_mark(marked), strict=True):
        np.testing.assert_allclose(found, before, atol=1e-9)


def test_a_wide_margin_cuts_nothing(places: ModuleType, scene: Any) -> None:
    whole = places.cropped(scene, 500)
    assert whole.image.geometry.same_grid(scene.image.geometry)


def test_a_crop_through_the_rv_leaves_the_share_out_and_the_lv_whole(
    places: ModuleType, scene: Any
) -> None:
    for some in (
        scene,
        places.turned(scene, places.MIRRORED),
        places.turned(scene, places.QUARTER_TURN),
    ):
        cut = places.cropped_through_rv(some, 0.3)
        lv, _, rv = counts(cut)
        assert lv == counts(some)[0]
        assert 0.7 <= rv / counts(some)[2] <= 0.85  # whole lines stay
        assert counts(places.cropped_through_rv(some, 0))[2] == counts(some)[2]


# Grey values.


def flat(value: float, shape: tuple[int, int, int] = (3, 70, 90)) -> Image:
    return Image(np.full((2, *shape), value, np.float32), oblique(shape))


def test_noise_is_as_strong_as_stated(table: ModuleType, places: ModuleType) -> None:
    image = flat(80.0)
    heart = Segmentation(np.ones(image.voxels.shape, np.uint8), image.geometry, (LV,))
    for ratio in (20, 5):
        (noise,) = (d for d in table.DISTURBANCES if d.level == f"signal to noise {ratio}")
        found = noise.of(places.Scene(image, (heart,)), "patient1").image.voxels
        assert found.std() == pytest.approx(80 / ratio, rel=0.03)


def test_noise_of_nothing_is_rayleighs(values: ModuleType) -> None:
    found = values.noisy(flat(0.0), 4.0, np.random.default_rng(1)).voxels
    assert found.mean() == pytest.approx(4 * np.sqrt(np.pi / 2), rel=0.02)
    assert found.std() == pytest.approx(4 * np.sqrt(2 - np.pi / 2), rel=0.03)


def test_a_coil_shades_by_its_ratio_from_corner_to_corner(values: ModuleType) -> None:
    plane = values.shaded(flat(50.0), 16).voxels[1, 2]
    assert plane[0, 0] / plane[-1, -1] == pytest.approx(16, rel=0.01)
    assert plane.max() == plane[0, 0]
    assert plane[0, -1] == pytest.approx(50, rel=0.01)
    assert plane[0, 0] * plane[-1, -1] == pytest.approx(2500, rel=1e-5)


def blob(shape: tuple[int, int, int] = (1, 64, 48), middle: tuple[int, int] = (25, 30)) -> Image:
    y, x = np.indices(shape[1:])
    plane = np.exp(-((y - middle[0]) ** 2 + (x - middle[1]) ** 2) / 18)
    return Image(np.broadcast_to(plane, (1, *shape)).astype(np.float32), oblique(shape))


def test_breathing_spreads_along_the_rows_and_leaves_the_middle(values: ModuleType) -> None:
    before, after = blob(), values.breathing(blob(), 5.0)
    energy = [np.square(one.voxels[0, 0].astype(float)) for one in (before, after)]
    assert energy[1].sum() == pytest.approx(energy[0].sum(), rel=1e-4)
    np.testing.assert_allclose(energy[1].sum(0), energy[0].sum(0), atol=1e-4)  # column by column
    y = np.arange(64)
    middles = [(one.sum(1) * y).sum() / one.sum() for one in energy]
    assert middles[1] == pytest.approx(middles[0], abs=0.15)
    widths = [(one.sum(1) * (y - 25) ** 2).sum() / one.sum() for one in energy]
    assert widths[1] > 1.5 * widths[0]


def test_breathing_goes_by_the_formula(values: ModuleType) -> None:
    """One wave of the image is one line of k-space (and its mirror image): its phase is known."""
    waves, rows = 3, 64
    plane = 2 + np.cos(2 * np.pi * waves * np.arange(rows) / rows)
    voxels = np.broadcast_to(plane[:, None], (1, 1, rows, 10)).astype(np.float32)
    found = values.breathing(Image(voxels, oblique((1, rows, 10))), 2.0).voxels[0, 0, :, 4]
    k = waves / rows
    phase = 2 * np.pi * k * 2.0 / SPACING_MM[1] * np.sin(2 * np.pi * values.BREATHS * k)
    wanted = np.abs(2 + np.exp(-1j * phase) * (plane - 2))
    np.testing.assert_allclose(found, wanted, rtol=1e-4)


def test_blur_is_round_in_millimetres(values: ModuleType) -> None:
    voxels = np.zeros((1, 1, 61, 51), np.float32)
    voxels[0, 0, 30, 25] = 1
    found = values.blurred(Image(voxels, oblique((1, 61, 51))), 3.0).voxels[0, 0]
    y, x = np.indices(found.shape)
    for along, spacing in ((y - 30, SPACING_MM[1]), (x - 25, SPACING_MM[2])):
        spread = np.sqrt((found * along**2).sum() / found.sum()) * spacing
        assert spread == pytest.approx(3.0, rel=0.02)


def ramp() -> Image:
    shape = (2, 20, 30)
    voxels = np.linspace(10, 265, 2 * np.prod(shape)).reshape(2, *shape)
    return Image(voxels.astype(np.float32), oblique(shape))


def test_contrast_goes_by_the_formulas(values: ModuleType) -> None:
    image = ramp()
    toned = values.toned(image, 2.0).voxels
    assert (toned.min(), toned.max()) == pytest.approx((10, 265))
    np.testing.assert_allclose(toned, 10 + (image.voxels - 10) ** 2 / 255, rtol=1e-4)
    negative = values.inverted(image)
    np.testing.assert_allclose(negative.voxels, 275 - image.voxels, rtol=1e-5)
    np.testing.assert_allclose(values.inverted(negative).voxels, image.voxels, rtol=1e-5)


def test_few_grey_values_are_whole_numbers(values: ModuleType) -> None:
    found = values.coarse(ramp(), 8).voxels
    assert found.dtype == np.uint8
    assert np.unique(found).tolist() == list(range(8))
    np.testing.assert_allclose(values.coarse(ramp(), 256).voxels, ramp().voxels - 10, atol=0.51)


def test_what_is_clipped_is_the_share_above_the_percentile(values: ModuleType) -> None:
    found = values.saturated(ramp(), 75).voxels
    assert (found == found.max()).mean() == pytest.approx(0.25, abs=0.01)
    np.testing.assert_array_equal(found[0], np.minimum(ramp().voxels[0], found.max()))


def test_a_stripe_takes_the_upper_percentile(values: ModuleType) -> None:
    found = values.with_bright_stripe(ramp(), 4).voxels
    assert np.percentile(found, 99) == pytest.approx(4 * 265)
    np.testing.assert_array_equal(found[..., 1:], ramp().voxels[..., 1:])


@pytest.mark.parametrize(
    "nothing",
    [
        lambda values, image: values.noisy(image, 0.0, np.random.default_rng(0)),
        lambda values, image: values.shaded(image, 1),
        lambda values, image: values.breathing(image, 0.0),
        lambda values, image: values.blurred(image, 0.0),
        lambda values, image: values.toned(image, 1),
        lambda values, image: values.saturated(image, 100),
        lambda values, image: values.with_bright_stripe(image, 0),
    ],
)
def test_no_strength_is_no_disturbance(
    values: ModuleType, nothing: Callable[[ModuleType, Image], Image]
) -> None:
    np.testing.assert_allclose(nothing(values, ramp()).voxels, ramp().voxels, rtol=1e-5)


# The table.


def test_every_disturbance_keeps_image_and_masks_together(table: ModuleType, scene: Any) -> None:
    assert len({one.name for one in table.DISTURBANCES}) == len(table.DISTURBANCES)
    for one in table.DISTURBANCES:
        found = one.of(scene, "patient1")
        assert np.isfinite(found.image.voxels).all(), one.name
        assert len(found.masks) == 2, one.name
        for mask in found.masks:
            assert mask.geometry.same_grid(found.image.geometry), one.name
        changed = (
            found.image.voxels.shape != scene.image.voxels.shape
            or (found.image.voxels != scene.image.voxels).any()
        )
        named = one is table.NONE or one.level == "distance said to be double"
        assert changed != named, one.name


def test_other_masks_go_with_the_truth(table: ModuleType, places: ModuleType, scene: Any) -> None:
    twin = places.Scene(scene.image, (scene.truth, scene.truth))
    for one in table.DISTURBANCES:
        truth, other = one.of(twin, "patient1").masks
        np.testing.assert_array_equal(truth.labels, other.labels)


def test_chance_is_the_patients_own(table: ModuleType, scene: Any) -> None:
    (noise,) = (one for one in table.DISTURBANCES if one.level == "signal to noise 5")
    first, again, other = (noise.of(scene, name).image.voxels for name in ("p1", "p1", "p2"))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_the_strongest_come_first_and_everything_once(table: ModuleType) -> None:
    patients = [f"p{number}" for number in range(9)]
    order = list(table.in_turn(table.FAMILIES, patients))
    assert {(d.name, p) for d, p in order} == {
        (d.name, p) for d, p in product(table.DISTURBANCES, patients)
    }
    assert len(order) == len(table.DISTURBANCES) * len(patients)
    quarter = dict(zip(patients, (2, 0, 3, 1) * 3, strict=False))
    late = [disturbance.turn + quarter[patient] for disturbance, patient in order]
    assert late == sorted(late)
    first = {patient: disturbance for disturbance, patient in reversed(order)}
    assert set(first.values()) == {table.NONE}
    assert {d.family for d in table.DISTURBANCES if d.turn == 0} >= {*table.FAMILIES} - {"storage"}
