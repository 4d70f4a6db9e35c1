"""The papers' augmentation, by name: each does what its paper says, and no more."""

from dataclasses import asdict

import pytest

torch = pytest.importorskip("torch")
from heartseg.augment import (  # noqa: E402
    IntensityChange,
    SpatialChange,
    change_intensity,
    move_planes,
)
from heartseg.config import from_table, load, to_table  # noqa: E402
from heartseg.train.settings import RunSettings  # noqa: E402

SPATIAL, INTENSITY = SpatialChange.presets(), IntensityChange.presets()


def augmented(name, planes, labels, seed=0):
    generator = torch.Generator().manual_seed(seed)
    centres = torch.full((len(planes), 2), 120.0)
    moved, classes = move_planes(planes, labels, centres, SPATIAL[name], 3, generator)
    return change_intensity(moved, INTENSITY[name], generator), classes


def planes(count=2, side=256):
    random = torch.Generator().manual_seed(1)
    labels = torch.zeros(count, side, side, dtype=torch.long)
    labels[:, 60:150, 90:130] = 1
    labels[:, 150:170, 90:130] = 2
    noise = torch.rand((count, 1, side, side), generator=random) / 4
    return labels[:, None] / 3 + noise, labels


@pytest.mark.parametrize("name", SPATIAL)
def test_each_name_has_both_parts_and_can_be_drawn(name):
    assert set(SPATIAL) == set(INTENSITY)
    pixels, classes = augmented(name, *planes())
    side = SPATIAL[name].size_px
    assert pixels.shape == (2, 1, side, side)
    assert pixels.isfinite().all()
    assert set(classes.unique().tolist()) == {0, 1, 2}
    for kind, table in ((SpatialChange, SPATIAL), (IntensityChange, INTENSITY)):
        assert from_table(kind, to_table(table[name])) == table[name]


def test_the_initial_data_are_the_planes_themselves():
    pixels, labels = planes()
    out, classes = augmented("none", pixels, labels)
    torch.testing.assert_close(out, pixels, atol=1e-4, rtol=0)
    assert torch.equal(classes, labels)


def test_the_names_without_a_paper_are_the_defaults():
    assert (SPATIAL["heartseg"], INTENSITY["heartseg"]) == (SpatialChange(), IntensityChange())


@pytest.mark.parametrize(
    ("name", "differs"),
    [
        ("thesis-001", {"shift_share": 0.2, "scaling": (0.5, 2.0)}),
        (
            "thesis-001-listing",
            {
                "resize_px": 280,
                "chance": 0.5,
                "shift_share": 0.2,
                "scaling": (0.8, 1.2),
                "rotation_degrees": 30.0,
            },
        ),
        ("sinha-2020", {"rotation_degrees": 90.0}),
        ("unet-2015", {"elastic_px": 10.0, "elastic_knots": 3}),
        ("unet-3d-2016", {"elastic_px": 4.0, "elastic_knots": 9}),
    ],
)
def test_nothing_moves_but_what_the_paper_says(name, differs):
    still = asdict(SPATIAL["none"])
    assert still["size_px"] == still["resize_px"] == 256
    assert asdict(SPATIAL[name]) == {**still, **differs}


def test_tones_change_only_where_the_paper_says():
    nothing = asdict(INTENSITY["none"])
    listing = {"colour": 25 / 255, "brightness": 0.3, "contrast": 0.3, "chance": 0.5}
    assert asdict(INTENSITY["thesis-001-listing"]) == {**nothing, **listing}
    assert asdict(INTENSITY["sinha-2020"]) == {**nothing, "clahe": 0.5}
    for name in ("thesis-001", "unet-2015", "unet-3d-2016"):
        assert INTENSITY[name] == INTENSITY["none"]


def test_a_run_says_the_paper_and_what_it_does_otherwise(tmp_path):
    text = """
name = "a"
folder = "data"
preparation.preset = "sinha-2020"
intensity.preset = "sinha-2020"
[spatial]
preset = "sinha-2020"
flip = 0.5
"""
    (tmp_path / "run.toml").write_text(text)
    settings = load(RunSettings, tmp_path / "run.toml", ["intensity.clahe=0.25"])
    assert settings.spatial.rotation_degrees == 90.0
    assert settings.spatial.flip == 0.5
    assert (settings.intensity.clahe, settings.intensity.noise) == (0.25, 0.0)
    assert settings.preparation.field_px == settings.preparation.stride == 256
    assert "preset" not in repr(to_table(settings))  # what is recorded is what was used
