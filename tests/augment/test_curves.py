"""Random curves take contrast apart, repeat with a seed, and lose no range."""

from dataclasses import replace

import pytest

from heartseg.core.errors import ConfigError

torch = pytest.importorskip("torch")
from heartseg.augment import IntensityChange, change_intensity  # noqa: E402
from heartseg.augment.curves import Curves, through_curves  # noqa: E402

RAMP = torch.linspace(0, 1, 101).view(1, 1, 1, 101).repeat(40, 2, 3, 1)
ALWAYS = Curves(chance=1.0, knots=5)


def bent(curves: Curves, seed: int = 0, planes: object = RAMP) -> object:
    return through_curves(planes, curves, torch.Generator().manual_seed(seed))


def test_every_curve_reaches_from_black_to_white_and_is_straight_between_knots() -> None:
    out = bent(ALWAYS)
    curves = out[:, 0, 0]
    torch.testing.assert_close(curves.amin(1), torch.zeros(40), atol=1e-5, rtol=0)
    torch.testing.assert_close(curves.amax(1), torch.ones(40), atol=1e-5, rtol=0)
    bends = curves.diff(n=2, dim=1).abs() > 1e-4
    assert set(bends.nonzero()[:, 1].tolist()) <= {24, 49, 74}  # knots at 25, 50 and 75


def test_contrast_turns_in_some_and_each_plane_has_a_curve_of_its_own() -> None:
    out = bent(ALWAYS)
    slopes = out[:, 0, 0].diff(dim=1)
    assert (slopes < -1e-4).any(1).float().mean() > 0.8
    assert len({round(float(one), 5) for one in out[:, 0, 0, 60]}) > 35
    assert torch.equal(out[:, 0], out[:, 1])  # neighbouring slices alike


def test_only_some_planes_are_bent_and_a_seed_repeats_it() -> None:
    out = bent(Curves(chance=0.5), seed=3)
    same = (out == RAMP).flatten(1).all(1)
    assert 8 <= int(same.sum()) <= 32
    assert torch.equal(out, bent(Curves(chance=0.5), seed=3))
    assert not torch.equal(out, bent(Curves(chance=0.5), seed=4))


def test_they_are_part_of_the_change_of_intensity_and_cost_others_no_chance() -> None:
    none = IntensityChange.presets()["none"]
    out = change_intensity(RAMP, replace(none, curves=ALWAYS), torch.Generator().manual_seed(0))
    torch.testing.assert_close(out, bent(ALWAYS))
    assert torch.equal(change_intensity(RAMP, none, torch.Generator().manual_seed(0)), RAMP)


@pytest.mark.parametrize("wrong", [{"chance": 0.0}, {"chance": 1.1}, {"knots": 1}, {"knots": 33}])
def test_curves_that_cannot_be_are_refused(wrong: dict) -> None:
    with pytest.raises(ConfigError, match="curves"):
        Curves(**wrong)
