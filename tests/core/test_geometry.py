from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heartseg.core.errors import GeometryError
from heartseg.core.geometry import Geometry, Orientation
from tests import foreign

OBLIQUE = Geometry(foreign.SHAPE, foreign.affine_lps())
ORIENTATIONS = [Orientation(order, flips) for order, flips in foreign.STORED]  # type: ignore[arg-type]


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_rearranging_moves_no_voxel_in_the_patient(orientation):
    moved = OBLIQUE.oriented(orientation)
    array = orientation.apply(foreign.voxels()[None])
    assert array.shape[1:] == moved.shape
    index = np.unravel_index(int(array[0].argmax()), moved.shape)
    np.testing.assert_allclose(moved.point(index), foreign.marked_mm(), atol=1e-9)
    assert np.array_equal(orientation.undo(array)[0], foreign.voxels())
    assert moved.voxel_ml == pytest.approx(OBLIQUE.voxel_ml)


@pytest.mark.parametrize(("order", "flips"), foreign.STORED)
def test_nifti_grids_return_to_their_own_affine_and_order(order, flips):
    array, affine = foreign.stored(order, flips)
    ras = foreign.TO_RAS @ affine
    geometry, orientation = Geometry.from_ras(array.shape, ras)
    np.testing.assert_allclose(geometry.to_ras(orientation), ras, atol=1e-12)
    turned = orientation.apply(array)
    index = np.unravel_index(int(turned.argmax()), turned.shape)
    np.testing.assert_allclose(geometry.point(index), foreign.marked_mm(), atol=1e-9)
    assert geometry.spacing[0] == pytest.approx(8)  # z is the thick axis, wherever it is stored


@pytest.mark.parametrize(("order", "flips"), [s for s in foreign.STORED if s[0][0] == 0])
def test_shown_picture_does_not_depend_on_how_planes_are_stored(order, flips):
    stored = OBLIQUE.oriented(Orientation(order, flips))
    array = Orientation(order, flips).apply(foreign.voxels())
    shown = stored.canonical().apply(array)
    assert np.array_equal(shown, OBLIQUE.canonical().apply(foreign.voxels()))
    z, down, right = stored.oriented(stored.canonical()).directions.T
    assert np.dot(np.cross(right, down), z) > 0.99  # never mirrored
    assert np.dot(z, (-1, 1, 1)) > 0  # towards the base


def test_z_is_the_thick_axis_else_the_last_stored():
    for spacing, through in [
        ((8, 1, 1.2), 0),
        ((1, 8, 1.2), 1),
        ((1, 1.4, 1.2), 2),
        ((1, 1.5, 1), 1),
    ]:
        _, orientation = Geometry.from_ras((4, 5, 6), np.diag([*spacing, 1.0]))
        assert orientation.order[0] == through


def test_z_is_the_only_axis_of_one_voxel_whatever_the_pixels():
    _, orientation = Geometry.from_ras((4, 5, 1), np.diag([3.0, 0.5, 1, 1]))
    assert orientation.order[0] == 2


def test_itk_and_back_is_exact():
    spacing, origin, direction = OBLIQUE.to_itk()
    back = Geometry.from_itk(foreign.SHAPE[::-1], spacing, origin, direction)
    np.testing.assert_allclose(back.affine, OBLIQUE.affine, atol=1e-12)


def test_itk_places_points_where_simpleitk_does():
    import SimpleITK

    image = SimpleITK.GetImageFromArray(foreign.voxels())
    spacing, origin, direction = OBLIQUE.to_itk()
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    image.SetDirection(direction)
    for index in product((0, 3), (0, 13), (0, 18)):
        theirs = image.TransformIndexToPhysicalPoint(index[::-1])
        np.testing.assert_allclose(OBLIQUE.point(index), theirs, atol=1e-9)


