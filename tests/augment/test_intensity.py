"""Each strength alone does what its name says, and nothing does nothing."""

from dataclasses import fields

import pytest

from heartseg.core.errors import ConfigError

torch = pytest.importorskip("torch")
from heartseg.augment import IntensityChange, change_intensity  # noqa: E402

NOTHING = dict.fromkeys((field.name for field in fields(IntensityChange)), 0.0)
PLANES = torch.rand((6, 1, 24, 33), generator=torch.Generator().manual_seed(1))


def changed(planes=PLANES, seed=0, **strength):
    change = IntensityChange(**{**NOTHING, **strength})
    return change_intensity(planes, change, torch.Generator().manual_seed(seed))


def test_zero_strength_is_the_identity():
    assert torch.equal(changed(), PLANES)


def test_a_seed_repeats_it_and_another_does_not():
    one, same = (change_intensity(PLANES, IntensityChange(), seeded(3)) for _ in range(2))
    assert torch.equal(one, same)
    assert not torch.equal(one, change_intensity(PLANES, IntensityChange(), seeded(4)))


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", NOTHING)
def test_each_strength_changes_planes_differently(name):
    same = PLANES[:1].repeat(6, 1, 1, 1)
    out = changed(same, **{name: 0.9})
    assert out.shape == PLANES.shape
    assert out.isfinite().all()
    assert len({round(plane.double().std().item(), 7) for plane in out - same}) > 3 or (
        name == "brightness" and len(set((out - same).mean((1, 2, 3)).tolist())) == 6
    )


def test_gamma_keeps_black_white_and_the_order():
    ramp = torch.linspace(0, 1, 50).view(1, 1, 1, 50).repeat(20, 1, 2, 1)
    out = changed(ramp, gamma=0.5)
    assert torch.equal(out[..., 0], ramp[..., 0])
    torch.testing.assert_close(out[..., -1], ramp[..., -1])
    assert (out.diff(dim=-1) > 0).all()
    exponent = out[:, 0, 0, 25].log() / ramp[:, 0, 0, 25].log()
    assert exponent.min() >= 0.606  # e^-0.5
    assert exponent.max() <= 1.649
    assert exponent.min() < 0.9 < 1.1 < exponent.max()  # both ways


def test_contrast_multiplies():
    ratio = (changed(contrast=0.3) / PLANES).flatten(1)
    torch.testing.assert_close(ratio.amin(1), ratio.amax(1))
    assert ratio.log().abs().max() <= 0.3 + 1e-5
    assert ratio.min() < 1 < ratio.max()


def test_brightness_adds():
    added = (changed(brightness=0.2) - PLANES).flatten(1)
    torch.testing.assert_close(added.amin(1), added.amax(1), atol=1e-6, rtol=0)
    assert added.abs().max() <= 0.2
    assert added.min() < 0 < added.max()


def test_the_coil_field_is_smooth_and_of_the_wanted_size():
    ones = torch.ones(200, 1, 24, 33)
    field = changed(ones, bias_field=0.25).log()
    assert 0.15 < field.std().item() < 0.35
    assert field.diff(dim=-1).abs().max() < 0.15
    assert field.flatten(1).std(1).min() > 0.01  # it varies within every plane


def test_noise_is_as_strong_as_allowed_and_centred():
    noise = (changed(torch.full((50, 1, 40, 40), 0.5), noise=0.1) - 0.5).flatten(1)
    strength = noise.std(1)
    assert strength.max() <= 0.11
    assert strength.max() > 2 * strength.min()  # from none to all
    assert noise.mean().abs() < 0.002


def test_blur_smooths_some_planes_and_leaves_flat_ones():
    flat = torch.full((9, 1, 8, 8), 0.3)
    torch.testing.assert_close(changed(flat, blur=1.0), flat)  # also at the border
    noise = torch.rand((400, 1, 12, 12), generator=seeded(2))
    touched = (changed(noise, blur=0.25) != noise).flatten(1).any(1).float().mean().item()
    assert touched == pytest.approx(0.25, abs=0.08)
    assert (changed(noise, blur=1.0).var((1, 2, 3)) <= noise.var((1, 2, 3))).all()


@pytest.mark.parametrize("wrong", [{"noise": -0.1}, {"gamma": -1.0}, {"blur": 1.5}])
def test_a_strength_that_means_nothing_is_refused(wrong):
    with pytest.raises(ConfigError, match="intensity"):
        IntensityChange(**wrong)
