"""The scene: the same borders whatever the palette, which is what makes pairs of pictures."""

from dataclasses import fields, replace

import numpy as np

from heartseg.core.anatomy import Structure
from heartseg.phantom import Acquisition, Attenuation, Contrast, Heart, Torso, labels
from heartseg.phantom.palette import Palette
from heartseg.phantom.scene import Scene, painted

SCAN = Acquisition(
    slices=4,
    frames=1,
    matrix=(48, 56),
    spacing_mm=(6.0, 5.5),
    slice_distance_mm=34.0,
    breath_hold_mm=3.0,
    seed=9,
)


def frames(palette: Palette) -> np.ndarray:
    scene = Scene(Heart(), SCAN, Torso(), palette)
    return np.stack([one.frames for one in painted(scene, SCAN.geometry(Heart()))])


def test_two_palettes_show_one_scene():
    mr, ct = (frames(replace(one.palette, unevenness=0.0)) for one in (Contrast(), Attenuation()))
    cavity = labels(Heart(), SCAN).labels.swapaxes(0, 1) == Structure.LV_CAVITY
    for shown, blood in ((mr, Contrast().lv_blood), (ct, Attenuation().palette.lv_blood)):
        pure = np.isclose(shown, blood, atol=1e-6)
        assert (pure & cavity).sum() > 0.6 * cavity.sum()
    for first, second in ((0.0, 0.0), (Contrast().rv_blood, Attenuation().palette.rv_blood)):
        same = np.isclose(mr, first, atol=1e-6) == np.isclose(ct, second, atol=1e-6)
        assert same.mean() > 0.999


def test_every_tissue_of_a_palette_is_painted():
    plain = Attenuation().palette
    before = frames(plain)
    for one in fields(Palette):
        value = getattr(plain, one.name)
        other = tuple(part + 0.4 for part in value) if isinstance(value, tuple) else value + 0.4
        after = frames(replace(plain, **{one.name: other}))
        assert (after != before).any(), one.name


def test_slices_come_in_turn_each_with_its_own_chance():
    scene = Scene(Heart(), SCAN, Torso(), Contrast().palette)
    found = list(painted(scene, SCAN.geometry(Heart())))
    assert [one.index for one in found] == [0, 1, 2, 3]
    assert len({one.rng.random() for one in found}) == 4
