"""Residual encoder, attention gates, nested U-Net: what the contract does not look at."""

import pytest

from heartseg.core.errors import ConfigError

torch = pytest.importorskip("torch")
from heartseg.models.attention_unet import AttentionUNet, attention_maps  # noqa: E402
from heartseg.models.nested_unet import NestedUNet  # noqa: E402
from heartseg.models.residual_unet import ResidualUNet  # noqa: E402

NESTED = (4, 6, 8, 10, 12)


@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_a_pruned_network_gives_the_supervised_output_of_its_level(level):
    torch.manual_seed(4)
    whole = NestedUNet(widths=NESTED).build(1, 3)
    pruned = NestedUNet(widths=NESTED, pruned_to=level).deployed.build(1, 3).eval()
    pruned.load_state_dict({name: whole.state_dict()[name] for name in pruned.state_dict()})
    for module in whole.modules():  # outputs of training, statistics of inference
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eval()
    planes = torch.rand(2, 1, 32, 48)
    with torch.no_grad():
        outputs = whole(planes)
        assert len(outputs) == 4
        torch.testing.assert_close(pruned(planes), outputs[4 - level])  # finest first
        whole.eval()
        torch.testing.assert_close(whole(planes), outputs[0])


def test_pruning_skips_the_computation():
    from torch.utils.flop_counter import FlopCounterMode

    counts = []
    for level in (1, 2, 3, 4):
        network = NestedUNet(pruned_to=level).deployed.build(1, 2).eval()
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(torch.rand(1, 1, 32, 32))
        counts.append(counter.get_total_flops())
    assert counts == sorted(counts)
    assert counts[0] < counts[3] / 8


def test_a_depth_that_is_not_there_is_refused():
    with pytest.raises(ConfigError, match="1 to 4"):
        NestedUNet(pruned_to=5)


def test_attention_maps_are_shares_and_weigh_the_skips():
    torch.manual_seed(1)
    network = AttentionUNet(widths=(4, 6, 8)).build(1, 2).eval()
    planes = torch.rand(2, 1, 24, 40)
    with torch.no_grad():
        maps = attention_maps(network, planes)
        assert [tuple(one.shape) for one in maps] == [(2, 1, 24, 40), (2, 1, 12, 20)]
        assert all(one.min() > 0 and one.max() < 1 for one in maps)
        before = network(planes)
        network.gates[-1].psi.bias.fill_(-50.0)  # the finest gate closes
        closed = attention_maps(network, planes)
        assert closed[0].max() < 1e-6
        assert not torch.allclose(network(planes), before)


@pytest.mark.parametrize(
    ("poolings", "sizes"),
    [
        (((2, 2),) * 3, [(32, 48), (16, 24)]),
        (((1, 2, 2), (2, 2, 2), (1, 2, 2)), [(4, 32, 48), (4, 16, 24)]),
    ],
)
def test_the_residual_network_supervises_all_but_the_coarsest(poolings, sizes):
    described = ResidualUNet(widths=(4, 6, 8, 10), blocks=(1, 1, 2, 1), poolings=poolings)
    network = described.build(1, 3)
    outputs = network(torch.rand(2, 1, *sizes[0]))
    assert [tuple(one.shape[2:]) for one in outputs] == sizes
    assert network.eval()(torch.rand(2, 1, *sizes[0])).shape == (2, 3, *sizes[0])
    deployed = described.deployed.build(1, 3)
    assert {n.split(".")[0] for n in deployed.state_dict()} == {
        *("stem", "encoder", "up", "decoder", "output")
    }


def test_the_stride_of_a_volume_is_told_axis_by_axis():
    described = ResidualUNet(widths=(4, 6, 8), blocks=(1, 1, 1), poolings=((1, 2, 2), (2, 2, 2)))
    assert described.stride == (2, 4, 4)
    assert described.dimensions == 3


@pytest.mark.parametrize("wrong", [{"blocks": (1, 1)}, {"poolings": ((2, 2), (2, 2, 2))}])
def test_levels_that_do_not_fit_together_are_refused(wrong):
    with pytest.raises(ConfigError):
        ResidualUNet(widths=(4, 6, 8), **{"blocks": (1, 1, 1), "poolings": ((2, 2),) * 2, **wrong})
