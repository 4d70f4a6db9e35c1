"""The formulas of the fusion, worked out beside it."""

import pytest

torch = pytest.importorskip("torch")
from heartseg.models.edge_attention import EdgeAttention, EdgeSupervised  # noqa: E402
from heartseg.models.fusion import (  # noqa: E402
    ChannelAttention,
    Fusion,
    SpatialAttention,
    edge_shares,
)


def noise(*shape: int, seed: int = 3) -> "torch.Tensor":
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def test_attention_to_channels_is_its_formula():
    torch.manual_seed(1)
    attention, both = ChannelAttention(12, 2), noise(2, 12, 5, 7)
    first, last = attention.layers[0], attention.layers[2]
    assert first.weight.shape == (6, 12, 1, 1)

    def through(pooled):
        hidden = (pooled @ first.weight[..., 0, 0].T + first.bias).clamp(min=0)
        return hidden @ last.weight[..., 0, 0].T + last.bias

    wanted = through(both.flatten(2).mean(2)) + through(both.flatten(2).amax(2))
    assert attention(both).shape == (2, 12, 1, 1)
    torch.testing.assert_close(attention(both)[..., 0, 0], wanted)


def test_few_channels_keep_some_between_the_layers():
    assert ChannelAttention(8, 4).layers[0].out_channels == 4
    assert ChannelAttention(64, 4).layers[0].out_channels == 16


def test_attention_to_places_is_its_formula():
    torch.manual_seed(1)
    attention, both = SpatialAttention(), noise(2, 6, 9, 11)
    pooled = torch.stack([both.mean(1), both.amax(1)], 1)
    around = torch.nn.functional.pad(pooled, (3, 3, 3, 3))[:, :, 4:11, 5:12]  # about (4, 5)
    wanted = (around * attention.layer.weight).sum((1, 2, 3)) + attention.layer.bias
    assert attention(both).shape == (2, 1, 9, 11)
    torch.testing.assert_close(attention(both)[:, 0, 4, 5], wanted)


def fused(logit: float) -> tuple["torch.Tensor", ...]:
    """A fusion whose share is the sigmoid of `logit` everywhere: R, P and F."""
    torch.manual_seed(1)
    fusion = Fusion(region=6, edge=4, reduction=2).eval()
    with torch.no_grad():
        for weight in (*fusion.of_channels.parameters(), *fusion.of_places.parameters()):
            weight.zero_()
        fusion.of_places.layer.bias.fill_(logit)
        regions, edges = noise(2, 6, 5, 7), noise(2, 4, 5, 7, seed=4)
        return regions, fusion.enter(edges), fusion(regions, edges)


@pytest.mark.parametrize(("logit", "share"), [(-40.0, 0.0), (0.0, 0.5), (40.0, 1.0)])
def test_the_shares_of_regions_and_edges_add_up_to_one(logit, share):
    regions, entered, both = fused(logit)
    torch.testing.assert_close(both, (1 - share) * regions + share * entered)
    assert (entered >= 0).all()
    assert not torch.allclose(entered, regions)


def test_both_attentions_are_asked_about_the_sum_of_both_features():
    torch.manual_seed(1)
    fusion = Fusion(region=6, edge=4, reduction=2).eval()
    regions, edges = noise(2, 6, 5, 7), noise(2, 4, 5, 7, seed=4)
    entered = fusion.enter(edges)
    both = regions + entered
    share = (fusion.of_channels(both) + fusion.of_places(both)).sigmoid()
    assert share.shape == regions.shape
    torch.testing.assert_close(fusion(regions, edges), (1 - share) * regions + share * entered)


def test_shares_can_be_looked_at_finest_first():
    torch.manual_seed(1)
    network = EdgeAttention(widths=(4, 6, 8), edge_channels=4).build(1, 2).eval()
    planes = noise(2, 1, 24, 40)
    with torch.no_grad():
        shares = edge_shares(network, planes)
        assert [tuple(one.shape) for one in shares] == [(2, 1, 24, 40), (2, 1, 12, 20)]
        assert all(0 < one.min() < one.max() < 1 for one in shares)
        network.fusions[0].of_places.layer.bias.fill_(-50.0)  # of the finest level
        assert edge_shares(network, planes)[0].max() < 1e-6
        assert edge_shares(network, planes)[1].max() > 0.1
        assert not any(one.share._forward_hooks for one in network.fusions)
        assert edge_shares(EdgeSupervised(widths=(4, 6)).build(1, 2), planes) == ()
