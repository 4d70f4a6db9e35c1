"""The picture: where tissue shows, how partial volume adds up, and what spoils it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import binary_dilation, binary_erosion

from heartseg.core.anatomy import Structure
from heartseg.phantom import Acquisition, Contrast, Heart, labels, render
from heartseg.phantom.cine_mr import BLOOD
from heartseg.phantom.heart import State

LV, MYO, RV = Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY
NOTHING = Contrast(**dict.fromkeys(Contrast.__dataclass_fields__, 0.0))
SMALL = Acquisition(slices=4, frames=2, matrix=(120, 136), slice_distance_mm=14.0)


def test_partial_volume_adds_up_to_the_exact_volume():
    # Contiguous thick slices from below the apex to half the height, only the LV's blood visible.
    heart = Heart(papillary_ml=0.0, septal_shift_mm=(0.5, 0.2))
    axis = heart.directions[:, 2]
    low, high, count = -5.0, 50.0, 5
    thick = (high - low) / count
    scan = Acquisition.clean(
        slices=count,
        slice_distance_mm=thick,
        slice_thickness_mm=thick,
        matrix=(80, 90),
        spacing_mm=(1.6, 1.7),
        frames=1,
        centre_mm=tuple((0.5 * (low + high) - 0.5 * heart.length_mm) * axis),
    )
    image = render(heart, scan, contrast=replace(NOTHING, lv_blood=1.0))
    lv = np.stack([binary_dilation(p, iterations=4) for p in _lv_of(heart, scan)])
    shown_ml = image.voxels[0][lv].sum() / BLOOD * image.geometry.voxel_ml
    along = np.linspace(low, high, 20_001)
    area = State.at(heart, 0.0).endocardium.area(along)
    assert shown_ml == pytest.approx(np.trapezoid(area, along) / 1000.0, rel=0.01)


def _lv_of(heart, scan):
    """(z, y, x) pixels within the cavity's widest outline."""
    widest = (labels(heart, scan).labels[0] == LV).any(0)
    return np.repeat(widest[None], scan.slices, 0)


def test_border_pixels_are_mixed_and_inner_ones_are_pure():
    heart = Heart(papillary_ml=0.0)
    scan = Acquisition.clean(slices=1, frames=1, slice_thickness_mm=1.0, matrix=(120, 120))
    image = render(heart, scan, contrast=replace(NOTHING, lv_blood=1.0))
    inside = labels(heart, scan).labels[0, 0] == LV
    shown = image.voxels[0, 0] / BLOOD
    assert shown[binary_erosion(inside, iterations=2)] == pytest.approx(1.0, abs=0.01)
    border = inside ^ binary_erosion(inside)
    assert 0.3 < shown[border].mean() < 0.95


def test_contrast_is_that_of_cine_mr():
    heart = Heart()
    scan = replace(SMALL, seed=1, frames=1)
    voxels = render(heart, scan).voxels[0]
    seg = labels(heart, scan).labels[0]
    lv, myo, rv = (np.median(voxels[seg == s]) for s in (LV, MYO, RV))
    assert 0.25 < myo / lv < 0.55
    assert 0.7 < rv / lv < 1.0


def test_labels_lie_where_the_picture_shows_them():
    heart = Heart()
    scan = replace(SMALL, breath_hold_mm=4.0, drift_mm=2.0, seed=7)
    voxels, seg = render(heart, scan).voxels, labels(heart, scan).labels
    for frame in range(2):
        for index in (1, 2):
            lv = binary_erosion(seg[frame, index] == LV, iterations=2)
            ring = binary_erosion(seg[frame, index] == MYO)
            bright = np.percentile(voxels[frame, index][lv], 60)
            assert np.percentile(voxels[frame, index][ring], 75) < 0.6 * bright