def test_planes_take_their_distance_from_their_positions():
    z, y, x = OBLIQUE.directions.T
    positions = np.array([foreign.ORIGIN_LPS + z * 9.5 * n for n in range(4)])
    geometry = Geometry.from_planes(positions, [*x, *y], (1.5, 1.25), (14, 19), 8.0)
    assert geometry.spacing == pytest.approx((9.5, 1.5, 1.25))
    single = Geometry.from_planes(positions[:1], [*x, *y], (1.5, 1.25), (14, 19), 8.0)
    assert single.spacing == pytest.approx((8, 1.5, 1.25))
    np.testing.assert_allclose(single.directions, OBLIQUE.directions, atol=1e-9)


@pytest.mark.parametrize("gone", [1, 2])
def test_missing_plane_is_an_error_with_the_distances(gone):
    positions = np.delete(np.array([(0.0, 0, 10 * n) for n in range(4)]), gone, axis=0)
    with pytest.raises(GeometryError, match=r"20\.00.*slice may be missing"):
        Geometry.from_planes(positions, [1, 0, 0, 0, 1, 0], (1, 1), (4, 5), 10)


@given(st.floats(0.5, 3), st.floats(0.5, 3), st.integers(8, 40), st.integers(8, 40))
def test_resampling_keeps_the_centre(dy, dx, rows, columns):
    other = OBLIQUE.resampled((rows, columns), (dy, dx))
    assert other.spacing == pytest.approx((8, dy, dx))
    middle = [(n - 1) / 2 for n in OBLIQUE.shape]
    theirs = [(n - 1) / 2 for n in other.shape]
    np.testing.assert_allclose(other.point(theirs), OBLIQUE.point(middle), atol=1e-9)


def test_respaced_keeps_directions_and_has_millimetres():
    other = Geometry.from_pixels((1, 4, 5)).respaced((1, 0.5, 0.25))
    assert (other.spacing, other.unit) == ((1, 0.5, 0.25), "mm")
    np.testing.assert_allclose(OBLIQUE.respaced((5, 2, 3)).directions, OBLIQUE.directions)


def test_same_grid_sees_a_shift_a_turn_and_a_size():
    assert OBLIQUE.same_grid(Geometry(foreign.SHAPE, foreign.affine_lps() + 1e-5))
    moved = foreign.affine_lps()
    moved[0, 3] += 0.01
    assert not OBLIQUE.same_grid(Geometry(foreign.SHAPE, moved))
    wider = foreign.affine_lps()
    wider[:3, 2] *= 1.001  # the first corner stays
    assert not OBLIQUE.same_grid(Geometry(foreign.SHAPE, wider))
    assert not OBLIQUE.same_grid(Geometry((5, 14, 18), foreign.affine_lps()))


def test_plane_of_unsaid_thickness_has_no_millilitres():
    """One voxel along z and a step of 1 is what programs write that know no slice distance."""
    unsaid, _ = Geometry.from_stored((5, 1, 4), np.diag([2.0, 1.0, 3.0, 1.0]))
    assert not unsaid.depth_known
    for known in (
        Geometry.from_stored((5, 1, 4), np.diag([2.0, 1.1, 3.0, 1.0]))[0],
        Geometry.from_stored((5, 4, 2), np.diag([0.4, 0.4, 1.0, 1.0]))[0],
        unsaid.respaced((1.0, 3.0, 2.0)),
        Geometry.from_pixels((1, 4, 5), (1.0, 2.0, 3.0)),
        Geometry.from_planes(np.zeros((1, 3)), [1, 0, 0, 0, 1, 0], (2, 3), (4, 5), 1.0),
    ):
        assert known.depth_known
        assert known.voxel_ml > 0
    planes = Geometry.from_planes(np.zeros((1, 3)), [1, 0, 0, 0, 1, 0], (2, 3), (4, 5), None)
    pixels = Geometry.from_pixels((1, 4, 5), (None, 2.0, 3.0))
    turned = unsaid.oriented(unsaid.canonical()).resampled((8, 8), (1.0, 1.0))
    for plane in (unsaid, planes, pixels, turned):
        assert plane.spacing[0] == 1.0
        with pytest.raises(GeometryError, match="one plane without slice distance"):
            _ = plane.voxel_ml


