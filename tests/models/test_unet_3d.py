"""The three-dimensional U-Nets: counts and sizes of the paper, and axes that follow the spacing."""

import pytest

from heartseg.core.errors import ConfigError

torch = pytest.importorskip("torch")
from heartseg.models import ARCHITECTURES, architecture, build_network  # noqa: E402
from heartseg.models.architecture import output_size  # noqa: E402
from heartseg.models.survey import layers, weightless  # noqa: E402

PAPER = ARCHITECTURES["unet-3d"]


def test_the_convolutions_hold_what_the_paper_counts():
    counts: dict[str, int] = {}
    for layer in layers(PAPER):
        counts[layer.kind] = counts.get(layer.kind, 0) + layer.parameters
    assert counts["Conv3d"] + counts["ConvTranspose3d"] == 19_069_955
    assert sum(counts.values()) == 19_074_627


def test_deconvolutions_keep_their_channels_and_have_no_bias():
    up = weightless(PAPER).up
    assert [(one.in_channels, one.out_channels) for one in up] == [(n, n) for n in (512, 256, 128)]
    assert all(one.bias is None for one in up)


def test_channels_double_before_the_pooling_and_normalisation_comes_before_each_relu():
    network = weightless(PAPER)
    doubled = [(level[0].out_channels, level[3].out_channels) for level in network.encoder]
    assert doubled == [(32, 64), (64, 128), (128, 256), (256, 512)]
    for level in (*network.encoder, *network.decoder):
        kinds = [type(layer).__name__ for layer in level]
        assert kinds == ["Conv3d", "BatchNorm3d", "ReLU"] * 2
        assert level[0].bias is not None
        assert level[0].padding == (0, 0, 0)


@pytest.mark.parametrize(
    ("size", "left"), [((116, 132, 132), (28, 44, 44)), ((92, 108, 100), (4, 20, 12))]
)
def test_the_answer_is_the_middle_of_the_paper_s_size(size, left):
    answer = weightless(PAPER)(torch.empty(1, 3, *size, device="meta"))
    assert answer.shape == (1, 3, *left)
    assert output_size(PAPER, size) == left


def test_the_finest_skip_is_cut_about_its_middle_along_each_axis():
    """With nothing from below, four 3x3x3 convolutions are left: a dot reaches four voxels far."""
    torch.manual_seed(1)
    network = build_network("unet-3d", 1, 1, widths=[6, 4]).eval()
    margin = 8
    dark, lit = torch.zeros(1, 1, 28, 34, 40), torch.zeros(1, 1, 28, 34, 40)
    lit[..., margin + 5, margin + 8, margin + 13] = 9
    with torch.no_grad():
        network.up[-1].weight.zero_()
        changed = torch.nonzero(network(lit)[0, 0] != network(dark)[0, 0])
    assert changed.amin(0).tolist() == [5 - 4, 8 - 4, 13 - 4]
    assert changed.amax(0).tolist() == [5 + 4, 8 + 4, 13 + 4]


def test_the_initial_weights_have_he_s_spread():
    torch.manual_seed(0)
    network = build_network("unet-3d", 1, 3, widths=[8, 16, 32])
    wide = network.decoder[0][0]
    assert wide.weight.std().item() == pytest.approx((2 / (27 * 48)) ** 0.5, rel=0.03)
    assert network.up[0].weight.std().item() == pytest.approx((2 / 32) ** 0.5, rel=0.03)
    assert not wide.bias.any()


ANISOTROPIC = ARCHITECTURES["unet-3d-anisotropic"]
FLAT, FULL = (1, 3, 3), (3, 3, 3)


@pytest.mark.parametrize(
    ("spacing", "kernels", "poolings"),
    [
        (
            (10.0, 1.5, 1.5),
            (FLAT, FLAT, FULL, FULL),
            ((1, 2, 2), (1, 2, 2), (2, 2, 2)),
        ),
        ((5.0, 1.5, 1.5), (FLAT, FULL, FULL, FULL), ((1, 2, 2), (2, 2, 2), (2, 2, 2))),
        ((3.0, 1.5, 1.5), (FLAT, FULL, FULL, FULL), ((1, 2, 2), (2, 2, 2), (2, 2, 2))),
        ((2.9, 1.5, 1.5), (FULL,) * 4, ((2, 2, 2),) * 3),
        ((1.0, 1.0, 9.0), (*((3, 3, 1),) * 3, FULL), ((2, 2, 1),) * 3),
    ],
)
def test_an_axis_takes_part_once_it_is_less_than_twice_the_finest(spacing, kernels, poolings):
    described = architecture(
        {"name": "unet-3d-anisotropic", "widths": [8, 8, 8, 8], "spacing_mm": list(spacing)}
    )
    assert described.kernels == kernels
    assert described.poolings == poolings


def test_the_network_is_built_as_its_spacing_says():
    network = weightless(ANISOTROPIC)
    assert [level[0].kernel_size for level in network.encoder] == [FLAT, FLAT, FULL, FULL, FULL]
    assert [level[3].kernel_size for level in network.decoder] == [FULL, FULL, FLAT, FLAT]
    assert [up.kernel_size for up in network.up] == [(2, 2, 2)] * 2 + [(1, 2, 2)] * 2
    assert ANISOTROPIC.stride == (4, 16, 16)


def test_slices_do_not_mix_where_only_planes_are_convolved():
    torch.manual_seed(2)
    flat = build_network("unet-3d-anisotropic", 1, 2, widths=[4, 6], spacing_mm=[9.0, 1.5, 1.5])
    deep = build_network("unet-3d-anisotropic", 1, 2, widths=[4, 6], spacing_mm=[4.0, 1.5, 1.5])
    dark, lit = torch.zeros(1, 1, 5, 8, 12), torch.zeros(1, 1, 5, 8, 12)
    lit[:, :, 2, 3, 7] = 9
    for network, reached in ((flat, {2}), (deep, {0, 1, 2, 3, 4})):
        with torch.no_grad():
            changed = network.eval()(lit) - network(dark)
        assert set(torch.nonzero(changed)[:, 2].tolist()) == reached


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"name": "unet-3d", "widths": []}, "at least 2"),
        ({"name": "unet-3d", "widths": [5, 8]}, "the first even"),
        ({"name": "unet-3d-anisotropic", "widths": [4, 1]}, "at least 2"),
        ({"name": "unet-3d", "normalisation": "group"}, "batch.*none"),
        ({"name": "unet-3d-anisotropic", "spacing_mm": [10.0, 0.0, 1.5]}, "to 100 mm"),
        ({"name": "unet-3d-anisotropic", "spacing_mm": [10.0, 1.5]}, "spacing_mm"),
    ],
)
def test_a_wrong_description_is_answered_with_the_right_one(table, message):
    with pytest.raises(ConfigError, match=message):
        architecture(table)


@pytest.mark.parametrize("name", ["unet-3d", "unet-3d-anisotropic"])
def test_without_normalisation_convolutions_have_a_bias_and_nothing_stands_between(name):
    plain = weightless(architecture({"name": name, "normalisation": "none"}))
    usual = weightless(architecture({"name": name}))
    for level, other in zip(plain.encoder, usual.encoder, strict=True):
        assert [type(layer).__name__ for layer in level] == ["Conv3d", "ReLU"] * 2
        assert level[0].bias is not None
        assert (level[0].kernel_size, level[0].padding) == (other[0].kernel_size, other[0].padding)
    assert not any("Norm" in type(layer).__name__ for layer in plain.modules())
