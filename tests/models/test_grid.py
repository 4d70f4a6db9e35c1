"""The grid of thesis 001, where the contract of all networks does not look."""

import math

import pytest

from heartseg.core.errors import ConfigError
from heartseg.models.grid import DECODERS, ENCODERS, Grid

torch = pytest.importorskip("torch")
pytest.importorskip("segmentation_models_pytorch")
from heartseg.models import ARCHITECTURES  # noqa: E402
from heartseg.models.plain import PlainEncoder, PlainUNet  # noqa: E402
from heartseg.models.trim import PooledBins, trim  # noqa: E402

every_decoder = pytest.mark.parametrize("decoder", DECODERS)


def grid(decoder: str, encoder: str) -> Grid:
    return Grid(decoder=decoder, encoder=encoder)  # type: ignore[arg-type]


def test_the_grid_is_nine_decoders_by_eleven_encoders():
    names = [f"{decoder}-{encoder}" for decoder in DECODERS for encoder in ENCODERS]
    assert len(names) == 99
    assert set(names) <= set(ARCHITECTURES)
    assert {ARCHITECTURES[name].name for name in names} == set(names)  # type: ignore[attr-defined]


def test_an_unknown_decoder_is_answered_with_the_nine():
    with pytest.raises(ConfigError, match="deeplabv3plus"):
        grid("segformer", "plain")


def test_unet_plain_has_the_parameters_of_the_listing():
    def double(a: int, b: int) -> int:
        return (
            9 * a * b + 9 * b * b + 4 * b
        )  # two convolutions without bias, scale and shift of two BN

    listing = double(1, 32) + double(32, 64) + double(64, 128) + double(128, 256)
    listing += double(384, 128) + double(192, 64) + double(96, 32) + 9 * 32 + 1
    network = grid("unet", "plain").build(1, 1)
    assert isinstance(network, PlainUNet)
    assert sum(weight.numel() for weight in network.parameters()) == listing == 1_947_969


@every_decoder
def test_every_decoder_takes_the_plain_encoder(decoder):
    described = grid(decoder, "plain")
    network = described.build(2, 3)
    encoder = network.encoder
    assert isinstance(encoder, PlainEncoder)
    assert encoder.out_channels == [32, 64, 128, 256]
    logits = network(torch.rand(2, 2, 64, 64 + described.stride))
    assert logits.shape == (2, 3, 64, 64 + described.stride)


@every_decoder
def test_the_smallest_batch_is_what_torch_takes(decoder):
    described = grid(decoder, "plain")
    network, least = described.build(1, 2).train(), described.smallest_batch
    network(torch.rand(least, 1, *described.smallest_size))
    if least > 1:
        with pytest.raises(ValueError, match="more than 1 value"):
            network(torch.rand(1, 1, *described.smallest_size))


def test_the_stages_that_pspnet_ignores_are_not_there():
    from segmentation_models_pytorch import PSPNet

    for encoder in ("resnet18", "efficientnet-b0", "mobilenetv2"):
        torch.manual_seed(1)
        whole = PSPNet(ENCODERS[encoder][0], encoder_weights=None, in_channels=1, classes=2).eval()
        torch.manual_seed(1)
        network = grid("pspnet", encoder).build(1, 2).eval()
        assert sum(w.numel() for w in network.parameters()) < sum(
            w.numel() for w in whole.parameters()
        )
        planes = torch.rand(1, 1, 72, 88)
        with torch.no_grad():
            torch.testing.assert_close(network(planes), whole(planes))


@pytest.mark.parametrize("decoder", ["linknet", "pan"])
def test_biases_that_a_normalisation_subtracts_are_not_missed(decoder):
    import segmentation_models_pytorch as library

    torch.manual_seed(2)
    network = getattr(library, DECODERS[decoder][0])(
        "resnet18", encoder_weights=None, in_channels=1, classes=2
    )
    planes = torch.rand(2, 1, 128, 160)
    with torch.no_grad():
        before = network.train()(planes)
        count = len(list(network.parameters()))
        trim(network, decoder)
        torch.testing.assert_close(network(planes), before, atol=1e-3, rtol=1e-3)
    assert len(list(network.parameters())) < count


def test_ma_net_squeezes_with_positive_weights():
    network = grid("manet", "plain").build(1, 2)
    squeezing = [m for n, m in network.named_modules() if n.endswith(("SE_ll.1", "SE_hl.1"))]
    assert len(squeezing) == 4
    assert all((module.weight >= 0).all() for module in squeezing)


@pytest.mark.parametrize(("bins", "size"), [(1, (5, 7)), (2, (5, 8)), (3, (7, 4)), (6, (8, 20))])
def test_pooled_bins_are_torch_s_adaptive_means(bins, size):
    features = torch.rand(2, 3, *size)
    expected = torch.nn.functional.adaptive_avg_pool2d(features, bins)
    torch.testing.assert_close(PooledBins(bins)(features), expected)


def test_blocks_keep_their_chance_of_being_left_out():
    encoder = grid("pspnet", "efficientnet-b0").build(1, 2).encoder
    kept = len(encoder._blocks)
    assert kept == 5
    assert math.isclose(encoder._drop_connect_rate / kept, 0.2 / 16)
