"""The parts that methods share or are made of, against numbers by hand and other libraries."""

import numpy as np
import pytest

from heartseg.classical.gmm import posterior
from heartseg.classical.graph_cut import SCALE, SURE, minimum_cut
from heartseg.classical.pool import NECKS_MM, cavity, hull, outside_mm, roundness
from heartseg.classical.region_growing import grown
from heartseg.classical.right_ventricle import beside
from heartseg.classical.scene import Plane, sight
from heartseg.classical.seeds import given_seeds, sought_seeds
from heartseg.classical.sizes import SIZES

SHORT_AXIS = SIZES["short-axis"]
ROWS, COLUMNS = np.mgrid[:90, :80]


def disc(y, x, radius):
    return np.hypot(ROWS - y, COLUMNS - x) <= radius


def plane(seed=(45.0, 40.0)):
    return Plane(0, np.zeros(ROWS.shape, np.float32), seed, SHORT_AXIS)


def test_papillary_muscles_are_in_the_cavity():
    whole = disc(45, 40, 15)
    blood = whole & ~disc(45, 52, 4) & ~disc(36, 40, 3)
    found = cavity(blood, plane())
    assert (found & whole).sum() > 0.97 * whole.sum()
    assert not (found & ~disc(45, 40, 15.8)).any()


def test_a_leak_through_the_septum_is_cut_off():
    left, right = disc(45, 40, 12), disc(45, 12, 12)
    bridge = (np.abs(ROWS - 45) <= 1) & (COLUMNS > 12) & (COLUMNS < 40)
    found = cavity(left | right | bridge, plane())
    assert (found & left).sum() > 0.9 * left.sum()
    assert (found & ~disc(45, 40, 14)).sum() == 0


def test_a_leak_round_the_wall_is_cut_off_though_its_hull_is_round():
    around = disc(45, 40, 18) & ~disc(45, 40, 15) & ((ROWS < 45) | (np.abs(COLUMNS - 40) > 8))
    bridge = (np.abs(ROWS - 45) <= 1) & (COLUMNS > 22) & (COLUMNS < 40)
    found = cavity(disc(45, 40, 7) | around | bridge, plane())
    assert not (found & ~disc(45, 40, 10)).any()
    assert (found & disc(45, 40, 7)).sum() > 0.9 * disc(45, 40, 7).sum()


def test_blood_that_is_longer_than_any_short_axis_cavity_is_cut():
    blood = np.hypot((ROWS - 45) / 24, (COLUMNS - 40) / 8) <= 1
    assert cavity(blood, plane()).sum() < 0.6 * blood.sum()


def test_blood_without_end_leaves_a_disc_no_larger_than_a_cavity():
    found = cavity(np.ones(ROWS.shape, bool), plane())
    assert found[45, 40]
    assert found.sum() <= np.pi * (SHORT_AXIS.largest[0] / SHORT_AXIS.pixel + 1) ** 2
    assert NECKS_MM[0] == 0


def test_no_blood_near_the_seed_is_no_cavity():
    assert not cavity(disc(80, 10, 4), plane()).any()


def test_the_hull_is_that_of_scikit_image():
    theirs = pytest.importorskip("skimage.morphology").convex_hull_image
    mask = (disc(45, 40, 20) & (np.random.default_rng(2).random(ROWS.shape) < 0.02)) | disc(9, 9, 3)
    np.testing.assert_array_equal(hull(mask), theirs(mask))
    one = np.zeros((5, 6), bool)
    one[2, 3] = True
    np.testing.assert_array_equal(hull(one), one)
    assert not hull(np.zeros((5, 6), bool)).any()


def test_a_disc_is_round_and_a_bar_is_not():
    assert roundness(disc(45, 40, 20)) == pytest.approx(0.97, abs=0.04)
    assert roundness((ROWS == 45) & (COLUMNS > 10)) < 0.05
    assert roundness(np.zeros((3, 3), bool)) == 0


def test_distances_from_a_border_are_millimetres():
    away = outside_mm(np.abs(COLUMNS - 40) <= 10, plane())
    assert away[45, 40] == -10.5 * 1.5
    assert away[45, 60] == 9.5 * 1.5
    assert np.isinf(outside_mm(np.zeros((4, 4), bool), plane())).all()


def test_the_right_ventricle_is_the_pool_behind_the_septum():
    lv = disc(45, 45, 11)
    rv = disc(45, 21, 8)
    chest = (ROWS < 4) | (COLUMNS > 76)
    found = beside(lv | rv | chest, lv, plane((45.0, 45.0)))
    assert (found & rv).sum() > 0.85 * rv.sum()
    assert not (found & ~rv).any()
    assert not beside(lv | chest, lv, plane((45.0, 45.0))).any()
    fat = COLUMNS >= 70  # comes near in a few pixels, and goes on without end
    assert not beside(lv | fat, lv, plane((45.0, 45.0))).any()


def test_the_pixel_most_like_its_neighbour_region_is_taken_first():
    grey = np.array([[0.9, 0.8, 0.55, 0.3, 0.1]], np.float32)
    inside, outside = grey > 0.85, grey < 0.15
    np.testing.assert_array_equal(grown(grey, inside, outside), [[1, 1, 1, 0, 0]])
    darker = np.array([[0.9, 0.8, 0.45, 0.3, 0.1]], np.float32)  # 0.45: to 0.2 rather than to 0.85
    np.testing.assert_array_equal(grown(darker, inside, outside), [[1, 1, 0, 0, 0]])


