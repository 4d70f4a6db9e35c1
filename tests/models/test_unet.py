"""The compact U-Net."""

import pytest

torch = pytest.importorskip("torch")
from heartseg.models.unet import UNet  # noqa: E402


@pytest.mark.parametrize(("widths", "stride"), [((4,), 1), ((4, 6), 2), ((4, 6, 10, 12), 8)])
def test_the_stride_is_two_for_each_pooling(widths, stride):
    described = UNet(widths=widths)
    assert described.stride == stride
    assert described.build(1, 2)(torch.rand(2, 1, 3 * stride, stride)).shape[2:] == (
        3 * stride,
        stride,
    )


def test_weights_keep_their_names():
    names = {n.split(".")[0] for n in UNet(widths=(4, 6)).build(1, 2).state_dict()}
    assert names == {"encoder", "up", "decoder", "output"}


def test_fine_detail_reaches_the_output_past_the_poolings():
    torch.manual_seed(0)
    network = UNet(widths=(4, 6)).build(1, 2)
    with torch.no_grad():
        for up in network.up:
            up.weight.zero_()
            up.bias.zero_()  # nothing comes from below: only the skip is left
        network(torch.rand(4, 1, 8, 8))
        network.eval()
        one, other = torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8)
        other[..., 3, 5] = 1
        assert not torch.equal(network(one), network(other))


def test_supervised_levels_are_given_in_training_alone_and_left_out_when_deployed():
    described = UNet(widths=(4, 5, 6, 7), supervised=True)
    torch.manual_seed(0)
    network = described.build(1, 3)
    pixels = torch.rand(2, 1, 16, 24)
    levels = network(pixels)
    assert [tuple(one.shape) for one in levels] == [(2, 3, 16, 24), (2, 3, 8, 12)]
    assert network.supervision[0].weight.shape == (3, 5, 1, 1)
    sum(one.square().mean() for one in levels).backward()
    assert all(weight.grad is not None for weight in network.parameters())
    alone = network.eval()(pixels)
    assert isinstance(alone, torch.Tensor)
    deployed = described.deployed.build(1, 3)
    names = set(deployed.state_dict())
    assert names == {n for n in network.state_dict() if not n.startswith("supervision.")}
    deployed.load_state_dict({name: network.state_dict()[name] for name in names})
    assert torch.equal(deployed.eval()(pixels), alone)


def test_without_supervision_the_network_draws_the_weights_it_always_drew():
    torch.manual_seed(3)
    plain = UNet(widths=(4, 5, 6, 7)).build(1, 3)
    after = torch.rand(1)
    torch.manual_seed(3)
    supervised = UNet(widths=(4, 5, 6, 7), supervised=True).build(1, 3)
    for name, value in plain.state_dict().items():
        assert torch.equal(supervised.state_dict()[name], value)
    assert not torch.equal(torch.rand(1), after)  # the outputs below are drawn last
    assert isinstance(plain(torch.rand(2, 1, 8, 8)), torch.Tensor)
