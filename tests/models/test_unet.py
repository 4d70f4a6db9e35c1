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