def test_the_cut_is_as_cheap_as_that_of_networkx():
    networkx = pytest.importorskip("networkx")
    random = np.random.default_rng(5)
    grey = random.random((4, 5), dtype=np.float32)
    bonds = tuple(random.integers(0, SCALE, grey.shape).astype(np.int32) for _ in range(2))
    bonds[0][0, 0] = bonds[1][3, 4] = SURE
    sigma, graph = 0.3, networkx.Graph()
    for place in np.ndindex(grey.shape):
        graph.add_edge("source", place, capacity=int(bonds[0][place]))
        graph.add_edge(place, "sink", capacity=int(bonds[1][place]))
        for step in ((1, 0), (0, 1)):
            other = (place[0] + step[0], place[1] + step[1])
            if other[0] < 4 and other[1] < 5:
                change = float(grey[place]) - float(grey[other])
                bound = round(SCALE * np.exp(-(change**2) / (2 * sigma**2)))
                graph.add_edge(place, other, capacity=bound)
    cost, _ = networkx.minimum_cut(graph, "source", "sink")
    ours = minimum_cut(grey, sigma, bonds, np.ones(grey.shape, bool))
    side = {"source", *(place for place in np.ndindex(grey.shape) if ours[place])}
    assert networkx.cut_size(graph, side, weight="capacity") == pytest.approx(cost, abs=20)
    assert ours[0, 0]
    assert not ours[3, 4]


@pytest.mark.parametrize(("sigma", "with_source"), [(0.3, False), (0.7, True)])
def test_sigma_says_how_much_a_change_of_grey_loosens_a_bond(sigma, with_source):
    grey = np.array([[1.0, 0.5, 0.1]], np.float32)  # bonds of 249 and 411, or 775 and 849
    bonds = np.array([[SURE, 100, 0]], np.int32), np.array([[0, 0, SURE]], np.int32)
    cut = minimum_cut(grey, sigma, bonds, np.ones(grey.shape, bool))
    np.testing.assert_array_equal(cut, [[True, with_source, False]])


def test_the_gaussians_are_those_that_were_drawn_from():
    random = np.random.default_rng(0)
    lv, muscle = disc(45, 40, 12), disc(45, 40, 20) & ~disc(45, 40, 12)
    dark = ~disc(45, 40, 20) & (COLUMNS < 40)
    level = np.select([lv, muscle, dark], [0.8, 0.35, 0.1], 0.6)
    prior = np.stack([lv, muscle, ~(lv | muscle), ~(lv | muscle)]).astype(float)
    prior[2:] /= 2
    shares, means = posterior(
        level + random.normal(0, 0.04, level.shape), prior, np.ones(level.shape, bool), 20
    )
    np.testing.assert_allclose(means, [0.8, 0.35, 0.1, 0.6], atol=0.02)
    np.testing.assert_allclose(shares.sum(axis=0), 1)
    assert (shares.argmax(axis=0)[dark] == 2).mean() > 0.99


def test_seeds_move_along_a_line_between_the_user_s_points():
    found = given_seeds([(3, 20.0, 10.0), (1, 10.0, 14.0)], 5)
    assert found == ((10, 14), (10, 14), (15, 12), (20, 10), (20, 10))


def test_seeds_follow_a_tilted_ventricle_and_end_with_it():
    random = np.random.default_rng(4)
    stack = [np.where(disc(40 + 2 * z, 36 + z, 9 - z), 0.9, 0.3) for z in range(5)]
    stack += [np.full(ROWS.shape, 0.3)] * 2
    planes = (np.array(stack) + random.normal(0, 0.03, (7, *ROWS.shape))).astype(np.float32)
    found = sought_seeds(planes, (42.0, 38.0), SHORT_AXIS)
    assert [one is None for one in found] == [False] * 5 + [True] * 2
    for z, one in enumerate(found[:5]):
        np.testing.assert_allclose(one, (40 + 2 * z, 36 + z), atol=2.5)


def test_a_seed_is_led_by_the_plane_before_past_another_pool():
    stack = [disc(20 + 8 * z, 30, 7) | disc(44, 52, 7) for z in range(7)]
    found = sought_seeds(np.where(stack, 0.9, 0.3).astype(np.float32), (44.0, 30.0), SHORT_AXIS)
    for z, one in enumerate(found):
        np.testing.assert_allclose(one, (20 + 8 * z, 30), atol=3)


def test_a_spot_is_no_cavity():
    spot = np.where(disc(45, 40, 0.5), 0.9, 0.3).astype(np.float32)[None]
    assert sought_seeds(spot, (45.0, 40.0), SHORT_AXIS) == (None,)


def test_a_seed_of_the_user_stays_on_its_spot_in_the_prepared_planes(heart):
    voxels, seeds = np.zeros(heart[0].voxels.shape, np.int16), [(1, 52, 88), (1, 100, 50)]
    for z, y, x in seeds:
        voxels[0, z, y - 1 : y + 2, x - 1 : x + 2] = 100
    seen = sight(heart[0].like(voxels), "short-axis", seeds)
    planes = seen.sample.frame(0)
    assert len(seen.seeds) == 2
    for seed in seen.seeds:
        z, y, x = np.round(seed).astype(int)
        assert planes[z, y, x] > 0.9 * planes.max()