def test_pixels_have_no_millilitres():
    with pytest.raises(GeometryError, match="--spacing-mm"):
        _ = Geometry.from_pixels((1, 4, 5)).voxel_ml
    assert Geometry.from_pixels((1, 4, 5), (10, 2, 1)).voxel_ml == pytest.approx(0.02)


@pytest.mark.parametrize(
    "affine", [np.zeros((4, 4)), np.full((4, 4), np.nan), np.eye(3), np.diag([1.0, 0, 1, 1])]
)
def test_affine_that_is_no_grid_is_refused(affine):
    with pytest.raises(GeometryError):
        Geometry((4, 5, 6), affine)


def test_grid_without_voxels_is_refused():
    with pytest.raises(GeometryError, match="at least one voxel"):
        Geometry((0, 5, 6), np.eye(4))


@pytest.mark.parametrize(
    "orientation",
    [
        Orientation((2, 0, 1), (True, False, True)),
        Orientation((0, 2, 1), (False, True, False)),
    ],
)
def test_a_place_is_where_the_voxel_went(orientation):
    marked = np.zeros((3, 5, 7))
    marked[1, 3, 5] = 1

    (went,) = np.argwhere(orientation.apply(marked))

    assert orientation.place((1, 3, 5), marked.shape) == tuple(went)


def test_a_cropped_grid_keeps_every_voxel_at_its_place() -> None:
    whole = Geometry(foreign.SHAPE, foreign.affine_lps())
    cut = whole.cropped(slice(3, 9), slice(5, 16))
    assert cut.shape == (5, 6, 11)
    np.testing.assert_allclose(cut.spacing, whole.spacing)
    for index in ((0, 0, 0), (4, 5, 10), (2, 1, 7)):
        z, y, x = index
        np.testing.assert_allclose(cut.point(index), whole.point((z, y + 3, x + 5)))


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_box_goes_back_with_its_voxels(orientation):
    arranged = orientation.apply(foreign.voxels())
    box = tuple(slice(0, length - 1) for length in arranged.shape)
    back = orientation.undo_box(box, arranged.shape)
    np.testing.assert_array_equal(foreign.voxels()[back], orientation.undo(arranged[box]))


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_voxels_are_found_among_those_of_another_arrangement(orientation):
    part = (slice(1, 4), slice(2, 9), slice(5, 18))
    affine = OBLIQUE.affine.copy()
    affine[:3, 3] = OBLIQUE.point((1, 2, 5))
    theirs = Geometry((3, 7, 13), affine).oriented(orientation)
    found, first = OBLIQUE.place_of(theirs)
    assert first == (1, 2, 5)
    arranged = found.apply(orientation.apply(foreign.voxels()[part]))
    assert np.array_equal(arranged, foreign.voxels()[part])
    back, before = theirs.place_of(OBLIQUE)
    assert np.array_equal(back.apply(foreign.voxels()[part]), orientation.apply(arranged))
    assert max(before) <= 0


@pytest.mark.parametrize(
    "change",
    [
        lambda affine: affine[:3, 3].__iadd__(affine[:3, 2] / 2),
        lambda affine: affine[:3, 2].__imul__(1.01),
        lambda affine: affine[:3, 2].__imul__(2.0),
        lambda affine: affine[:3, 1].__iadd__(affine[:3, 2] * 0.05),
        lambda affine: affine[:3, 1].__iadd__(affine[:3, 2]),
    ],
    ids=["half a voxel", "spacing", "every second", "turned a little", "sheared"],
)
def test_other_voxels_have_no_place(change):
    affine = OBLIQUE.affine.copy()
    change(affine)
    assert OBLIQUE.place_of(Geometry(OBLIQUE.shape, affine)) is None


def test_pixels_have_no_place_among_millimetres():
    assert OBLIQUE.place_of(Geometry(OBLIQUE.shape, OBLIQUE.affine, "px")) is None
