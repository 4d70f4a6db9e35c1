"""Hounsfield units of tissues: what CT of an arterial phase shows, in whatever bolus."""

import numpy as np
import pytest

from heartseg.phantom import Attenuation
from heartseg.phantom.attenuation import relative


def test_hounsfield_units_are_attenuation_over_that_of_water():
    assert [relative(hu) for hu in (-1000.0, 0.0, 500.0)] == [0.0, 1.0, 1.5]
    palette = Attenuation(lv_blood=400.0, fat=-90.0, lung=-850.0).palette
    assert palette.lv_blood == pytest.approx(1.4)
    assert palette.aorta == palette.la_blood == palette.lv_blood
    assert palette.fat == pytest.approx(0.91)
    assert palette.lung == pytest.approx(0.15)


def test_every_bolus_is_an_arterial_one():
    for seed in range(50):
        one = Attenuation.random(np.random.default_rng(seed))
        assert one.lv_blood > 300
        assert one.lv_blood > one.rv_blood > one.myocardium + 15
        assert one.papillary == one.myocardium
        assert one.bone_cortex > one.marrow > one.disc > one.fluid > one.epicardial_fat > one.lung
        assert one.fat < one.epicardial_fat < 0


def test_boluses_differ_and_a_seed_is_a_bolus():
    first, again, other = (Attenuation.random(np.random.default_rng(n)) for n in (1, 1, 2))
    assert first == again
    assert first != other
