"""Rasterised volumes against the exact ones, in any orientation."""

from dataclasses import replace

import numpy as np
import pytest

from heartseg.core.anatomy import Structure, ventricles_swapped
from heartseg.core.errors import ConfigError
from heartseg.phantom import Acquisition, Heart, Motion, draw_heart, labels
from heartseg.phantom.heart import State, rotation

LV, MYO, RV = Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY
TURNS = {"short axis": None, "oblique": (0.5, -1.1, 2.0), "mirrored": (1.3, 0.2, -0.4)}


def fine(phase, turn=None, spacing_mm=0.75, extent_mm=(126.0, 150.0, 180.0)):
    """A grid about the whole heart, a different length and shape of voxel on every axis."""
    spacing = (spacing_mm, 0.95 * spacing_mm, 1.05 * spacing_mm)
    directions = None if turn is None else rotation(turn)
    if turn == TURNS["mirrored"]:
        directions = directions * [1.0, 1.0, -1.0]
    z, y, x = (round(mm / step) for mm, step in zip(extent_mm, spacing, strict=True))
    return Acquisition.clean(
        slices=z,
        matrix=(y, x),
        frames=1,
        slice_distance_mm=spacing[0],
        spacing_mm=spacing[1:],
        directions=directions,
        start_phase=phase,
        centre_mm=None if turn is None else (0.0, 0.0, 0.0),
    )


def volume_ml(seg, structure, frame=0):
    return int(np.count_nonzero(seg.labels[frame] == structure)) * seg.geometry.voxel_ml


@pytest.mark.parametrize(
    ("seed", "kind", "turn", "at"),
    [
        (3, "normal", "short axis", "ed"),
        (4, "hypertrophic", "oblique", "es"),
        (5, "dilated", "mirrored", "ed"),
        (6, "rv_enlarged", "short axis", "es"),
    ],
)
def test_fine_voxels_hold_the_exact_volumes(seed, kind, turn, at):
    heart = draw_heart(np.random.default_rng(seed), kind)
    phase = 0.0 if at == "ed" else heart.motion.systole
    extent = (126.0, 150.0, 180.0) if turn == "short axis" else (190.0, 190.0, 190.0)
    seg = labels(heart, fine(phase, TURNS[turn], extent_mm=extent))
    assert volume_ml(seg, LV) == pytest.approx(heart.lv_ml(phase), rel=0.01)
    assert volume_ml(seg, RV) == pytest.approx(heart.rv_ml(phase), rel=0.01)
    assert 1.05 * volume_ml(seg, MYO) == pytest.approx(heart.lv_mass_g, rel=0.01)


def test_the_volume_does_not_depend_on_the_orientation():
    heart = draw_heart(np.random.default_rng(9), "normal")
    cubes = {"spacing_mm": 1.5, "extent_mm": (190.0, 190.0, 190.0)}
    for structure in (LV, MYO, RV):
        found = []
        for turn in ((0.0, 0.0, 0.0), (0.7, 0.1, -0.3), (-1.2, 2.5, 0.9)):
            found.append(volume_ml(labels(heart, fine(0.1, turn, **cubes)), structure))
        assert np.ptp(found) < 0.01 * np.mean(found)


def test_moving_the_heart_moves_its_labels_with_it():
    scan = fine(0.0, (0.3, 0.2, 0.1), 3.0, (190.0, 190.0, 190.0))
    here = labels(Heart(), scan)
    moved = replace(Heart(), position_mm=(31.0, -22.0, 54.0))
    there = labels(moved, replace(scan, centre_mm=(31.0, -22.0, 54.0)))
    np.testing.assert_array_equal(here.labels, there.labels)
    np.testing.assert_allclose(
        there.geometry.affine[:3, 3] - here.geometry.affine[:3, 3], [31.0, -22.0, 54.0]
    )


def test_papillary_muscles_are_cavity_unless_asked():
    heart = Heart(papillary_ml=8.0)
    scan = fine(0.0)
    inside, asked = labels(heart, scan), labels(heart, scan, papillary="myocardium")
    assert volume_ml(inside, LV) - volume_ml(asked, LV) == pytest.approx(8.0, rel=0.01)
    assert volume_ml(asked, MYO) - volume_ml(inside, MYO) == pytest.approx(8.0, rel=0.01)
    changed = inside.labels != asked.labels
    assert set(np.unique(inside.labels[changed])) == {LV}


def test_papillary_muscles_keep_their_volume_at_es():
    heart = Heart(papillary_ml=5.0)
    state = State.at(heart, heart.motion.systole)
    assert state.papillary_ml == pytest.approx(5.0)
    seg = labels(heart, fine(heart.motion.systole), papillary="myocardium")
    exact = heart.lv_ml(heart.motion.systole) - 5.0
    assert volume_ml(seg, LV) == pytest.approx(exact, rel=0.01)


def test_nothing_of_the_lv_is_above_the_basal_plane_and_it_descends():
    heart = Heart(motion=Motion(systole=0.5, rapid_end=0.7))
    scan = replace(fine(0.0, spacing_mm=2.0), frames=2)
    seg = labels(heart, scan)
    up = np.arange(seg.geometry.shape[0]) * 2.0
    axis = heart.directions[:, 2]
    origin = axis @ seg.geometry.point((0, 0, 0)) + 0.5 * heart.length_mm
    for frame, base in ((0, heart.length_mm), (1, heart.length_mm - heart.descent_mm)):
        lv = np.isin(seg.labels[frame], (LV, MYO)).any((1, 2))
        top = (up + origin)[lv].max()
        assert base - 2.0 < top <= base


def test_a_standard_picture_shows_the_rv_left_and_the_front_up():
    heart = Heart()
    seg = labels(heart, Acquisition.clean(frames=1))
    plane = seg.labels[0, 5]
    columns = {s: np.argwhere(plane == s)[:, 1].mean() for s in (LV, RV)}
    assert columns[RV] < columns[LV] - 15
    front_to_back = seg.geometry.directions[:, 1] @ [0.0, 1.0, 0.0]
    down = seg.geometry.directions[:, 1] @ [0.0, 0.0, -1.0]
    assert front_to_back > 0
    assert down > 0.5
    shown = seg.geometry.canonical()
    assert shown.order == (0, 1, 2)
    assert shown.flip == (False, False, False)


def test_the_myocardium_rings_the_lv_not_the_rv():
    seg = labels(Heart(), Acquisition.clean(frames=1))
    assert not ventricles_swapped(seg.labels)


def test_breath_holds_and_drift_move_labels_but_do_not_change_them_much():
    heart = Heart()
    still = Acquisition.clean(frames=2, seed=3, slices=9)
    moving = replace(still, breath_hold_mm=3.0, drift_mm=1.0)
    a, b = labels(heart, still), labels(heart, moving)
    assert (a.labels != b.labels).any()
    shift = moving.breath_holds_mm()[4] + [0.0, *moving.drifts_mm()[1]]
    expected = shift[1:] / still.spacing_mm
    centres = [np.argwhere(seg.labels[1, 4] == LV).mean(0) for seg in (a, b)]
    np.testing.assert_allclose(centres[1] - centres[0], expected, atol=0.35)


def test_what_cannot_be_scanned_is_refused():
    with pytest.raises(ConfigError, match="no slice"):
        Acquisition(slices=0)
    with pytest.raises(ConfigError, match="above 0"):
        Acquisition(spacing_mm=(1.0, 0.0))
    with pytest.raises(ConfigError, match="right angles"):
        Acquisition(directions=np.array([[1.0, 0.2, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]))
