"""First weights: their spread by formula, what is taken from elsewhere, what stays."""

import math

import pytest

from heartseg.core.errors import ConfigError, ModelError

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from heartseg.models import build_network  # noqa: E402
from heartseg.train.checkpoint import save_checkpoint  # noqa: E402
from heartseg.train.start import Start, take_weights  # noqa: E402
from tests.train import tiny  # noqa: E402


def layers():
    torch.manual_seed(2)
    return nn.Sequential(nn.Conv2d(40, 90, 3), nn.BatchNorm2d(90), nn.Linear(700, 300))


@pytest.mark.parametrize(
    ("initial", "spreads"),
    [
        ("kaiming", [math.sqrt(2 / 360), math.sqrt(2 / 700)]),
        ("truncated-normal", [math.sqrt(2 / 360), math.sqrt(2 / 700)]),
        ("xavier", [math.sqrt(2 / (360 + 810)), math.sqrt(2 / 1000)]),
    ],
)
def test_the_spread_of_the_weights_is_that_of_the_paper(initial, spreads):
    network = layers()
    Start(initial=initial).begin(network)
    for layer, spread in zip((network[0], network[2]), spreads, strict=True):
        assert layer.weight.std().item() == pytest.approx(spread, rel=0.02)
        assert abs(layer.weight.mean().item()) < 0.02 * spread
        assert not layer.bias.any()
    assert network[1].weight.eq(1).all()


def test_truncated_weights_are_truncated_and_normal_ones_are_not():
    largest = []
    for initial in ("truncated-normal", "kaiming"):
        network = layers()
        Start(initial=initial).begin(network)
        weight = network[0].weight
        largest.append((weight.abs().max() / weight.std()).item())
    assert largest[0] < 2.3
    assert largest[1] > 3.5


def test_the_network_s_own_weights_are_left_alone():
    network, twin = layers(), layers()
    Start().begin(network)
    assert tiny.difference(network.state_dict(), twin.state_dict()) == ""


@pytest.fixture
def source(tmp_path):
    """A checkpoint of a trained network of three classes."""
    task = tiny.task()
    for _ in range(3):
        task.step(1.0)
    save_checkpoint(tmp_path / "old.pt", {"step": 3, "best": 0.0, "task": task.state()})
    return task.average.state_dict()


def test_weights_come_from_a_checkpoint_with_their_statistics(source, tmp_path):
    network = build_network("unet", 1, 3, widths=(4, 6))
    Start(weights_from="old.pt").begin(network, tmp_path)
    for name, value in source.items():
        if not name.endswith("num_batches_tracked"):
            assert torch.equal(network.state_dict()[name], value), name
    assert not source["encoder.0.1.running_mean"].eq(0).all()


def test_what_does_not_fit_is_listed_and_nothing_is_changed(source, tmp_path):
    network = build_network("unet", 1, 5, widths=(4, 6))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(ModelError) as told:
        Start(weights_from="old.pt").begin(network, tmp_path)
    said = str(told.value)
    assert "2 of " in said
    assert "output.weight is (3, 4, 1, 1) there and (5, 4, 1, 1) here" in said
    assert "output.bias is (3,) there and (5,) here" in said
    assert "start.fresh" in said
    assert tiny.difference(before, network.state_dict()) == ""


def test_a_new_head_begins_fresh_and_the_rest_is_taken(source, tmp_path):
    network = build_network("unet", 1, 5, widths=(4, 6))
    head = network.output.weight.clone()
    Start(weights_from="old.pt", fresh=("output.*",)).begin(network, tmp_path)
    assert torch.equal(network.output.weight, head)
    key = "encoder.1.0.weight"
    assert torch.equal(network.state_dict()[key], source[key])


def test_names_that_are_missing_are_listed():
    network = build_network("unet", 1, 3, widths=(4, 6))
    weights = dict(network.state_dict())
    del weights["output.bias"]
    with pytest.raises(ModelError, match=r"output\.bias is missing"):
        take_weights(network, weights, ())


@pytest.mark.parametrize("setting", ["fresh", "freeze"])
def test_a_pattern_that_fits_nothing_is_refused(source, tmp_path, setting):
    network = build_network("unet", 1, 3, widths=(4, 6))
    start = Start(**{"weights_from": "old.pt", setting: ("encodr.*",)})
    with pytest.raises(ConfigError, match=rf"start.{setting}.*'encodr.*encoder\.\*"):
        start.begin(network, tmp_path)


def test_what_is_frozen_stays_with_its_statistics_and_the_rest_learns():
    task = tiny.task(prepare=Start(freeze=("encoder.0.*",)).begin, weight_decay=0.5)
    before = {name: value.clone() for name, value in task.network.state_dict().items()}
    for _ in range(3):
        task.step(1.0)
    for state in (task.network.state_dict(), task.average.state_dict()):
        for name, value in state.items():
            if name.endswith("num_batches_tracked"):
                continue
            assert torch.equal(value, before[name]) == name.startswith("encoder.0."), name


def test_a_wholly_frozen_network_is_refused():
    with pytest.raises(ConfigError, match="every weight"):
        Start(freeze=("*",)).begin(build_network("unet", 1, 3, widths=(4, 6)))


def test_fresh_weights_without_others_are_refused():
    with pytest.raises(ConfigError, match="start.fresh"):
        Start(fresh=("output.*",))


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    save_checkpoint(tmp_path / "odd.pt", {"step": 1, "best": 0.0, "task": {"weight": 1}})
    with pytest.raises(ModelError, match=r"odd\.pt: got no weights"):
        Start(weights_from="odd.pt").begin(layers(), tmp_path)


def test_a_shipped_model_can_be_gone_on_from():
    from heartseg.segment import load_bundle, shipped_bundles
    from heartseg.segment.torch_runtime import load_network

    name = shipped_bundles()[0]
    bundle = load_bundle(name)
    settings = {k: v for k, v in bundle.architecture.items() if k != "name"}
    channels = bundle.preparation.channels
    network = build_network(bundle.architecture["name"], channels, 4, **settings)
    Start(weights_from=name).begin(network, channels=channels)
    wanted = load_network(bundle).state_dict()
    for key, value in network.state_dict().items():
        if not key.endswith("num_batches_tracked"):
            assert torch.equal(value, wanted[key]), key
