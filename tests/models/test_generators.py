"""What every generator keeps: iterates the table, so that a new one is tested on arrival."""

import pytest

torch = pytest.importorskip("torch")
from heartseg.core.errors import ConfigError  # noqa: E402
from heartseg.models.generators import GENERATORS, generator  # noqa: E402
from heartseg.models.maker import as_image  # noqa: E402
from heartseg.models.resnet_generator import ResnetGenerator  # noqa: E402
from heartseg.models.unet_generator import UNetGenerator  # noqa: E402

SMALL = {
    "resnet": {"widths": (3, 4), "blocks": 3},
    "unet": {"widths": (3, 4, 5)},
}
every_generator = pytest.mark.parametrize("name", GENERATORS)
either_way = pytest.mark.parametrize("residual", [False, True])


def small(name: str, **more: object):
    return generator({"name": name, **SMALL[name], **more})


def pixels(rows: int = 16, columns: int = 24, channels: int = 1, seed: int = 3):
    return torch.rand(2, channels, rows, columns, generator=torch.Generator().manual_seed(seed))


@every_generator
@either_way
@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_becomes_an_image_of_the_same_grid(name, residual, channels):
    network = small(name, residual=residual).build(channels)
    made = network(pixels(channels=channels))
    assert made.shape == (2, channels, 16, 24)
    assert 0 <= made.min() < made.max() <= 1


@every_generator
def test_the_smallest_input_goes_and_strides_above_it(name):
    described = small(name)
    network = described.build(1).train()
    for size in (described.smallest_px, described.smallest_px + described.stride):
        assert network(pixels(size, size))[0, 0].shape == (size, size)


@every_generator
@either_way
def test_every_weight_learns(name, residual):
    network = small(name, residual=residual).build(2)
    for seed in range(2):  # a single plane may switch a unit off
        network(pixels(channels=2, seed=seed)).square().sum().backward()
    idle = [k for k, v in network.named_parameters() if v.grad is None or not v.grad.any()]
    assert not idle


@every_generator
def test_the_same_seed_gives_the_same_weights(name):
    made = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        made.append(small(name).build(1)(pixels()))
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])


@every_generator
def test_planes_do_not_see_each_other(name):
    network, both = small(name).build(1), pixels()
    torch.testing.assert_close(network(both)[:1], network(both[:1]))


@every_generator
def test_features_have_the_widths_that_are_promised(name):
    described = small(name)
    features = described.build(2).encoded(pixels(channels=2))
    assert tuple(one.shape[1] for one in features) == described.encoded_widths(2)
    assert torch.equal(features[0], pixels(channels=2))
    assert all(one.shape[-1] * 16 == one.shape[-2] * 24 for one in features)


@every_generator
def test_a_residual_generator_begins_near_its_input(name):
    images = pixels().clamp(0.01, 0.99)
    torch.manual_seed(4)
    plain, residual = small(name).build(1), small(name, residual=True).build(1)
    away = [(network(images) - images).abs().mean() for network in (plain, residual)]
    assert away[1] < 0.05 < away[0]


def test_answers_become_intensities_by_the_formulas():
    answer, image = torch.tensor([-1.0, 0.0, 2.0]), torch.tensor([0.2, 0.9, 1.0])
    torch.testing.assert_close(as_image(answer, None), (answer.tanh() + 1) / 2)
    odds = torch.tensor([0.25, 9.0, 999.0]) * answer.exp()
    torch.testing.assert_close(as_image(answer, image), odds / (1 + odds))
    assert as_image(torch.zeros(2), torch.tensor([0.0, 1.0])).tolist() == pytest.approx(
        [0.001, 0.999]
    )


def test_the_papers_sizes():
    """Convolutions without the biases that a normalisation takes away again."""
    square = 256 * 256 * 9
    resnet = 64 * 49 + (64 * 128 + 128 * 256) * 9 * 2 + 18 * square + 64 * 49 + 1
    network = ResnetGenerator().build(1)
    assert sum(w.numel() for w in network.parameters()) == resnet
    unet = UNetGenerator(widths=(64, 128, 256, 512, 512, 512, 512, 512))
    assert (unet.stride, unet.smallest_px) == (256, 256)


def test_unknown_names_and_settings_are_errors_that_help():
    with pytest.raises(ConfigError, match="did you mean 'resnet'"):
        generator({"name": "resnt"})
    with pytest.raises(ConfigError, match="did you mean 'blocks'"):
        generator({"name": "resnet", "block": 3})
    with pytest.raises(ConfigError, match="widths"):
        generator({"name": "unet", "widths": []})
    with pytest.raises(ConfigError, match="blocks"):
        generator({"blocks": 0})
