from math import log

import numpy as np
import pytest
from scipy import ndimage

from heartseg.core.anatomy import Labels
from heartseg.measure.image_traits import image_traits, scaled, tissue_traits
from tests.measure.hearts import LV, MYO, RV, SPACING_MM, oblique, round_heart

LABELS = round_heart()
GRID = oblique(LABELS.shape, SPACING_MM)
MARGIN_PX = 2


def painted(labels: Labels = LABELS, grain: float = 0.01) -> np.ndarray:
    """(1, z, y, x) bright blood, dark muscle, something between about the heart; a little grain."""
    grey = np.select([labels == LV, labels == MYO, labels == RV], [0.8, 0.2, 0.7], 0.4)
    noise = np.random.default_rng(3).standard_normal(labels.shape)
    return (grey + grain * noise)[None]


def traits(voxels: np.ndarray) -> dict[str, float]:
    pixels = scaled(voxels)
    assert pixels is not None
    return image_traits(pixels, GRID)


def tissue(labels: Labels, voxels: np.ndarray | None = None) -> dict[str, float]:
    pixels = scaled(painted() if voxels is None else voxels)
    assert pixels is not None
    return tissue_traits(pixels[0], labels, GRID)


def test_no_unit_of_the_scanner_matters():
    first, second = traits(painted()), traits(1000 * painted() + 20)

    assert first == pytest.approx(second, abs=1e-4)


def test_one_grey_value_has_no_traits():
    assert scaled(np.full((1, 3, 4, 5), 7)) is None


def test_the_field_and_the_slices_are_in_millimetres():
    found = traits(painted())

    assert found["field of view"] == pytest.approx(log(70 * 1.5 * 96 * 1.25) / 2)
    assert found["slice distance"] == pytest.approx(log(8.0))


def test_noise_shows_as_noise_and_blur_as_less_detail():
    plain = traits(painted())

    assert traits(painted(grain=0.1))["noise"] > plain["noise"] + 1
    blurred = ndimage.gaussian_filter(painted(), (0, 0, 3, 3))
    assert traits(blurred)["detail"] < plain["detail"] - 0.2
    assert traits(blurred)["sharpness"] < plain["sharpness"] - 0.1


def test_a_smear_along_rows_shows_as_such():
    smeared = ndimage.gaussian_filter(painted(grain=0.05), (0, 0, 0, 2))

    assert traits(smeared)["grain of rows to columns"] > 0.5


def test_two_phases_of_a_patient_are_alike_and_those_of_two_are_not():
    same = np.concatenate([painted(), painted(round_heart(15, 12))])
    other = np.concatenate([painted(), painted(np.roll(LABELS, 30, axis=2))])

    name = "likeness of the two phases"
    assert traits(same)[name] > traits(other)[name] + 0.2
    assert name not in traits(painted())


def test_blood_and_muscle_are_what_was_painted():
    found = tissue(LABELS)

    low, high = np.percentile(painted()[..., ::2, ::2], (1, 99))
    assert found["blood in the LV"] == pytest.approx((0.8 - low) / (high - low), abs=0.01)
    assert found["contrast of blood to muscle"] == pytest.approx(0.6 / (high - low), abs=0.01)
    assert found["blood in the RV beside the LV"] == pytest.approx(-0.1 / 0.6, abs=0.02)


def test_black_blood_is_seen():
    assert tissue(LABELS, 1 - painted())["contrast of blood to muscle"] < 0


def grown(labels: Labels) -> Labels:
    wide = ndimage.binary_dilation(labels == LV, np.ones((1, 5, 5)))
    return np.where(wide & (labels == MYO), LV, labels).astype(np.uint8)


def shrunk(labels: Labels) -> Labels:
    kept = ndimage.binary_erosion(labels == RV, np.ones((1, 7, 7)))
    return np.where((labels == RV) & ~kept, 0, labels).astype(np.uint8)


def test_a_cavity_drawn_into_its_wall_is_mixed_inside():
    right, wide = tissue(LABELS), tissue(grown(LABELS))

    assert wide["evenness of the blood"] > right["evenness of the blood"] + 0.5
    assert wide["rim of the wall"] < right["rim of the wall"] - 0.1


def test_an_rv_drawn_too_small_has_blood_about_it():
    right, small = tissue(LABELS), tissue(shrunk(LABELS))

    assert small["surroundings of the RV"] > right["surroundings of the RV"] + 0.2


def test_the_wall_beside_the_rv_is_none_of_its_surroundings():
    bright = painted()
    bright[0][LABELS == MYO] = 0.75  # scarred and as bright as blood: the RV's border is elsewhere

    low, high = np.percentile(bright[..., ::2, ::2], (1, 99))
    blood, muscle = 0.8, 0.75
    apart = (blood - muscle) / (high - low) + 0.05
    expected = (0.4 - 0.7) / (high - low) / apart
    assert tissue(LABELS, bright)["surroundings of the RV"] == pytest.approx(expected, rel=0.05)


def test_without_wall_or_cavity_there_is_nothing_to_compare():
    assert tissue(np.where(LABELS == MYO, 0, LABELS).astype(np.uint8)) == {}
    assert tissue(np.zeros_like(LABELS)) == {}
    without = tissue(np.where(LABELS == RV, 0, LABELS).astype(np.uint8))
    assert "contrast of blood to muscle" in without
    assert not any("RV" in name for name in without)
