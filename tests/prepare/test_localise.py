"""Where the ventricle is thought to be, in drawn hearts, in noise, and in training patients."""

import re

import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.errors import ConfigError
from heartseg.core.study import View
from heartseg.prepare import Locate, Preparation
from heartseg.prepare.localise import PRIORS, locate, otsu
from heartseg.read import find_studies

ECHO, SHORT_AXIS = Locate(look="apical"), Locate(look="short-axis")


def disc(shape, centre, radius):
    y, x = np.ogrid[: shape[0], : shape[1]]
    return np.hypot(y - centre[0], x - centre[1]) < radius


def short_axis(centre=(150, 100), shape=(270, 210), slices=4, noise=0.05):
    """Bright cavities in a grey wall, with brighter fat at the rim."""
    random = np.random.default_rng(1)
    planes = np.full((slices, *shape), 0.3)
    planes[:, :20] = planes[:, -15:] = 1.0
    for z in range(slices):
        planes[z][disc(shape, centre, 30)] = 0.45
        planes[z][disc(shape, centre, 20 - 3 * z)] = 0.9
    return (planes + random.normal(0, noise, planes.shape)).clip(0, 1).astype(np.float32)


def echo(centre=(105, 160), shape=(240, 300)):
    """A dark cavity in a fan of speckle."""
    random = np.random.default_rng(2)
    y, x = np.mgrid[: shape[0], : shape[1]]
    fan = (np.abs(x - 150) < y * 0.75) & (np.hypot(y, x - 150) < 235)
    grey = np.where(np.hypot((y - centre[0]) / 50, (x - centre[1]) / 32) < 1, 0.12, 0.6)
    speckle = grey * random.rayleigh(0.8, shape)
    return (speckle.clip(0.03, 1) * fan).astype(np.float32)[None]


def middle(box):
    return [(one.start + one.stop) / 2 for one in box]


@pytest.mark.parametrize("centre", [(150, 100), (110, 90), (135, 125)])
def test_a_bright_cavity_is_in_the_middle_of_the_crop(centre):
    found = locate(short_axis(centre), SHORT_AXIS)
    assert found.found
    assert found.sure > 0.4
    np.testing.assert_allclose(middle(found.box), centre, atol=6)
    np.testing.assert_allclose(found.place, centre, atol=6)
    up, down, left, right = PRIORS["short-axis"].reach
    assert found.box[0].stop - found.box[0].start == pytest.approx((up + down) * 270, abs=1)
    assert found.box[1].stop - found.box[1].start == pytest.approx((left + right) * 210, abs=1)


@pytest.mark.parametrize("centre", [(105, 160), (90, 140), (120, 175)])
def test_a_dark_cavity_in_a_fan_is_held_by_the_crop(centre):
    found = locate(echo(centre), ECHO)
    assert found.found
    assert found.sure > 0.4
    rows, columns = found.box
    assert rows.start <= centre[0] - 50 < centre[0] + 50 <= rows.stop
    assert columns.start <= centre[1] - 32 < centre[1] + 32 <= columns.stop
    moved = locate(echo((centre[0], centre[1] - 12)), ECHO).box[1]
    assert columns.start - moved.start >= 6  # the crop goes with the heart


def test_blood_of_the_other_brightness_is_not_taken():
    bright = short_axis()
    assert locate(1 - bright, SHORT_AXIS).sure < 0.5 * locate(bright, SHORT_AXIS).sure


@pytest.mark.parametrize("how", [ECHO, SHORT_AXIS])
@pytest.mark.parametrize("shape", [(1, 512, 500), (6, 200, 230), (1, 256, 256), (2, 40, 30)])
def test_in_noise_nothing_is_found_and_the_whole_field_stays(how, shape):
    for seed in range(3):
        found = locate(np.random.default_rng(seed).random(shape, dtype=np.float32), how)
        assert not found.found or shape[1] == 40  # few points: noise is not averaged out
        if not found.found:
            assert found.box == (slice(0, shape[1]), slice(0, shape[2]))
            assert found.place is None


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("how", [ECHO, SHORT_AXIS])
def test_in_a_flat_field_nothing_is_found(how, value):
    found = locate(np.full((2, 90, 70), value, np.float32), how)
    assert (found.found, found.sure) == (False, 0.0)


