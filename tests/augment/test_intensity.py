"""Each strength alone does what its name says, and nothing does nothing."""

from dataclasses import asdict

import pytest

from heartseg.core.errors import ConfigError

torch = pytest.importorskip("torch")
from heartseg.augment import IntensityChange, change_intensity  # noqa: E402
from heartseg.formats.brightness import WEIGHTS  # noqa: E402
from heartseg.prepare import Clahe  # noqa: E402
from heartseg.prepare.clahe import equalise  # noqa: E402

NOTHING = asdict(IntensityChange.presets()["none"])
STRENGTHS = ("gamma", "contrast", "brightness", "colour", "bias_field", "noise", "blur")
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


@pytest.mark.parametrize("name", STRENGTHS)
def test_each_strength_changes_planes_differently(name):
    same = PLANES[:1].repeat(6, 1, 1, 1)
    out = changed(same, **{name: 0.9})
    assert out.shape == PLANES.shape
    assert out.isfinite().all()
    assert len({round(plane.double().std().item(), 7) for plane in out - same}) > 3 or (
        name in ("brightness", "colour") and len(set((out - same).mean((1, 2, 3)).tolist())) == 6
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


def test_a_plane_is_smoothed_towards_its_own_means_by_one_share():
    noise = torch.rand((40, 1, 12, 15), generator=seeded(2))
    means = torch.nn.functional.avg_pool2d(noise, 3, stride=1, padding=1, count_include_pad=False)
    shares = ((changed(noise, blur=0.5) - noise) / (means - noise)).flatten(1)
    each = shares.median(1).values
    torch.testing.assert_close(shares, each[:, None].expand_as(shares), atol=0.02, rtol=0)
    assert 10 < (each > 0).sum() < 30
    assert each.unique().numel() > 10


def test_colour_is_seen_in_grey_through_the_weights_of_brightness():
    """Red, green and blue each move by up to 0.3; green counts most, and never all three as one."""
    added = (changed(torch.zeros(4000, 1, 2, 2), colour=0.3)).flatten(1)
    assert torch.equal(added.amin(1), added.amax(1))
    wanted = 0.3 / 3**0.5 * sum(weight**2 for weight in WEIGHTS) ** 0.5  # of uniform numbers
    assert added.std().item() == pytest.approx(wanted, rel=0.05)
    assert added.abs().max() <= 0.3
    assert added.mean().abs() < 0.01


@pytest.mark.parametrize(
    ("strength", "size"),
    [({"gamma": 0.5}, 0.35), ({"contrast": 0.5}, 0.35), ({"brightness": 0.5}, 0.35)],
)
def test_a_change_happens_as_often_as_chance_says(strength, size):
    planes = torch.full((600, 1, 2, 2), 0.4)
    for chance in (0.0, size, 1.0):
        out = changed(planes, chance=chance, **strength)
        share = (out != planes).flatten(1).any(1).float().mean().item()
        assert share == pytest.approx(chance, abs=0.06 * (0 < chance < 1))


def test_tone_and_colour_have_their_chances_apart():
    planes = torch.full((900, 1, 2, 2), 0.4)
    tone = changed(planes, chance=0.5, brightness=0.2)[:, 0, 0, 0] != 0.4
    both = changed(planes, chance=0.5, brightness=0.2, colour=0.2)[:, 0, 0, 0] != 0.4
    assert tone.float().mean().item() == pytest.approx(0.5, abs=0.06)
    assert both.float().mean().item() == pytest.approx(0.75, abs=0.06)


def test_a_certain_change_draws_nothing_more():
    """A run that was started before there was a chance goes on to the bit."""
    one, other = seeded(5), seeded(5)
    change_intensity(PLANES, IntensityChange(), one)
    change_intensity(PLANES, IntensityChange(chance=1.0, colour=0.0, clahe=0.0), other)
    assert torch.equal(torch.rand(3, generator=one), torch.rand(3, generator=other))


@pytest.mark.parametrize(("tiles", "clip"), [(8, 2.0), (3, 4.0), (1, 256.0)])
@pytest.mark.parametrize("size", [(64, 48), (33, 57), (5, 3)])
def test_clahe_on_the_device_is_the_one_of_preparation(tiles, clip, size):
    planes = torch.rand((3, 1, *size), generator=seeded(6)) ** 2
    out = changed(planes, clahe=1.0, clahe_tiles=tiles, clahe_clip=clip)
    wanted = equalise(planes[:, 0].numpy(), Clahe(tiles=tiles, clip=clip))
    torch.testing.assert_close(out[:, 0], torch.from_numpy(wanted), atol=2e-6, rtol=0)


def test_clahe_happens_as_often_as_it_says_and_leaves_the_others():
    planes = torch.rand((300, 1, 16, 16), generator=seeded(7)) ** 2
    out = changed(planes, clahe=0.3, clahe_tiles=2)
    touched = (out != planes).flatten(1).any(1)
    assert touched.float().mean().item() == pytest.approx(0.3, abs=0.08)
    evened = changed(planes, clahe=1.0, clahe_tiles=2)
    assert torch.equal(out[touched], evened[touched])


def test_clahe_takes_pixels_a_little_outside_of_the_scale():
    planes = torch.linspace(-0.2, 1.3, 64).view(1, 1, 8, 8)
    out = changed(planes, clahe=1.0, clahe_tiles=1)
    assert out.isfinite().all()
    assert (out >= 0).all()
    assert (out <= 1 + 1e-6).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"noise": -0.1},
        {"gamma": -1.0},
        {"blur": 1.5},
        {"colour": -0.1},
        {"chance": 1.1},
        {"clahe": 2.0},
        {"clahe_tiles": 33},
        {"clahe_clip": 0.5},
    ],
)
def test_a_strength_that_means_nothing_is_refused(wrong):
    with pytest.raises(ConfigError, match="intensity"):
        IntensityChange(**wrong)
