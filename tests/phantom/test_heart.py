"""Hearts: their exact numbers, their pose, and what cannot be."""

import numpy as np
import pytest

from heartseg.core.errors import ConfigError
from heartseg.phantom import KINDS, Heart, Motion, draw_heart, truth
from heartseg.phantom.heart import State, rotation

EF_RANGES = {
    "normal": (0.50, 0.72),
    "dilated": (0.10, 0.40),
    "hypertrophic": (0.58, 0.80),
    "rv_enlarged": (0.45, 0.68),
}


def test_the_numbers_of_a_known_heart_by_hand():
    heart = Heart(lv_edv_ml=150.0, lv_ef=0.6, lv_mass_g=126.0, rv_edv_ml=160.0, rv_ef=0.5)
    exact = truth(heart)
    assert exact.lv_edv_ml == pytest.approx(150.0)
    assert exact.lv_esv_ml == pytest.approx(60.0)
    assert exact.lv_sv_ml == pytest.approx(90.0)
    assert exact.lv_ef == pytest.approx(0.6)
    assert exact.rv_esv_ml == pytest.approx(80.0)
    assert exact.rv_ef == pytest.approx(0.5)
    assert heart.myocardium_ml(0.0) == pytest.approx(120.0)
    assert exact.lv_mass_g == pytest.approx(126.0)
    assert exact.papillary_ml == pytest.approx(heart.papillary_ml)


def test_ed_and_es_are_the_extremes_of_the_frames():
    heart = Heart(motion=Motion(systole=0.3, rv_delay=0.1))
    exact = truth(heart, [0.8, 0.9, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5])
    assert (exact.ed, exact.es, exact.rv_es) == (2, 5, 6)
    assert exact.lv_ml[2] == max(exact.lv_ml)
    assert exact.lv_ml[5] == min(exact.lv_ml)
    assert exact.rv_edv_ml == pytest.approx(heart.rv_edv_ml)


@pytest.mark.parametrize("kind", KINDS)
def test_mass_is_constant_over_the_cycle_while_the_wall_thickens(kind):
    heart = draw_heart(np.random.default_rng(5), kind)
    volumes = [heart.myocardium_ml(p) for p in np.linspace(0.0, 1.0, 23)]
    np.testing.assert_allclose(volumes, heart.lv_mass_g / 1.05, rtol=1e-12)

    def thickness(phase):
        state = State.at(heart, phase)
        return np.sqrt(state.epicardium.area_mm2) - np.sqrt(state.endocardium.area_mm2)

    assert thickness(heart.motion.systole) > 1.1 * thickness(0.0)


def test_the_apex_thickens_and_both_basal_planes_descend():
    heart = Heart(apex_wall_mm=6.0, rv_base_mm=2.0, motion=Motion(systole=0.36, rv_delay=0.0))
    full, empty = State.at(heart, 0.0), State.at(heart, 0.36)
    assert full.endocardium.apex_mm == pytest.approx(6.0)
    assert empty.endocardium.apex_mm == pytest.approx(7.8)
    assert full.epicardium.base_mm - empty.epicardium.base_mm == pytest.approx(heart.descent_mm)
    assert full.endocardium.base_mm == full.epicardium.base_mm == heart.length_mm
    assert full.rv.base_mm - empty.rv.base_mm == pytest.approx(heart.rv_descent_mm)


@pytest.mark.parametrize("kind", KINDS)
def test_random_hearts_are_plausible(kind):
    rng = np.random.default_rng(11)
    for _ in range(12):
        heart = draw_heart(rng, kind)
        exact = truth(heart)
        low, high = EF_RANGES[kind]
        assert low <= exact.lv_ef <= high
        assert 0.1 < exact.rv_ef < 0.75
        assert heart.kind == kind
        assert 20.0 < exact.lv_esv_ml < exact.lv_edv_ml < 330.0


def test_all_kinds_are_drawn_and_no_two_hearts_are_alike():
    rng = np.random.default_rng(2)
    hearts = [draw_heart(rng) for _ in range(40)]
    assert {heart.kind for heart in hearts} == set(KINDS)
    assert len({heart.lv_edv_ml for heart in hearts}) == 40


def test_the_same_seed_draws_the_same_heart():
    assert draw_heart(np.random.default_rng(8)) == draw_heart(np.random.default_rng(8))


def test_the_apex_points_left_front_and_down_and_the_rv_lies_right_and_front():
    u, v, w = Heart().directions.T
    apex = -w
    assert apex[0] > 0.3
    assert apex[1] < -0.3
    assert apex[2] < -0.3
    rv = -u
    assert rv[0] < -0.3
    assert rv[1] < 0
    assert v[2] < -0.5
    np.testing.assert_allclose(np.cross(u, v), w, atol=1e-12)


def test_tilts_turn_the_pose_and_keep_it_right_angled():
    turned = Heart(tilt=(0.2, -0.1, 0.4)).directions
    np.testing.assert_allclose(turned.T @ turned, np.eye(3), atol=1e-12)
    assert np.linalg.det(turned) == pytest.approx(1.0)
    np.testing.assert_allclose(rotation((0.0, 0.0, np.pi / 2)) @ [1, 0, 0], [0, 1, 0], atol=1e-12)


def test_a_heart_whose_cavity_leaves_its_wall_is_refused():
    with pytest.raises(ConfigError, match="LV wall"):
        Heart(septal_shift_mm=(12.0, 0.0))