def test_fainter_blood_is_less_sure():
    planes = short_axis(noise=0.0)
    sure = [locate(0.3 + (planes - 0.3) * by, SHORT_AXIS).sure for by in (1.0, 0.3, 0.1)]
    assert sure[0] > 1.5 * sure[1] > 2 * sure[2]


def test_planes_of_other_slices_help_one_without_a_cavity():
    planes = short_axis((120, 90))
    planes[0] = 0.3
    np.testing.assert_allclose(middle(locate(planes, SHORT_AXIS).box), (120, 90), atol=5)


def test_a_crop_can_be_widened_and_ends_at_the_border():
    planes = short_axis((150, 100))
    narrow = locate(planes, SHORT_AXIS).box
    wide = locate(planes, Locate(look="short-axis", widen=1.5)).box
    for a, b in zip(narrow, wide, strict=True):
        assert b.stop - b.start == pytest.approx(1.5 * (a.stop - a.start), abs=2)
    whole = locate(planes, Locate(look="short-axis", widen=5.0)).box
    assert whole == (slice(0, 270), slice(0, 210))


@pytest.mark.parametrize("widen", [0.0, 9.0])
def test_a_crop_that_means_nothing_is_refused(widen):
    with pytest.raises(ConfigError, match="widen"):
        Locate(look="apical", widen=widen)


def test_otsu_finds_the_valley_and_the_distance():
    random = np.random.default_rng(0)
    values = np.concatenate([random.normal(0.2, 0.03, 4000), random.normal(0.8, 0.03, 1000)])
    threshold, contrast = otsu(values)
    assert 0.28 < threshold < 0.72
    assert contrast == pytest.approx(0.6, abs=0.02)


def test_scikit_image_puts_otsu_s_threshold_at_the_same_place():
    filters = pytest.importorskip("skimage.filters")
    random = np.random.default_rng(3)
    values = np.concatenate([random.normal(0.3, 0.1, 3000), random.normal(0.6, 0.12, 2000)])
    theirs = filters.threshold_otsu(values, nbins=64)  # the middle of the class below
    assert abs(otsu(values)[0] - theirs) < 1.01 * np.ptp(values) / 64


LV = (Structure.LV_CAVITY, Structure.LV_MYOCARDIUM)


@pytest.mark.parametrize(
    ("folder", "how"),
    [
        ("acdc/training/patient002", SHORT_AXIS),
        ("acdc/training/patient048", SHORT_AXIS),
        ("camus", ECHO),
    ],
)
def test_the_ventricle_of_training_patients_is_in_the_crop(real_data, folder, how):
    """The prior was tuned on training patients; all of them: benchmarks/localisation.py."""
    studies = find_studies(real_data / folder)
    chosen = [one for one in studies if int(re.findall(r"\d+", one.id)[0]) % 5 >= 2][:8]
    assert chosen
    for candidate in chosen:
        study, truth = candidate.load(), candidate.reference()
        view = next(iter(set(study.images) & set(truth)))
        assert view in (View.SAX, View.LAX_2CH, View.LAX_4CH)
        sample = Preparation(locate=how).sample(study.images[view])
        assert sample.location.found
        ventricle = sample.orientation.apply(np.isin(truth[view].labels, LV))
        assert ventricle[..., sample.box[0], sample.box[1]].sum() == ventricle.sum()
        rows, columns = sample.box
        share = (rows.stop - rows.start) * (columns.stop - columns.start) / ventricle[0, 0].size
        assert share < 0.7
