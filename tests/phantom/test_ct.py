"""The CT picture: Hounsfield units where tissues are, and what blur, beam and noise do to them."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import binary_erosion

from heartseg.core.anatomy import Structure
from heartseg.core.errors import ConfigError
from heartseg.phantom import Acquisition, Attenuation, CtScanner, Heart, labels, render_ct

LV, MYO, RV = Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY
HEART = Heart(papillary_ml=0.0)
SCAN = Acquisition.clean(
    slices=2, frames=1, matrix=(84, 96), spacing_mm=(3.0, 2.75), slice_distance_mm=16.0
)
CLEAN = CtScanner.clean()


@pytest.fixture(scope="module")
def clean():
    return render_ct(HEART, SCAN, scanner=CLEAN).voxels


@pytest.fixture(scope="module")
def inside():
    found = labels(HEART, SCAN)
    return {
        one: np.stack([binary_erosion(plane) for plane in found.mask(one, 0)])
        for one in (LV, MYO, RV)
    }


def test_tissues_have_their_hounsfield_units(clean, inside):
    assert clean.dtype == np.float32
    bolus = Attenuation()
    for one, hu in ((LV, bolus.lv_blood), (MYO, bolus.myocardium), (RV, bolus.rv_blood)):
        assert np.median(clean[0][inside[one]]) == pytest.approx(hu, abs=1.0)
    assert (clean[0, :, :3, :3] == -1000.0).all()
    values = clean[np.abs(clean - bolus.lung) < 40]
    assert len(values) > 1000
    assert np.median(values) == pytest.approx(bolus.lung, abs=8.0)
    assert bolus.lv_blood + 50 < clean.max() < bolus.rib_cortex  # of ribs a part of each voxel


def test_a_tissue_is_what_it_is_said_to_be(inside):
    bolus = Attenuation(lv_blood=450.0, rv_blood=150.0, myocardium=80.0)
    found = render_ct(HEART, SCAN, attenuation=bolus, scanner=CLEAN).voxels[0]
    assert np.median(found[inside[LV]]) == pytest.approx(450.0, abs=1.0)
    assert np.median(found[inside[RV]]) == pytest.approx(150.0, abs=1.0)
    assert np.median(found[inside[MYO]]) == pytest.approx(80.0, abs=1.0)


def test_noise_is_as_strong_as_asked_for_in_the_middle_and_weaker_in_the_air(clean):
    noisy = render_ct(HEART, SCAN, scanner=replace(CLEAN, noise_hu=25.0)).voxels
    added = noisy - clean
    assert added[..., 38:46, 42:54].std() == pytest.approx(25.0, rel=0.15)
    air = clean[0, 0] == -1000.0
    assert air.sum() > 400
    assert 0.15 < added[0, 0][air].std() / 25.0 < 0.75
    assert abs(added[clean > -900.0].mean()) < 1.0


def test_noise_is_grainy_and_has_no_low_frequencies():
    added = render_ct(HEART, SCAN, scanner=replace(CLEAN, noise_hu=25.0)).voxels
    added = added - render_ct(HEART, SCAN, scanner=CLEAN).voxels
    power = (np.abs(np.fft.fft2(added[0, :, 20:68, 24:72])) ** 2).mean(0)
    rows, columns = np.meshgrid(np.fft.fftfreq(48), np.fft.fftfreq(48), indexing="ij")
    far = np.hypot(rows, columns)
    low, middle = (power[(far > a) & (far < b)].mean() for a, b in ((0.0, 0.06), (0.15, 0.3)))
    assert low < 0.5 * middle


def test_another_seed_is_another_noise_of_the_same_heart(clean):
    some = replace(CLEAN, noise_hu=20.0, seed=5)
    a, again, b = (
        render_ct(HEART, SCAN, scanner=one).voxels for one in (some, some, replace(some, seed=6))
    )
    np.testing.assert_array_equal(a, again)
    assert np.corrcoef((a - clean).ravel(), (b - clean).ravel())[0, 1] < 0.1


def test_iodine_and_bone_harden_the_beam(clean, inside):
    hard = render_ct(HEART, SCAN, scanner=replace(CLEAN, hardening=0.2)).voxels
    twice = render_ct(HEART, SCAN, scanner=replace(CLEAN, hardening=0.4)).voxels
    change = hard - clean
    assert -60.0 < change[0][inside[LV]].mean() < -5.0
    assert change[0][inside[LV]].mean() < change[0][inside[MYO]].mean() - 4.0
    np.testing.assert_allclose(twice - clean, 2.0 * change, atol=0.05)
    nothing = Attenuation(**dict.fromkeys(Attenuation.__dataclass_fields__, 40.0))
    soft = render_ct(HEART, SCAN, attenuation=replace(nothing, lung=-850.0), scanner=CLEAN)
    bent = render_ct(
        HEART,
        SCAN,
        attenuation=replace(nothing, lung=-850.0),
        scanner=replace(CLEAN, hardening=0.2),
    )
    # Vessels of the lungs are all that is left of it.
    assert np.abs(bent.voxels - soft.voxels).mean() < 0.2 * np.abs(change).mean()


def test_blur_is_as_wide_as_asked_for_and_keeps_the_sum(clean):
    blurred = render_ct(HEART, SCAN, scanner=replace(CLEAN, blur_mm=6.0)).voxels
    assert blurred.mean() == pytest.approx(clean.mean(), abs=3.0)
    sharp, soft = (np.abs(np.diff(one, axis=-1)).max() for one in (clean, blurred))
    assert soft < 0.7 * sharp


def test_the_picture_drifts_with_its_labels():
    still = replace(SCAN, frames=3, slices=1, matrix=(64, 72))
    scan = replace(still, drift_mm=4.0, breath_hold_mm=3.0, seed=3)
    shown = render_ct(HEART, scan, scanner=CLEAN).voxels[:, 0]
    drawn = labels(HEART, scan).labels[:, 0]
    middle = 0.5 * (Attenuation().lv_blood + Attenuation().myocardium)
    for frame in range(3):
        cavity, wall = (binary_erosion(drawn[frame] == one) for one in (LV, MYO))
        assert (shown[frame][cavity] > middle).all()
        assert (shown[frame][wall] < middle).all()


def test_what_a_scanner_cannot_be_is_said():
    with pytest.raises(ConfigError, match="from 0"):
        CtScanner(noise_hu=-1.0)
    with pytest.raises(ConfigError, match="above 0"):
        CtScanner(grain_mm=0.0)
