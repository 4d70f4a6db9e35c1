"""The papers' preparations, by name."""

from dataclasses import replace

import numpy as np
import pytest

from heartseg.config import from_table, to_table
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.prepare import Clahe, Locate, Preparation

PRESETS = Preparation.presets()


def image(rows, columns, spacing_mm=None):
    voxels = np.random.default_rng(1).integers(0, 255, (2, 3, rows, columns), "uint8")
    spacing = (8.0, spacing_mm, 1.1 * spacing_mm) if spacing_mm else None
    return Image(voxels, Geometry.from_pixels((3, rows, columns), spacing))


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_stored_resolved_and_read_back(name):
    table = to_table(PRESETS[name])
    assert "preset" not in table
    assert from_table(Preparation, table) == PRESETS[name]
    assert from_table(Preparation, {"preset": name}) == PRESETS[name]


def test_the_default_is_heartseg_s_own_and_what_is_none_is_not_stored():
    assert PRESETS["heartseg"] == Preparation()
    stored = ["spacing_mm", "stride", "field_px", "percentiles", "neighbours"]
    assert list(to_table(Preparation())) == stored


@pytest.mark.parametrize("size", [(300, 181), (90, 120), (512, 512)])
@pytest.mark.parametrize("name", ["thesis-001", "thesis-001-listing", "sinha-2020"])
def test_the_papers_planes_are_256_by_256_whatever_comes(name, size):
    for spacing_mm in (None, 0.9, 1.8):
        sample = PRESETS[name].sample(image(*size, spacing_mm))
        assert sample.frame(1).shape == (3, 256, 256)
        back = sample.restore(np.ones((3, 2, 256, 256), np.float32))
        assert back.shape == (2, 3, *size)


def test_sinha_s_pixels_are_of_one_and_a_half_millimetres():
    sample = PRESETS["sinha-2020"].sample(image(300, 181, 0.9))
    assert sample.geometry.spacing == pytest.approx((8.0, 1.5, 1.5))
    assert PRESETS["sinha-2020"].clahe is None  # at random, in training: its augmentation


def test_the_thesis_filters_and_crops_and_its_listing_does_neither():
    said, ran = PRESETS["thesis-001"], PRESETS["thesis-001-listing"]
    assert said.percentiles == ran.percentiles == (0.0, 100.0)
    assert said == replace(ran, denoise_px=3, locate=Locate(look="apical"))


def test_own_settings_win_over_the_preset_s_also_inside():
    table = {"preset": "thesis-001", "field_px": 320, "locate": {"widen": 1.5}, "clahe": {}}
    mine = from_table(Preparation, table)
    wanted = replace(
        PRESETS["thesis-001"],
        field_px=320,
        locate=Locate(look="apical", widen=1.5),
        clahe=Clahe(),
    )
    assert mine == wanted
    assert from_table(Preparation, {"preset": "thesis-001", "locate": "none"}).locate is None
