"""heartseg's own networks: parameters as the papers count them, arithmetic that stays."""

import math

import pytest

torch = pytest.importorskip("torch")
from heartseg.models import ARCHITECTURES, build_network  # noqa: E402
from heartseg.models.survey import weightless  # noqa: E402

PARAMETERS = {
    "unet-2015": 31_030_658,
    "cmr-unet": 8_480_739,
    "cmr-unet-dropout": 8_480_739,
    "cmr-resunet": 4_715_507,
    "cmr-fcn": 7_697_379,
}
"""At the paper's channels and classes; those of Sinha are the authors' released weights'."""

ANSWERS = {
    "unet": (-0.757826, 1.804859, -1.212080),
    "unet-2015": (1.019665, 3.189347, 3.306833),
    "cmr-unet": (-1.190073, 1.482105, 0.612021),
    "cmr-resunet": (-2956.684, 276944.2, 589904.9),
    "cmr-fcn": (-1.172493, 1.229900, 0.624632),
}
"""With weights by rule: mean, deviation and one of the logits. Bundles and checkpoints hold weights
by name, so the same names must go on meaning the same arithmetic."""


def count(network) -> int:
    return sum(weight.numel() for weight in network.parameters())


def convolution(inputs: int, outputs: int, kernel: int) -> int:
    return outputs * (inputs * kernel**2 + 1)


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_parameters_are_those_of_the_paper(name):
    assert count(weightless(ARCHITECTURES[name])) == PARAMETERS[name]


def test_the_parameters_of_the_default_network_are_frozen():
    assert count(build_network("unet", 1, 4)) == 2_846_692


def test_figure_1_of_ronneberger_is_counted_by_hand():
    widths = (64, 128, 256, 512, 1024)
    down = sum(convolution(a, b, 3) for a, b in zip((1, *widths), widths, strict=False))
    down += sum(convolution(b, b, 3) for b in widths)
    up = sum(
        convolution(2 * w, w, 2) + convolution(2 * w, w, 3) + convolution(w, w, 3)
        for w in widths[:-1]
    )
    assert down + up + convolution(64, 2, 1) == PARAMETERS["unet-2015"]


def test_vgg_16_is_counted_by_hand():
    features = [(3, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 256)]
    features += [(256, 512), (512, 512), (512, 512), (512, 512), (512, 512), (512, 512)]
    vgg = sum(convolution(a, b, 3) for a, b in features)
    head = convolution(512, 4096, 7) + convolution(4096, 4096, 1) + convolution(4096, 21, 1)
    counts = [count(weightless(ARCHITECTURES[f"fcn-{stride}s"])) for stride in (32, 16, 8)]
    assert counts[0] == vgg + head
    assert counts[1] == counts[0] + convolution(512, 21, 1) + 21 * 21 * 16
    assert counts[2] == counts[1] + convolution(256, 21, 1) + 21 * 21 * 16


@pytest.mark.parametrize("name", ANSWERS)
def test_the_same_weights_keep_giving_the_same_answer(name):
    network = build_network(name, 1, 4).eval()
    rows, columns = ARCHITECTURES[name].smallest_size
    columns += max(16, columns) if name != "unet-2015" else 16
    with torch.no_grad():
        for number, (_, weight) in enumerate(sorted(network.named_parameters())):
            rule = torch.sin(torch.arange(weight.numel(), dtype=torch.float64) * 0.7 + number)
            spread = (2 / max(1, weight[0].numel())) ** 0.5
            weight.copy_((rule * spread).float().view_as(weight))
        ramp = torch.arange(rows * columns, dtype=torch.float64).view(1, 1, rows, columns)
        logits = network(torch.sin(ramp * 0.01).float())
    row, column = (2, 5) if name == "unet-2015" else (5, 9)
    found = (logits.mean().item(), logits.std().item(), logits[0, 2, row, column].item())
    assert found == pytest.approx(ANSWERS[name], rel=1e-3, abs=1e-3)


def test_the_second_convolution_of_the_first_decoder_stage_widens():
    decoder = weightless(ARCHITECTURES["cmr-unet"]).decoder
    second = [stage[3] for stage in decoder]
    assert [(c.in_channels, c.out_channels) for c in second] == [
        *((256, 512), (128, 128), (64, 64), (32, 32))
    ]


def test_dropout_stands_between_the_two_convolutions_of_every_stage():
    network = build_network("cmr-unet-dropout", 1, 3)
    for stage in (*network.encoder, *network.decoder):
        kinds = [type(layer).__name__ for layer in stage]
        assert kinds == ["Conv2d", "ReLU", "Dropout", "Conv2d", "ReLU"]
        assert stage[2].p == 0.5
    assert network.dropout.p == 0.5


@pytest.mark.parametrize("name", ["cmr-unet", "cmr-resunet", "cmr-fcn"])
def test_the_initial_weights_are_a_truncated_normal_of_he_s_variance(name):
    torch.manual_seed(0)
    network = build_network(name, 1, 3)
    wide = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d) and m.in_channels > 100]
    assert wide
    for layer in wide:
        wanted = math.sqrt(2 / (layer.in_channels * layer.kernel_size[0] ** 2))
        assert layer.weight.std().item() == pytest.approx(wanted, rel=0.02)
        cut = 2 * wanted / 0.8796  # two deviations of the distribution before it was cut
        assert 0.97 * cut < layer.weight.abs().max().item() <= cut * 1.001
        assert not layer.bias.any()


def test_the_initial_weights_of_ronneberger_are_gaussian():
    torch.manual_seed(0)
    second = build_network("unet-2015", 1, 2).encoder[1][2]
    assert second.weight.std().item() == pytest.approx(math.sqrt(2 / (9 * 128)), rel=0.02)
    assert second.weight.abs().max().item() > 3.5 * math.sqrt(2 / (9 * 128))


@pytest.mark.parametrize(("side", "left"), [(572, 388), (188, 4), (204, 20)])
def test_valid_convolutions_leave_the_middle(side, left):
    network = weightless(ARCHITECTURES["unet-2015"])
    assert network(torch.empty(1, 1, side, side, device="meta")).shape == (1, 2, left, left)


def test_the_finest_skip_of_valid_convolutions_is_cut_about_its_middle():
    """With nothing from below, four 3x3 convolutions are left: a dot reaches four pixels far."""
    torch.manual_seed(1)
    network = build_network("unet-2015", 1, 1, widths=[6, 4, 4, 4, 4]).eval()
    dark, lit = torch.zeros(1, 1, 252, 252), torch.zeros(1, 1, 252, 252)
    lit[..., 92 + 30, 92 + 41] = 9
    with torch.no_grad():
        network.up[-1].weight.zero_()
        rows, columns = torch.nonzero(network(lit)[0, 0] != network(dark)[0, 0], as_tuple=True)
    assert (rows.min(), rows.max()) == (30 - 4, 30 + 4)
    assert (columns.min(), columns.max()) == (41 - 4, 41 + 4)