def test_the_picture_drifts_with_its_labels():
    heart = Heart(papillary_ml=0.0)
    still = Acquisition.clean(slices=1, frames=3, matrix=(120, 130), slice_thickness_mm=1.0)
    scan = replace(still, drift_mm=4.0, breath_hold_mm=3.0, seed=3)
    shown = render(heart, scan, contrast=replace(NOTHING, lv_blood=1.0)).voxels[:, 0]
    lv = labels(heart, scan).labels[:, 0] == LV
    for frame in range(3):
        near = binary_dilation(lv[frame], iterations=3)
        weights = np.where(near, shown[frame], 0)
        bright = [np.average(axis, weights=weights) for axis in np.indices(weights.shape)]
        np.testing.assert_allclose(bright, np.argwhere(lv[frame]).mean(0), atol=0.15)


def test_air_stays_empty_and_noise_there_is_rayleigh():
    heart = Heart()
    clean = Acquisition.clean(slices=1, frames=1, matrix=(200, 200))
    corner = np.s_[0, 0, :25, :25]
    assert (render(heart, clean).voxels[corner] == 0).all()
    noisy = replace(clean, noise=0.05)
    air = render(heart, noisy).voxels[corner].astype(float)
    assert air.mean() == pytest.approx(0.05 * BLOOD * np.sqrt(np.pi / 2), rel=0.05)
    assert air.std() / air.mean() == pytest.approx(np.sqrt(4 / np.pi - 1), rel=0.08)


def test_background_does_not_beat():
    heart = Heart()
    scan = replace(Acquisition.clean(slices=3, frames=2), start_phase=0.0)
    voxels = render(heart, scan).voxels.astype(int)
    touched = np.abs(voxels[0] - voxels[1]) > 1
    heart_near = np.stack(
        [binary_dilation(p, iterations=30) for p in labels(heart, scan).labels.any(0)]
    )
    assert touched.any()
    assert not (touched & ~heart_near)[1].any()


def test_atria_are_bright_above_the_base_where_nothing_is_labelled():
    heart = Heart()
    scan = Acquisition.clean(
        slices=1,
        frames=1,
        matrix=(120, 120),
        centre_mm=tuple((0.5 * heart.length_mm + 14.0) * heart.directions[:, 2]),
    )
    assert not labels(heart, scan).labels.any()
    middle = render(heart, scan).voxels[0, 0, 55:70, 55:70]
    assert np.median(middle) > 0.8 * BLOOD


def test_fat_and_water_cancel_at_their_border():
    heart = Heart()
    scan = Acquisition.clean(slices=1, frames=1)
    plain = render(heart, scan, contrast=replace(Contrast(), fat=0.8)).voxels[0, 0]
    inverted = render(heart, scan, contrast=replace(Contrast(), fat=-0.8)).voxels[0, 0]
    darker = inverted.astype(int) - plain.astype(int)
    assert (darker > 0.3 * BLOOD).sum() > 100
    assert (darker < -0.3 * BLOOD).sum() < 5


def test_shading_brightens_the_chest_wall():
    heart = Heart()
    flat = Acquisition.clean(slices=1, frames=1)
    shaded = replace(flat, bias=1.0)
    a, b = (render(heart, scan).voxels[0, 0].astype(float) for scan in (flat, shaded))
    ratio = np.where(a > 100, b / np.maximum(a, 1), np.nan)
    assert np.nanmax(ratio[:70]) > 1.25
    assert np.nanmean(ratio[90:102, 90:102]) == pytest.approx(1.0, abs=0.3)


def test_the_same_seed_gives_the_same_picture_and_another_another():
    a, b = (render(Heart(), replace(SMALL, seed=5)).voxels for _ in range(2))
    np.testing.assert_array_equal(a, b)
    assert (a != render(Heart(), replace(SMALL, seed=6)).voxels).any()


def test_a_picture_from_any_direction_can_be_made():
    turn = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [-1.0, 0.0, 0.0]])
    scan = Acquisition(slices=2, frames=1, matrix=(90, 100), directions=turn)
    image = render(Heart(), scan)
    assert image.voxels.shape == (1, 2, 90, 100)
    np.testing.assert_allclose(image.geometry.directions, turn, atol=1e-12)
    assert image.voxels.max() > 200
